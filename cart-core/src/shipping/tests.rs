use serde_json::{Value, json};

use super::*;

fn gbp() -> Currency {
    Currency::parse("GBP").unwrap()
}

fn shipping(methods: Value) -> Result<Shipping, String> {
    serde_json::from_value(json!({"methods": methods})).map_err(|e| e.to_string())
}

/// Returns a method everywhere, with one charge in pounds.
fn method(charge: Value, conditions: Value) -> Value {
    json!({"id": "post", "name": "Post", "conditions": conditions,
        "zones": [{"name": "Everywhere", "places": [{}], "tariffs": {"GBP": charge}}]})
}

fn parcel() -> Freight<'static> {
    Freight {
        subtotal_minor: 2_000,
        currency: gbp(),
        weight_g: 750,
        pieces: 3,
        categories: &["Mugs"],
        group: None,
    }
}

/// Tells what is offered as `method minor`, and what is not as `method name: reason`.
fn told(offers: &Offers) -> String {
    let json = serde_json::to_string(offers).unwrap();
    assert_eq!(serde_json::from_str::<Offers>(&json).unwrap(), *offers);
    let offered = offers.offered.iter().map(|o| format!("{} {}", o.method, o.minor));
    let refused = offers.refused.iter().map(|r| {
        let why = serde_json::to_value(&r.why).unwrap();
        assert_eq!(why["reason"], r.why.name());
        format!("{} {}: {}", r.method, r.why.name(), r.why)
    });
    offered.chain(refused).collect::<Vec<_>>().join("; ")
}

#[test]
fn the_shops_first_methods_go_everywhere_in_any_currency() {
    let shipping = Shipping::standard_and_express(495).unwrap();
    for code in ["GBP", "JPY", "KWD"] {
        let parcel = Freight { currency: Currency::parse(code).unwrap(), ..parcel() };
        for to in [None, Some(Destination::country("NZ".parse().unwrap()))] {
            let offers = shipping.offers(&parcel, to.as_ref());
            assert_eq!(told(&offers), "standard 0; express 495");
            assert_eq!((offers.needed, offers.estimated), (true, to.is_none()));
            assert_eq!(offers.offered[0].days, Some(DeliveryDays { from: 3, to: 5 }));
            assert_eq!(offers.offered[1].days, Some(DeliveryDays { from: 1, to: 1 }));
        }
    }
    assert_eq!(shipping.method(&MethodId::parse("express").unwrap()).unwrap().name, "Express");
    assert_eq!(shipping.method(&MethodId::parse("drone").unwrap()), None);
    let json = serde_json::to_string(&shipping).unwrap();
    assert_eq!(serde_json::from_str::<Shipping>(&json).unwrap(), shipping);
    assert_eq!(
        Shipping::standard_and_express(-1).unwrap_err().to_string(),
        "methods[1].zones[0].any_currency.charge.flat is -1; write an amount from 0 to 100000000000 minor units"
    );
}

#[test]
fn charges_are_worked_out_of_the_parcel() {
    let by_weight = json!({"charge": {"by_weight": [{"from": 0, "minor": 300}, {"from": 750, "minor": 450},
        {"from": 2_000, "minor": 900}]}});
    let by_subtotal =
        json!({"charge": {"by_subtotal": [{"from": 0, "minor": 500}, {"from": 2_000, "minor": 250}]}});
    let per_piece = json!({"charge": {"per_piece": {"first_minor": 400, "each_minor": 50}}});
    let free_from = json!({"charge": {"flat": 395}, "free_from_minor": 2_000});
    let free_already = json!({"charge": {"flat": 0}, "free_from_minor": 2_000});
    for (charge, parcel, minor, to_free) in [
        (&by_weight, Freight { weight_g: 0, ..parcel() }, 300, None),
        (&by_weight, Freight { weight_g: 749, ..parcel() }, 300, None),
        (&by_weight, parcel(), 450, None),
        (&by_weight, Freight { weight_g: u64::MAX, ..parcel() }, 900, None),
        (&by_subtotal, Freight { subtotal_minor: 0, ..parcel() }, 500, None),
        (&by_subtotal, Freight { subtotal_minor: 1_999, ..parcel() }, 500, None),
        (&by_subtotal, parcel(), 250, None),
        (&per_piece, Freight { pieces: 1, ..parcel() }, 400, None),
        (&per_piece, parcel(), 500, None),
        (&per_piece, Freight { pieces: u64::MAX, ..parcel() }, i64::MAX, None),
        (&free_from, Freight { subtotal_minor: 1_500, ..parcel() }, 395, Some(500)),
        (&free_from, parcel(), 0, None),
        // Nothing is lacking for a charge to fall away that is nothing already.
        (&free_already, Freight { subtotal_minor: 1_500, ..parcel() }, 0, None),
    ] {
        let shipping = shipping(json!([method(charge.clone(), json!({}))])).unwrap();
        let offers = shipping.offers(&parcel, None);
        let offer = &offers.offered[0];
        assert_eq!((offer.minor, offer.to_free_minor), (minor, to_free), "{charge} {parcel:?}");
    }
}

#[test]
fn what_is_not_offered_says_why() {
    let trade = GroupId::parse("trade").unwrap();
    let conditions = json!({"min_subtotal_minor": {"GBP": 1_000}, "max_subtotal_minor": {"GBP": 5_000},
        "max_weight_g": 2_000, "max_pieces": 10, "excluded_categories": ["Glass"], "groups": ["trade"]});
    let post = method(json!({"charge": {"flat": 395}}), conditions);
    let shipping = shipping(json!([post])).unwrap();
    let good = Freight { group: Some(&trade), ..parcel() };
    let staff = GroupId::parse("staff").unwrap();
    for (parcel, verdict) in [
        (good, "post 395"),
        (Freight { group: None, ..good }, "post group: is for other customer groups"),
        (Freight { group: Some(&staff), ..good }, "post group: is for other customer groups"),
        (Freight { categories: &["Mugs", "Glass"], ..good }, "post category: does not carry Glass"),
        (Freight { pieces: 11, ..good }, "post pieces: carries 10 pieces, not 11"),
        (Freight { weight_g: 2_001, ..good }, "post weight: carries 2000 g, not 2001 g"),
        (
            Freight { subtotal_minor: 999, ..good },
            "post subtotal_below: is for orders from 10.00 GBP on; 0.01 GBP are lacking",
        ),
        (Freight { pieces: 10, weight_g: 2_000, subtotal_minor: 1_000, ..good }, "post 395"),
        (Freight { subtotal_minor: 5_000, ..good }, "post 395"),
        (Freight { subtotal_minor: 5_001, ..good }, "post subtotal_above: is for orders up to 50.00 GBP"),
        (Freight { currency: Currency::parse("EUR").unwrap(), ..good }, "post currency: has no rate in EUR"),
        // Of several reasons the first of the stated order is told.
        (
            Freight { pieces: 11, weight_g: 9_999, subtotal_minor: 1, ..good },
            "post pieces: carries 10 pieces, not 11",
        ),
    ] {
        assert_eq!(told(&shipping.offers(&parcel, None)), verdict, "{parcel:?}");
    }
}

#[test]
fn a_condition_without_an_amount_in_the_currency_serves_nobody_in_it() {
    let any = json!([{"id": "post", "name": "Post", "conditions": {"min_subtotal_minor": {"GBP": 1}},
        "zones": [{"name": "Everywhere", "places": [{}], "any_currency": {"charge": {"flat": 1}}}]}]);
    let shipping = shipping(any).unwrap();
    assert_eq!(told(&shipping.offers(&parcel(), None)), "post 1");
    let in_euros = Freight { currency: Currency::parse("EUR").unwrap(), ..parcel() };
    assert_eq!(told(&shipping.offers(&in_euros, None)), "post currency: has no rate in EUR");
}

#[test]
fn the_most_special_zone_charges_and_home_stands_in_for_an_unknown_destination() {
    let zone = |name: &str, places: Value, minor: i64| json!({"name": name, "places": places, "tariffs": {"GBP": {"charge": {"flat": minor}}}});
    let post = json!({"id": "post", "name": "Post", "zones": [
        zone("Mainland", json!([{"countries": ["GB"]}]), 300),
        zone("Highlands", json!([{"countries": ["GB"], "postcodes": [{"prefix": "IV"}]}]), 900),
    ]});
    let worldwide = json!({"id": "air", "name": "Air", "zones": [zone("World", json!([{}]), 2_000)]});
    let definition = json!({"home": {"country": "GB"}, "methods": [post, worldwide]});
    let shipping: Shipping = serde_json::from_value(definition.clone()).unwrap();
    let to = |json: Value| serde_json::from_value::<Destination>(json).unwrap();
    for (destination, verdict) in [
        (Some(to(json!({"country": "GB", "postcode": "SW1A 1AA"}))), "post 300; air 2000"),
        (Some(to(json!({"country": "gb", "postcode": "iv1 1aa"}))), "post 900; air 2000"),
        (Some(to(json!({"country": "FR"}))), "air 2000; post destination: does not go to FR"),
        (None, "post 300; air 2000"),
    ] {
        assert_eq!(told(&shipping.offers(&parcel(), destination.as_ref())), verdict);
    }
    let mut homeless = definition;
    homeless["home"] = Value::Null;
    let shipping: Shipping = serde_json::from_value(homeless).unwrap();
    assert_eq!(
        told(&shipping.offers(&parcel(), None)),
        "air 2000; post destination: needs to know where the order goes"
    );
}

#[test]
fn a_cart_of_which_nothing_travels_needs_no_method() {
    let shipping = Shipping::standard_and_express(495).unwrap();
    let offers = shipping.offers(&Freight { pieces: 0, weight_g: 0, categories: &[], ..parcel() }, None);
    assert_eq!(offers, Offers { estimated: true, ..Offers::default() });
    assert!(shipping.offers(&parcel(), None).needed);
}

#[test]
fn definitions_that_make_no_sense_are_refused_with_a_sentence() {
    let flat = || json!({"charge": {"flat": 1}});
    let steps = |steps: Value| method(json!({"charge": {"by_weight": steps}}), json!({}));
    let days = |from: u16, to: u16| {
        let mut post = method(flat(), json!({}));
        post["zones"][0]["days"] = json!({"from": from, "to": to});
        post
    };
    let nowhere = json!({"id": "post", "name": "Post", "zones": []});
    let mut free = method(flat(), json!({}));
    free["zones"][0]["tariffs"] = json!({});
    for (methods, fault) in [
        (
            json!([method(flat(), json!({})), method(flat(), json!({}))]),
            "methods[1].id is post, as another method's is; give each its own",
        ),
        (json!([nowhere]), "methods[0].zones is empty, so that it goes nowhere; add a zone"),
        (
            json!([free]),
            "methods[0].zones[0].tariffs is empty, so that nothing travels here; add a tariff for a currency, or any_currency",
        ),
        (
            json!([method(json!({"charge": {"flat": -1}}), json!({}))]),
            "methods[0].zones[0].tariffs.GBP.charge.flat is -1; write an amount from 0 to 100000000000 minor units",
        ),
        (
            json!([method(json!({"charge": {"flat": 1}, "free_from_minor": 0}), json!({}))]),
            "methods[0].zones[0].tariffs.GBP.free_from_minor is 0; write a subtotal above 0, or charge a flat 0",
        ),
        (
            json!([steps(json!([]))]),
            "methods[0].zones[0].tariffs.GBP.charge.by_weight must have a first step from 0",
        ),
        (
            json!([steps(json!([{"from": 1, "minor": 1}]))]),
            "methods[0].zones[0].tariffs.GBP.charge.by_weight must have a first step from 0",
        ),
        (
            json!([steps(
                json!([{"from": 0, "minor": 1}, {"from": 5, "minor": 1}, {"from": 5, "minor": 2}])
            )]),
            "methods[0].zones[0].tariffs.GBP.charge.by_weight has steps out of order; let each begin above the one before it",
        ),
        (
            json!([steps(json!([{"from": 0, "minor": 1}, {"from": 5, "minor": -1}]))]),
            "methods[0].zones[0].tariffs.GBP.charge.by_weight[1].minor is -1; write an amount from 0 to 100000000000 minor units",
        ),
        (
            json!([days(3, 2)]),
            "methods[0].zones[0].days goes from 3 to 2; write the fewest days first, 365 at most",
        ),
        (
            json!([days(3, 366)]),
            "methods[0].zones[0].days goes from 3 to 366; write the fewest days first, 365 at most",
        ),
        (
            json!([method(
                flat(),
                json!({"min_subtotal_minor": {"GBP": 2}, "max_subtotal_minor": {"GBP": 1}})
            )]),
            "methods[0].conditions.max_subtotal_minor is 1 GBP, below the min 2, so that no order fits",
        ),
        (
            json!([method(flat(), json!({"min_subtotal_minor": {"GBP": -2}}))]),
            "methods[0].conditions.min_subtotal_minor is -2 GBP; write 0 or more minor units",
        ),
        (
            json!([method(flat(), json!({"max_weight_g": 0}))]),
            "methods[0].conditions.max_weight_g is 0; leave it out for any weight",
        ),
        (
            json!([method(flat(), json!({"max_pieces": 0}))]),
            "methods[0].conditions.max_pieces is 0; leave it out for any number",
        ),
    ] {
        assert_eq!(shipping(methods), Err(fault.into()));
    }
    let unknown = method(flat(), json!({"min_weight": 1}));
    assert!(shipping(json!([unknown])).unwrap_err().contains("unknown field `min_weight`"));
}
