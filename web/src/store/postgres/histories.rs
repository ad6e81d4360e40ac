//! What units say of their histories.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use cart_core::VisitorId;
use tokio_postgres::Row;

use super::{
    super::{Because, History, HistoryStore, HistoryWish, Result},
    PostgresStore,
    cells::{cell, parsed},
    outbox::tell,
    transaction::{Transaction, bounded, execute, query},
};

#[async_trait]
impl HistoryStore for PostgresStore {
    async fn histories(&self, units: &BTreeSet<VisitorId>) -> Result<BTreeMap<VisitorId, History>> {
        const SQL: &str =
            "SELECT unit, declined, deleted_through_ms FROM histories WHERE unit = ANY ($1::text[])";
        let units: Vec<&str> = units.iter().map(|unit| unit.as_str()).collect();
        let rows = bounded(query(&self.client().await?, SQL, &[&units])).await?;
        rows.iter().map(|row| Ok((parsed(row, "unit")?, history(row)?))).collect()
    }

    async fn say_of_history(&self, unit: &VisitorId, wish: HistoryWish, at_ms: i64) -> Result<bool> {
        let transaction = Transaction::begin(self.client().await?).await?;
        let is_new = bounded(say(&transaction, unit, wish, at_ms)).await?;
        if is_new {
            transaction.commit().await?;
        }
        Ok(is_new)
    }
}

fn history(row: &Row) -> Result<History> {
    let declined: Option<&str> = cell(row, "declined")?;
    Ok(History {
        declined: declined.and_then(Because::of_name),
        deleted_through_ms: cell(row, "deleted_through_ms")?,
    })
}

async fn say(transaction: &Transaction, unit: &VisitorId, wish: HistoryWish, at_ms: i64) -> Result<bool> {
    // The row is there before it is read, so that two who speak for a unit at once do it one after the other.
    const MAKE: &str =
        "INSERT INTO histories (unit, deleted_through_ms) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    const READ: &str = "SELECT declined, deleted_through_ms FROM histories WHERE unit = $1 FOR UPDATE";
    const WRITE: &str = "UPDATE histories SET declined = $2, deleted_through_ms = $3 WHERE unit = $1";
    let name = unit.as_str();
    execute(transaction, MAKE, &[&name, &History::default().deleted_through_ms]).await?;
    let rows = query(transaction, READ, &[&name]).await?;
    let before = rows.first().map(history).transpose()?.unwrap_or_default();
    let Some(next) = before.after(wish, at_ms) else { return Ok(false) };
    let declined = next.declined.map(Because::as_str);
    execute(transaction, WRITE, &[&name, &declined, &next.deleted_through_ms]).await?;
    tell(transaction, &[wish.event(unit, at_ms).to_write()]).await?;
    Ok(true)
}
