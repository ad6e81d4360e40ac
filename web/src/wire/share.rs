//! Links to carts as clients see and write them.

use cart_core::{CartId, Code};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AcceptedView, CartView, PromotionView};
use crate::{
    shares::{SHARE_NAME_BYTES_MAX, SHARE_SECONDS_MAX, Wish, unnamed, unnamed_id},
    store::{CartShare, shares::CART_SHARES_MAX},
};

/// Is the link that something is shared by.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SharedLink")]
pub struct LinkView {
    /// What it is read by: the right itself, told this once.
    pub token: String,
    /// The page for people.
    pub url: String,
}

/// Says what a new link to a cart lets others do.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "NewShare")]
#[serde(default, deny_unknown_fields)]
pub struct ShareForm {
    /// Whether those who have the link may change the cart.
    editable: bool,
    /// What to call it, such as whom it is for.
    #[schemars(length(max = SHARE_NAME_BYTES_MAX))]
    name: String,
    /// After how many seconds it ends; never by itself where nothing is said.
    #[schemars(range(min = 1, max = SHARE_SECONDS_MAX))]
    expires_in_s: Option<u32>,
}

impl From<ShareForm> for Wish {
    fn from(form: ShareForm) -> Self {
        Self { is_editable: form.editable, name: form.name, expires_in_s: form.expires_in_s }
    }
}

/// Is a link to a cart, without its token.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Share")]
pub struct ShareView<'a> {
    id: &'a str,
    #[schemars(with = "CartId")]
    cart: &'a str,
    editable: bool,
    /// What its owner calls it; may be empty.
    name: &'a str,
    created_at_ms: i64,
    /// When it ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at_ms: Option<i64>,
}

impl<'a> From<&'a CartShare> for ShareView<'a> {
    fn from(share: &'a CartShare) -> Self {
        Self {
            id: &share.id,
            cart: share.cart.as_str(),
            editable: share.is_editable,
            name: &share.name,
            created_at_ms: share.created_at_ms,
            ends_at_ms: share.ends_at_ms,
        }
    }
}

/// Is a link that was just made.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MadeShare")]
pub struct MadeShareView<'a> {
    /// The link, as lists show it.
    pub share: ShareView<'a>,
    /// What it is read by: the right itself, told this once.
    pub token: String,
    /// The page for people.
    pub url: String,
}

/// Is the links of a cart.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Shares")]
pub struct SharesView<'a> {
    /// Those that live, the oldest first.
    #[schemars(length(max = CART_SHARES_MAX))]
    pub shares: Vec<ShareView<'a>>,
}

/// Is a cart, for whoever has a link to it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SharedCart")]
pub struct SharedCartView<'a> {
    /// Whether the link lets it be changed.
    pub editable: bool,
    /// When the link ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at_ms: Option<i64>,
    /// The cart, without what is between its owner and the shop.
    pub cart: CartView<'a>,
}

impl CartView<'_> {
    /// Leaves out what is between the owner and the shop: what is kept for later, the note, how far the checkout is,
    /// where it goes and what pays for it. Codes are shown to those who may change them, and to nobody else by the name
    /// of a promotion.
    #[must_use]
    pub fn shared(mut self, is_editable: bool) -> Self {
        if !is_editable {
            let codes = std::mem::take(&mut self.codes);
            self.unknown_codes = &[];
            self.promotions.iter_mut().for_each(|promotion| promotion.hide(codes));
        }
        self.totals.gift_cards_minor = 0;
        self.totals.store_credit_minor = 0;
        self.totals.due_minor = None;
        self.shipping.offered.clear();
        self.shipping.refused.clear();
        self.tax.rates = &[];
        Self {
            saved: vec![],
            gift_cards: vec![],
            uses_store_credit: false,
            note: "",
            completed_steps: &[],
            next_step: None,
            payment: None,
            shipping_method: None,
            order_id: None,
            merged_into: None,
            ..self
        }
    }
}

impl PromotionView<'_> {
    /// Leaves out by which code it was got.
    fn hide(&mut self, codes: &[Code]) {
        self.code = None;
        self.id = unnamed_id(self.id, codes);
        (self.name, self.detail) = unnamed(self.name, std::mem::take(&mut self.detail), codes);
    }
}

impl AcceptedView<'_> {
    /// As [`CartView::shared`].
    #[must_use]
    pub fn shared(self, is_editable: bool) -> Self {
        Self { cart: self.cart.shared(is_editable), order: None, snapshot: None, ..self }
    }
}
