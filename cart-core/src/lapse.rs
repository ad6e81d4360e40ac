//! Carts that nobody touches: first they count as abandoned, then they expire; whoever comes back has them reopened.

use serde::{Deserialize, Serialize};

use crate::{Code, LineId, Rejection, Sku, Step};

/// Says how long a cart has been left alone, where that was noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lapse {
    /// For so long that its shopper seems to have gone away.
    Abandoned,
    /// For so long that it is closed, until its shopper reopens it.
    Expired,
}

/// Is what can be seen of a cart that its shopper seems to have left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abandonment {
    /// What it would have come to, in minor units of its currency.
    pub total_minor: i64,
    /// Its lines.
    pub lines: u32,
    /// Pieces over all lines.
    pub pieces: u64,
    /// Tells whether the checkout had begun.
    pub in_checkout: bool,
    /// The last step of the checkout that was done.
    pub last_step: Option<Step>,
    /// The step that was to come.
    pub next_step: Option<Step>,
    /// What may have kept the shopper from buying.
    pub reasons: Vec<AbandonReason>,
}

impl Abandonment {
    /// Returns the name of how far the shopper came: `cart`, `checkout`, or the last step that was done.
    pub fn reached(&self) -> &'static str {
        match self.last_step {
            Some(step) => step.name(),
            None if self.in_checkout => "checkout",
            None => "cart",
        }
    }
}

/// Says what may have kept a shopper from buying, as far as it can be seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum AbandonReason {
    /// The last attempt to pay failed.
    PaymentFailed {
        /// Why: a stable name.
        why: String,
    },
    /// The provider waits for the shopper to confirm the payment.
    PaymentWaiting,
    /// Products are no longer for sale.
    NotForSale {
        /// The products.
        skus: Vec<Sku>,
    },
    /// There are fewer pieces than the lines want.
    SoldOut {
        /// The products.
        skus: Vec<Sku>,
    },
    /// Prices rose since the shopper was told them.
    PriceRose {
        /// The products.
        skus: Vec<Sku>,
    },
    /// Pieces went back to the shelf because the time of their hold was over.
    HoldEnded {
        /// The products.
        skus: Vec<Sku>,
    },
    /// Nothing of the shop's goes where the order is to go.
    ShippingUnavailable,
    /// The checkout asks for an address that was not entered.
    AddressMissing,
    /// Codes were typed that changed nothing.
    CodeWithoutEffect {
        /// The codes.
        codes: Vec<Code>,
    },
}

/// Is what became of a line of a cart that was reopened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReopenedLine {
    /// The line.
    pub line: LineId,
    /// The product's name when it was last added.
    pub name: String,
    /// Pieces that it had.
    pub wanted: u32,
    /// Pieces that it has again; 0 where it is gone.
    pub quantity: u32,
    /// What one piece cost.
    pub was_minor: i64,
    /// What one piece costs today, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price_minor: Option<i64>,
    /// Why it has fewer pieces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Rejection>,
}

impl ReopenedLine {
    /// Reports whether the line is as it was.
    pub fn is_as_it_was(&self) -> bool {
        self.quantity == self.wanted && self.unit_price_minor == Some(self.was_minor)
    }
}
