//! The revisions of experiments: what was saved, by whom and why, and how the next one is.

use dashboards::Revision;
use experiments::{Experiment, Status};

use crate::{
    clock,
    problem::Problem,
    shop::Shop,
    store::{Store, StoreError, StoredExperiment},
};

/// Returns the revisions of an experiment, the oldest first.
///
/// # Errors
/// What the store says.
pub async fn of(shop: &Shop, key: &str) -> Result<Vec<Revision>, Problem> {
    from(&*shop.store, key).await
}

/// As [`of`], where no shop is open.
///
/// # Errors
/// As [`of`].
pub async fn from(store: &dyn Store, key: &str) -> Result<Vec<Revision>, Problem> {
    let revision = |row: StoredExperiment| Revision {
        number: row.revision,
        at_ms: row.saved_at_ms,
        by: row.saved_by,
        reason: row.reason,
        // One that another version of the server saved may be beyond us; the others are told.
        definition: Experiment::parse(&row.definition).ok(),
    };
    Ok(store.history(key).await?.into_iter().map(revision).collect())
}

/// Returns when an experiment first was in a status.
pub fn first(history: &[Revision], is: impl Fn(Status) -> bool) -> Option<i64> {
    let was = |revision: &&Revision| revision.definition.as_ref().is_some_and(|e| is(e.status()));
    history.iter().find(was).map(|revision| revision.at_ms)
}

/// Returns when the next step of an experiment's ramp is due, in Unix milliseconds.
pub fn step_due_at_ms(experiment: &Experiment, history: &[Revision]) -> Option<i64> {
    let started_at_ms = first(history, |status| status == Status::Running)?;
    let mut since_ms = started_at_ms;
    let definitions =
        history.iter().filter_map(|revision| Some((revision.at_ms, revision.definition.as_ref()?)));
    let mut before: Option<(Status, u32)> = None;
    for (at_ms, definition) in definitions {
        let now = (definition.status(), definition.coverage_bp());
        if before != Some(now) {
            since_ms = at_ms;
        }
        before = Some(now);
    }
    experiment.due_at_ms(started_at_ms, since_ms)
}

/// Says who saves a revision, and why.
#[derive(Debug, Clone, Copy)]
pub struct Saved<'a> {
    /// Who.
    pub by: &'a str,
    /// Why; may be empty.
    pub reason: &'a str,
}

/// Saves the next revision of an experiment, and takes it up at once.
///
/// # Errors
/// [`StoreError::Conflict`] where the revision is not the expected one, and what else the store says.
pub async fn write(
    shop: &Shop,
    experiment: &Experiment,
    expected: Option<u64>,
    saved: Saved<'_>,
) -> Result<(), StoreError> {
    let row = StoredExperiment {
        key: experiment.key().to_owned(),
        revision: expected.unwrap_or(0) + 1,
        definition: experiment.to_value().to_string(),
        saved_at_ms: clock::now_ms(),
        saved_by: saved.by.to_owned(),
        reason: saved.reason.to_owned(),
    };
    shop.store.save_definition(&row, expected).await?;
    shop.definitions.refresh(&*shop.store).await
}
