//! What became of an experiment's winner.

use serde::{Deserialize, Serialize};

/// Names the variation that was shipped: everybody's value after the end of its experiment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shipped {
    /// The variation's key.
    pub variation: String,
    /// When it was shipped, Unix milliseconds UTC; of two on one flag the later holds.
    pub at_ms: i64,
}
