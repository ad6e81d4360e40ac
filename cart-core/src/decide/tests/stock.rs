//! When pieces are held, taken and given back.

use super::*;

#[test]
fn fewer_pieces_are_always_granted() {
    let gone: [fn(&mut Case); 4] = [
        |case| case.product = None,
        |case| case.product.as_mut().unwrap().hidden = true,
        |case| case.product.as_mut().unwrap().price = Money::new(1, currency("EUR")),
        |case| case.product.as_mut().unwrap().price = Money::new(PRICE_MINOR_MAX, currency("GBP")),
    ];
    for bend in gone {
        let mut case = Case::new();
        case.grant(add("MUG", 5));
        bend(&mut case);
        case.grant(set("MUG", 2));
        assert_eq!((case.mugs(), case.stock.available(&sku("MUG"))), ((2, 2), 3));
        assert_eq!(case.due_minor(), 2_500, "the price stays the one of the last add");
    }
    // Holds that have expired are not taken anew by wanting less.
    let mut case = Case::new();
    case.grant(add("MUG", 5));
    case.now_ms += HOLD_MS;
    case.grant(Command::ExpireHolds);
    case.stock = StockLevels::default();
    case.grant(set("MUG", 3));
    assert_eq!((case.mugs(), case.cart.holds_expire_at_ms), ((3, 0), None));
}

#[test]
fn stock_is_taken_when_the_policy_says() {
    for (policy, too_many, held) in [
        (StockPolicy::HoldOnAdd, Some(6), 5),
        (StockPolicy::HoldAtCheckout, Some(6), 0),
        (StockPolicy::TakeAtOrder, Some(6), 0),
        (StockPolicy::Untracked, None, 0),
    ] {
        let mut case = Case::new();
        case.product = Some(Product { stock_policy: policy, ..mug() });
        match too_many {
            Some(quantity) => {
                assert_eq!(case.refuse(add("MUG", quantity)).name(), "out_of_stock", "{policy:?}")
            }
            None => assert_eq!(case.clone().grant(add("MUG", LINE_QUANTITY_MAX)).len(), 1),
        }
        case.grant(add("MUG", 5));
        assert_eq!((case.mugs(), case.stock.available(&sku("MUG"))), ((5, held), 5 - i64::from(held)));
    }
}

#[test]
fn a_change_that_holds_pieces_renews_the_time_of_all_holds() {
    let mut case = Case::with_mugs();
    assert_eq!(case.cart.holds_expire_at_ms, Some(1_000 + HOLD_MS));
    case.now_ms = 2_000;
    case.grant(set("MUG", 1));
    assert_eq!(case.cart.holds_expire_at_ms, Some(1_000 + HOLD_MS), "less wanted, nothing newly held");
    case.now_ms = 3_000;
    case.grant(set("MUG", 2));
    assert_eq!(case.cart.holds_expire_at_ms, Some(3_000 + HOLD_MS));
    case.now_ms = 4_000;
    case.grant(add("MUG", 1));
    assert_eq!(case.cart.holds_expire_at_ms, Some(4_000 + HOLD_MS));
    case.now_ms = 5_000;
    case.product = Some(Product { sku: sku("PDF"), stock_policy: StockPolicy::Untracked, ..mug() });
    case.grant(add("PDF", 1));
    assert_eq!(case.cart.holds_expire_at_ms, Some(4_000 + HOLD_MS), "a download holds nothing");
    case.grant(remove("MUG"));
    assert_eq!(case.cart.holds_expire_at_ms, None, "with the last hold goes its end");
}

#[test]
fn holds_end_at_their_time_and_the_lines_stay() {
    let mut case = Case::with_mugs();
    case.now_ms = 1_000 + HOLD_MS - 1;
    assert_eq!(case.grant(Command::ExpireHolds), vec![]);
    case.now_ms += 1;
    let expired = case.grant(Command::ExpireHolds);
    assert_eq!(expired, vec![CartEvent::HoldsExpired { releases: release(2) }]);
    assert_eq!((case.mugs(), case.stock.available(&sku("MUG"))), ((2, 0), 5));
    assert_eq!(case.grant(Command::ExpireHolds), vec![], "once is enough");
    case.grant(add("MUG", 1));
    assert_eq!(case.mugs(), (3, 3), "another add holds the whole line again");
}

#[test]
fn an_order_whose_holds_expired_is_served_from_the_shelf_or_refused() {
    let mut case = Case::checked_out(Workflow::express());
    case.now_ms += HOLD_MS;
    case.grant(Command::ExpireHolds);
    let mut late = case.clone();
    late.stock.insert(sku("MUG"), StockLevel::of_supply(1));
    let refused = Rejection::OutOfStock { sku: sku("MUG"), available: 1, wanted: 2 };
    assert_eq!(late.refuse(pay(2_500)), refused);
    case.grant(pay(2_500));
    let mugs = case.stock.get(&sku("MUG")).unwrap();
    assert_eq!((mugs.available, mugs.held, mugs.sold), (3, 0, 2));
}

#[test]
fn lines_of_one_product_are_sold_from_one_shelf() {
    let mut case = Case::new();
    case.product = Some(Product { stock_policy: StockPolicy::TakeAtOrder, ..mug() });
    case.grant(add("MUG", 3));
    case.grant(add_engraved(3, "Ada"));
    case.grant(Command::StartCheckout);
    while let Some(step) = case.cart.next_step() {
        case.grant(Command::CompleteStep(details(step)));
    }
    let refused = case.refuse(pay(case.due_minor()));
    assert_eq!(refused, Rejection::OutOfStock { sku: sku("MUG"), available: 2, wanted: 3 });
}
