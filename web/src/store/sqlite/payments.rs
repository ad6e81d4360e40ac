//! Payments that have not come to their end.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cart_core::CartId;
use rusqlite::{Connection, params};

use super::{
    super::{PaymentStore, PendingPayment, Result},
    SqliteStore,
    columns::{count, execute, int, parsed, rows},
};

#[async_trait]
impl PaymentStore for SqliteStore {
    async fn pending_payments(&self, due_before_ms: i64, limit: usize) -> Result<Vec<PendingPayment>> {
        let sql = "SELECT cart, since_ms, tries FROM pending_payments
                   WHERE due_at_ms < ?1 ORDER BY due_at_ms, cart LIMIT ?2";
        self.readers
            .run(move |db| {
                rows(db, sql, params![due_before_ms, int(limit)], |row| {
                    Ok(PendingPayment { cart: parsed(row, 0)?, since_ms: row.get(1)?, tries: count(row, 2)? })
                })
            })
            .await
    }

    async fn put_off_payment(&self, cart: &CartId, due_at_ms: i64) -> Result<()> {
        let cart = cart.clone();
        let sql = "UPDATE pending_payments SET due_at_ms = ?2, tries = tries + 1 WHERE cart = ?1";
        self.writer.run(move |db| execute(db, sql, params![cart.as_str(), due_at_ms]).map(drop)).await
    }
}

/// Enters carts that are due since a time, and strikes those that are done.
pub fn note(db: &Connection, pending: &BTreeMap<CartId, Option<i64>>) -> Result<()> {
    for (cart, since_ms) in pending {
        match since_ms {
            Some(since_ms) => execute(
                db,
                "INSERT OR REPLACE INTO pending_payments (cart, since_ms, due_at_ms, tries) VALUES (?1, ?2, ?2, 0)",
                params![cart.as_str(), since_ms],
            )?,
            None => execute(db, "DELETE FROM pending_payments WHERE cart = ?1", [cart.as_str()])?,
        };
    }
    Ok(())
}
