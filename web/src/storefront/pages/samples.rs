//! A model of every page in its states, from the demo's catalogue: what tests render and eyes check.

mod all;
mod page;

use std::sync::Arc;

use cart_core::{
    Address, AttemptState, Balances, Cart, CartId, CartLayout, Currency, FieldError, GiftCard, GiftCardId,
    Lapse, Line, LocationId, Locations, Money, OnOffer, Order, OrderId, OrderLine, OrderState,
    PaymentAttempt, PaymentId, Posting, PricePolicy, Product, PromotionId, Properties, Quote, SavedLine,
    Shipping, Sku, Stage, Step, Terms, Tracking, VisitorId, Workflow, gift_card,
};

use super::*;
use crate::{
    catalogue::Catalogue,
    config::SessionMode,
    history::Remembered,
    search::{Ask, Matches, Sight, find, terms, words::words},
    store::{Because, CartShare, CatalogueSnapshot, PostingWrite, StockRequest, UserSession},
    trails::{self, Act},
    users::principals::Login,
};

pub use all::all;
pub use page::share;

pub const NOW_MS: i64 = 1_764_000_000_000;
const SHIPPING_MINOR: i64 = 495;

pub struct Row {
    pub product: Product,
    pub stock: i64,
}

/// Reads the demo's catalogue.
pub fn catalogue() -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(&include_bytes!("../../../demo/catalogue.csv")[..]);
    reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            let number = |at: usize| record[at].parse::<i64>().unwrap();
            let price = Money::new(number(4), Currency::parse(&record[5]).unwrap());
            let product = Product {
                description: record[2].into(),
                category: record[3].into(),
                image: (!record[7].is_empty()).then(|| record[7].into()),
                ..Product::new(Sku::parse(&record[0]).unwrap(), &record[1], price)
            };
            Row { product, stock: number(6) }
        })
        .collect()
}

fn gbp() -> Currency {
    Currency::parse("GBP").unwrap()
}

pub fn shell(rows: &[Row]) -> Shell {
    let mut names: Vec<String> = vec![];
    for row in rows {
        if !names.contains(&row.product.category) {
            names.push(row.product.category.clone());
        }
    }
    Shell::new("Cartwright & Daughters", gbp()).with_categories(names)
}

fn express_shell(rows: &[Row]) -> Shell {
    let mut shell = with_cart(rows);
    shell.cart_layout = CartLayout::Drawer;
    shell
}

fn with_cart(rows: &[Row]) -> Shell {
    let mut shell = shell(rows);
    shell.cart_id = CartId::parse("c1").ok();
    shell.cart_version = Some(3);
    let visitor = VisitorId::parse("v1").ok();
    shell.keeps = Some(Keeps { mode: SessionMode::Hybrid, visitor, key_hours: 24 });
    shell.cart_count = 4;
    shell
}

pub fn cards(rows: &[Row], skus: &[&str]) -> Vec<Card> {
    let row = |sku: &&str| rows.iter().find(|r| r.product.sku.as_str() == *sku).unwrap();
    skus.iter().map(row).map(|r| Card::of(&r.product, on_offer(r.stock), NOW_MS)).collect()
}

pub fn on_offer(pieces: i64) -> Option<OnOffer> {
    Some(OnOffer { there: pieces, all: pieces })
}

pub fn cart(rows: &[Row], workflow: Workflow) -> Cart {
    let line = |sku: &str, quantity, held| {
        let product = &rows.iter().find(|r| r.product.sku.as_str() == sku).unwrap().product;
        let (sku, name) = (product.sku.clone(), product.name.clone());
        Line { held, ..Line::new(sku, name, quantity, product.price.minor, product.stock_policy) }
    };
    let gift = |id: &str| PromotionId::parse(id).unwrap();
    let engraving = Properties::parse([("Engraving".to_owned(), "Ada & Charles".to_owned())].into()).unwrap();
    let Line { sku, name, properties, .. } = line("JAM-RASPBERRY", 3, 0);
    let saved = SavedLine { sku, properties, name, quantity: 3 };
    Cart {
        id: CartId::parse("c1").unwrap(),
        owner: VisitorId::parse("v1").unwrap(),
        unit: None,
        group: None,
        channel: None,
        version: 7,
        currency: gbp(),
        workflow: Arc::new(workflow),
        assignments: vec![],
        stage: Stage::Open,
        lines: vec![
            line("TEAPOT-BROWN", 1, 1),
            Line { properties: engraving, ..line("MUG-COBALT", 2, 2) },
            Line { released: 1, ..line("BISCUITS-OAT", 1, 0) },
            Line { gift_of: Some(gift("matches")), unit_price_minor: 0, ..line("MATCHES-LONG", 2, 2) },
        ],
        saved: vec![saved],
        gifts_declined: vec![gift("honey")],
        gifts_out_of_stock: vec![],
        gift_cards: vec![],
        uses_credit: false,
        known: Balances::default(),
        codes: vec!["SUMMER".parse().unwrap()],
        note: String::new(),
        contact: None,
        address: None,
        shipping: None,
        payments: 0,
        payment_tasks: vec![],
        payment_failure: None,
        lapse: None,
        holds_expire_at_ms: Some(NOW_MS + 1_100_000),
    }
}

fn address() -> Address {
    Address {
        email: "ada@example.org".into(),
        name: "Ada Byron".into(),
        street: "12 St James’s Square".into(),
        city: "London".into(),
        postcode: "SW1Y 4JH".into(),
        country: "GB".into(),
        region: String::new(),
    }
}

/// Says what a sample costs: at the prices in it, with express shipping at a charge.
pub fn quote(cart: &Cart) -> Quote {
    let shipping = Shipping::standard_and_express(SHIPPING_MINOR).unwrap();
    let promotions = r#"[
        {"id": "summer", "name": "Summer sale", "codes": ["SUMMER"],
         "benefit": {"kind": "percentage", "on": {"categories": ["Larder"]}, "off_bp": 1000}},
        {"id": "post", "name": "Free delivery", "conditions": {"needs": [{"min_minor": {"GBP": 7500}}]},
         "benefit": {"kind": "free_shipping"}},
        {"id": "matches", "name": "Matches for the stove", "benefit": {"kind": "gift", "sku": "MATCHES-LONG", "pieces": 2}},
        {"id": "honey", "name": "A jar of honey", "benefit": {"kind": "gift", "sku": "HONEY-HEATHER"}}
    ]"#;
    let promotions = serde_json::from_str(promotions).unwrap();
    let terms = Terms { promotions, ..Terms::plain(PricePolicy::Hold, shipping) };
    let rows = catalogue();
    let gifts =
        rows.iter().filter(|row| ["MATCHES-LONG", "HONEY-HEATHER"].contains(&row.product.sku.as_str()));
    let gifts: std::collections::BTreeMap<Sku, &Product> =
        gifts.map(|row| (row.product.sku.clone(), &row.product)).collect();
    cart_core::quote(cart, &gifts, &terms, NOW_MS)
}

pub fn view(cart: &Cart, rows: &[Row]) -> CartView {
    CartView::of(cart, &quote(cart), NOW_MS, |sku| rows.iter().map(|r| &r.product).find(|p| p.sku == *sku))
}
