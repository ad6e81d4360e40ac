//! Orders as clients see them.

use std::collections::BTreeMap;

use cart_core::{
    CartId, Currency, LineId, LinePart, MethodId, Order, OrderId, OrderStatus, Parcel, Pick, PromotionId,
    Properties, Refund, Sku, Waiting,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::line::{ReasonView, is_zero};

/// Is an order as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Order")]
pub struct OrderView<'a> {
    #[schemars(with = "OrderId")]
    id: &'a str,
    #[schemars(with = "CartId")]
    cart: &'a str,
    placed_at_ms: i64,
    /// `placed`, `fulfilled` once all of it was sent off, or `cancelled`.
    #[schemars(extend("enum" = OrderStatus::NAMES))]
    status: &'static str,
    /// `paid`, `partially_refunded` or `refunded`.
    #[schemars(extend("enum" = ["paid", "partially_refunded", "refunded"]))]
    payment_status: &'static str,
    #[schemars(with = "Currency")]
    currency: &'a str,
    lines: Vec<OrderLineView<'a>>,
    note: &'a str,
    #[schemars(with = "Option<MethodId>")]
    shipping_method: Option<&'a str>,
    shipping_minor: i64,
    tax_minor: i64,
    total_minor: i64,
    /// What was given back of it, the oldest first.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    refunds: &'a [Refund],
    /// What was sent of it, the oldest first.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    parcels: &'a [Parcel],
    /// What waits to be sent, and where.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    to_send: Vec<Waiting>,
    /// What of the total gift cards and credit have paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    prepaid_minor: Option<i64>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OrderLine")]
struct OrderLineView<'a> {
    /// Names the line in refunds.
    #[schemars(with = "LineId")]
    id: String,
    #[schemars(with = "Sku")]
    sku: &'a str,
    #[schemars(with = "Properties")]
    properties: &'a BTreeMap<String, String>,
    /// What shoppers read for the names of properties, where it is something else.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
    /// The promotion that gave it away; not there for what was bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<PromotionId>")]
    gift_of: Option<&'a str>,
    name: &'a str,
    quantity: u32,
    unit_price_minor: i64,
    /// Why a piece cost that; not there where it was the product's own price.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<ReasonView>,
    discount_minor: i64,
    #[serde(skip_serializing_if = "is_zero")]
    backordered: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    ships_from_ms: Option<i64>,
    /// What whoever bought it is told: where it is to be had, its licence.
    #[serde(skip_serializing_if = "str::is_empty")]
    delivery_note: &'a str,
    /// What one piece is made of, where it is a bundle.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    parts: &'a [LinePart],
    /// What each location sends of it, where that is not the main one alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sent_from: Vec<Pick>,
}

impl<'a> From<&'a Order> for OrderView<'a> {
    fn from(order: &'a Order) -> Self {
        let is_cancelled = matches!(order.state.status, OrderStatus::Cancelled { .. });
        let quoted = |at: usize| order.quote.as_ref().and_then(|quote| quote.lines.get(at));
        let lines = order.lines.iter().enumerate().map(|(at, l)| OrderLineView {
            id: l.id().to_string(),
            sku: l.sku.as_str(),
            properties: l.properties.texts(),
            labels: quoted(at).map(|quote| quote.labels.clone()).unwrap_or_default(),
            price: quoted(at).and_then(|quote| quote.why.as_ref()).map(ReasonView::from),
            gift_of: l.gift_of.as_ref().map(PromotionId::as_str),
            name: &l.name,
            quantity: l.quantity,
            unit_price_minor: l.unit_price_minor,
            discount_minor: l.discount_minor,
            backordered: l.backordered,
            ships_from_ms: l.ships_from_ms,
            parts: &l.parts,
            sent_from: l.sent_from(),
            delivery_note: if is_cancelled { "" } else { &l.delivery_note },
        });
        Self {
            id: order.order_id.as_str(),
            cart: order.cart.as_str(),
            placed_at_ms: order.placed_at_ms,
            status: order.state.status.name(),
            payment_status: order.payment_status(),
            currency: order.currency.code(),
            lines: lines.collect(),
            note: &order.note,
            shipping_method: order.shipping.as_ref().map(|method| method.as_str()),
            shipping_minor: order.shipping_minor,
            tax_minor: order.quote.as_ref().map_or(0, |quote| quote.totals.tax_minor),
            total_minor: order.total_minor,
            refunds: &order.state.refunds,
            parcels: &order.state.parcels,
            to_send: order.waiting(),
            prepaid_minor: order
                .quote
                .as_ref()
                .filter(|quote| !quote.tenders.is_empty())
                .map(|quote| quote.totals.gift_cards_minor + quote.totals.store_credit_minor),
        }
    }
}
