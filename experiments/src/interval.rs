//! Effects of a treatment and their intervals.

use serde::Serialize;

/// Holds an estimated effect with an interval and a p-value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The estimated effect.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// Two-sided p-value of no effect.
    pub p: f64,
}

impl Estimate {
    /// Returns whether the interval leaves out zero.
    pub fn excludes_zero(&self) -> bool {
        self.lower > 0.0 || self.upper < 0.0
    }
}
