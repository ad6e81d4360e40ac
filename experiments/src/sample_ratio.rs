//! The check that units were split as planned.

use serde::Serialize;

/// Reports the split against the plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleRatio {
    /// Units the plan expects of each arm, given their total.
    pub expected: Vec<f64>,
    /// p-value of the sequential test, over all looks; valid however often it is read. 1 without units.
    pub sequential_p: f64,
    /// p-value of Pearson's chi-square test on the last look; valid for a single look only. `None` without units.
    pub chi_square_p: Option<f64>,
    /// The threshold below which `sequential_p` withholds the verdict, [`MISMATCH_P`].
    pub threshold: f64,
    /// Whether the split is not the planned one.
    pub is_mismatch: bool,
}

/// Below this sequential p-value the split counts as mismatched: at most one sound experiment in a hundred is ever
/// withheld by mistake, over its whole life.
pub const MISMATCH_P: f64 = 0.01;
