use std::{collections::BTreeMap, sync::Arc};

use super::*;
use crate::{
    CartId, Currency, MethodId, Money, Shipping, Sku, SpecialPrice, StockPolicy, TaxComponent, TaxDefinition,
    TaxZone, Taxes, VisitorId, Workflow,
    limits::{CART_LINES_MAX, LINE_QUANTITY_MAX, PRICE_MINOR_MAX},
    open,
    zone::Place,
};

fn gbp() -> Currency {
    Currency::parse("GBP").unwrap()
}

fn cart(lines: impl IntoIterator<Item = (u32, i64)>) -> Cart {
    let (id, owner) = (CartId::parse("c1").unwrap(), VisitorId::parse("ada").unwrap());
    let opened = open(id, owner, gbp(), Arc::new(Workflow::classic()), vec![]);
    let mut cart = Cart::from_opened(&opened).unwrap();
    let line = |(n, (quantity, unit_price_minor)): (usize, (u32, i64))| {
        let sku = Sku::parse(&format!("P{n}")).unwrap();
        Line::new(sku, "", quantity, unit_price_minor, StockPolicy::Untracked)
    };
    cart.lines = lines.into_iter().enumerate().map(line).collect();
    cart
}

fn terms(prices: PricePolicy, express_minor: i64) -> Terms {
    Terms::plain(prices, Shipping::standard_and_express(express_minor).unwrap())
}

fn bare(cart: &Cart, terms: &Terms) -> Quote {
    quote(cart, &BTreeMap::<Sku, &Product>::new(), terms, 0)
}

fn send(cart: &mut Cart, method: &str) {
    cart.shipping = Some(MethodId::parse(method).unwrap());
}

#[test]
fn lines_and_shipping_add_up() {
    let terms = terms(PricePolicy::Hold, 495);
    let sums = |cart: &Cart| {
        let t = bare(cart, &terms).totals;
        (t.items, t.subtotal_minor, t.shipping_minor, t.total_minor)
    };
    assert_eq!(bare(&cart([]), &terms).totals, Totals::default());
    let mut shopping = cart([(2, 1_250), (1, 3_400)]);
    assert_eq!(sums(&shopping), (3, 5_900, 0, 5_900), "nothing is chosen yet");
    send(&mut shopping, "express");
    assert_eq!(sums(&shopping), (3, 5_900, 495, 6_395));
    send(&mut shopping, "balloon");
    assert_eq!(sums(&shopping), (3, 5_900, 0, 5_900), "what is not offered costs nothing and is not chosen");
}

#[test]
fn the_dearest_cart_that_the_limits_allow_is_summed_exactly() {
    let mut dearest = cart(vec![(LINE_QUANTITY_MAX, PRICE_MINOR_MAX); CART_LINES_MAX]);
    send(&mut dearest, "express");
    let totals = bare(&dearest, &terms(PricePolicy::Hold, PRICE_MINOR_MAX)).totals;
    let exact = CART_LINES_MAX as i128 * i128::from(LINE_QUANTITY_MAX) * i128::from(PRICE_MINOR_MAX);
    assert_eq!(i128::from(totals.subtotal_minor), exact);
    assert_eq!(i128::from(totals.total_minor), exact + i128::from(PRICE_MINOR_MAX));
    assert!(exact < 500_000_000_000_000_000);
}

#[test]
fn a_price_holds_follows_or_is_told() {
    let sku = Sku::parse("P0").unwrap();
    let special = SpecialPrice {
        minor: 900,
        currency: gbp(),
        group: None,
        min_quantity: 5,
        from_ms: Some(100),
        until_ms: Some(200),
    };
    let product =
        Product { prices: vec![special], ..Product::new(sku.clone(), "Mug", Money::new(1_400, gbp())) };
    let shelf = BTreeMap::from([(sku, &product)]);
    let of = |prices, quantity, now_ms| {
        let q = quote(&cart([(quantity, 1_250)]), &shelf, &terms(prices, 0), now_ms);
        (q.lines[0].unit_price_minor, q.lines[0].was_minor, q.totals.total_minor)
    };
    assert_eq!(of(PricePolicy::Hold, 5, 150), (1_250, None, 6_250));
    assert_eq!(of(PricePolicy::Follow, 1, 150), (1_400, Some(1_250), 1_400));
    assert_eq!(of(PricePolicy::Tell, 5, 150), (900, Some(1_250), 4_500), "the tier, within its time");
    assert_eq!(of(PricePolicy::Tell, 5, 200), (1_400, Some(1_250), 7_000), "its time is over");
    let why = |prices, quantity, now_ms| {
        let q = quote(&cart([(quantity, 1_250)]), &shelf, &terms(prices, 0), now_ms);
        q.lines[0].why.as_ref().map(ToString::to_string)
    };
    assert_eq!(why(PricePolicy::Tell, 1, 150), None, "its own price needs no reason");
    let tier = "until 1 January 1970, 00:00 UTC, from 5 pieces on";
    assert_eq!(why(PricePolicy::Tell, 5, 150).as_deref(), Some(tier));
    assert_eq!(why(PricePolicy::Hold, 5, 150).as_deref(), Some("as when it went into the cart"));
    let held = quote(&cart([(5, 900)]), &shelf, &terms(PricePolicy::Hold, 0), 150);
    assert_eq!(
        held.lines[0].why.as_ref().map(PriceReason::name),
        Some("window"),
        "what is held may hold today, too"
    );
    // What left the catalogue costs what the shopper was told.
    assert_eq!(bare(&cart([(1, 1_250)]), &terms(PricePolicy::Follow, 0)).totals.total_minor, 1_250);
}

fn taxed(prices_include_tax: bool) -> Terms {
    let vat = TaxComponent { name: "VAT".into(), rate_ppm: 200_000, compound: false };
    let zone = TaxZone {
        name: "Everywhere".into(),
        places: vec![Place::everywhere()],
        prices_include_tax: None,
        rates: BTreeMap::from([(crate::TaxCategory::default(), vec![vat])]),
        exempt_groups: Default::default(),
    };
    let home = Destination::read("GB", "", "");
    let definition =
        TaxDefinition { prices_include_tax, zones: vec![zone], home, ..TaxDefinition::default() };
    Terms { taxes: Taxes::new(definition).unwrap(), ..terms(PricePolicy::Hold, 600) }
}

#[test]
fn tax_is_in_the_prices_or_comes_on_top() {
    let mut shopping = cart([(2, 1_200), (1, 3_000)]);
    send(&mut shopping, "express");
    // 20 % on 5,400 + 600 is 1,200 on top, or a sixth of 6,000 within.
    let sums =
        |t: Totals| (t.subtotal_minor, t.shipping_minor, t.tax_minor, t.tax_added_minor, t.total_minor);
    assert_eq!(sums(bare(&shopping, &taxed(false)).totals), (5_400, 600, 1_200, 1_200, 7_200));
    assert_eq!(sums(bare(&shopping, &taxed(true)).totals), (5_400, 600, 1_000, 0, 6_000));
    let quote = bare(&shopping, &taxed(true));
    assert!(quote.tax.estimated, "nobody said yet where it goes");
    assert_eq!(quote.lines.iter().map(|l| l.tax.tax_minor).sum::<i64>(), 900);
}

#[test]
fn what_is_sent_by_wire_needs_no_way_to_travel() {
    let sku = Sku::parse("P0").unwrap();
    let product =
        Product { digital: true, weight_g: 500, ..Product::new(sku.clone(), "PDF", Money::new(900, gbp())) };
    let shelf = BTreeMap::from([(sku, &product)]);
    let of = |lines: Vec<(u32, i64)>| quote(&cart(lines), &shelf, &terms(PricePolicy::Hold, 0), 0).offers;
    assert!(!of(vec![(1, 900)]).needed);
    assert!(of(vec![(1, 900), (1, 500)]).needed);
}

#[test]
fn every_promotion_is_explained_and_no_secret_is_told_to_shoppers() {
    let mut terms = terms(PricePolicy::Hold, 0);
    terms.promotions = serde_json::from_str(
        r#"[{"id":"over","name":"Over","conditions":{"until_ms":50},"benefit":{"kind":"free_shipping"}},
            {"id":"planned","name":"Planned","conditions":{"from_ms":200},"benefit":{"kind":"free_shipping"}},
            {"id":"paused","name":"Paused","paused":true,"benefit":{"kind":"free_shipping"}},
            {"id":"eve","name":"For Eve","conditions":{"customers":["eve"]},"benefit":{"kind":"free_shipping"}},
            {"id":"secret","name":"Secret","codes":["SECRET"],"benefit":{"kind":"free_shipping"}},
            {"id":"old-secret","name":"Old secret","codes":["OLD"],"conditions":{"until_ms":50},
             "benefit":{"kind":"free_shipping"}},
            {"id":"first","name":"First","priority":9,"stacking":{"mode":"last"},
             "benefit":{"kind":"percentage","on":{"all":true},"off_bp":1000}},
            {"id":"second","name":"Second","benefit":{"kind":"percentage","on":{"all":true},"off_bp":1000}}]"#,
    )
    .unwrap();
    let mut cart = cart([(2, 1_250)]);
    let told = |cart: &Cart, told: Told| {
        let outcomes = explain(cart, &BTreeMap::<Sku, &Product>::new(), &terms, 100, told);
        let shown = |outcome: &crate::PromotionOutcome| match &outcome.verdict {
            Verdict::Applied(_) => format!("{}: applied", outcome.promotion),
            Verdict::NotApplied(why) => format!("{}: {}", outcome.promotion, why.name()),
        };
        let mut shown: Vec<_> = outcomes.iter().map(shown).collect();
        shown.sort();
        shown
    };
    let public = ["first: applied", "over: ended", "second: excluded"];
    assert_eq!(told(&cart, Told::Shopper), public);
    let all = [
        "eve: customer",
        "first: applied",
        "old-secret: ended",
        "over: ended",
        "paused: paused",
        "planned: not_begun",
        "second: excluded",
        "secret: code_missing",
    ];
    assert_eq!(told(&cart, Told::Shop), all);
    let ordinary = bare(&cart, &terms).promotions;
    assert_eq!(ordinary.outcomes.len(), 1, "the cart itself tells what it told before");
    cart.codes = vec![crate::Code::parse("OLD").unwrap()];
    let typed = told(&cart, Told::Shopper);
    assert_eq!(typed, ["first: applied", "old-secret: ended", "over: ended", "second: excluded"]);
    cart.stage = Stage::Ordered {
        order_id: crate::OrderId::parse("o1").unwrap(),
        quote: Some(Box::default()),
        payment: None,
        state: crate::OrderState::default(),
    };
    assert_eq!(told(&cart, Told::Shop), Vec::<String>::new(), "an order tells what it was placed with");
}
