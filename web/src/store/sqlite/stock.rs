//! The stock of each location.

use async_trait::async_trait;
use cart_core::{Sku, Slot, StockLevel, StockLevels};
use rusqlite::{Connection, params};

use super::{
    super::{NotedChange, Result, StockChange, StockOutcome, StockStore, stock::Prepared},
    SqliteStore, catalogue,
    columns::{execute, int, json, parsed, row, rows, to_json},
    outbox,
};

#[async_trait]
impl StockStore for SqliteStore {
    async fn change_stock(&self, changes: &[StockChange]) -> Result<Vec<StockOutcome>> {
        let changes = changes.to_vec();
        self.writer.run(move |db| changes.iter().map(|change| make(db, change)).collect()).await
    }

    async fn stock_changes(&self, sku: &Sku, limit: usize) -> Result<Vec<NotedChange>> {
        let (sku, limit) = (sku.clone(), int(limit as u64));
        let sql = "SELECT doc FROM stock_changes WHERE sku = ?1 ORDER BY id DESC LIMIT ?2";
        self.readers.run(move |db| rows(db, sql, params![sku.as_str(), limit], |row| json(row, 0))).await
    }

    async fn stock_change(&self, key: &str) -> Result<Option<NotedChange>> {
        let key = key.to_owned();
        self.readers.run(move |db| of_key(db, &key)).await
    }

    async fn low_stock(&self, at_most: i64, after: Option<&Sku>, limit: usize) -> Result<Vec<Sku>> {
        let after = after.map_or_else(String::new, Sku::to_string);
        let sql = "SELECT DISTINCT sku FROM stock WHERE available - safety <= ?1 AND sku > ?2 ORDER BY sku LIMIT ?3";
        self.readers
            .run(move |db| rows(db, sql, params![at_most, after, int(limit)], |row| parsed(row, 0)))
            .await
    }
}

fn make(db: &Connection, change: &StockChange) -> Result<StockOutcome> {
    let (sku, key) = (&change.sku, change.key.as_deref());
    let owed_max = catalogue::product(db, sku)?.map(|product| product.owed_max_ever());
    let noted = key.map(|key| of_key(db, key)).transpose()?.flatten();
    let Prepared { outcome, rows, note, event } =
        Prepared::of(change, &of(db, sku)?, owed_max, noted.as_ref());
    for (slot, level) in rows {
        write(db, &slot, level)?;
    }
    if let Some(note) = note {
        let sql = "INSERT INTO stock_changes (sku, doc, key) VALUES (?1, ?2, ?3)";
        execute(db, sql, params![sku.as_str(), to_json(&note)?, key])?;
    }
    event.iter().try_for_each(|event| outbox::append(db, event))?;
    Ok(outcome)
}

fn of_key(db: &Connection, key: &str) -> Result<Option<NotedChange>> {
    row(db, "SELECT doc FROM stock_changes WHERE key = ?1", [key], |row| json(row, 0))
}

/// Reads the stock of a product in all locations.
pub fn of(db: &Connection, sku: &Sku) -> Result<StockLevels> {
    let sql = "SELECT location, supplied, available, held, sold, safety, owed_max FROM stock WHERE sku = ?1";
    let levels = rows(db, sql, [sku.as_str()], |row| {
        let level = StockLevel {
            supplied: row.get(1)?,
            available: row.get(2)?,
            held: row.get(3)?,
            sold: row.get(4)?,
            safety: row.get(5)?,
            owed_max: row.get(6)?,
        };
        Ok((Slot { sku: sku.clone(), location: parsed(row, 0)? }, level))
    })?;
    Ok(levels.into_iter().collect())
}

/// Writes a row of the stock, but for what is held and sold of it.
pub fn write(db: &Connection, slot: &Slot, level: StockLevel) -> Result<()> {
    execute(
        db,
        "INSERT INTO stock (sku, location, supplied, available, held, sold, safety, owed_max)
         VALUES (?1, ?8, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (sku, location) DO UPDATE SET supplied = ?2, available = ?3, safety = ?6, owed_max = ?7",
        params![
            slot.sku.as_str(),
            level.supplied,
            level.available,
            level.held,
            level.sold,
            level.safety,
            level.owed_max,
            slot.location.as_str()
        ],
    )?;
    Ok(())
}
