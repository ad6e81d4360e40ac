//! What shoppers, the shop's people, the provider and the clock ask next, drawn from a seed.

use cart_core::{
    Cart, Command, LineId, LocationId, MethodId, Order, OrderId, PackWish, ParcelWish, Payment, PaymentId,
    Properties, RefundWish, RelocationWish, Stage, Step, StepDetails,
};
use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};

use super::{
    season::gift_id,
    shop::{self, CARDS, CODES, METHODS, PLACES, SKUS, address, card, code, sku},
};

/// Draws a command to a cart. `order` is what it became, as it was placed, where it is one.
pub fn command(rng: &mut StdRng, cart: &Cart, order: Option<&Order>, season: u64) -> Command {
    if let Some(order) = order {
        return of_an_order(rng, cart, order);
    }
    if cart.is_expired() && rng.random_bool(0.5) {
        return Command::Reopen;
    }
    // Half of the time a cart goes on towards its order, so that there are many.
    match rng.random_range(0..100) {
        0..=44 => on_the_way(rng, cart),
        45..=69 => of_lines(rng, cart),
        70..=74 => Command::Batch((0..rng.random_range(1..5)).map(|_| of_lines(rng, cart)).collect()),
        75..=83 => of_money(rng),
        84 => of_a_gift(rng, season),
        85 => Command::SetGroup { group: shop::some_group(rng) },
        86..=87 => Command::SetNote { text: ["", "Ring twice"].choose(rng).expect("some").to_string() },
        88 => Command::AcceptPrices,
        89 => Command::Clear,
        90 => Command::Reopen,
        91..=92 => Command::Lapse { abandons: rng.random_bool(0.5) },
        93..=94 => Command::ExpireHolds,
        _ => of_the_provider(rng, cart),
    }
}

fn of_lines(rng: &mut StdRng, cart: &Cart) -> Command {
    let line = line(rng, cart);
    match rng.random_range(0..10) {
        0..=4 => {
            let properties = properties(rng);
            Command::AddLine { sku: line.sku().clone(), quantity: rng.random_range(1..5), properties }
        }
        5..=6 => Command::SetQuantity { line, quantity: rng.random_range(0..7) },
        7 => Command::RemoveLine { line },
        8 => Command::SaveLine { line },
        _ => match cart.saved.choose(rng) {
            Some(saved) if rng.random_bool(0.7) => Command::RestoreLine { line: saved.id() },
            Some(saved) => Command::DropSavedLine { line: saved.id() },
            None => Command::RestoreLine { line },
        },
    }
}

fn line(rng: &mut StdRng, cart: &Cart) -> LineId {
    let own = cart.lines.choose(rng).filter(|_| rng.random_bool(0.4)).map(cart_core::Line::id);
    own.unwrap_or_else(|| LineId::new(sku(SKUS.choose(rng).expect("some")), &Properties::default()))
}

fn properties(rng: &mut StdRng) -> Properties {
    let texts = rng.random_bool(0.2).then(|| ("engraving".to_owned(), "Ada".to_owned()));
    Properties::parse(texts.into_iter().collect()).expect("good properties")
}

fn of_money(rng: &mut StdRng) -> Command {
    let card = card(CARDS.choose(rng).expect("some").0);
    match rng.random_range(0..6) {
        0..=1 => Command::ApplyCode { code: code(CODES.choose(rng).expect("some")) },
        2 => Command::RemoveCode { code: code(CODES.choose(rng).expect("some")) },
        3 => Command::ApplyGiftCard { card },
        4 => Command::RemoveGiftCard { card: card.id },
        _ => Command::UseStoreCredit { on: rng.random_bool(0.6) },
    }
}

fn of_a_gift(rng: &mut StdRng, season: u64) -> Command {
    let promotion = gift_id(season.saturating_sub(rng.random_range(0..2)));
    match rng.random_bool(0.5) {
        true => Command::DeclineGift { promotion },
        false => Command::AcceptGift { promotion },
    }
}

fn on_the_way(rng: &mut StdRng, cart: &Cart) -> Command {
    if cart.is_empty() {
        return of_lines(rng, cart);
    }
    match (&cart.stage, cart.next_step()) {
        (Stage::Open, _) => Command::StartCheckout,
        (_, Some(step)) => Command::CompleteStep(details(rng, step)),
        (_, None) => match cart.payment() {
            None => Command::BeginPayment { order_id: order_id(cart), request: None },
            Some(attempt) => match rng.random_range(0..10) {
                // The provider answers: it pays, wants a word with the shopper, declines; a few pay another sum.
                0..=5 => place(cart, attempt.id.clone(), attempt.amount_minor),
                6 => place(cart, attempt.id.clone(), attempt.amount_minor + 100),
                7 => Command::ChallengePayment { payment: attempt.id.clone(), url: "/confirm".into() },
                8 => Command::FailPayment { payment: attempt.id.clone(), reason: "payment_declined".into() },
                _ => Command::CancelPayment { payment: None },
            },
        },
    }
}

fn details(rng: &mut StdRng, step: Step) -> StepDetails {
    let method = METHODS.choose(rng).expect("some");
    match step {
        Step::Contact => StepDetails::Contact { email: "ada@example.org".into() },
        Step::Address => StepDetails::Address(address(*PLACES.choose(rng).expect("some"))),
        Step::Shipping => StepDetails::Shipping { method: MethodId::parse(method).ok() },
        Step::Payment => StepDetails::Payment,
        Step::Review => StepDetails::Review,
    }
}

/// What the provider says late, or twice, or of an attempt that was given up; and what it has confirmed.
fn of_the_provider(rng: &mut StdRng, cart: &Cart) -> Command {
    if cart.payments == 0 {
        return Command::ExpireHolds;
    }
    let number = rng.random_range(1..cart.payments + 1);
    let payment = PaymentId::of(&order_id(cart), number);
    match (cart.payment_tasks.first(), rng.random_range(0..4)) {
        (Some(task), 0..=1) => Command::SettlePayment(task.clone()),
        (_, 2) => Command::CancelPayment { payment: Some(payment) },
        _ => place(cart, payment, rng.random_range(0..9) * 1_000),
    }
}

fn of_an_order(rng: &mut StdRng, cart: &Cart, order: &Order) -> Command {
    let order = Box::new(order.clone());
    match (cart.payment_tasks.first(), rng.random_range(0..11)) {
        (Some(task), 0..=4) => Command::SettlePayment(task.clone()),
        (_, 5) => Command::FulfilOrder { wish: parcel(rng, &order), order },
        (_, 6) => Command::CancelOrder { order },
        (_, 9) => Command::RelocateOrder { wish: relocation(rng, &order), order },
        (_, 0..=3 | 7..=8) => Command::RefundOrder { wish: wish(rng, &order), order },
        _ => of_lines(rng, cart),
    }
}

fn wish(rng: &mut StdRng, order: &Order) -> RefundWish {
    let line = order.lines.choose(rng).filter(|_| rng.random_bool(0.8));
    RefundWish {
        lines: line.map(|l| (l.id(), rng.random_range(1..l.quantity + 2))).into_iter().collect(),
        shipping: rng.random_bool(0.3),
        amount_minor: if rng.random_bool(0.2) { rng.random_range(1..2_000) } else { 0 },
        restock: rng.random_bool(0.5),
        sent: rng.random_bool(0.3),
    }
}

fn location(rng: &mut StdRng) -> LocationId {
    if rng.random_bool(0.5) { shop::north() } else { LocationId::default() }
}

fn parcel(rng: &mut StdRng, order: &Order) -> ParcelWish {
    let location = location(rng);
    let contents = contents(rng, order);
    ParcelWish { location: rng.random_bool(0.3).then_some(location), contents, tracking: None }
}

fn relocation(rng: &mut StdRng, order: &Order) -> RelocationWish {
    RelocationWish { from: location(rng), to: location(rng), contents: contents(rng, order) }
}

fn contents(rng: &mut StdRng, order: &Order) -> Vec<PackWish> {
    let line = order.lines.choose(rng).filter(|_| rng.random_bool(0.7));
    let contents = line.map(|line| PackWish {
        line: line.id(),
        part: line.parts.choose(rng).filter(|_| rng.random_bool(0.5)).map(|part| part.sku.clone()),
        pieces: rng.random_range(1..line.quantity + 2),
    });
    contents.into_iter().collect()
}

pub fn order_id(cart: &Cart) -> OrderId {
    OrderId::parse(&format!("o-{}", cart.id)).expect("an order id")
}

fn place(cart: &Cart, id: PaymentId, amount_minor: i64) -> Command {
    let payment = Payment { id, reference: "pay-1".into(), amount_minor };
    Command::PlaceOrder { order_id: order_id(cart), payment }
}

/// Draws a product that lies on a shelf, with a location.
pub fn slot(rng: &mut StdRng) -> (&'static str, LocationId) {
    let shelf: Vec<&str> = SKUS.into_iter().filter(|text| shop::is_on_a_shelf(text)).collect();
    let text = *shelf.choose(rng).expect("some");
    // Lamps lie in one place, so that what may be owed of them can be said.
    let is_north = text != "LAMP" && rng.random_bool(0.5);
    (text, if is_north { shop::north() } else { LocationId::default() })
}
