//! Gift cards, credit, and products of which a customer buys only so many: cases worked out by hand.

use super::*;
use crate::{LimitBroken, Refund, Typed, gift_card};

fn totals(case: &Case) -> crate::Totals {
    quote(&case.cart, &One(case.product.as_ref()), &case.terms, case.now_ms).totals
}

fn paid(case: &Case, amount_minor: i64) -> Order {
    let events = case.decide(&place(amount_minor)).unwrap_or_else(|rejection| panic!("{rejection}"));
    match &events[..] {
        [CartEvent::OrderPlaced(order)] => order.clone(),
        other => panic!("{other:?}"),
    }
}

/// Returns what an order posts but that it is one more of its customer.
fn posted(order: &Order) -> Vec<(String, i64)> {
    let (counted, others): (Vec<_>, Vec<_>) = order
        .postings
        .iter()
        .map(|p| (p.account.to_string(), p.delta))
        .partition(|(id, _)| id == "orders:ada");
    assert_eq!(counted, [("orders:ada".to_owned(), 1)]);
    others
}

/// Two mugs of 12.50 each, ready to be ordered.
fn case(purses: &[(&str, i64)]) -> Case {
    let mut case = Case::checked_out(Workflow::express());
    case.balances = purses.iter().map(|(id, balance)| (account(id), *balance)).collect();
    case
}

#[test]
fn cards_pay_in_the_order_in_which_they_were_applied_then_credit() {
    let mut case = case(&[("gift-card:GBP:a", 1_000), ("gift-card:GBP:b", 900), ("credit:GBP:ada", 450)]);
    for (command, (cards, credit, due)) in [
        (Command::ApplyGiftCard { card: card("b") }, (900, 0, Some(1_600))),
        (Command::ApplyGiftCard { card: card("a") }, (1_900, 0, Some(600))),
        (Command::UseStoreCredit { on: true }, (1_900, 450, Some(150))),
    ] {
        case.grant(command);
        let totals = totals(&case);
        assert_eq!(
            (totals.gift_cards_minor, totals.store_credit_minor, totals.due_minor),
            (cards, credit, due)
        );
        assert_eq!(totals.total_minor, 2_500, "what it costs is another matter than who pays");
    }
    let due = Rejection::PaymentMismatch { authorised_minor: 2_500, due_minor: 150 };
    assert_eq!(case.decide(&place(2_500)), Err(due));
    let order = paid(&case, 150);
    assert_eq!(order.total_minor, 2_500);
    assert_eq!(
        posted(&order),
        [
            ("gift-card:GBP:a".into(), -1_000),
            ("gift-card:GBP:b".into(), -900),
            ("credit:GBP:ada".into(), -450)
        ]
    );
    // One mug less: the last to pay keeps what is not needed.
    case.grant(set("MUG", 1));
    assert_eq!(posted(&paid(&case, 0)), [("gift-card:GBP:a".into(), -350), ("gift-card:GBP:b".into(), -900)]);
    case.grant(Command::RemoveGiftCard { card: card("b").id });
    assert_eq!(
        posted(&paid(&case, 0)),
        [("gift-card:GBP:a".into(), -1_000), ("credit:GBP:ada".into(), -250)]
    );
    case.grant(Command::UseStoreCredit { on: false });
    assert_eq!(totals(&case).due_minor, Some(250));
}

#[test]
fn what_was_typed_is_a_promotions_code_before_it_is_a_gift_card() {
    let mut case = case(&[("gift-card:GBP:a", 1_000)]);
    case.terms.promotions = serde_json::from_str(
        r#"[{"id": "ten", "name": "Ten", "codes": ["ABCDEFGH23456789"],
             "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}}]"#,
    )
    .unwrap();
    let code = |text: &str| Code::parse(text).unwrap();
    case.grant(Command::RedeemCode(Typed::Either(code("ABCDEFGH23456789"), card("a"))));
    assert_eq!((&case.cart.codes[..], case.cart.gift_cards.len()), (&[code("ABCDEFGH23456789")][..], 0));
    case.grant(Command::RedeemCode(Typed::Either(code("ABCDEFGH23456780"), card("a"))));
    assert_eq!(case.cart.gift_cards, [card("a")]);
    for (typed, refusal) in [
        (Typed::Code(code("winter")), "unknown_code"),
        (Typed::Either(code("ABCDEFGH23456780"), card("c")), "unknown_gift_card"),
        (Typed::Card(card("old")), "gift_card_expired"),
    ] {
        assert_eq!(case.decide(&by_owner(Command::RedeemCode(typed))).unwrap_err().name(), refusal);
    }
}

#[test]
fn another_total_is_paid_as_far_as_cards_and_credit_go() {
    let mut case = case(&[("gift-card:GBP:a", 1_000), ("credit:GBP:ada", 450)]);
    assert_eq!(gift_card::paid(&case.cart, 2_500), None, "nothing pays");
    case.grant(Command::ApplyGiftCard { card: card("a") });
    case.grant(Command::UseStoreCredit { on: true });
    for (total, paid) in [(900, (900, 0)), (1_200, (1_000, 200)), (2_995, (1_000, 450))] {
        assert_eq!(gift_card::paid(&case.cart, total), Some(paid));
    }
}

#[test]
fn a_card_that_was_spent_elsewhere_leaves_more_to_pay_and_says_so() {
    let mut case = case(&[("gift-card:GBP:a", 3_000)]);
    case.grant(Command::ApplyGiftCard { card: card("a") });
    assert_eq!(case.grant(Command::ApplyGiftCard { card: card("a") }), [], "applied once is applied");
    assert_eq!(totals(&case).due(), 0);
    case.balances.insert(account("gift-card:GBP:a"), 700);
    let mismatch = Rejection::PaymentMismatch { authorised_minor: 0, due_minor: 1_800 };
    assert_eq!(case.decide(&place(0)), Err(mismatch));
    case.grant(Command::StartCheckout);
    assert_eq!((totals(&case).gift_cards_minor, totals(&case).due()), (700, 1_800));
    assert_eq!(posted(&paid(&case, 1_800)), [("gift-card:GBP:a".into(), -700)]);
    // An empty one stays in the cart and pays nothing.
    case.balances.insert(account("gift-card:GBP:a"), 0);
    case.grant(Command::StartCheckout);
    assert_eq!(totals(&case).due_minor, None);
    assert_eq!(posted(&paid(&case, 2_500)), []);
}

#[test]
fn a_card_that_expires_or_is_stopped_in_a_cart_pays_no_more() {
    type Stop = fn(&mut Case);
    let stops: [(Stop, &str); 2] = [
        (|case| case.now_ms = 900_000_000, "gift_card_expired"),
        (|case| case.cards.get_mut(&card("a").id).unwrap().is_disabled = true, "gift_card_disabled"),
    ];
    for (stop, name) in stops {
        let mut case = case(&[("gift-card:GBP:a", 3_000)]);
        case.cart.holds_expire_at_ms = None;
        case.grant(Command::ApplyGiftCard { card: card("a") });
        stop(&mut case);
        assert_eq!(case.decide(&place(0)).unwrap_err().name(), name);
        let begin = Command::BeginPayment { order_id: OrderId::parse("o1").unwrap(), request: None };
        assert_eq!(case.refuse(begin).name(), name);
        // Told so, the cart asks for the money.
        case.grant(Command::StartCheckout);
        assert_eq!(totals(&case).due(), 2_500);
        assert_eq!(posted(&paid(&case, 2_500)), []);
    }
    let mut case = case(&[]);
    case.grant(Command::UseStoreCredit { on: true });
    assert_eq!(totals(&case).due(), 2_500, "no credit pays nothing");
}

/// Two mugs for 25.00, paid with 10.00 of a card, 9.00 of another, 4.50 of credit, and 1.50 of money.
fn ordered_with_purses() -> (Case, Order) {
    let mut case = case(&[("gift-card:GBP:a", 1_000), ("gift-card:GBP:b", 900), ("credit:GBP:ada", 450)]);
    case.grant(Command::ApplyGiftCard { card: card("a") });
    case.grant(Command::ApplyGiftCard { card: card("b") });
    case.grant(Command::UseStoreCredit { on: true });
    case.grant(Command::BeginPayment { order_id: OrderId::parse("o1").unwrap(), request: None });
    assert_eq!(case.cart.payment().unwrap().amount_minor, 150, "the provider is asked for the rest");
    let CartEvent::OrderPlaced(order) = case.grant(pay(150)).remove(0) else { panic!("no order") };
    let capture = PaymentTask::Capture { payment: PaymentId::parse("o1-1").unwrap(), amount_minor: 150 };
    assert_eq!(case.cart.payment_tasks, [capture]);
    assert_eq!(balances(&case), [0, 0, 0]);
    (case, order)
}

fn balances(case: &Case) -> [i64; 3] {
    ["gift-card:GBP:a", "gift-card:GBP:b", "credit:GBP:ada"]
        .map(|id| case.balances.get(&account(id)).unwrap())
}

fn refunds(case: &Case) -> Vec<Refund> {
    match &case.cart.stage {
        Stage::Ordered { state, .. } => state.refunds.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_cancelled_order_gives_cards_credit_and_money_back_once() {
    let (mut case, order) = ordered_with_purses();
    let cancel = || Command::CancelOrder { order: Box::new(order.clone()) };
    case.grant(cancel());
    assert_eq!(balances(&case), [1_000, 900, 450]);
    let [refund] = &refunds(&case)[..] else { panic!("one refund") };
    assert_eq!((refund.amount_minor, refund.prepaid_minor, refund.provider_minor()), (2_500, 2_350, 150));
    assert_eq!(case.cart.payment_tasks, [PaymentTask::Void { payment: PaymentId::parse("o1-1").unwrap() }]);
    assert_eq!(case.grant(cancel()), [], "it is given back once");
}

#[test]
fn what_paid_last_is_given_back_first() {
    let (mut case, order) = ordered_with_purses();
    for task in case.cart.payment_tasks.clone() {
        case.grant(Command::SettlePayment(task));
    }
    let give = |amount_minor| Command::RefundOrder {
        order: Box::new(order.clone()),
        wish: RefundWish { amount_minor, ..RefundWish::default() },
    };
    // 1.00 of the money; the other 0.50 of it, then 4.50 of credit and 1.00 of the last card; then 8.00 and 2.00.
    for (amount, by_provider, after) in
        [(100, 100, [0, 0, 0]), (600, 50, [0, 100, 450]), (1_000, 0, [200, 900, 450])]
    {
        case.grant(give(amount));
        assert_eq!(refunds(&case).last().unwrap().provider_minor(), by_provider);
        assert_eq!(balances(&case), after);
    }
    let asked: Vec<_> = case
        .cart
        .payment_tasks
        .iter()
        .map(|task| match task {
            PaymentTask::Refund { number, amount_minor, .. } => (*number, *amount_minor),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(asked, [(1, 100), (2, 50)]);
    assert_eq!(case.refuse(give(801)).name(), "refund_too_large");
    case.grant(Command::CancelOrder { order: Box::new(order.clone()) });
    assert_eq!(balances(&case), [1_000, 900, 450], "the rest comes back with the order");
    assert_eq!(refunds(&case).iter().map(|refund| refund.amount_minor).sum::<i64>(), 2_500);
}

#[test]
fn an_order_that_cards_pay_whole_asks_no_provider() {
    let mut case = case(&[("gift-card:GBP:a", 3_000)]);
    case.grant(Command::ApplyGiftCard { card: card("a") });
    case.grant(Command::BeginPayment { order_id: OrderId::parse("o1").unwrap(), request: None });
    let CartEvent::OrderPlaced(order) = case.grant(pay(0)).remove(0) else { panic!("no order") };
    assert_eq!((case.cart.payment_tasks.len(), order.due_minor(), order.total_minor), (0, 0, 2_500));
    case.grant(Command::CancelOrder { order: Box::new(order) });
    assert_eq!(case.cart.payment_tasks, []);
    assert_eq!(case.balances.get(&account("gift-card:GBP:a")), Some(3_000));
}

#[test]
fn a_customer_buys_so_many_pieces_and_no_more() {
    let mut case = Case::new();
    case.product.as_mut().unwrap().limits.per_customer = Some(3);
    case.balances.insert(account("pieces:ada:MUG"), 1);
    let refused = |wanted| {
        let broken = LimitBroken::PerCustomer { max: 3, before: 1, wanted };
        Err(Rejection::QuantityLimit { sku: sku("MUG"), broken })
    };
    assert_eq!(case.decide(&by_owner(add("MUG", 3))), refused(3));
    case.grant(add("MUG", 2));
    assert_eq!(case.decide(&by_owner(set("MUG", 3))), refused(3));
    case.grant(Command::StartCheckout);
    while let Some(step) = case.cart.next_step() {
        case.grant(Command::CompleteStep(details(step)));
    }
    let total_minor = totals(&case).total_minor;
    let order = paid(&case, total_minor);
    assert_eq!(posted(&order), [("pieces:ada:MUG".into(), 2)]);
    // Another of their carts was faster.
    case.balances.insert(account("pieces:ada:MUG"), 2);
    let broken = LimitBroken::PerCustomer { max: 3, before: 2, wanted: 2 };
    let refused = Rejection::QuantityLimit { sku: sku("MUG"), broken };
    assert_eq!(case.decide(&place(total_minor)), Err(refused));
    // Pieces that are given back count no more.
    let mut bought = case.clone();
    bought.balances.insert(account("pieces:ada:MUG"), 1);
    bought.grant(place(total_minor).command);
    assert_eq!(bought.balances.get(&account("pieces:ada:MUG")), Some(3));
    let wish = RefundWish { lines: vec![(id("MUG"), 1)], ..RefundWish::default() };
    bought.grant(Command::RefundOrder { order: Box::new(order.clone()), wish });
    assert_eq!(bought.balances.get(&account("pieces:ada:MUG")), Some(2));
    bought.grant(Command::CancelOrder { order: Box::new(order) });
    assert_eq!(bought.balances.get(&account("pieces:ada:MUG")), Some(1));
    // Taking pieces back is always granted.
    case.grant(set("MUG", 1));
    assert!(case.decide(&place(totals(&case).total_minor)).is_ok());
}
