//! Payments: a provider authorises an amount before the order is placed, and takes it back where it is not.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use async_trait::async_trait;
use cart_core::Payment;

/// Is an amount to authorise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRequest {
    /// Names the attempt: the same key never pays twice.
    pub key: String,
    /// What the payment page gave the shopper's browser; stands for the means of payment.
    pub token: String,
    /// Minor units of the cart's currency.
    pub amount_minor: i64,
}

/// Says why an amount is not authorised.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    /// The provider refuses.
    #[error("the payment was declined; try another means of payment")]
    Declined,
    /// The provider did not answer in time; asked again with the same key, it may have.
    #[error("the payment provider did not answer in time; nothing was ordered, try again")]
    TimedOut,
    /// The token is not the provider's.
    #[error(
        "payment_token {0:?} is not known; the test provider takes tok_success, tok_decline and tok_timeout"
    )]
    UnknownToken(String),
}

impl PaymentError {
    /// Returns the stable name that clients branch on.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Declined => "payment_declined",
            Self::TimedOut => "payment_timeout",
            Self::UnknownToken(_) => "unknown_payment_token",
        }
    }
}

/// Authorises amounts.
#[async_trait]
pub trait PaymentProvider: Send + Sync + 'static {
    /// Authorises an amount, once a key.
    ///
    /// # Errors
    /// [`PaymentError`].
    async fn authorise(&self, request: &PaymentRequest) -> Result<Payment, PaymentError>;

    /// Takes an authorisation back, where it was not used.
    async fn void(&self, payment: &Payment);
}

/// Is the provider for trying things: it succeeds, declines or times out, as the token says.
#[derive(Debug, Default)]
pub struct TestProvider {
    timeout: Duration,
    authorised: Mutex<BTreeMap<String, Payment>>,
}

impl TestProvider {
    /// Returns a provider that times out after `timeout`.
    pub fn new(timeout: Duration) -> Self {
        Self { timeout, ..Self::default() }
    }

    fn remembered(&self, key: &str) -> Option<Payment> {
        self.authorised.lock().expect("no thread panics with the lock held").get(key).cloned()
    }

    fn remember(&self, request: &PaymentRequest) -> Payment {
        let payment =
            Payment { reference: format!("test-{}", request.key), amount_minor: request.amount_minor };
        let mut authorised = self.authorised.lock().expect("no thread panics with the lock held");
        // Only attempts under way matter; a demo of many days must not grow without end.
        if authorised.len() >= 10_000 {
            authorised.pop_first();
        }
        authorised.insert(request.key.clone(), payment.clone());
        payment
    }
}

#[async_trait]
impl PaymentProvider for TestProvider {
    async fn authorise(&self, request: &PaymentRequest) -> Result<Payment, PaymentError> {
        if let Some(payment) = self.remembered(&request.key) {
            return Ok(payment);
        }
        match request.token.as_str() {
            "tok_success" => Ok(self.remember(request)),
            "tok_decline" => Err(PaymentError::Declined),
            "tok_timeout" => {
                // As real ones do: the money is reserved, only the answer is lost.
                self.remember(request);
                tokio::time::sleep(self.timeout).await;
                Err(PaymentError::TimedOut)
            }
            other => Err(PaymentError::UnknownToken(other.chars().take(40).collect())),
        }
    }

    async fn void(&self, payment: &Payment) {
        let mut authorised = self.authorised.lock().expect("no thread panics with the lock held");
        authorised.retain(|_, p| p.reference != payment.reference);
    }
}
