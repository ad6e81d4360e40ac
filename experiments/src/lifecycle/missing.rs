//! What a definition must say before it starts.

use crate::definition::Experiment;

/// Names what has to be said before the start and is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// What is expected, and why.
    Hypothesis,
    /// Who answers for it.
    Owner,
    /// How many days it shall run.
    PlannedDays,
}

impl Missing {
    /// Returns the name of the field in JSON.
    pub fn field(self) -> &'static str {
        match self {
            Missing::Hypothesis => "hypothesis",
            Missing::Owner => "owner",
            Missing::PlannedDays => "planned_days",
        }
    }

    /// Returns what is missing, for people.
    pub fn words(self) -> &'static str {
        match self {
            Missing::Hypothesis => "a hypothesis",
            Missing::Owner => "an owner",
            Missing::PlannedDays => "a planned length",
        }
    }
}

/// Lists what is missing in a sentence.
pub(super) fn list(missing: &[Missing]) -> String {
    let words: Vec<&str> = missing.iter().map(|missing| missing.words()).collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

impl Experiment {
    /// Returns what has to be said before the start and is not, in the order of the form.
    pub fn missing(&self) -> Vec<Missing> {
        let missing = [
            (self.hypothesis().trim().is_empty(), Missing::Hypothesis),
            (self.owner().trim().is_empty(), Missing::Owner),
            (self.planned_days().is_none(), Missing::PlannedDays),
        ];
        missing.into_iter().filter_map(|(is_missing, what)| is_missing.then_some(what)).collect()
    }
}
