//! Pricing: a cart of fifty lines with a hundred live promotions, in process.

use std::{collections::BTreeMap, hint::black_box, sync::Arc, time::Instant};

use cart_core::{
    Address, Cart, CartId, Code, Country, Currency, FamilyId, GroupId, Line, MethodId, Money, Occasion,
    PricePolicy, Product, PromotedLine, Promotions, Sku, SpecialPrice, StockPolicy, TaxCategory, Terms,
    VisitorId, Workflow, open, quote, shipping::Shipping,
};
use serde_json::{Value, json};

use crate::figure::{Figure, Format, Target};

const LINES: usize = 50;
const PROMOTIONS: usize = 100;
const ROUNDS: usize = 4_000;
/// Before this time all promotions hold.
const NOW_MS: i64 = 5;

/// Measures the whole quote of a cart, and what of it promotions take: the median over many rounds.
pub fn measure(format: Format) {
    let products: BTreeMap<Sku, Arc<Product>> =
        (0..LINES).map(product).map(|product| (product.sku.clone(), Arc::new(product))).collect();
    let terms = terms();
    let cart = cart(&products);
    let priced = quote(&cart, &products, &terms, NOW_MS);
    let applied = priced.promotions.applied().count();
    assert!(applied > 1, "promotions apply");
    assert!(priced.tax.total.tax_minor > 0 && priced.offers.offered.len() == 2, "it is taxed and travels");
    let whole = median_us(|| quote(black_box(&cart), &products, &terms, NOW_MS));
    let beside =
        format!("{LINES} lines, {PROMOTIONS} live promotions of which {applied} apply, median of {ROUNDS}");
    print(
        "cart.pricing",
        whole,
        Target::AtMost(50.0),
        format!("prices, promotions, shipping offers and tax; {beside}"),
        format,
    );

    let lines: Vec<_> = std::iter::zip(&cart.lines, &priced.lines)
        .map(|(line, quote)| PromotedLine::new(&products[&line.sku], line.quantity, quote.unit_price_minor))
        .collect();
    let occasion = Occasion {
        customer: Some(&cart.owner),
        group: cart.group.as_ref(),
        channel: cart.channel.as_ref(),
        country: Some(Country::parse("GB").expect("a country")),
        codes: &cart.codes,
        ..Occasion::new(NOW_MS, cart.currency)
    };
    let alone = median_us(|| terms.promotions.apply(black_box(&lines), &occasion));
    print("cart.pricing.promotions", alone, Target::None, format!("promotions alone; {beside}"), format);
}

fn print(name: &str, value: f64, target: Target, yardstick: String, format: Format) {
    Figure { name: name.into(), value, unit: "µs", target, yardstick }.print(format);
}

fn median_us<T>(work: impl Fn() -> T) -> f64 {
    let round = |_| {
        let began = Instant::now();
        black_box(work());
        began.elapsed().as_nanos() as u64
    };
    let mut took_ns: Vec<u64> = (0..ROUNDS).map(round).collect();
    took_ns.sort_unstable();
    took_ns[ROUNDS / 2] as f64 / 1_000.0
}

/// Returns a cart on its way to Britain, of a customer with a group, with a code typed.
fn cart(products: &BTreeMap<Sku, Arc<Product>>) -> Cart {
    let id = CartId::parse("cart").expect("a name");
    let owner = VisitorId::parse("ada").expect("a name");
    let opened = open(id, owner, gbp(), Arc::new(Workflow::classic()), vec![]);
    let mut cart = Cart::from_opened(&opened).expect("the event opens a cart");
    cart.group = GroupId::parse("retail").ok();
    cart.channel = "web".parse().ok();
    cart.codes = vec![Code::parse("code-4").expect("a code")];
    cart.shipping = MethodId::parse("express").ok();
    cart.address = Some(Address {
        email: "ada@example.org".into(),
        name: "Ada".into(),
        street: "1 Royal Crescent".into(),
        city: "Bath".into(),
        postcode: "BA1 2LR".into(),
        country: "GB".into(),
        region: String::new(),
    });
    // In the order in which they were added, not in that of their names.
    let line = |n: usize| {
        let product = &products[&sku(n)];
        let (quantity, minor) = (1 + n as u32 % 4, product.price.minor);
        Line::new(product.sku.clone(), product.name.as_str(), quantity, minor, StockPolicy::HoldOnAdd)
    };
    cart.lines = (0..LINES).map(line).collect();
    cart
}

/// Prices are today's, tax is rounded by line at two rates, and there are two ways to travel.
fn terms() -> Terms {
    let live = (0..PROMOTIONS).map(live).collect();
    let promotions: Promotions = serde_json::from_value(live).expect("the promotions make sense");
    let vat = |rate_ppm: u32| json!([{"name": "VAT", "rate_ppm": rate_ppm}]);
    let taxes = json!({"prices_include_tax": true, "home": {"country": "GB"}, "zones": [
        {"name": "Home", "places": [{"countries": ["GB"]}], "rates": {"standard": vat(200_000), "reduced": vat(50_000)}},
        {"name": "Abroad", "places": [{"countries": ["FR", "DE"]}], "rates": {"standard": vat(190_000), "reduced": vat(70_000)}},
    ]});
    Terms {
        promotions,
        taxes: serde_json::from_value(taxes).expect("the taxes make sense"),
        ..Terms::plain(PricePolicy::Follow, Shipping::standard_and_express(495).expect("a good charge"))
    }
}

fn gbp() -> Currency {
    Currency::parse("GBP").expect("a currency")
}

fn product(n: usize) -> Product {
    let price = Money::new(199 + 37 * n as i64, gbp());
    let mut product = Product::new(sku(n), format!("Product {n}"), price);
    product.category = category(n);
    if n.is_multiple_of(4) {
        product.tax_category = TaxCategory::parse("reduced").expect("a name");
    }
    let special = |group: Option<&str>, min_quantity, percent: i64| SpecialPrice {
        minor: price.minor * percent / 100,
        currency: gbp(),
        group: group.map(|group| GroupId::parse(group).expect("a name")),
        min_quantity,
        from_ms: None,
        until_ms: None,
    };
    product.prices = vec![special(None, 3, 95), special(None, 10, 90), special(Some("trade"), 1, 80)];
    product.family = Some(FamilyId::parse(&family(n)).expect("a name"));
    product.attributes.insert("colour".into(), ["red", "blue", "green"][n % 3].into());
    product.attributes.insert("material".into(), ["wool", "wood", "clay", "tin"][n % 4].into());
    product.options.insert("size".into(), ["S", "M", "L"][n % 3].into());
    product
}

fn sku(n: usize) -> Sku {
    Sku::parse(&format!("SKU-{:05}", n * 37 % 100_000)).expect("a name")
}

fn category(n: usize) -> String {
    format!("category-{}", n % 10)
}

fn family(n: usize) -> String {
    format!("family-{}", n % 20)
}

/// Returns the n-th of the live promotions: of every kind, on categories, products or families.
fn live(n: usize) -> Value {
    let of_category = json!({"categories": [category(n)]});
    let on = match n % 3 {
        0 => of_category.clone(),
        1 => json!({"skus": (0..8).map(|k| sku(n * 5 + k * 3).to_string()).collect::<Vec<_>>()}),
        _ => json!({"families": [family(n)], "attributes": {"colour": ["red", "blue"]}}),
    };
    let per = if n % 20 == 3 { "cart" } else { "piece" };
    let benefit = match n % 10 {
        0 | 1 => json!({"kind": "percentage", "on": on, "off_bp": 500 + n}),
        2 => json!({"kind": "percentage", "on": {"all": true}, "off_bp": 300}),
        3 => json!({"kind": "fixed", "on": on, "off_minor": {"GBP": 150, "EUR": 180}, "per": per}),
        4 => json!({"kind": "tiered", "on": on, "tiers": [
            {"from_pieces": 3, "off_bp": 300}, {"from_pieces": 10, "off_bp": 700}]}),
        5 => json!({"kind": "buy_get", "buy": on, "buy_pieces": 2, "get": of_category, "get_pieces": 1}),
        6 => json!({"kind": "cheapest_free", "on": on, "of_pieces": 3}),
        7 => json!({"kind": "bundle_price", "parts": [{"on": on}, {"on": of_category, "pieces": 2}],
            "price_minor": {"GBP": 1500}}),
        8 => json!({"kind": "free_shipping"}),
        _ => json!({"kind": "gift", "sku": "GIFT"}),
    };
    let mut promotion = json!({
        "id": format!("promotion-{n}"), "name": format!("Promotion {n}"), "benefit": benefit,
        "conditions": {"from_ms": 0, "until_ms": 1000},
    });
    // Three of four have something that often fails: as in shops, few apply at once.
    match n % 8 {
        1 => promotion["conditions"]["groups"] = json!(["trade", "staff"]),
        2 => promotion["conditions"]["needs"] = json!([{"min_minor": {"GBP": 5_000_000}}]),
        3 => promotion["conditions"]["countries"] = json!(["FR", "DE"]),
        4 => promotion["codes"] = json!([format!("CODE-{n}")]),
        5 => {
            promotion["conditions"]["needs"] =
                json!([{"of": {"categories": [category(n + 3)]}, "min_pieces": 500}])
        }
        6 => promotion["conditions"]["channels"] = json!(["app"]),
        7 if !matches!(n % 10, 8 | 9) => {
            promotion["stacking"] = json!({"mode": "best_of", "group": format!("g{}", n % 4)});
        }
        _ => {}
    }
    promotion
}
