//! What became of an experiment's winner.

use serde::{Deserialize, Serialize};

use super::WHOLE_BP;

/// Names the variation that was shipped: the value of everybody, or of a share of all units, after the end of its experiment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shipped {
    /// The variation's key.
    pub variation: String,
    /// When it was shipped, Unix milliseconds UTC; of two on one flag the later holds.
    pub at_ms: i64,
    /// The share of all units that get it, in basis points; everybody where nothing is said.
    #[serde(default = "whole", skip_serializing_if = "is_whole")]
    pub share_bp: u32,
}

fn whole() -> u32 {
    WHOLE_BP
}

fn is_whole(share_bp: &u32) -> bool {
    *share_bp == WHOLE_BP
}
