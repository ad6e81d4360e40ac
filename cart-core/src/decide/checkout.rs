//! The rules on the way from a cart to an order.

use std::borrow::Cow;

use super::{
    Facts,
    allocation::{Allocation, serving},
    gifts::still_given,
    moves::move_holds,
    noted,
    pieces::{hold_lines, lacks, needs_of, obtain},
};
use crate::{
    AccountId, Balances, Cart, CartEvent, Code, Destination, FieldError, GiftCard, Line, LineQuote, MethodId,
    NotOffered, Order, OrderId, OrderLine, OrderState, Payment, Pick, Posting, PricePolicy, PromotionId,
    PromotionOutcome, Quote, RefusedMethod, Rejection, Sku, Stage, Step, StepDetails, Taken, Typed, account,
    evolve,
    gift_card::usable,
    limits::{CART_CODES_MAX, CART_GIFT_CARDS_MAX},
    promotion::{AppliedPromotion, Verdict},
    quote, quote_knowing,
};

pub(super) fn start_checkout(cart: &Cart, facts: &Facts<'_>) -> Result<Vec<CartEvent>, Rejection> {
    if cart.is_empty() {
        return Err(Rejection::CartEmpty);
    }
    let started = (cart.stage == Stage::Open).then_some(CartEvent::CheckoutStarted);
    // Asked again, it holds again what has expired meanwhile.
    let held = hold_lines(cart, facts)?;
    and_move_holds(cart, facts, started.into_iter().chain(held).collect())
}

/// Adds that held pieces come from other locations, where they do after what happened.
fn and_move_holds(
    cart: &Cart,
    facts: &Facts<'_>,
    mut events: Vec<CartEvent>,
) -> Result<Vec<CartEvent>, Rejection> {
    if facts.terms.locations.are_several() {
        let (mut cart, mut stock) = (cart.clone(), facts.stock.clone());
        for event in &events {
            evolve(&mut cart, event);
            stock.apply(event);
        }
        events.extend(move_holds(&cart, &Facts { stock: &stock, ..*facts })?);
    }
    Ok(events)
}

pub(super) fn complete_step(
    cart: &Cart,
    facts: &Facts<'_>,
    details: &StepDetails,
) -> Result<Vec<CartEvent>, Rejection> {
    let details = &*details.knowing(cart);
    let step = details.step();
    let next = cart.next_step();
    if cart.is_empty() {
        return Err(Rejection::CartEmpty);
    }
    if step == Step::Shipping && !cart.travels() && cart.stage != Stage::Open {
        // Clients that know of no cart without a parcel may go through all steps.
        return Ok(vec![]);
    }
    if next != Some(step) && !cart.completed().contains(&step) {
        return Err(Rejection::StepOutOfOrder { step, next });
    }
    let lacking = details.lacking(cart, &facts.terms.taxes);
    if !lacking.is_empty() {
        return Err(Rejection::InvalidDetails { fields: lacking });
    }
    if let StepDetails::Shipping { method } = details {
        admit_method(cart, facts, method.as_ref())?;
    }
    let says_nothing_new = match details {
        StepDetails::Contact { email } => cart.contact.as_ref() == Some(email),
        StepDetails::Address(address) => cart.address.as_ref() == Some(address),
        StepDetails::Shipping { method } => *method == cart.shipping,
        StepDetails::Payment | StepDetails::Review => true,
    };
    if says_nothing_new && cart.completed().contains(&step) {
        return Ok(vec![]);
    }
    let completed = CartEvent::StepCompleted { details: details.clone() };
    match details {
        StepDetails::Address(_) => {
            let mut addressed = cart.clone();
            evolve(&mut addressed, &completed);
            admit_address(&addressed, facts)?;
            and_move_holds(cart, facts, vec![completed])
        }
        _ => Ok(vec![completed]),
    }
}

/// What travels must be sent there by a location that keeps it, and by some method; that none takes such a parcel is no
/// fault of the address.
fn admit_address(cart: &Cart, facts: &Facts<'_>) -> Result<(), Rejection> {
    let address = cart.address.as_ref().filter(|_| cart.travels());
    let destination = address.and_then(|a| Destination::read(&a.country, &a.region, &a.postcode));
    let Some(destination) = destination else { return Ok(()) };
    let from_stock = cart.lines.iter().any(|line| !line.digital && !needs_of(facts, line).is_empty());
    let offers = quote(cart, facts.products, facts.terms, facts.now_ms).offers;
    let goes_elsewhere = |refused: &RefusedMethod| matches!(refused.why, NotOffered::Destination { .. });
    let no_method =
        offers.offered.is_empty() && !offers.refused.is_empty() && offers.refused.iter().all(goes_elsewhere);
    match (from_stock && serving(cart, facts).is_empty()) || no_method {
        true => Err(Rejection::AddressNotServed { destination }),
        false => Ok(()),
    }
}

/// A method must be offered; where nothing travels, none is needed.
fn admit_method(cart: &Cart, facts: &Facts<'_>, method: Option<&MethodId>) -> Result<(), Rejection> {
    admit_address(cart, facts)?;
    let offers = quote(cart, facts.products, facts.terms, facts.now_ms).offers;
    let is_offered = offers.offered.iter().any(|offer| Some(&offer.method) == method);
    if is_offered || !offers.needed {
        return Ok(());
    }
    let refused = offers.refused.iter().find(|refused| Some(&refused.method) == method);
    let names: Vec<_> = offers.offered.iter().map(|offer| offer.method.as_str()).collect();
    let message = match (refused, &names[..]) {
        (Some(refused), _) => format!("{} {}", refused.method, refused.why),
        (None, []) => "cannot be chosen: the shop has no way to send this cart".into(),
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

/// A promotion is asked first: a code that one of them has is no secret, and whoever issues cards makes theirs up at random.
pub(super) fn redeem_code(
    cart: &Cart,
    facts: &Facts<'_>,
    typed: &Typed,
) -> Result<Vec<CartEvent>, Rejection> {
    match typed {
        Typed::Either(code, card) if !facts.terms.promotions.knows_code(code) => {
            apply_gift_card(cart, facts, card)
        }
        Typed::Code(code) | Typed::Either(code, _) => apply_code(cart, facts, code),
        Typed::Card(card) => apply_gift_card(cart, facts, card),
    }
}

/// A card must be one of the shop's, in the cart's currency, with something left on it.
pub(super) fn apply_gift_card(
    cart: &Cart,
    facts: &Facts<'_>,
    card: &GiftCard,
) -> Result<Vec<CartEvent>, Rejection> {
    if cart.gift_cards.iter().any(|c| c.id == card.id) {
        return Ok(vec![]);
    }
    usable(facts.cards, card, cart.currency, facts.now_ms)?;
    if facts.balances.get(&card.account(cart.currency)).unwrap_or(0) <= 0 {
        return Err(Rejection::GiftCardEmpty { last4: card.last4.clone() });
    }
    if cart.gift_cards.len() >= CART_GIFT_CARDS_MAX {
        let message = format!(
            "is one too many: a cart takes {CART_GIFT_CARDS_MAX} gift cards; take another back first"
        );
        return Err(Rejection::InvalidDetails { fields: vec![FieldError { field: "code".into(), message }] });
    }
    Ok(vec![CartEvent::GiftCardApplied { card: card.clone() }])
}

pub(super) fn accept_prices(cart: &Cart, facts: &Facts<'_>) -> Vec<CartEvent> {
    let prices = quote(cart, facts.products, facts.terms, facts.now_ms).changed(cart);
    if prices.is_empty() { vec![] } else { vec![CartEvent::PricesAccepted { prices }] }
}

/// Says what a cart costs that can become an order now, as far as its payment is not concerned.
pub(super) fn due(cart: &Cart, facts: &Facts<'_>) -> Result<Quote, Rejection> {
    pieces(cart, facts)?;
    if cart.is_empty() {
        return Err(Rejection::CartEmpty);
    }
    let next = cart.next_step();
    if next.is_some() || cart.stage == Stage::Open {
        return Err(Rejection::CheckoutIncomplete { next });
    }
    let balances = noted(cart, facts);
    let quote = quote_knowing(cart, &balances, facts.products, facts.terms, facts.now_ms);
    if quote.offers.needed && quote.chosen(cart).is_none() {
        // The way that was chosen is no longer offered: the shopper chooses again.
        return Err(Rejection::CheckoutIncomplete { next: Some(Step::Shipping) });
    }
    if facts.terms.prices == PricePolicy::Tell && !quote.changed(cart).is_empty() {
        let lines = quote.changed(cart).into_iter().map(|(line, _)| line).collect();
        return Err(Rejection::PriceChanged { lines });
    }
    if balances != cart.known {
        cards_still_usable(cart, facts)?;
        still_usable(cart, facts, &quote, &balances)?;
    }
    still_given(cart, &balances, facts)?;
    Ok(quote)
}

/// Sells the lines of a cart; held pieces may have to come from other locations first.
pub(super) fn sales(
    cart: &Cart,
    facts: &Facts<'_>,
    quote: &Quote,
) -> Result<(Vec<CartEvent>, Vec<OrderLine>), Rejection> {
    let moved = and_move_holds(cart, facts, vec![])?;
    let before = cart;
    let (mut cart, mut stock) = (Cow::Borrowed(cart), Cow::Borrowed(facts.stock));
    for event in &moved {
        evolve(cart.to_mut(), event);
        stock.to_mut().apply(event);
    }
    let is_gone = |line: &&Line| cart.line(&line.id()).is_none();
    let gone: Vec<_> = before.gifts().filter(is_gone).map(|line| line.name.clone()).collect();
    if !gone.is_empty() {
        return Err(Rejection::GiftsChanged { gone, new: vec![] });
    }
    let facts = Facts { stock: &stock, ..*facts };
    let mut allocation = Allocation::of(&cart, &facts, || lacks(&facts, cart.lines.iter()));
    let lines = cart.lines.iter().zip(&quote.lines);
    let sold =
        lines.map(|(line, quote)| sell(&facts, &mut allocation, line, quote)).collect::<Result<_, _>>()?;
    Ok((moved, sold))
}

pub(super) fn place_order(
    cart: &Cart,
    facts: &Facts<'_>,
    order_id: &OrderId,
    payment: &Payment,
) -> Result<Vec<CartEvent>, Rejection> {
    let mut quote = due(cart, facts)?;
    let pieces = pieces(cart, facts)?;
    let totals = quote.totals;
    let postings = postings(cart, facts, &quote, pieces);
    // An order tells what applied; what might have is of no use to it.
    quote.promotions.outcomes.retain(|o| matches!(o.verdict, Verdict::Applied(_)));
    if cart.payment().is_none_or(|attempt| attempt.id != payment.id) {
        return Err(Rejection::PaymentCancelled);
    }
    if payment.amount_minor != totals.due() {
        return Err(Rejection::PaymentMismatch {
            authorised_minor: payment.amount_minor,
            due_minor: totals.due(),
        });
    }
    let (mut events, lines) = sales(cart, facts, &quote)?;
    events.push(CartEvent::OrderPlaced(Order {
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
        postings,
        payment: Some(payment.id.clone()),
        email: cart.address.as_ref().map(|address| address.email.clone()).unwrap_or_default(),
        state: OrderState::default(),
        quote: Some(Box::new(quote)),
    }));
    Ok(events)
}

/// Refuses where a card that was to pay does so no more.
fn cards_still_usable(cart: &Cart, facts: &Facts<'_>) -> Result<(), Rejection> {
    let told = quote(cart, facts.products, facts.terms, facts.now_ms).tenders;
    let mut cards = told.iter().filter_map(|tender| tender.card.as_ref());
    cards.try_for_each(|card| usable(facts.cards, card, cart.currency, facts.now_ms))
}

/// Refuses where a promotion that the shopper was shown has been used up meanwhile.
fn still_usable(cart: &Cart, facts: &Facts<'_>, now: &Quote, balances: &Balances) -> Result<(), Rejection> {
    let told = quote(cart, facts.products, facts.terms, facts.now_ms);
    let applies = |promotion: &PromotionId| {
        now.promotions.applied().any(|(outcome, _)| outcome.promotion == *promotion)
    };
    for (outcome, applied) in told.promotions.applied().filter(|(o, _)| !applies(&o.promotion)) {
        let counters = counters(cart, facts, outcome, applied);
        let definition = facts.terms.promotions.definition(&outcome.promotion);
        // Another order of the customer came first.
        let asks_for_orders = definition.is_some_and(|d| d.conditions.ask_for_orders());
        if asks_for_orders || counters.iter().any(|(account, _)| balances.get(account).is_some()) {
            let (name, code) = (outcome.name.to_string(), applied.code.clone());
            return Err(Rejection::PromotionUsedUp { name, code });
        }
    }
    Ok(())
}

fn counters(
    cart: &Cart,
    facts: &Facts<'_>,
    outcome: &PromotionOutcome,
    applied: &AppliedPromotion,
) -> Vec<(AccountId, u64)> {
    let definition = facts.terms.promotions.definition(&outcome.promotion);
    definition.map_or_else(Vec::new, |d| account::counters(d, applied.code.as_ref(), &cart.owner))
}

/// Checks the pieces against the limits of today, which the shop may have changed since they were put in, and returns those of
/// products of which a customer may buy only so many.
fn pieces(cart: &Cart, facts: &Facts<'_>) -> Result<Vec<Posting>, Rejection> {
    let mut postings: Vec<Posting> = vec![];
    for line in cart.bought() {
        let Some(product) = facts.products.product(&line.sku) else { continue };
        let order = cart.pieces_of(&line.sku);
        super::lines::admit(cart, facts, product, line.quantity, order)?;
        if product.limits.per_customer.is_none() {
            continue;
        }
        let account = AccountId::CustomerPieces { customer: cart.owner.clone(), sku: line.sku.clone() };
        if postings.iter().any(|posting| posting.account == account) {
            continue;
        }
        postings.push(Posting { account, delta: i64::try_from(order).unwrap_or(i64::MAX) });
    }
    Ok(postings)
}

/// Returns what the order moves in the accounts beside the pieces: one order more of its customer, a use of each promotion that
/// counts them, and what gift cards and credit pay.
fn postings(cart: &Cart, facts: &Facts<'_>, quote: &Quote, mut postings: Vec<Posting>) -> Vec<Posting> {
    let tenders = quote.tenders.iter();
    postings.extend(
        tenders.map(|tender| Posting {
            account: tender.account(cart.currency, &cart.owner),
            delta: -tender.minor,
        }),
    );
    for (outcome, applied) in quote.promotions.applied() {
        let counters = counters(cart, facts, outcome, applied);
        postings.extend(counters.into_iter().map(|(account, _)| Posting { account, delta: 1 }));
    }
    postings.push(Posting { account: AccountId::CustomerOrders { customer: cart.owner.clone() }, delta: 1 });
    postings.sort_unstable_by(|a, b| a.account.cmp(&b.account));
    postings
}

fn sell(
    facts: &Facts<'_>,
    allocation: &mut Allocation<'_>,
    line: &Line,
    quote: &LineQuote,
) -> Result<OrderLine, Rejection> {
    let needs = needs_of(facts, line);
    let obtained = obtain(allocation, &needs, line.quantity, Some(line))?;
    let from_available = if needs.is_empty() { 0 } else { line.quantity - line.held };
    Ok(OrderLine {
        sku: line.sku.clone(),
        properties: line.properties.clone(),
        gift_of: line.gift_of.clone(),
        name: line.name.clone(),
        quantity: line.quantity,
        unit_price_minor: quote.unit_price_minor,
        discount_minor: quote.discount_minor,
        from_held: line.held,
        from_available,
        backordered: obtained.backordered,
        ships_from_ms: line.ships_from_ms.filter(|at| *at > facts.now_ms),
        digital: line.digital,
        restocked: 0,
        parts: line.parts.clone(),
        taken: taken_by(line, from_available, &obtained.picks),
        delivery_note: note_of(facts, line),
    })
}

/// Returns what a line takes from the stock: what it holds, and what was missing; nothing is said of a plain line that
/// takes all of it from the main location.
fn taken_by(line: &Line, from_available: u32, missing: &[Pick]) -> Vec<Taken> {
    let is_plain = line.parts.is_empty();
    if is_plain && line.picks.is_empty() && missing.is_empty() {
        return vec![];
    }
    let held = |(sku, location, from_held)| Taken { from_held, ..Taken::nothing(sku, location) };
    let mut all: Vec<Taken> = line.holds().map(held).collect();
    let own = (is_plain && missing.is_empty() && from_available > 0)
        .then(|| Pick::new(line.sku.clone(), from_available));
    for Pick { sku, location, pieces } in missing.iter().chain(&own) {
        let at = all.iter().position(|taken| taken.sku == *sku && taken.location == *location);
        let at = at.unwrap_or_else(|| {
            all.push(Taken::nothing(sku, location));
            all.len() - 1
        });
        all[at].from_available += pieces;
    }
    all
}

/// Returns what whoever bought a line is told: its own note and those of its parts, each under its name.
fn note_of(facts: &Facts<'_>, line: &Line) -> String {
    let of =
        |sku: &Sku| facts.products.product(sku).map(|p| p.delivery_note.as_str()).filter(|n| !n.is_empty());
    let own = of(&line.sku).map(ToOwned::to_owned);
    let parts = line.parts.iter().filter_map(|part| Some(format!("{}: {}", part.name, of(&part.sku)?)));
    own.into_iter().chain(parts).collect::<Vec<_>>().join("\n")
}
