//! The steps to an order.

use super::*;

#[test]
fn all_workflows_lead_to_an_order() {
    use Step::{Address, Contact, Payment, Review, Shipping};
    for (workflow, steps) in [
        (Workflow::classic(), vec![Address, Shipping, Payment, Review]),
        (Workflow::express(), vec![Address, Shipping, Payment]),
        (Workflow::guest_first(), vec![Contact, Address, Shipping, Payment]),
    ] {
        let mut case = Case::with(workflow);
        case.grant(add("MUG", 2));
        case.grant(Command::StartCheckout);
        for (done, next) in steps.iter().enumerate() {
            assert_eq!((case.cart.completed(), case.cart.next_step()), (&steps[..done], Some(*next)));
            case.grant(step(details(*next)));
        }
        assert_eq!(case.cart.next_step(), None);
        case.now_ms = 5_000;
        let quote = case.quote();
        let events = case.grant(pay(2_500));
        let order = Order {
            order_id: OrderId::parse("o1").unwrap(),
            cart: CartId::parse("c1").unwrap(),
            owner: VisitorId::parse("ada").unwrap(),
            placed_at_ms: 5_000,
            currency: currency("GBP"),
            note: String::new(),
            lines: vec![OrderLine { from_held: 2, ..OrderLine::new(sku("MUG"), "Mug", 2, 1_250) }],
            shipping: MethodId::parse("standard").ok(),
            shipping_minor: 0,
            total_minor: 2_500,
            payment_reference: "pay-1".into(),
            postings: vec![Posting { account: account("orders:ada"), delta: 1 }],
            payment: PaymentId::parse("o1-1").ok(),
            email: "ada@example.org".into(),
            state: OrderState::default(),
            quote: Some(Box::new(quote)),
        };
        assert_eq!(events, vec![CartEvent::OrderPlaced(order)]);
        assert_eq!(case.cart.order_id().map(OrderId::as_str), Some("o1"));
        assert_eq!((case.cart.completed(), case.cart.holds_expire_at_ms), (&steps[..], None));
        assert_eq!(case.refuse(add("MUG", 1)).name(), "cart_closed");
    }
}

#[test]
fn a_way_to_travel_is_one_of_those_offered_at_the_price_of_the_day() {
    let mut case = Case::with_mugs();
    case.grant(Command::StartCheckout);
    case.grant(step(address("Bath")));
    for (method, message) in [
        (shipping("balloon"), "method must be one of standard, express"),
        (StepDetails::Shipping { method: None }, "method must be one of standard, express"),
    ] {
        let refused = case.refuse(step(method));
        assert_eq!((refused.name(), refused.to_string().as_str()), ("invalid_details", message));
    }
    case.grant(step(shipping("express")));
    case.grant(step(StepDetails::Payment));
    case.grant(step(StepDetails::Review));
    assert_eq!(case.due_minor(), 2_995);
    case.terms = express(795);
    assert_eq!(case.due_minor(), 3_295);
    let refused = case.refuse(pay(2_995));
    assert_eq!(refused.name(), "payment_mismatch", "nobody pays a price that was not shown");

    // A method that the shop gives up is chosen no longer.
    let mut definition = case.terms.shipping.definition().clone();
    definition.methods.truncate(1);
    case.terms.shipping = crate::Shipping::new(definition).unwrap();
    assert_eq!(
        case.refuse(pay(2_500)).to_string(),
        "the checkout is not complete; the next step is shipping"
    );
    case.grant(step(shipping("standard")));
    case.grant(pay(2_500));
    // What the order cost is settled, whatever the shop asks later.
    case.terms = express(1);
    assert_eq!((case.due_minor(), case.quote().lines.len()), (2_500, 1));
}

#[test]
fn nothing_travels_where_all_is_sent_by_wire() {
    let mut case = Case::new();
    case.product = Some(Product { digital: true, ..mug() });
    case.grant(add("MUG", 1));
    case.grant(Command::StartCheckout);
    case.grant(step(address("Bath")));
    assert_eq!(case.cart.next_step(), Some(Step::Payment), "there is no parcel to choose a way for");
    assert_eq!(
        case.grant(step(StepDetails::Shipping { method: None })),
        [],
        "who goes through all steps may"
    );
    case.grant(step(StepDetails::Payment));
    case.grant(step(StepDetails::Review));
    let placed = case.grant(pay(1_250));
    let Some(CartEvent::OrderPlaced(order)) = placed.first() else { panic!("{placed:?}") };
    assert_eq!(order.shipping, None);
}

/// What is sent by wire needs an e-mail address, and of the rest what tax depends on.
fn bill(country: &str, region: &str) -> Command {
    let given = |name: &str| match name {
        "email" => Some("ada@example.org".to_owned()),
        "country" => Some(country.to_owned()),
        "region" => Some(region.to_owned()),
        _ => None,
    };
    step(StepDetails::parse(Step::Address, crate::Asked::default(), given).unwrap())
}

#[test]
fn a_download_asks_for_what_tax_depends_on_and_is_taxed_where_the_bill_goes() {
    let mut case = Case::with(Workflow::express());
    let taxes = r#"{"prices_include_tax":false,"home":{"country":"GB"},"zones":[
        {"name":"UK","places":[{"countries":["GB"]}],"rates":{"standard":[{"name":"VAT","rate_ppm":200000}]}},
        {"name":"California","places":[{"countries":["US"],"regions":["CA"]}],
         "rates":{"standard":[{"name":"Sales tax","rate_ppm":72500}]}}]}"#;
    case.terms.taxes = crate::Taxes::new(serde_json::from_str(taxes).unwrap()).unwrap();
    let told = "Download it at https://example.org/mug".to_owned();
    case.product = Some(Product {
        digital: true,
        stock_policy: StockPolicy::Untracked,
        delivery_note: told.clone(),
        ..mug()
    });
    case.stock = StockLevels::default();
    case.grant(add("MUG", 2));
    case.grant(Command::StartCheckout);
    let lacking = |field: &str| Rejection::InvalidDetails {
        fields: vec![FieldError { field: field.into(), message: "is needed".into() }],
    };
    assert_eq!(case.refuse(bill("US", "")), lacking("region"), "the rate depends on the state");
    case.grant(bill("GB", ""));
    assert_eq!(case.due_minor(), 3_000, "25.00 and 20 % of it");
    case.grant(bill("US", "CA"));
    assert_eq!(case.due_minor(), 2_681, "25.00 and 7.25 % of it: 1.8125");
    case.grant(bill("FR", ""));
    assert_eq!(case.due_minor(), 2_500, "no zone, no tax");
    case.grant(step(StepDetails::Payment));

    // A parcel joins it: now the address is to be completed, and a way chosen.
    let mut posted = case.clone();
    posted.product = Some(Product { sku: sku("CUP"), stock_policy: StockPolicy::Untracked, ..mug() });
    posted.grant(Command::AddLine { sku: sku("CUP"), quantity: 1, properties: Properties::default() });
    assert_eq!(posted.cart.next_step(), Some(Step::Address));
    let Rejection::InvalidDetails { fields } = posted.refuse(bill("FR", "")) else { panic!() };
    let names: Vec<_> = fields.iter().map(|f| f.field.as_str()).collect();
    assert_eq!(names, ["name", "street", "city", "postcode"]);
    posted.grant(step(address("Bath")));
    assert_eq!(posted.cart.next_step(), Some(Step::Shipping));

    let placed = case.grant(pay(2_500));
    let Some(CartEvent::OrderPlaced(order)) = placed.first() else { panic!("{placed:?}") };
    assert_eq!(order.notes().collect::<Vec<_>>(), [("The MUG", told.as_str())].map(|(_, n)| ("Mug", n)));
}

#[test]
fn an_address_that_nothing_is_sent_to_is_refused_where_something_travels() {
    let shipping = |places: &str, conditions: &str| {
        let all = format!(
            r#"{{"methods":[{{"id":"post","name":"Post","zones":[{{"name":"Home","places":{places},
                "any_currency":{{"charge":{{"flat":100}}}}}}],"conditions":{conditions}}}]}}"#
        );
        crate::Shipping::new(serde_json::from_str(&all).unwrap()).unwrap()
    };
    let locations = |places: &str| {
        let all = format!(
            r#"{{"locations":[{{"id":"main","name":"Main","places":{places}}},
                {{"id":"north","name":"North","places":{places}}}]}}"#
        );
        serde_json::from_str(&all).unwrap()
    };
    let (everywhere, home) = ("[{}]", r#"[{"countries":["GB"]}]"#);
    let away = || {
        let StepDetails::Address(address) = address("Paris") else { panic!() };
        step(StepDetails::Address(Address { country: "FR".into(), postcode: "75001".into(), ..address }))
    };
    let not_served = Err("the shop does not send to FR 75001; give an address elsewhere".to_owned());
    let mug = mug();
    let untracked = Product { stock_policy: StockPolicy::Untracked, ..mug.clone() };
    let digital = Product { digital: true, ..untracked.clone() };
    for (shop, sent, product, expected) in [
        ((everywhere, "{}"), everywhere, &mug, Ok(())),
        ((home, "{}"), everywhere, &mug, not_served.clone()),
        ((everywhere, "{}"), home, &mug, not_served.clone()),
        // What is kept nowhere is sent from nowhere in particular.
        ((everywhere, "{}"), home, &untracked, Ok(())),
        ((home, "{}"), home, &untracked, not_served),
        ((home, "{}"), home, &digital, Ok(())),
        // The method goes there, but takes no two pieces: another address would not help.
        ((everywhere, r#"{"max_pieces":1}"#), everywhere, &mug, Ok(())),
    ] {
        let mut case = Case::with_mugs();
        case.terms.shipping = shipping(shop.0, shop.1);
        case.terms.locations = locations(sent);
        case.cart.lines[0].digital = product.digital;
        case.cart.lines[0].policy = product.stock_policy;
        case.product = Some(product.clone());
        case.grant(Command::StartCheckout);
        let said = case.decide(&by_owner(away())).map(|_| ()).map_err(|rejection| rejection.to_string());
        assert_eq!(said, expected, "{shop:?} {sent} {}", product.stock_policy.name());
    }
}

#[test]
fn a_step_that_is_done_may_be_corrected() {
    let mut case = Case::checked_out(Workflow::classic());
    let done = case.cart.completed().to_vec();
    case.grant(step(address("Wells")));
    case.grant(step(shipping("express")));
    assert_eq!(case.cart.address.as_ref().map(|a| a.city.as_str()), Some("Wells"));
    assert_eq!((case.cart.completed(), case.cart.next_step()), (&done[..], None));
    assert_eq!(case.refuse(pay(2_500)).name(), "payment_mismatch");
    case.grant(pay(2_995));
}

#[test]
fn a_step_waits_for_its_turn() {
    use Step::{Address, Payment, Review, Shipping};
    let out_of_order = |step, next| Rejection::StepOutOfOrder { step, next };
    let mut case = Case::with_mugs();
    assert_eq!(case.refuse(step(details(Address))), out_of_order(Address, None));
    case.grant(Command::StartCheckout);
    for early in [Shipping, Payment, Review] {
        assert_eq!(case.refuse(step(details(early))), out_of_order(early, Some(Address)));
    }
    case.grant(step(details(Address)));
    assert_eq!(case.refuse(step(details(Payment))), out_of_order(Payment, Some(Shipping)));
    // The express workflow has no review at all.
    let express = Case::checked_out(Workflow::express());
    assert_eq!(express.refuse(step(details(Review))), out_of_order(Review, None));
}

#[test]
fn lines_may_change_during_the_checkout_and_the_steps_stay_done() {
    let mut case = Case::checked_out(Workflow::classic());
    case.grant(add("MUG", 1));
    assert_eq!(case.refuse(pay(2_500)).name(), "payment_mismatch");
    case.grant(Command::Clear);
    assert_eq!(case.refuse(pay(2_500)), Rejection::CartEmpty);
    assert_eq!(case.refuse(Command::StartCheckout), Rejection::CartEmpty);
    case.grant(add("MUG", 1));
    assert_eq!(case.grant(pay(1_250)).len(), 1);
}
