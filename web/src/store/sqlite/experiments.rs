//! Definitions, their history, and who met which variation.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{
    super::{
        EventWrite, ExperimentStore, Exposure, Reported, Result, StoreError, StoredDefinitions,
        StoredExperiment, StoredFeatures, TrackedEvent,
    },
    SqliteStore,
    carts::{SLICE, in_slices},
    columns::{count, execute, int, row, rows},
    outbox, schema,
};

#[async_trait]
impl ExperimentStore for SqliteStore {
    async fn definitions(&self, known: u64) -> Result<Option<StoredDefinitions>> {
        self.readers.run(move |db| definitions(db, known)).await
    }

    async fn save_definition(&self, experiment: &StoredExperiment, expected: Option<u64>) -> Result<u64> {
        let experiment = experiment.clone();
        self.writer.run(move |db| save(db, &experiment, expected)).await
    }

    async fn put_features(&self, features: &StoredFeatures) -> Result<()> {
        let features = features.clone();
        self.writer.run(move |db| put_features(db, &features)).await
    }

    async fn history(&self, key: &str) -> Result<Vec<StoredExperiment>> {
        let key = key.to_owned();
        self.readers.run(move |db| history(db, &key)).await
    }

    async fn report(&self, exposures: &[Exposure], events: &[TrackedEvent]) -> Result<Reported> {
        if exposures.is_empty() && events.is_empty() {
            return Ok(Reported::default());
        }
        let (exposures, events) = (exposures.to_vec(), events.to_vec());
        let report = move |db: &Connection| {
            Ok(Reported { exposed: expose(db, exposures)?, tracked: track(db, &events)? })
        };
        self.writer.run(report).await
    }

    async fn forget_tracked(&self, before_ms: i64) -> Result<u64> {
        in_slices(&self.writer, forget_tracked, before_ms).await
    }
}

/// The columns of a revision, in the order in which [`experiment`] reads them.
macro_rules! columns {
    () => {
        "key, revision, definition, saved_at_ms, saved_by, reason"
    };
}

/// Reads all definitions where their revision is another.
pub fn definitions(db: &Connection, known: u64) -> Result<Option<StoredDefinitions>> {
    let revision = schema::revision(db, "definitions")?;
    if revision == known {
        return Ok(None);
    }
    let sql = concat!("SELECT ", columns!(), " FROM experiments ORDER BY key");
    let experiments = rows(db, sql, [], experiment)?;
    let imported = row(db, "SELECT payload, saved_at_ms FROM imported_features", [], |row| {
        Ok(StoredFeatures { text: row.get(0)?, saved_at_ms: row.get(1)? })
    })?;
    Ok(Some(StoredDefinitions { revision, experiments, features: imported }))
}

/// Writes the imported features over those before.
pub fn put_features(db: &Connection, features: &StoredFeatures) -> Result<()> {
    execute(
        db,
        "INSERT INTO imported_features (id, payload, saved_at_ms) VALUES (1, ?1, ?2)
         ON CONFLICT (id) DO UPDATE SET payload = ?1, saved_at_ms = ?2",
        params![features.text, features.saved_at_ms],
    )?;
    schema::bump(db, "definitions")
}

/// Reads every revision of a key, the oldest first.
pub fn history(db: &Connection, key: &str) -> Result<Vec<StoredExperiment>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM experiment_history WHERE key = ?1 UNION ALL SELECT ",
        columns!(),
        " FROM experiments WHERE key = ?1 ORDER BY revision"
    );
    rows(db, sql, [key], experiment)
}

fn experiment(row: &rusqlite::Row<'_>) -> rusqlite::Result<StoredExperiment> {
    Ok(StoredExperiment {
        key: row.get(0)?,
        revision: count(row, 1)?,
        definition: row.get(2)?,
        saved_at_ms: row.get(3)?,
        saved_by: row.get(4)?,
        reason: row.get(5)?,
    })
}

/// Saves a definition as the next revision of its key.
pub fn save(db: &Connection, experiment: &StoredExperiment, expected: Option<u64>) -> Result<u64> {
    const ARCHIVE: &str = concat!(
        "INSERT INTO experiment_history (",
        columns!(),
        ") SELECT ",
        columns!(),
        " FROM experiments WHERE key = ?1"
    );
    const SAVE: &str = concat!(
        "INSERT INTO experiments (",
        columns!(),
        ") VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (key) DO UPDATE SET revision = ?2, definition = ?3, saved_at_ms = ?4, saved_by = ?5, reason = ?6"
    );
    let StoredExperiment { key, definition, saved_at_ms, saved_by, reason, .. } = experiment;
    let current = row(db, "SELECT revision FROM experiments WHERE key = ?1", [key], |row| count(row, 0))?;
    if current != expected {
        let at = |revision: Option<u64>| revision.map_or("new".into(), |r| format!("at revision {r}"));
        return Err(StoreError::Conflict(format!(
            "experiment {key} is {}, not {}",
            at(current),
            at(expected)
        )));
    }
    let next = current.unwrap_or(0) + 1;
    execute(db, ARCHIVE, [key])?;
    execute(db, SAVE, params![key, int(next), definition, saved_at_ms, saved_by, reason])?;
    schema::bump(db, "definitions")?;
    Ok(next)
}

/// Logs exposures that are new, with their events, and returns them.
pub fn expose(db: &Connection, exposures: Vec<Exposure>) -> Result<Vec<Exposure>> {
    let mut new = vec![];
    for exposure in exposures {
        let Exposure { experiment, variation, unit, at_ms, .. } = &exposure;
        let inserted = execute(
            db,
            "INSERT INTO exposures (experiment, unit, variation, at_ms) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            params![experiment, unit.as_str(), variation, at_ms],
        )?;
        if inserted == 1 {
            outbox::append(
                db,
                &EventWrite {
                    id: Uuid::new_v4(),
                    at_ms: *at_ms,
                    kind: "exposure_logged",
                    cart: None,
                    unit: unit.clone(),
                    data: exposure.data(),
                },
            )?;
            new.push(exposure);
        }
    }
    Ok(new)
}

/// Logs tracked events whose ids are new and counts them.
pub fn track(db: &Connection, events: &[TrackedEvent]) -> Result<u64> {
    let mut new = 0;
    for event in events {
        let is_new = match event.id {
            None => true,
            Some(id) => {
                let sql = "INSERT INTO tracked_ids (id, at_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
                execute(db, sql, params![id.to_string(), event.at_ms])? == 1
            }
        };
        if is_new {
            outbox::append(db, &event.to_write())?;
            new += 1;
        }
    }
    Ok(new)
}

/// Forgets some ids of old tracked events.
pub fn forget_tracked(db: &Connection, before_ms: i64) -> Result<u64> {
    let sql = "DELETE FROM tracked_ids WHERE id IN (SELECT id FROM tracked_ids WHERE at_ms < ?1 LIMIT ?2)";
    Ok(execute(db, sql, params![before_ms, int(SLICE)])? as u64)
}
