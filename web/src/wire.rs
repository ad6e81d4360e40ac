//! The JSON that the API and the channel speak: what goes out is shaped here, what comes in is parsed in
//! [`command`].

pub mod command;
pub mod filling;
mod line;
pub mod list;
pub mod object;
mod order;
pub mod product;
pub mod reopened;
pub mod shape;
pub mod share;
mod shipping;
pub mod snapshot;

use cart_core::{
    AttemptState, Cart, CartId, ChannelId, Code, Currency, GiftCard, GiftCardId, GroupId, MethodId, OrderId,
    PaymentAttempt, PaymentId, PromotionId, PromotionOutcome, Quote, Stage, Step, Totals, Workflow,
    limits::{
        CART_CODES_MAX, CART_GIFT_CARDS_MAX, CART_LINES_MAX, NOTE_BYTES_MAX, PROMOTION_GIFTS_MAX,
        PROMOTIONS_MAX, SAVED_LINES_MAX,
    },
    promotion::Verdict,
    tax::RateShare,
};
use schemars::JsonSchema;
use serde::Serialize;

pub use command::{
    CommandForm, Parsed, UpdateForm, code_of, line_of, note_of, promotion_of, properties_of, sku_of, typed_of,
};
pub use line::LineView;
pub use object::Object;
pub use order::OrderView;
pub use product::{FoundView, ProductDetailView, ProductView};
pub use shape::{read, read_value};

use self::{line::SavedLineView, reopened::ReopenedView, shipping::ShippingView};
use crate::store::Accepted;

/// Is a cart as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Cart")]
pub struct CartView<'a> {
    #[schemars(with = "CartId")]
    id: &'a str,
    version: u64,
    #[schemars(extend("enum" = ["open", "checkout", "ordered", "merged", "expired"]))]
    status: &'static str,
    #[schemars(with = "Currency")]
    currency: &'a str,
    /// The channel that the cart was opened through, where that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ChannelId>")]
    channel: Option<&'a str>,
    /// The group of customers that the owner belongs to, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<GroupId>")]
    customer_group: Option<&'a str>,
    workflow: &'a Workflow,
    /// What is bought, then what promotions give away.
    #[schemars(length(max = CART_LINES_MAX + PROMOTION_GIFTS_MAX))]
    lines: Vec<LineView<'a>>,
    #[schemars(length(max = SAVED_LINES_MAX))]
    saved: Vec<SavedLineView<'a>>,
    #[schemars(length(max = CART_CODES_MAX))]
    codes: &'a [Code],
    /// Those of them that no promotion knows any more.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schemars(length(max = CART_CODES_MAX))]
    unknown_codes: &'a [Code],
    promotions: Vec<PromotionView<'a>>,
    /// The gift cards that are to pay, in that order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = CART_GIFT_CARDS_MAX))]
    gift_cards: Vec<GiftCardView<'a>>,
    /// The customer's credit is to pay; not there where it is not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    uses_store_credit: bool,
    #[schemars(length(max = NOTE_BYTES_MAX))]
    note: &'a str,
    completed_steps: &'a [Step],
    next_step: Option<Step>,
    /// The payment that is under way, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<PaymentView<'a>>,
    #[schemars(with = "Option<MethodId>")]
    shipping_method: Option<&'a str>,
    shipping: ShippingView<'a>,
    totals: Totals,
    tax: TaxView<'a>,
    holds_expire_at_ms: Option<i64>,
    #[schemars(with = "Option<OrderId>")]
    order_id: Option<&'a str>,
    /// The cart to go on with, where this one went into another.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<CartId>")]
    merged_into: Option<&'a str>,
}

/// Says of each promotion whether it applied to a cart, and why not.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Explanation")]
pub struct ExplanationView<'a> {
    #[schemars(with = "CartId")]
    cart: &'a str,
    /// The version of the cart that was looked at.
    version: u64,
    #[schemars(length(max = PROMOTIONS_MAX))]
    promotions: Vec<PromotionView<'a>>,
}

impl<'a> ExplanationView<'a> {
    /// Shapes what became of promotions.
    pub fn of(cart: &'a Cart, outcomes: &'a [PromotionOutcome]) -> Self {
        let promotions = outcomes.iter().map(PromotionView::of).collect();
        Self { cart: cart.id.as_str(), version: cart.version, promotions }
    }
}

/// Says what a promotion did to a cart, or why not.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Promotion")]
struct PromotionView<'a> {
    #[schemars(with = "PromotionId")]
    id: &'a str,
    name: &'a str,
    applied: bool,
    /// What it takes off the lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    off_minor: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a Code>,
    /// Why it does not apply: a stable name.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// A sentence for the shopper.
    detail: String,
}

impl<'a> PromotionView<'a> {
    fn of(outcome: &'a PromotionOutcome) -> Self {
        let (applied, reason) = match &outcome.verdict {
            Verdict::Applied(applied) => (Some(applied), None),
            Verdict::NotApplied(why) => (None, Some(why.name())),
        };
        Self {
            id: outcome.promotion.as_str(),
            name: &outcome.name,
            applied: applied.is_some(),
            off_minor: applied.map(|a| a.off.minor),
            code: applied.and_then(|a| a.code.as_ref()),
            reason,
            detail: outcome.to_string(),
        }
    }
}

/// Is a payment that is under way, as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Payment")]
struct PaymentView<'a> {
    #[schemars(with = "PaymentId")]
    id: &'a str,
    amount_minor: i64,
    /// `begun`: the provider's answer is awaited; `challenged`: the shopper is to confirm it at `url`.
    #[schemars(extend("enum" = ["begun", "challenged"]))]
    status: &'static str,
    /// Where the shopper confirms it; relative to the shop's own address.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
}

impl<'a> From<&'a PaymentAttempt> for PaymentView<'a> {
    fn from(attempt: &'a PaymentAttempt) -> Self {
        let (status, url) = match &attempt.state {
            AttemptState::Begun => ("begun", None),
            AttemptState::Challenged { url } => ("challenged", Some(url.as_str())),
        };
        Self { id: attempt.id.as_str(), amount_minor: attempt.amount_minor, status, url }
    }
}

/// Is a gift card as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "GiftCard")]
struct GiftCardView<'a> {
    #[schemars(with = "GiftCardId")]
    id: &'a str,
    /// The end of its code.
    last4: &'a str,
    /// What it pays.
    pays_minor: i64,
}

impl<'a> GiftCardView<'a> {
    fn of(card: &'a GiftCard, quote: &Quote) -> Self {
        let tender = quote.tenders.iter().find(|tender| tender.card.as_ref() == Some(card));
        Self { id: card.id.as_str(), last4: &card.last4, pays_minor: tender.map_or(0, |tender| tender.minor) }
    }
}

/// Is what of a cart is tax, as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Tax")]
struct TaxView<'a> {
    /// The destination is not known yet, so the shop's home stood in for it.
    estimated: bool,
    prices_include_tax: bool,
    exempt: bool,
    rates: &'a [RateShare],
}

impl<'a> CartView<'a> {
    /// Shapes a cart with what it costs.
    pub fn of(cart: &'a Cart, quote: &'a Quote) -> Self {
        Self {
            id: cart.id.as_str(),
            version: cart.version,
            status: match cart.stage {
                _ if cart.is_expired() => "expired",
                Stage::Open => "open",
                Stage::Checkout { .. } => "checkout",
                Stage::Ordered { .. } => "ordered",
                Stage::Merged { .. } => "merged",
            },
            currency: cart.currency.code(),
            channel: cart.channel.as_ref().map(|channel| channel.as_str()),
            customer_group: cart.group.as_ref().map(|group| group.as_str()),
            workflow: &cart.workflow,
            lines: cart
                .lines
                .iter()
                .enumerate()
                .map(|(n, l)| LineView::priced(l, quote.lines.get(n)))
                .collect(),
            saved: cart.saved.iter().map(SavedLineView::from).collect(),
            codes: &cart.codes,
            unknown_codes: &quote.promotions.unknown_codes,
            promotions: quote.promotions.outcomes.iter().map(PromotionView::of).collect(),
            gift_cards: cart.gift_cards.iter().map(|card| GiftCardView::of(card, quote)).collect(),
            uses_store_credit: cart.uses_credit,
            note: &cart.note,
            completed_steps: cart.completed(),
            next_step: cart.next_step(),
            payment: cart.payment().map(PaymentView::from),
            shipping_method: cart.shipping.as_ref().map(|method| method.as_str()),
            shipping: ShippingView::of(cart, quote),
            totals: quote.totals,
            tax: TaxView {
                estimated: quote.tax.estimated && quote.tax.zone.is_some(),
                prices_include_tax: quote.tax.prices_include_tax,
                exempt: quote.tax.exempt,
                rates: &quote.tax.rates,
            },
            holds_expire_at_ms: cart.holds_expire_at_ms,
            order_id: cart.order_id().map(|id| id.as_str()),
            merged_into: cart.merged_into().map(|id| id.as_str()),
        }
    }
}

/// Is the answer to an accepted command.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Accepted")]
pub struct AcceptedView<'a> {
    cart: CartView<'a>,
    version: u64,
    item: Option<LineView<'a>>,
    order: Option<OrderView<'a>>,
    /// What became of each line of a cart that had expired and was opened again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reopened: Vec<ReopenedView<'a>>,
    /// The cart, sealed for the client to keep.
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<String>,
}

impl AcceptedView<'_> {
    /// Adds the cart, sealed for the client to keep.
    #[must_use]
    pub fn with_snapshot(self, snapshot: Option<String>) -> Self {
        Self { snapshot, ..self }
    }
}

impl<'a> From<&'a Accepted> for AcceptedView<'a> {
    fn from(accepted: &'a Accepted) -> Self {
        Self {
            cart: CartView::of(&accepted.cart, &accepted.quote),
            version: accepted.cart.version,
            item: accepted.item.as_ref().map(|line| LineView::of(line, &accepted.cart, &accepted.quote)),
            order: accepted.order.as_ref().map(OrderView::from),
            reopened: reopened::views(&accepted.reopened),
            snapshot: None,
        }
    }
}
