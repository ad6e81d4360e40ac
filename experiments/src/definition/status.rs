//! Where an experiment is in its life.

use serde::{Deserialize, Serialize};

/// Says where an experiment is in its life; see [`crate::lifecycle`] for the moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Being written: assigns nobody but those forced to look at it.
    #[default]
    Draft,
    /// Assigning units; what decides the split is frozen.
    Running,
    /// Held: assigns nobody for a while, as where a rule of GrowthBook is switched off. Who was counted stays
    /// counted.
    Paused,
    /// Over: assigns nobody and never starts again.
    Stopped,
    /// Over and put away: kept for the search over past experiments only.
    Archived,
}

impl Status {
    /// Lists all of them in the order of a life.
    pub const ALL: [Status; 5] =
        [Status::Draft, Status::Running, Status::Paused, Status::Stopped, Status::Archived];

    /// Returns the status as it is written in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Draft => "draft",
            Status::Running => "running",
            Status::Paused => "paused",
            Status::Stopped => "stopped",
            Status::Archived => "archived",
        }
    }

    /// Returns whether units may have met it.
    pub fn has_started(self) -> bool {
        self != Status::Draft
    }

    /// Returns whether it never assigns anybody again.
    pub fn is_over(self) -> bool {
        matches!(self, Status::Stopped | Status::Archived)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.as_str())
    }
}
