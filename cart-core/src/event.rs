//! What happened to a cart, in the past tense; the outbox and every reader speak this.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    AssignedVariation, CartId, Code, Currency, LineId, MethodId, OrderId, Properties, Quote, Sku,
    StepDetails, StockPolicy, VisitorId, Workflow,
};

/// Is one fact in the life of a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CartEvent {
    /// The cart came to be.
    CartOpened {
        /// Its name.
        id: CartId,
        /// Its owner.
        owner: VisitorId,
        /// Its currency.
        currency: Currency,
        /// The workflow it keeps.
        workflow: Arc<Workflow>,
        /// The experiments that shaped it.
        assignments: Vec<AssignedVariation>,
    },
    /// Pieces were added.
    LineAdded {
        /// The product.
        sku: Sku,
        /// What is to be done to the pieces.
        properties: Properties,
        /// Its name.
        name: String,
        /// Its stock policy.
        policy: StockPolicy,
        /// Pieces added.
        quantity: u32,
        /// The price of one piece in minor units.
        unit_price_minor: i64,
        /// Pieces newly held.
        hold: u32,
        /// When the cart's holds now end.
        holds_expire_at_ms: Option<i64>,
    },
    /// A line's pieces were set.
    QuantitySet {
        /// The line.
        line: LineId,
        /// Pieces wanted from now on.
        quantity: u32,
        /// The price of one piece in minor units.
        unit_price_minor: i64,
        /// Pieces newly held.
        hold: u32,
        /// Pieces given back.
        release: u32,
        /// When the cart's holds now end.
        holds_expire_at_ms: Option<i64>,
    },
    /// A line was taken out.
    LineRemoved {
        /// The line.
        line: LineId,
        /// Pieces given back.
        release: u32,
    },
    /// A line was laid aside for later.
    LineSaved {
        /// The line.
        line: LineId,
        /// Pieces given back.
        release: u32,
    },
    /// A saved line was taken away: a [`CartEvent::LineAdded`] follows where it came back into the cart.
    SavedLineDropped {
        /// The line.
        line: LineId,
    },
    /// A code was typed.
    CodeApplied {
        /// The code.
        code: Code,
    },
    /// A code was taken back.
    CodeRemoved {
        /// The code.
        code: Code,
    },
    /// The shopper's note to the shop was set.
    NoteSet {
        /// The text.
        text: String,
    },
    /// The shopper accepted the prices of today.
    PricesAccepted {
        /// The price of one piece in minor units, line by line.
        prices: Vec<(LineId, i64)>,
    },
    /// All lines were taken out.
    CartCleared {
        /// Pieces given back, line by line.
        releases: Vec<(LineId, u32)>,
    },
    /// The checkout began.
    CheckoutStarted,
    /// A step was completed or corrected.
    StepCompleted {
        /// What it established.
        details: StepDetails,
    },
    /// The holds' time was over.
    HoldsExpired {
        /// Pieces given back, line by line.
        releases: Vec<(LineId, u32)>,
    },
    /// The cart became an order.
    OrderPlaced(Order),
}

impl CartEvent {
    /// Returns the event's name, as the outbox and the event files spell it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CartOpened { .. } => "cart_opened",
            Self::LineAdded { .. } => "line_added",
            Self::QuantitySet { .. } => "quantity_set",
            Self::LineRemoved { .. } => "line_removed",
            Self::LineSaved { .. } => "line_saved",
            Self::SavedLineDropped { .. } => "saved_line_dropped",
            Self::CodeApplied { .. } => "code_applied",
            Self::CodeRemoved { .. } => "code_removed",
            Self::NoteSet { .. } => "note_set",
            Self::PricesAccepted { .. } => "prices_accepted",
            Self::CartCleared { .. } => "cart_cleared",
            Self::CheckoutStarted => "checkout_started",
            Self::StepCompleted { .. } => "step_completed",
            Self::HoldsExpired { .. } => "holds_expired",
            Self::OrderPlaced(_) => "order_placed",
        }
    }

    /// Returns the line that changed, where it is one.
    pub fn line(&self) -> Option<LineId> {
        match self {
            Self::LineAdded { sku, properties, .. } => Some(LineId::new(sku.clone(), properties)),
            Self::QuantitySet { line, .. }
            | Self::LineRemoved { line, .. }
            | Self::LineSaved { line, .. } => Some(line.clone()),
            _ => None,
        }
    }
}

/// Is an order as it was placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its name.
    pub order_id: OrderId,
    /// The cart that became it.
    pub cart: CartId,
    /// Who placed it.
    pub owner: VisitorId,
    /// When, in Unix milliseconds.
    pub placed_at_ms: i64,
    /// The currency of its amounts.
    pub currency: Currency,
    /// What was bought.
    pub lines: Vec<OrderLine>,
    /// What the shopper told the shop; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// How it travels; none where nothing does.
    #[serde(default)]
    pub shipping: Option<MethodId>,
    /// What it cost; none for orders of another system.
    #[serde(default)]
    pub quote: Option<Box<Quote>>,
    /// Shipping in minor units.
    pub shipping_minor: i64,
    /// What was paid in minor units.
    pub total_minor: i64,
    /// The provider's name for the payment.
    pub payment_reference: String,
}

/// Is one line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// The product.
    pub sku: Sku,
    /// What is to be done to the pieces.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
    /// Its name.
    pub name: String,
    /// Pieces bought.
    pub quantity: u32,
    /// The price of one piece in minor units.
    pub unit_price_minor: i64,
    /// What promotions took off all of them, in minor units.
    #[serde(default)]
    pub discount_minor: i64,
    /// Pieces that came out of the line's hold.
    pub from_held: u32,
    /// Pieces that came out of the free stock.
    pub from_available: u32,
}
