//! Payments as a state of the cart.

use super::*;

/// A cart with two mugs, all steps done, and an attempt to pay for them.
fn paying() -> Case {
    let mut case = Case::checked_out(Workflow::classic());
    case.grant(begin(None));
    case
}

fn begin(key: Option<&str>) -> Command {
    let request = key.map(|key| RequestKey { key: key.into(), fingerprint: "pay".into() });
    Command::BeginPayment { order_id: OrderId::parse("o1").unwrap(), request }
}

fn payment(number: u32) -> PaymentId {
    PaymentId::of(&OrderId::parse("o1").unwrap(), number)
}

fn paid(number: u32, amount_minor: i64) -> Command {
    Command::PlaceOrder {
        order_id: OrderId::parse("o1").unwrap(),
        payment: Payment { id: payment(number), reference: "pay-1".into(), amount_minor },
    }
}

fn owed(number: u32) -> PaymentTask {
    PaymentTask::Void { payment: payment(number) }
}

#[test]
fn an_attempt_is_begun_for_what_is_due_and_joined_by_whoever_asks_again() {
    let mut case = Case::checked_out(Workflow::classic());
    assert_eq!(case.grant(begin(Some("k"))).len(), 1);
    let attempt = case.cart.payment().unwrap().clone();
    assert_eq!((attempt.id.as_str(), attempt.amount_minor, attempt.begun_at_ms), ("o1-1", 2_500, 1_000));
    assert_eq!(case.grant(begin(Some("k"))), []);
    assert_eq!(case.grant(begin(None)), []);
    // Whoever lost the answer saw the version before it; nobody else may be so far behind.
    let behind = |command| Request { expected_version: Some(case.cart.version - 1), ..by_owner(command) };
    assert_eq!(case.decide(&behind(begin(Some("k")))), Ok(vec![]));
    assert_eq!(case.decide(&behind(begin(Some("other")))).unwrap_err().name(), "stale_version");
}

#[test]
fn what_cannot_be_ordered_is_not_paid_for() {
    let mut case = Case::with_mugs();
    assert_eq!(case.refuse(begin(None)).name(), "checkout_incomplete");
    case = Case::checked_out(Workflow::classic());
    case.now_ms = case.cart.holds_expire_at_ms.unwrap();
    case.grant(Command::ExpireHolds);
    case.stock.insert(sku("MUG"), StockLevel::of_supply(1));
    assert_eq!(case.refuse(begin(None)).name(), "out_of_stock");
}

#[test]
fn whatever_changes_what_is_due_gives_the_attempt_up() {
    let changes = [
        add("MUG", 1),
        set("MUG", 1),
        remove("MUG"),
        Command::SaveLine { line: id("MUG") },
        Command::Clear,
        step(address("Wells")),
        step(shipping("express")),
        Command::Batch(vec![Command::SetNote { text: "hello".into() }, set("MUG", 1)]),
        Command::Batch(vec![Command::CancelPayment { payment: None }, set("MUG", 1)]),
    ];
    for change in changes {
        let mut case = paying();
        let events = case.grant(change.clone());
        assert!(
            events.contains(&CartEvent::PaymentCancelled { payment: payment(1) }),
            "{change:?}: {events:?}"
        );
        assert_eq!((case.cart.payment(), &case.cart.payment_tasks[..]), (None, &[owed(1)][..]), "{change:?}");
        let after = Case { product: Some(mug()), ..case.clone() };
        assert_eq!(
            after.decide_as_it_is(paid(1, 2_500)).unwrap_err().name(),
            match &change {
                Command::Clear | Command::RemoveLine { .. } | Command::SaveLine { .. } => "cart_empty",
                _ => "payment_cancelled",
            }
        );
    }
    let mut case = paying();
    case.grant(Command::SetNote { text: "Ring twice".into() });
    case.grant(step(address("Bath")));
    assert!(case.cart.payment().is_some(), "what changes nothing of the price leaves the payment alone");
}

#[test]
fn an_attempt_for_a_price_of_yesterday_gives_way_to_one_of_today() {
    let mut case = paying();
    case.terms.prices = PricePolicy::Follow;
    case.product = Some(Product { price: Money::new(1_300, currency("GBP")), ..mug() });
    assert_eq!(case.refuse(paid(1, 2_500)).name(), "payment_mismatch");
    case.grant(begin(None));
    assert_eq!(case.cart.payment().map(|a| (a.id.clone(), a.amount_minor)), Some((payment(2), 2_600)));
    assert_eq!(case.cart.payment_tasks, [owed(1)]);
}

#[test]
fn an_attempt_ends_once() {
    let fail = |number| Command::FailPayment { payment: payment(number), reason: "payment_declined".into() };
    let mut case = paying();
    let url = || "/confirm".to_owned();
    case.grant(Command::ChallengePayment { payment: payment(1), url: url() });
    assert_eq!(case.cart.payment().unwrap().state, AttemptState::Challenged { url: url() });
    assert_eq!(case.grant(Command::ChallengePayment { payment: payment(1), url: url() }), []);
    assert_eq!(case.grant(fail(2)), []);
    case.grant(fail(1));
    assert_eq!(
        (case.cart.payment(), case.cart.payment_tasks.len()),
        (None, 0),
        "nothing is owed of a refusal"
    );
    assert_eq!(case.grant(fail(1)), []);
    assert_eq!(case.grant(Command::CancelPayment { payment: None }), []);

    // An answer that comes too late for its attempt is owed back, once.
    case.grant(begin(None));
    assert_eq!(case.grant(Command::CancelPayment { payment: Some(payment(1)) }).len(), 1);
    assert_eq!(case.grant(Command::CancelPayment { payment: Some(payment(1)) }), []);
    assert_eq!(case.cart.payment().map(|a| a.id.clone()), Some(payment(2)), "the next attempt goes on");
    case.grant(Command::SettlePayment(owed(1)));
    assert_eq!(case.cart.payment_tasks, []);
    assert_eq!(case.grant(Command::SettlePayment(owed(1))), []);
}

#[test]
fn an_order_is_captured_and_late_answers_of_others_are_owed_back() {
    let mut case = paying();
    case.grant(Command::CancelPayment { payment: None });
    case.grant(begin(None));
    case.grant(paid(2, 2_500));
    let capture = PaymentTask::Capture { payment: payment(2), amount_minor: 2_500 };
    assert_eq!(case.cart.payment_tasks, [owed(1), capture.clone()]);
    assert_eq!(case.grant(paid(2, 2_500)), [], "the same payment places its order once");
    assert_eq!(case.refuse(paid(1, 2_500)).name(), "cart_closed");
    assert_eq!(case.refuse(begin(None)).name(), "cart_closed");
    assert_eq!(
        case.grant(Command::CancelPayment { payment: Some(payment(2)) }),
        [],
        "an order keeps its money"
    );
    case.grant(Command::SettlePayment(capture.clone()));
    case.grant(Command::SettlePayment(owed(1)));
    assert_eq!(case.grant(Command::SettlePayment(capture)), []);
    assert!(!case.cart.is_payment_due());
    assert_eq!(case.grant(Command::CancelPayment { payment: Some(payment(1)) }).len(), 1);
    assert_eq!(case.cart.payment_tasks, [owed(1)]);
}
