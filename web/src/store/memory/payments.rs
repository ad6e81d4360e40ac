//! Payments that have not come to their end.

use async_trait::async_trait;
use cart_core::CartId;

use super::super::{PaymentStore, PendingPayment, Result};
use super::MemoryStore;

#[async_trait]
impl PaymentStore for MemoryStore {
    async fn pending_payments(&self, due_before_ms: i64, limit: usize) -> Result<Vec<PendingPayment>> {
        let state = self.state.lock().await;
        let mut due: Vec<_> = state.pending_payments.values().filter(|(at, _)| *at < due_before_ms).collect();
        due.sort_by_key(|(at, pending)| (*at, &pending.cart));
        Ok(due.into_iter().take(limit).map(|(_, pending)| pending.clone()).collect())
    }

    async fn put_off_payment(&self, cart: &CartId, due_at_ms: i64) -> Result<()> {
        if let Some((at, pending)) = self.state.lock().await.pending_payments.get_mut(cart) {
            *at = due_at_ms;
            pending.tries += 1;
        }
        Ok(())
    }
}
