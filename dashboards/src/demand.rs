//! Who waits to be told that a product is back, by product: what to order next.

use serde::Serialize;

use crate::moment::Moment;
use crate::purses::Pill;
use crate::session::Session;

/// Says why those who wait are not told yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DemandState {
    /// There is nothing to tell of.
    SoldOut,
    /// Shoppers do not see the product.
    Hidden,
    /// Nothing is on the shelf, but it may be bought to be sent later.
    Later,
    /// Pieces are there: those who wait are being told, wave by wave.
    Back,
}

/// Holds who waits for one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemandRow {
    /// The SKU.
    pub sku: String,
    /// The product's name; the SKU again where the catalogue has it no more.
    pub name: String,
    /// The path of the page of its stock, where it has one.
    pub path: Option<String>,
    /// Requests that wait.
    pub waiting: u64,
    /// When the oldest of them was made, Unix milliseconds UTC.
    pub oldest_at_ms: i64,
    /// Why they wait.
    pub state: DemandState,
}

#[derive(Serialize)]
struct RowView<'a> {
    sku: &'a str,
    name: &'a str,
    path: Option<&'a str>,
    waiting: u64,
    oldest: Moment,
    state: Pill,
}

impl DemandRow {
    fn view(&self) -> RowView<'_> {
        let (label, tone, icon) = match self.state {
            DemandState::SoldOut => ("Sold out", "bad", "warning"),
            DemandState::Hidden => ("Hidden", "calm", "stop"),
            DemandState::Later => ("Ships later", "calm", "wait"),
            DemandState::Back => ("Being told", "good", "check"),
        };
        RowView {
            sku: &self.sku,
            name: &self.name,
            path: self.path.as_deref(),
            waiting: self.waiting,
            oldest: Moment::of(self.oldest_at_ms),
            state: Pill { label, tone, icon },
        }
    }
}

/// Holds what the list of demand shows.
#[derive(Debug, Clone, PartialEq)]
pub struct DemandPage {
    /// Who reads it.
    pub session: Session,
    /// Whether the shop sends letters at all: without, nobody is asked and nobody told.
    pub are_letters_sent: bool,
    /// The products, the most wanted first.
    pub rows: Vec<DemandRow>,
    /// Where the list goes on.
    pub next: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct ListView<'a> {
    are_letters_sent: bool,
    rows: Vec<RowView<'a>>,
    next: Option<&'a str>,
}

impl DemandPage {
    pub(crate) fn view(&self) -> ListView<'_> {
        ListView {
            are_letters_sent: self.are_letters_sent,
            rows: self.rows.iter().map(DemandRow::view).collect(),
            next: self.next.as_deref(),
        }
    }
}
