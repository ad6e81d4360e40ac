//! An order, what it is made of, and what it cost.

mod line;
mod parcel;
mod relocation;
mod state;
mod tracking;

use serde::{Deserialize, Serialize};

use crate::{CartId, Currency, MethodId, OrderId, PaymentId, Posting, Quote, Tender, VisitorId};
pub use line::OrderLine;
pub(crate) use parcel::from_last;
pub use parcel::{PackWish, Packed, Parcel, ParcelWish, Waiting};
pub use relocation::{Relocation, RelocationWish};
pub use state::{OrderState, OrderStatus, Refund, RefundWish, RefundedLine};
pub use tracking::{Tracking, TrackingChange};

/// Is an order, with what became of it.
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
    /// What it moved in the accounts; whoever undoes the order posts the opposite.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub postings: Vec<Posting>,
    /// The payment; none for orders of another system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentId>,
    /// Where questions about the order go; empty for orders of another system.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// What became of it since.
    #[serde(default, skip_serializing_if = "OrderState::is_untouched")]
    pub state: OrderState,
}

impl Order {
    /// Returns the order with what became of it; each line says how many of its pieces went back to the shelf, and
    /// where the others come from.
    pub fn with_state(mut self, state: OrderState) -> Self {
        for line in &mut self.lines {
            let id = line.id();
            line.relocate(&state.relocations);
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

    /// Returns what is said of a line, each text under what shoppers read.
    pub fn said_of(&self, at: usize) -> Vec<(String, String)> {
        let properties = &self.lines[at].properties;
        let owned = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
        match self.quote.as_ref().and_then(|quote| quote.lines.get(at)) {
            Some(quoted) => quoted.labelled(properties).map(owned).collect(),
            None => properties.iter().map(owned).collect(),
        }
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
