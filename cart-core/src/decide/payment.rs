//! The rules of payments: an attempt begins, comes to its end and leaves behind what the provider is still to be told.

use super::{
    Facts,
    checkout::{due, sales},
};
use crate::{
    AttemptState, Cart, CartEvent, Command, OrderId, PaymentAttempt, PaymentId, PaymentTask, Rejection,
    RequestKey, quote,
};

/// Begins an attempt on a cart that can become an order, or joins the one under way: the provider knows it by its name
/// and pays it once, however many ask. One that was begun for another amount is given up.
pub(super) fn begin(
    cart: &Cart,
    facts: &Facts<'_>,
    order_id: &OrderId,
    request: Option<&RequestKey>,
) -> Result<Vec<CartEvent>, Rejection> {
    let now = due(cart, facts)?;
    sales(cart, facts, &now)?;
    let amount_minor = now.totals.due();
    // Nobody is charged another amount than they were shown: a gift card may have been spent elsewhere meanwhile.
    let shown_minor = quote(cart, facts.products, facts.terms, facts.now_ms).totals.due();
    if shown_minor != amount_minor {
        return Err(Rejection::PaymentMismatch { authorised_minor: shown_minor, due_minor: amount_minor });
    }
    let mut events = vec![];
    match cart.payment() {
        Some(attempt) if attempt.amount_minor == amount_minor => return Ok(vec![]),
        Some(attempt) => events.push(CartEvent::PaymentCancelled { payment: attempt.id.clone() }),
        None => {}
    }
    events.push(CartEvent::PaymentBegun {
        attempt: PaymentAttempt {
            id: PaymentId::of(order_id, cart.payments + 1),
            amount_minor,
            begun_at_ms: facts.now_ms,
            request: request.cloned(),
            state: AttemptState::Begun,
        },
    });
    Ok(events)
}

/// Reports whether the command asks once more what began the attempt under way: whoever lost the answer saw an older
/// version.
pub(super) fn asks_again(cart: &Cart, command: &Command) -> bool {
    match (cart.payment(), command) {
        (Some(attempt), Command::BeginPayment { request: Some(request), .. }) => {
            attempt.request.as_ref() == Some(request)
        }
        _ => false,
    }
}

pub(super) fn challenge(cart: &Cart, payment: &PaymentId, url: &str) -> Vec<CartEvent> {
    match live(cart, payment) {
        Some(attempt) if attempt.state == AttemptState::Begun => {
            vec![CartEvent::PaymentChallenged { payment: payment.clone(), url: url.to_owned() }]
        }
        _ => vec![],
    }
}

pub(super) fn fail(cart: &Cart, payment: &PaymentId, reason: &str) -> Vec<CartEvent> {
    match live(cart, payment) {
        Some(_) => vec![CartEvent::PaymentFailed { payment: payment.clone(), reason: reason.to_owned() }],
        None => vec![],
    }
}

/// Whatever the provider may have authorised for an attempt that is no order's is owed back; owed already, it is not
/// owed twice.
pub(crate) fn cancel(cart: &Cart, payment: Option<&PaymentId>) -> Vec<CartEvent> {
    let Some(payment) = payment.or(cart.payment().map(|attempt| &attempt.id)) else { return vec![] };
    let owed = PaymentTask::Void { payment: payment.clone() };
    match cart.payment_tasks.contains(&owed) {
        true => vec![],
        false => vec![CartEvent::PaymentCancelled { payment: payment.clone() }],
    }
}

pub(super) fn settle(cart: &Cart, task: &PaymentTask) -> Vec<CartEvent> {
    if !cart.payment_tasks.contains(task) {
        return vec![];
    }
    vec![match task.clone() {
        PaymentTask::Capture { payment, amount_minor } => {
            CartEvent::PaymentCaptured { payment, amount_minor }
        }
        PaymentTask::Refund { payment, number, amount_minor } => {
            CartEvent::PaymentRefunded { payment, number, amount_minor }
        }
        PaymentTask::Void { payment } => CartEvent::PaymentVoided { payment },
    }]
}

/// Puts before events that change what is due that the attempt under way is given up: nobody pays for a cart that is
/// another by now.
pub(crate) fn give_up_where_changed(cart: &Cart, mut events: Vec<CartEvent>) -> Vec<CartEvent> {
    if let Some(attempt) = cart.payment()
        && events.iter().any(CartEvent::changes_what_is_due)
    {
        let given_up = CartEvent::PaymentCancelled { payment: attempt.id.clone() };
        if !events.contains(&given_up) {
            events.insert(0, given_up);
        }
    }
    events
}

fn live<'c>(cart: &'c Cart, payment: &PaymentId) -> Option<&'c PaymentAttempt> {
    cart.payment().filter(|attempt| attempt.id == *payment)
}
