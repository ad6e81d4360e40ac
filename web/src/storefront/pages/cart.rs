//! The cart on pages, and the order that it becomes.

use cart_core::{
    Address, Cart, Line, LineQuote, Offer, Order, Product, PromotionOutcome, Properties, Quote,
    promotion::Verdict,
};
use serde::Serialize;

use super::{Picture, Price, Shelf, country, link};

/// Is one line of a cart or an order.
#[derive(Clone, Debug, Serialize)]
pub struct CartLine {
    id: String,
    properties: Vec<(String, String)>,
    name: String,
    href: String,
    action: String,
    picture: Picture,
    quantity: u32,
    unit_price: Price,
    /// What the shopper was told, where the price has changed since.
    was: Option<Price>,
    total: Price,
    /// Pieces that the shop no longer holds for the shopper, where it did.
    unheld: u32,
}

impl CartLine {
    fn new(line: &Line, quote: &LineQuote, currency: cart_core::Currency, product: Option<&Product>) -> Self {
        let tracked_hold = line.policy == cart_core::StockPolicy::HoldOnAdd;
        Self {
            id: line.id().to_string(),
            properties: texts(&line.properties),
            name: line.name.clone(),
            href: link::product(line.sku.as_str()),
            action: link::line(&line.id().to_string()),
            picture: product.map_or_else(|| unlisted(line.sku.as_str()), Picture::of),
            quantity: line.quantity,
            unit_price: Price::new(quote.unit_price_minor, currency),
            was: quote.was_minor.map(|minor| Price::new(minor, currency)),
            total: Price::new(quote.total_minor, currency),
            unheld: if tracked_hold { line.quantity.saturating_sub(line.held) } else { 0 },
        }
    }
}

/// Is a line that waits for later.
#[derive(Clone, Debug, Serialize)]
struct SavedLine {
    name: String,
    href: String,
    action: String,
    properties: Vec<(String, String)>,
    quantity: u32,
}

impl SavedLine {
    fn new(line: &cart_core::SavedLine) -> Self {
        Self {
            name: line.name.clone(),
            href: link::product(line.sku.as_str()),
            action: link::line(&line.id().to_string()),
            properties: texts(&line.properties),
            quantity: line.quantity,
        }
    }
}

fn texts(properties: &Properties) -> Vec<(String, String)> {
    properties.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

/// A product that has left the catalogue still has its line.
fn unlisted(sku: &str) -> Picture {
    Picture { src: link::picture(sku), tint: 0, free: false }
}

/// Says what a promotion did, or what it waits for.
#[derive(Clone, Debug, Serialize)]
struct PromotionNote {
    text: String,
    applied: bool,
}

impl PromotionNote {
    fn of(outcome: &PromotionOutcome) -> Self {
        Self { text: outcome.to_string(), applied: matches!(outcome.verdict, Verdict::Applied(_)) }
    }
}

/// Is a cart as pages show it.
#[derive(Clone, Debug, Serialize)]
pub struct CartView {
    version: u64,
    lines: Vec<CartLine>,
    saved: Vec<SavedLine>,
    count: u64,
    subtotal: Price,
    discount: Option<Price>,
    codes: Vec<String>,
    promotions: Vec<PromotionNote>,
    shipping: Price,
    /// The tax that comes on top of the prices, or is taken out of them.
    tax_added: Option<Price>,
    /// The tax within the prices.
    tax_included: Option<Price>,
    tax_is_estimated: bool,
    total: Price,
    hold_minutes: Option<i64>,
    holds_expire_at_ms: Option<i64>,
}

impl CartView {
    /// Shows a cart at a time. `product` finds a line's product, for its picture.
    pub fn of<'a>(
        cart: &Cart,
        quote: &Quote,
        now_ms: i64,
        product: impl Fn(&cart_core::Sku) -> Option<&'a Product>,
    ) -> Self {
        let totals = quote.totals;
        let price = |minor| Price::new(minor, cart.currency);
        let left_ms = cart.holds_expire_at_ms.map(|at| at - now_ms).filter(|left| *left > 0);
        Self {
            version: cart.version,
            lines: cart
                .lines
                .iter()
                .zip(&quote.lines)
                .map(|(l, q)| CartLine::new(l, q, cart.currency, product(&l.sku)))
                .collect(),
            saved: cart.saved.iter().map(SavedLine::new).collect(),
            count: totals.items,
            subtotal: price(totals.subtotal_minor),
            discount: (totals.discount_minor != 0).then(|| price(-totals.discount_minor)),
            codes: cart.codes.iter().map(ToString::to_string).collect(),
            promotions: quote.promotions.outcomes.iter().map(PromotionNote::of).collect(),
            shipping: price(totals.shipping_minor),
            tax_added: (totals.tax_added_minor != 0).then(|| price(totals.tax_added_minor)),
            tax_included: (totals.tax_added_minor == 0 && totals.tax_minor != 0)
                .then(|| price(totals.tax_minor)),
            tax_is_estimated: quote.tax.estimated && quote.tax.zone.is_some(),
            total: price(totals.total_minor),
            hold_minutes: left_ms.map(|left| (left + 59_999) / 60_000),
            holds_expire_at_ms: left_ms.and(cart.holds_expire_at_ms),
        }
    }
}

/// Is the cart page; without a cart, or with an empty one, it says so and shows the shelf.
#[derive(Clone, Debug, Serialize)]
pub struct CartPage {
    /// The cart, where one is open.
    pub cart: Option<CartView>,
    /// What goes with the cart; its heading comes from the shell, as the flag says.
    pub shelf: Shelf,
}

/// Is the thank-you page of an order.
#[derive(Clone, Debug, Serialize)]
pub struct Confirmation {
    order_id: String,
    cart: CartView,
    email: Option<String>,
    address_lines: Vec<String>,
    delivery: Option<String>,
    shelf: Shelf,
}

impl Confirmation {
    /// Shows the order that a cart became. `product` finds a line's product, for its picture.
    pub fn of<'a>(
        cart: &Cart,
        quote: &Quote,
        order: &Order,
        product: impl Fn(&cart_core::Sku) -> Option<&'a Product>,
        shelf: Shelf,
    ) -> Self {
        Self {
            order_id: order.order_id.to_string(),
            cart: CartView {
                hold_minutes: None,
                holds_expire_at_ms: None,
                ..CartView::of(cart, quote, 0, product)
            },
            email: cart.address.as_ref().map(|a| a.email.clone()),
            address_lines: cart.address.as_ref().map(address_lines).unwrap_or_default(),
            delivery: quote.chosen(cart).map(delivery),
            shelf,
        }
    }
}

/// Writes an address as an envelope has it.
pub(super) fn address_lines(address: &Address) -> Vec<String> {
    vec![
        address.name.clone(),
        address.street.clone(),
        format!("{} {}", address.city, address.postcode),
        country::name(&address.country).to_owned(),
    ]
}

/// Says how an order travels: `Standard, 3 to 5 working days`.
pub(super) fn delivery(offer: &Offer) -> String {
    let name = &offer.name;
    match offer.days.map(|days| (days.from, days.to)) {
        None => name.clone(),
        Some((0, 0)) => format!("{name}, today"),
        Some((1, 1)) => format!("{name}, the next working day"),
        Some((from, to)) if from == to => format!("{name}, {from} working days"),
        Some((from, to)) => format!("{name}, {from} to {to} working days"),
    }
}
