//! The rules of carts that nobody touches.

use std::collections::BTreeMap;

use super::{
    Facts,
    allocation::Allocation,
    lines::{add_line, marked},
    pieces::{holds, needs_of},
};
use crate::{
    AbandonReason, Abandonment, AttemptState, Cart, CartEvent, Code, Lapse, Line, LineId, Rejection,
    ReopenedLine, Sku, Stage, Step, evolve, promotion::Verdict, quote,
};

/// How often one line is tried with fewer pieces before it is left out.
const TRIES_MAX: u32 = 4;

/// Notes that a cart was left alone: once that it was abandoned, the next time that it expires. Its pieces go back.
pub(super) fn lapse(cart: &Cart, facts: &Facts<'_>, abandons: bool) -> Vec<CartEvent> {
    match cart.lapse {
        Some(Lapse::Expired) => vec![],
        None if abandons && !cart.lines.is_empty() => {
            vec![CartEvent::CartAbandoned(Box::new(abandonment(cart, facts)))]
        }
        None | Some(Lapse::Abandoned) => vec![CartEvent::CartExpired { releases: holds(cart) }],
    }
}

fn abandonment(cart: &Cart, facts: &Facts<'_>) -> Abandonment {
    let quote = quote(cart, facts.products, facts.terms, facts.now_ms);
    let reasons = [
        cart.payment_failure.clone().map(|why| AbandonReason::PaymentFailed { why }),
        cart.payment()
            .is_some_and(|attempt| matches!(attempt.state, AttemptState::Challenged { .. }))
            .then_some(AbandonReason::PaymentWaiting),
        named(skus(cart, |line| !is_for_sale(cart, facts, line)), |skus| AbandonReason::NotForSale { skus }),
        named(sold_out(cart, facts), |skus| AbandonReason::SoldOut { skus }),
        named(skus(cart, |line| is_dearer(cart, facts, line)), |skus| AbandonReason::PriceRose { skus }),
        named(skus(cart, |line| line.released > 0), |skus| AbandonReason::HoldEnded { skus }),
        (quote.offers.needed && quote.offers.offered.is_empty())
            .then_some(AbandonReason::ShippingUnavailable),
        matches!(cart.next_step(), Some(Step::Contact | Step::Address))
            .then_some(AbandonReason::AddressMissing),
        named(idle_codes(cart, &quote), |codes| AbandonReason::CodeWithoutEffect { codes }),
    ];
    Abandonment {
        total_minor: quote.totals.total_minor,
        lines: u32::try_from(cart.bought().count()).unwrap_or(u32::MAX),
        pieces: quote.totals.items,
        in_checkout: cart.stage != Stage::Open,
        last_step: cart.completed().last().copied(),
        next_step: cart.next_step(),
        reasons: reasons.into_iter().flatten().collect(),
    }
}

fn named<T>(things: Vec<T>, reason: impl FnOnce(Vec<T>) -> AbandonReason) -> Option<AbandonReason> {
    (!things.is_empty()).then(|| reason(things))
}

/// Returns the products of some lines, each once, in the order of the cart.
fn skus(cart: &Cart, is_meant: impl Fn(&Line) -> bool) -> Vec<Sku> {
    let mut skus: Vec<Sku> = vec![];
    for line in cart.bought().filter(|line| is_meant(line)) {
        if !skus.contains(&line.sku) {
            skus.push(line.sku.clone());
        }
    }
    skus
}

fn price_today(cart: &Cart, facts: &Facts<'_>, line: &Line) -> Option<i64> {
    let product = facts.products.product(&line.sku).filter(|product| product.is_for_sale())?;
    product.price_for(&cart.price_question(line.quantity, facts.now_ms)).map(|price| price.minor)
}

fn is_for_sale(cart: &Cart, facts: &Facts<'_>, line: &Line) -> bool {
    price_today(cart, facts, line).is_some()
}

fn is_dearer(cart: &Cart, facts: &Facts<'_>, line: &Line) -> bool {
    price_today(cart, facts, line).is_some_and(|minor| minor > line.unit_price_minor)
}

/// Returns the products of which fewer pieces are to be had than all lines together still lack.
fn sold_out(cart: &Cart, facts: &Facts<'_>) -> Vec<Sku> {
    let mut missing: BTreeMap<&Sku, i64> = BTreeMap::new();
    for line in cart.bought() {
        for (sku, pieces) in needs_of(facts, line).missing(line) {
            *missing.entry(sku).or_default() += i64::from(pieces);
        }
    }
    let allocation = Allocation::of(cart, facts, Vec::new);
    let is_scarce = |sku: &Sku| {
        let obtainable = allocation.supply(sku).obtainable(allocation.owed_max(sku));
        missing.get(sku).is_some_and(|n| *n > 0 && *n > obtainable)
    };
    skus(cart, |line| needs_of(facts, line).missing(line).any(|(sku, _)| is_scarce(sku)))
}

fn idle_codes(cart: &Cart, quote: &crate::Quote) -> Vec<Code> {
    let applies = |code: &&Code| {
        quote.promotions.outcomes.iter().any(|outcome| match &outcome.verdict {
            Verdict::Applied(applied) => applied.code.as_ref() == Some(*code),
            Verdict::NotApplied(_) => false,
        })
    };
    cart.codes.iter().filter(|code| !applies(code)).cloned().collect()
}

/// Opens a cart again that has expired: each line is added as a shopper would add it today, as far as the rules let it
/// (gifts follow), and codes that the shop no longer has are taken back.
pub(super) fn reopen(cart: &Cart, facts: &Facts<'_>) -> Vec<CartEvent> {
    if cart.lapse != Some(Lapse::Expired) {
        return vec![];
    }
    let mut fresh = Cart { lines: vec![], lapse: None, ..cart.clone() };
    let mut stock = facts.stock.clone();
    let (mut outcomes, mut added) = (vec![], vec![]);
    for line in cart.bought() {
        let facts = Facts { stock: &stock, ..*facts };
        let (quantity, events, because) = add_again(&fresh, &facts, line);
        let now = LineId::new(line.sku.clone(), &marked(&facts, &line.sku, &line.properties));
        for event in &events {
            evolve(&mut fresh, event);
            stock.apply(event);
        }
        outcomes.push(ReopenedLine {
            line: line.id(),
            name: line.name.clone(),
            wanted: line.quantity,
            quantity,
            was_minor: line.unit_price_minor,
            unit_price_minor: fresh.line(&now).map(|line| line.unit_price_minor),
            because,
        });
        added.extend(events);
    }
    let gone = cart.codes.iter().filter(|code| !facts.terms.promotions.knows_code(code));
    let gone = gone.map(|code| CartEvent::CodeRemoved { code: code.clone() });
    [CartEvent::CartReopened { lines: outcomes }].into_iter().chain(added).chain(gone).collect()
}

fn add_again(cart: &Cart, facts: &Facts<'_>, line: &Line) -> (u32, Vec<CartEvent>, Option<Rejection>) {
    let (mut quantity, mut first) = (line.quantity, None);
    for _ in 0..TRIES_MAX {
        match add_line(cart, facts, &line.sku, quantity, &line.properties) {
            Ok(events) => return (quantity, events, first),
            Err(because) => {
                quantity = because.lets_pass(quantity).min(quantity - 1);
                first.get_or_insert(because);
            }
        }
        if quantity == 0 {
            break;
        }
    }
    (0, vec![], first)
}
