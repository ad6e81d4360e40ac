//! Carts and their keys outside a turn.

use async_trait::async_trait;
use cart_core::{Cart, CartId, Stage, VisitorId};
use rusqlite::{Connection, params};
use tokio::sync::mpsc;

use super::{
    super::{CartStore, Decision, Heard, Outcome, Result, Wants},
    SqliteStore,
    columns::{count, execute, int, json, parsed, row, rows},
};

#[async_trait]
impl CartStore for SqliteStore {
    async fn turn(&self, wants: Wants, decision: Box<dyn Decision>) -> Result<Outcome> {
        self.writer.run(move |db| super::turn::turn(db, &wants, decision)).await
    }

    async fn cart(&self, id: &CartId) -> Result<Option<Cart>> {
        let id = id.clone();
        self.readers.run(move |db| cart(db, &id)).await
    }

    async fn open_cart_of(&self, owner: &VisitorId) -> Result<Option<CartId>> {
        let owner = owner.clone();
        self.readers.run(move |db| open_cart_of(db, &owner)).await
    }

    async fn carts_with_ended_holds(&self, now_ms: i64, limit: usize) -> Result<Vec<CartId>> {
        self.readers.run(move |db| with_ended_holds(db, now_ms, limit)).await
    }

    async fn idle_carts(&self, now_ms: i64, limit: usize) -> Result<Vec<(CartId, u64)>> {
        let sql = "SELECT id, version FROM carts WHERE idle_due_ms <= ?1 ORDER BY idle_due_ms LIMIT ?2";
        self.readers
            .run(move |db| {
                rows(db, sql, params![now_ms, int(limit)], |row| Ok((parsed(row, 0)?, count(row, 1)?)))
            })
            .await
    }

    async fn forget_keys(&self, before_ms: i64) -> Result<u64> {
        let mut forgotten = 0;
        // A transaction a slice, so that turns need not wait for the end of a long one.
        loop {
            let slice = self.writer.run(move |db| forget_keys(db, before_ms)).await?;
            forgotten += slice;
            if slice < KEYS_FORGOTTEN_AT_ONCE {
                return Ok(forgotten);
            }
        }
    }

    async fn listen(&self, heard: mpsc::Sender<Heard>) -> Result<()> {
        // Whoever asked may have gone away.
        let _ = heard.send(Heard::Everything).await;
        std::future::pending().await
    }
}

/// The most keys that one transaction forgets: some milliseconds of work.
pub const KEYS_FORGOTTEN_AT_ONCE: u64 = 5_000;

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
    let sql = "SELECT id FROM carts WHERE holds_expire_at_ms <= ?1 ORDER BY holds_expire_at_ms LIMIT ?2";
    rows(db, sql, params![now_ms, int(limit)], |row| parsed(row, 0))
}

/// Forgets some keys from before a time; returns how many.
pub fn forget_keys(db: &Connection, before_ms: i64) -> Result<u64> {
    let sql = "DELETE FROM idempotency_keys
               WHERE rowid IN (SELECT rowid FROM idempotency_keys WHERE at_ms < ?1 LIMIT ?2)";
    Ok(execute(db, sql, params![before_ms, int(KEYS_FORGOTTEN_AT_ONCE)])? as u64)
}
