//! What is derived from the events about shelves.

use std::collections::BTreeSet;

use async_trait::async_trait;
use cart_core::VisitorId;
use rusqlite::{Connection, params};

use super::{
    super::{
        Result, ShelfClick, ShelfCount, ShelfCountStore, ShelfCounts, ShelfDuel, ShelfStep, StoreError,
        readers,
    },
    SqliteStore,
    columns::{count, execute, int, parsed, rows},
    outbox,
};

#[async_trait]
impl ShelfCountStore for SqliteStore {
    async fn shelf_clicks(&self, units: &BTreeSet<VisitorId>) -> Result<Vec<ShelfClick>> {
        let units = units.clone();
        self.readers.run(move |db| clicks(db, &units)).await
    }

    async fn shelf_duels(&self, showings: &BTreeSet<String>) -> Result<Vec<ShelfDuel>> {
        let showings = showings.clone();
        self.readers.run(move |db| duels(db, &showings)).await
    }

    async fn shelf_counts(&self, from_day: i64, to_day: i64) -> Result<ShelfCounts> {
        self.readers.run(move |db| counts(db, from_day, to_day)).await
    }

    async fn save_shelf_step(&self, step: &ShelfStep) -> Result<()> {
        let step = step.clone();
        self.writer.run(move |db| save(db, &step)).await
    }

    async fn reset_shelf_counts(&self) -> Result<()> {
        self.writer.run(reset).await
    }
}

/// Reads the last clicks of units.
pub fn clicks(db: &Connection, units: &BTreeSet<VisitorId>) -> Result<Vec<ShelfClick>> {
    let sql =
        "SELECT unit, sku, shelf, algorithm, at_ms, is_added, is_ordered FROM shelf_clicks WHERE unit = ?1";
    let mut all = vec![];
    for unit in units {
        all.extend(rows(db, sql, [unit.as_str()], |row| {
            Ok(ShelfClick {
                unit: parsed(row, 0)?,
                sku: row.get(1)?,
                shelf: row.get(2)?,
                algorithm: row.get(3)?,
                at_ms: row.get(4)?,
                is_added: row.get(5)?,
                is_ordered: row.get(6)?,
            })
        })?);
    }
    Ok(all)
}

/// Reads the clicks of showings.
pub fn duels(db: &Connection, showings: &BTreeSet<String>) -> Result<Vec<ShelfDuel>> {
    let sql = "SELECT showing, clicks, clicks_against, at_ms FROM shelf_duels WHERE showing = ?1";
    let mut all = vec![];
    for showing in showings {
        all.extend(rows(db, sql, [showing], |row| {
            Ok(ShelfDuel {
                showing: row.get(0)?,
                clicks: count(row, 1)?,
                clicks_against: count(row, 2)?,
                at_ms: row.get(3)?,
            })
        })?);
    }
    Ok(all)
}

/// Sums the counts of days.
pub fn counts(db: &Connection, from_day: i64, to_day: i64) -> Result<ShelfCounts> {
    let sql = "SELECT shelf, algorithm, what, of, sum(count) FROM shelf_counts WHERE day BETWEEN ?1 AND ?2
               GROUP BY shelf, algorithm, what, of";
    let counts = rows(db, sql, [from_day, to_day], |row| {
        let of =
            ShelfCount { shelf: row.get(0)?, algorithm: row.get(1)?, what: row.get(2)?, of: row.get(3)? };
        Ok((of, row.get(4)?))
    })?;
    Ok(counts.into_iter().collect())
}

/// Writes a step where the cursor stands before it.
pub fn save(db: &Connection, step: &ShelfStep) -> Result<()> {
    let at = outbox::cursor(db, readers::SHELVES)?;
    if at != step.from {
        return Err(StoreError::Conflict(format!("the shelves' counts are at {at}, not at {}", step.from)));
    }
    for unit in &step.gone {
        execute(db, "DELETE FROM shelf_clicks WHERE unit = ?1", [unit.as_str()])?;
    }
    for click in &step.clicks {
        let ShelfClick { unit, sku, shelf, algorithm, at_ms, is_added, is_ordered } = click;
        execute(
            db,
            "INSERT OR REPLACE INTO shelf_clicks (unit, sku, shelf, algorithm, at_ms, is_added, is_ordered)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![unit.as_str(), sku, shelf, algorithm, at_ms, is_added, is_ordered],
        )?;
    }
    for ShelfDuel { showing, clicks, clicks_against, at_ms } in &step.duels {
        execute(
            db,
            "INSERT OR REPLACE INTO shelf_duels (showing, clicks, clicks_against, at_ms) VALUES (?1, ?2, ?3, ?4)",
            params![showing, int(*clicks), int(*clicks_against), at_ms],
        )?;
    }
    for ((day, ShelfCount { shelf, algorithm, what, of }), more) in &step.counts {
        execute(
            db,
            "INSERT INTO shelf_counts (day, shelf, algorithm, what, of, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (day, shelf, algorithm, what, of) DO UPDATE SET count = count + ?6",
            params![day, shelf, algorithm, what, of, more],
        )?;
    }
    for forget in ["DELETE FROM shelf_clicks WHERE at_ms < ?1", "DELETE FROM shelf_duels WHERE at_ms < ?1"] {
        execute(db, forget, [step.forget_before_ms])?;
    }
    outbox::set_cursor(db, readers::SHELVES, step.to)
}

/// Empties the counts and sets their cursor to 0.
pub fn reset(db: &Connection) -> Result<()> {
    db.execute_batch("DELETE FROM shelf_clicks; DELETE FROM shelf_duels; DELETE FROM shelf_counts;")?;
    outbox::set_cursor(db, readers::SHELVES, 0)
}
