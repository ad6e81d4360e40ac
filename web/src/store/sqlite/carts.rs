//! Carts and their keys outside a turn.

use async_trait::async_trait;
use cart_core::{Cart, CartId, Stage, VisitorId};
use rusqlite::{Connection, params};
use tokio::sync::mpsc;

use super::{
    super::{CartStore, Decision, Heard, Outcome, Result, Wants, carts::OPEN_CARTS_MAX},
    SqliteStore,
    columns::{count, execute, int, json, parsed, row, rows},
    connections::Writer,
};

#[async_trait]
impl CartStore for SqliteStore {
    async fn turn(&self, wants: Wants, decision: Box<dyn Decision>) -> Result<Outcome> {
        self.writer.run(move |db| super::turn::turn(db, &wants, &*decision)).await
    }

    async fn cart(&self, id: &CartId) -> Result<Option<Cart>> {
        let id = id.clone();
        self.readers.run(move |db| cart(db, &id)).await
    }

    async fn open_cart_of(&self, owner: &VisitorId) -> Result<Option<CartId>> {
        let owner = owner.clone();
        self.readers.run(move |db| open_cart_of(db, &owner)).await
    }

    async fn open_carts_of(&self, owner: &VisitorId) -> Result<Vec<CartId>> {
        let owner = owner.clone();
        let sql = "SELECT id FROM carts WHERE owner = ?1 AND status NOT IN ('ordered', 'merged') ORDER BY number DESC LIMIT ?2";
        let params = move |db: &Connection| {
            rows(db, sql, params![owner.as_str(), int(OPEN_CARTS_MAX)], |row| parsed(row, 0))
        };
        self.readers.run(params).await
    }

    async fn put_off_wakes(&self, now_ms: i64) -> Result<u64> {
        in_slices(&self.writer, put_off_wakes, now_ms).await
    }

    async fn carts_with_ended_holds(&self, now_ms: i64, limit: usize) -> Result<Vec<CartId>> {
        self.readers.run(move |db| with_ended_holds(db, now_ms, limit)).await
    }

    async fn idle_carts(&self, now_ms: i64, limit: usize) -> Result<Vec<(CartId, u64)>> {
        let sql =
            "SELECT c.id, c.version FROM wakes AS w JOIN carts AS c ON c.id = w.cart AND c.wake_ms = w.due_ms
                   WHERE w.due_ms <= ?1 AND c.idle_due_ms <= ?1 ORDER BY w.due_ms LIMIT ?2";
        self.readers
            .run(move |db| {
                rows(db, sql, params![now_ms, int(limit)], |row| Ok((parsed(row, 0)?, count(row, 1)?)))
            })
            .await
    }

    async fn forget_keys(&self, before_ms: i64) -> Result<u64> {
        in_slices(&self.writer, forget_keys, before_ms).await
    }

    async fn listen(&self, heard: mpsc::Sender<Heard>) -> Result<()> {
        // Whoever asked may have gone away.
        let _ = heard.send(Heard::Everything).await;
        std::future::pending().await
    }
}

/// The most rows that one transaction of a sweep changes: some milliseconds of work.
pub const SLICE: u64 = 5_000;

/// Works slice by slice until one is not full, a transaction each, so that turns need not wait for the end of a long one.
pub async fn in_slices(
    writer: &Writer,
    slice: fn(&Connection, i64) -> Result<u64>,
    before_ms: i64,
) -> Result<u64> {
    let mut all = 0;
    loop {
        let done = writer.run(move |db| slice(db, before_ms)).await?;
        all += done;
        if done < SLICE {
            return Ok(all);
        }
    }
}

/// Returns the stored name of how far a cart has come.
pub fn status(stage: &Stage) -> &'static str {
    match stage {
        Stage::Open => "open",
        Stage::Checkout { .. } => "checkout",
        Stage::Ordered { .. } => "ordered",
        Stage::Merged { .. } => "merged",
    }
}

/// Reads a cart.
pub fn cart(db: &Connection, id: &CartId) -> Result<Option<Cart>> {
    row(db, "SELECT state FROM carts WHERE id = ?1", [id.as_str()], |row| json(row, 0))
}

/// Returns the visitor's newest cart that is not closed.
pub fn open_cart_of(db: &Connection, owner: &VisitorId) -> Result<Option<CartId>> {
    let sql = "SELECT id FROM carts WHERE owner = ?1 AND status NOT IN ('ordered', 'merged') ORDER BY number DESC LIMIT 1";
    row(db, sql, [owner.as_str()], |row| parsed(row, 0))
}

/// Returns carts whose holds have ended, the longest ended first.
pub fn with_ended_holds(db: &Connection, now_ms: i64, limit: usize) -> Result<Vec<CartId>> {
    let sql = "SELECT c.id FROM wakes AS w JOIN carts AS c ON c.id = w.cart AND c.wake_ms = w.due_ms
               WHERE w.due_ms <= ?1 AND c.holds_expire_at_ms <= ?1 ORDER BY w.due_ms LIMIT ?2";
    rows(db, sql, params![now_ms, int(limit)], |row| parsed(row, 0))
}

/// Puts off some wakes that came too early, or forgets them where their cart has another or needs none; returns how many.
pub fn put_off_wakes(db: &Connection, now_ms: i64) -> Result<u64> {
    // `min` is null where either is, so the absent one counts as never.
    let sql = "SELECT w.due_ms, w.cart, c.wake_ms = w.due_ms,
                   nullif(min(ifnull(c.holds_expire_at_ms, ?3), ifnull(c.idle_due_ms, ?3)), ?3) AS next
               FROM wakes AS w LEFT JOIN carts AS c ON c.id = w.cart
               WHERE w.due_ms <= ?1 AND (c.wake_ms IS NOT w.due_ms OR next IS NULL OR next > ?1)
               ORDER BY w.due_ms LIMIT ?2";
    let early = rows(db, sql, params![now_ms, int(SLICE), i64::MAX], |row| {
        let (due_ms, cart) = (row.get::<_, i64>(0)?, row.get::<_, String>(1)?);
        Ok((due_ms, cart, row.get::<_, Option<bool>>(2)?, row.get::<_, Option<i64>>(3)?))
    })?;
    for (due_ms, cart, is_carts, next_ms) in &early {
        execute(db, "DELETE FROM wakes WHERE due_ms = ?1 AND cart = ?2", params![due_ms, cart])?;
        if *is_carts == Some(true) {
            execute(db, "UPDATE carts SET wake_ms = ?2 WHERE id = ?1", params![cart, next_ms])?;
            if let Some(next_ms) = next_ms {
                execute(
                    db,
                    "INSERT OR IGNORE INTO wakes (due_ms, cart) VALUES (?1, ?2)",
                    params![next_ms, cart],
                )?;
            }
        }
    }
    Ok(early.len() as u64)
}

/// Forgets some keys from before a time; returns how many.
pub fn forget_keys(db: &Connection, before_ms: i64) -> Result<u64> {
    let sql = "DELETE FROM idempotency_keys
               WHERE rowid IN (SELECT rowid FROM idempotency_keys WHERE at_ms < ?1 LIMIT ?2)";
    Ok(execute(db, sql, params![before_ms, int(SLICE)])? as u64)
}
