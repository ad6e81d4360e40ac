//! Payments as a state of the cart: an attempt is written down before the provider hears of it, and what is owed to
//! or by the provider stays written down until the provider has confirmed it.

use serde::{Deserialize, Serialize};

use crate::PaymentId;

/// Is an amount that a payment provider has authorised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The attempt that it belongs to.
    pub id: PaymentId,
    /// The provider's name for it.
    pub reference: String,
    /// Minor units of the cart's currency.
    pub amount_minor: i64,
}

/// Is an attempt to pay a cart that has not ended yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentAttempt {
    /// Its name; the provider's idempotency key.
    pub id: PaymentId,
    /// What is to be paid, in minor units of the cart's currency.
    pub amount_minor: i64,
    /// When it began, in Unix milliseconds.
    pub begun_at_ms: i64,
    /// The request that began it, where its client wants to be able to ask again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestKey>,
    /// How far it has come.
    pub state: AttemptState,
}

/// Is a client's idempotency key with the digest of its request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestKey {
    /// The key as the client sent it.
    pub key: String,
    /// A digest of the request.
    pub fingerprint: String,
}

/// Says how far an attempt to pay has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum AttemptState {
    /// The provider was asked, or is about to be; its answer is not known.
    Begun,
    /// The provider wants the shopper to confirm the payment.
    Challenged {
        /// Where they do so.
        url: String,
    },
}

/// Is something that the provider is still to be told. It is told again until it has confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum PaymentTask {
    /// Take what was authorised for an order.
    Capture {
        /// The payment.
        payment: PaymentId,
        /// Minor units of the cart's currency.
        amount_minor: i64,
    },
    /// Give part of what was taken back.
    Refund {
        /// The payment.
        payment: PaymentId,
        /// The refund's place among those of the order, from 1.
        number: u32,
        /// Minor units of the cart's currency.
        amount_minor: i64,
    },
    /// Let all of a payment go: what was authorised, and what was taken.
    Void {
        /// The payment.
        payment: PaymentId,
    },
}

impl PaymentTask {
    /// Returns the payment that the task is about.
    pub fn payment(&self) -> &PaymentId {
        match self {
            Self::Capture { payment, .. } | Self::Refund { payment, .. } | Self::Void { payment } => payment,
        }
    }
}
