//! When lines take pieces, and which of them ship later.

use super::*;
use crate::{LineHold, Preorder};

fn start() -> Command {
    Command::StartCheckout
}

#[test]
fn a_workflow_that_holds_at_the_checkout_holds_nothing_before() {
    let late = r#"{"name":"late","cart":"page","checkout":"stepwise","steps":["address","shipping","payment"],
        "stock_policy":"hold_at_checkout","hold_seconds":90}"#;
    let mut case = Case::with(serde_json::from_str(late).unwrap());
    case.grant(add("MUG", 3));
    assert_eq!((case.mugs(), case.cart.holds_expire_at_ms), ((3, 0), None));
    let mut beaten = case.clone();
    beaten.stock.insert(sku("MUG"), StockLevel::of_supply(2));
    let refused = Rejection::OutOfStock { sku: sku("MUG"), available: 2, wanted: 3 };
    assert_eq!(beaten.refuse(start()), refused, "the line that cannot be held is named");
    let hold = LineHold { line: id("MUG"), hold: 3, picks: vec![], backordered: 0 };
    let held = CartEvent::LinesHeld { holds: vec![hold], holds_expire_at_ms: Some(91_000) };
    assert_eq!(case.grant(start()), vec![CartEvent::CheckoutStarted, held]);
    assert_eq!((case.mugs(), case.cart.holds_expire_at_ms), ((3, 3), Some(91_000)));
    case.now_ms = 2_000;
    case.grant(add("MUG", 1));
    assert_eq!((case.mugs(), case.cart.holds_expire_at_ms), ((4, 4), Some(92_000)), "now adding holds too");
    assert_eq!(case.grant(start()), vec![], "once is enough");
    case.now_ms = 92_000;
    case.grant(Command::ExpireHolds);
    assert_eq!(case.cart.line(&id("MUG")).map(|l| (l.held, l.released)), Some((0, 4)), "the shopper is told");
    case.grant(start());
    assert_eq!(case.cart.line(&id("MUG")).map(|l| (l.held, l.released)), Some((4, 0)), "held once more");
}

#[test]
fn safety_stock_is_never_sold() {
    for policy in [StockPolicy::HoldOnAdd, StockPolicy::TakeAtOrder] {
        let mut case = Case::new();
        case.product = Some(Product { stock_policy: policy, ..mug() });
        case.stock.insert(sku("MUG"), StockLevel { safety: 2, ..StockLevel::of_supply(5) });
        let refused = Rejection::OutOfStock { sku: sku("MUG"), available: 3, wanted: 4 };
        assert_eq!(case.refuse(add("MUG", 4)), refused);
        case.grant(add("MUG", 3));
        case.stock.insert(sku("MUG"), StockLevel { safety: 9, ..case.stock.get(&sku("MUG")).unwrap() });
        let refused = Rejection::OutOfStock { sku: sku("MUG"), available: 0, wanted: 1 };
        if policy == StockPolicy::HoldOnAdd {
            assert_eq!(case.refuse(add("MUG", 1)), refused, "no less than nothing is left");
        }
    }
}

#[test]
fn a_back_order_says_how_many_pieces_ship_later() {
    let late = |case: &Case| case.cart.line(&id("MUG")).map(|l| l.backordered);
    for policy in [StockPolicy::HoldOnAdd, StockPolicy::TakeAtOrder] {
        let mut case = Case::new();
        case.product = Some(Product { stock_policy: policy, backorder_limit: 4, ..mug() });
        case.stock.insert(sku("MUG"), StockLevel { owed_max: 4, ..StockLevel::of_supply(5) });
        case.grant(add("MUG", 4));
        assert_eq!(late(&case), Some(0));
        case.grant(add("MUG", 4));
        assert_eq!(late(&case), Some(3), "five are there");
        let wanted = if policy == StockPolicy::HoldOnAdd { 2 } else { 10 };
        let available = if policy == StockPolicy::HoldOnAdd { 1 } else { 9 };
        assert_eq!(case.refuse(add("MUG", 2)), Rejection::OutOfStock { sku: sku("MUG"), available, wanted });
        case.grant(set("MUG", 7));
        assert_eq!(late(&case), Some(2), "those that are not there go first");
        case.grant(start());
        while let Some(next) = case.cart.next_step() {
            case.grant(step(details(next)));
        }
        let mut filled = case.clone();
        let level = case.stock.get(&sku("MUG")).unwrap();
        filled.stock.insert(sku("MUG"), level.put(Some(6), None, 4).unwrap());
        for (mut case, late, level) in [(case, 2, (-2, 0, 7)), (filled, 1, (-1, 0, 7))] {
            let events = case.grant(pay(8_750));
            let Some(CartEvent::OrderPlaced(order)) = events.first() else { panic!("{events:?}") };
            assert_eq!(order.lines[0].backordered, late, "what arrived before the order ships with it");
            let mugs = case.stock.get(&sku("MUG")).unwrap();
            assert_eq!((mugs.available, mugs.held, mugs.sold), level);
            assert!(mugs.is_conserved());
        }
    }
}

#[test]
fn what_is_still_to_come_is_sold_up_to_its_limit_and_says_when_it_ships() {
    let mut case = Case::new();
    let preorder = Some(Preorder { releases_at_ms: 5_000, limit: 3 });
    case.product = Some(Product { preorder, backorder_limit: 1, ..mug() });
    case.stock.insert(sku("MUG"), StockLevel::default().put(Some(0), None, 3).unwrap());
    assert_eq!(case.refuse(add("MUG", 4)).name(), "out_of_stock");
    case.grant(add("MUG", 2));
    let line = case.cart.line(&id("MUG")).unwrap();
    assert_eq!((line.held, line.backordered, line.ships_from_ms), (2, 2, Some(5_000)));
    case.now_ms = 5_000;
    assert_eq!(
        case.refuse(add("MUG", 1)).name(),
        "out_of_stock",
        "released, it may be owed once, and two are"
    );
    let level = case.stock.get(&sku("MUG")).unwrap();
    case.stock.insert(sku("MUG"), level.put(Some(10), None, 1).unwrap());
    case.grant(add("MUG", 1));
    let line = case.cart.line(&id("MUG")).unwrap();
    assert_eq!((line.held, line.backordered, line.ships_from_ms), (3, 0, None));
}
