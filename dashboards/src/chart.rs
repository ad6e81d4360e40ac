//! Drawings: numbers in, coordinates out; a template writes them as SVG.

mod band;
mod growth;
mod interval;
mod scale;
mod shares;

pub use band::{BandChart, Layout};
pub use growth::{Growth, GrowthChart};
pub use interval::{IntervalBar, widest};
pub use scale::{Scale, Tick};
pub use shares::{SharesChart, Step};
