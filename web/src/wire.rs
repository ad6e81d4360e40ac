//! The JSON that the API and the channel speak: what goes out is shaped here, what comes in is parsed in
//! [`command`].

pub mod command;

use cart_core::{
    Cart, Code, Line, LineQuote, Offer, Offers, Order, Product, PromotionOutcome, Properties, Quote,
    SavedLine, Stage, Step, StockLevels, Totals, Workflow, promotion::Verdict, tax::RateShare,
};
use serde::Serialize;

pub use command::{CommandForm, Parsed, UpdateForm, code_of, line_of, sku_of};

use crate::store::Accepted;

/// Is a cart as clients see it.
#[derive(Debug, Serialize)]
pub struct CartView<'a> {
    id: &'a str,
    version: u64,
    status: &'static str,
    currency: &'a str,
    workflow: &'a Workflow,
    lines: Vec<LineView<'a>>,
    saved: Vec<SavedLineView<'a>>,
    codes: &'a [Code],
    promotions: Vec<PromotionView<'a>>,
    note: &'a str,
    completed_steps: &'a [Step],
    next_step: Option<Step>,
    shipping_method: Option<&'a str>,
    shipping: ShippingView<'a>,
    totals: Totals,
    tax: TaxView<'a>,
    holds_expire_at_ms: Option<i64>,
    order_id: Option<&'a str>,
}

/// Is a line as clients see it.
#[derive(Debug, Serialize)]
pub struct LineView<'a> {
    id: String,
    sku: &'a str,
    properties: &'a Properties,
    name: &'a str,
    quantity: u32,
    unit_price_minor: i64,
    /// What the shopper was told, where the price has changed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    was_minor: Option<i64>,
    discount_minor: i64,
    total_minor: i64,
    tax_minor: i64,
    held: u32,
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
            name: &line.name,
            quantity: line.quantity,
            unit_price_minor: quote.map_or(line.unit_price_minor, |q| q.unit_price_minor),
            was_minor: quote.and_then(|q| q.was_minor),
            discount_minor: quote.map_or(0, |q| q.discount_minor),
            total_minor: quote.map_or(0, |q| q.total_minor),
            tax_minor: quote.map_or(0, |q| q.tax.tax_minor),
            held: line.held,
        }
    }
}

/// Is a line that waits for later, as clients see it.
#[derive(Debug, Serialize)]
struct SavedLineView<'a> {
    id: String,
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
#[derive(Debug, Serialize)]
struct ShippingView<'a> {
    /// Something travels, so that a method is needed.
    needed: bool,
    /// The destination is not known yet, so the shop's home stood in for it.
    estimated: bool,
    offered: Vec<OfferView<'a>>,
    refused: Vec<RefusedView<'a>>,
}

#[derive(Debug, Serialize)]
struct OfferView<'a> {
    #[serde(flatten)]
    offer: &'a Offer,
    /// What the cart would come to.
    total_minor: i64,
}

#[derive(Debug, Serialize)]
struct RefusedView<'a> {
    method: &'a str,
    name: &'a str,
    reason: &'static str,
    detail: String,
}

impl<'a> ShippingView<'a> {
    fn of(quote: &'a Quote) -> Self {
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
                .map(|(offer, total)| OfferView { offer, total_minor: *total })
                .collect(),
            refused: refused.collect(),
        }
    }
}

/// Says what a promotion did to a cart, or why not.
#[derive(Debug, Serialize)]
struct PromotionView<'a> {
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

/// Is what of a cart is tax, as clients see it.
#[derive(Debug, Serialize)]
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
                Stage::Open => "open",
                Stage::Checkout { .. } => "checkout",
                Stage::Ordered { .. } => "ordered",
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
            promotions: quote.promotions.outcomes.iter().map(PromotionView::of).collect(),
            note: &cart.note,
            completed_steps: cart.completed(),
            next_step: cart.next_step(),
            shipping_method: cart.shipping.as_ref().map(|method| method.as_str()),
            shipping: ShippingView::of(quote),
            totals: quote.totals,
            tax: TaxView {
                estimated: quote.tax.estimated && quote.tax.zone.is_some(),
                prices_include_tax: quote.tax.prices_include_tax,
                exempt: quote.tax.exempt,
                rates: &quote.tax.rates,
            },
            holds_expire_at_ms: cart.holds_expire_at_ms,
            order_id: cart.order_id().map(|id| id.as_str()),
        }
    }
}

/// Is an order as clients see it.
#[derive(Debug, Serialize)]
pub struct OrderView<'a> {
    id: &'a str,
    cart: &'a str,
    placed_at_ms: i64,
    currency: &'a str,
    lines: Vec<OrderLineView<'a>>,
    note: &'a str,
    shipping_method: Option<&'a str>,
    shipping_minor: i64,
    tax_minor: i64,
    total_minor: i64,
}

#[derive(Debug, Serialize)]
struct OrderLineView<'a> {
    sku: &'a str,
    properties: &'a Properties,
    name: &'a str,
    quantity: u32,
    unit_price_minor: i64,
    discount_minor: i64,
}

impl<'a> From<&'a Order> for OrderView<'a> {
    fn from(order: &'a Order) -> Self {
        let lines = order.lines.iter().map(|l| OrderLineView {
            sku: l.sku.as_str(),
            properties: &l.properties,
            name: &l.name,
            quantity: l.quantity,
            unit_price_minor: l.unit_price_minor,
            discount_minor: l.discount_minor,
        });
        Self {
            id: order.order_id.as_str(),
            cart: order.cart.as_str(),
            placed_at_ms: order.placed_at_ms,
            currency: order.currency.code(),
            lines: lines.collect(),
            note: &order.note,
            shipping_method: order.shipping.as_ref().map(|method| method.as_str()),
            shipping_minor: order.shipping_minor,
            tax_minor: order.quote.as_ref().map_or(0, |quote| quote.totals.tax_minor),
            total_minor: order.total_minor,
        }
    }
}

/// Is the answer to an accepted command.
#[derive(Debug, Serialize)]
pub struct AcceptedView<'a> {
    cart: CartView<'a>,
    version: u64,
    item: Option<LineView<'a>>,
    order: Option<OrderView<'a>>,
}

impl<'a> From<&'a Accepted> for AcceptedView<'a> {
    fn from(accepted: &'a Accepted) -> Self {
        Self {
            cart: CartView::of(&accepted.cart, &accepted.quote),
            version: accepted.cart.version,
            item: accepted.item.as_ref().map(|line| LineView::of(line, &accepted.cart, &accepted.quote)),
            order: accepted.order.as_ref().map(OrderView::from),
        }
    }
}

/// Is a product as clients see it.
#[derive(Debug, Serialize)]
pub struct ProductView<'a> {
    sku: &'a str,
    name: &'a str,
    description: &'a str,
    category: &'a str,
    price_minor: i64,
    currency: &'a str,
    /// Pieces that may be bought; `null` where the shop never runs out.
    available: Option<i64>,
    image: Option<String>,
}

impl<'a> ProductView<'a> {
    /// Shapes a product with its stock.
    pub fn of(product: &'a Product, stock: &StockLevels) -> Self {
        Self {
            sku: product.sku.as_str(),
            name: &product.name,
            description: &product.description,
            category: &product.category,
            price_minor: product.price.minor,
            currency: product.price.currency.code(),
            available: product.stock_policy.is_tracked().then(|| stock.available(&product.sku)),
            image: product.image.as_ref().map(|file| format!("/static/products/{file}")),
        }
    }
}
