//! The rows of experiments.

use cart_core::VisitorId;
use serde::{Deserialize, Serialize};

/// Is a definition as stored: its JSON, not yet parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredExperiment {
    /// The experiment's key.
    pub key: String,
    /// The key's revision, from 1.
    pub revision: u64,
    /// The definition as JSON.
    pub definition: String,
    /// When this revision was saved, in Unix milliseconds.
    pub saved_at_ms: i64,
}

/// Is the whole set of definitions at one revision.
#[derive(Clone, Debug, Default)]
pub struct StoredDefinitions {
    /// Grows with every save of any key.
    pub revision: u64,
    /// All experiments by key.
    pub experiments: Vec<StoredExperiment>,
}

/// Says that a unit met a variation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    /// The experiment's key.
    pub experiment: String,
    /// The variation's position, from 0.
    pub variation: u32,
    /// Who met it.
    pub unit: VisitorId,
    /// When, in Unix milliseconds.
    pub at_ms: i64,
}
