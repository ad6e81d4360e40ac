//! Experiments: who sees which variation, and what may be concluded from what they did.
//!
//! The crate is pure. It reads no clock, draws no random numbers and touches nothing outside its arguments, so an
//! assignment is a function of a definition and a unit, and a verdict is a function of totals. It knows nothing of
//! carts: a metric is a number a unit produced.
//!
//! Read it in the order of the modules.

pub mod definition;
pub mod metric;

pub mod interval;

pub mod sample_ratio;

pub mod verdict;

pub use definition::{DefinitionError, Experiment, Status, Variation};
pub use metric::{ArmTotals, Metric};
pub use verdict::{Analysis, Look, Verdict};
