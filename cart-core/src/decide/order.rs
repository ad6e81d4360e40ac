//! The rules of orders after they were placed.

use super::Facts;
use crate::{
    AccountId, CartEvent, FieldError, LineId, Order, OrderState, OrderStatus, Pick, Posting, Refund,
    RefundWish, RefundedLine, Rejection, Taken, Tender, gift_card::given_back, order::share, stock::parts,
};

pub(super) fn fulfil(
    state: &OrderState,
    facts: &Facts<'_>,
    order: &Order,
) -> Result<Vec<CartEvent>, Rejection> {
    match state.status.fulfil(facts.now_ms) {
        Ok(_) => {
            Ok(vec![CartEvent::OrderFulfilled { order_id: order.order_id.clone(), at_ms: facts.now_ms }])
        }
        Err(OrderStatus::Fulfilled { .. }) => Ok(vec![]),
        Err(status) => Err(Rejection::OrderState { status: status.name().into() }),
    }
}

/// Cancels an order whole: what is left of its pieces goes back to the shelf, what is left of its price to who paid it.
/// Shoppers may do so for some time, the shop until it has sent the order off.
pub(super) fn cancel(
    state: &OrderState,
    facts: &Facts<'_>,
    order: &Order,
    is_shopper: bool,
) -> Result<Vec<CartEvent>, Rejection> {
    match state.status.cancel(facts.now_ms) {
        Ok(_) => {}
        Err(OrderStatus::Cancelled { .. }) => return Ok(vec![]),
        Err(status) => return Err(Rejection::OrderState { status: status.name().into() }),
    }
    if is_shopper && facts.now_ms - order.placed_at_ms > facts.terms.cancel_ms {
        return Err(Rejection::CancelTooLate { minutes: facts.terms.cancel_ms / 60_000 });
    }
    let lines = (0..order.lines.len()).map(|at| {
        let id = order.lines[at].id();
        let quantity = order.lines[at].quantity - state.refunded_of(&id);
        refunded(order, state, at, &id, quantity, true)
    });
    let amount_minor = order.total_minor - state.refunded_minor();
    let refund = Refund {
        number: state.next_number(),
        at_ms: facts.now_ms,
        amount_minor,
        prepaid_minor: prepaid(order, state, amount_minor),
        shipping_minor: shipping_left(order, state),
        lines: lines.filter(|line| line.quantity > 0).collect(),
    };
    let mut postings = postings(order, state, &refund);
    postings.extend(order.postings.iter().filter(|posting| posting.account.is_use()).map(Posting::reversed));
    postings.sort_unstable_by(|a, b| a.account.cmp(&b.account));
    Ok(vec![CartEvent::OrderCancelled { order_id: order.order_id.clone(), refund, postings }])
}

/// Gives part of an order back; never more than was paid.
pub(super) fn refund(
    state: &OrderState,
    facts: &Facts<'_>,
    order: &Order,
    wish: &RefundWish,
) -> Result<Vec<CartEvent>, Rejection> {
    let mut lines: Vec<RefundedLine> = vec![];
    for (id, quantity) in &wish.lines {
        let at = order.lines.iter().position(|line| line.id() == *id);
        let at = at.ok_or_else(|| Rejection::LineNotFound { line: id.clone() })?;
        let left = order.lines[at].quantity - state.refunded_of(id);
        if *quantity == 0 || *quantity > left || lines.iter().any(|line| line.line == *id) {
            let message =
                format!("names {quantity} of {id}, of which {left} can be given back, each line once");
            return Err(Rejection::InvalidDetails {
                fields: vec![FieldError { field: "lines".into(), message }],
            });
        }
        lines.push(refunded(order, state, at, id, *quantity, wish.restock));
    }
    let shipping_minor = if wish.shipping { shipping_left(order, state) } else { 0 };
    let amount_minor =
        lines.iter().map(|line| line.amount_minor).sum::<i64>() + shipping_minor + wish.amount_minor.max(0);
    let left_minor = order.total_minor - state.refunded_minor();
    if amount_minor > left_minor {
        return Err(Rejection::RefundTooLarge { asked_minor: amount_minor, left_minor });
    }
    if amount_minor <= 0 && lines.is_empty() {
        let message = "must name pieces, shipping or an amount to give back".into();
        return Err(Rejection::InvalidDetails {
            fields: vec![FieldError { field: "refund".into(), message }],
        });
    }
    let refund = Refund {
        number: state.next_number(),
        at_ms: facts.now_ms,
        amount_minor,
        prepaid_minor: prepaid(order, state, amount_minor),
        shipping_minor,
        lines,
    };
    let postings = postings(order, state, &refund);
    Ok(vec![CartEvent::OrderRefunded { order_id: order.order_id.clone(), refund, postings }])
}

/// Says what of an amount goes back to gift cards and credit: what the provider does not give back, which is asked first.
fn prepaid(order: &Order, state: &OrderState, amount_minor: i64) -> i64 {
    let given_back = state.refunded_minor() - state.prepaid_back_minor();
    (amount_minor - (order.due_minor() - given_back)).max(0)
}

/// Returns what a refund posts: what goes back to gift cards and credit, and pieces that count no more as bought.
fn postings(order: &Order, state: &OrderState, refund: &Refund) -> Vec<Posting> {
    let account = |tender: &Tender| tender.account(order.currency, &order.owner);
    let before_minor = state.prepaid_back_minor();
    let mut postings = given_back(order.tenders(), before_minor, refund.prepaid_minor, account);
    for posting in &order.postings {
        let AccountId::CustomerPieces { sku, .. } = &posting.account else { continue };
        let is_gift = |id: &LineId| order.lines.iter().any(|l| l.gift_of.is_some() && l.id() == *id);
        let lines = refund.lines.iter().filter(|l| l.line.sku() == sku && !is_gift(&l.line));
        let pieces: i64 = lines.map(|line| i64::from(line.quantity)).sum();
        if pieces > 0 {
            postings.push(Posting { account: posting.account.clone(), delta: -pieces });
        }
    }
    postings.sort_unstable_by(|a, b| a.account.cmp(&b.account));
    postings
}

/// Pays pieces of a line back at what they cost; of those that left the shelf, as many go back to it.
fn refunded(
    order: &Order,
    state: &OrderState,
    at: usize,
    id: &LineId,
    quantity: u32,
    restock: bool,
) -> RefundedLine {
    let line = &order.lines[at];
    let (cost_minor, before) = (order.line_cost_minor(at), state.refunded_of(id));
    let off_the_shelf = line.from_held + line.from_available - state.restocked_of(id);
    let restocked = if restock { off_the_shelf.min(quantity) } else { 0 };
    let left = |taken: &Taken| {
        let back = state.restocked_part_of(id, &taken.sku, &taken.location);
        taken.from_held + taken.from_available - back
    };
    let off: Vec<_> = line.taken.iter().map(|taken| (&taken.sku, &taken.location, left(taken))).collect();
    let back = off.iter().zip(parts(&off, restocked, off_the_shelf));
    let back = back.map(|((sku, location, _), pieces)| Pick {
        sku: (*sku).clone(),
        location: (*location).clone(),
        pieces,
    });
    RefundedLine {
        line: id.clone(),
        quantity,
        restocked,
        picks: back.filter(|pick| pick.pieces > 0).collect(),
        amount_minor: share(cost_minor, line.quantity, before + quantity)
            - share(cost_minor, line.quantity, before),
    }
}

fn shipping_left(order: &Order, state: &OrderState) -> i64 {
    let given_back: i64 = state.refunds.iter().map(|refund| refund.shipping_minor).sum();
    order.shipping_cost_minor() - given_back
}
