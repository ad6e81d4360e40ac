//! The cart: its lines, its stage and the workflow it keeps.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    Address, CartId, Code, Currency, Line, LineId, MethodId, OrderId, Quote, SavedLine, Sku, Step, VisitorId,
    Workflow,
};

/// Says how far a cart has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Stage {
    /// The shopper is filling it.
    Open,
    /// The shopper is on the way out; lines may still change.
    Checkout {
        /// The steps done so far, each once.
        completed: Vec<Step>,
    },
    /// It became an order and never changes again.
    Ordered {
        /// The order it became.
        order_id: OrderId,
        /// What it cost.
        #[serde(default)]
        quote: Option<Box<Quote>>,
    },
}

/// Names the variation that an experiment gave the cart when it was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignedVariation {
    /// The experiment's key.
    pub experiment: String,
    /// The variation's position in the definition, from 0.
    pub variation: u32,
}

/// Is a shopping cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// Its name.
    pub id: CartId,
    /// The visitor it belongs to; nobody else may see or change it.
    pub owner: VisitorId,
    /// The number of events it has seen; the ETag of the API.
    pub version: u64,
    /// The one currency of all its prices.
    pub currency: Currency,
    /// The workflow it was opened with and keeps.
    pub workflow: Arc<Workflow>,
    /// The experiments that shaped it.
    pub assignments: Vec<AssignedVariation>,
    /// How far it has come.
    pub stage: Stage,
    /// Its lines in the order in which they were first added.
    pub lines: Vec<Line>,
    /// Lines that wait for later, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub saved: Vec<SavedLine>,
    /// The codes that the shopper typed, in that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Code>,
    /// What the shopper wants to tell the shop; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Where it goes to, once entered.
    pub address: Option<Address>,
    /// How it travels, once chosen.
    #[serde(default)]
    pub shipping: Option<MethodId>,
    /// When its holds end, in Unix milliseconds; `None` where nothing is held.
    pub holds_expire_at_ms: Option<i64>,
}

impl Cart {
    /// Returns a line by its name.
    pub fn line(&self, id: &LineId) -> Option<&Line> {
        self.lines.iter().find(|l| l.is(id))
    }

    /// Returns a saved line by its name.
    pub fn saved_line(&self, id: &LineId) -> Option<&SavedLine> {
        self.saved.iter().find(|l| l.id() == *id)
    }

    /// Counts the pieces of a product over all lines.
    pub fn pieces_of(&self, sku: &Sku) -> u64 {
        self.lines.iter().filter(|l| l.sku == *sku).map(|l| u64::from(l.quantity)).sum()
    }

    /// Returns the steps done so far; empty outside a checkout.
    pub fn completed(&self) -> &[Step] {
        match &self.stage {
            Stage::Open => &[],
            Stage::Checkout { completed } => completed,
            Stage::Ordered { .. } => self.workflow.steps(),
        }
    }

    /// Returns the first step that is not done, where the cart is in a checkout.
    pub fn next_step(&self) -> Option<Step> {
        match &self.stage {
            Stage::Checkout { completed } => {
                self.workflow.steps().iter().find(|s| !completed.contains(s)).copied()
            }
            _ => None,
        }
    }

    /// Returns the order that the cart became.
    pub fn order_id(&self) -> Option<&OrderId> {
        match &self.stage {
            Stage::Ordered { order_id, .. } => Some(order_id),
            _ => None,
        }
    }
}
