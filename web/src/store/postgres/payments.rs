//! Payments that have not come to their end.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cart_core::CartId;
use tokio_postgres::Statement;

use super::{
    super::{PaymentStore, PendingPayment, Result},
    PostgresStore,
    cells::{bigint, cell, number, parsed},
    transaction::{Transaction, bounded, execute_alone, execute_unless, query},
};

/// Enters carts that are due since a time.
pub const ENTER: &str = "INSERT INTO pending_payments (cart, since_ms, due_at_ms, tries)
    SELECT w.cart, w.since_ms, w.since_ms, 0 FROM unnest($1::text[], $2::int8[]) AS w (cart, since_ms)
    ON CONFLICT (cart) DO UPDATE SET since_ms = excluded.since_ms, due_at_ms = excluded.due_at_ms, tries = 0";

/// Strikes carts that are done.
pub const STRIKE: &str = "DELETE FROM pending_payments WHERE cart = ANY ($1::text[])";

#[async_trait]
impl PaymentStore for PostgresStore {
    async fn pending_payments(&self, due_before_ms: i64, limit: usize) -> Result<Vec<PendingPayment>> {
        const SQL: &str = "SELECT cart, since_ms, tries FROM pending_payments
            WHERE due_at_ms < $1 ORDER BY due_at_ms, cart LIMIT $2";
        let client = self.client().await?;
        let rows = bounded(query(&client, SQL, &[&due_before_ms, &bigint(limit)])).await?;
        let pending = rows.iter().map(|row| {
            Ok(PendingPayment {
                cart: parsed(row, "cart")?,
                since_ms: cell(row, "since_ms")?,
                tries: number(row, "tries")?,
            })
        });
        pending.collect()
    }

    async fn put_off_payment(&self, cart: &CartId, due_at_ms: i64) -> Result<()> {
        const SQL: &str = "UPDATE pending_payments SET due_at_ms = $2, tries = tries + 1 WHERE cart = $1";
        let client = self.client().await?;
        bounded(execute_alone(&client, SQL, &[&cart.as_str(), &due_at_ms])).await.map(drop)
    }
}

/// Enters the carts of a turn whose payments are due, where a time is said.
pub async fn enter(
    transaction: &Transaction,
    statement: &Statement,
    payments: &BTreeMap<CartId, Option<i64>>,
) -> Result<()> {
    let due = payments.iter().filter_map(|(cart, since_ms)| Some((cart.as_str(), (*since_ms)?)));
    let (carts, since): (Vec<&str>, Vec<i64>) = due.unzip();
    execute_unless(carts.is_empty(), transaction, statement, &[&carts, &since]).await
}

/// Strikes the carts of a turn that have none left.
pub async fn strike(
    transaction: &Transaction,
    statement: &Statement,
    payments: &BTreeMap<CartId, Option<i64>>,
) -> Result<()> {
    let done = payments.iter().filter(|(_, since_ms)| since_ms.is_none());
    let carts: Vec<&str> = done.map(|(cart, _)| cart.as_str()).collect();
    execute_unless(carts.is_empty(), transaction, statement, &[&carts]).await
}
