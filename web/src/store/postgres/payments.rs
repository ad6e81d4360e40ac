//! Payments that have not come to their end.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cart_core::CartId;
use tokio_postgres::Statement;

use super::{
    super::{PaymentStore, PendingPayment, Result},
    PostgresStore,
    cells::{bigint, cell, number, parsed},
    error,
    transaction::{Params, Transaction, bounded, execute_alone, query},
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

/// Enters and strikes the carts of a turn, which holds their locks.
pub async fn note(
    transaction: &Transaction,
    enter: &Statement,
    strike: &Statement,
    pending: &BTreeMap<CartId, Option<i64>>,
) -> Result<()> {
    let (mut due, mut since, mut done) = (vec![], vec![], vec![]);
    for (cart, since_ms) in pending {
        match since_ms {
            Some(since_ms) => {
                due.push(cart.as_str());
                since.push(*since_ms);
            }
            None => done.push(cart.as_str()),
        }
    }
    if !due.is_empty() {
        let params: &Params<'_> = &[&due, &since];
        transaction.execute(enter, params).await.map_err(|e| error::of_query(&e))?;
    }
    if !done.is_empty() {
        transaction.execute(strike, &[&done]).await.map_err(|e| error::of_query(&e))?;
    }
    Ok(())
}
