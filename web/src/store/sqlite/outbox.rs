//! The outbox and how far its readers have come.

use rusqlite::{Connection, params};

use super::{
    super::{EventWrite, OutboxEvent, Result},
    columns::{count, execute, int, json, parsed, row, rows},
};

/// Appends an event.
pub fn append(db: &Connection, event: &EventWrite) -> Result<()> {
    let EventWrite { id, at_ms, kind, cart, unit, data } = event;
    execute(
        db,
        "INSERT INTO outbox (id, at_ms, type, cart, unit, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![id.to_string(), at_ms, kind, cart.as_ref().map(|c| c.as_str()), unit.as_str(), data],
    )?;
    Ok(())
}

/// Returns events after a position in order.
pub fn after(db: &Connection, position: u64, limit: usize) -> Result<Vec<OutboxEvent>> {
    let sql = "SELECT position, id, at_ms, type, cart, unit, data FROM outbox
               WHERE position > ?1 ORDER BY position LIMIT ?2";
    rows(db, sql, params![int(position), int(limit)], |row| {
        let has_cart = row.get_ref(4)? != rusqlite::types::ValueRef::Null;
        Ok(OutboxEvent {
            position: count(row, 0)?,
            id: parsed(row, 1)?,
            at_ms: row.get(2)?,
            kind: row.get(3)?,
            cart: if has_cart { Some(parsed(row, 4)?) } else { None },
            unit: parsed(row, 5)?,
            data: json(row, 6)?,
        })
    })
}

/// Returns how far a reader has come.
pub fn cursor(db: &Connection, reader: &str) -> Result<u64> {
    let sql = "SELECT position FROM cursors WHERE reader = ?1";
    Ok(row(db, sql, [reader], |row| count(row, 0))?.unwrap_or(0))
}

/// Notes how far a reader has come.
pub fn set_cursor(db: &Connection, reader: &str, position: u64) -> Result<()> {
    let sql = "INSERT INTO cursors (reader, position) VALUES (?1, ?2) ON CONFLICT (reader) DO UPDATE SET position = ?2";
    execute(db, sql, params![reader, int(position)])?;
    Ok(())
}

/// Takes or renews a reader's lease; answers whether the process holds it.
pub fn lease(db: &Connection, reader: &str, process: &str, now_ms: i64, until_ms: i64) -> Result<bool> {
    let taken = execute(
        db,
        "INSERT INTO leases (reader, process, until_ms) VALUES (?1, ?2, ?4)
         ON CONFLICT (reader) DO UPDATE SET process = ?2, until_ms = ?4 WHERE process = ?2 OR until_ms <= ?3",
        params![reader, process, now_ms, until_ms],
    )?;
    Ok(taken == 1)
}

/// Counts the events that a reader has yet to read, up to some number.
pub fn lag(db: &Connection, reader: &str, at_most: u64) -> Result<u64> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM outbox WHERE position > ?1 LIMIT ?2)";
    let lag = row(db, sql, params![int(cursor(db, reader)?), int(at_most)], |row| count(row, 0))?;
    Ok(lag.unwrap_or(0))
}
