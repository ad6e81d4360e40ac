//! Which carts the payment provider is still to be asked or told about.

use async_trait::async_trait;
use cart_core::CartId;

use super::Result;

/// Lists the carts whose payments have not come to their end. Turns enter and strike them; what is due stands in the
/// cart itself.
#[async_trait]
pub trait PaymentStore: Send + Sync {
    /// Returns carts, at most `limit`, whose payments are due before a time, the longest due first.
    async fn pending_payments(&self, due_before_ms: i64, limit: usize) -> Result<Vec<PendingPayment>>;

    /// Puts a cart's payments off and counts one more try; nothing where the cart is not listed.
    async fn put_off_payment(&self, cart: &CartId, due_at_ms: i64) -> Result<()>;
}

/// Is a cart whose payments have not come to their end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingPayment {
    /// The cart.
    pub cart: CartId,
    /// Since when it is listed without a change, in Unix milliseconds.
    pub since_ms: i64,
    /// How often the provider was asked or told in vain.
    pub tries: u64,
}
