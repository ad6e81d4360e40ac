//! Metrics that are added after the start.

use serde::Serialize;

use super::ExperimentPage;
use crate::edit::MetricChoice;
use crate::moment::Moment;

/// Is a late metric of which there are no numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Uncounted {
    /// Its name.
    pub name: String,
    /// When it was added, Unix milliseconds UTC.
    pub added_at_ms: i64,
    /// Whether the events are gone that it would have to be counted from; else it is being counted.
    pub is_short: bool,
}

#[derive(Serialize)]
pub(super) struct View<'a> {
    /// What there is to say of those without numbers.
    notes: Vec<String>,
    /// What may be added.
    choices: Vec<&'a MetricChoice>,
}

pub(super) fn view<'a>(page: &'a ExperimentPage<'_>) -> View<'a> {
    let is_late = |choice: &&MetricChoice| {
        let is_named = page.experiment.metric_keys().any(|key| key == choice.key);
        !is_named && page.analysis.place_of(&choice.key).is_none()
    };
    View {
        notes: page.uncounted.iter().map(note).collect(),
        choices: page.metrics.iter().filter(is_late).collect(),
    }
}

fn note(late: &Uncounted) -> String {
    let (name, day) = (&late.name, Moment::of(late.added_at_ms).date);
    if late.is_short {
        format!(
            "{name} was added on {day}, after the start, and cannot be told: the events of the first visitors are no longer in the outbox."
        )
    } else {
        format!(
            "{name} was added on {day}, after the start, and is being counted for all visitors from the first one on. The other numbers stay as they are."
        )
    }
}

/// How a metric is marked that was added on a day.
pub(super) fn mark(added_at_ms: i64) -> String {
    format!("added on {}, after the start: a hint, no proof", Moment::of(added_at_ms).date)
}
