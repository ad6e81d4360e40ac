//! Carts and their keys outside a turn.

use cart_core::{Cart, CartId, Stage, VisitorId};
use rusqlite::{Connection, params};

use super::{
    super::Result,
    columns::{execute, int, json, parsed, row, rows},
};

/// The most keys that one transaction forgets: some milliseconds of work.
pub const KEYS_FORGOTTEN_AT_ONCE: u64 = 5_000;

/// Returns the stored name of how far a cart has come.
pub fn status(stage: &Stage) -> &'static str {
    match stage {
        Stage::Open => "open",
        Stage::Checkout { .. } => "checkout",
        Stage::Ordered { .. } => "ordered",
    }
}

/// Reads a cart.
pub fn cart(db: &Connection, id: &CartId) -> Result<Option<Cart>> {
    row(db, "SELECT state FROM carts WHERE id = ?1", [id.as_str()], |row| json(row, 0))
}

/// Returns the visitor's newest cart that has not become an order.
pub fn open_cart_of(db: &Connection, owner: &VisitorId) -> Result<Option<CartId>> {
    let sql = "SELECT id FROM carts WHERE owner = ?1 AND status <> 'ordered' ORDER BY number DESC LIMIT 1";
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
