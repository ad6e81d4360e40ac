//! What a model says of itself: what it was learnt from, how, and how good it is.

use serde::{Deserialize, Serialize};

/// Says what a model was learnt from, when and how, and what it attained.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// When it was trained, Unix milliseconds.
    pub trained_at_ms: i64,
    /// The time of the first order or view, Unix milliseconds.
    pub from_ms: i64,
    /// The latest event that was read, Unix milliseconds.
    pub through_at_ms: i64,
    /// The highest outbox position that was read.
    pub through_position: i64,
    /// How many orders it was learnt from.
    pub orders: u64,
    /// How many sessions it was learnt from.
    pub sessions: u64,
    /// How many items it knows.
    pub items: u64,
    /// The settings of the training, as the program that trained names them.
    pub settings: serde_json::Value,
    /// The latest deletion of a history that it is free of; none where nobody had deleted anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_of: Option<Deletion>,
    /// What models of the same settings, learnt from all but the latest part, attained on that part.
    pub measured: Vec<Measured>,
}

/// Is the deletion of a shopper's history. They are ordered by where they stand in the outbox, as clocks of nodes differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Deletion {
    /// Its position in the outbox.
    pub position: i64,
    /// When it was asked for, Unix milliseconds.
    pub at_ms: i64,
}

/// Names what later entries are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Every prefix of a session, for the next item.
    Session,
    /// A basket without one item, for that item.
    Loo,
    /// One item, for another of its basket.
    Fbt,
    /// What somebody had bought, for something that they buy for the first time on a later occasion.
    After,
}

impl Task {
    /// Every task.
    pub const ALL: [Self; 4] = [Self::Session, Self::Loo, Self::Fbt, Self::After];

    /// Returns the name, as files of cases and tables spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Loo => "loo",
            Self::Fbt => "fbt",
            Self::After => "after",
        }
    }
}

/// Is what one method attained at one task; each figure as mean and the ends of its 95 % interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// What was asked.
    pub task: Task,
    /// The method.
    pub method: String,
    /// How many questions were asked.
    pub cases: u64,
    /// The fraction of questions whose answer is among the first twenty.
    pub hit_rate_20: [f64; 3],
    /// The mean of one by the place of the answer, 0 beyond twenty.
    pub mrr_20: [f64; 3],
    /// The fraction of the items that were in any list.
    pub coverage: f64,
}

/// The method whose figures tell whether a model is better than another: the one that answers.
pub const RANKED: &str = "ranked";

/// The method that suggests what sells best, whoever asks: what a first model is compared with.
pub const POPULARITY: &str = "popularity";

impl About {
    /// Returns what orders models: how far events had been read, then the clock's reading. A clock that was set back makes no later
    /// model older.
    pub fn order(&self) -> (i64, i64) {
        (self.through_position, self.trained_at_ms)
    }

    /// Returns what the model itself attained at a task.
    pub fn attained(&self, task: Task) -> Option<&Measured> {
        self.measured.iter().find(|measured| measured.task == task && measured.method == RANKED)
    }
}
