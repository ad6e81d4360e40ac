//! The stock of each location: what there is of every product, and forms that count, adjust and move.

use serde::Serialize;

use crate::moment::Moment;
use crate::session::{Notice, Session};

/// Holds what one location has of a product, in pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockLevelRow {
    /// The location's name for people.
    pub location: String,
    /// Pieces that are there; below 0, pieces that are owed.
    pub on_hand: i64,
    /// Those that lines of carts hold.
    pub held: i64,
    /// Those that no cart may take.
    pub safety: i64,
    /// Those that carts may take.
    pub available: i64,
}

/// Holds a product with what each location has of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockRow {
    /// The SKU.
    pub sku: String,
    /// The path of its page.
    pub path: String,
    /// The product's name.
    pub name: String,
    /// What each location has, the main one first.
    pub levels: Vec<StockLevelRow>,
}

#[derive(Serialize)]
struct LevelView<'a> {
    sku: &'a str,
    path: &'a str,
    name: &'a str,
    location: &'a str,
    on_hand: i64,
    held: i64,
    safety: i64,
    available: i64,
    is_out: bool,
}

impl StockRow {
    fn views(&self) -> impl Iterator<Item = LevelView<'_>> {
        self.levels.iter().map(|level| LevelView {
            sku: &self.sku,
            path: &self.path,
            name: &self.name,
            location: &level.location,
            on_hand: level.on_hand,
            held: level.held,
            safety: level.safety,
            available: level.available,
            is_out: level.available <= 0,
        })
    }
}

/// Holds what the list of the stock shows.
#[derive(Debug, Clone, PartialEq)]
pub struct StockPage {
    /// Who reads it.
    pub session: Session,
    /// What was searched for.
    pub query: String,
    /// The most available pieces of what is listed, as typed; empty for all.
    pub low: String,
    /// The products, by SKU.
    pub rows: Vec<StockRow>,
    /// Where the list goes on.
    pub next: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct ListView<'a> {
    query: &'a str,
    low: &'a str,
    rows: Vec<LevelView<'a>>,
    next: Option<&'a str>,
}

impl StockPage {
    pub(crate) fn view(&self) -> ListView<'_> {
        ListView {
            query: &self.query,
            low: &self.low,
            rows: self.rows.iter().flat_map(StockRow::views).collect(),
            next: self.next.as_deref(),
        }
    }
}

/// Says what was done to the stock; locations are named for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StockDeed {
    /// Pieces were counted, or the safety stock was set.
    Set {
        /// Where.
        at: String,
    },
    /// Pieces came, or were gone.
    Adjust {
        /// Where.
        at: String,
        /// The pieces.
        pieces: i64,
    },
    /// Pieces went from one location to another.
    Move {
        /// Where they were.
        from: String,
        /// Where they went.
        to: String,
        /// The pieces.
        pieces: i64,
    },
}

/// Holds a change that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockChangeRow {
    /// What was done.
    pub deed: StockDeed,
    /// Why; may be empty.
    pub reason: String,
    /// Who did it.
    pub by: String,
    /// When, Unix milliseconds UTC.
    pub at_ms: i64,
    /// What its locations had after it, where that was noted.
    pub after: Vec<StockLevelRow>,
}

#[derive(Serialize)]
struct ChangeView<'a> {
    words: String,
    reason: &'a str,
    by: &'a str,
    at: Moment,
    after: Vec<String>,
}

impl StockChangeRow {
    fn view(&self) -> ChangeView<'_> {
        let level = |level: &StockLevelRow| match level.safety {
            0 => format!("{}: {} on hand", level.location, level.on_hand),
            safety => format!("{}: {} on hand, {safety} kept back", level.location, level.on_hand),
        };
        ChangeView {
            words: match &self.deed {
                StockDeed::Set { at } => format!("Counted in {at}"),
                StockDeed::Adjust { at, pieces } if *pieces < 0 => {
                    format!("{} gone from {at}", pieces.unsigned_abs())
                }
                StockDeed::Adjust { at, pieces } => format!("{pieces} came to {at}"),
                StockDeed::Move { from, to, pieces } => format!("{pieces} moved from {from} to {to}"),
            },
            reason: &self.reason,
            by: &self.by,
            at: Moment::of(self.at_ms),
            after: self.after.iter().map(level).collect(),
        }
    }
}

/// Holds a location that forms offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockLocation {
    /// Its name in forms.
    pub id: String,
    /// Its name for people.
    pub name: String,
}

/// Holds what was typed into one of the forms; texts stay as they were typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StockForm {
    /// The form: `set`, `adjust` or `move`; empty where none was sent.
    pub change: String,
    /// The location; of `move`, where the pieces are.
    pub location: String,
    /// Where they go.
    pub to: String,
    /// How many pieces there are.
    pub on_hand: String,
    /// How many of them no cart may take.
    pub safety_stock: String,
    /// How many come, go or move.
    pub pieces: String,
    /// Why.
    pub reason: String,
}

/// Holds the stock of one product with what was changed of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductStockPage {
    /// Who reads it.
    pub session: Session,
    /// What the last action did.
    pub notice: Option<Notice>,
    /// The product.
    pub row: StockRow,
    /// The locations of the shop.
    pub locations: Vec<StockLocation>,
    /// What was changed, the newest first.
    pub changes: Vec<StockChangeRow>,
    /// The form that was sent and refused.
    pub form: StockForm,
    /// A name of the next change: sent twice, a form changes the stock once.
    pub key: String,
}

#[derive(Serialize)]
struct Choice<'a> {
    id: &'a str,
    name: &'a str,
    is_chosen: bool,
}

/// Is a form as it is drawn: with what was typed where it is the one that was sent, and empty otherwise.
#[derive(Serialize)]
struct FormView<'a> {
    locations: Vec<Choice<'a>>,
    destinations: Vec<Choice<'a>>,
    #[serde(flatten)]
    typed: StockForm,
}

#[derive(Serialize)]
pub(crate) struct ProductView<'a> {
    sku: &'a str,
    path: &'a str,
    name: &'a str,
    rows: Vec<LevelView<'a>>,
    changes: Vec<ChangeView<'a>>,
    set: FormView<'a>,
    adjust: FormView<'a>,
    /// None where there is nowhere to move to.
    transfer: Option<FormView<'a>>,
    key: &'a str,
}

impl ProductStockPage {
    pub(crate) fn view(&self) -> ProductView<'_> {
        ProductView {
            sku: &self.row.sku,
            path: &self.row.path,
            name: &self.row.name,
            rows: self.row.views().collect(),
            changes: self.changes.iter().map(StockChangeRow::view).collect(),
            set: self.form_of("set"),
            adjust: self.form_of("adjust"),
            transfer: (self.locations.len() > 1).then(|| self.form_of("move")),
            key: &self.key,
        }
    }

    fn form_of(&self, change: &str) -> FormView<'_> {
        let typed = if self.form.change == change { self.form.clone() } else { StockForm::default() };
        let choices = |chosen: &str, else_chosen: usize| {
            let is_known = self.locations.iter().any(|location| location.id == chosen);
            let choice = |(n, location): (usize, &'_ StockLocation)| match is_known {
                true => location.id == chosen,
                false => n == else_chosen,
            };
            let chosen: Vec<bool> = self.locations.iter().enumerate().map(choice).collect();
            let all = self.locations.iter().zip(chosen);
            all.map(|(l, is_chosen)| Choice { id: &l.id, name: &l.name, is_chosen }).collect()
        };
        FormView { locations: choices(&typed.location, 0), destinations: choices(&typed.to, 1), typed }
    }
}
