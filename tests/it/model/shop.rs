//! The shop of the model: a bundle, a download, pieces that may be owed, two locations, one code and some cards.

use std::collections::BTreeMap;

use cart_core::{
    Address, Bundle, Code, Currency, GiftCard, GiftCardId, LocationId, Locations, Money, Part, PricePolicy,
    Product, Sku, StockPolicy, Terms, shipping::Shipping,
};
use web::store::{IssuedCard, ProductSupply, StockAct, StockChange, Store};

/// How long holds last.
pub const HOLD_MS: i64 = 60_000;
/// What express costs.
pub const EXPRESS_MINOR: i64 = 495;
/// Takes a tenth off, so many times in all, and by each customer.
pub const CODE: &str = "TENTH";
pub const CODE_TOTAL: i64 = 40;
pub const CODE_PER_CUSTOMER: i64 = 15;
/// How many sofas may be owed.
pub const OWED_MAX: i64 = 3;
/// The products, all of which cost whole hundreds, so that a tenth is exact.
pub const SKUS: [&str; 7] = ["MUG", "TEE", "VASE", "SOFA", "PDF", "BOX", "KIT"];
pub const CUSTOMERS: [&str; 4] = ["ada", "ben", "cleo", "dan"];
pub const CARDS: [&str; 3] = ["card1", "card2", "card3"];

pub fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

pub fn code(text: &str) -> Code {
    Code::parse(text).unwrap()
}

pub fn gbp() -> Currency {
    Currency::parse("GBP").unwrap()
}

pub fn card(id: &str) -> GiftCard {
    GiftCard { id: GiftCardId::parse(id).unwrap(), last4: "6789".into() }
}

pub fn is_digital(sku: &Sku) -> bool {
    sku.as_str() == "PDF"
}

/// Returns what one piece takes off the shelf: a download nothing, a bundle its parts.
pub fn parts_of(sku: &Sku) -> Vec<(Sku, i64)> {
    let parts: &[(&str, i64)] = match sku.as_str() {
        "PDF" => &[],
        "BOX" => &[("MUG", 2), ("VASE", 1)],
        "KIT" => &[("TEE", 1)],
        plain => return vec![(self::sku(plain), 1)],
    };
    parts.iter().map(|(part, pieces)| (self::sku(part), *pieces)).collect()
}

pub fn product(text: &str, minor: i64) -> Product {
    let bundle = |parts: Vec<Part>| Some(Bundle { parts, off_bp: None });
    let plain = Product {
        category: "things".into(),
        stock_policy: match text {
            "VASE" => StockPolicy::TakeAtOrder,
            "TEE" => StockPolicy::HoldAtCheckout,
            "PDF" => StockPolicy::Untracked,
            _ => StockPolicy::HoldOnAdd,
        },
        backorder_limit: if text == "SOFA" { OWED_MAX as u32 } else { 0 },
        digital: text == "PDF",
        ..Product::new(sku(text), format!("The {text}"), Money::new(minor, gbp()))
    };
    match text {
        "BOX" => {
            Product { bundle: bundle(vec![Part::new(sku("MUG"), 2), Part::new(sku("VASE"), 1)]), ..plain }
        }
        "KIT" => {
            Product { bundle: bundle(vec![Part::new(sku("TEE"), 1), Part::new(sku("PDF"), 1)]), ..plain }
        }
        _ => plain,
    }
}

/// Reports whether pieces of the product itself lie on a shelf.
pub fn is_on_a_shelf(text: &str) -> bool {
    parts_of(&sku(text)) == [(sku(text), 1)]
}

/// Returns the terms of a season, in which the code belongs to a promotion of its own.
pub fn terms(season: u64) -> Terms {
    let promotions = serde_json::json!([{"id": format!("tenth-{season}"), "name": "A tenth", "codes": [CODE],
        "limits": {"total": CODE_TOTAL, "per_customer": CODE_PER_CUSTOMER},
        "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}}]);
    let locations = serde_json::json!({"rule": "fewest_parcels", "locations": [
        {"id": "main", "name": "Leeds"}, {"id": "north", "name": "Wick"}]});
    Terms {
        promotions: serde_json::from_value(promotions).unwrap(),
        locations: serde_json::from_value::<Locations>(locations).unwrap(),
        ..Terms::plain(PricePolicy::Hold, Shipping::standard_and_express(EXPRESS_MINOR).unwrap())
    }
}

pub fn north() -> LocationId {
    LocationId::parse("north").unwrap()
}

pub fn address(city: &str) -> Address {
    Address {
        email: "ada@example.org".into(),
        name: "Ada".into(),
        street: "1 Royal Crescent".into(),
        city: city.into(),
        postcode: "BA1 2LR".into(),
        country: "GB".into(),
        region: String::new(),
    }
}

/// Opens the shop: what is for sale at which price.
pub async fn stock_up(store: &dyn Store, now_ms: i64) -> BTreeMap<Sku, i64> {
    let prices: BTreeMap<Sku, i64> = SKUS.iter().zip(1..).map(|(text, n)| (sku(text), n * 1_000)).collect();
    // Bundles name products that are there.
    for text in SKUS {
        put(store, text, prices[&sku(text)]).await;
    }
    let cards: Vec<IssuedCard> = CARDS.iter().map(|id| issue(id, 5_000, "issue", now_ms)).collect();
    store.issue_gift_cards(&cards).await.unwrap();
    prices
}

/// Lists a product at a price.
pub async fn put(store: &dyn Store, text: &str, minor: i64) {
    let supply = ProductSupply { product: product(text, minor), supplied: None, safety: None };
    store.put_products(&[supply]).await.unwrap();
}

pub fn issue(id: &str, amount_minor: i64, cause: &str, at_ms: i64) -> IssuedCard {
    IssuedCard {
        card: card(id),
        currency: gbp(),
        amount_minor,
        cause: cause.into(),
        expires_at_ms: None,
        note: String::new(),
        at_ms,
    }
}

pub fn adjust(text: &str, location: LocationId, pieces: i64, at_ms: i64) -> StockChange {
    let act = StockAct::Adjust { location, pieces };
    StockChange { sku: sku(text), act, reason: String::new(), by: "model".into(), at_ms, key: None }
}
