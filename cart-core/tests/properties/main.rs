//! Promises of the domain that hold whatever shoppers, the shop and the clock do.

mod audit;
mod book;
mod drafts;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use audit::{
    audit_accounts, audit_holds, audit_lines, audit_pieces, audit_stock, holds_of, owed_within_the_limits,
};
use book::Book;
use cart_core::{
    Cart, CartEvent, Command, Line, LineId, Lines, NotApplied, Order, Rejection, Sku, Slot, Stage,
    StockPolicy,
    limits::LINE_QUANTITY_MAX,
    promotion::{Benefit, Verdict},
};
use drafts::{Act, CARTS, Shop, acts, shop};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{FileFailurePersistence, TestRunner},
};
use world::{Turn, World, walk};

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
            "parcel_not_found",
            "not_ordered",
            "order_state",
            "cancel_too_late",
            "refund_too_large",
            "cart_merged",
        ];
        !["invalid_details", "address_not_served", "cart_full", "quantity_limit", "property_refused"]
            .contains(name)
            && !elsewhere.contains(name)
    };
    let expected: BTreeSet<_> = Rejection::NAMES.into_iter().filter(drawn).collect();
    assert_eq!(rejections, expected);
}

fn orders(turn: &Turn) -> impl Iterator<Item = &Order> {
    turn.outcome.iter().flatten().filter_map(|event| match event {
        CartEvent::OrderPlaced(order) => Some(order),
        _ => None,
    })
}

fn reread<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    let json = serde_json::to_string(value).expect("the domain's values are JSON");
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error} in {json}"))
}
