//! Orders after they were placed.

use super::*;
use crate::{LocationId, PackWish, ParcelWish, Pick, Refund, RefundedLine, Tracking, TrackingChange};

/// Two mugs and an express parcel, ordered and paid: 2 × 1,250 + 495.
fn ordered_express() -> (Case, Box<Order>) {
    let mut case = Case::checked_out(Workflow::classic());
    case.grant(step(shipping("express")));
    case.grant(Command::BeginPayment { order_id: OrderId::parse("o1").unwrap(), request: None });
    let CartEvent::OrderPlaced(order) = case.grant(pay(2_995)).remove(0) else { panic!("no order") };
    (case, Box::new(order))
}

fn captured(case: &mut Case) {
    for task in case.cart.payment_tasks.clone() {
        case.grant(Command::SettlePayment(task));
    }
}

fn state(case: &Case) -> OrderState {
    match &case.cart.stage {
        Stage::Ordered { state, .. } => state.clone(),
        other => panic!("{other:?}"),
    }
}

fn level(case: &Case) -> (i64, i64, i64) {
    let level = case.stock.get(&sku("MUG")).unwrap();
    (level.available, level.held, level.sold)
}

fn refund(order: &Order, wish: RefundWish) -> Command {
    Command::RefundOrder { order: Box::new(order.clone()), wish }
}

fn send(order: &Order, wish: ParcelWish) -> Command {
    Command::FulfilOrder { order: Box::new(order.clone()), wish }
}

fn mugs(quantity: u32, restock: bool) -> RefundWish {
    RefundWish { lines: vec![(id("MUG"), quantity)], restock, ..RefundWish::default() }
}

fn payment() -> PaymentId {
    PaymentId::parse("o1-1").unwrap()
}

#[test]
fn a_cancelled_order_gives_everything_back() {
    let (mut case, order) = ordered_express();
    assert_eq!(level(&case), (3, 0, 2));
    let cancel = || Command::CancelOrder { order: order.clone() };
    let line = RefundedLine {
        line: id("MUG"),
        quantity: 2,
        restocked: 2,
        picks: vec![],
        unsent: Some(vec![Pick::new(sku("MUG"), 2)]),
        amount_minor: 2_500,
    };
    let whole = Refund {
        number: 1,
        at_ms: 1_000,
        amount_minor: 2_995,
        prepaid_minor: 0,
        shipping_minor: 495,
        lines: vec![line],
    };
    let events = case.grant(cancel());
    let order_id = order.order_id.clone();
    let postings = vec![Posting { account: account("orders:ada"), delta: -1 }];
    assert_eq!(events, [CartEvent::OrderCancelled { order_id, refund: whole, postings }]);
    assert_eq!(level(&case), (5, 0, 0));
    // What was only reserved is let go and never taken.
    assert_eq!(case.cart.payment_tasks, [PaymentTask::Void { payment: payment() }]);
    let placed = order.clone().with_state(state(&case));
    assert_eq!((placed.payment_status(), placed.lines[0].restocked), ("refunded", 2));
    assert_eq!(case.grant(cancel()), [], "it is cancelled once");
    assert_eq!(case.refuse(refund(&order, mugs(1, true))).name(), "invalid_details");
    assert_eq!(case.refuse(send(&order, ParcelWish::default())).name(), "order_state");
}

#[test]
fn a_shopper_cancels_for_some_time_and_the_shop_until_it_has_sent_the_order() {
    let (mut case, order) = ordered_express();
    case.now_ms += 1_800_001;
    let cancel = || Command::CancelOrder { order: order.clone() };
    assert_eq!(case.refuse(cancel()).name(), "cancel_too_late");
    let by_shop = Request { caller: None, expected_version: None, command: cancel() };
    assert_eq!(case.decide(&by_shop).map(|events| events.len()), Ok(1));
    case.grant(send(&order, ParcelWish::default()));
    assert_eq!(state(&case).status.name(), "fulfilled");
    assert_eq!(case.grant(send(&order, ParcelWish::default())), []);
    assert_eq!(case.decide(&by_shop).unwrap_err().name(), "order_state");
}

#[test]
fn parts_are_given_back_at_what_they_cost_and_add_up() {
    let (mut case, order) = ordered_express();
    captured(&mut case);
    case.grant(refund(&order, mugs(1, false)));
    assert_eq!(level(&case), (3, 0, 2), "a broken mug does not go back to the shelf");
    let asked = PaymentTask::Refund { payment: payment(), number: 1, amount_minor: 1_250 };
    assert_eq!(case.cart.payment_tasks, [asked]);
    captured(&mut case);
    let placed = order.clone().with_state(state(&case));
    assert_eq!(placed.payment_status(), "partially_refunded");
    case.grant(refund(&order, RefundWish { shipping: true, amount_minor: 100, ..RefundWish::default() }));
    assert_eq!(state(&case).refunded_minor(), 1_250 + 495 + 100);
    assert_eq!(
        case.refuse(refund(&order, mugs(1, true))),
        Rejection::RefundTooLarge { asked_minor: 1_250, left_minor: 1_150 },
        "never more than was paid"
    );
    assert_eq!(case.refuse(refund(&order, mugs(2, true))).name(), "invalid_details", "one is left");
    let shipping = RefundWish { shipping: true, ..RefundWish::default() };
    assert_eq!(
        case.refuse(refund(&order, shipping)).name(),
        "invalid_details",
        "shipping is given back once"
    );
    case.grant(Command::CancelOrder { order: order.clone() });
    assert_eq!(state(&case).refunded_minor(), 2_995);
    assert_eq!(level(&case), (4, 0, 1));
    assert_eq!(
        case.cart.payment_tasks.last().cloned(),
        Some(PaymentTask::Refund { payment: payment(), number: 3, amount_minor: 1_150 })
    );
    assert!(case.stock.get(&sku("MUG")).unwrap().is_conserved());
}

#[test]
fn a_refund_names_lines_of_the_order_once_and_in_range() {
    let (case, order) = ordered_express();
    let lines = |lines: Vec<(LineId, u32)>| refund(&order, RefundWish { lines, ..RefundWish::default() });
    assert_eq!(case.refuse(lines(vec![(id("TEE"), 1)])).name(), "line_not_found");
    for wrong in [vec![(id("MUG"), 0)], vec![(id("MUG"), 3)], vec![(id("MUG"), 1), (id("MUG"), 1)], vec![]] {
        assert_eq!(case.refuse(lines(wrong.clone())).name(), "invalid_details", "{wrong:?}");
    }
    let negative = RefundWish { amount_minor: -5, ..RefundWish::default() };
    assert_eq!(case.refuse(refund(&order, negative)).name(), "invalid_details");
}

/// Wants so many mugs in a parcel.
fn packed(pieces: u32) -> ParcelWish {
    let wish = PackWish { line: id("MUG"), part: None, pieces };
    ParcelWish { contents: vec![wish], ..ParcelWish::default() }
}

fn names(events: &[CartEvent]) -> Vec<&'static str> {
    events.iter().map(CartEvent::name).collect()
}

fn waiting(case: &Case, order: &Order) -> u32 {
    order.clone().with_state(state(case)).waiting().iter().map(|waiting| waiting.pieces).sum()
}

#[test]
fn an_order_is_sent_when_all_of_it_is() {
    let (mut case, order) = ordered_express();
    assert_eq!(waiting(&case, &order), 2);
    let tracking = Tracking::parse("Royal Mail", "AB1", "").unwrap();
    let first = case.grant(send(&order, ParcelWish { tracking: tracking.clone(), ..packed(1) }));
    assert_eq!((names(&first), state(&case).status.name()), (vec!["parcel_sent"], "placed"));
    assert_eq!((waiting(&case, &order), state(&case).is_sent_in_part()), (1, true));
    for wish in [packed(2), packed(0)] {
        assert_eq!(case.refuse(send(&order, wish)).name(), "invalid_details");
    }
    let elsewhere =
        ParcelWish { location: Some(LocationId::parse("north").unwrap()), ..ParcelWish::default() };
    assert_eq!(case.refuse(send(&order, elsewhere)).name(), "invalid_details");
    let wish = PackWish { line: id("TIN"), part: None, pieces: 1 };
    let strange = ParcelWish { contents: vec![wish], ..ParcelWish::default() };
    assert_eq!(case.refuse(send(&order, strange)).name(), "line_not_found");
    let last = case.grant(send(&order, ParcelWish::default()));
    assert_eq!(names(&last), ["parcel_sent", "order_fulfilled"]);
    let parcels = state(&case).parcels;
    assert_eq!(
        parcels.iter().map(|p| (p.number, p.contents[0].pieces)).collect::<Vec<_>>(),
        [(1, 1), (2, 1)]
    );
    assert_eq!((parcels[0].tracking.clone(), parcels[1].tracking.clone()), (tracking, None));
    assert_eq!(case.refuse(send(&order, packed(1))).name(), "order_state");
}

#[test]
fn how_a_parcel_is_followed_is_put_right_after_it_was_sent() {
    let (mut case, order) = ordered_express();
    let correct = |number, change| Command::CorrectParcel { order: order.clone(), number, change };
    let said = |text: &str| TrackingChange { number: Some(text.into()), ..TrackingChange::default() };
    assert_eq!(case.refuse(correct(1, said("AB2"))), Rejection::ParcelNotFound { number: 1 });
    let before = Tracking::parse("Royal Mail", "AB1", "").unwrap();
    case.grant(send(&order, ParcelWish { tracking: before.clone(), ..ParcelWish::default() }));
    let events = case.grant(correct(1, said("AB2")));
    let tracking = Tracking::parse("Royal Mail", "AB2", "").unwrap();
    let order_id = order.order_id.clone();
    let corrected = CartEvent::ParcelCorrected { order_id, number: 1, tracking: tracking.clone(), before };
    assert_eq!((events, &state(&case).parcels[0].tracking), (vec![corrected], &tracking));
    assert_eq!(case.grant(correct(1, said(" AB2"))), [], "nothing new is said");
    assert_eq!(case.refuse(correct(1, said("A\nB"))).name(), "invalid_details");
    assert_eq!(state(&case).status.name(), "fulfilled");
}

#[test]
fn what_is_given_back_before_it_was_sent_waits_no_more() {
    let (mut case, order) = ordered_express();
    captured(&mut case);
    case.grant(send(&order, packed(1)));
    // The mug that was sent arrived in pieces: the other is still wanted.
    let broken = RefundWish { sent: true, ..mugs(1, false) };
    assert_eq!(names(&case.grant(refund(&order, broken.clone()))), ["order_refunded"]);
    assert_eq!((waiting(&case, &order), level(&case)), (1, (3, 0, 2)));
    assert_eq!(case.refuse(refund(&order, broken)).name(), "invalid_details", "no other was sent");
    // And now it is not: all that was wanted has been sent.
    let events = case.grant(refund(&order, mugs(1, true)));
    assert_eq!(names(&events), ["order_refunded", "order_fulfilled"]);
    assert_eq!((waiting(&case, &order), level(&case)), (0, (4, 0, 1)));
}

#[test]
fn the_rest_of_an_order_is_cancelled_at_what_it_cost() {
    let (mut case, order) = ordered_express();
    captured(&mut case);
    case.grant(send(&order, packed(1)));
    let events = case.grant(Command::CancelOrder { order: order.clone() });
    assert_eq!(names(&events), ["order_refunded", "order_fulfilled"]);
    assert_eq!((state(&case).refunded_minor(), level(&case)), (1_250, (4, 0, 1)), "shipping was needed");
    assert_eq!(case.refuse(Command::CancelOrder { order }).name(), "order_state");
}

#[test]
fn an_order_of_before_parcels_reads_on() {
    let (mut case, order) = ordered_express();
    // One mug was given back before anybody noted whether it had been sent.
    let old = serde_json::json!({"status": "placed", "refunds": [{"number": 1, "at_ms": 1, "amount_minor": 1_250,
        "lines": [{"line": "MUG", "quantity": 1, "restocked": 1, "amount_minor": 1_250}]}]});
    let Stage::Ordered { state: now, .. } = &mut case.cart.stage else { panic!("no order") };
    *now = serde_json::from_value(old).unwrap();
    assert_eq!(waiting(&case, &order), 1);
    case.grant(send(&order, ParcelWish::default()));
    assert_eq!(state(&case).parcels[0].contents[0].pieces, 1);
    let sent = serde_json::from_value(serde_json::json!({"status": "fulfilled", "at_ms": 7})).unwrap();
    assert_eq!(order.with_state(sent).waiting(), []);
}
