//! What became of lines that were put into a cart, as clients see it.

use std::collections::BTreeMap;

use cart_core::{CartId, LineId, Properties, Sku};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    CartView,
    reopened::{ReopenedView, views},
    snapshot::ReasonView,
};
use crate::{
    filling::{Filled, Put},
    restore::outcome::Fate,
};

/// Says into which cart something goes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "IntoCart")]
#[serde(default, deny_unknown_fields)]
pub struct IntoForm {
    /// The cart; the visitor's newest that is not an order where none is named, and a new one where there is none.
    #[schemars(with = "Option<CartId>")]
    pub cart: Option<String>,
}

/// Is a cart that was filled.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FilledCart")]
pub struct FilledView<'a> {
    cart: CartView<'a>,
    version: u64,
    lines: Vec<PutView<'a>>,
    /// What became of each line of the cart, where it had expired and was opened again for this.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reopened: Vec<ReopenedView<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PutLine")]
struct PutView<'a> {
    #[schemars(with = "LineId")]
    id: String,
    #[schemars(with = "Sku")]
    sku: &'a str,
    #[schemars(with = "Properties")]
    properties: &'a BTreeMap<String, String>,
    name: &'a str,
    /// `added`: as it was; `adjusted`: with fewer pieces or at another price; `refused`: not at all.
    #[schemars(extend("enum" = ["added", "adjusted", "refused"]))]
    outcome: &'static str,
    /// Pieces that were to be added.
    wanted: u32,
    /// Pieces that were.
    added: u32,
    /// What one piece cost before.
    #[serde(skip_serializing_if = "Option::is_none")]
    was_minor: Option<i64>,
    /// What one piece costs in the cart.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_price_minor: Option<i64>,
    /// Why it is not as it was: a rejection's name, `dearer` or `cheaper`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<ReasonView<'a>>,
}

impl<'a> From<&'a Filled> for FilledView<'a> {
    fn from(filled: &'a Filled) -> Self {
        let accepted = &filled.accepted;
        Self {
            cart: CartView::of(&accepted.cart, &accepted.quote),
            version: accepted.cart.version,
            lines: filled.lines.iter().map(PutView::from).collect(),
            reopened: views(&accepted.reopened),
        }
    }
}

impl<'a> From<&'a Put> for PutView<'a> {
    fn from(put: &'a Put) -> Self {
        let wanted = &put.wanted;
        Self {
            id: wanted.id().to_string(),
            sku: wanted.sku.as_str(),
            properties: wanted.properties.texts(),
            name: &wanted.name,
            outcome: match put.fate() {
                Fate::Restored | Fate::Kept => "added",
                changed => changed.name(),
            },
            wanted: wanted.quantity,
            added: put.added,
            was_minor: wanted.was_minor,
            unit_price_minor: put.unit_price_minor,
            reasons: put.reasons.iter().map(ReasonView::from).collect(),
        }
    }
}
