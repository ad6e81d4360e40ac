//! The way from a cart to an order: look, authorise, commit; and take the money back where the commit says no.

use std::time::Instant;

use cart_core::{CartId, Command, OrderId, Payment, Request, VisitorId};
use sha2::{Digest, Sha256};

use crate::{
    carts::{Carts, CartsError, IdempotencyKey},
    metrics,
    payment::{PaymentError, PaymentProvider, PaymentRequest},
    store::Answer,
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

/// Places the order of a cart.
///
/// A look at the cart first, so that nobody pays for what cannot be ordered. Whatever the look says, the turn has the
/// last word: it knows the idempotency key, and it decides on locked rows.
///
/// # Errors
/// [`CheckoutError`] where no rule answered; asked again with the same key, at most one order comes of it.
pub async fn place_order(
    carts: &Carts,
    provider: &dyn PaymentProvider,
    placing: Placing,
) -> Result<Answer, CheckoutError> {
    let answer = carts.read(placing.cart.clone(), placing.caller.clone()).await?;
    let Answer::Accepted(accepted) = answer else { return Ok(answer) };
    let cart = &accepted.cart;
    let order_id = order_id_of(&cart.id);
    let due = Payment { reference: String::new(), amount_minor: accepted.quote.totals.total_minor };
    let request = |payment| Request {
        caller: Some(placing.caller.clone()),
        expected_version: placing.expected_version,
        command: Command::PlaceOrder { order_id: order_id.clone(), payment },
    };
    let look = carts.attempt(placing.cart.clone(), request(due.clone())).await?;
    if !matches!(look, Answer::Accepted(_)) {
        // An amount that no cart costs: should the cart have changed for the better, this still places nothing.
        let unpaid = Payment { reference: "none".into(), amount_minor: -1 };
        return Ok(carts.execute(placing.cart.clone(), request(unpaid), placing.key.clone()).await?);
    }
    let asked = Instant::now();
    let authorised = provider
        .authorise(&PaymentRequest {
            key: format!("{order_id}-{}", due.amount_minor),
            token: placing.payment_token.clone(),
            amount_minor: due.amount_minor,
        })
        .await;
    let payment = authorised.inspect_err(|error| {
        // The command ends here, before any actor could count it.
        metrics::command("place_order", error.name(), &cart.assignments, asked.elapsed());
    })?;
    let answer = carts.execute(placing.cart.clone(), request(payment.clone()), placing.key.clone()).await?;
    if !matches!(&answer, Answer::Accepted(a) if a.order.is_some()) {
        provider.void(&payment).await;
    }
    Ok(answer)
}

/// A cart becomes one order at most, so its name follows from the cart's.
fn order_id_of(cart: &CartId) -> OrderId {
    let digest = Sha256::new().chain_update(b"cartwright order 1:").chain_update(cart.as_str()).finalize();
    let hex: String = digest.iter().take(10).map(|byte| format!("{byte:02x}")).collect();
    OrderId::parse(&format!("o{hex}")).expect("hexadecimal digits are an id")
}
