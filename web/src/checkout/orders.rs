//! What is done with an order after it was placed. The cart decides, as it did before; here its answer is carried out.

use cart_core::{Command, Order, ParcelWish, RefundWish, RelocationWish, Request, TrackingChange, VisitorId};

use super::{Checkout, CheckoutError};
use crate::{carts::IdempotencyKey, store::Answer};

/// Says what is to be done with an order.
#[derive(Clone, Debug)]
pub enum OrderChange {
    /// Send it off, or a part of it.
    Fulfil(ParcelWish),
    /// Let another location send what waits of it, or a part of that.
    Relocate(RelocationWish),
    /// Say anew how one of its parcels can be followed.
    Correct {
        /// The parcel's place among those of the order, from 1.
        number: u32,
        /// What is said anew.
        change: TrackingChange,
    },
    /// Cancel it, as far as it was not sent, and give that back.
    Cancel,
    /// Give part of it back.
    Refund(RefundWish),
}

impl Checkout {
    /// Changes an order, for the visitor who placed it or for the shop; the money follows at once, or by recovery.
    ///
    /// # Errors
    /// [`CheckoutError`] where no rule answered.
    pub async fn change_order(
        &self,
        order: Order,
        caller: Option<VisitorId>,
        change: OrderChange,
        key: Option<IdempotencyKey>,
    ) -> Result<Answer, CheckoutError> {
        let (cart, order) = (order.cart.clone(), Box::new(order));
        let command = match change {
            OrderChange::Fulfil(wish) => Command::FulfilOrder { order, wish },
            OrderChange::Relocate(wish) => Command::RelocateOrder { order, wish },
            OrderChange::Correct { number, change } => Command::CorrectParcel { order, number, change },
            OrderChange::Cancel => Command::CancelOrder { order },
            OrderChange::Refund(wish) => Command::RefundOrder { order, wish },
        };
        let request = Request { caller, expected_version: None, command };
        let answer = self.carts.execute(cart.clone(), request, key).await?;
        self.settle_soon(cart);
        Ok(answer)
    }
}
