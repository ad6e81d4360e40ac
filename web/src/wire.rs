//! The JSON that the API and the channel speak: what goes out is shaped here, what comes in is parsed in
//! [`command`].

pub mod command;

use cart_core::{
    Cart, Line, Order, Product, Properties, SavedLine, Stage, Step, StockLevels, Totals, Workflow,
};
use serde::Serialize;

pub use command::{CommandForm, Parsed, UpdateForm, line_of, sku_of};

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
    note: &'a str,
    completed_steps: &'a [Step],
    next_step: Option<Step>,
    totals: Totals,
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
    total_minor: i64,
    held: u32,
}

impl<'a> From<&'a Line> for LineView<'a> {
    fn from(line: &'a Line) -> Self {
        Self {
            id: line.id().to_string(),
            sku: line.sku.as_str(),
            properties: &line.properties,
            name: &line.name,
            quantity: line.quantity,
            unit_price_minor: line.unit_price_minor,
            total_minor: line.total_minor(),
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

impl<'a> From<&'a Cart> for CartView<'a> {
    fn from(cart: &'a Cart) -> Self {
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
            lines: cart.lines.iter().map(LineView::from).collect(),
            saved: cart.saved.iter().map(SavedLineView::from).collect(),
            note: &cart.note,
            completed_steps: cart.completed(),
            next_step: cart.next_step(),
            totals: cart.totals(),
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
    shipping_minor: i64,
    total_minor: i64,
}

#[derive(Debug, Serialize)]
struct OrderLineView<'a> {
    sku: &'a str,
    properties: &'a Properties,
    name: &'a str,
    quantity: u32,
    unit_price_minor: i64,
}

impl<'a> From<&'a Order> for OrderView<'a> {
    fn from(order: &'a Order) -> Self {
        let lines = order.lines.iter().map(|l| OrderLineView {
            sku: l.sku.as_str(),
            properties: &l.properties,
            name: &l.name,
            quantity: l.quantity,
            unit_price_minor: l.unit_price_minor,
        });
        Self {
            id: order.order_id.as_str(),
            cart: order.cart.as_str(),
            placed_at_ms: order.placed_at_ms,
            currency: order.currency.code(),
            lines: lines.collect(),
            note: &order.note,
            shipping_minor: order.shipping_minor,
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
            cart: CartView::from(&*accepted.cart),
            version: accepted.cart.version,
            item: accepted.item.as_ref().map(LineView::from),
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
