//! What units say of their histories.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use cart_core::VisitorId;
use rusqlite::{Connection, params};

use super::{
    super::{Because, History, HistoryStore, HistoryWish, Result},
    SqliteStore,
    columns::{execute, row},
    outbox,
};

#[async_trait]
impl HistoryStore for SqliteStore {
    async fn histories(&self, units: &BTreeSet<VisitorId>) -> Result<BTreeMap<VisitorId, History>> {
        let units = units.clone();
        self.readers
            .run(move |db| {
                let found = |unit| Ok(history(db, &unit)?.map(|history| (unit, history)));
                units.into_iter().filter_map(|unit| found(unit).transpose()).collect()
            })
            .await
    }

    async fn say_of_history(&self, unit: &VisitorId, wish: HistoryWish, at_ms: i64) -> Result<bool> {
        let unit = unit.clone();
        self.writer.run(move |db| say(db, &unit, wish, at_ms)).await
    }
}

fn history(db: &Connection, unit: &VisitorId) -> Result<Option<History>> {
    let sql = "SELECT declined, deleted_through_ms FROM histories WHERE unit = ?1";
    row(db, sql, [unit.as_str()], |row| {
        let declined: Option<String> = row.get(0)?;
        Ok(History {
            declined: declined.as_deref().and_then(Because::of_name),
            deleted_through_ms: row.get(1)?,
        })
    })
}

fn say(db: &Connection, unit: &VisitorId, wish: HistoryWish, at_ms: i64) -> Result<bool> {
    let Some(next) = history(db, unit)?.unwrap_or_default().after(wish, at_ms) else { return Ok(false) };
    execute(
        db,
        "INSERT INTO histories (unit, declined, deleted_through_ms) VALUES (?1, ?2, ?3)
         ON CONFLICT (unit) DO UPDATE SET declined = ?2, deleted_through_ms = ?3",
        params![unit.as_str(), next.declined.map(Because::as_str), next.deleted_through_ms],
    )?;
    outbox::append(db, &wish.event(unit, at_ms).to_write())?;
    Ok(true)
}
