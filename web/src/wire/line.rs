//! Lines of carts as clients see them.

use std::collections::BTreeMap;

use cart_core::{
    Cart, Line, LineId, LinePart, LineQuote, PriceReason, PromotionId, Properties, Quote, SavedLine, Sku,
    limits::{LINE_QUANTITY_MAX, PRICE_MINOR_MAX},
};
use schemars::JsonSchema;
use serde::Serialize;

/// Is a line as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Line")]
pub struct LineView<'a> {
    #[schemars(with = "LineId")]
    id: String,
    #[schemars(with = "Sku")]
    sku: &'a str,
    #[schemars(with = "Properties")]
    properties: &'a BTreeMap<String, String>,
    /// What shoppers read for the names of properties, where it is something else.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
    /// The promotion that gives it away; it alone decides about the line. Not there for what the shopper buys.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<PromotionId>")]
    gift_of: Option<&'a str>,
    name: &'a str,
    #[schemars(range(max = LINE_QUANTITY_MAX))]
    quantity: u32,
    #[schemars(range(min = 0, max = PRICE_MINOR_MAX))]
    unit_price_minor: i64,
    /// Why a piece costs that; not there where it is the product's own price.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<ReasonView>,
    /// What the shopper was told, where the price has changed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    was_minor: Option<i64>,
    discount_minor: i64,
    total_minor: i64,
    tax_minor: i64,
    held: u32,
    /// Pieces that ship later.
    #[serde(skip_serializing_if = "is_zero")]
    backordered: u32,
    /// When the first pieces ship, where the product was still to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    ships_from_ms: Option<i64>,
    /// Pieces that went back to the shelf when the time of the hold was over.
    #[serde(skip_serializing_if = "is_zero")]
    released: u32,
    /// It does not travel.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    digital: bool,
    /// What one piece is made of, where it is a bundle.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    parts: &'a [LinePart],
}

/// Says why a piece costs what it costs.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PriceReason")]
pub(super) struct ReasonView {
    /// `listed`, `tier`, `window`, `bundle`, `group`, or `kept`: as it was when the line went into the cart.
    reason: &'static str,
    detail: String,
}

impl From<&PriceReason> for ReasonView {
    fn from(why: &PriceReason) -> Self {
        Self { reason: why.name(), detail: why.to_string() }
    }
}

/// Serde asks for a function of a reference.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
pub(super) fn is_zero(pieces: &u32) -> bool {
    *pieces == 0
}

impl<'a> LineView<'a> {
    /// Shapes a line of a cart with its price; one that is gone has none.
    pub fn of(line: &'a Line, cart: &Cart, quote: &Quote) -> Self {
        let at = cart.lines.iter().position(|l| l.is(&line.id()));
        Self::priced(line, at.and_then(|at| quote.lines.get(at)))
    }

    pub(super) fn priced(line: &'a Line, quote: Option<&LineQuote>) -> Self {
        Self {
            id: line.id().to_string(),
            sku: line.sku.as_str(),
            properties: line.properties.texts(),
            labels: quote.map(|q| q.labels.clone()).unwrap_or_default(),
            gift_of: line.gift_of.as_ref().map(PromotionId::as_str),
            name: &line.name,
            quantity: line.quantity,
            price: quote.and_then(|q| q.why.as_ref()).map(ReasonView::from),
            unit_price_minor: quote.map_or(line.unit_price_minor, |q| q.unit_price_minor),
            was_minor: quote.and_then(|q| q.was_minor),
            discount_minor: quote.map_or(0, |q| q.discount_minor),
            total_minor: quote.map_or(0, |q| q.total_minor),
            tax_minor: quote.map_or(0, |q| q.tax.tax_minor),
            held: line.held,
            backordered: line.backordered,
            ships_from_ms: line.ships_from_ms,
            released: line.released,
            digital: line.digital,
            parts: &line.parts,
        }
    }
}

/// Is a line that waits for later, as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SavedLine")]
pub(super) struct SavedLineView<'a> {
    #[schemars(with = "LineId")]
    id: String,
    #[schemars(with = "Sku")]
    sku: &'a str,
    #[schemars(with = "Properties")]
    properties: &'a BTreeMap<String, String>,
    name: &'a str,
    quantity: u32,
}

impl<'a> From<&'a SavedLine> for SavedLineView<'a> {
    fn from(line: &'a SavedLine) -> Self {
        Self {
            id: line.id().to_string(),
            sku: line.sku.as_str(),
            properties: line.properties.texts(),
            name: &line.name,
            quantity: line.quantity,
        }
    }
}
