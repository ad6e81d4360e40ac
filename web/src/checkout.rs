//! The way from a cart to an order: an attempt to pay is committed, the provider is asked, and the order is placed or the
//! attempt ends.
//!
//! Whatever breaks off in between, and wherever, the cart says what is under way: [`recovery`] asks the provider what
//! became of it and [`settlement`] tells it what it is still to be told.

pub mod orders;
pub mod recovery;
pub mod settlement;

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Instant};

use cart_core::{
    AttemptState, Cart, CartId, Command, OrderId, Payment, PaymentAttempt, PaymentId, Request, RequestKey,
    VisitorId,
};
use sha2::{Digest, Sha256};

use crate::{
    carts::{Carts, CartsError, IdempotencyKey},
    clock, metrics,
    payment::{Authorisation, PaymentError, PaymentProvider, PaymentRequest, PaymentStatus},
    store::{Answer, Store, StoreError},
};

/// Says why there was no answer by a rule.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// The carts could not answer.
    #[error(transparent)]
    Carts(#[from] CartsError),
    /// The provider did not authorise.
    #[error(transparent)]
    Payment(#[from] PaymentError),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Is a request to place an order.
#[derive(Clone, Debug)]
pub struct Placing {
    /// The cart.
    pub cart: CartId,
    /// Who asks.
    pub caller: VisitorId,
    /// The version the caller last saw, where it matters to them.
    pub expected_version: Option<u64>,
    /// The means of payment.
    pub payment_token: String,
    /// The client's key.
    pub key: Option<IdempotencyKey>,
}

/// Places orders and brings payments to their end; cheap to clone.
#[derive(Clone)]
pub struct Checkout {
    /// The carts.
    pub carts: Carts,
    /// The state.
    pub store: Arc<dyn Store>,
    /// Who moves the money.
    pub provider: Arc<dyn PaymentProvider>,
    /// How long a request to the provider may be on its way, in milliseconds: what it does not know by then will not
    /// come of itself.
    pub grace_ms: i64,
    /// How long the shopper, or the provider, may take to decide, in milliseconds.
    pub patience_ms: i64,
}

impl Checkout {
    /// Places the order of a cart, as far as its payment goes: the answer's cart is ordered, or its payment waits for
    /// the shopper to confirm.
    ///
    /// # Errors
    /// [`CheckoutError`] where no rule answered; asked again with the same key, at most one order comes of it.
    pub async fn place_order(&self, placing: Placing) -> Result<Answer, CheckoutError> {
        let Placing { cart, caller, expected_version, payment_token, key } = placing;
        let order_id = order_id_of(&cart);
        let request = key.clone().map(|IdempotencyKey { key, fingerprint }| RequestKey { key, fingerprint });
        let begin = Request {
            caller: Some(caller),
            expected_version,
            command: Command::BeginPayment { order_id, request },
        };
        let begun = self.carts.execute(cart, begin, key.clone()).await?;
        let Answer::Accepted(accepted) = &begun else { return Ok(begun) };
        // Without an attempt under way it is the answer that this key was given before.
        let Some(attempt) = accepted.cart.payment() else { return self.with_order(begun).await };
        let asked = Instant::now();
        let authorised = self.authorise(&accepted.cart, attempt, payment_token).await;
        match authorised {
            Ok(Authorisation::Authorised { reference }) => {
                self.finish(&accepted.cart.id, attempt, reference, key).await
            }
            Ok(Authorisation::Challenged { url }) => {
                let challenge = Command::ChallengePayment { payment: attempt.id.clone(), url };
                Ok(self.note(&accepted.cart.id, challenge).await?)
            }
            Err(error) => {
                // The command ends here, before any actor could count it.
                metrics::command("place_order", error.name(), &accepted.cart.assignments, asked.elapsed());
                if let Some(end) = end_of(&attempt.id, &error) {
                    // Where this fails, recovery finds the attempt and asks the provider.
                    let _ = self.note(&accepted.cart.id, end).await;
                }
                Err(error.into())
            }
        }
    }

    /// Nobody is asked for nothing.
    async fn authorise(
        &self,
        cart: &Cart,
        attempt: &PaymentAttempt,
        token: String,
    ) -> Result<Authorisation, PaymentError> {
        if attempt.amount_minor == 0 {
            return Ok(Authorisation::Authorised { reference: NOTHING_DUE.into() });
        }
        let request = PaymentRequest {
            payment: attempt.id.clone(),
            cart: cart.id.clone(),
            token,
            amount_minor: attempt.amount_minor,
        };
        self.provider.authorise(&request).await
    }

    /// Places the order of an attempt that is authorised. Where that cannot be, the attempt is given up, and what was
    /// authorised is owed back from the same moment on.
    async fn finish(
        &self,
        cart: &CartId,
        attempt: &PaymentAttempt,
        reference: String,
        key: Option<IdempotencyKey>,
    ) -> Result<Answer, CheckoutError> {
        let payment = Payment { id: attempt.id.clone(), reference, amount_minor: attempt.amount_minor };
        let command = Command::PlaceOrder { order_id: order_id_of(cart), payment };
        let request = Request { caller: None, expected_version: None, command };
        let answer = self.carts.execute(cart.clone(), request, key).await?;
        if !matches!(&answer, Answer::Accepted(_)) {
            self.note(cart, Command::CancelPayment { payment: Some(attempt.id.clone()) }).await?;
        }
        self.settle_soon(cart.clone());
        self.with_order(answer).await
    }

    /// Whoever joined an attempt that another one placed the order of is answered that order.
    async fn with_order(&self, mut answer: Answer) -> Result<Answer, CheckoutError> {
        if let Answer::Accepted(accepted) = &mut answer
            && accepted.order.is_none()
            && let Some(order) = accepted.cart.order_id()
        {
            accepted.order = self.store.order(order).await?;
        }
        Ok(answer)
    }

    /// Tells a cart what its provider said.
    async fn note(&self, cart: &CartId, command: Command) -> Result<Answer, CartsError> {
        let request = Request { caller: None, expected_version: None, command };
        self.carts.execute(cart.clone(), request, None).await
    }

    /// Finds out what became of a cart's payment and brings it on its way: the one under way, and one that a provider
    /// told of. Returns the cart as it was found.
    ///
    /// # Errors
    /// [`CheckoutError`] where the provider or the store does not answer.
    pub async fn resolve(
        &self,
        cart: &CartId,
        told_of: Option<&PaymentId>,
    ) -> Result<Option<Cart>, CheckoutError> {
        let Some(found) = self.store.cart(cart).await? else { return Ok(None) };
        if let Some(attempt) = found.payment() {
            self.resolve_attempt(cart, attempt).await?;
        }
        if let Some(stray) = told_of.filter(|payment| found.payment().is_none_or(|a| a.id != **payment)) {
            let is_live = match self.provider.status(stray).await? {
                PaymentStatus::Unknown | PaymentStatus::Declined | PaymentStatus::Voided => false,
                PaymentStatus::Pending
                | PaymentStatus::Challenged { .. }
                | PaymentStatus::Authorised { .. } => true,
            };
            // The cart knows whether it is its order's; any other is owed back.
            if is_live {
                self.note(cart, Command::CancelPayment { payment: Some(stray.clone()) }).await?;
            }
        }
        Ok(Some(found))
    }

    async fn resolve_attempt(&self, cart: &CartId, attempt: &PaymentAttempt) -> Result<(), CheckoutError> {
        let payment = attempt.id.clone();
        let age_ms = clock::now_ms() - attempt.begun_at_ms;
        let status = match attempt.amount_minor {
            0 => PaymentStatus::Authorised { reference: NOTHING_DUE.into() },
            _ => self.provider.status(&payment).await?,
        };
        let command = match status {
            PaymentStatus::Authorised { reference } => {
                let key = attempt.request.clone();
                let key = key.map(|RequestKey { key, fingerprint }| IdempotencyKey { key, fingerprint });
                return self.finish(cart, attempt, reference, key).await.map(drop);
            }
            PaymentStatus::Declined => {
                Command::FailPayment { payment, reason: PaymentError::Declined.name().into() }
            }
            PaymentStatus::Voided => Command::CancelPayment { payment: Some(payment) },
            PaymentStatus::Unknown if age_ms >= self.grace_ms => {
                Command::CancelPayment { payment: Some(payment) }
            }
            PaymentStatus::Pending | PaymentStatus::Challenged { .. } if age_ms >= self.patience_ms => {
                Command::CancelPayment { payment: Some(payment) }
            }
            PaymentStatus::Challenged { url } if attempt.state == AttemptState::Begun => {
                Command::ChallengePayment { payment, url }
            }
            PaymentStatus::Unknown | PaymentStatus::Pending | PaymentStatus::Challenged { .. } => {
                return Ok(());
            }
        };
        self.note(cart, command).await?;
        Ok(())
    }
}

/// The reference of a payment of nothing.
const NOTHING_DUE: &str = "nothing due";

/// Returns how an attempt ends that the provider refused; one without an answer has not ended.
fn end_of(payment: &PaymentId, error: &PaymentError) -> Option<Command> {
    match error {
        PaymentError::Declined | PaymentError::UnknownToken(_) => {
            Some(Command::FailPayment { payment: payment.clone(), reason: error.name().into() })
        }
        PaymentError::Cancelled => Some(Command::CancelPayment { payment: Some(payment.clone()) }),
        PaymentError::TimedOut => None,
    }
}

/// A cart becomes one order at most, so its name follows from the cart's.
pub fn order_id_of(cart: &CartId) -> OrderId {
    let digest = Sha256::new().chain_update(b"cartwright order 1:").chain_update(cart.as_str()).finalize();
    OrderId::parse(&format!("o{}", hex::encode(&digest[..10]))).expect("hexadecimal digits are an id")
}
