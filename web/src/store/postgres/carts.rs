//! Carts outside a turn, and the idempotency keys' end.

use async_trait::async_trait;
use cart_core::{Cart, CartId, VisitorId};
use deadpool_postgres::Client;
use tokio::sync::mpsc;

use super::{
    super::{CartStore, Decision, Heard, Outcome, Result, Wants, carts::OPEN_CARTS_MAX},
    PostgresStore,
    cells::{bigint, json, number, parsed},
    error,
    transaction::{bounded, execute_alone, query},
    turn::Turn,
};

/// Are the carts of which a time has come, the longest overdue first. Wakes come first, whatever the planner knows of the
/// tables: looking at each cart instead takes as long as there are carts.
macro_rules! due_carts {
    ($time:literal) => {
        concat!(
            "wakes AS w CROSS JOIN LATERAL (SELECT id, version FROM carts
                WHERE id = w.cart AND wake_ms = w.due_ms AND ",
            $time,
            " <= $1 OFFSET 0) AS c
            WHERE w.due_ms <= $1 ORDER BY w.due_ms LIMIT $2"
        )
    };
}

#[async_trait]
impl CartStore for PostgresStore {
    async fn turn(&self, wants: Wants, decision: Box<dyn Decision>) -> Result<Outcome> {
        let Self { teller, shelf, prepared, .. } = self;
        let turn = Turn { teller, shelf, prepared, wants: &wants, decision: &*decision };
        turn.run(self.turns.get().await.map_err(error::of_pool)?).await
    }

    async fn cart(&self, id: &CartId) -> Result<Option<Cart>> {
        bounded(cart(&self.client().await?, id)).await
    }

    async fn open_cart_of(&self, owner: &VisitorId) -> Result<Option<CartId>> {
        bounded(open_cart_of(&self.client().await?, owner)).await
    }

    async fn open_carts_of(&self, owner: &VisitorId) -> Result<Vec<CartId>> {
        const SQL: &str =
            "SELECT id FROM carts WHERE owner = $1 AND NOT is_ordered ORDER BY opened DESC LIMIT $2";
        let client = self.client().await?;
        let rows = bounded(query(&client, SQL, &[&owner.as_str(), &bigint(OPEN_CARTS_MAX)])).await?;
        rows.iter().map(|row| parsed(row, "id")).collect()
    }

    async fn put_off_wakes(&self, now_ms: i64) -> Result<u64> {
        // Deletes what came too early. Where it was its cart's earliest wake, the row's next time is the cart's wake from now on.
        // A cart that a turn has locked is left to the next sweep.
        const SQL: &str = "WITH early AS MATERIALIZED (
                SELECT w.due_ms, c.*
                FROM wakes AS w CROSS JOIN LATERAL (
                    SELECT id, wake_ms IS NOT DISTINCT FROM w.due_ms AS is_carts,
                        least(holds_expire_at_ms, idle_due_ms) AS next
                    FROM carts
                    WHERE id = w.cart AND (wake_ms IS DISTINCT FROM w.due_ms
                        OR coalesce(least(holds_expire_at_ms, idle_due_ms) > $1, true))
                    FOR NO KEY UPDATE SKIP LOCKED
                ) AS c
                WHERE w.due_ms <= $1 ORDER BY w.due_ms LIMIT $2
            ), put_off AS (
                UPDATE carts AS c SET wake_ms = e.next FROM early AS e WHERE e.is_carts AND c.id = e.id
            ), again AS (
                INSERT INTO wakes (due_ms, cart) SELECT next, id FROM early WHERE is_carts AND next IS NOT NULL
                ON CONFLICT DO NOTHING
            )
            DELETE FROM wakes AS w USING early AS e WHERE w.due_ms = e.due_ms AND w.cart = e.id";
        in_slices(&self.client().await?, SQL, now_ms).await
    }

    async fn carts_with_ended_holds(&self, now_ms: i64, limit: usize) -> Result<Vec<CartId>> {
        bounded(with_ended_holds(&self.client().await?, now_ms, limit)).await
    }

    async fn idle_carts(&self, now_ms: i64, limit: usize) -> Result<Vec<(CartId, u64)>> {
        const SQL: &str = concat!("SELECT c.id, c.version FROM ", due_carts!("idle_due_ms"));
        let client = self.client().await?;
        let rows = bounded(query(&client, SQL, &[&now_ms, &bigint(limit)])).await?;
        rows.iter().map(|row| Ok((parsed(row, "id")?, number(row, "version")?))).collect()
    }

    async fn forget_keys(&self, before_ms: i64) -> Result<u64> {
        const SQL: &str = "DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM idempotency_keys WHERE at_ms < $1 LIMIT $2))";
        in_slices(&self.client().await?, SQL, before_ms).await
    }

    async fn listen(&self, heard: mpsc::Sender<Heard>) -> Result<()> {
        super::listen::run(&self.config, &self.node, heard).await
    }
}

/// The most rows that one statement of a sweep changes: long ones would meet the limit on statements.
const SLICE: u64 = 5_000;

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

/// Returns carts whose holds have ended, the longest ended first.
pub async fn with_ended_holds(client: &Client, now_ms: i64, limit: usize) -> Result<Vec<CartId>> {
    const SQL: &str = concat!("SELECT c.id FROM ", due_carts!("holds_expire_at_ms"));
    let rows = query(client, SQL, &[&now_ms, &bigint(limit)]).await?;
    rows.iter().map(|row| parsed(row, "id")).collect()
}

/// Changes rows from before a time, the statement's first parameter, until a slice is not full; returns how many.
pub async fn in_slices(client: &Client, sql: &str, before_ms: i64) -> Result<u64> {
    let mut all = 0;
    loop {
        let some = bounded(execute_alone(client, sql, &[&before_ms, &bigint(SLICE)])).await?;
        all += some;
        if some < SLICE {
            return Ok(all);
        }
    }
}
