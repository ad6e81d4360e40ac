//! Promises of the domain that hold whatever shoppers, the shop and the clock do.

mod drafts;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use cart_core::{
    Balances, Cart, CartEvent, Command, Line, LineId, Lines, NotApplied, Order, Posting, PricePolicy,
    Rejection, ReopenedLine, Sku, Slot, Stage, StepDetails, StockLevels, StockPolicy,
    limits::LINE_QUANTITY_MAX,
    promotion::{Benefit, Verdict},
};
use drafts::{Act, CARTS, Shop, acts, shop};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{FileFailurePersistence, TestRunner},
};
use world::{Check, HOLD_MS, Turn, World, issued, walk};

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
    fn two_carts_become_one_without_losing_a_piece(shop in shop(), acts in acts(), aside: bool) {
        let mut world = World::open(&shop);
        for act in &acts {
            world.play(act);
        }
        let all = |world: &World| {
            let mut pieces: BTreeMap<LineId, u64> = BTreeMap::new();
            for cart in world.carts.iter().take(2) {
                let lines = cart.bought().map(|l| (l.id(), l.quantity));
                for (line, quantity) in lines.chain(cart.saved.iter().map(|s| (s.id(), s.quantity))) {
                    *pieces.entry(line).or_default() += u64::from(quantity);
                }
            }
            pieces
        };
        let before = (all(&world), world.clone());
        let lines = if aside { Lines::LaidAside } else { Lines::Added };
        let Some(left) = world.merge(0, 1, lines) else {
            prop_assert!(world.carts.iter().take(2).any(|c| c.stage != Stage::Open || c.is_expired()));
            return Ok(());
        };
        let after = all(&world);
        for (line, pieces) in &before.0 {
            let lost: u64 = left.iter().filter(|l| l.line == *line && !l.is_saved).map(|l| u64::from(l.quantity)).sum();
            let kept = after.get(line).copied().unwrap_or(0);
            // A line that waits for later holds no more than a line may; nothing else is ever lost unsaid.
            let is_capped = kept >= u64::from(LINE_QUANTITY_MAX);
            prop_assert!(kept + lost == *pieces || is_capped, "{line}: {pieces} became {kept}, {lost} lost");
        }
        let holds = holds_of(&world.carts)?;
        for (sku, level) in world.stock.iter() {
            prop_assert!(level.is_conserved());
            prop_assert_eq!(level.held, holds.get(sku).copied().unwrap_or(0));
            let shelf_before = before.1.stock.at(sku).map_or(0, |level| level.available);
            prop_assert!(level.available >= -level.owed_max, "{sku}: {level:?}");
            // Gifts may be given that could not be had before.
            prop_assert!(level.available >= shelf_before || !aside || shop.gives, "{sku}: {shelf_before} before, {level:?}");
        }
        let (cart, history) = (&world.carts[0], &world.histories[0]);
        prop_assert_eq!(Cart::replay(history), Some(cart.clone()));
        // Tried again, it finds nothing to move.
        let settled = world.clone();
        prop_assert_eq!(world.merge(0, 1, lines), None);
        prop_assert_eq!(world, settled);
    }

    #[test]
    fn totals_never_drift(shop in shop(), acts in acts()) {
        let mut books = vec![Book::default(); CARTS];
        walk(&shop, &acts, |world, turn| {
            let book = &mut books[turn.cart];
            if turn.outcome.is_ok() {
                book.enter(world, &turn.request.command);
            }
            for event in turn.outcome.iter().flatten() {
                if let CartEvent::CartReopened { lines } = event {
                    book.reopen(world, lines)?;
                }
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
        let mut supplied: BTreeMap<Slot, i64> =
            world.stock.iter().map(|(slot, level)| (slot.clone(), level.supplied)).collect();
        let (mut sold, mut posted) = (BTreeMap::new(), vec![]);
        for act in &acts {
            if let Act::Supply(sku, pieces, _) = act {
                *supplied.entry(world.arrives(sku, *pieces)).or_default() += pieces;
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
                posted.extend(order.postings.clone());
                audit_pieces(order, &turn.before, &mut sold)?;
            }
            audit_accounts(&world.balances, &posted)?;
            audit_stock(&world.stock, &world.carts, &supplied, &sold)?;
        }
    }

    #[test]
    fn what_is_promised_is_there_or_may_be_owed(shop in shop(), acts in acts()) {
        let mut sold: BTreeMap<Sku, i64> = BTreeMap::new();
        walk(&shop, &acts, |world, turn| {
            // The shelf is reckoned from what arrived and what carts and orders have, not read from the level.
            let taken = |before: bool, sku: &Sku, sold: i64| {
                let carts = world.carts.iter().enumerate();
                let carts = carts.map(|(n, c)| if before && n == turn.cart { &turn.before } else { c });
                let held: i64 = carts.flat_map(|c| &c.lines).filter(|l| l.sku == *sku).map(|l| i64::from(l.held)).sum();
                held + sold
            };
            let sold_before = sold.clone();
            for line in orders(turn).flat_map(|o| &o.lines) {
                *sold.entry(line.sku.clone()).or_default() += i64::from(line.from_held + line.from_available);
            }
            if world.terms.locations.are_several() {
                return owed_within_the_limits(world, turn);
            }
            for (Slot { sku, .. }, level) in world.stock.iter() {
                let (was, now) = [(true, &sold_before), (false, &sold)]
                    .map(|(before, sold)| taken(before, sku, sold.get(sku).copied().unwrap_or(0)))
                    .into();
                let free = level.supplied - now - level.safety;
                if now > was {
                    let owed_max = world.products[sku].owed_max(world.now_ms);
                    prop_assert!(free >= -i64::from(owed_max), "{sku}: {free} where {owed_max} may be owed");
                }
                for line in orders(turn).flat_map(|o| &o.lines).filter(|l| l.sku == *sku) {
                    prop_assert!(i64::from(line.backordered) <= (-free).max(0), "{line:?} of {free}");
                    let coming = world.products[sku].coming(world.now_ms).map(|p| p.releases_at_ms);
                    prop_assert!(line.ships_from_ms.is_none_or(|at| at > world.now_ms || Some(at) == coming));
                }
                if let Err(Rejection::OutOfStock { sku: of, available, wanted }) = &turn.outcome
                    && of == sku && matches!(turn.request.command, Command::AddLine { .. })
                {
                    let owed_max = i64::from(world.products[sku].owed_max(world.now_ms)).min(level.owed_max);
                    prop_assert_eq!(*available, (free + owed_max).max(0));
                    prop_assert!(*available < i64::from(*wanted));
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn lines_hold_when_their_policy_says(shop in shop(), acts in acts()) {
        walk(&shop, &acts, |world, turn| {
            let (cart, is_granted) = (&world.carts[turn.cart], turn.outcome.is_ok());
            let holding = [StockPolicy::HoldOnAdd, StockPolicy::HoldAtCheckout];
            for line in &cart.lines {
                if !holding.contains(&line.policy) || cart.stage == Stage::Open && line.policy != StockPolicy::HoldOnAdd {
                    // A product that was listed anew may keep what it held under its earlier policy.
                    let held_before = turn.before.line(&line.id()).map_or(0, |l| l.held);
                    prop_assert!(line.held <= held_before, "{line:?} after {held_before}");
                }
                if is_granted && turn.request.command == Command::StartCheckout && holding.contains(&line.policy) {
                    prop_assert_eq!(line.held, line.quantity, "the checkout holds {:?}", line);
                }
                if line.released > 0 {
                    prop_assert!(line.released <= line.quantity - line.held, "{line:?}");
                }
            }
            Ok(())
        })?;
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
                let as_before = Cart {
                    version: turn.before.version,
                    payment_tasks: turn.before.payment_tasks.clone(),
                    ..cart.clone()
                };
                prop_assert_eq!(&as_before, &turn.before, "an order is final");
            }
            Ok(())
        })?;
    }

    #[test]
    fn gifts_are_what_promotions_say_and_the_shelf_allows(shop in shop(), acts in acts()) {
        walk(&Shop { gives: true, ..shop }, &acts, |world, turn| {
            let cart = &world.carts[turn.cart];
            let order = cart.order_id().is_some();
            let is_settled = turn.outcome.is_ok() && (turn.request.command.settles_gifts() || order);
            if !is_settled || cart.is_expired() || turn.before.order_id().is_some() {
                return Ok(());
            }
            let lines = cart.gifts().map(|l| (l.gift_of.clone().expect("a gift"), l.sku.clone(), l.quantity));
            let promoted = world.quote(cart).promotions;
            let due = promoted.gifts.iter().map(|g| (g.promotion.clone(), g.sku.clone(), g.pieces));
            let (mut lines, mut due): (Vec<_>, Vec<_>) = (lines.collect(), due.collect());
            lines.sort();
            due.sort();
            prop_assert_eq!(lines, due);
            let first_gift = cart.bought().count();
            prop_assert!(cart.lines[first_gift..].iter().all(Line::is_gift), "gifts come last");
            if world.terms.locations.are_several() || order {
                return Ok(());
            }
            for outcome in &promoted.outcomes {
                let Verdict::NotApplied(NotApplied::GiftOutOfStock { sku, .. }) = &outcome.verdict else { continue };
                let wanted = world.terms.promotions.definition(&outcome.promotion).expect("a promotion");
                let Benefit::Gift { pieces, .. } = wanted.benefit else { panic!("a gift is missing that is none") };
                // The lines of the cart come first.
                let missing = |l: &&Line| l.sku == *sku && l.policy.is_tracked();
                let own: i64 = cart.bought().filter(missing).map(|l| i64::from(l.quantity - l.held)).sum();
                let there = world.stock.obtainable(sku, world.products[sku].owed_max(world.now_ms));
                prop_assert!(there - own < i64::from(pieces), "{sku}: {there} there, {own} needed");
            }
            Ok(())
        })?;
    }

    #[test]
    fn fewer_pieces_are_always_granted(shop in shop(), acts in acts()) {
        walk(&shop, &acts, |world, turn| {
            let cart = &world.carts[turn.cart];
            for line in cart.bought().filter(|_| cart.order_id().is_none() && !cart.is_expired()) {
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
    for _ in 0..500 {
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
        "balances_noted",
        "cart_abandoned",
        "cart_cleared",
        "cart_expired",
        "cart_reopened",
        "checkout_started",
        "code_applied",
        "code_removed",
        "gift_accepted",
        "gift_added",
        "gift_card_applied",
        "gift_card_removed",
        "gift_declined",
        "gift_withdrawn",
        "gifts_out_of_stock",
        "holds_expired",
        "holds_moved",
        "line_added",
        "line_removed",
        "line_saved",
        "lines_held",
        "note_set",
        "order_placed",
        "payment_begun",
        "payment_cancelled",
        "payment_captured",
        "payment_challenged",
        "payment_failed",
        "payment_voided",
        "prices_accepted",
        "quantity_set",
        "saved_line_dropped",
        "step_completed",
        "store_credit_set",
    ];
    assert_eq!(events.into_iter().collect::<Vec<_>>(), expected);
    // Details are parsed at the edge; a full cart and addresses that nothing is sent to have tables of their own beside the rules.
    // What becomes of orders and of merged carts is drawn in worlds of their own, and what others use up is counted in accounts.
    let drawn = |name: &&str| {
        let elsewhere = [
            "promotion_used_up",
            "not_ordered",
            "order_state",
            "cancel_too_late",
            "refund_too_large",
            "cart_merged",
        ];
        !["invalid_details", "address_not_served", "cart_full", "quantity_limit"].contains(name)
            && !elsewhere.contains(name)
    };
    let expected: BTreeSet<_> = Rejection::NAMES.into_iter().filter(drawn).collect();
    assert_eq!(rejections, expected);
}

/// What was issued and what orders have posted make each balance, and none is below zero.
fn audit_accounts(balances: &Balances, posted: &[Posting]) -> Check {
    for (account, balance) in balances.iter() {
        let moved: i64 = posted.iter().filter(|p| p.account == *account).map(|p| p.delta).sum();
        prop_assert!(balance >= 0, "{account} at {balance}");
        prop_assert_eq!(balance, issued().get(account).unwrap_or(0) + moved, "{}", account);
    }
    Ok(())
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
            // Asked for twice, an order was placed at the first time.
            Command::PlaceOrder { .. } if self.settled.is_some() => {}
            Command::PlaceOrder { .. } => self.settled = Some(self.total(world)),
            Command::CompleteStep(_)
            | Command::ApplyCode { .. }
            | Command::RemoveCode { .. }
            | Command::DeclineGift { .. }
            | Command::AcceptGift { .. }
            | Command::ApplyGiftCard { .. }
            | Command::RedeemCode(_)
            | Command::RemoveGiftCard { .. }
            | Command::UseStoreCredit { .. }
            | Command::SetNote { .. }
            | Command::StartCheckout
            | Command::BeginPayment { .. }
            | Command::ChallengePayment { .. }
            | Command::FailPayment { .. }
            | Command::CancelPayment { .. }
            | Command::SettlePayment(_)
            | Command::FulfilOrder { .. }
            | Command::CancelOrder { .. }
            | Command::RefundOrder { .. }
            | Command::ExpireHolds
            | Command::Lapse { .. }
            | Command::Reopen => {}
        }
    }

    /// A line comes back with no more pieces than it had, at the price of today; and with fewer only where it is said why.
    fn reopen(&mut self, world: &World, told: &[ReopenedLine]) -> Check {
        prop_assert!(
            told.iter().map(|line| &line.line).collect::<BTreeSet<_>>().into_iter().eq(self.lines.keys())
        );
        for line in told {
            let (pieces, was) = self.lines[&line.line];
            prop_assert_eq!((i128::from(line.wanted), i128::from(line.was_minor)), (pieces, was));
            prop_assert_eq!(line.quantity < line.wanted, line.because.is_some(), "{:?}", line);
            let today = (line.quantity > 0).then(|| world.products[line.line.sku()].price.minor);
            prop_assert_eq!(line.unit_price_minor, today);
            match today {
                Some(minor) => self.lines.insert(line.line.clone(), (line.quantity.into(), minor.into())),
                None => self.lines.remove(&line.line),
            };
        }
        Ok(())
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
            .bought()
            .map(|l| (l.id(), (i128::from(l.quantity), i128::from(l.unit_price_minor))))
            .collect();
        prop_assert_eq!(&lines, &self.lines);
        let saved: BTreeMap<_, _> = cart.saved.iter().map(|l| (l.id(), i128::from(l.quantity))).collect();
        prop_assert_eq!(&saved, &self.saved);
        let gifts: i128 = cart.gifts().map(|l| i128::from(l.quantity)).sum();
        let (quote, totals) = (world.quote(cart), world.quote(cart).totals);
        prop_assert_eq!(
            i128::from(totals.items),
            self.lines.values().map(|(pieces, _)| pieces).sum::<i128>() + gifts
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
        prop_assert_eq!(
            payment.amount_minor,
            order.quote.as_ref().expect("a quote").totals.due(),
            "what is paid is what is due"
        );
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

/// Checks that all locations together owe no more of a product than may be owed, or was before.
fn owed_within_the_limits(world: &World, turn: &Turn) -> Check {
    let before = |slot: &Slot| {
        let all: i64 = turn
            .outcome
            .iter()
            .flatten()
            .flat_map(cart_core::stock::movements)
            .filter(|(moved, _)| moved == slot)
            .map(|(_, m)| m.available)
            .sum();
        world.stock.at(slot).map_or(0, |level| level.free()) - all
    };
    for sku in world.products.keys() {
        let lacking = |free: &dyn Fn(&Slot) -> i64| -> i64 {
            let slots = world.stock.of(sku).map(|(location, _)| Slot::new(sku, location));
            slots.map(|slot| (-free(&slot)).max(0)).sum()
        };
        let now = lacking(&|slot| world.stock.at(slot).map_or(0, |level| level.free()));
        let owed_max = i64::from(world.products[sku].owed_max(world.now_ms));
        let was = lacking(&before);
        prop_assert!(now <= was.max(owed_max), "{sku}: {now} lacking, {was} before, {owed_max} may be owed");
    }
    Ok(())
}

/// Sums what lines hold, by product and location; what a plain line does not say is in the main location.
fn holds_of(carts: &[Cart]) -> Result<BTreeMap<Slot, i64>, TestCaseError> {
    let mut holds: BTreeMap<Slot, i64> = BTreeMap::new();
    for line in carts.iter().flat_map(|c| &c.lines) {
        prop_assert!(line.held <= line.quantity);
        let said: u32 = line.picks.iter().map(|pick| pick.pieces).sum();
        prop_assert!(said == line.held || line.picks.is_empty(), "{line:?}");
        for pick in &line.picks {
            prop_assert_eq!(&pick.sku, &line.sku);
            *holds.entry(Slot::new(&pick.sku, &pick.location)).or_default() += i64::from(pick.pieces);
        }
        *holds.entry(line.sku.clone().into()).or_default() += i64::from(line.held - said);
    }
    Ok(holds)
}

/// Checks that an order takes every counted piece once from where its address is served, and enters what was sold.
fn audit_pieces(order: &Order, cart: &Cart, sold: &mut BTreeMap<Slot, i64>) -> Check {
    let is_french = cart.address.as_ref().is_some_and(|address| address.country == "FR");
    prop_assert_eq!(order.lines.len(), cart.lines.len());
    for (bought, line) in order.lines.iter().zip(&cart.lines) {
        prop_assert_eq!((bought.id(), &bought.gift_of), (line.id(), &line.gift_of));
        prop_assert!(bought.gift_of.is_none() || bought.unit_price_minor == 0, "{bought:?}");
        prop_assert_eq!(bought.quantity, line.quantity);
        prop_assert_eq!(bought.from_held, line.held);
        let taken = bought.from_held + bought.from_available;
        if line.policy.is_tracked() {
            prop_assert_eq!(taken, bought.quantity);
        } else {
            prop_assert_eq!(bought.from_available, 0);
        }
        let said: u32 = bought.taken.iter().map(|t| t.from_held + t.from_available).sum();
        prop_assert!(said == taken || bought.taken.is_empty(), "{bought:?}");
        for part in &bought.taken {
            prop_assert!(!is_french || part.location.as_str() != "north", "{bought:?}");
            let slot = Slot::new(&part.sku, &part.location);
            *sold.entry(slot).or_default() += i64::from(part.from_held + part.from_available);
        }
        *sold.entry(bought.sku.clone().into()).or_default() += i64::from(taken - said);
    }
    Ok(())
}

/// Checks the stock against what arrived, what the carts hold and what the orders took.
fn audit_stock(
    stock: &StockLevels,
    carts: &[Cart],
    supplied: &BTreeMap<Slot, i64>,
    sold: &BTreeMap<Slot, i64>,
) -> Check {
    let holds = holds_of(carts)?;
    prop_assert_eq!(stock.iter().count(), supplied.len(), "no product enters the stock by itself");
    for (sku, level) in stock.iter() {
        let held = holds.get(sku).copied().unwrap_or_default();
        prop_assert!(level.is_conserved(), "{sku}: {level:?}");
        prop_assert_eq!(Some(&level.supplied), supplied.get(sku));
        prop_assert_eq!(level.held, held, "held of {}", sku);
        prop_assert_eq!(level.sold, sold.get(sku).copied().unwrap_or_default(), "sold of {}", sku);
    }
    Ok(())
}

fn audit_lines(cart: &Cart) -> Check {
    let ids: BTreeSet<_> = cart.lines.iter().map(Line::id).collect();
    prop_assert_eq!(ids.len(), cart.lines.len(), "equal lines are one");
    for line in &cart.lines {
        prop_assert!((1..=LINE_QUANTITY_MAX).contains(&line.quantity), "{line:?}");
        prop_assert!(line.held <= line.quantity && line.backordered <= line.quantity, "{line:?}");
    }
    Ok(())
}

fn audit_holds(world: &World, turn: &Turn) -> Check {
    let cart = &world.carts[turn.cart];
    let holds = |cart: &Cart| cart.lines.iter().map(|l| u64::from(l.held)).sum::<u64>();
    prop_assert_eq!(cart.holds_expire_at_ms.is_some(), holds(cart) > 0, "holds have an end: {:?}", cart);
    if holds(cart) > holds(&turn.before) {
        prop_assert_eq!(
            cart.holds_expire_at_ms,
            Some(world.now_ms + cart.workflow.hold_ms().unwrap_or(HOLD_MS)),
            "a new hold renews the time"
        );
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
