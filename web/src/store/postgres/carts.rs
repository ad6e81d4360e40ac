//! Carts outside a turn, and the idempotency keys' end.

use cart_core::{Cart, CartId, VisitorId};
use deadpool_postgres::Client;

use super::{
    super::Result,
    cells::{bigint, json, parsed},
    transaction::{bounded, execute_alone, query},
};

/// The most keys that one statement forgets: long deletes would meet the limit on statements.
const FORGET_MAX: u64 = 5_000;

/// Reads a cart.
pub async fn cart(client: &Client, id: &CartId) -> Result<Option<Cart>> {
    let rows = query(client, "SELECT state FROM carts WHERE id = $1", &[&id.as_str()]).await?;
    rows.first().map(|row| json(row, "state")).transpose()
}

/// Returns the visitor's newest cart that has not become an order.
pub async fn open_cart_of(client: &Client, owner: &VisitorId) -> Result<Option<CartId>> {
    const SQL: &str = "SELECT id FROM carts WHERE owner = $1 AND NOT is_ordered ORDER BY opened DESC LIMIT 1";
    let rows = query(client, SQL, &[&owner.as_str()]).await?;
    rows.first().map(|row| parsed(row, "id")).transpose()
}

/// Returns carts whose holds have ended, the longest ended first. The coarse column has the index, the exact one decides.
pub async fn with_ended_holds(client: &Client, now_ms: i64, limit: usize) -> Result<Vec<CartId>> {
    const SQL: &str = "SELECT id FROM carts
        WHERE holds_due <= $1::int8 / 300000 AND holds_expire_at_ms <= $1
        ORDER BY holds_due, holds_expire_at_ms LIMIT $2";
    let rows = query(client, SQL, &[&now_ms, &bigint(limit)]).await?;
    rows.iter().map(|row| parsed(row, "id")).collect()
}

/// Forgets old answers, some at a time.
pub async fn forget_keys(client: &Client, before_ms: i64) -> Result<u64> {
    const SQL: &str = "DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM idempotency_keys WHERE at_ms < $1 LIMIT $2))";
    let mut forgotten = 0;
    loop {
        let some = bounded(execute_alone(client, SQL, &[&before_ms, &bigint(FORGET_MAX)])).await?;
        forgotten += some;
        if some < FORGET_MAX {
            return Ok(forgotten);
        }
    }
}
