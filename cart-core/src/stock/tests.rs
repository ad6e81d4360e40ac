//! Movements and levels, piece by piece.

use super::*;
use crate::{
    CartEvent, CartId, Currency, LineRelease, Order, OrderId, OrderLine, Properties, Sku, StepDetails,
    StockPolicy, VisitorId,
};

fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

fn added(pieces: u32, hold: u32) -> CartEvent {
    CartEvent::LineAdded {
        sku: sku("MUG"),
        properties: Properties::default(),
        name: "Mug".into(),
        policy: StockPolicy::HoldOnAdd,
        parts: vec![],
        digital: false,
        quantity: pieces,
        unit_price_minor: 1_250,
        hold,
        picks: vec![],
        backordered: 0,
        ships_from_ms: None,
        holds_expire_at_ms: None,
    }
}

fn set(hold: u32, release: u32) -> CartEvent {
    CartEvent::QuantitySet {
        line: sku("MUG").into(),
        quantity: 3,
        unit_price_minor: 1_250,
        hold,
        release,
        picks: vec![],
        backordered: 0,
        holds_expire_at_ms: None,
    }
}

fn ordered(from_held: u32, from_available: u32) -> CartEvent {
    CartEvent::OrderPlaced(Order {
        order_id: OrderId::parse("o1").unwrap(),
        cart: CartId::parse("c1").unwrap(),
        owner: VisitorId::parse("ada").unwrap(),
        placed_at_ms: 0,
        currency: Currency::parse("GBP").unwrap(),
        note: String::new(),
        lines: vec![OrderLine { from_held, from_available, ..OrderLine::new(sku("MUG"), "Mug", 3, 1_250) }],
        shipping: None,
        quote: None,
        shipping_minor: 0,
        total_minor: 3_750,
        payment_reference: "p1".into(),
        postings: vec![],
        payment: None,
        email: String::new(),
        state: crate::OrderState::default(),
    })
}

#[test]
fn each_event_moves_its_pieces_and_no_others() {
    let release = |pieces| vec![LineRelease { line: sku("MUG").into(), pieces, picks: vec![] }];
    let released = |pieces| CartEvent::HoldsExpired { releases: release(pieces) };
    let cleared = |pieces| CartEvent::CartCleared { releases: release(pieces) };
    // Ten pieces, four of them held by carts: what is available, held and sold after the event.
    for (event, after) in [
        (added(3, 3), (3, 7, 0)),
        (added(3, 0), (6, 4, 0)),
        (set(2, 0), (4, 6, 0)),
        (set(0, 1), (7, 3, 0)),
        (set(0, 0), (6, 4, 0)),
        (CartEvent::LineRemoved { line: sku("MUG").into(), release: 4, picks: vec![] }, (10, 0, 0)),
        (cleared(2), (8, 2, 0)),
        (released(4), (10, 0, 0)),
        (ordered(3, 0), (6, 1, 3)),
        (ordered(1, 2), (4, 3, 3)),
        (ordered(0, 0), (6, 4, 0)),
        (CartEvent::CheckoutStarted, (6, 4, 0)),
        (CartEvent::StepCompleted { details: StepDetails::Payment }, (6, 4, 0)),
    ] {
        let level = StockLevel { supplied: 10, available: 6, held: 4, ..StockLevel::default() };
        let mut levels = StockLevels::from_iter([(sku("MUG"), level), (sku("CUP"), level)]);
        levels.apply(&event);
        let mug = levels.get(&sku("MUG")).unwrap();
        assert_eq!((mug.available, mug.held, mug.sold), after, "{event:?}");
        assert!(mug.is_conserved(), "{event:?}");
        assert_eq!(levels.get(&sku("CUP")), Some(level), "{event:?}");
    }
}

#[test]
fn movements_of_nothing_are_left_out() {
    for event in [added(3, 0), set(0, 0), ordered(0, 0), CartEvent::CheckoutStarted] {
        assert_eq!(movements(&event), vec![], "{event:?}");
    }
    let mut levels = StockLevels::default();
    levels.apply(&added(3, 0));
    assert_eq!((levels.get(&sku("MUG")), levels.available(&sku("MUG"))), (None, 0));
}

#[test]
fn a_level_that_lost_invented_or_owes_pieces_is_not_conserved() {
    for (supplied, available, held, sold, owed_max, conserved) in [
        (6, 3, 2, 1, 0, true),
        (0, 0, 0, 0, 0, true),
        (7, 3, 2, 1, 0, false),
        (5, 3, 2, 1, 0, false),
        (6, -1, 6, 1, 0, false),
        (6, -1, 6, 1, 1, true),
        (6, -2, 7, 1, 1, false),
        (6, 7, -1, 0, 0, false),
        (6, 7, 0, -1, 0, false),
    ] {
        let level = StockLevel { supplied, available, held, sold, owed_max, safety: 0 };
        assert_eq!(level.is_conserved(), conserved, "{level:?}");
    }
}

#[test]
fn what_a_cart_may_take_is_the_shelf_without_the_safety_stock_and_what_may_be_owed() {
    for (available, safety, row, product, free, obtainable) in [
        (5, 0, 0, 0, 5, 5),
        (5, 2, 0, 0, 3, 3),
        (1, 2, 0, 0, -1, -1),
        (0, 0, 4, 4, 0, 4),
        (-3, 0, 4, 4, -3, 1),
        (5, 2, 4, 4, 3, 7),
        (0, 0, 4, 1, 0, 1),
        (0, 0, 1, 4, 0, 1),
    ] {
        let level = StockLevel { available, safety, owed_max: row, ..StockLevel::default() };
        assert_eq!((level.free(), level.obtainable(product)), (free, obtainable), "{level:?} {product}");
    }
}

#[test]
fn a_supply_fills_what_is_owed_and_never_leaves_more_owed_than_may_be() {
    let level = StockLevel { supplied: 5, available: 2, held: 2, sold: 1, ..StockLevel::default() };
    let put = |supplied, safety, owed_max| {
        level.put(supplied, safety, owed_max).map(|l| (l.supplied, l.available, l.safety, l.owed_max))
    };
    assert_eq!(put(None, None, 0), Ok((5, 2, 0, 0)));
    assert_eq!(put(Some(3), Some(4), 0), Ok((3, 0, 4, 0)), "a high safety stock only ends the sale");
    assert_eq!(put(Some(2), None, 0), Err(3));
    assert_eq!(put(Some(2), None, 1), Ok((2, -1, 0, 1)));
    let owing = StockLevel { supplied: 1, available: -3, held: 4, owed_max: 5, ..StockLevel::default() };
    let put = |supplied, owed_max| owing.put(supplied, None, owed_max).map(|l| (l.available, l.owed_max));
    assert_eq!(put(None, 0), Ok((-3, 3)), "what is owed stays owed, and nothing more");
    assert_eq!(put(Some(2), 0), Ok((-2, 2)), "some of it came");
    assert_eq!(put(Some(0), 3), Err(4));
}

#[test]
fn movements_of_one_product_add_up() {
    let mut sum = Movement::hold(3);
    sum.add(Movement::sell(2, 1));
    assert_eq!(sum, Movement { available: -4, held: 1, sold: 3 });
    sum.add(Movement { available: 4, held: -1, sold: -3 });
    assert!(sum.is_none());
}
