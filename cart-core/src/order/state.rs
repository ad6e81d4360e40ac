//! What becomes of an order after it was placed: sent off, cancelled, and given back in part or whole.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Parcel, Relocation};
use crate::{LineId, LocationId, Pick, Sku};

/// Says how far an order has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum OrderStatus {
    /// It waits to be sent off, all of it or the rest.
    #[default]
    Placed,
    /// All of it was sent off that was not given back before.
    Fulfilled {
        /// When, in Unix milliseconds.
        at_ms: i64,
    },
    /// It will not be sent; what was paid is given back.
    Cancelled {
        /// When, in Unix milliseconds.
        at_ms: i64,
    },
}

impl OrderStatus {
    /// Names of all states.
    pub const NAMES: [&'static str; 3] = ["placed", "fulfilled", "cancelled"];

    /// Returns the name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Fulfilled { .. } => "fulfilled",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// Cancels an order that was not sent off.
    ///
    /// # Errors
    /// The state, where it allows that no more.
    pub fn cancel(self, at_ms: i64) -> Result<Self, Self> {
        match self {
            Self::Placed => Ok(Self::Cancelled { at_ms }),
            other => Err(other),
        }
    }
}

/// Is what became of an order so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderState {
    /// How far it has come.
    #[serde(flatten)]
    pub status: OrderStatus,
    /// What was given back, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<Refund>,
    /// What was sent, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parcels: Vec<Parcel>,
    /// What was moved to other locations before it was sent, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relocations: Vec<Relocation>,
}

/// Is what was given back at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refund {
    /// Its place among the order's refunds, from 1.
    pub number: u32,
    /// When, in Unix milliseconds.
    pub at_ms: i64,
    /// All of it, in minor units of the order's currency.
    pub amount_minor: i64,
    /// What of it goes back to gift cards and the customer's credit with the shop.
    #[serde(default, skip_serializing_if = "crate::quote::is_zero")]
    pub prepaid_minor: i64,
    /// What of it is shipping.
    #[serde(default)]
    pub shipping_minor: i64,
    /// What of it is for pieces, line by line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<RefundedLine>,
}

/// Is what was given back of one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefundedLine {
    /// The line.
    pub line: LineId,
    /// The pieces that were paid back.
    pub quantity: u32,
    /// The pieces that went back to the shelf.
    #[serde(default)]
    pub restocked: u32,
    /// What of the parts of bundles went back to the shelf, or where the pieces of a plain line did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub picks: Vec<Pick>,
    /// What of it had not been sent and waits no more; all of it, where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsent: Option<Vec<Pick>>,
    /// What was paid back for them.
    pub amount_minor: i64,
}

/// Is a wish to give something back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefundWish {
    /// Pieces of lines, at what they really cost.
    pub lines: Vec<(LineId, u32)>,
    /// Tells whether shipping is given back, as much of it as has not been yet.
    pub shipping: bool,
    /// An amount that is for nothing in particular.
    pub amount_minor: i64,
    /// Tells whether the pieces go back to the shelf.
    pub restock: bool,
    /// Tells whether the pieces were sent before, so that what waits to be sent goes on waiting; otherwise those that wait are
    /// given back first.
    pub sent: bool,
}

impl Refund {
    /// Returns what of it the payment provider gives back.
    pub fn provider_minor(&self) -> i64 {
        self.amount_minor - self.prepaid_minor
    }
}

impl OrderState {
    /// Reports whether nothing has become of the order yet.
    pub fn is_untouched(&self) -> bool {
        *self == Self::default()
    }

    /// Sums what was given back, in minor units.
    pub fn refunded_minor(&self) -> i64 {
        self.refunds.iter().map(|refund| refund.amount_minor).sum()
    }

    /// Sums what went back to gift cards and credit, in minor units.
    pub fn prepaid_back_minor(&self) -> i64 {
        self.refunds.iter().map(|refund| refund.prepaid_minor).sum()
    }

    /// Reports whether something was sent already of an order of which something waits.
    pub fn is_sent_in_part(&self) -> bool {
        self.status == OrderStatus::Placed && !self.parcels.is_empty()
    }

    /// Returns the number of the next refund.
    pub fn next_number(&self) -> u32 {
        self.refunds.last().map_or(1, |refund| refund.number + 1)
    }

    fn of_line(&self, line: &LineId) -> impl Iterator<Item = &RefundedLine> {
        self.refunds.iter().flat_map(|refund| &refund.lines).filter(move |refunded| refunded.line == *line)
    }

    /// Counts the pieces of a line that were paid back.
    pub fn refunded_of(&self, line: &LineId) -> u32 {
        self.of_line(line).map(|refunded| refunded.quantity).sum()
    }

    /// Counts the pieces of a product that went back to the shelf of a location: what is not said of a plain line, to the main
    /// one.
    pub fn restocked_part_of(&self, line: &LineId, sku: &Sku, location: &LocationId) -> u32 {
        let is_own = line.sku() == sku && location.is_main();
        let back = |refunded: &RefundedLine| match refunded.picks.as_slice() {
            [] if is_own => refunded.restocked,
            picks => picks.iter().filter(|pick| pick.is_of(sku, location)).map(|pick| pick.pieces).sum(),
        };
        self.of_line(line).map(back).sum()
    }

    /// Counts the pieces of a line that went back to the shelf.
    pub fn restocked_of(&self, line: &LineId) -> u32 {
        self.of_line(line).map(|refunded| refunded.restocked).sum()
    }
}
