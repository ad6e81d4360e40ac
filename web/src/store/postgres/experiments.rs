//! Definitions with their history, and exposures.

use std::collections::BTreeSet;

use async_trait::async_trait;
use deadpool_postgres::Client;
use tokio_postgres::{Row, Statement};
use uuid::Uuid;

use super::{
    super::{
        EventWrite, ExperimentStore, Exposure, Reported, Result, StoreError, StoredDefinitions,
        StoredExperiment, StoredFeatures, TrackedEvent,
    },
    PostgresStore,
    carts::in_slices,
    cells::{bigint, cell, number},
    error,
    outbox::{place, tell},
    transaction::{Params, Transaction, bounded, execute, query},
};

#[async_trait]
impl ExperimentStore for PostgresStore {
    async fn definitions(&self, known: u64) -> Result<Option<StoredDefinitions>> {
        bounded(definitions(&self.client().await?, known)).await
    }

    async fn save_definition(&self, experiment: &StoredExperiment, expected: Option<u64>) -> Result<u64> {
        save(self.client().await?, experiment, expected).await
    }

    async fn put_features(&self, features: &StoredFeatures) -> Result<()> {
        put_features(self.client().await?, features).await
    }

    async fn history(&self, key: &str) -> Result<Vec<StoredExperiment>> {
        bounded(history(&self.client().await?, key)).await
    }

    async fn report(&self, exposures: &[Exposure], events: &[TrackedEvent]) -> Result<Reported> {
        if exposures.is_empty() && events.is_empty() {
            return Ok(Reported::default());
        }
        report(self.client().await?, exposures, events).await
    }

    async fn forget_tracked(&self, before_ms: i64) -> Result<u64> {
        const SQL: &str = "DELETE FROM tracked_ids WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM tracked_ids WHERE at_ms < $1 LIMIT $2))";
        in_slices(&self.client().await?, SQL, before_ms).await
    }
}

/// Logs exposures that are new, with their events, and returns their numbers.
pub const EXPOSE: &str = concat!(
    "WITH fresh AS (
        INSERT INTO exposures (experiment, unit, variation, at_ms)
        SELECT w.experiment, w.unit, w.variation, w.at_ms
        FROM unnest($1::text[], $2::text[], $3::int8[], $4::int8[]) AS w (experiment, unit, variation, at_ms)
        ORDER BY w.experiment, w.unit
        ON CONFLICT (experiment, unit) DO NOTHING
        RETURNING experiment, unit)
    INSERT INTO outbox (position, id, at_ms, kind, unit, data)
    SELECT ",
    place!(),
    " + w.n - 1, w.id, w.at_ms, 'exposure_logged', w.unit, w.data
    FROM unnest($1::text[], $2::text[], $4::int8[], $5::uuid[], $6::text[]) WITH ORDINALITY
        AS w (experiment, unit, at_ms, id, data, n)
    JOIN fresh ON fresh.experiment = w.experiment AND fresh.unit = w.unit
    RETURNING position - ",
    place!(),
    " AS n"
);

/// Moves the revision of all definitions on.
const BUMP: &str = "UPDATE revisions SET revision = revision + 1 WHERE name = 'definitions'";

/// Returns all definitions where their revision is another one.
pub async fn definitions(client: &Client, known: u64) -> Result<Option<StoredDefinitions>> {
    // One statement, so that all of it is of one revision.
    const SQL: &str =
        "SELECT r.revision AS common, e.key, e.revision, e.definition, e.saved_at_ms, e.saved_by, e.reason
        FROM revisions AS r LEFT JOIN (
            SELECT key, revision, definition, saved_at_ms, saved_by, reason FROM experiments
            UNION ALL SELECT NULL, NULL, payload, saved_at_ms, NULL, NULL FROM imported_features
        ) AS e ON true
        WHERE r.name = 'definitions' AND r.revision <> $1
        ORDER BY e.key";
    let rows = query(client, SQL, &[&bigint(known)]).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let mut stored = StoredDefinitions { revision: number(first, "common")?, ..StoredDefinitions::default() };
    for row in &rows {
        let (key, text) = (cell::<Option<String>>(row, "key")?, cell::<Option<String>>(row, "definition")?);
        match (key, text) {
            (Some(key), _) => stored.experiments.push(experiment(key, row)?),
            (None, Some(text)) => {
                stored.features = Some(StoredFeatures { text, saved_at_ms: cell(row, "saved_at_ms")? });
            }
            // Of nothing at all there is one row that has only the revision.
            (None, None) => {}
        }
    }
    Ok(Some(stored))
}

/// Writes the imported features over those before.
pub async fn put_features(client: Client, features: &StoredFeatures) -> Result<()> {
    const PUT: &str = "INSERT INTO imported_features (id, payload, saved_at_ms) VALUES (1, $1, $2)
        ON CONFLICT (id) DO UPDATE SET payload = excluded.payload, saved_at_ms = excluded.saved_at_ms";
    let transaction = Transaction::begin(client).await?;
    let put = async {
        // The counter's row first, as where a definition is saved: each waits for the other and never in a circle.
        execute(&transaction, BUMP, &[]).await?;
        execute(&transaction, PUT, &[&features.text, &features.saved_at_ms]).await
    };
    bounded(put).await?;
    transaction.commit().await
}

fn experiment(key: String, row: &Row) -> Result<StoredExperiment> {
    Ok(StoredExperiment {
        key,
        revision: number(row, "revision")?,
        definition: cell(row, "definition")?,
        saved_at_ms: cell(row, "saved_at_ms")?,
        saved_by: cell(row, "saved_by")?,
        reason: cell(row, "reason")?,
    })
}

/// Returns every revision of a key, the oldest first.
pub async fn history(client: &Client, key: &str) -> Result<Vec<StoredExperiment>> {
    const SQL: &str = "SELECT revision, definition, saved_at_ms, saved_by, reason FROM experiment_history
        WHERE key = $1
        UNION ALL SELECT revision, definition, saved_at_ms, saved_by, reason FROM experiments WHERE key = $1
        ORDER BY revision";
    query(client, SQL, &[&key]).await?.iter().map(|row| experiment(key.to_owned(), row)).collect()
}

/// Saves a definition as the next revision of its key.
pub async fn save(client: Client, experiment: &StoredExperiment, expected: Option<u64>) -> Result<u64> {
    let transaction = Transaction::begin(client).await?;
    let revision = bounded(save_next(&transaction, experiment, expected)).await?;
    transaction.commit().await?;
    Ok(revision)
}

async fn save_next(
    transaction: &Transaction,
    experiment: &StoredExperiment,
    expected: Option<u64>,
) -> Result<u64> {
    const ARCHIVE: &str =
        "INSERT INTO experiment_history (key, revision, definition, saved_at_ms, saved_by, reason)
        SELECT key, revision, definition, saved_at_ms, saved_by, reason FROM experiments WHERE key = $1";
    const SAVE: &str = "INSERT INTO experiments (key, revision, definition, saved_at_ms, saved_by, reason)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, definition = excluded.definition,
            saved_at_ms = excluded.saved_at_ms, saved_by = excluded.saved_by,
            reason = excluded.reason";
    // The counter's row is locked from here on, so definitions are saved one after the other.
    execute(transaction, BUMP, &[]).await?;
    let rows =
        query(transaction, "SELECT revision FROM experiments WHERE key = $1", &[&experiment.key]).await?;
    let found: Option<u64> = rows.first().map(|row| number(row, "revision")).transpose()?;
    if found != expected {
        return Err(StoreError::Conflict(match found {
            Some(found) => format!("experiment {} is at revision {found}", experiment.key),
            None => format!("experiment {} does not exist", experiment.key),
        }));
    }
    let next = found.unwrap_or(0) + 1;
    execute(transaction, ARCHIVE, &[&experiment.key]).await?;
    let StoredExperiment { key, definition, saved_at_ms, saved_by, reason, .. } = experiment;
    let params: &Params<'_> = &[key, &bigint(next), definition, saved_at_ms, saved_by, reason];
    execute(transaction, SAVE, params).await?;
    Ok(next)
}

/// Logs exposures and tracked events outside a turn.
pub async fn report(client: Client, exposures: &[Exposure], events: &[TrackedEvent]) -> Result<Reported> {
    let statement = client.prepare_cached(EXPOSE).await.map_err(|e| error::of_query(&e))?;
    let transaction = Transaction::begin(client).await?;
    let logged = async {
        let exposed = log(&transaction, &statement, exposures).await?;
        let new = new_events(&transaction, events).await?;
        tell(&transaction, &new).await?;
        Ok(Reported { exposed, tracked: new.len() as u64 })
    };
    let reported = bounded(logged).await?;
    if reported != Reported::default() {
        transaction.commit().await?;
    }
    Ok(reported)
}

/// Logs exposures with their events and returns the new ones in order.
pub async fn log(
    transaction: &Transaction,
    statement: &Statement,
    exposures: &[Exposure],
) -> Result<Vec<Exposure>> {
    if exposures.is_empty() {
        return Ok(vec![]);
    }
    let mut seen = BTreeSet::new();
    let exposures: Vec<&Exposure> =
        exposures.iter().filter(|e| seen.insert((&e.experiment, &e.unit))).collect();
    let keys: Vec<&str> = exposures.iter().map(|e| e.experiment.as_str()).collect();
    let units: Vec<&str> = exposures.iter().map(|e| e.unit.as_str()).collect();
    let variations: Vec<i64> = exposures.iter().map(|e| i64::from(e.variation)).collect();
    let times: Vec<i64> = exposures.iter().map(|e| e.at_ms).collect();
    let ids: Vec<Uuid> = exposures.iter().map(|_| Uuid::new_v4()).collect();
    let data: Vec<String> = exposures.iter().map(|e| e.data()).collect();
    let params: &Params<'_> = &[&keys, &units, &variations, &times, &ids, &data];
    let rows = transaction.query(statement, params).await.map_err(|e| error::of_query(&e))?;
    let mut new = rows.iter().map(|row| number(row, "n")).collect::<Result<Vec<usize>>>()?;
    new.sort_unstable();
    Ok(new.into_iter().filter_map(|n| exposures.get(n)).map(|e| (*e).clone()).collect())
}

/// Notes the ids of events and returns what the outbox is to hold of those that are new.
async fn new_events(transaction: &Transaction, events: &[TrackedEvent]) -> Result<Vec<EventWrite>> {
    if events.is_empty() {
        return Ok(vec![]);
    }
    // In order, so that two who log the same ids at once wait for each other and never in a circle.
    const SQL: &str = "INSERT INTO tracked_ids (id, at_ms)
        SELECT w.id, w.at_ms FROM unnest($1::uuid[], $2::int8[]) AS w (id, at_ms) ORDER BY w.id
        ON CONFLICT (id) DO NOTHING RETURNING id";
    let (ids, times): (Vec<Uuid>, Vec<i64>) =
        events.iter().filter_map(|event| Some((event.id?, event.at_ms))).unzip();
    let statement = transaction.prepare_cached(SQL).await.map_err(|e| error::of_query(&e))?;
    let rows = transaction.query(&statement, &[&ids, &times]).await.map_err(|e| error::of_query(&e))?;
    let mut new = rows.iter().map(|row| cell(row, "id")).collect::<Result<BTreeSet<Uuid>>>()?;
    let fresh = events.iter().filter(|event| event.id.is_none_or(|id| new.remove(&id)));
    Ok(fresh.map(TrackedEvent::to_write).collect())
}
