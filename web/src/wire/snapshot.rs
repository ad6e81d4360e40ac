//! What a visitor takes away of a cart, and what became of what they bring back.

use std::{borrow::Cow, collections::BTreeMap};

use cart_core::{Code, LineId, Properties, Rejection, Sku};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    CartView,
    reopened::{ReopenedView, views},
};
use crate::restore::outcome::{CodeOutcome, LineOutcome, Reason, Restoration};

/// Is a cart to keep: the sealed text for the shop, and the readable cart to show meanwhile.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Snapshot")]
pub struct SnapshotView<'a> {
    /// What the shop takes back.
    pub snapshot: String,
    /// When it was taken, in Unix milliseconds.
    pub taken_at_ms: i64,
    /// Until when the shop takes it back, in Unix milliseconds.
    pub expires_at_ms: i64,
    /// The cart as of then.
    pub cart: CartView<'a>,
}

/// Is what a visitor brings back.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "KeptSnapshot")]
#[serde(deny_unknown_fields)]
pub struct RestoreForm {
    /// The sealed text.
    pub snapshot: String,
}

/// Is what became of it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Restoration")]
pub struct RestorationView<'a> {
    /// `false` where the shop's own cart is as new, so that nothing was asked of it.
    applied: bool,
    cart: CartView<'a>,
    version: u64,
    lines: Vec<LineOutcomeView<'a>>,
    codes: Vec<CodeOutcomeView<'a>>,
    /// What became of each line of the shop's own cart, where that had expired and was opened again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reopened: Vec<ReopenedView<'a>>,
    /// The cart as it is now, to keep.
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LineOutcome")]
struct LineOutcomeView<'a> {
    #[schemars(with = "LineId")]
    id: String,
    #[schemars(with = "Sku")]
    sku: &'a str,
    #[schemars(with = "Properties")]
    properties: &'a BTreeMap<String, String>,
    #[schemars(extend("enum" = ["kept", "restored", "adjusted", "refused"]))]
    outcome: &'static str,
    /// Pieces in the snapshot.
    wanted: u32,
    /// Pieces in the cart.
    quantity: u32,
    /// The price of one piece in the snapshot.
    was_minor: i64,
    /// The price of one piece in the cart.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_price_minor: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<ReasonView<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CodeOutcome")]
struct CodeOutcomeView<'a> {
    code: &'a Code,
    #[schemars(extend("enum" = ["kept", "restored", "refused"]))]
    outcome: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<ReasonView<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OutcomeReason")]
pub(super) struct ReasonView<'a> {
    reason: &'static str,
    detail: Cow<'a, str>,
}

impl<'a> RestorationView<'a> {
    /// Shapes what became of a snapshot, with a new one.
    pub fn of(restoration: &'a Restoration, snapshot: Option<String>) -> Self {
        let accepted = &restoration.accepted;
        Self {
            applied: restoration.is_applied,
            cart: CartView::of(&accepted.cart, &accepted.quote),
            version: accepted.cart.version,
            lines: restoration.lines.iter().map(LineOutcomeView::from).collect(),
            codes: restoration.codes.iter().map(CodeOutcomeView::from).collect(),
            reopened: views(&accepted.reopened),
            snapshot,
        }
    }
}

impl<'a> From<&'a LineOutcome> for LineOutcomeView<'a> {
    fn from(outcome: &'a LineOutcome) -> Self {
        let line = &outcome.line;
        Self {
            id: line.id().to_string(),
            sku: line.sku.as_str(),
            properties: line.properties.texts(),
            outcome: outcome.fate.name(),
            wanted: line.quantity,
            quantity: outcome.quantity,
            was_minor: line.unit_price_minor,
            unit_price_minor: outcome.unit_price_minor,
            reasons: outcome.reasons.iter().map(ReasonView::from).collect(),
        }
    }
}

impl<'a> From<&'a CodeOutcome> for CodeOutcomeView<'a> {
    fn from(outcome: &'a CodeOutcome) -> Self {
        let reasons = outcome.reason.iter().map(ReasonView::from).collect();
        Self { code: &outcome.code, outcome: outcome.fate.name(), reasons }
    }
}

impl ReasonView<'_> {
    /// Shapes a rejection.
    pub(super) fn of(rejection: &Rejection) -> Self {
        Self { reason: rejection.name(), detail: Cow::Owned(rejection.to_string()) }
    }
}

impl<'a> From<&'a Reason> for ReasonView<'a> {
    fn from(reason: &'a Reason) -> Self {
        Self { reason: reason.name, detail: Cow::Borrowed(&reason.detail) }
    }
}
