//! Payments: a provider authorises an amount before the order is placed, takes it once the order stands, and gives it
//! back. Every call names the payment and may be repeated.

pub mod book;
pub mod courier;
pub mod sandbox;

use async_trait::async_trait;
use cart_core::{CartId, PaymentId};

pub use sandbox::Sandbox;

/// Is an amount to authorise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRequest {
    /// Names the attempt: it never pays twice.
    pub payment: PaymentId,
    /// The cart that is paid; the provider tells it again in its webhooks.
    pub cart: CartId,
    /// What the payment page gave the shopper's browser; stands for the means of payment.
    pub token: String,
    /// Minor units of the cart's currency.
    pub amount_minor: i64,
}

/// Is what a provider answers to who asks for an amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorisation {
    /// The amount is reserved.
    Authorised {
        /// The provider's name for it.
        reference: String,
    },
    /// The shopper is to confirm first.
    Challenged {
        /// Where they do so.
        url: String,
    },
}

/// Says how far a payment has come at its provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentStatus {
    /// The provider never heard of it; a request may still be on its way.
    Unknown,
    /// The provider does not know yet.
    Pending,
    /// The shopper is to confirm.
    Challenged {
        /// Where they do so.
        url: String,
    },
    /// The amount is reserved, or taken already.
    Authorised {
        /// The provider's name for it.
        reference: String,
    },
    /// Nothing will be paid.
    Declined,
    /// It was let go.
    Voided,
}

/// Says why a provider did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    /// The provider refuses.
    #[error("the payment was declined; try another means of payment")]
    Declined,
    /// The provider did not answer in time; what became of it is found out later.
    #[error(
        "the payment provider did not answer in time; try again in a moment, or send cancel_payment to pay otherwise"
    )]
    TimedOut,
    /// The payment was let go meanwhile.
    #[error("the payment was cancelled meanwhile; nothing was charged, order again")]
    Cancelled,
    /// The token is not the provider's.
    #[error("payment_token {0:?} is not known; the sandbox takes {list}", list = sandbox::TOKENS.join(", "))]
    UnknownToken(String),
}

impl PaymentError {
    /// Returns the stable name that clients branch on.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Declined => "payment_declined",
            Self::TimedOut => "payment_timeout",
            Self::Cancelled => "payment_cancelled",
            Self::UnknownToken(_) => "unknown_payment_token",
        }
    }
}

/// Moves money. A call that is repeated has its effect once; one that times out may have had it.
#[async_trait]
pub trait PaymentProvider: Send + Sync + 'static {
    /// Reserves an amount. Whoever asks again hears of the same payment, whatever its token.
    ///
    /// # Errors
    /// [`PaymentError`].
    async fn authorise(&self, request: &PaymentRequest) -> Result<Authorisation, PaymentError>;

    /// Says how far a payment has come.
    ///
    /// # Errors
    /// [`PaymentError::TimedOut`].
    async fn status(&self, payment: &PaymentId) -> Result<PaymentStatus, PaymentError>;

    /// Lets all of a payment go: what was reserved is free again, what was taken is given back, and a request that is
    /// still on its way will come to nothing.
    ///
    /// # Errors
    /// [`PaymentError::TimedOut`].
    async fn void(&self, payment: &PaymentId) -> Result<(), PaymentError>;

    /// Takes an amount that was reserved.
    ///
    /// # Errors
    /// [`PaymentError::Cancelled`] where nothing is reserved, and [`PaymentError::TimedOut`].
    async fn capture(&self, payment: &PaymentId, amount_minor: i64) -> Result<(), PaymentError>;

    /// Gives part of what was taken back; the number names the refund among those of the payment.
    ///
    /// # Errors
    /// [`PaymentError::Cancelled`] where less was taken, and [`PaymentError::TimedOut`].
    async fn refund(&self, payment: &PaymentId, number: u32, amount_minor: i64) -> Result<(), PaymentError>;
}
