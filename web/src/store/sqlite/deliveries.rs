//! What is on its way to sinks outside the shop.

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};

use super::{
    super::{
        Delivery, DeliveryCounts, DeliveryQuery, DeliveryState, DeliveryStep, DeliveryStore, Forgetting,
        OutboxEvent, Result, StoreError,
    },
    SqliteStore,
    columns::{count, execute, int, json, parsed, row, rows, to_json},
    outbox,
};

#[async_trait]
impl DeliveryStore for SqliteStore {
    async fn begin_cursor(&self, reader: &str) -> Result<()> {
        let reader = reader.to_owned();
        self.writer.run(move |db| begin(db, &reader)).await
    }

    async fn save_deliveries(&self, step: &DeliveryStep) -> Result<()> {
        let step = step.clone();
        self.writer.run(move |db| save(db, &step)).await
    }

    async fn due_deliveries(
        &self,
        sink: &str,
        now_ms: i64,
        limit: usize,
    ) -> Result<Vec<(Delivery, OutboxEvent)>> {
        let sink = sink.to_owned();
        self.readers.run(move |db| due(db, &sink, now_ms, limit)).await
    }

    async fn deliveries(&self, sink: &str, wanted: &DeliveryQuery) -> Result<Vec<Delivery>> {
        let (sink, wanted) = (sink.to_owned(), wanted.clone());
        self.readers.run(move |db| list(db, &sink, &wanted)).await
    }

    async fn count_deliveries(&self, sink: &str) -> Result<DeliveryCounts> {
        let sink = sink.to_owned();
        self.readers.run(move |db| counts(db, &sink)).await
    }

    async fn redeliver(&self, sink: &str, position: Option<u64>, now_ms: i64) -> Result<u64> {
        let sink = sink.to_owned();
        self.writer.run(move |db| again(db, &sink, position, now_ms)).await
    }

    async fn forget_deliveries(&self, sink: &str, before: &Forgetting) -> Result<u64> {
        let (sink, before) = (sink.to_owned(), *before);
        self.writer.run(move |db| forget(db, &sink, &before)).await
    }
}

/// Lets a new reader begin at the end of the outbox.
pub fn begin(db: &Connection, reader: &str) -> Result<()> {
    let sql =
        "INSERT INTO cursors (reader, position) SELECT ?1, coalesce(max(position), 0) FROM outbox WHERE true
               ON CONFLICT DO NOTHING";
    execute(db, sql, [reader]).map(drop)
}

fn save(db: &Connection, step: &DeliveryStep) -> Result<()> {
    if let Some(moved) = &step.moved {
        let at = outbox::cursor(db, &moved.reader)?;
        if at != moved.from {
            return Err(StoreError::Conflict(format!("{} is at {at}, not at {}", moved.reader, moved.from)));
        }
        outbox::set_cursor(db, &moved.reader, moved.to)?;
    }
    for delivery in &step.deliveries {
        let Delivery { sink, position, event, kind, state, attempts, due_at_ms, changed_at_ms, tries } =
            delivery;
        execute(
            db,
            "INSERT INTO deliveries (sink, position, event, type, state, attempts, due_at_ms, changed_at_ms, tries)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (sink, position) DO UPDATE SET
                 state = ?5, attempts = ?6, due_at_ms = ?7, changed_at_ms = ?8, tries = ?9",
            params![
                sink,
                int(*position),
                event.to_string(),
                kind,
                state.name(),
                attempts,
                due_at_ms,
                changed_at_ms,
                to_json(tries)?,
            ],
        )?;
    }
    Ok(())
}

/// Names a delivery's columns in the order in which [`delivery`] reads them.
const COLUMNS: &str =
    "d.sink, d.position, d.event, d.type, d.state, d.attempts, d.due_at_ms, d.changed_at_ms, d.tries";

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let state: String = row.get(4)?;
    Ok(Delivery {
        sink: row.get(0)?,
        position: count(row, 1)?,
        event: parsed(row, 2)?,
        kind: row.get(3)?,
        state: DeliveryState::from_name(&state).unwrap_or(DeliveryState::Dead),
        attempts: row.get(5)?,
        due_at_ms: row.get(6)?,
        changed_at_ms: row.get(7)?,
        tries: json(row, 8)?,
    })
}

fn due(db: &Connection, sink: &str, now_ms: i64, limit: usize) -> Result<Vec<(Delivery, OutboxEvent)>> {
    let sql = format!(
        "SELECT {COLUMNS}, {} FROM deliveries AS d JOIN outbox AS o ON o.position = d.position
         WHERE d.sink = ?1 AND d.state = 'waiting' AND d.due_at_ms <= ?2 ORDER BY d.due_at_ms LIMIT ?3",
        outbox::COLUMNS
    );
    rows(db, &sql, params![sink, now_ms, int(limit)], |row| Ok((delivery(row)?, outbox::event(row, 9)?)))
}

fn list(db: &Connection, sink: &str, wanted: &DeliveryQuery) -> Result<Vec<Delivery>> {
    // A state stands in the statement as text, so that its partial index serves.
    let of_state = wanted.state.map_or(String::new(), |state| format!("AND d.state = '{}'", state.name()));
    let sql = format!(
        "SELECT {COLUMNS} FROM deliveries AS d
         WHERE d.sink = ?1 AND (d.changed_at_ms, d.position) < (?2, ?3) {of_state}
         ORDER BY d.changed_at_ms DESC, d.position DESC LIMIT ?4"
    );
    let (at_ms, position) = wanted.before.unwrap_or((i64::MAX, u64::MAX));
    rows(db, &sql, params![sink, at_ms, int(position), int(wanted.limit)], delivery)
}

fn counts(db: &Connection, sink: &str) -> Result<DeliveryCounts> {
    let sql = "SELECT (SELECT count(*) FROM deliveries WHERE sink = ?1 AND state = 'waiting'),
                      (SELECT count(*) FROM deliveries WHERE sink = ?1 AND state = 'dead')";
    let counts =
        row(db, sql, [sink], |row| Ok(DeliveryCounts { waiting: count(row, 0)?, dead: count(row, 1)? }))?;
    Ok(counts.unwrap_or_default())
}

fn again(db: &Connection, sink: &str, position: Option<u64>, now_ms: i64) -> Result<u64> {
    let of = if position.is_some() { "position = ?3" } else { "state = 'dead' AND ?3 IS NULL" };
    let sql = format!(
        "UPDATE deliveries SET state = 'waiting', attempts = 0, due_at_ms = ?2, changed_at_ms = ?2
         WHERE sink = ?1 AND {of}"
    );
    Ok(execute(db, &sql, params![sink, now_ms, position.map(int)])? as u64)
}

fn forget(db: &Connection, sink: &str, before: &Forgetting) -> Result<u64> {
    let beyond = "SELECT changed_at_ms FROM deliveries WHERE sink = ?1
                  ORDER BY changed_at_ms DESC, position DESC LIMIT 1 OFFSET ?2";
    let beyond: Option<i64> = row(db, beyond, params![sink, int(before.keep)], |row| row.get(0))?;
    let delivered_before_ms = before.delivered_before_ms.max(beyond.map_or(i64::MIN, |at| at + 1));
    let sql = "DELETE FROM deliveries WHERE sink = ?1
               AND changed_at_ms < CASE state WHEN 'delivered' THEN ?2 ELSE ?3 END";
    Ok(execute(db, sql, params![sink, delivered_before_ms, before.other_before_ms])? as u64)
}
