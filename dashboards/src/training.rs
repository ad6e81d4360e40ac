//! What came of the last training of recommendations, in plain words.

use serde::Serialize;

use crate::{figure::counted, moment::Moment};

/// Says how a training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrainingOutcome {
    /// A model was learnt and put into service.
    InService,
    /// A model was learnt, but is plainly worse than the one in service.
    NotPromoted,
    /// There was nothing to learn from.
    Nothing,
    /// It failed.
    Failed,
}

/// Holds what came of a training.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastTraining {
    /// When it ended, Unix milliseconds.
    pub ended_at_ms: i64,
    /// How.
    pub outcome: TrainingOutcome,
    /// What it said of what it read, counted and learnt.
    pub said: Vec<String>,
    /// What was wrong, the first lines of it.
    pub warned: Vec<String>,
    /// How many lines that were.
    pub warned_lines: u64,
    /// Why nothing was learnt.
    pub why: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct View<'a> {
    ended: Moment,
    outcome: &'static str,
    tone: &'static str,
    icon: &'static str,
    said: &'a [String],
    warned: &'a [String],
    warnings: Option<String>,
    /// How many of them are not shown.
    more: u64,
    why: Option<&'a str>,
}

impl LastTraining {
    pub(crate) fn view(&self) -> View<'_> {
        let (outcome, tone, icon) = match self.outcome {
            TrainingOutcome::InService => ("A new model was learnt and went into service", "good", "check"),
            TrainingOutcome::NotPromoted => {
                ("A model was learnt, but did not go into service by itself", "calm", "level")
            }
            TrainingOutcome::Nothing => ("There was nothing to learn from", "calm", "level"),
            TrainingOutcome::Failed => ("It failed, and nothing was learnt", "bad", "warning"),
        };
        View {
            ended: Moment::of(self.ended_at_ms),
            outcome,
            tone,
            icon,
            said: &self.said,
            warned: &self.warned,
            warnings: (self.warned_lines > 0).then(|| counted(self.warned_lines, "warning")),
            more: self.warned_lines.saturating_sub(self.warned.len() as u64),
            why: self.why.as_deref(),
        }
    }
}
