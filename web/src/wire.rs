//! The JSON that the API and the channel speak: what goes out is shaped here, what comes in is parsed in
//! [`command`].

pub mod command;
pub mod filling;
pub mod list;
pub mod object;
pub mod product;
pub mod reopened;
pub mod shape;
pub mod share;
pub mod snapshot;

use cart_core::{
    AttemptState, Cart, CartId, Code, Currency, GiftCard, GiftCardId, Line, LineId, LinePart, LineQuote,
    MethodId, Offer, Offers, Order, OrderId, OrderStatus, Parcel, PaymentAttempt, PaymentId, Pick,
    PromotionId, PromotionOutcome, Properties, Quote, Refund, SavedLine, Sku, Stage, Step, Totals, Waiting,
    Workflow,
    limits::{
        CART_CODES_MAX, CART_GIFT_CARDS_MAX, CART_LINES_MAX, LINE_QUANTITY_MAX, NOTE_BYTES_MAX,
        PRICE_MINOR_MAX, PROMOTION_GIFTS_MAX, SAVED_LINES_MAX,
    },
    promotion::Verdict,
    tax::RateShare,
};
use schemars::JsonSchema;
use serde::Serialize;

pub use command::{CommandForm, Parsed, UpdateForm, code_of, line_of, promotion_of, sku_of, typed_of};
pub use object::Object;
pub use product::{FoundView, ProductDetailView, ProductView};
pub use shape::{read, read_value};

use self::reopened::ReopenedView;
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

/// Is a line as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Line")]
pub struct LineView<'a> {
    #[schemars(with = "LineId")]
    id: String,
    #[schemars(with = "Sku")]
    sku: &'a str,
    properties: &'a Properties,
    /// The promotion that gives it away; it alone decides about the line. Not there for what the shopper buys.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<PromotionId>")]
    gift_of: Option<&'a str>,
    name: &'a str,
    #[schemars(range(max = LINE_QUANTITY_MAX))]
    quantity: u32,
    #[schemars(range(min = 0, max = PRICE_MINOR_MAX))]
    unit_price_minor: i64,
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

/// Serde asks for a function of a reference.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(pieces: &u32) -> bool {
    *pieces == 0
}

impl<'a> LineView<'a> {
    /// Shapes a line of a cart with its price; one that is gone has none.
    pub fn of(line: &'a Line, cart: &Cart, quote: &Quote) -> Self {
        let at = cart.lines.iter().position(|l| l.is(&line.id()));
        Self::priced(line, at.and_then(|at| quote.lines.get(at)))
    }

    fn priced(line: &'a Line, quote: Option<&LineQuote>) -> Self {
        Self {
            id: line.id().to_string(),
            sku: line.sku.as_str(),
            properties: &line.properties,
            gift_of: line.gift_of.as_ref().map(PromotionId::as_str),
            name: &line.name,
            quantity: line.quantity,
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
struct SavedLineView<'a> {
    #[schemars(with = "LineId")]
    id: String,
    #[schemars(with = "Sku")]
    sku: &'a str,
    properties: &'a Properties,
    name: &'a str,
    quantity: u32,
}

impl<'a> From<&'a SavedLine> for SavedLineView<'a> {
    fn from(line: &'a SavedLine) -> Self {
        Self {
            id: line.id().to_string(),
            sku: line.sku.as_str(),
            properties: &line.properties,
            name: &line.name,
            quantity: line.quantity,
        }
    }
}

/// Is the ways to travel, as clients see them.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Shipping")]
struct ShippingView<'a> {
    /// Something travels, so that a method is needed.
    needed: bool,
    /// The destination is not known yet, so the shop's home stood in for it.
    estimated: bool,
    offered: Vec<OfferView<'a>>,
    refused: Vec<RefusedView<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ShippingOffer")]
struct OfferView<'a> {
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
    fn of(cart: &Cart, offer: &'a Offer, total_minor: i64) -> Self {
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
struct RefusedView<'a> {
    #[schemars(with = "MethodId")]
    method: &'a str,
    name: &'a str,
    reason: &'static str,
    detail: String,
}

impl<'a> ShippingView<'a> {
    fn of(cart: &Cart, quote: &'a Quote) -> Self {
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
    properties: &'a Properties,
    /// The promotion that gave it away; not there for what was bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<PromotionId>")]
    gift_of: Option<&'a str>,
    name: &'a str,
    quantity: u32,
    unit_price_minor: i64,
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
        let lines = order.lines.iter().map(|l| OrderLineView {
            id: l.id().to_string(),
            sku: l.sku.as_str(),
            properties: &l.properties,
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
