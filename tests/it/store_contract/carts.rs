//! Carts, turn by turn.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use cart_core::{Cart, Command, Movement, OrderId, Stage};
use uuid::Uuid;
use web::store::{
    Answer, CartWrite, EventWrite, Heard, IdleDue, LoadedCart, Outcome, Staged, StoreError, Touched, Wants,
};

use super::{
    subject::{
        HOLD_MS, NOW_MS, PRICE_MINOR, Subject, accepted, cart_id, level, rejected, sku, turn, visitor,
    },
    till::{BOX, Fixed, GIFT_CODE, Panicking, add, buy, command, open, read},
};

pub async fn sixty_four_shoppers_buy_no_more_than_fifty(subject: Subject) {
    subject.stock_up(&[("MUG", 50), ("VASE", 50)]).await;
    let shoppers = (0..64).map(|n| {
        let store = subject.store.clone();
        tokio::spawn(async move {
            let cart = format!("c{n}");
            // Half of them meet the two products in the other order, as two nodes that must not deadlock.
            let goods = if n % 2 == 0 { ["MUG", "VASE"] } else { ["VASE", "MUG"] };
            let mut jobs = vec![open(&cart, &format!("v{n}"))];
            jobs.extend(goods.map(|sku| add(&cart, sku, 1)));
            turn(&*store, jobs).await.unwrap();
            let bought = turn(&*store, buy(&cart, 2 * PRICE_MINOR)).await.unwrap();
            matches!(bought.answers.last(), Some(Answer::Accepted(_)))
        })
    });
    let mut buyers = 0;
    for shopper in shoppers.collect::<Vec<_>>() {
        buyers += i64::from(shopper.await.unwrap());
    }
    let (mug, vase) = (subject.level("MUG").await, subject.level("VASE").await);
    assert_eq!((mug.available, mug.held + mug.sold), (0, 50), "every mug is held or sold");
    assert_eq!(vase, level(50, 50 - buyers, 0, buyers));
    assert!(buyers > 0 && mug.sold == buyers, "{buyers} buyers, {mug:?}");
    assert_eq!(subject.count("order_placed").await as i64, buyers);
    assert_eq!(subject.store.audit().await.unwrap(), [""; 0]);
}

pub async fn gifts_are_held_sold_and_given_back(subject: Subject) {
    subject.stock_up(&[("TEE", 50), ("SOFA", 7)]).await;
    let shoppers = (0..20).map(|n| {
        let store = subject.store.clone();
        tokio::spawn(async move {
            let cart = format!("c{n}");
            let code = command(&cart, Command::ApplyCode { code: GIFT_CODE.parse().unwrap() });
            turn(&*store, vec![open(&cart, &format!("v{n}")), code, add(&cart, "TEE", 1)]).await.unwrap();
            let bought = turn(&*store, buy(&cart, PRICE_MINOR)).await.unwrap();
            accepted(bought.answers.last().unwrap());
        })
    });
    for shopper in shoppers.collect::<Vec<_>>() {
        shopper.await.unwrap();
    }
    let (tee, sofa) = (subject.level("TEE").await, subject.level("SOFA").await);
    // Three more sofas may be owed, to whoever buys them and to whom they are given.
    assert_eq!((tee.sold, sofa.sold, sofa.held, sofa.available), (20, 10, 0, -3));
    assert_eq!(subject.store.audit().await.unwrap(), [""; 0]);
    // What is cancelled goes back to the shelf with its gift.
    let mut given = None;
    for n in 0..20 {
        let id = OrderId::parse(&format!("order-c{n}")).unwrap();
        let order = subject.store.order(&id).await.unwrap().unwrap();
        given = given.or(Some(order).filter(|order| order.lines.len() == 2));
    }
    let given = given.expect("somebody got a sofa");
    let cancel = Command::CancelOrder { order: Box::new(given.clone()) };
    accepted(&subject.ask(command(given.cart.as_str(), cancel)).await);
    assert_eq!((subject.level("TEE").await.sold, subject.level("SOFA").await.available), (19, -2));
    assert_eq!(subject.store.audit().await.unwrap(), [""; 0]);
}

pub async fn bundles_move_the_pieces_of_their_parts(subject: Subject) {
    subject.stock_up(&[("MUG", 50), ("VASE", 50)]).await;
    let shoppers = (0..40).map(|n| {
        let store = subject.store.clone();
        tokio::spawn(async move {
            let cart = format!("c{n}");
            let mut jobs = vec![open(&cart, &format!("v{n}"))];
            // A vase and a bundle, or a mug and a vase.
            let goods = if n % 2 == 0 { ["VASE", BOX] } else { ["MUG", "VASE"] };
            jobs.extend(goods.map(|sku| add(&cart, sku, 1)));
            turn(&*store, jobs).await.unwrap();
            let bought = turn(&*store, buy(&cart, 2 * PRICE_MINOR)).await.unwrap();
            matches!(bought.answers.last(), Some(Answer::Accepted(_)))
        })
    });
    for shopper in shoppers.collect::<Vec<_>>() {
        shopper.await.unwrap();
    }
    let (mug, vase) = (subject.level("MUG").await, subject.level("VASE").await);
    assert!(mug.is_conserved() && vase.is_conserved(), "{mug:?} {vase:?}");
    assert!(mug.held + mug.sold >= 49 && mug.available <= 1, "{mug:?}");
    assert!(vase.sold > 0 && vase.sold + vase.held <= 50, "{vase:?}");
    assert_eq!(subject.store.audit().await.unwrap(), [""; 0]);
    // What is cancelled goes back to the parts' shelves.
    let mut boxed = None;
    for n in (0..40).step_by(2) {
        let id = OrderId::parse(&format!("order-c{n}")).unwrap();
        boxed = boxed.or(subject.store.order(&id).await.unwrap());
    }
    let boxed = boxed.expect("somebody got a bundle");
    let cancel = Command::CancelOrder { order: Box::new(boxed.clone()) };
    accepted(&subject.ask(command(boxed.cart.as_str(), cancel)).await);
    let after = (subject.level("MUG").await, subject.level("VASE").await);
    assert_eq!(
        (after.0.sold, after.1.sold),
        (mug.sold - 2, vase.sold - 2),
        "a vase alone, and one in the bundle"
    );
    assert_eq!(subject.store.audit().await.unwrap(), [""; 0]);
}

pub async fn commands_to_one_cart_at_once_are_all_applied(subject: Subject) {
    subject.stock_up(&[("MUG", 100)]).await;
    subject.ask(open("c", "ann")).await;
    let adds = (0..32).map(|_| {
        let store = subject.store.clone();
        tokio::spawn(async move { turn(&*store, vec![add("c", "MUG", 1)]).await.unwrap().answers.remove(0) })
    });
    let mut versions = vec![];
    for add in adds.collect::<Vec<_>>() {
        versions.push(accepted(&add.await.unwrap()).version);
    }
    versions.sort_unstable();
    assert_eq!(versions, (2..34).collect::<Vec<_>>());
    let cart = subject.cart("c").await;
    assert_eq!((cart.version, cart.lines[0].quantity), (33, 32));
    assert_eq!(subject.level("MUG").await, level(100, 68, 32, 0));
}

pub async fn a_cart_is_opened_once(subject: Subject) {
    let openings = (0..16).map(|n| {
        let store = subject.store.clone();
        tokio::spawn(async move { turn(&*store, vec![open("c", &format!("v{n}"))]).await.unwrap() })
    });
    let mut winners = vec![];
    for opening in openings.collect::<Vec<_>>() {
        match &opening.await.unwrap().answers[0] {
            Answer::Accepted(accepted) => winners.push(accepted.cart.owner.clone()),
            other => assert_eq!(rejected(other), "not_owner"),
        }
    }
    assert_eq!(winners, [subject.cart("c").await.owner]);
    assert_eq!(subject.count("cart_opened").await, 1);
}

pub async fn a_write_guarded_by_a_stale_version_is_refused_whole(subject: Subject) {
    subject.stock_up(&[("MUG", 10)]).await;
    subject.turn(vec![open("c", "ann"), add("c", "MUG", 1), open("other", "bob")]).await;
    let (stale, other) = (subject.cart("c").await, subject.cart("other").await);
    subject.ask(add("c", "MUG", 1)).await;
    let writes = vec![changed(&other), changed(&stale)];
    subject.refuses(wants(&["c", "other"]), Box::new(Fixed::new(staged(writes)))).await;
    assert_eq!(subject.cart("c").await.lines[0].quantity, 2);
    assert_eq!(subject.cart("other").await, other);
}

pub async fn a_cart_that_exists_is_not_opened_over(subject: Subject) {
    subject.ask(open("c", "ann")).await;
    let CartWrite { cart, .. } = changed(&subject.cart("c").await);
    subject
        .refuses(
            wants(&["c"]),
            Box::new(Fixed::new(staged(vec![CartWrite {
                before: 0,
                cart,
                is_claimed: false,
                idle: IdleDue::AsBefore,
            }]))),
        )
        .await;
}

pub async fn a_movement_below_zero_is_refused_whole(subject: Subject) {
    subject.stock_up(&[("MUG", 1)]).await;
    subject.ask(open("c", "ann")).await;
    let mut staged = staged(vec![changed(&subject.cart("c").await)]);
    staged.movements.insert(sku("MUG").into(), Movement { available: -2, held: 2, sold: 0 });
    subject.refuses(wants(&["c"]), Box::new(Fixed::new(staged))).await;
    assert_eq!(subject.level("MUG").await, level(1, 1, 0, 0));
}

pub async fn a_stale_expectation_is_rejected(subject: Subject) {
    subject.stock_up(&[("MUG", 10)]).await;
    subject.ask(open("c", "ann")).await;
    accepted(&subject.ask(add("c", "MUG", 1).expecting(1)).await);
    assert_eq!(rejected(&subject.ask(add("c", "MUG", 1).expecting(1)).await), "stale_version");
    assert_eq!(subject.cart("c").await.version, 2);
}

pub async fn one_rejection_leaves_its_neighbours_committed(subject: Subject) {
    subject.stock_up(&[("MUG", 3), ("TEE", 3)]).await;
    let outcome = subject
        .turn(vec![
            open("a", "ann"),
            add("a", "MUG", 2),
            open("b", "bob"),
            add("b", "MUG", 2),
            add("b", "NONE", 1),
            add("gone", "MUG", 1),
            add("b", "TEE", 1),
        ])
        .await;
    let [_, a, _, b, none, gone, tee] = &outcome.answers[..] else { panic!("{outcome:?}") };
    assert_eq!(accepted(a).lines[0].held, 2);
    assert_eq!(rejected(b), "out_of_stock");
    assert_eq!(rejected(none), "unknown_sku");
    assert!(matches!(gone, Answer::UnknownCart));
    assert_eq!(**accepted(tee), subject.cart("b").await);
    assert_eq!(subject.cart("a").await.lines[0].quantity, 2);
    assert_eq!(subject.level("MUG").await, level(3, 1, 2, 0));
    assert_eq!(subject.level("TEE").await, level(3, 2, 1, 0));
    assert!(subject.store.cart(&cart_id("gone")).await.unwrap().is_none());
}

pub async fn a_turn_loads_what_memory_does_not_have(subject: Subject) {
    subject.turn(vec![open("current", "ann"), open("old", "bob"), open("new", "eve")]).await;
    subject.turn(buy("old", 0)).await;
    subject.stock_up(&[("MUG", 1)]).await;
    subject.ask(add("old", "MUG", 1)).await;
    let known = [("current", Some(1)), ("old", Some(1)), ("new", None), ("gone", Some(4))];
    let wants = Wants { carts: known.map(|(id, version)| (cart_id(id), version)).into(), ..Wants::default() };
    let outcome = Outcome { answers: vec![Answer::UnknownCart; 4], ..Outcome::default() };
    let look = Fixed::new(Staged { outcome, ..Staged::default() });
    let seen = look.seen.clone();
    subject.store.turn(wants, Box::new(look)).await.unwrap();

    let loaded = seen.lock().unwrap().take().unwrap().carts;
    let seen: BTreeMap<&str, Option<u64>> = loaded
        .iter()
        .map(|(id, cart)| match cart {
            LoadedCart::Current => (id.as_str(), None),
            LoadedCart::Fresh(cart) => (id.as_str(), Some(cart.version)),
            LoadedCart::Unreadable => panic!("{id} cannot be read"),
        })
        .collect();
    assert_eq!(seen, BTreeMap::from([("current", None), ("new", Some(1)), ("old", Some(2))]));
}

pub async fn a_turn_without_writes_is_answered(subject: Subject) {
    subject.ask(open("c", "ann")).await;
    let outcome = subject.turn(vec![read("c"), read("gone")]).await;
    assert_eq!(**accepted(&outcome.answers[0]), subject.cart("c").await);
    assert!(matches!(outcome.answers[1], Answer::UnknownCart));
    assert!(outcome.touched.iter().all(|t| !t.is_changed));
    assert_eq!(subject.events().await.len(), 1);
}

pub async fn a_panic_in_a_decision_reaches_its_caller_and_leaves_nothing_open(subject: Subject) {
    subject.ask(open("c", "ann")).await;
    // More often than there are connections, so that none is lost.
    for _ in 0..6 {
        let store = subject.store.clone();
        let turn = tokio::spawn(async move { store.turn(wants(&["c"]), Box::new(Panicking)).await });
        assert!(turn.await.unwrap_err().is_panic());
    }
    subject.stock_up(&[("MUG", 1)]).await;
    let next = subject.ask(add("c", "MUG", 1));
    accepted(&tokio::time::timeout(Duration::from_secs(10), next).await.unwrap());
    assert_eq!(subject.events().await.len(), 2);
}

pub async fn ended_holds_are_found_and_given_back(subject: Subject) {
    subject.stock_up(&[("MUG", 10), ("PDF", 0)]).await;
    subject.turn(vec![open("late", "a"), add("late", "MUG", 1).at(NOW_MS + 2)]).await;
    subject.turn(vec![open("soon", "b"), add("soon", "MUG", 2).at(NOW_MS)]).await;
    subject.turn(vec![open("none", "c"), add("none", "PDF", 2).at(NOW_MS)]).await;
    let ended = async |now_ms, limit| {
        let ended = subject.store.carts_with_ended_holds(now_ms, limit).await.unwrap();
        ended.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let end_ms = NOW_MS + HOLD_MS;
    assert_eq!(ended(end_ms - 1, 9).await, [""; 0]);
    assert_eq!(ended(end_ms, 9).await, ["soon"]);
    assert_eq!(ended(end_ms + 2, 9).await, ["soon", "late"]);
    assert_eq!(ended(end_ms + 2, 1).await, ["soon"]);

    subject.ask(command("soon", Command::ExpireHolds).at(end_ms)).await;
    assert_eq!(ended(end_ms + 2, 9).await, ["late"]);
    assert_eq!(subject.level("MUG").await, level(10, 9, 1, 0));
    assert_eq!(subject.cart("soon").await.lines[0].quantity, 2);
}

pub async fn a_cart_that_goes_on_is_put_off_and_found_at_its_later_time(subject: Subject) {
    subject.stock_up(&[("MUG", 10)]).await;
    subject.turn(vec![open("c", "ann"), open("o", "bob"), add("c", "MUG", 1).at(NOW_MS)]).await;
    subject.ask(add("c", "MUG", 1).at(NOW_MS + 500)).await;
    let ended = async |now_ms| subject.store.carts_with_ended_holds(now_ms, 9).await.unwrap().len();
    let (first_ms, then_ms) = (NOW_MS + HOLD_MS, NOW_MS + 500 + HOLD_MS);
    assert_eq!(ended(first_ms).await, 0, "the second add made the holds last longer");
    subject.store.put_off_wakes(first_ms).await.unwrap();
    assert_eq!(
        subject.store.put_off_wakes(first_ms).await.unwrap(),
        0,
        "what was put off is not looked at again"
    );
    assert_eq!((ended(then_ms - 1).await, ended(then_ms).await), (0, 1));
    assert_eq!(
        subject.store.put_off_wakes(then_ms).await.unwrap(),
        0,
        "what is due is left to whoever sweeps"
    );

    // What was put off comes earlier again.
    let sooner = CartWrite { idle: IdleDue::At(Some(first_ms)), ..changed(&subject.cart("c").await) };
    subject.store.turn(wants(&["c"]), Box::new(Fixed::new(staged(vec![sooner])))).await.unwrap();
    let idle = async |now_ms| subject.store.idle_carts(now_ms, 9).await.unwrap().len();
    assert_eq!((idle(first_ms - 1).await, idle(first_ms).await), (0, 1));

    // The holds' end lets it go, and each of its times is found once.
    subject.ask(command("c", Command::ExpireHolds).at(then_ms)).await;
    assert_eq!((ended(then_ms).await, idle(then_ms).await), (0, 1));
    let never = CartWrite { idle: IdleDue::At(None), ..changed(&subject.cart("c").await) };
    subject.store.turn(wants(&["c"]), Box::new(Fixed::new(staged(vec![never])))).await.unwrap();
    subject.store.put_off_wakes(i64::MAX - 1).await.unwrap();
    assert_eq!((ended(i64::MAX - 1).await, idle(i64::MAX - 1).await), (0, 0));
}

pub async fn carts_that_nobody_touches_are_found_when_they_are_due(subject: Subject) {
    subject.turn(vec![open("a", "ann"), open("b", "bob")]).await;
    let write = async |id: &str, idle| {
        let write = CartWrite { idle, ..changed(&subject.cart(id).await) };
        let decision = Box::new(Fixed::new(staged(vec![write])));
        subject.store.turn(wants(&[id]), decision).await.unwrap();
    };
    let idle = async |now_ms, limit| {
        let idle = subject.store.idle_carts(now_ms, limit).await.unwrap();
        idle.iter().map(|(id, version)| format!("{id} at {version}")).collect::<Vec<_>>()
    };
    assert_eq!(idle(i64::MAX, 9).await, [""; 0], "nothing is looked at that nobody asked for");
    write("a", IdleDue::At(Some(2_000))).await;
    write("b", IdleDue::At(Some(1_000))).await;
    assert_eq!(idle(999, 9).await, [""; 0]);
    assert_eq!(idle(1_000, 9).await, ["b at 2"]);
    write("b", IdleDue::AsBefore).await;
    assert_eq!(idle(2_000, 9).await, ["b at 3", "a at 2"]);
    assert_eq!(idle(2_000, 1).await, ["b at 3"]);
    write("b", IdleDue::At(None)).await;
    write("a", IdleDue::At(Some(3_000))).await;
    assert_eq!((idle(2_999, 9).await, idle(3_000, 9).await), (vec![], vec!["a at 3".to_owned()]));
}

pub async fn the_newest_cart_that_is_no_order_is_found(subject: Subject) {
    subject.stock_up(&[("MUG", 10)]).await;
    let newest = async || {
        let cart = subject.store.open_cart_of(&visitor("ann")).await.unwrap();
        cart.map(|id| id.to_string())
    };
    assert_eq!(newest().await, None);
    for (cart, owner) in [("z", "ann"), ("m", "ann"), ("a", "bob")] {
        subject.ask(open(cart, owner)).await;
    }
    assert_eq!(newest().await.as_deref(), Some("m"));
    subject.ask(add("z", "MUG", 1)).await;
    assert_eq!(newest().await.as_deref(), Some("m"));
    subject.sell("x", "ann", "MUG", 1).await;
    assert!(matches!(subject.cart("x").await.stage, Stage::Ordered { .. }));
    assert_eq!(newest().await.as_deref(), Some("m"));
}

pub async fn a_listener_hears_all_that_others_change(subject: Subject) {
    let (sender, mut heard) = tokio::sync::mpsc::channel(64);
    let listener = subject.store.clone();
    let listening = tokio::spawn(async move { listener.listen(sender).await });
    assert_eq!(heard.recv().await, Some(Heard::Everything));
    subject.ask(open("own", "ann")).await;
    if let Some(other) = subject.another().await.filter(|_| subject.is_shared()) {
        turn(&*other, vec![open("theirs", "ann")]).await.unwrap();
        assert_eq!(heard.recv().await, Some(Heard::Cart(cart_id("theirs"))));
    }
    assert!(heard.is_empty(), "nobody hears of its own changes");
    assert!(!listening.is_finished());
    listening.abort();
}

fn wants(carts: &[&str]) -> Wants {
    Wants { carts: carts.iter().map(|id| (cart_id(id), None)).collect(), ..Wants::default() }
}

/// Stages a change of a cart from the version that it has there.
pub fn changed(cart: &Cart) -> CartWrite {
    let mut next = cart.clone();
    next.version += 1;
    next.note.push('!');
    CartWrite { before: cart.version, cart: Arc::new(next), is_claimed: false, idle: IdleDue::AsBefore }
}

/// Stages writes as a decision would that keeps to every rule but the one under test.
pub fn staged(carts: Vec<CartWrite>) -> Staged {
    let touched = |w: &CartWrite| Touched { cart: w.cart.clone(), is_changed: true };
    let event = |w: &CartWrite| EventWrite {
        id: Uuid::new_v4(),
        at_ms: NOW_MS,
        kind: "step_completed",
        cart: Some(w.cart.id.clone()),
        unit: w.cart.owner.clone(),
        data: "{}".into(),
    };
    let outcome = Outcome {
        answers: vec![Answer::UnknownCart; carts.len()],
        touched: carts.iter().map(touched).collect(),
        ..Outcome::default()
    };
    Staged { events: carts.iter().map(event).collect(), outcome, carts, ..Staged::default() }
}

/// A store error must say that surely nothing was written.
pub fn is_unavailable(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(_))
}

pub async fn a_cart_that_cannot_be_read_fails_alone(subject: Subject) {
    subject.turn(vec![open("a", "ann"), open("b", "bob")]).await;
    // The double keeps no rows that could be broken.
    let Some(broken) = subject.sql("UPDATE carts SET state = '{}' WHERE id = 'a'").await else { return };
    broken.unwrap();
    let decision = Fixed::new(Staged::default());
    let seen = decision.seen.clone();
    let carts = ["a", "b"].map(|id| (cart_id(id), None)).into();
    subject.store.turn(Wants { carts, ..Wants::default() }, Box::new(decision)).await.unwrap();
    let seen = seen.lock().unwrap().take().unwrap();
    assert!(matches!(seen.carts[&cart_id("a")], LoadedCart::Unreadable));
    assert!(matches!(&seen.carts[&cart_id("b")], LoadedCart::Fresh(cart) if cart.owner == visitor("bob")));
}
