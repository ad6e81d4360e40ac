//! Drawings: numbers in, coordinates out; a template writes them as SVG.

mod band;
mod interval;
mod scale;

pub use band::{BandChart, Layout};
pub use interval::{IntervalBar, widest};
pub use scale::{Scale, Tick};
