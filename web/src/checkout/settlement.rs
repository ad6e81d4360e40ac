//! Telling the provider what it is still to be told: captures of orders, refunds, and payments to be let go.

use cart_core::{CartId, Command, PaymentTask};

use super::{Checkout, CheckoutError};

impl Checkout {
    /// Settles a cart's payments without letting anybody wait; what goes wrong is settled by recovery.
    pub fn settle_soon(&self, cart: CartId) {
        let checkout = self.clone();
        tokio::spawn(async move {
            if let Err(error) = checkout.settle(&cart).await {
                tracing::debug!(%cart, %error, "payments are settled later");
            }
        });
    }

    /// Tells the provider what it is still to be told of a cart's payments, in order, and notes what it confirmed.
    ///
    /// # Errors
    /// [`CheckoutError`] where the provider or the store does not answer.
    pub async fn settle(&self, cart: &CartId) -> Result<(), CheckoutError> {
        let Some(found) = self.store.cart(cart).await? else { return Ok(()) };
        for task in found.payment_tasks {
            match &task {
                PaymentTask::Capture { payment, amount_minor } => {
                    self.provider.capture(payment, *amount_minor).await?;
                }
                PaymentTask::Refund { payment, number, amount_minor } => {
                    self.provider.refund(payment, *number, *amount_minor).await?;
                }
                PaymentTask::Void { payment } => self.provider.void(payment).await?,
            }
            self.note(cart, Command::SettlePayment(task)).await?;
        }
        Ok(())
    }
}
