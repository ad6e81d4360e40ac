//! The outbox and how far its readers have come.

use async_trait::async_trait;
use rusqlite::{Connection, Row, params, types::ValueRef};

use super::{
    super::{EventWrite, OutboxEvent, OutboxStore, Place, Result},
    SqliteStore,
    columns::{count, execute, int, json, parsed, row, rows, to_json},
};

#[async_trait]
impl OutboxStore for SqliteStore {
    async fn outbox_after(&self, position: u64, limit: usize) -> Result<Vec<OutboxEvent>> {
        self.readers.run(move |db| after(db, position, limit)).await
    }

    async fn outbox_through(
        &self,
        kinds: &[&str],
        position: u64,
        through: usize,
        limit: usize,
    ) -> Result<(Vec<OutboxEvent>, u64)> {
        let kinds = to_json(&kinds)?;
        self.readers.run(move |db| self::through(db, &kinds, position, through, limit)).await
    }

    async fn outbox_of(
        &self,
        kinds: &[&str],
        place: Place,
        limit: usize,
    ) -> Result<(Vec<OutboxEvent>, Place)> {
        let kinds = to_json(&kinds)?;
        self.readers.run(move |db| of(db, &kinds, place, limit)).await
    }

    async fn outbox_before(&self, newest: u64) -> Result<u64> {
        self.readers.run(move |db| before(db, newest)).await
    }

    async fn cursor(&self, reader: &str) -> Result<u64> {
        let reader = reader.to_owned();
        self.readers.run(move |db| cursor(db, &reader)).await
    }

    async fn set_cursor(&self, reader: &str, position: u64) -> Result<()> {
        let reader = reader.to_owned();
        self.writer.run(move |db| set_cursor(db, &reader, position)).await
    }

    async fn lease(&self, reader: &str, process: &str, now_ms: i64, until_ms: i64) -> Result<bool> {
        let (reader, process) = (reader.to_owned(), process.to_owned());
        self.writer.run(move |db| lease(db, &reader, &process, now_ms, until_ms)).await
    }

    async fn outbox_lag(&self, reader: &str, at_most: u64) -> Result<u64> {
        let reader = reader.to_owned();
        self.readers.run(move |db| lag(db, &reader, at_most)).await
    }
}

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

/// Names an event's columns in the order in which [`event`] reads them.
pub const COLUMNS: &str = "o.position, o.id, o.at_ms, o.type, o.cart, o.unit, o.data";

/// Returns events after a position in order.
pub fn after(db: &Connection, position: u64, limit: usize) -> Result<Vec<OutboxEvent>> {
    let sql = format!("SELECT {COLUMNS} FROM outbox AS o WHERE position > ?1 ORDER BY position LIMIT ?2");
    rows(db, &sql, params![int(position), int(limit)], |row| event(row, 0))
}

/// Looks through so many events after a position for those of some types, a JSON list, and says up to where.
pub fn through(
    db: &Connection,
    kinds: &str,
    position: u64,
    through: usize,
    limit: usize,
) -> Result<(Vec<OutboxEvent>, u64)> {
    // Positions have no gaps, but the first events may have been deleted. What is written meanwhile comes behind the end.
    let sql = "SELECT min(max(?1, (SELECT min(position) FROM outbox) - 1) + ?2, (SELECT max(position) FROM outbox))";
    let bounds = params![int(position), int(through)];
    let until = row(db, sql, bounds, |row| row.get::<_, Option<i64>>(0))?.flatten().unwrap_or(0);
    let sql = format!(
        "SELECT {COLUMNS} FROM outbox AS o
         WHERE position > ?1 AND position <= ?2 AND type IN (SELECT value FROM json_each(?3))
         ORDER BY position LIMIT ?4"
    );
    let events = rows(db, &sql, params![int(position), until, kinds, int(limit)], |row| event(row, 0))?;
    let last = events.last().filter(|_| events.len() == limit).map(|event| event.position);
    let looked = last.unwrap_or_else(|| position.max(until.unsigned_abs()));
    Ok((events, looked))
}

/// Returns the events of some types, a JSON list, that a place does not know. Here nothing appears before anything else.
pub fn of(db: &Connection, kinds: &str, place: Place, limit: usize) -> Result<(Vec<OutboxEvent>, Place)> {
    // The end first: what is written meanwhile comes behind it.
    let end = row(db, "SELECT coalesce(max(position), 0) FROM outbox", [], |row| count(row, 0))?.unwrap_or(0);
    let sql = format!(
        "SELECT {COLUMNS} FROM outbox AS o
         WHERE position > ?1 AND position <= ?2 AND type IN (SELECT value FROM json_each(?3))
         ORDER BY position LIMIT ?4"
    );
    let params = params![int(place.settled), int(end), kinds, int(limit)];
    let events = rows(db, &sql, params, |row| event(row, 0))?;
    let place = place.after(end, events.last().map(|event| event.position), events.len() < limit);
    Ok((events, place))
}

/// Returns the position that so many events follow.
pub fn before(db: &Connection, newest: u64) -> Result<u64> {
    let sql = "SELECT position FROM outbox ORDER BY position DESC LIMIT 1 OFFSET ?1";
    Ok(row(db, sql, [int(newest)], |row| count(row, 0))?.unwrap_or(0))
}

/// Reads an event from the columns from `first` on.
pub fn event(row: &Row<'_>, first: usize) -> rusqlite::Result<OutboxEvent> {
    let has_cart = row.get_ref(first + 4)? != ValueRef::Null;
    Ok(OutboxEvent {
        position: count(row, first)?,
        id: parsed(row, first + 1)?,
        at_ms: row.get(first + 2)?,
        kind: row.get(first + 3)?,
        cart: if has_cart { Some(parsed(row, first + 4)?) } else { None },
        unit: parsed(row, first + 5)?,
        data: json(row, first + 6)?,
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
