//! What promotions take off an order, and how their uses are counted.

use super::*;

#[test]
fn a_promotion_goes_with_the_order_and_what_it_took_off_each_line() {
    let promotions = r#"[
        {"id": "summer", "name": "Summer", "codes": ["SUMMER"],
         "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}},
        {"id": "freight", "name": "Free delivery", "conditions": {"needs": [{"min_minor": {"GBP": 2000}}]},
         "benefit": {"kind": "free_shipping"}}
    ]"#;
    let mut case = Case::checked_out(Workflow::express());
    case.terms.promotions = serde_json::from_str(promotions).unwrap();
    case.grant(step(shipping("express")));
    assert_eq!(case.due_minor(), 2_500, "free delivery from 20 pounds on");
    let code = Code::parse("summer").unwrap();
    case.grant(Command::ApplyCode { code: code.clone() });
    assert_eq!(case.grant(Command::ApplyCode { code: code.clone() }), [], "typed once is typed");
    let totals = case.quote().totals;
    assert_eq!((totals.subtotal_minor, totals.discount_minor, totals.total_minor), (2_500, 250, 2_250));
    case.grant(Command::RemoveCode { code: code.clone() });
    assert_eq!((case.due_minor(), case.grant(Command::RemoveCode { code: code.clone() })), (2_500, vec![]));
    case.grant(Command::ApplyCode { code });
    let events = case.grant(pay(2_250));
    let [CartEvent::OrderPlaced(order)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((order.lines[0].discount_minor, order.shipping_minor, order.total_minor), (250, 0, 2_250));
    let quote = order.quote.as_ref().unwrap();
    let applied: Vec<_> = quote.promotions.outcomes.iter().map(ToString::to_string).collect();
    assert_eq!(applied, ["Summer: 2.50 GBP off", "Free delivery: free shipping"]);
}

#[test]
fn an_order_posts_a_use_of_what_is_counted() {
    let mut case = limited();
    case.grant(Command::ApplyCode { code: "TEN".parse().unwrap() });
    let total_minor = quote(&case.cart, &One(case.product.as_ref()), &case.terms, 0).totals.total_minor;
    let events = case.decide(&place(total_minor)).unwrap();
    let [CartEvent::OrderPlaced(order)] = &events[..] else { panic!("{events:?}") };
    let posted = |id: &str| Posting { account: account(id), delta: 1 };
    assert_eq!(order.postings, [posted("promotion:ten"), posted("customer:ten:ada"), posted("orders:ada")]);
    case.balances.apply(&events[0]);
    assert_eq!(case.balances.get(&account("promotion:ten")), Some(1));
    let (cause, postings) = account::postings(&events[0]).unwrap();
    assert_eq!((cause.as_str(), postings), ("order:o1", &order.postings[..]));
    let back: Vec<_> = order.postings.iter().map(Posting::reversed).collect();
    assert_eq!(back.iter().map(|p| p.delta).collect::<Vec<_>>(), [-1, -1, -1]);
}

#[test]
fn what_others_used_up_is_refused_told_and_then_left_out() {
    for (id, uses) in [("promotion:ten", 10), ("customer:ten:ada", 2)] {
        let mut case = limited();
        case.grant(Command::ApplyCode { code: "TEN".parse().unwrap() });
        let totals = |case: &Case| quote(&case.cart, &One(case.product.as_ref()), &case.terms, 0).totals;
        let shown = totals(&case);
        assert_eq!(shown.discount_minor, 250, "a tenth of two mugs");
        case.balances.insert(account(id), uses - 1);
        assert!(case.decide(&place(shown.total_minor)).is_ok(), "the last use is one");

        case.balances.insert(account(id), uses);
        let used_up = Rejection::PromotionUsedUp { name: "Ten".into(), code: "TEN".parse().ok() };
        assert_eq!(case.decide(&place(shown.total_minor)), Err(used_up.clone()));
        assert_eq!(
            case.decide(&place(shown.total_minor + 250)),
            Err(used_up),
            "not yet shown is not yet agreed to"
        );

        let facts_say = Balances::from_iter([(account(id), uses)]);
        let noted = case.grant(Command::StartCheckout);
        assert_eq!(noted, [CartEvent::BalancesNoted { balances: facts_say }]);
        assert_eq!(case.grant(Command::StartCheckout), [], "told once");
        let quote = quote(&case.cart, &One(case.product.as_ref()), &case.terms, 0);
        assert_eq!(quote.totals.discount_minor, 0);
        assert!(
            quote.promotions.outcomes[0].to_string().starts_with("Ten: "),
            "{:?}",
            quote.promotions.outcomes
        );
        let events = case.decide(&place(quote.totals.total_minor)).unwrap();
        let [CartEvent::OrderPlaced(order)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(order.postings, [Posting { account: account("orders:ada"), delta: 1 }]);

        // An order that is given back makes room again, and the cart is told of that too.
        case.balances.insert(account(id), uses - 1);
        assert_eq!(
            case.grant(Command::StartCheckout),
            [CartEvent::BalancesNoted { balances: Balances::default() }]
        );
        assert_eq!(totals(&case), shown);
    }
}

#[test]
fn what_is_used_up_and_took_nothing_off_is_no_news_to_an_order() {
    let mut case = limited();
    case.terms.promotions = serde_json::from_str(
        r#"[{"id": "ten", "name": "Ten", "limits": {"total": 1}, "conditions": {"needs": [{"min_minor": {"GBP": 999999}}]},
            "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}}]"#,
    )
    .unwrap();
    let total_minor = quote(&case.cart, &One(case.product.as_ref()), &case.terms, 0).totals.total_minor;
    case.balances.insert(account("promotion:ten"), 1);
    assert!(case.decide(&place(total_minor)).is_ok());
}
