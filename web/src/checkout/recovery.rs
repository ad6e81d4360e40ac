//! Recovery: payments that a crash, a time-out or a provider left behind are brought to their end.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::{MissedTickBehavior, interval};

use super::{Checkout, CheckoutError};
use crate::{
    clock,
    store::{PendingPayment, StoreError},
};

/// The lease under which one process at a time recovers.
const LEASE: &str = "payments";
/// How often it is looked for payments that are due.
const PERIOD: Duration = Duration::from_secs(1);
/// How long a lease lasts without being renewed.
const LEASE_MS: i64 = 10_000;
/// The most payments of one round, and of these at once: a provider that is slow must not hold up all of them.
const ROUND_MAX: usize = 100;
const AT_ONCE_MAX: usize = 8;
/// The longest pause between two tries, in milliseconds.
const PAUSE_MS_MAX: i64 = 300_000;

/// Recovers for ever, while this process holds the lease.
pub async fn run(checkout: Checkout, process: String) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = checkout.recover_leased(&process).await {
            tracing::warn!(%error, "payments could not be looked for");
        }
    }
}

impl Checkout {
    async fn recover_leased(&self, process: &str) -> Result<(), StoreError> {
        let now_ms = clock::now_ms();
        // An idle shop is only read.
        if self.store.pending_payments(now_ms - self.grace_ms, 1).await?.is_empty() {
            return Ok(());
        }
        match self.store.lease(LEASE, process, now_ms, now_ms + LEASE_MS).await? {
            true => self.recover(now_ms).await.map(drop),
            false => Ok(()),
        }
    }

    /// Brings payments to their end that have been due for longer than the grace; returns how many were tried.
    ///
    /// # Errors
    /// Where the store does not answer.
    pub async fn recover(&self, now_ms: i64) -> Result<usize, StoreError> {
        let due = self.store.pending_payments(now_ms - self.grace_ms, ROUND_MAX).await?;
        let tried = due.len();
        let mut done =
            stream::iter(due).map(|pending| self.recover_one(pending, now_ms)).buffer_unordered(AT_ONCE_MAX);
        while let Some(one) = done.next().await {
            one?;
        }
        Ok(tried)
    }

    async fn recover_one(&self, pending: PendingPayment, now_ms: i64) -> Result<(), StoreError> {
        let PendingPayment { cart, tries, .. } = pending;
        let worked: Result<(), CheckoutError> = async {
            self.resolve(&cart, None).await?;
            self.settle(&cart).await
        }
        .await;
        if let Err(error) = worked {
            tracing::warn!(%cart, tries, %error, "a payment is tried again later");
        }
        if self.store.cart(&cart).await?.is_some_and(|cart| cart.is_payment_due()) {
            let pause_ms = (1_000 << tries.min(10)).min(PAUSE_MS_MAX);
            self.store.put_off_payment(&cart, now_ms - self.grace_ms + pause_ms).await?;
        }
        Ok(())
    }
}
