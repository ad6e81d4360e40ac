//! The rules on the way from a cart to an order.

use std::collections::BTreeMap;

use super::Facts;
use crate::{
    Cart, CartEvent, Code, FieldError, Line, LineQuote, MethodId, Order, OrderId, OrderLine, Payment,
    PricePolicy, Rejection, Sku, Stage, Step, StepDetails, limits::CART_CODES_MAX, promotion::Verdict, quote,
};

pub(super) fn start_checkout(cart: &Cart) -> Result<Vec<CartEvent>, Rejection> {
    if cart.lines.is_empty() {
        return Err(Rejection::CartEmpty);
    }
    match cart.stage {
        Stage::Checkout { .. } => Ok(vec![]),
        _ => Ok(vec![CartEvent::CheckoutStarted]),
    }
}

pub(super) fn complete_step(
    cart: &Cart,
    facts: &Facts<'_>,
    details: &StepDetails,
) -> Result<Vec<CartEvent>, Rejection> {
    let step = details.step();
    let next = cart.next_step();
    if cart.lines.is_empty() {
        return Err(Rejection::CartEmpty);
    }
    if next != Some(step) && !cart.completed().contains(&step) {
        return Err(Rejection::StepOutOfOrder { step, next });
    }
    if let StepDetails::Shipping { method } = details {
        admit_method(cart, facts, method.as_ref())?;
    }
    let says_nothing_new = match details {
        StepDetails::Address(address) => cart.address.as_ref() == Some(address),
        StepDetails::Shipping { method } => *method == cart.shipping,
        StepDetails::Payment | StepDetails::Review => true,
    };
    if says_nothing_new && cart.completed().contains(&step) {
        return Ok(vec![]);
    }
    Ok(vec![CartEvent::StepCompleted { details: details.clone() }])
}

/// A method must be offered; where nothing travels, none is needed.
fn admit_method(cart: &Cart, facts: &Facts<'_>, method: Option<&MethodId>) -> Result<(), Rejection> {
    let offers = quote(cart, facts.products, facts.terms, facts.now_ms).offers;
    let is_offered = offers.offered.iter().any(|offer| Some(&offer.method) == method);
    if is_offered || !offers.needed {
        return Ok(());
    }
    let refused = offers.refused.iter().find(|refused| Some(&refused.method) == method);
    let names: Vec<_> = offers.offered.iter().map(|offer| offer.method.as_str()).collect();
    let message = match (refused, &names[..]) {
        (Some(refused), _) => format!("{} {}", refused.method, refused.why),
        (None, []) => "cannot be chosen: nothing of the shop's goes there".into(),
        (None, _) => format!("must be one of {}", names.join(", ")),
    };
    Err(Rejection::InvalidDetails { fields: vec![FieldError { field: "method".into(), message }] })
}

/// Whether a promotion applies is said by each quote; a code only has to be one of the shop's.
pub(super) fn apply_code(cart: &Cart, facts: &Facts<'_>, code: &Code) -> Result<Vec<CartEvent>, Rejection> {
    if cart.codes.contains(code) {
        return Ok(vec![]);
    }
    if !facts.terms.promotions.knows_code(code) {
        return Err(Rejection::UnknownCode { code: code.clone() });
    }
    if cart.codes.len() >= CART_CODES_MAX {
        let message = format!("is one too many: a cart takes {CART_CODES_MAX}; take another back first");
        return Err(Rejection::InvalidDetails { fields: vec![FieldError { field: "code".into(), message }] });
    }
    Ok(vec![CartEvent::CodeApplied { code: code.clone() }])
}

pub(super) fn accept_prices(cart: &Cart, facts: &Facts<'_>) -> Vec<CartEvent> {
    let prices = quote(cart, facts.products, facts.terms, facts.now_ms).changed(cart);
    if prices.is_empty() { vec![] } else { vec![CartEvent::PricesAccepted { prices }] }
}

pub(super) fn place_order(
    cart: &Cart,
    facts: &Facts<'_>,
    order_id: &OrderId,
    payment: &Payment,
) -> Result<Vec<CartEvent>, Rejection> {
    if cart.lines.is_empty() {
        return Err(Rejection::CartEmpty);
    }
    let next = cart.next_step();
    if next.is_some() || cart.stage == Stage::Open {
        return Err(Rejection::CheckoutIncomplete { next });
    }
    let mut quote = quote(cart, facts.products, facts.terms, facts.now_ms);
    if quote.offers.needed && quote.chosen(cart).is_none() {
        // The way that was chosen is no longer offered: the shopper chooses again.
        return Err(Rejection::CheckoutIncomplete { next: Some(Step::Shipping) });
    }
    if facts.terms.prices == PricePolicy::Tell && !quote.changed(cart).is_empty() {
        let lines = quote.changed(cart).into_iter().map(|(line, _)| line).collect();
        return Err(Rejection::PriceChanged { lines });
    }
    let totals = quote.totals;
    // An order tells what applied; what might have is of no use to it.
    quote.promotions.outcomes.retain(|o| matches!(o.verdict, Verdict::Applied(_)));
    if payment.amount_minor != totals.total_minor {
        return Err(Rejection::PaymentMismatch {
            authorised_minor: payment.amount_minor,
            due_minor: totals.total_minor,
        });
    }
    let mut taken = BTreeMap::new();
    let lines = cart.lines.iter().zip(&quote.lines);
    let lines = lines.map(|(line, quote)| sell(facts, &mut taken, line, quote)).collect::<Result<_, _>>()?;
    Ok(vec![CartEvent::OrderPlaced(Order {
        order_id: order_id.clone(),
        cart: cart.id.clone(),
        owner: cart.owner.clone(),
        placed_at_ms: facts.now_ms,
        currency: cart.currency,
        lines,
        note: cart.note.clone(),
        shipping: quote.chosen(cart).map(|offer| offer.method.clone()),
        shipping_minor: totals.shipping_minor,
        total_minor: totals.total_minor,
        payment_reference: payment.reference.clone(),
        quote: Some(Box::new(quote)),
    })])
}

/// Sells a line; `taken` counts the pieces that lines before it took off the shelf.
fn sell<'c>(
    facts: &Facts<'_>,
    taken: &mut BTreeMap<&'c Sku, i64>,
    line: &'c Line,
    quote: &LineQuote,
) -> Result<OrderLine, Rejection> {
    let missing = if line.policy.is_tracked() { line.quantity - line.held } else { 0 };
    let taken = taken.entry(&line.sku).or_default();
    let available = facts.stock.available(&line.sku) - *taken;
    *taken += i64::from(missing);
    if i64::from(missing) > available {
        return Err(Rejection::OutOfStock { sku: line.sku.clone(), available, wanted: missing });
    }
    Ok(OrderLine {
        sku: line.sku.clone(),
        properties: line.properties.clone(),
        name: line.name.clone(),
        quantity: line.quantity,
        unit_price_minor: quote.unit_price_minor,
        discount_minor: quote.discount_minor,
        from_held: line.held,
        from_available: missing,
    })
}
