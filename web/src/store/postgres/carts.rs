//! Carts outside a turn, and the idempotency keys' end.

use async_trait::async_trait;
use cart_core::{Cart, CartId, VisitorId};
use deadpool_postgres::Client;
use tokio::sync::mpsc;

use super::{
    super::{CartStore, Decision, Heard, Outcome, Result, Wants},
    PostgresStore,
    cells::{bigint, json, number, parsed},
    transaction::{bounded, execute_alone, query},
};

#[async_trait]
impl CartStore for PostgresStore {
    async fn turn(&self, wants: Wants, decision: Box<dyn Decision>) -> Result<Outcome> {
        super::turn::run(self.client().await?, &self.node, &wants, decision).await
    }

    async fn cart(&self, id: &CartId) -> Result<Option<Cart>> {
        bounded(cart(&self.client().await?, id)).await
    }

    async fn open_cart_of(&self, owner: &VisitorId) -> Result<Option<CartId>> {
        bounded(open_cart_of(&self.client().await?, owner)).await
    }

    async fn carts_with_ended_holds(&self, now_ms: i64, limit: usize) -> Result<Vec<CartId>> {
        bounded(with_ended_holds(&self.client().await?, now_ms, limit)).await
    }

    async fn idle_carts(&self, now_ms: i64, limit: usize) -> Result<Vec<(CartId, u64)>> {
        const SQL: &str =
            "SELECT id, version FROM carts WHERE idle_due_ms <= $1 ORDER BY idle_due_ms LIMIT $2";
        let client = self.client().await?;
        let rows = bounded(query(&client, SQL, &[&now_ms, &bigint(limit)])).await?;
        rows.iter().map(|row| Ok((parsed(row, "id")?, number(row, "version")?))).collect()
    }

    async fn forget_keys(&self, before_ms: i64) -> Result<u64> {
        forget_keys(&self.client().await?, before_ms).await
    }

    async fn listen(&self, heard: mpsc::Sender<Heard>) -> Result<()> {
        super::listen::run(&self.config, &self.node, heard).await
    }
}

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
