//! An order as letters show it.

use cart_core::{Address, Locations, Money, Order, OrderLine, Tender};
use serde::Serialize;

use crate::storefront::pages::{Parcel, Price, address_lines, day, delivery, delivery_notes, parcels, parts};

/// Is an order in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Receipt {
    name: String,
    order_id: String,
    placed_on: String,
    items: u64,
    lines: Vec<Row>,
    /// What leads to the total, in the order of adding up.
    sums: Vec<(String, String)>,
    total: String,
    /// What gift cards and credit paid of it, and what was left to pay; empty where they paid nothing.
    paid: Vec<(String, String)>,
    /// What the letter's news gives back.
    given_back: Option<String>,
    delivery: Option<String>,
    /// What was sent in which parcel, and what is still to come.
    parcels: Vec<Parcel>,
    /// What the shop tells of things bought: name and text.
    delivery_notes: Vec<(String, String)>,
    address_lines: Vec<String>,
    note: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Row {
    name: String,
    /// What a bundle is made of.
    parts: Option<String>,
    properties: Vec<(String, String)>,
    quantity: u32,
    unit_price: String,
    total: String,
    /// A promotion gave it away.
    is_gift: bool,
}

impl Receipt {
    /// Shows an order that goes from locations to an address, and what is given back of it.
    pub fn of(
        order: &Order,
        locations: &Locations,
        address: &Address,
        given_back_minor: Option<i64>,
    ) -> Self {
        let price = |minor| Price::from(Money::new(minor, order.currency)).text;
        let method = |quote: &cart_core::Quote| {
            quote
                .offers
                .offered
                .iter()
                .find(|offer| Some(&offer.method) == order.shipping.as_ref())
                .map(delivery)
        };
        let row = |(at, line): (usize, &OrderLine)| Row {
            name: line.name.clone(),
            parts: parts(&line.parts),
            properties: order.said_of(at),
            quantity: line.quantity,
            unit_price: price(line.unit_price_minor),
            // What promotions take off is one of the sums.
            total: price(i64::from(line.quantity) * line.unit_price_minor),
            is_gift: line.gift_of.is_some(),
        };
        Self {
            name: address.name.clone(),
            order_id: order.order_id.to_string(),
            placed_on: day(order.placed_at_ms),
            items: order.lines.iter().map(|line| u64::from(line.quantity)).sum(),
            lines: order.lines.iter().enumerate().map(row).collect(),
            sums: sums(order).into_iter().map(|(name, minor)| (name.to_owned(), price(minor))).collect(),
            total: price(order.total_minor),
            paid: paid(order).into_iter().map(|(name, minor)| (name, price(minor))).collect(),
            given_back: given_back_minor.map(price),
            delivery: order.quote.as_deref().and_then(method),
            parcels: parcels(order, locations),
            delivery_notes: delivery_notes(order),
            address_lines: address_lines(address),
            note: order.note.clone(),
        }
    }
}

/// Lists what gift cards and credit take off the total, and what they leave.
fn paid(order: &Order) -> Vec<(String, i64)> {
    let name = |tender: &Tender| {
        let card = tender.card.as_ref();
        card.map_or_else(|| "Your credit".to_owned(), |card| format!("Gift card …{}", card.last4))
    };
    let mut paid: Vec<_> = order.tenders().iter().map(|t| (name(t), -t.minor)).collect();
    if !paid.is_empty() {
        paid.push(("Paid otherwise".to_owned(), order.due_minor()));
    }
    paid
}

/// Lists what adds up to the total. What is left out is nothing; tax within the prices comes last and adds nothing.
fn sums(order: &Order) -> Vec<(&'static str, i64)> {
    let Some(totals) = order.quote.as_deref().map(|quote| quote.totals) else {
        return vec![("Shipping", order.shipping_minor)];
    };
    let is_included = totals.tax_added_minor == 0;
    let all = [
        ("Subtotal", totals.subtotal_minor),
        ("Discount", -totals.discount_minor),
        ("Shipping", totals.shipping_minor),
        ("Tax", totals.tax_added_minor),
        ("Tax included", if is_included { totals.tax_minor } else { 0 }),
    ];
    all.into_iter().filter(|(name, minor)| *minor != 0 || matches!(*name, "Subtotal" | "Shipping")).collect()
}
