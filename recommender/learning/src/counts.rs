//! Counts of what is bought together: exact, over more orders than memory holds, and kept from day to day.
//!
//! For every item, in how many orders it is, and for every other item, how many orders hold both, plain and weighed by age and
//! length. That is AᵀWA, A being orders × items and W the orders' weights. It is never stored: a hundred million lines make
//! thousands of millions of pairs. Stored are the orders, by order and by item ([`segment`]), in four bytes a line, and for each item its
//! best partners ([`heads`]).
//!
//! - **Counting** is Gustavson's (*Two Fast Algorithms for Sparse Matrices*, ACM TOMS 4(3), 1978): a row at a time, the row
//!   of an item adding up the orders that hold it in a dense accumulator, one row a core ([`rows`]). Memory grows with items and
//!   lines, never with pairs.
//! - **Weights** are whole numbers relative to a fixed day ([`weighing`]), so sums are the same in whichever order they are
//!   added, and a new day changes no old weight. Orders and weight share 64 bits ([`Count`]).
//! - **New orders** are a segment of their own. What their pairs count now is asked of all orders by item ([`changes`]), and
//!   taken up into the heads, which bounds keep exact; only where these do not suffice, or where all rows cost less, are rows
//!   counted anew ([`ranking`]).
//!   Small segments are put together, each time two of like size meet (O'Neil, Cheng, Gawlick and O'Neil, *The
//!   Log-Structured Merge-Tree*, 1996).
//! - **Memory** is a setting. Gathered orders become a segment when they take half of it. Segments that do not fit together
//!   are counted one after the other, each spilling its rows to a file; rows are then added up from these.
//!
//! Rules: an order that was told before (by its id) does not count again, whatever it then holds. What is given back later leaves
//! its order, which keeps its day and becomes as much shorter; a return of what was not told is nothing. Of an order that is too long a hash
//! draws the items that count; the others are as if they were not in it. Days come in any order.
//!
//! A folder of counts holds `manifest`, `names`, `heads-N` and `segment-N`, every file beginning with
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `CWCOUNTS` |
//! | 4 | version, 2 |
//! | 4 | kind: 1 manifest, 2 segment, 3 heads, 4 names |
//! | 12 each | per section: how many bytes (u64), and their CRC-32 |
//! | 4 | CRC-32 of all before |
//!
//! and then its sections, all numbers little-endian. The manifest names the others and is replaced last: whatever breaks off leaves the
//! counts as they were, and what it wrote is swept at the next addition. One process adds at a time.

mod addition;
mod batch;
mod bytes;
mod changes;
mod count;
mod frame;
mod heads;
mod manifest;
mod names;
mod orders;
mod ranking;
mod rows;
mod score;
mod segment;
mod shelf;
mod survey;
mod weighing;

#[cfg(test)]
mod tests;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

pub use self::{
    addition::Addition,
    batch::Settled,
    count::{Count, ORDERS_OF_ITEM_MAX},
    score::{Lift, Score, ShrunkCosine},
    weighing::{ORDER_ITEMS_MAX, Weighing},
};
use self::{
    heads::{Basis, Heads},
    manifest::Manifest,
    names::Names,
    ranking::Ranking,
    rows::on_all_cores,
    weighing::Scale,
};

/// The most items: an accumulator of a core takes eight bytes each, and ten million are 80 MB.
pub const ITEMS_MAX: u32 = 10_000_000;

/// New orders below this part of the old ones change heads; where there are more, all rows are counted.
const PART_THAT_CHANGES: u64 = 10;

/// Says how to count, and with how much memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// How orders weigh.
    pub weighing: Weighing,
    /// The most items of one order that pair, up to [`ORDER_ITEMS_MAX`]; fixed when a folder is begun.
    pub order_items_max: usize,
    /// How many partners of an item are asked for.
    pub partners: usize,
    /// The fewest orders that must hold both items.
    pub orders_min: u32,
    /// The bytes to work with. Accumulators and heads, some two kilobytes an item, are needed in any case.
    pub memory_bytes: usize,
}

/// Says why counts cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CountsError {
    /// The disk refuses.
    #[error("{path} cannot be read or written: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file is not what it should be.
    #[error("{path} {fault}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: Fault,
    },
    /// A folder was begun with another limit on an order's items.
    #[error("{path} pairs {found} items of an order, not {wanted}")]
    OrderItems {
        /// The manifest.
        path: PathBuf,
        /// The folder's limit.
        found: u32,
        /// The setting.
        wanted: usize,
    },
    /// A setting is out of range.
    #[error("{0}")]
    Setting(&'static str),
    /// An item's number is too high.
    #[error("item {0} is beyond {ITEMS_MAX}, the most items")]
    Item(u32),
    /// One item may be in more orders than a count holds.
    #[error("an item is in {0} orders, the most that can be counted is {ORDERS_OF_ITEM_MAX}")]
    Orders(u64),
}

/// Says what is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is no file of counts, or another one than its name says.
    #[error("is not the file of counts that it should be")]
    Foreign,
    /// Another program wrote it.
    #[error("is of version {0}, and this program reads version {VERSION}", VERSION = frame::VERSION)]
    Version(u32),
    /// It is cut off or damaged.
    #[error("is torn")]
    Torn,
}

impl CountsError {
    fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.into(), error }
    }

    /// Says whether the folder is of no use any more: without it, all orders can be counted anew.
    pub fn is_of_no_use(&self) -> bool {
        match self {
            Self::File { .. } | Self::OrderItems { .. } => true,
            Self::Io { error, .. } => error.kind() == io::ErrorKind::NotFound,
            Self::Setting(_) | Self::Item(_) | Self::Orders(_) => false,
        }
    }
}

/// Holds counts in a folder.
pub struct Counts<S> {
    folder: PathBuf,
    settings: Settings,
    score: S,
    manifest: Manifest,
    names: Names,
    heads: Option<Heads>,
}

/// Is what a row says of its item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Item {
    /// Its number.
    pub number: u32,
    /// The orders that hold it.
    pub orders: u32,
    /// What they weigh, in orders of the latest day.
    pub weight: f64,
}

/// Is an item's partner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Partner {
    /// Its number.
    pub item: u32,
    /// The orders that hold both.
    pub orders: u32,
    /// What they weigh, in orders of the latest day.
    pub weight: f64,
    /// How strongly the two belong together.
    pub score: f64,
}

/// Says what an addition did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Orders that count and did not before, also those that were given back later.
    pub orders: u64,
    /// Orders of before of which something was given back.
    pub orders_changed: u64,
    /// What was left out.
    pub settled: Settled,
    /// The items whose rows were counted over all orders.
    pub rows_counted: u64,
}

impl<S: Score> Counts<S> {
    /// Opens a folder of counts, or begins one where there is none.
    ///
    /// With another weighing, score or number of partners than before, the next [`Addition::finish`] counts all rows
    /// anew, from the folder's own orders.
    ///
    /// # Errors
    /// Where a setting is out of range, the disk refuses, or a file is torn, foreign or of another version.
    pub fn open(folder: &Path, settings: Settings, score: S) -> Result<Self, CountsError> {
        settings.check()?;
        let manifest = Manifest::read(folder)?;
        let manifest = manifest.unwrap_or_else(|| Manifest {
            order_items_max: settings.order_items_max as u32,
            latest_day: i32::MIN,
            next: 1,
            ..Manifest::default()
        });
        if manifest.order_items_max as usize != settings.order_items_max {
            let (path, found) = (Manifest::path(folder), manifest.order_items_max);
            return Err(CountsError::OrderItems { path, found, wanted: settings.order_items_max });
        }
        let heads = match manifest.heads {
            0 => None,
            number => Some(Heads::read(&heads_path(folder, number))?),
        };
        let names = Names::read(folder, manifest.names)?;
        Ok(Self { folder: folder.into(), settings, score, manifest, names, heads })
    }

    /// Says whether no order was told yet.
    pub fn is_empty(&self) -> bool {
        self.heads.is_none()
    }

    /// Returns the name of an item, nothing where items have none.
    pub fn name(&self, item: u32) -> &str {
        self.names.get(item)
    }

    /// Returns the number of orders and their weight, in orders of the latest day.
    pub fn all(&self) -> (u64, f64) {
        let today = self.scale(&self.manifest).day(self.manifest.latest_day);
        self.heads.as_ref().map_or((0, 0.0), |heads| (heads.all.0, heads.all.1 as f64 / today))
    }

    /// Calls `visit` for every item with its best partners, best first, on all cores, and returns the results by item.
    ///
    /// They are those of the last addition: see [`Counts::open`] where settings have changed since.
    pub fn best<T: Send>(&self, visit: impl Fn(Item, &[Partner]) -> T + Sync) -> Vec<T> {
        let Some(heads) = &self.heads else { return Vec::new() };
        let ranking = self.ranking(&self.manifest, &heads.totals);
        let done: Result<Vec<T>, ()> = on_all_cores(
            heads.totals.len(),
            || (),
            |number, ()| {
                let item = ranking.item(number as u32);
                let total = heads.totals[number].weight() as f64;
                let partner = |one: ranking::Ranked| Partner {
                    item: one.item,
                    orders: one.count.orders(),
                    weight: one.count.weight() as f64 / ranking.today,
                    score: self.score.score(one.rank, total),
                };
                let partners: Vec<Partner> =
                    ranking.best(&heads.get(number as u32)).into_iter().map(partner).collect();
                Ok(visit(item, &partners))
            },
        );
        done.expect("nothing fails")
    }

    /// Calls `visit` for every item with all its partners, ascending, on all cores, and returns the results by item.
    ///
    /// All rows are counted for it.
    ///
    /// # Errors
    /// Where the disk refuses or a segment is torn.
    pub fn rows<T: Send>(
        &self,
        visit: impl Fn(Item, &[(u32, Count)]) -> T + Sync,
    ) -> Result<Vec<T>, CountsError> {
        let Some(heads) = &self.heads else { return Ok(Vec::new()) };
        let ranking = self.ranking(&self.manifest, &heads.totals);
        let items: Vec<u32> = (0..self.manifest.item_count).collect();
        let source = self.shelf(&self.manifest).source(&self.manifest.segments, &items)?;
        source.map(&items, items.len(), |item, row| {
            let mut partners = Vec::new();
            row.drain(|other, count| partners.push((other, count)));
            partners.retain(|(other, _)| *other != item);
            if !partners.is_sorted_by_key(|(other, _)| *other) {
                partners.sort_unstable_by_key(|(other, _)| *other);
            }
            visit(ranking.item(item), &partners)
        })
    }

    fn scale(&self, manifest: &Manifest) -> Scale {
        Scale::new(self.settings.weighing, manifest.latest_day)
    }

    fn ranking<'a>(&'a self, manifest: &Manifest, totals: &'a [Count]) -> Ranking<'a, S> {
        let scale = self.scale(manifest);
        let today = scale.day(manifest.latest_day);
        Ranking::new(
            (&self.score, &self.names),
            today,
            totals,
            (self.settings.partners, self.settings.orders_min),
        )
    }

    fn basis(&self, manifest: &Manifest) -> Basis {
        Basis {
            weighing: self.settings.weighing,
            latest_day: manifest.latest_day,
            score: self.score.name(),
            partners: self.settings.partners as u32,
            orders_min: self.settings.orders_min,
        }
    }
}

impl<S: Score> Ranking<'_, S> {
    fn item(&self, number: u32) -> Item {
        let total = self.totals[number as usize];
        Item { number, orders: total.orders(), weight: total.weight() as f64 / self.today }
    }
}

impl Settings {
    fn check(&self) -> Result<(), CountsError> {
        let weighing = self.weighing;
        let is_wrong = [
            (weighing.half_life_days.is_nan() || weighing.half_life_days < 1.0, "half-life is below a day"),
            (!(0.0..=16.0).contains(&weighing.length_power), "length power is not between 0 and 16"),
            (
                !(2..=ORDER_ITEMS_MAX).contains(&self.order_items_max),
                "items of an order are not between 2 and 10,000",
            ),
            (!(1..=10_000).contains(&self.partners), "partners of an item are not between 1 and 10,000"),
            (self.orders_min == 0, "orders of a pair are 0"),
        ];
        is_wrong
            .iter()
            .find(|(is_wrong, _)| *is_wrong)
            .map_or(Ok(()), |(_, what)| Err(CountsError::Setting(what)))
    }
}

fn heads_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("heads-{number}"))
}

/// Removes what the manifest does not name. What cannot be removed does no harm but to space.
fn sweep(folder: &Path, manifest: &Manifest) {
    let is_named = |name: &str| match name.split_once('-') {
        Some(("heads", number)) => number == manifest.heads.to_string(),
        Some(("segment", number)) => manifest.segments.iter().any(|entry| entry.number.to_string() == number),
        Some(("run", _)) => false,
        _ => true,
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if !is_named(&entry.file_name().to_string_lossy()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
