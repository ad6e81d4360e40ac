//! What a shopper, or the clock, may ask of a cart.

use serde::{Deserialize, Serialize};

use crate::{OrderId, Sku, StepDetails, VisitorId};

/// Is an amount that a payment provider has authorised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The provider's name for it.
    pub reference: String,
    /// Minor units of the cart's currency.
    pub amount_minor: i64,
}

/// Is one imperative to a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Adds pieces of a product, to its line where there is one.
    AddLine {
        /// The product.
        sku: Sku,
        /// Pieces to add, 1 to the line's limit.
        quantity: u32,
    },
    /// Sets the pieces of a product; opens the line where there is none.
    SetQuantity {
        /// The product.
        sku: Sku,
        /// Pieces wanted, 1 to the line's limit.
        quantity: u32,
    },
    /// Takes a line out.
    RemoveLine {
        /// The product.
        sku: Sku,
    },
    /// Takes all lines out.
    Clear,
    /// Begins the checkout; repeated, it changes nothing.
    StartCheckout,
    /// Completes the next step, or corrects one that is done.
    CompleteStep(StepDetails),
    /// Turns the cart into an order that is paid.
    PlaceOrder {
        /// The name of the order to be.
        order_id: OrderId,
        /// What the provider has authorised.
        payment: Payment,
    },
    /// Gives held pieces back, where the time of the holds is over.
    ExpireHolds,
}

impl Command {
    /// Names of all commands, as metrics label them.
    pub const NAMES: [&'static str; 8] = [
        "add_line",
        "set_quantity",
        "remove_line",
        "clear",
        "start_checkout",
        "complete_step",
        "place_order",
        "expire_holds",
    ];

    /// Returns the name on the wire and in metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::AddLine { .. } => "add_line",
            Self::SetQuantity { .. } => "set_quantity",
            Self::RemoveLine { .. } => "remove_line",
            Self::Clear => "clear",
            Self::StartCheckout => "start_checkout",
            Self::CompleteStep(_) => "complete_step",
            Self::PlaceOrder { .. } => "place_order",
            Self::ExpireHolds => "expire_holds",
        }
    }

    /// Returns the product that the command itself names.
    pub fn sku(&self) -> Option<&Sku> {
        match self {
            Self::AddLine { sku, .. } | Self::SetQuantity { sku, .. } | Self::RemoveLine { sku } => Some(sku),
            _ => None,
        }
    }
}

/// Is a command with who asks and what they believe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asks; `None` for the server itself.
    pub caller: Option<VisitorId>,
    /// The version the caller last saw, where the command is to hold only for that one.
    pub expected_version: Option<u64>,
    /// What is asked.
    pub command: Command,
}
