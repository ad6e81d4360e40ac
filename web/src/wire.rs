//! The JSON that the API and the channel speak: what comes in is parsed here, what goes out is shaped here.

use cart_core::{
    Cart, Command, FieldError, Line, Order, Product, Sku, Stage, Step, StepDetails, StockLevels, Totals,
    Workflow, limits::LINE_QUANTITY_MAX,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use crate::{problem::Problem, store::Accepted};

/// Is a cart as clients see it.
#[derive(Debug, Serialize)]
pub struct CartView<'a> {
    id: &'a str,
    version: u64,
    status: &'static str,
    currency: &'a str,
    workflow: &'a Workflow,
    lines: Vec<LineView<'a>>,
    completed_steps: &'a [Step],
    next_step: Option<Step>,
    totals: Totals,
    holds_expire_at_ms: Option<i64>,
    order_id: Option<&'a str>,
}

/// Is a line as clients see it.
#[derive(Debug, Serialize)]
pub struct LineView<'a> {
    sku: &'a str,
    name: &'a str,
    quantity: u32,
    unit_price_minor: i64,
    total_minor: i64,
    held: u32,
}

impl<'a> From<&'a Line> for LineView<'a> {
    fn from(line: &'a Line) -> Self {
        Self {
            sku: line.sku.as_str(),
            name: &line.name,
            quantity: line.quantity,
            unit_price_minor: line.unit_price_minor,
            total_minor: line.total_minor(),
            held: line.held,
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
    shipping_minor: i64,
    total_minor: i64,
}

#[derive(Debug, Serialize)]
struct OrderLineView<'a> {
    sku: &'a str,
    name: &'a str,
    quantity: u32,
    unit_price_minor: i64,
}

impl<'a> From<&'a Order> for OrderView<'a> {
    fn from(order: &'a Order) -> Self {
        let lines = order.lines.iter().map(|l| OrderLineView {
            sku: l.sku.as_str(),
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

/// Is a command as clients write it.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum CommandForm {
    /// Adds pieces.
    AddLine {
        /// The product.
        sku: String,
        /// Pieces.
        #[serde(default = "one")]
        quantity: Number,
    },
    /// Sets the pieces of a line.
    SetQuantity {
        /// The product.
        sku: String,
        /// Pieces.
        quantity: Number,
    },
    /// Takes a line out.
    RemoveLine {
        /// The product.
        sku: String,
    },
    /// Takes all lines out.
    Clear {},
    /// Begins the checkout.
    StartCheckout {},
    /// Completes a step.
    CompleteStep {
        /// The step's name.
        step: String,
        /// Its fields.
        #[serde(default)]
        details: Map<String, Value>,
    },
    /// Places the order.
    PlaceOrder {
        /// What the payment page gave.
        payment_token: String,
    },
}

fn one() -> Number {
    Number::from(1)
}

/// Is a parsed command: one that a cart decides, or one that needs a payment first.
#[derive(Debug)]
pub enum Parsed {
    /// For the cart.
    Command(Command),
    /// For the checkout.
    PlaceOrder {
        /// What the payment page gave.
        payment_token: String,
    },
}

impl CommandForm {
    /// Parses the command's values.
    ///
    /// # Errors
    /// The problem with the first value that is not right.
    pub fn parse(self) -> Result<Parsed, Problem> {
        Ok(Parsed::Command(match self {
            Self::AddLine { sku, quantity } => {
                Command::AddLine { sku: sku_of(&sku)?, quantity: quantity_of(&quantity)? }
            }
            Self::SetQuantity { sku, quantity } => {
                Command::SetQuantity { sku: sku_of(&sku)?, quantity: quantity_of(&quantity)? }
            }
            Self::RemoveLine { sku } => Command::RemoveLine { sku: sku_of(&sku)? },
            Self::Clear {} => Command::Clear,
            Self::StartCheckout {} => Command::StartCheckout,
            Self::CompleteStep { step, details } => Command::CompleteStep(details_of(&step, &details)?),
            Self::PlaceOrder { payment_token } => return Ok(Parsed::PlaceOrder { payment_token }),
        }))
    }
}

/// Is the payload of `update_cart`.
#[derive(Debug, Deserialize)]
pub struct UpdateForm {
    /// The line as it shall be.
    pub item: ItemForm,
}

/// Is a line as it shall be.
#[derive(Debug, Deserialize)]
pub struct ItemForm {
    sku: String,
    #[serde(default = "one")]
    quantity: Number,
}

impl ItemForm {
    /// Parses the command that makes the line so: its quantity is set, and 0 takes it out.
    ///
    /// # Errors
    /// The problem with the first value that is not right.
    pub fn parse(self) -> Result<Command, Problem> {
        let sku = sku_of(&self.sku)?;
        Ok(match quantity_of(&self.quantity)? {
            0 => Command::RemoveLine { sku },
            quantity => Command::SetQuantity { sku, quantity },
        })
    }
}

/// Parses a SKU; what cannot be one is for sale nowhere.
///
/// # Errors
/// The problem `unknown_sku`.
pub fn sku_of(text: &str) -> Result<Sku, Problem> {
    Sku::parse(text).map_err(|e| {
        Problem::new(actix_web::http::StatusCode::UNPROCESSABLE_ENTITY, "unknown_sku", e.to_string())
    })
}

/// Whether it is too many or too few is a rule of the cart; here it must only be a whole number that fits.
fn quantity_of(number: &Number) -> Result<u32, Problem> {
    number.as_u64().and_then(|n| u32::try_from(n).ok()).ok_or_else(|| {
        Problem::invalid_quantity(format!(
            "quantity {number} is not a whole number from 1 to {LINE_QUANTITY_MAX}"
        ))
    })
}

fn details_of(step: &str, details: &Map<String, Value>) -> Result<StepDetails, Problem> {
    let step = Step::from_name(step).ok_or_else(|| {
        let names = Step::ALL.map(Step::name).join(", ");
        Problem::invalid_details(vec![FieldError {
            field: "step".into(),
            message: format!("must be one of {names}"),
        }])
    })?;
    StepDetails::parse(step, |field| details.get(field).and_then(Value::as_str).map(str::to_owned))
        .map_err(Problem::invalid_details)
}
