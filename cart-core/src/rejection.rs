//! Why a request is refused: a closed list, in order of precedence.

use serde::{Deserialize, Serialize};

use crate::{
    Code, Currency, FieldError, LimitBroken, LineId, OrderId, Sku, Step,
    limits::{CART_LINES_MAX, LINE_QUANTITY_MAX},
};

/// Says why a cart refuses a request. Where several reasons hold, the one that stands first here is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// The cart belongs to somebody else.
    #[error("the cart belongs to another visitor")]
    NotOwner,
    /// The caller's picture of the cart is out of date.
    #[error("the cart is at version {actual}, the request expects {expected}; read the cart and try again")]
    StaleVersion {
        /// The version that the request expects.
        expected: u64,
        /// The version that the cart has.
        actual: u64,
    },
    /// The cart has become an order.
    #[error("the cart became order {order_id} and can no longer change; open a new one")]
    CartClosed {
        /// That order.
        order_id: OrderId,
    },
    /// The quantity is zero or above the limit.
    #[error("quantity {quantity} is outside 1 to {LINE_QUANTITY_MAX}; use remove_line to take a line out")]
    InvalidQuantity {
        /// The pieces that the line would have.
        quantity: u64,
    },
    /// The catalogue lists no such product, or hides it.
    #[error("no product {sku} is for sale")]
    UnknownSku {
        /// The product.
        sku: Sku,
    },
    /// The product is priced in another currency.
    #[error("the product is priced in {product}, the cart in {cart}; open a cart in {product}")]
    CurrencyMismatch {
        /// The product's currency.
        product: Currency,
        /// The cart's currency.
        cart: Currency,
    },
    /// The shop sells other numbers of pieces.
    #[error("{sku}: {broken}")]
    QuantityLimit {
        /// The product.
        sku: Sku,
        /// The limit.
        broken: LimitBroken,
    },
    /// The shop has no such code.
    #[error("{code} is no code of this shop")]
    UnknownCode {
        /// The code.
        code: Code,
    },
    /// The cart has no such line.
    #[error("the cart has no line {line}")]
    LineNotFound {
        /// The line.
        line: LineId,
    },
    /// The cart has as many lines as it may have.
    #[error("the cart holds {CART_LINES_MAX} lines, the most allowed")]
    CartFull,
    /// There is nothing to buy.
    #[error("the cart is empty; add a line first")]
    CartEmpty,
    /// The step is not part of the workflow, or its turn has not come.
    #[error("step {step} cannot be completed now; {}", turn_in_words(.next))]
    StepOutOfOrder {
        /// The step that was asked for.
        step: Step,
        /// The step whose turn it is; `None` before the checkout and once all steps are done.
        next: Option<Step>,
    },
    /// The details of a step are not complete.
    #[error("{}", fields_in_words(.fields))]
    InvalidDetails {
        /// What is wrong, field by field.
        fields: Vec<FieldError>,
    },
    /// Some step is still to be done.
    #[error("the checkout is not complete; {}", next_in_words(.next))]
    CheckoutIncomplete {
        /// The step whose turn it is.
        next: Option<Step>,
    },
    /// Prices are others than the shopper was told.
    #[error("the price of {} has changed; accept the new prices, then order", lines_in_words(.lines))]
    PriceChanged {
        /// The lines.
        lines: Vec<LineId>,
    },
    /// The authorised amount is not what the cart costs.
    #[error(
        "{authorised_minor} minor units were authorised, {due_minor} are due; the cart has changed, look it over"
    )]
    PaymentMismatch {
        /// What was authorised.
        authorised_minor: i64,
        /// What is due.
        due_minor: i64,
    },
    /// There are fewer pieces than wanted.
    #[error("{sku} has {available} left, {wanted} more are wanted")]
    OutOfStock {
        /// The product.
        sku: Sku,
        /// Pieces that are left.
        available: i64,
        /// Further pieces that are wanted.
        wanted: u32,
    },
    /// A command of a batch was refused, and with it all of them; its name is that of the reason.
    #[error("command {position} of the batch: {because}; nothing of the batch was done")]
    InBatch {
        /// The command's place in the batch, from 0.
        position: usize,
        /// Why it was refused.
        because: Box<Rejection>,
    },
}

fn next_in_words(next: &Option<Step>) -> String {
    match next {
        Some(step) => format!("the next step is {step}"),
        None => "start the checkout first".into(),
    }
}

fn turn_in_words(next: &Option<Step>) -> String {
    match next {
        Some(step) => format!("the next step is {step}"),
        None => "no step is waiting: start the checkout, or place the order if it has begun".into(),
    }
}

fn lines_in_words(lines: &[LineId]) -> String {
    lines.iter().map(LineId::to_string).collect::<Vec<_>>().join(", ")
}

fn fields_in_words(fields: &[FieldError]) -> String {
    fields.iter().map(|f| format!("{} {}", f.field, f.message)).collect::<Vec<_>>().join("; ")
}

impl Rejection {
    /// Names of all rejections, in order of precedence, as metrics label them.
    pub const NAMES: [&'static str; 17] = [
        "not_owner",
        "stale_version",
        "cart_closed",
        "invalid_quantity",
        "unknown_sku",
        "currency_mismatch",
        "quantity_limit",
        "unknown_code",
        "line_not_found",
        "cart_full",
        "cart_empty",
        "step_out_of_order",
        "invalid_details",
        "checkout_incomplete",
        "price_changed",
        "payment_mismatch",
        "out_of_stock",
    ];

    /// Returns the stable name that clients branch on.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotOwner => "not_owner",
            Self::StaleVersion { .. } => "stale_version",
            Self::CartClosed { .. } => "cart_closed",
            Self::InvalidQuantity { .. } => "invalid_quantity",
            Self::UnknownSku { .. } => "unknown_sku",
            Self::CurrencyMismatch { .. } => "currency_mismatch",
            Self::QuantityLimit { .. } => "quantity_limit",
            Self::UnknownCode { .. } => "unknown_code",
            Self::LineNotFound { .. } => "line_not_found",
            Self::CartFull => "cart_full",
            Self::CartEmpty => "cart_empty",
            Self::StepOutOfOrder { .. } => "step_out_of_order",
            Self::InvalidDetails { .. } => "invalid_details",
            Self::CheckoutIncomplete { .. } => "checkout_incomplete",
            Self::PriceChanged { .. } => "price_changed",
            Self::PaymentMismatch { .. } => "payment_mismatch",
            Self::OutOfStock { .. } => "out_of_stock",
            Self::InBatch { because, .. } => because.name(),
        }
    }

    /// Returns the reason itself, where the refusal is that of a batch.
    pub fn reason(&self) -> &Self {
        match self {
            Self::InBatch { because, .. } => because.reason(),
            other => other,
        }
    }
}
