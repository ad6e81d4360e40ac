//! Carts that are left alone, and their return.

use super::*;
use crate::{AbandonReason, Abandonment, Lapse, ReopenedLine};

const LAPSE: Command = Command::Lapse { abandons: true };

/// Lets the server note that nobody touched the cart.
fn lapse(case: &mut Case) -> Vec<CartEvent> {
    let events = case.decide(&Request { caller: None, ..by_owner(LAPSE) }).unwrap();
    for event in &events {
        case.stock.apply(event);
        evolve(&mut case.cart, event);
    }
    events
}

fn abandonment(case: &mut Case) -> Abandonment {
    match lapse(case).remove(0) {
        CartEvent::CartAbandoned(seen) => *seen,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_cart_is_abandoned_once_then_expires_once_and_begins_anew_when_it_is_touched() {
    let mut case = Case::with_mugs();
    let seen = abandonment(&mut case);
    assert_eq!((seen.lines, seen.pieces, seen.total_minor, seen.reached()), (1, 2, 2_500, "cart"));
    assert_eq!((seen.next_step, seen.reasons), (None, vec![]));
    assert_eq!(case.mugs(), (2, 2), "nothing is taken from whoever comes back soon");
    case.grant(add("MUG", 1));
    assert_eq!(case.cart.lapse, None, "its shopper is back");
    abandonment(&mut case);
    let expired = CartEvent::CartExpired { releases: release(3) };
    assert_eq!(lapse(&mut case), [expired]);
    assert_eq!((case.mugs(), case.stock.available(&sku("MUG"))), ((3, 0), 5), "pieces went back");
    assert_eq!(case.cart.holds_expire_at_ms, None);
    assert_eq!(lapse(&mut case), [], "and only once");
    case.now_ms = i64::MAX;
    assert_eq!(case.grant(Command::ExpireHolds), []);
}

#[test]
fn an_empty_cart_expires_without_having_been_abandoned() {
    let mut case = Case::new();
    assert_eq!(lapse(&mut case), [CartEvent::CartExpired { releases: vec![] }]);
    let mut never = Case::with_mugs();
    let request = Request { caller: None, ..by_owner(Command::Lapse { abandons: false }) };
    assert_eq!(never.decide(&request).unwrap().len(), 1);
    never.cart.stage = ordered();
    assert_eq!(lapse(&mut never), [], "an order is nobody's to expire");
}

#[test]
fn what_may_have_kept_the_shopper_from_buying_is_told() {
    let reasons = |bend: fn(&mut Case)| {
        let mut case = Case::with_mugs();
        bend(&mut case);
        abandonment(&mut case).reasons
    };
    let mugs = || vec![sku("MUG")];
    assert_eq!(
        reasons(|case| case.product = Some(Product { hidden: true, ..mug() })),
        [AbandonReason::NotForSale { skus: mugs() }]
    );
    assert_eq!(
        reasons(|case| case.product.as_mut().unwrap().price = Money::new(1_251, currency("GBP"))),
        [AbandonReason::PriceRose { skus: mugs() }]
    );
    assert_eq!(reasons(|case| case.product.as_mut().unwrap().price = Money::new(1, currency("GBP"))), []);
    assert_eq!(
        reasons(|case| {
            case.now_ms = 10 * HOLD_MS;
            case.grant(Command::ExpireHolds);
            case.stock.insert(sku("MUG"), StockLevel::of_supply(1));
        }),
        [AbandonReason::SoldOut { skus: mugs() }, AbandonReason::HoldEnded { skus: mugs() }]
    );
    assert_eq!(reasons(|case| drop(case.grant(Command::StartCheckout))), [AbandonReason::AddressMissing]);
    assert_eq!(
        reasons(|case| case.cart.codes = vec![Code::parse("SUMMER").unwrap()]),
        [AbandonReason::CodeWithoutEffect { codes: vec![Code::parse("SUMMER").unwrap()] }]
    );
}

#[test]
fn a_payment_that_failed_or_waits_is_a_reason_and_one_under_way_is_given_up_with_the_cart() {
    let order_id = OrderId::parse("o1").unwrap();
    let begin = || Command::BeginPayment { order_id: order_id.clone(), request: None };
    let payment = PaymentId::of(&order_id, 1);
    let mut case = Case::checked_out(Workflow::classic());
    case.grant(begin());
    let mut failed = case.clone();
    failed.grant(Command::FailPayment { payment: payment.clone(), reason: "payment_declined".into() });
    let seen = abandonment(&mut failed);
    assert_eq!((seen.reached(), seen.in_checkout), ("review", true));
    assert_eq!(seen.reasons, [AbandonReason::PaymentFailed { why: "payment_declined".into() }]);
    failed.grant(begin());
    assert_eq!(failed.cart.payment_failure, None, "another attempt may do better");

    case.grant(Command::ChallengePayment { payment: payment.clone(), url: "/confirm".into() });
    assert_eq!(abandonment(&mut case).reasons, [AbandonReason::PaymentWaiting]);
    let expired = CartEvent::CartExpired { releases: release(2) };
    assert_eq!(lapse(&mut case), [CartEvent::PaymentCancelled { payment: payment.clone() }, expired]);
    assert_eq!(case.cart.payment_tasks, [PaymentTask::Void { payment: payment.clone() }]);
    // What is owed is settled all the same.
    let settled = Command::SettlePayment(PaymentTask::Void { payment });
    assert_eq!(case.grant(settled).len(), 1);
    assert_eq!(case.refuse(pay(2_500)), Rejection::CartExpired);
}

#[test]
fn an_expired_cart_comes_back_line_by_line_by_the_rules_of_today() {
    let engraved = Properties::parse([("engraving".to_owned(), "Ada".to_owned())].into()).unwrap();
    let mut case = Case::with_mugs();
    case.grant(Command::AddLine { sku: sku("MUG"), quantity: 3, properties: engraved.clone() });
    case.cart.codes = vec![Code::parse("SUMMER").unwrap()];
    lapse(&mut case);
    lapse(&mut case);
    for command in [add("MUG", 1), Command::Clear, Command::StartCheckout, remove("MUG")] {
        assert_eq!(case.refuse(command), Rejection::CartExpired);
    }
    // Three mugs are left, and they are dearer.
    case.stock.insert(sku("MUG"), StockLevel::of_supply(3));
    case.product.as_mut().unwrap().price = Money::new(1_400, currency("GBP"));
    let events = case.grant(Command::Reopen);
    let engraved = LineId::new(sku("MUG"), &engraved);
    let told = |line: &LineId, wanted, quantity, because| ReopenedLine {
        line: line.clone(),
        name: "Mug".into(),
        wanted,
        quantity,
        was_minor: 1_250,
        unit_price_minor: Some(1_400),
        because,
    };
    let short = Rejection::OutOfStock { sku: sku("MUG"), available: 1, wanted: 3 };
    let lines = vec![told(&id("MUG"), 2, 2, None), told(&engraved, 3, 1, Some(short))];
    assert!(lines.iter().all(|line| !line.is_as_it_was()));
    assert_eq!(events[0], CartEvent::CartReopened { lines });
    let names: Vec<_> = events.iter().map(CartEvent::name).collect();
    assert_eq!(names, ["cart_reopened", "line_added", "line_added", "code_removed"]);
    assert_eq!((case.cart.lapse, case.stock.available(&sku("MUG"))), (None, 0));
    assert_eq!(case.cart.line(&engraved).map(|l| (l.quantity, l.held)), Some((1, 1)));
    assert_eq!(case.grant(Command::Reopen), [], "asked again, it is open");

    // What is gone is named, and the rest of the shopper's next batch goes on.
    lapse(&mut case);
    lapse(&mut case);
    case.product = None;
    let batch = Command::Batch(vec![Command::Reopen, Command::SetNote { text: "hello".into() }]);
    let events = case.grant(batch);
    let CartEvent::CartReopened { lines } = &events[0] else { panic!("{events:?}") };
    assert!(lines.iter().all(|line| line.quantity == 0 && line.unit_price_minor.is_none()));
    assert_eq!(lines[0].because, Some(Rejection::UnknownSku { sku: sku("MUG") }));
    assert_eq!((case.cart.lines.len(), case.cart.note.as_str()), (0, "hello"));
    assert_eq!(case.cart.lapse, None);
    assert_eq!(case.cart.stage, Stage::Open);
    assert_eq!(case.cart.is_expired(), case.cart.lapse == Some(Lapse::Expired));
}
