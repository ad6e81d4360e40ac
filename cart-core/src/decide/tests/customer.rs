use super::*;
use crate::{ChannelId, GroupId, Promotions};

fn trade() -> GroupId {
    GroupId::parse("trade").unwrap()
}

/// A mug at 12.50 for everybody and 10.00 for the trade.
fn grouped() -> Case {
    let mut case = Case::new();
    let special = SpecialPrice {
        minor: 1_000,
        currency: currency("GBP"),
        group: Some(trade()),
        min_quantity: 1,
        from_ms: None,
        until_ms: None,
    };
    case.product = Some(Product { prices: vec![special], ..mug() });
    case
}

fn promotions(text: &str) -> Promotions {
    let benefit = r#""benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}"#;
    serde_json::from_str(&format!(r#"[{{"id": "p", "name": "P", "conditions": {text}, {benefit}}}]"#))
        .unwrap()
}

#[test]
fn a_customer_who_joins_a_group_pays_its_prices_under_every_policy() {
    for policy in [PricePolicy::Hold, PricePolicy::Follow, PricePolicy::Tell] {
        let mut case = grouped();
        case.terms.prices = policy;
        case.grant(add("MUG", 2));
        let everybody = case.quote().lines[0].unit_price_minor;
        assert_ne!(everybody, 1_000);
        case.grant(Command::SetGroup { group: Some(trade()) });
        assert_eq!(case.cart.group, Some(trade()));
        let line = &case.quote().lines[0];
        assert_eq!((line.unit_price_minor, line.was_minor), (1_000, None), "{policy:?}");
        assert_eq!(case.grant(Command::SetGroup { group: Some(trade()) }), [], "said twice");
        case.grant(add("MUG", 1));
        assert_eq!(case.cart.lines[0].unit_price_minor, 1_000);
        case.grant(Command::SetGroup { group: None });
        assert_eq!(case.quote().lines[0].unit_price_minor, everybody, "{policy:?}");
    }
}

#[test]
fn promotions_ask_for_group_channel_and_orders_before() {
    let discount = |case: &Case| case.quote().promotions.discount_minor > 0;
    let mut case = Case::with_mugs();

    case.terms.promotions = promotions(r#"{"groups": ["trade"]}"#);
    assert!(!discount(&case));
    case.cart.group = Some(trade());
    assert!(discount(&case));

    case.terms.promotions = promotions(r#"{"channels": ["app"]}"#);
    assert!(!discount(&case));
    case.cart.channel = Some(ChannelId::parse("app").unwrap());
    assert!(discount(&case));

    let orders = AccountId::CustomerOrders { customer: case.cart.owner.clone() };
    case.terms.promotions = promotions(r#"{"max_orders_before": 0}"#);
    assert!(discount(&case), "nothing is known of an order");
    case.balances.insert(orders.clone(), 1);
    case.grant(add("MUG", 1));
    assert_eq!(case.cart.known.get(&orders), Some(1), "the cart is told");
    assert!(!discount(&case));
    case.terms.promotions = promotions(r#"{"min_orders_before": 2}"#);
    assert!(!discount(&case));
    case.balances.insert(orders, 2);
    case.grant(add("MUG", 1));
    assert!(discount(&case));
}

#[test]
fn a_first_order_that_was_overtaken_by_another_is_told() {
    let mut case = Case::checked_out(Workflow::express());
    case.terms.promotions = promotions(r#"{"max_orders_before": 0}"#);
    assert!(case.quote().promotions.discount_minor > 0);
    case.balances.insert(AccountId::CustomerOrders { customer: case.cart.owner.clone() }, 1);
    let refused = case.refuse(pay(case.due_minor()));
    assert!(matches!(refused, Rejection::PromotionUsedUp { .. }), "{refused:?}");
}

#[test]
fn a_closed_cart_keeps_its_group_and_an_expired_one_learns_of_it() {
    let mut case = Case::with_mugs();
    case.cart.lapse = Some(crate::Lapse::Expired);
    case.grant(Command::SetGroup { group: Some(trade()) });
    assert_eq!(case.cart.group, Some(trade()));
}
