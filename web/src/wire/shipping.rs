//! The ways to travel as clients see them.

use cart_core::{Cart, MethodId, Offer, Offers, Quote};
use schemars::JsonSchema;
use serde::Serialize;

/// Is the ways to travel, as clients see them.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Shipping")]
pub(super) struct ShippingView<'a> {
    /// Something travels, so that a method is needed.
    needed: bool,
    /// The destination is not known yet, so the shop's home stood in for it.
    estimated: bool,
    pub(super) offered: Vec<OfferView<'a>>,
    pub(super) refused: Vec<RefusedView<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ShippingOffer")]
pub(super) struct OfferView<'a> {
    #[serde(flatten)]
    offer: &'a Offer,
    /// What the cart would come to.
    total_minor: i64,
    /// What of it gift cards would pay.
    #[serde(skip_serializing_if = "Option::is_none")]
    gift_cards_minor: Option<i64>,
    /// What of it the customer's credit would pay.
    #[serde(skip_serializing_if = "Option::is_none")]
    store_credit_minor: Option<i64>,
    /// What they would leave to be paid; not there where they pay nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_minor: Option<i64>,
}

impl<'a> OfferView<'a> {
    pub(super) fn of(cart: &Cart, offer: &'a Offer, total_minor: i64) -> Self {
        let paid = cart_core::gift_card::paid(cart, total_minor);
        Self {
            offer,
            total_minor,
            gift_cards_minor: paid.map(|(cards, _)| cards),
            store_credit_minor: paid.map(|(_, credit)| credit),
            due_minor: paid.map(|(cards, credit)| total_minor - cards - credit),
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ShippingRefusal")]
pub(super) struct RefusedView<'a> {
    #[schemars(with = "MethodId")]
    method: &'a str,
    name: &'a str,
    reason: &'static str,
    detail: String,
}

impl<'a> ShippingView<'a> {
    pub(super) fn of(cart: &Cart, quote: &'a Quote) -> Self {
        let Offers { needed, estimated, offered, refused } = &quote.offers;
        let totals = quote.offered_totals_minor.iter();
        let refused = refused.iter().map(|r| RefusedView {
            method: r.method.as_str(),
            name: &r.name,
            reason: r.why.name(),
            detail: format!("{} {}", r.name, r.why),
        });
        Self {
            needed: *needed,
            estimated: *estimated,
            offered: offered
                .iter()
                .zip(totals)
                .map(|(offer, total)| OfferView::of(cart, offer, *total))
                .collect(),
            refused: refused.collect(),
        }
    }
}
