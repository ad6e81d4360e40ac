//! Promises of the domain that hold whatever shoppers, the shop and the clock do.

mod drafts;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use cart_core::{
    Cart, CartEvent, Command, Line, LineId, Order, PricePolicy, Rejection, Sku, Stage, StepDetails,
    StockLevels, limits::LINE_QUANTITY_MAX,
};
use drafts::{Act, CARTS, acts, shop};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{FileFailurePersistence, TestRunner},
};
use world::{Check, HOLD_MS, Turn, World, walk};

fn config() -> ProptestConfig {
    let regressions = FileFailurePersistence::Direct("tests/properties/regressions.txt");
    ProptestConfig { cases: 96, failure_persistence: Some(Box::new(regressions)), ..Default::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn replay_of_the_events_equals_the_state(shop in shop(), acts in acts()) {
        walk(&shop, &acts, |world, turn| {
            let (cart, history) = (&world.carts[turn.cart], &world.histories[turn.cart]);
            prop_assert_eq!(Cart::replay(history), Some(cart.clone()));
            prop_assert_eq!(cart.version, history.len() as u64);
            Ok(())
        })?;
    }

    #[test]
    fn carts_and_events_survive_storage(shop in shop(), acts in acts()) {
        walk(&shop, &acts, |world, turn| {
            let cart = &world.carts[turn.cart];
            prop_assert_eq!(&reread(cart), cart);
            for event in turn.outcome.iter().flatten() {
                prop_assert_eq!(&reread(event), event);
            }
            Ok(())
        })?;
    }

    #[test]
    fn totals_never_drift(shop in shop(), acts in acts()) {
        let mut books = vec![Book::default(); CARTS];
        walk(&shop, &acts, |world, turn| {
            let book = &mut books[turn.cart];
            if turn.outcome.is_ok() {
                book.enter(world, &turn.request.command);
            }
            book.audit(world, &world.carts[turn.cart])?;
            for order in orders(turn) {
                book.audit_order(order, turn)?;
            }
            Ok(())
        })?;
    }

    #[test]
    fn no_piece_is_invented_lost_or_sold_twice(shop in shop(), acts in acts()) {
        let mut world = World::open(&shop);
        let mut supplied: BTreeMap<Sku, i64> =
            world.stock.iter().map(|(sku, level)| (sku.clone(), level.supplied)).collect();
        let mut sold = BTreeMap::new();
        for act in &acts {
            if let Act::Supply(sku, pieces) = act {
                *supplied.entry(sku.clone()).or_default() += pieces;
            }
            let mut levels = world.stock.clone();
            let Some(turn) = world.play(act) else { continue };
            for event in turn.outcome.iter().flatten() {
                levels.apply(event);
                for (sku, level) in levels.iter() {
                    prop_assert!(level.is_conserved(), "{sku}: {level:?} after {event:?}");
                }
            }
            for order in orders(&turn) {
                audit_pieces(order, &turn.before, &mut sold)?;
            }
            audit_stock(&world.stock, &world.carts, &supplied, &sold)?;
        }
    }

    #[test]
    fn a_refused_request_changes_nothing(shop in shop(), acts in acts()) {
        let mut eventful = vec![];
        let mut world = World::open(&shop);
        for act in &acts {
            let was = world.clone();
            let turn = world.play(act);
            match &turn {
                Some(Turn { cart, before, request, outcome: Ok(events) }) if !events.is_empty() => {
                    // Nor is a version spent on an event that says nothing new; a batch may undo what it did.
                    let told_apart = Cart { version: before.version, ..world.carts[*cart].clone() };
                    prop_assert!(told_apart != *before || matches!(request.command, Command::Batch(_)));
                }
                Some(Turn { cart, request, outcome, .. }) => {
                    prop_assert_eq!(&World { now_ms: was.now_ms, ..world.clone() }, &was);
                    prop_assert_eq!(&world.decide(*cart, request), outcome, "asked again");
                }
                None => {}
            }
            eventful.push(turn.is_none_or(|t| t.outcome.is_ok_and(|events| !events.is_empty())));
        }
        // The same life without them ends the same; their time passes all the same.
        let mut without = World::open(&shop);
        for (act, eventful) in acts.iter().zip(eventful) {
            match act {
                Act::Ask(ask) if !eventful => without.now_ms += ask.later_ms,
                _ => drop(without.play(act)),
            }
        }
        prop_assert_eq!(without, world);
    }

    #[test]
    fn a_cart_keeps_its_limits(shop in shop(), acts in acts()) {
        walk(&shop, &acts, |world, turn| {
            let cart = &world.carts[turn.cart];
            audit_lines(cart)?;
            audit_holds(world, turn)?;
            let steps = cart.workflow.steps();
            prop_assert_eq!(cart.completed(), &steps[..cart.completed().len()], "steps are done in order");
            prop_assert_eq!(&cart.owner, &turn.before.owner);
            prop_assert_eq!(&cart.workflow, &turn.before.workflow);
            if turn.before.order_id().is_some() {
                prop_assert_eq!(cart, &turn.before, "an order is final");
            }
            Ok(())
        })?;
    }

    #[test]
    fn fewer_pieces_are_always_granted(shop in shop(), acts in acts()) {
        walk(&shop, &acts, |world, turn| {
            let cart = &world.carts[turn.cart];
            for line in cart.lines.iter().filter(|_| cart.order_id().is_none()) {
                for quantity in [1, line.quantity / 2, line.quantity - 1].into_iter().filter(|q| *q > 0) {
                    let command = Command::SetQuantity { line: line.id(), quantity };
                    let request = cart_core::Request { caller: None, expected_version: None, command };
                    let outcome = world.decide(turn.cart, &request);
                    prop_assert!(outcome.is_ok(), "{outcome:?} for {quantity} of {line:?}");
                }
            }
            Ok(())
        })?;
    }
}

/// The properties above say nothing of what their draws never reach.
#[test]
fn the_draws_reach_every_event_and_every_rejection() {
    let mut runner = TestRunner::deterministic();
    let (mut events, mut rejections) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..100 {
        let drawn = (shop(), acts()).new_tree(&mut runner).expect("a draw").current();
        walk(&drawn.0, &drawn.1, |_, turn| {
            match &turn.outcome {
                Ok(happened) => events.extend(happened.iter().map(CartEvent::name)),
                Err(rejection) => drop(rejections.insert(rejection.name())),
            }
            Ok(())
        })
        .expect("nothing is checked here");
    }
    let expected = [
        "cart_cleared",
        "checkout_started",
        "code_applied",
        "code_removed",
        "holds_expired",
        "line_added",
        "line_removed",
        "line_saved",
        "note_set",
        "order_placed",
        "prices_accepted",
        "quantity_set",
        "saved_line_dropped",
        "step_completed",
    ];
    assert_eq!(events.into_iter().collect::<Vec<_>>(), expected);
    // Details are parsed at the edge; a full cart has a table of its own beside the rules.
    let drawn = |name: &&str| !["invalid_details", "cart_full", "quantity_limit"].contains(name);
    let expected: BTreeSet<_> = Rejection::NAMES.into_iter().filter(drawn).collect();
    assert_eq!(rejections, expected);
}

/// Is an account of one cart, kept from its accepted commands alone, in numbers too wide to overflow.
#[derive(Clone, Debug, Default)]
struct Book {
    /// Pieces of each line, and the unit price that the shopper was told.
    lines: BTreeMap<LineId, (i128, i128)>,
    /// Pieces that wait for later.
    saved: BTreeMap<LineId, i128>,
    is_express: bool,
    /// What the order came to, once there is one.
    settled: Option<i128>,
}

impl Book {
    fn enter(&mut self, world: &World, command: &Command) {
        let price = |sku: &Sku| i128::from(world.products[sku].price.minor);
        match command {
            Command::AddLine { sku, quantity, properties } => {
                let line = self.lines.entry(LineId::new(sku.clone(), properties)).or_default();
                *line = (line.0 + i128::from(*quantity), price(sku));
            }
            Command::SetQuantity { line, quantity } => {
                let entry = self.lines.entry(line.clone()).or_default();
                let told = if i128::from(*quantity) > entry.0 { price(line.sku()) } else { entry.1 };
                *entry = (i128::from(*quantity), told);
            }
            Command::RemoveLine { line } => drop(self.lines.remove(line)),
            Command::SaveLine { line } => {
                let (pieces, _) = self.lines.remove(line).expect("a line that was there");
                let saved = self.saved.entry(line.clone()).or_default();
                *saved = (*saved + pieces).min(i128::from(LINE_QUANTITY_MAX));
            }
            Command::RestoreLine { line } => {
                let pieces = self.saved.remove(line).expect("a saved line that was there");
                let entry = self.lines.entry(line.clone()).or_default();
                *entry = (entry.0 + pieces, price(line.sku()));
            }
            Command::DropSavedLine { line } => drop(self.saved.remove(line)),
            Command::AcceptPrices => {
                for (line, entry) in &mut self.lines {
                    entry.1 = due_price(world, line, entry.1);
                }
            }
            Command::Batch(commands) => commands.iter().for_each(|command| self.enter(world, command)),
            Command::Clear => self.lines.clear(),
            Command::CompleteStep(StepDetails::Shipping { method }) => {
                self.is_express = method.as_ref().is_some_and(|m| m.as_str() == "express");
            }
            Command::PlaceOrder { .. } => self.settled = Some(self.total(world)),
            Command::CompleteStep(_)
            | Command::ApplyCode { .. }
            | Command::RemoveCode { .. }
            | Command::SetNote { .. }
            | Command::StartCheckout
            | Command::ExpireHolds => {}
        }
    }

    fn shipping(&self, world: &World) -> i128 {
        // A cart of nothing goes nowhere.
        if !self.is_express || self.lines.is_empty() {
            return 0;
        }
        let express = &world.terms.shipping.definition().methods[1].zones[0];
        match &express.any_currency.as_ref().expect("a charge in any currency").charge {
            cart_core::shipping::Charge::Flat(minor) => i128::from(*minor),
            other => panic!("the shop's express charge is flat, not {other:?}"),
        }
    }

    fn total(&self, world: &World) -> i128 {
        let lines = self.lines.iter().map(|(line, (pieces, told))| pieces * due_price(world, line, *told));
        lines.sum::<i128>() + self.shipping(world)
    }

    fn audit(&self, world: &World, cart: &Cart) -> Check {
        let lines: BTreeMap<_, _> = cart
            .lines
            .iter()
            .map(|l| (l.id(), (i128::from(l.quantity), i128::from(l.unit_price_minor))))
            .collect();
        prop_assert_eq!(&lines, &self.lines);
        let saved: BTreeMap<_, _> = cart.saved.iter().map(|l| (l.id(), i128::from(l.quantity))).collect();
        prop_assert_eq!(&saved, &self.saved);
        let (quote, totals) = (world.quote(cart), world.quote(cart).totals);
        prop_assert_eq!(
            i128::from(totals.items),
            self.lines.values().map(|(pieces, _)| pieces).sum::<i128>()
        );
        prop_assert_eq!(i128::from(totals.total_minor), self.settled.unwrap_or_else(|| self.total(world)));
        prop_assert_eq!(totals.subtotal_minor + totals.shipping_minor, totals.total_minor);
        prop_assert_eq!(quote.lines.iter().map(|l| l.total_minor).sum::<i64>(), totals.subtotal_minor);
        Ok(())
    }

    fn audit_order(&self, order: &Order, turn: &Turn) -> Check {
        let lines = order.lines.iter().map(|l| i128::from(l.quantity) * i128::from(l.unit_price_minor));
        prop_assert_eq!(Some(i128::from(order.total_minor)), self.settled);
        prop_assert_eq!(
            lines.sum::<i128>() + i128::from(order.shipping_minor),
            i128::from(order.total_minor)
        );
        let Command::PlaceOrder { payment, .. } = &turn.request.command else {
            return Err(TestCaseError::fail("an order that nobody placed"));
        };
        prop_assert_eq!(payment.amount_minor, order.total_minor, "what is paid is what is due");
        Ok(())
    }
}

/// Returns what a piece costs now: what the shopper was told, or what the shop asks where its policy says so and it
/// still sells the product in the carts' currency.
fn due_price(world: &World, line: &LineId, told: i128) -> i128 {
    let is_sold = |p: &&cart_core::Product| !p.hidden && p.price.currency.code() == "GBP";
    match world.products.get(line.sku()).filter(is_sold) {
        Some(product) if world.terms.prices != PricePolicy::Hold => i128::from(product.price.minor),
        _ => told,
    }
}

fn orders(turn: &Turn) -> impl Iterator<Item = &Order> {
    turn.outcome.iter().flatten().filter_map(|event| match event {
        CartEvent::OrderPlaced(order) => Some(order),
        _ => None,
    })
}

/// Checks that an order takes every counted piece once, and enters what was sold.
fn audit_pieces(order: &Order, cart: &Cart, sold: &mut BTreeMap<Sku, i64>) -> Check {
    prop_assert_eq!(order.lines.len(), cart.lines.len());
    for (bought, line) in order.lines.iter().zip(&cart.lines) {
        prop_assert_eq!((&bought.sku, &bought.properties), (&line.sku, &line.properties));
        prop_assert_eq!(bought.quantity, line.quantity);
        prop_assert_eq!(bought.from_held, line.held);
        let taken = bought.from_held + bought.from_available;
        if line.policy.is_tracked() {
            prop_assert_eq!(taken, bought.quantity);
        } else {
            prop_assert_eq!(bought.from_available, 0);
        }
        *sold.entry(bought.sku.clone()).or_default() += i64::from(taken);
    }
    Ok(())
}

/// Checks the stock against what arrived, what the carts hold and what the orders took.
fn audit_stock(
    stock: &StockLevels,
    carts: &[Cart],
    supplied: &BTreeMap<Sku, i64>,
    sold: &BTreeMap<Sku, i64>,
) -> Check {
    prop_assert_eq!(stock.iter().count(), supplied.len(), "no product enters the stock by itself");
    for (sku, level) in stock.iter() {
        let held: i64 = lines_of(carts, sku).map(|l| i64::from(l.held)).sum();
        prop_assert!(level.is_conserved(), "{sku}: {level:?}");
        prop_assert_eq!(Some(&level.supplied), supplied.get(sku));
        prop_assert_eq!(level.held, held, "held of {}", sku);
        prop_assert_eq!(level.sold, sold.get(sku).copied().unwrap_or_default(), "sold of {}", sku);
    }
    Ok(())
}

fn lines_of<'c>(carts: &'c [Cart], sku: &'c Sku) -> impl Iterator<Item = &'c Line> {
    carts.iter().flat_map(|c| &c.lines).filter(move |l| l.sku == *sku)
}

fn audit_lines(cart: &Cart) -> Check {
    let ids: BTreeSet<_> = cart.lines.iter().map(Line::id).collect();
    prop_assert_eq!(ids.len(), cart.lines.len(), "equal lines are one");
    for line in &cart.lines {
        prop_assert!((1..=LINE_QUANTITY_MAX).contains(&line.quantity), "{line:?}");
        prop_assert!(line.held <= line.quantity, "{line:?}");
    }
    Ok(())
}

fn audit_holds(world: &World, turn: &Turn) -> Check {
    let cart = &world.carts[turn.cart];
    let holds = |cart: &Cart| cart.lines.iter().map(|l| u64::from(l.held)).sum::<u64>();
    prop_assert_eq!(cart.holds_expire_at_ms.is_some(), holds(cart) > 0, "holds have an end: {:?}", cart);
    if holds(cart) > holds(&turn.before) {
        prop_assert_eq!(cart.holds_expire_at_ms, Some(world.now_ms + HOLD_MS), "a new hold renews the time");
    }
    if turn.request.command == Command::ExpireHolds && turn.outcome.is_ok() {
        let ended = turn.before.holds_expire_at_ms.is_some_and(|end| end <= world.now_ms);
        prop_assert_eq!(holds(cart), if ended { 0 } else { holds(&turn.before) });
    }
    if matches!(cart.stage, Stage::Ordered { .. }) {
        prop_assert_eq!(holds(cart), 0, "an order holds nothing");
    }
    Ok(())
}

fn reread<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    let json = serde_json::to_string(value).expect("the domain's values are JSON");
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error} in {json}"))
}
