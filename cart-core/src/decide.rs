//! The rules: a request and the facts it needs become events, or a rejection.

mod allocation;
mod checkout;
mod customer;
mod gifts;
mod lapse;
mod lines;
mod moves;
mod order;
mod parcel;
pub(crate) mod payment;
pub(crate) mod pieces;
mod relocation;

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use crate::{
    AccountId, AssignedVariation, Balances, Cart, CartEvent, CartId, Command, Currency, GiftCards, Order,
    OrderId, PaymentId, Product, Rejection, Request, Sku, Stage, StockLevels, Terms, VisitorId, Workflow,
    account, evolve,
};
use checkout::{
    accept_prices, apply_code, apply_gift_card, complete_step, place_order, redeem_code, start_checkout,
};
pub use customer::set_group;
pub(crate) use lines::{add_line, marked};
use lines::{remove_line, restore_line, save_line, saved_line, set_quantity};
use pieces::{expire_holds, holds};

/// Finds products by their SKU: the catalogue, or a few products of a test.
pub trait Products {
    /// Returns a product, hidden or not.
    fn product(&self, sku: &Sku) -> Option<&Product>;
}

impl<P: std::ops::Deref<Target = Product>> Products for BTreeMap<Sku, P> {
    fn product(&self, sku: &Sku) -> Option<&Product> {
        self.get(sku).map(|p| &**p)
    }
}

/// Is what a decision may know of the world.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The clock's reading, in Unix milliseconds.
    pub now_ms: i64,
    /// The catalogue.
    pub products: &'a dyn Products,
    /// The stock of every product that the command names, and of the cart's where it moves them all.
    pub stock: &'a StockLevels,
    /// The balances of every account that [bears on the cart](account::bearing) or that the command names.
    pub balances: &'a Balances,
    /// The terms of every gift card that the cart has or that the command names.
    pub cards: &'a GiftCards,
    /// How long a hold lasts, in milliseconds.
    pub hold_ms: i64,
    /// The terms of the shop.
    pub terms: &'a Terms,
}

/// Opens a cart.
pub fn open(
    id: CartId,
    owner: VisitorId,
    currency: Currency,
    workflow: Arc<Workflow>,
    assignments: Vec<AssignedVariation>,
) -> CartEvent {
    CartEvent::CartOpened {
        id,
        owner,
        unit: None,
        group: None,
        channel: None,
        currency,
        workflow,
        assignments,
    }
}

/// Decides a request: the events that follow from it, none where it changes nothing.
///
/// # Errors
/// The first [`Rejection`] that holds, in the order in which that type lists them.
pub fn decide(cart: &Cart, facts: &Facts<'_>, request: &Request) -> Result<Vec<CartEvent>, Rejection> {
    if request.caller.as_ref().is_some_and(|caller| *caller != cart.owner) {
        return Err(Rejection::NotOwner);
    }
    if let Some(expected) = request.expected_version.filter(|v| *v != cart.version)
        && !payment::asks_again(cart, &request.command)
    {
        return Err(Rejection::StaleVersion { expected, actual: cart.version });
    }
    match &cart.stage {
        Stage::Ordered { order_id, payment, state, .. } => match request.command.order() {
            // It was read before what other requests have made of it since.
            Some(order) => {
                let order = order.clone().with_state(state.clone());
                change_order(cart, facts, &order, request)
            }
            None => after_the_order(cart, order_id, payment.as_ref(), &request.command),
        },
        Stage::Merged { into } => after_the_merge(cart, into, &request.command),
        _ => {
            let events = run_before_gifts(cart, facts, &request.command)?;
            let events = and_catch_up(cart, facts, &request.command, events);
            Ok(payment::give_up_where_changed(cart, events))
        }
    }
}

/// An order is refused where it must tell news; the clock tells none.
fn is_silent(command: &Command) -> bool {
    matches!(command, Command::PlaceOrder { .. } | Command::ExpireHolds | Command::Lapse { .. })
}

/// What is owed to and by the payment provider outlives a cart that has expired; a batch may begin by reopening it.
fn outlives_expiry(command: &Command) -> bool {
    matches!(
        command,
        Command::Batch(_)
            | Command::SetGroup { .. }
            | Command::Reopen
            | Command::Lapse { .. }
            | Command::ExpireHolds
            | Command::ChallengePayment { .. }
            | Command::FailPayment { .. }
            | Command::CancelPayment { payment: Some(_) }
            | Command::SettlePayment(_)
    )
}

/// Tells a cart what follows from the world as it is: what the accounts say that bear on its price, then its gifts. A turn
/// that has to refuse an order because of them does so, that the shopper sees why; one that merges carts, when both have
/// changed. The stock must be known of every product that may be given.
pub fn catch_up(cart: &Cart, facts: &Facts<'_>) -> Vec<CartEvent> {
    let mut events: Vec<_> = note(cart, facts).into_iter().collect();
    let mut noted = cart.clone();
    events.iter().for_each(|event| evolve(&mut noted, event));
    events.extend(gifts::settle(&noted, facts));
    payment::give_up_where_changed(cart, events)
}

fn note(cart: &Cart, facts: &Facts<'_>) -> Option<CartEvent> {
    let balances = noted(cart, facts);
    (balances != cart.known).then_some(CartEvent::BalancesNoted { balances })
}

/// Returns what the accounts say that bear on a cart.
fn noted(cart: &Cart, facts: &Facts<'_>) -> Balances {
    account::noted(cart, facts.terms, facts.balances, facts.cards, facts.now_ms)
}

/// Adds to what a command does what follows from it.
fn and_catch_up(
    cart: &Cart,
    facts: &Facts<'_>,
    command: &Command,
    mut events: Vec<CartEvent>,
) -> Vec<CartEvent> {
    let has_accounts = !facts.balances.is_empty() || !cart.known.is_empty();
    let notes = has_accounts && !is_silent(command);
    let gives = command.settles_gifts() && gifts::matter(cart, facts);
    if !notes && !gives {
        return events;
    }
    let (mut after, mut stock) = (cart.clone(), Cow::Borrowed(facts.stock));
    for event in &events {
        evolve(&mut after, event);
        if gives {
            stock.to_mut().apply(event);
        }
    }
    if let Some(noted) = notes.then(|| note(&after, facts)).flatten() {
        evolve(&mut after, &noted);
        events.push(noted);
    }
    if gives {
        events.extend(gifts::settle(&after, &Facts { stock: &stock, ..*facts }));
    }
    events
}

fn change_order(
    cart: &Cart,
    facts: &Facts<'_>,
    order: &Order,
    request: &Request,
) -> Result<Vec<CartEvent>, Rejection> {
    let state = &order.state;
    match &request.command {
        Command::FulfilOrder { wish, .. } => parcel::fulfil(state, facts, order, wish),
        Command::RelocateOrder { wish, .. } => relocation::relocate(cart, facts, order, wish),
        Command::CorrectParcel { number, change, .. } => parcel::correct(order, *number, change),
        Command::RefundOrder { wish, .. } => order::refund(state, facts, order, wish),
        _ => order::cancel(state, facts, order, request.caller.is_some()),
    }
}

/// An order is final; its payment, and what is owed back of others, still comes to its end.
fn after_the_order(
    cart: &Cart,
    order_id: &OrderId,
    paid_by: Option<&PaymentId>,
    command: &Command,
) -> Result<Vec<CartEvent>, Rejection> {
    match command {
        Command::ExpireHolds
        | Command::Lapse { .. }
        | Command::ChallengePayment { .. }
        | Command::FailPayment { .. } => Ok(vec![]),
        Command::PlaceOrder { payment, .. } if paid_by == Some(&payment.id) => Ok(vec![]),
        Command::CancelPayment { payment: Some(id) } if paid_by == Some(id) => Ok(vec![]),
        Command::CancelPayment { payment: Some(id) } => Ok(payment::cancel(cart, Some(id))),
        Command::SettlePayment(task) => Ok(payment::settle(cart, task)),
        _ => Err(Rejection::CartClosed { order_id: order_id.clone() }),
    }
}

/// What a merged cart owed is still let go; everything else is for the cart that its lines went into.
fn after_the_merge(cart: &Cart, into: &CartId, command: &Command) -> Result<Vec<CartEvent>, Rejection> {
    match command {
        Command::ExpireHolds | Command::ChallengePayment { .. } | Command::FailPayment { .. } => Ok(vec![]),
        Command::CancelPayment { payment: Some(id) } => Ok(payment::cancel(cart, Some(id))),
        Command::SettlePayment(task) => Ok(payment::settle(cart, task)),
        _ => Err(Rejection::CartMerged { into: into.clone() }),
    }
}

/// A gift takes no piece that the cart's own lines need: where they lack some, its gifts are put back first. Those that can
/// still be had are given anew.
fn run_before_gifts(cart: &Cart, facts: &Facts<'_>, command: &Command) -> Result<Vec<CartEvent>, Rejection> {
    let refused = match run(cart, facts, command) {
        Err(rejection) if command.settles_gifts() && cart.gifts().any(|line| line.held > 0) => rejection,
        done => return done,
    };
    if !matches!(refused.reason(), Rejection::OutOfStock { .. }) {
        return Err(refused);
    }
    let mut events: Vec<_> = cart.gifts().map(gifts::withdrawn).collect();
    let (mut bare, mut stock) = (cart.clone(), facts.stock.clone());
    for event in &events {
        evolve(&mut bare, event);
        stock.apply(event);
    }
    events.extend(run(&bare, &Facts { stock: &stock, ..*facts }, command).map_err(|_| refused)?);
    Ok(events)
}

fn run(cart: &Cart, facts: &Facts<'_>, command: &Command) -> Result<Vec<CartEvent>, Rejection> {
    if cart.is_expired() && !outlives_expiry(command) {
        return Err(Rejection::CartExpired);
    }
    match command {
        Command::AddLine { sku, quantity, properties } => add_line(cart, facts, sku, *quantity, properties),
        Command::SetQuantity { line, quantity } => set_quantity(cart, facts, line, *quantity),
        Command::RemoveLine { line } => remove_line(cart, line),
        Command::SaveLine { line } => save_line(cart, line),
        Command::RestoreLine { line } => restore_line(cart, facts, line),
        Command::DropSavedLine { line } => {
            let saved = saved_line(cart, line)?;
            Ok(vec![CartEvent::SavedLineDropped { line: saved.id() }])
        }
        Command::ApplyCode { code } => apply_code(cart, facts, code),
        Command::RemoveCode { code } if !cart.codes.contains(code) => Ok(vec![]),
        Command::RemoveCode { code } => Ok(vec![CartEvent::CodeRemoved { code: code.clone() }]),
        Command::DeclineGift { promotion } => gifts::decline(cart, promotion),
        Command::AcceptGift { promotion } => Ok(gifts::accept(cart, promotion)),
        Command::ApplyGiftCard { card } => apply_gift_card(cart, facts, card),
        Command::RedeemCode(typed) => redeem_code(cart, facts, typed),
        Command::RemoveGiftCard { card } if cart.gift_cards.iter().all(|c| c.id != *card) => Ok(vec![]),
        Command::RemoveGiftCard { card } => Ok(vec![CartEvent::GiftCardRemoved { card: card.clone() }]),
        Command::UseStoreCredit { on } if *on == cart.uses_credit => Ok(vec![]),
        Command::UseStoreCredit { on } => Ok(vec![CartEvent::StoreCreditSet { on: *on }]),
        Command::SetNote { text } if *text == cart.note => Ok(vec![]),
        Command::SetNote { text } => Ok(vec![CartEvent::NoteSet { text: text.clone() }]),
        Command::AcceptPrices => Ok(accept_prices(cart, facts)),
        Command::SetGroup { group } => Ok(set_group(cart, facts, group.as_ref())),
        Command::Batch(commands) => batch(cart, facts, commands),
        Command::Clear if cart.lines.is_empty() => Ok(vec![]),
        Command::Clear => Ok(vec![CartEvent::CartCleared { releases: holds(cart) }]),
        Command::StartCheckout => start_checkout(cart, facts),
        Command::CompleteStep(details) => complete_step(cart, facts, details),
        Command::BeginPayment { order_id, request } => {
            payment::begin(cart, facts, order_id, request.as_ref())
        }
        Command::ChallengePayment { payment, url } => Ok(payment::challenge(cart, payment, url)),
        Command::FailPayment { payment, reason } => Ok(payment::fail(cart, payment, reason)),
        Command::CancelPayment { payment } => Ok(payment::cancel(cart, payment.as_ref())),
        Command::SettlePayment(task) => Ok(payment::settle(cart, task)),
        Command::PlaceOrder { order_id, payment } => place_order(cart, facts, order_id, payment),
        Command::FulfilOrder { order, .. }
        | Command::RelocateOrder { order, .. }
        | Command::CorrectParcel { order, .. }
        | Command::CancelOrder { order }
        | Command::RefundOrder { order, .. } => {
            Err(Rejection::NotOrdered { order_id: order.order_id.clone() })
        }
        Command::ExpireHolds => Ok(expire_holds(cart, facts.now_ms)),
        Command::Lapse { abandons } => Ok(lapse::lapse(cart, facts, *abandons)),
        Command::Reopen => Ok(lapse::reopen(cart, facts)),
    }
}

/// Each command sees what those before it did; the first that is refused refuses them all.
fn batch(cart: &Cart, facts: &Facts<'_>, commands: &[Command]) -> Result<Vec<CartEvent>, Rejection> {
    let (mut cart, mut stock, mut all) = (cart.clone(), facts.stock.clone(), vec![]);
    for (position, command) in commands.iter().enumerate() {
        let events = run(&cart, &Facts { stock: &stock, ..*facts }, command)
            .map_err(|because| Rejection::InBatch { position, because: Box::new(because) })?;
        for event in &events {
            evolve(&mut cart, event);
            stock.apply(event);
        }
        all.extend(events);
    }
    Ok(all)
}

/// Returns how many pieces of a product the cart's owner has bought before, as far as they are counted.
fn bought_before(cart: &Cart, facts: &Facts<'_>, sku: &Sku) -> u64 {
    let account = AccountId::CustomerPieces { customer: cart.owner.clone(), sku: sku.clone() };
    facts.balances.get(&account).and_then(|pieces| u64::try_from(pieces).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
