//! The shop of the model: bundles, a download, pieces that may be owed, things that are sold by twos or to nobody more than
//! some, two locations, some codes and cards, groups of customers and channels.

use cart_core::{
    Address, Bundle, ChannelId, Code, Currency, GiftCard, GiftCardId, GroupId, LocationId, Money, Part,
    Preorder, Product, QuantityLimits, Sku, StockPolicy, TaxCategory, VisitorId,
};
use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};
use web::store::{IssuedCard, ProductSupply, StockAct, StockChange, Store};

use super::price::{self, Prices};

/// How long holds last.
pub const HOLD_MS: i64 = 60_000;
/// The codes that promotions may ask for.
pub const CODES: [&str; 3] = ["TENTH", "GIFT", "SPRING"];
/// The ways to travel.
pub const METHODS: [&str; 2] = ["standard", "express"];
/// The groups that customers may belong to, and how carts are filled.
pub const GROUPS: [&str; 2] = ["trade", "staff"];
pub const CHANNELS: [&str; 2] = ["app", "kiosk"];
/// How many sofas may be owed, and lamps before they are released and after.
const SOFAS_OWED_MAX: i64 = 3;
const LAMPS_COMING_MAX: i64 = 4;
const LAMPS_OWED_MAX: i64 = 1;
/// The products.
pub const SKUS: [&str; 9] = ["MUG", "TEE", "VASE", "SOFA", "LAMP", "PDF", "BOX", "KIT", GIVEN];
/// What is not for sale, only given.
pub const GIVEN: &str = "TIN";
pub const CUSTOMERS: [&str; 4] = ["ada", "ben", "cleo", "dan"];
/// The shelves of the catalogue.
pub const CATEGORIES: [&str; 2] = ["soft", "hard"];
/// The currencies, of two, no, three and two decimals.
pub const CURRENCIES: [&str; 4] = ["GBP", "JPY", "KWD", "EUR"];
/// The gift cards, each with its currency.
pub const CARDS: [(&str, &str); 5] =
    [("card1", "GBP"), ("card2", "GBP"), ("card3", "JPY"), ("card4", "KWD"), ("card5", "EUR")];

pub fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

pub fn code(text: &str) -> Code {
    Code::parse(text).unwrap()
}

pub fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

pub fn group(text: &str) -> GroupId {
    GroupId::parse(text).unwrap()
}

pub fn channel(text: &str) -> ChannelId {
    ChannelId::parse(text).unwrap()
}

/// Draws a group, or none.
pub fn some_group(rng: &mut StdRng) -> Option<GroupId> {
    GROUPS.choose(rng).filter(|_| rng.random_bool(0.6)).map(|text| group(text))
}

/// Names the shelf of the catalogue where a product stands.
pub fn category(text: &str) -> &'static str {
    if ["TEE", "SOFA", "KIT"].contains(&text) { CATEGORIES[0] } else { CATEGORIES[1] }
}

/// Returns what is taken off the prices of its parts, where a bundle has no price of its own.
pub fn off_parts_bp(sku: &Sku) -> Option<i64> {
    (sku.as_str() == "BOX").then_some(775)
}

/// Reports whether a product has a price in a currency: nobody sells sofas for yen.
pub fn is_priced(sku: &Sku, currency: Currency) -> bool {
    (sku.as_str(), currency.code()) != ("SOFA", "JPY")
}

/// Returns the currency of a gift card.
pub fn currency_of(card: &GiftCardId) -> Currency {
    let (_, code) = CARDS.iter().find(|(id, _)| *id == card.as_str()).expect("a known card");
    currency(code)
}

pub fn card(id: &str) -> GiftCard {
    GiftCard { id: GiftCardId::parse(id).unwrap(), last4: "6789".into() }
}

pub fn is_digital(sku: &Sku) -> bool {
    sku.as_str() == "PDF"
}

/// Reports whether it falls under the lower rate of tax.
pub fn is_reduced(sku: &Sku) -> bool {
    ["MUG", "PDF"].contains(&sku.as_str())
}

/// Returns what one piece is made of: itself, or the parts of a bundle.
pub fn made_of(sku: &Sku) -> Vec<(Sku, i64)> {
    let parts: &[(&str, i64)] = match sku.as_str() {
        "BOX" => &[("MUG", 2), ("VASE", 1)],
        "KIT" => &[("TEE", 1), ("PDF", 1)],
        plain => &[(plain, 1)],
    };
    parts.iter().map(|(part, pieces)| (self::sku(part), *pieces)).collect()
}

/// Returns what one piece takes off the shelf: a download nothing.
pub fn parts_of(sku: &Sku) -> Vec<(Sku, i64)> {
    made_of(sku).into_iter().filter(|(part, _)| !is_digital(part)).collect()
}

/// Says how many pieces may be bought: of a line at least, in multiples of, by an order at most, by a customer ever.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub min: i64,
    pub step: i64,
    pub order_max: i64,
    pub customer_max: i64,
}

pub fn limits(sku: &Sku) -> Limits {
    let free = Limits { min: 1, step: 1, order_max: i64::MAX, customer_max: i64::MAX };
    match sku.as_str() {
        "TEE" => Limits { min: 2, step: 2, ..free },
        "VASE" => Limits { order_max: 6, ..free },
        "PDF" => Limits { customer_max: 7, ..free },
        "KIT" => Limits { min: 2, order_max: 9, customer_max: 12, ..free },
        _ => free,
    }
}

/// Says how many pieces of a product may be owed at a time, where lamps are released then.
pub fn owed_max(sku: &Sku, now_ms: i64, lamps_from_ms: i64) -> i64 {
    match sku.as_str() {
        "SOFA" => SOFAS_OWED_MAX,
        "LAMP" if now_ms < lamps_from_ms => LAMPS_COMING_MAX,
        "LAMP" => LAMPS_OWED_MAX,
        _ => 0,
    }
}

/// Says how many pieces may be owed at any time.
pub fn owed_max_ever(sku: &Sku) -> i64 {
    owed_max(sku, 0, 1)
}

pub fn product(text: &str, prices: &Prices, lamps_from_ms: i64) -> Product {
    let Limits { min, step, order_max, customer_max } = limits(&sku(text));
    let most = |pieces: i64| u32::try_from(pieces).ok();
    let parts = made_of(&sku(text));
    let part = |(sku, pieces): &(Sku, i64)| Part::new(sku.clone(), *pieces as u32);
    Product {
        category: category(text).into(),
        stock_policy: match text {
            "VASE" => StockPolicy::TakeAtOrder,
            "TEE" => StockPolicy::HoldAtCheckout,
            "PDF" => StockPolicy::Untracked,
            _ => StockPolicy::HoldOnAdd,
        },
        backorder_limit: owed_max(&sku(text), 1, 0) as u32,
        preorder: (text == "LAMP")
            .then_some(Preorder { releases_at_ms: lamps_from_ms, limit: LAMPS_COMING_MAX as u32 }),
        hidden: text == GIVEN,
        digital: text == "PDF",
        tax_category: TaxCategory::parse(if is_reduced(&sku(text)) { "reduced" } else { "standard" })
            .unwrap(),
        limits: QuantityLimits {
            min: min as u32,
            max: most(order_max),
            max_per_line: None,
            step: step as u32,
            per_customer: most(customer_max),
        },
        prices: prices.special(&sku(text)),
        bundle: (parts[0].0.as_str() != text).then(|| Bundle {
            parts: parts.iter().map(part).collect(),
            off_bp: off_parts_bp(&sku(text)).map(|bp| bp as u32),
        }),
        ..Product::new(
            sku(text),
            format!("The {text}"),
            Money::new(prices.own_minor(&sku(text)), currency(CURRENCIES[0])),
        )
    }
}

/// Reports whether pieces of the product itself lie on a shelf.
pub fn is_on_a_shelf(text: &str) -> bool {
    parts_of(&sku(text)) == [(sku(text), 1)]
}

/// Names the customers of a season: who has bought all that one may makes room for others.
pub fn customer(rng: &mut StdRng, season: u64) -> VisitorId {
    VisitorId::parse(&format!("{}-{season}", CUSTOMERS.choose(rng).expect("some"))).unwrap()
}

pub fn north() -> LocationId {
    LocationId::parse("north").unwrap()
}

/// The places where things go to, with their countries; in the last nothing is taxed.
pub const PLACES: [(&str, &str); 4] = [("Bath", "GB"), ("Wick", "GB"), ("Toronto", "CA"), ("Boston", "US")];

pub fn address((city, country): (&str, &str)) -> Address {
    Address {
        email: "ada@example.org".into(),
        name: "Ada".into(),
        street: "1 Royal Crescent".into(),
        city: city.into(),
        postcode: "BA1 2LR".into(),
        country: country.into(),
        region: String::new(),
    }
}

/// Opens the shop: what is for sale at which price.
pub async fn stock_up(store: &dyn Store, rng: &mut StdRng, now_ms: i64) -> Prices {
    let prices = price::first(rng, now_ms);
    // Bundles name products that are there.
    for text in SKUS {
        put(store, text, &prices, now_ms).await;
    }
    let cards: Vec<IssuedCard> = CARDS.iter().map(|(id, _)| issue(id, 5_000, "issue", now_ms)).collect();
    store.issue_gift_cards(&cards).await.unwrap();
    prices
}

/// Lists a product at its prices.
pub async fn put(store: &dyn Store, text: &str, prices: &Prices, lamps_from_ms: i64) {
    let supply =
        ProductSupply { product: product(text, prices, lamps_from_ms), supplied: None, safety: None };
    store.put_products(&[supply]).await.unwrap();
}

pub fn issue(id: &str, amount_minor: i64, cause: &str, at_ms: i64) -> IssuedCard {
    IssuedCard {
        currency: currency_of(&card(id).id),
        card: card(id),
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
