//! The page on which a shopper confirms a payment: the sandbox's stand-in for a bank.

use cart_core::{Currency, PaymentId};
use serde::Serialize;

use super::Price;

/// Is the page on which a payment is confirmed or refused.
#[derive(Clone, Debug, Serialize)]
pub struct ChallengePage {
    action: String,
    amount: Price,
    is_open: bool,
}

impl ChallengePage {
    /// Puts the page of a payment together; one that is decided already has nothing to ask.
    pub fn of(payment: &PaymentId, amount_minor: i64, currency: Currency, is_open: bool) -> Self {
        Self {
            action: format!("/sandbox/payments/{payment}"),
            amount: Price::new(amount_minor, currency),
            is_open,
        }
    }
}
