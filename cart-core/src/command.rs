//! What a shopper, or the clock, may ask of a cart.

use serde::{Deserialize, Serialize};

use crate::{Code, LineId, OrderId, Properties, Sku, StepDetails, VisitorId};

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
    /// Adds pieces of a product, to the line of the same properties where there is one.
    AddLine {
        /// The product.
        sku: Sku,
        /// Pieces to add, 1 to the line's limit.
        quantity: u32,
        /// What is to be done to them.
        properties: Properties,
    },
    /// Sets the pieces of a line; a line without properties is opened where there is none.
    SetQuantity {
        /// The line.
        line: LineId,
        /// Pieces wanted, 1 to the line's limit.
        quantity: u32,
    },
    /// Takes a line out.
    RemoveLine {
        /// The line.
        line: LineId,
    },
    /// Lays a line aside for later; its pieces are given back.
    SaveLine {
        /// The line.
        line: LineId,
    },
    /// Takes a saved line into the cart again, at today's price.
    RestoreLine {
        /// The line.
        line: LineId,
    },
    /// Takes a saved line away.
    DropSavedLine {
        /// The line.
        line: LineId,
    },
    /// Types a code that opens a promotion.
    ApplyCode {
        /// The code.
        code: Code,
    },
    /// Takes a code back.
    RemoveCode {
        /// The code.
        code: Code,
    },
    /// Sets what the shopper wants to tell the shop; an empty text says nothing.
    SetNote {
        /// The text.
        text: String,
    },
    /// Takes the prices of today for those that the shopper was told before.
    AcceptPrices,
    /// Runs commands one after the other, all or none. A batch holds no batch and places no order.
    Batch(Vec<Command>),
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
    pub const NAMES: [&'static str; 16] = [
        "add_line",
        "set_quantity",
        "remove_line",
        "save_line",
        "restore_line",
        "drop_saved_line",
        "apply_code",
        "remove_code",
        "set_note",
        "accept_prices",
        "batch",
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
            Self::SaveLine { .. } => "save_line",
            Self::RestoreLine { .. } => "restore_line",
            Self::DropSavedLine { .. } => "drop_saved_line",
            Self::ApplyCode { .. } => "apply_code",
            Self::RemoveCode { .. } => "remove_code",
            Self::SetNote { .. } => "set_note",
            Self::AcceptPrices => "accept_prices",
            Self::Batch(_) => "batch",
            Self::Clear => "clear",
            Self::StartCheckout => "start_checkout",
            Self::CompleteStep(_) => "complete_step",
            Self::PlaceOrder { .. } => "place_order",
            Self::ExpireHolds => "expire_holds",
        }
    }

    /// Returns the products that the command itself names.
    pub fn skus(&self) -> Vec<&Sku> {
        match self {
            Self::AddLine { sku, .. } => vec![sku],
            Self::SetQuantity { line, .. }
            | Self::RemoveLine { line }
            | Self::SaveLine { line }
            | Self::RestoreLine { line }
            | Self::DropSavedLine { line } => vec![line.sku()],
            Self::Batch(commands) => commands.iter().flat_map(Self::skus).collect(),
            _ => vec![],
        }
    }

    /// Reports whether the command may move the pieces of every line of its cart.
    pub fn moves_all_lines(&self) -> bool {
        match self {
            Self::Clear | Self::PlaceOrder { .. } | Self::ExpireHolds => true,
            Self::Batch(commands) => commands.iter().any(Self::moves_all_lines),
            _ => false,
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
