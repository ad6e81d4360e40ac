//! The rules of orders after they were placed.

use super::{Facts, parcel::sent_off};
use crate::{
    AccountId, CartEvent, FieldError, LineId, Order, OrderLine, OrderState, OrderStatus, Pick, Posting,
    Refund, RefundWish, RefundedLine, Rejection, Tender, Waiting,
    gift_card::given_back,
    order::{from_last, share},
};

/// Cancels an order whole: what is left of its pieces goes back to the shelf, what is left of its price to who paid it.
/// Where parcels have left, that is done with the rest. Shoppers may do so for some time, the shop until it has sent all of
/// the order off.
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
    if !state.parcels.is_empty() {
        return cancel_the_rest(state, facts, order);
    }
    let back = GivenBack { order, state, waiting: order.unsent(state), restock: true, sent: false };
    let lines = (0..order.lines.len()).map(|at| back.line(at, back.left_of(at)));
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
    postings.extend(
        order.postings.iter().filter(|posting| posting.account.counts_orders()).map(Posting::reversed),
    );
    postings.sort_unstable_by(|a, b| a.account.cmp(&b.account));
    Ok(vec![CartEvent::OrderCancelled { order_id: order.order_id.clone(), refund, postings }])
}

/// Gives back what was not sent yet, at what it cost; shipping was needed. What completes a set of which parts were sent goes
/// on waiting.
fn cancel_the_rest(
    state: &OrderState,
    facts: &Facts<'_>,
    order: &Order,
) -> Result<Vec<CartEvent>, Rejection> {
    let back = GivenBack { order, state, waiting: order.unsent(state), restock: true, sent: false };
    let lines = (0..order.lines.len()).map(|at| (at, back.unsent_of(at))).filter(|(_, pieces)| *pieces > 0);
    let lines: Vec<_> = lines.map(|(at, pieces)| back.line(at, pieces)).collect();
    if lines.is_empty() {
        return Err(Rejection::OrderState { status: "sent in part".into() });
    }
    let cost_minor: i64 = lines.iter().map(|line| line.amount_minor).sum();
    let amount_minor = cost_minor.min(order.total_minor - state.refunded_minor());
    let refund = Refund {
        number: state.next_number(),
        at_ms: facts.now_ms,
        amount_minor,
        prepaid_minor: prepaid(order, state, amount_minor),
        shipping_minor: 0,
        lines,
    };
    Ok(given(state, facts, order, refund))
}

/// Notes a refund and, where nothing waits any more of what parcels have begun to send, that the order is sent off.
fn given(state: &OrderState, facts: &Facts<'_>, order: &Order, refund: Refund) -> Vec<CartEvent> {
    let mut after = state.clone();
    after.refunds.push(refund.clone());
    let postings = postings(order, state, &refund);
    let refunded = CartEvent::OrderRefunded { order_id: order.order_id.clone(), refund, postings };
    let is_begun = !state.parcels.is_empty();
    let sent = is_begun.then(|| sent_off(&after, facts, order)).flatten();
    Some(refunded).into_iter().chain(sent).collect()
}

/// Gives part of an order back; never more than was paid.
pub(super) fn refund(
    state: &OrderState,
    facts: &Facts<'_>,
    order: &Order,
    wish: &RefundWish,
) -> Result<Vec<CartEvent>, Rejection> {
    let is_placed = state.status == OrderStatus::Placed;
    let waiting = if is_placed { order.unsent(state) } else { vec![] };
    let back = GivenBack { order, state, waiting, restock: wish.restock, sent: wish.sent };
    let mut lines: Vec<RefundedLine> = vec![];
    for (id, quantity) in &wish.lines {
        let at = order.lines.iter().position(|line| line.id() == *id);
        let at = at.ok_or_else(|| Rejection::LineNotFound { line: id.clone() })?;
        let (left, of_those) = match wish.sent {
            true => (back.sent_of(at), "were sent and can be given back"),
            false => (back.left_of(at), "can be given back"),
        };
        if *quantity == 0 || *quantity > left || lines.iter().any(|line| line.line == *id) {
            let message = format!("names {quantity} of {id}, of which {left} {of_those}, each line once");
            return Err(Rejection::InvalidDetails {
                fields: vec![FieldError { field: "lines".into(), message }],
            });
        }
        lines.push(back.line(at, *quantity));
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
    Ok(given(state, facts, order, refund))
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

/// Is how pieces of an order are given back.
struct GivenBack<'o> {
    order: &'o Order,
    state: &'o OrderState,
    /// What was not sent yet.
    waiting: Vec<Waiting>,
    /// They go back to the shelf.
    restock: bool,
    /// They were sent before.
    sent: bool,
}

impl GivenBack<'_> {
    /// Counts the pieces of a line that were not paid back.
    fn left_of(&self, at: usize) -> u32 {
        let line = &self.order.lines[at];
        line.quantity - self.state.refunded_of(&line.id())
    }

    /// Counts the pieces of a line of which nothing was sent yet.
    fn unsent_of(&self, at: usize) -> u32 {
        let line = &self.order.lines[at];
        let whole =
            |(sku, each): (_, u32)| self.waiting_of(line, sku).map(|w| w.pieces).sum::<u32>() / each.max(1);
        line.made_of().into_iter().map(whole).min().unwrap_or(0).min(self.left_of(at))
    }

    /// Counts the pieces of a line that were sent whole.
    fn sent_of(&self, at: usize) -> u32 {
        let (line, left) = (&self.order.lines[at], self.left_of(at));
        let whole = |(sku, each): (_, u32)| {
            let waiting: u32 = self.waiting_of(line, sku).map(|w| w.pieces).sum();
            (each * left).saturating_sub(waiting) / each.max(1)
        };
        line.made_of().into_iter().map(whole).min().unwrap_or(left)
    }

    fn waiting_of<'s>(&'s self, line: &OrderLine, sku: &'s crate::Sku) -> impl Iterator<Item = &'s Waiting> {
        let id = line.id();
        self.waiting.iter().filter(move |waiting| waiting.line == id && waiting.sku == *sku)
    }

    /// Pays pieces of a line back at what they cost; of those that left the shelf, as many go back to it. What waits is given
    /// back first, and of what lies or lay in several locations what was put there last.
    fn line(&self, at: usize, quantity: u32) -> RefundedLine {
        let (line, state) = (&self.order.lines[at], self.state);
        let id = line.id();
        let (cost_minor, before) = (self.order.line_cost_minor(at), state.refunded_of(&id));
        let off_the_shelf = line.from_held + line.from_available - state.restocked_of(&id);
        let restocked = if self.restock { off_the_shelf.min(quantity) } else { 0 };
        let (mut unsent, mut picks) = (vec![], vec![]);
        for (sku, each, _) in line.products() {
            let places = line.places_of(sku, each);
            let waits = |at: &Option<&crate::LocationId>| -> u32 {
                self.waiting_of(line, sku).filter(|w| w.location.as_ref() == *at).map(|w| w.pieces).sum()
            };
            let waiting: Vec<u32> = places.iter().map(|(at, _)| waits(at)).collect();
            let gone: Vec<u32> = places
                .iter()
                .zip(&waiting)
                .map(|((at, all), waiting)| {
                    let back = at.map_or(*all, |at| state.restocked_part_of(&id, sku, at));
                    all.saturating_sub(back + waiting)
                })
                .collect();
            let wanted = each * quantity;
            let of_waiting = from_last(&waiting, if self.sent { 0 } else { wanted });
            let of_gone = from_last(&gone, wanted - of_waiting.iter().sum::<u32>());
            for (((at, _), waiting), gone) in places.iter().zip(of_waiting).zip(of_gone) {
                let location = at.cloned().unwrap_or_default();
                let pick = |pieces| Pick { sku: sku.clone(), location: location.clone(), pieces };
                unsent.extend((waiting > 0).then(|| pick(waiting)));
                let back = if at.is_some() { waiting + gone } else { 0 };
                picks.extend((back > 0).then(|| pick(back)));
            }
        }
        let is_said = self.restock && !line.taken.is_empty();
        RefundedLine {
            line: id,
            quantity,
            // Pieces that nobody counted go back to no shelf.
            restocked: if is_said && picks.is_empty() { 0 } else { restocked },
            picks: if is_said { picks } else { vec![] },
            unsent: Some(unsent),
            amount_minor: share(cost_minor, line.quantity, before + quantity)
                - share(cost_minor, line.quantity, before),
        }
    }
}

fn shipping_left(order: &Order, state: &OrderState) -> i64 {
    let given_back: i64 = state.refunds.iter().map(|refund| refund.shipping_minor).sum();
    order.shipping_cost_minor() - given_back
}
