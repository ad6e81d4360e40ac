//! What becomes of an order after it was placed: sent off, cancelled, and given back in part or whole.

mod parcel;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{LineId, LocationId, Order, OrderLine, Pick, Sku, Taken, Tender};
pub(crate) use parcel::from_last;
pub use parcel::{PackWish, Packed, Parcel, ParcelWish, Tracking, Waiting};

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

    /// Counts the pieces of a product that went back to the shelf of a location.
    pub fn restocked_part_of(&self, line: &LineId, sku: &Sku, location: &LocationId) -> u32 {
        let picks = self.of_line(line).flat_map(|refunded| &refunded.picks);
        picks.filter(|pick| pick.is_of(sku, location)).map(|pick| pick.pieces).sum()
    }

    /// Counts the pieces of a line that went back to the shelf.
    pub fn restocked_of(&self, line: &LineId) -> u32 {
        self.of_line(line).map(|refunded| refunded.restocked).sum()
    }
}

impl OrderLine {
    /// Returns what the line took from the stock, by product and location: pieces of its hold, and of the free stock.
    pub fn all_taken(&self) -> impl Iterator<Item = (&Sku, &LocationId, u32, u32)> {
        let own =
            self.is_plain().then_some((&self.sku, LocationId::main(), self.from_held, self.from_available));
        own.into_iter().chain(self.taken.iter().map(|t| (&t.sku, &t.location, t.from_held, t.from_available)))
    }

    /// Returns what of it went back to the stock, by product and location.
    pub fn all_restocked(&self) -> impl Iterator<Item = (&Sku, &LocationId, u32)> {
        let own = self.is_plain().then_some((&self.sku, LocationId::main(), self.restocked));
        own.into_iter().chain(self.taken.iter().map(|t| (&t.sku, &t.location, t.restocked)))
    }

    /// Returns what each location sends of the line, less what came back; nothing where all of it comes from the main one.
    pub fn sent_from(&self) -> Vec<Pick> {
        let sends = |taken: &Taken| Pick {
            sku: taken.sku.clone(),
            location: taken.location.clone(),
            pieces: taken.from_held + taken.from_available - taken.restocked,
        };
        match self.taken.iter().any(|taken| !taken.location.is_main()) {
            true => self.taken.iter().map(sends).filter(|pick| pick.pieces > 0).collect(),
            false => vec![],
        }
    }

    /// All its pieces are of its own product and came from the main location.
    fn is_plain(&self) -> bool {
        self.parts.is_empty() && self.taken.is_empty()
    }

    /// Returns the line's name.
    pub fn id(&self) -> LineId {
        match &self.gift_of {
            Some(promotion) => LineId::of_gift(self.sku.clone(), promotion),
            None => LineId::new(self.sku.clone(), &self.properties),
        }
    }

    /// Returns what whoever bought it is told: names and texts.
    fn notes(&self) -> impl Iterator<Item = (&str, &str)> {
        Some((self.name.as_str(), self.delivery_note.as_str()))
            .into_iter()
            .filter(|(_, note)| !note.is_empty())
    }
}

impl Order {
    /// Returns the order with what became of it; each line says how many of its pieces went back to the shelf.
    pub fn with_state(mut self, state: OrderState) -> Self {
        for line in &mut self.lines {
            let id = line.id();
            line.restocked = state.restocked_of(&id);
            for taken in &mut line.taken {
                taken.restocked = state.restocked_part_of(&id, &taken.sku, &taken.location);
            }
        }
        self.state = state;
        self
    }

    /// Returns what whoever bought it is told of things: names and texts. Of an order that was cancelled, nothing.
    pub fn notes(&self) -> impl Iterator<Item = (&str, &str)> {
        let is_cancelled = matches!(self.state.status, OrderStatus::Cancelled { .. });
        let notes = self.lines.iter().flat_map(OrderLine::notes);
        notes.filter(move |_| !is_cancelled)
    }

    /// Returns what gift cards and credit paid, in the order in which they were used up.
    pub fn tenders(&self) -> &[Tender] {
        self.quote.as_ref().map_or(&[], |quote| &quote.tenders)
    }

    /// Returns what the payment provider was asked for, in minor units.
    pub fn due_minor(&self) -> i64 {
        self.total_minor - self.tenders().iter().map(|tender| tender.minor).sum::<i64>()
    }

    /// Returns what of the payment has come back, in one word.
    pub fn payment_status(&self) -> &'static str {
        match self.state.refunded_minor() {
            0 => "paid",
            part if part < self.total_minor => "partially_refunded",
            _ => "refunded",
        }
    }

    /// Returns what a line really cost, with its discount and its tax, in minor units.
    pub fn line_cost_minor(&self, at: usize) -> i64 {
        let quoted = self.quote.as_ref().and_then(|quote| quote.lines.get(at));
        let line = &self.lines[at];
        let plain = i64::from(line.quantity) * line.unit_price_minor - line.discount_minor;
        quoted.map_or(plain, |quote| quote.tax.gross_minor)
    }

    /// Returns what shipping really cost, with its tax, in minor units.
    pub fn shipping_cost_minor(&self) -> i64 {
        self.quote.as_ref().map_or(self.shipping_minor, |quote| quote.tax.shipping.gross_minor)
    }
}

/// Returns what so many of a line's pieces cost, of all that the line cost. The largest remainders go to the first
/// pieces, so what is given back piece by piece adds up to what was paid.
///
/// ```
/// use cart_core::order::share;
/// let thirds: Vec<i64> = (0..3).map(|n| share(1_000, 3, n + 1) - share(1_000, 3, n)).collect();
/// assert_eq!(thirds, [334, 333, 333]);
/// ```
pub fn share(cost_minor: i64, pieces: u32, of: u32) -> i64 {
    let pieces = i64::from(pieces.max(1));
    let of = i64::from(of);
    cost_minor.div_euclid(pieces) * of + of.min(cost_minor.rem_euclid(pieces))
}
