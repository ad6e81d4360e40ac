//! Pricing: a cart of fifty lines with a hundred live promotions, in process.

use std::{hint::black_box, time::Instant};

use cart_core::{
    ChannelId, Code, Country, Currency, FamilyId, GroupId, Money, Occasion, Product, PromotedLine,
    Promotions, Sku,
};
use serde_json::{Value, json};

use crate::figure::{Figure, Format, Target};

const LINES: usize = 50;
const PROMOTIONS: usize = 100;
const ROUNDS: usize = 4_000;

/// Measures the median over many rounds.
pub fn measure(format: Format) {
    let products: Vec<_> = (0..LINES).map(product).collect();
    let line = |(n, p)| PromotedLine::new(p, 1 + n as u32 % 4, 199 + 37 * n as i64);
    let lines: Vec<_> = products.iter().enumerate().map(line).collect();
    let live = (0..PROMOTIONS).map(live).collect();
    let promotions: Promotions = serde_json::from_value(live).expect("the promotions make sense");
    let group = GroupId::parse("retail").expect("a name");
    let channel = ChannelId::parse("web").expect("a name");
    let codes = [Code::parse("code-4").expect("a code")];
    let currency = Currency::parse("GBP").expect("a currency");
    let occasion = Occasion {
        group: Some(&group),
        channel: Some(&channel),
        country: Some(Country::parse("GB").expect("a country")),
        codes: &codes,
        ..Occasion::new(5, currency)
    };
    let applied = promotions.apply(&lines, &occasion).applied().count();
    assert!(applied > 1, "promotions apply");
    let round = |_| {
        let began = Instant::now();
        black_box(promotions.apply(black_box(&lines), &occasion));
        began.elapsed().as_nanos() as u64
    };
    let mut took_ns: Vec<u64> = (0..ROUNDS).map(round).collect();
    took_ns.sort_unstable();
    let value = took_ns[ROUNDS / 2] as f64 / 1_000.0;
    let yardstick =
        format!("{LINES} lines, {PROMOTIONS} live promotions of which {applied} apply, median of {ROUNDS}");
    Figure { name: "cart.pricing".into(), value, unit: "µs", target: Target::AtMost(50.0), yardstick }
        .print(format);
}

fn product(n: usize) -> Product {
    let price = Money::new(500, Currency::parse("GBP").expect("a currency"));
    let mut product = Product::new(sku(n), format!("Product {n}"), price);
    product.category = category(n);
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
