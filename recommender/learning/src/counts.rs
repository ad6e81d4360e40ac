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
//! - **New orders** are a segment of their own, and the rows of it alone say which pairs changed. The heads are kept exact by
//!   bounds, and only where these do not suffice are rows counted anew ([`ranking`]). Small segments are put together, each
//!   time two of like size meet (O'Neil, Cheng, Gawlick and O'Neil, *The Log-Structured Merge-Tree*, 1996).
//! - **Memory** is a setting. Gathered orders become a segment when they take half of it. Segments that do not fit together
//!   are counted one after the other, each spilling its rows to a file; rows are then added up from these.
//!
//! Rules: an order that was told before (by its id) does not count again, whatever it then holds. What is given back later leaves
//! its order, which keeps its day and its length; a return of what was not told is nothing. Of an order that is too long a hash
//! draws the items that count; the others are as if they were not in it. Days come in any order.
//!
//! A folder of counts holds `manifest`, `heads-N` and `segment-N`, every file beginning with
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `CWCOUNTS` |
//! | 4 | version, 1 |
//! | 4 | kind: 1 manifest, 2 segment, 3 heads |
//! | 12 each | per section: how many bytes (u64), and their CRC-32 |
//! | 4 | CRC-32 of all before |
//!
//! and then its sections, all numbers little-endian. The manifest names the others and is replaced last: whatever breaks off leaves the
//! counts as they were, and what it wrote is swept at the next addition. One process adds at a time.

mod batch;
mod bytes;
mod count;
mod frame;
mod heads;
mod manifest;
mod orders;
mod ranking;
mod rows;
mod score;
mod segment;
mod weighing;

#[cfg(test)]
mod tests;

use std::{
    cell::RefCell,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use self::{
    batch::Settled,
    count::{Count, ORDERS_OF_ITEM_MAX},
    score::{Lift, Score, ShrunkCosine},
    weighing::{ORDER_ITEMS_MAX, Weighing},
};
use self::{
    batch::{Batch, Earlier, merged},
    heads::{Basis, Heads},
    manifest::{Entry, Manifest},
    orders::Orders,
    ranking::Ranking,
    rows::{Run, Source, on_all_cores},
    segment::Segment,
    weighing::{Scale, draw},
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
    #[error("{path} {fault}; remove the folder, and all orders are counted anew")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: Fault,
    },
    /// A folder was begun with another limit on an order's items.
    #[error(
        "{path} pairs {found} items of an order, not {wanted}; remove the folder, and all orders are counted anew"
    )]
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
    #[error("is of version {0}, and this program reads version 1")]
    Version(u32),
    /// It is cut off or damaged.
    #[error("is torn")]
    Torn,
}

impl CountsError {
    fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.into(), error }
    }
}

/// Holds counts in a folder.
pub struct Counts<S> {
    folder: PathBuf,
    settings: Settings,
    score: S,
    manifest: Manifest,
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
    /// Orders that count, also those that were given back later.
    pub orders: u64,
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
        Ok(Self { folder: folder.into(), settings, score, manifest, heads })
    }

    /// Begins to add orders; nothing changes before [`Addition::finish`].
    pub fn add(&mut self) -> Addition<'_, S> {
        Addition {
            manifest: self.manifest.clone(),
            counts: self,
            batch: Batch::default(),
            added: Added::default(),
            new: Vec::new(),
            held: None,
            items: Vec::new(),
        }
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
        let weights = (scale.day(manifest.latest_day), scale.heaviest_pair());
        Ranking::new(&self.score, weights, totals, (self.settings.partners, self.settings.orders_min))
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

    fn shelf(&self, manifest: &Manifest) -> Shelf<'_> {
        let (count, partners) = (manifest.item_count as usize, self.settings.partners);
        let needed_bytes = count * (crate::cores() * 12 + 2 * 8 * 2 * partners);
        Shelf {
            folder: &self.folder,
            scale: self.scale(manifest),
            item_count: manifest.item_count,
            room_bytes: self.settings.memory_bytes.saturating_sub(needed_bytes),
            held: RefCell::default(),
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

/// Gathers new orders; what is not finished changes nothing.
pub struct Addition<'a, S> {
    counts: &'a mut Counts<S>,
    /// As it will be.
    manifest: Manifest,
    batch: Batch,
    added: Added,
    /// The segments of this addition.
    new: Vec<Entry>,
    /// The last of them, still in memory.
    held: Option<(u64, Arc<Segment>)>,
    items: Vec<u32>,
}

impl<S: Score> Addition<'_, S> {
    /// Adds an order: a number of its own (for a name, a hash of 64 bits), its day since 1970, and its items, in any
    /// order and however often each.
    ///
    /// # Errors
    /// Where an item is beyond [`ITEMS_MAX`], or the disk refuses what no longer fits in memory.
    pub fn order(&mut self, id: u64, day: i32, items: &[u32]) -> Result<(), CountsError> {
        self.items.clear();
        self.items.extend_from_slice(items);
        let length = draw(id, &mut self.items, self.counts.settings.order_items_max);
        if let Some(&highest) = self.items.last() {
            if highest >= ITEMS_MAX {
                return Err(CountsError::Item(highest));
            }
            self.manifest.item_count = self.manifest.item_count.max(highest + 1);
        }
        self.manifest.latest_day = self.manifest.latest_day.max(day);
        self.batch.orders.push_items(id, day, length, &self.items);
        self.flush_when_full()
    }

    /// Takes items out of an order that was told before, or all of it.
    ///
    /// # Errors
    /// Where the disk refuses what no longer fits in memory.
    pub fn give_back(&mut self, id: u64, items: Option<&[u32]>) -> Result<(), CountsError> {
        self.batch.give_back(id, items.map(<[u32]>::to_vec));
        self.flush_when_full()
    }

    /// Counts what was added, writes it, and makes it what the counts are.
    ///
    /// # Errors
    /// Where the disk refuses, a file is torn, or an item has too many orders. The counts are then as they were.
    pub fn finish(mut self) -> Result<Added, CountsError> {
        self.flush()?;
        let basis = self.counts.basis(&self.manifest);
        let is_current = self.counts.heads.as_ref().is_some_and(|heads| heads.basis == basis);
        if self.new.is_empty() && is_current
            || self.manifest.item_count == 0 && self.manifest.segments.is_empty()
        {
            return Ok(self.added);
        }
        let heads = self.heads(basis)?;
        self.manifest.heads = self.next_number();
        heads.write(&heads_path(&self.counts.folder, self.manifest.heads))?;
        self.tidy_up()?;
        self.manifest.write(&self.counts.folder)?;
        self.counts.heads = Some(heads);
        self.counts.manifest = self.manifest;
        sweep(&self.counts.folder, &self.counts.manifest);
        Ok(self.added)
    }

    fn next_number(&mut self) -> u64 {
        self.manifest.next += 1;
        self.manifest.next - 1
    }

    fn flush_when_full(&mut self) -> Result<(), CountsError> {
        let gathered = self.batch.bytes() + self.batch.orders.gaps.len() * 2;
        let is_full =
            gathered > self.counts.settings.memory_bytes / 2 || self.batch.orders.gaps.len() > 1 << 31;
        if is_full { self.flush() } else { Ok(()) }
    }

    /// Makes a segment of what was gathered.
    fn flush(&mut self) -> Result<(), CountsError> {
        if self.batch.is_empty() {
            return Ok(());
        }
        // What was held is weighed as of the days that were known then.
        self.held = None;
        let (orders, settled) = std::mem::take(&mut self.batch).settle(&*self)?;
        self.added.settled.orders_told_again += settled.orders_told_again;
        self.added.settled.returns_of_nothing += settled.returns_of_nothing;
        if orders.len() == 0 {
            return Ok(());
        }
        self.added.orders += orders.marks.iter().filter(|&&mark| !orders::is_taken_back(mark)).count() as u64;
        let (entry, segment) = self.write(orders)?;
        self.manifest.segments.push(entry);
        self.new.push(entry);
        let most: u64 = self.manifest.segments.iter().map(|entry| u64::from(entry.orders_of_item)).sum();
        if most > ORDERS_OF_ITEM_MAX {
            return Err(CountsError::Orders(most));
        }
        self.held = Some((entry.number, Arc::new(segment)));
        Ok(())
    }

    fn write(&mut self, orders: Orders) -> Result<(Entry, Segment), CountsError> {
        let mut entry = Entry {
            number: self.next_number(),
            orders: orders.len() as u64,
            words: orders.gaps.len() as u64,
            orders_of_item: 0,
        };
        let scale = self.counts.scale(&self.manifest);
        let path = entry.path(&self.counts.folder);
        let (segment, most) = Segment::write(&path, orders, self.manifest.item_count as usize, &scale)?;
        entry.orders_of_item = most;
        Ok((entry, segment))
    }

    /// Makes the heads of all items: by what changed, or where that would not be less work, or other work, from all rows.
    fn heads(&mut self, basis: Basis) -> Result<Heads, CountsError> {
        let count = self.manifest.item_count as usize;
        let scale = self.counts.scale(&self.manifest);
        let words = |entries: &[Entry]| entries.iter().map(|entry| entry.words).sum::<u64>();
        let is_little = words(&self.new) * PART_THAT_CHANGES <= words(&self.manifest.segments);
        let old = self.counts.heads.as_ref().filter(|old| {
            is_little
                && Basis { latest_day: basis.latest_day, ..old.basis.clone() } == basis
                && Scale::new(old.basis.weighing, old.basis.latest_day) == scale
        });
        let shelf = self.counts.shelf(&self.manifest);
        shelf.held.borrow_mut().extend(self.held.take());
        let mut all = old.map_or((0, 0), |old| (old.all.0 as i64, old.all.1 as i64));
        let mut totals = old.map_or_else(Vec::new, |old| old.totals.clone());
        totals.resize(count, Count::default());
        for entry in if old.is_some() { &self.new } else { &self.manifest.segments } {
            let (orders, weight) = shelf.segment(entry)?.add_totals(&mut totals);
            all = (all.0 + orders, all.1 + weight);
        }
        let ranking = self.counts.ranking(&self.manifest, &totals);
        let items: Vec<u32> = (0..count as u32).collect();
        let (encoded, rows) = match old {
            Some(old) => {
                let was = |item: u32| old.totals.get(item as usize).map_or(0, |was| was.weight());
                let fell: Vec<u32> = items
                    .iter()
                    .copied()
                    .filter(|&item| totals[item as usize].weight() < was(item))
                    .collect();
                let added = shelf.source(&self.new, &items)?;
                ranking.update(old, &added, &fell, |rows| shelf.source(&self.manifest.segments, rows))?
            }
            None => {
                let source = shelf.source(&self.manifest.segments, &items)?;
                let heads = source.map(&items, count, |item, row| ranking.select(item, row).encoded())?;
                (heads, count)
            }
        };
        self.added.rows_counted = rows as u64;
        Ok(Heads::new(basis, (all.0 as u64, all.1 as u64), totals, &encoded))
    }

    /// Puts the latest segments together while the one before is not twice as long, and both fit.
    fn tidy_up(&mut self) -> Result<(), CountsError> {
        while let [.., before, last] = self.manifest.segments[..] {
            let (orders, words) =
                ((before.orders + last.orders) as usize, (before.words + last.words) as usize);
            let bytes = Segment::bytes(orders, words, self.manifest.item_count as usize);
            if before.words >= 2 * last.words || 2 * bytes > self.counts.settings.memory_bytes {
                return Ok(());
            }
            let read = |entry: &Entry| Segment::read_orders(&entry.path(&self.counts.folder));
            let orders = merged(vec![read(&before)?, read(&last)?]);
            let (entry, _) = self.write(orders)?;
            self.manifest.segments.truncate(self.manifest.segments.len() - 2);
            self.manifest.segments.push(entry);
        }
        Ok(())
    }
}

impl<S: Score> Earlier for Addition<'_, S> {
    type Error = CountsError;

    fn segments(&self) -> usize {
        self.manifest.segments.len()
    }

    fn ids(&self, segment: usize) -> Result<Vec<u64>, CountsError> {
        Segment::read_ids(&self.manifest.segments[segment].path(&self.counts.folder))
    }

    fn orders(&self, segment: usize) -> Result<Orders, CountsError> {
        Segment::read_orders(&self.manifest.segments[segment].path(&self.counts.folder))
    }
}

/// Is where segments are kept while rows are counted.
struct Shelf<'a> {
    folder: &'a Path,
    scale: Scale,
    item_count: u32,
    /// What segments may take together.
    room_bytes: usize,
    held: RefCell<Vec<(u64, Arc<Segment>)>>,
}

impl Shelf<'_> {
    /// Returns a segment, read where it is not there yet; others make room where they must.
    fn segment(&self, wanted: &Entry) -> Result<Arc<Segment>, CountsError> {
        let mut held = self.held.borrow_mut();
        if let Some((_, segment)) = held.iter().find(|(number, _)| *number == wanted.number) {
            return Ok(segment.clone());
        }
        let bytes: usize = held.iter().map(|(_, segment)| segment.held_bytes()).sum();
        if bytes + wanted.bytes(self.item_count) > self.room_bytes {
            held.clear();
        }
        let path = wanted.path(self.folder);
        let segment = Arc::new(Segment::read(&path, self.item_count as usize, &self.scale)?);
        held.push((wanted.number, segment.clone()));
        Ok(segment)
    }

    /// Returns where the rows of some items come from: all segments in memory, or where they do not fit a run for each.
    fn source(&self, segments: &[Entry], items: &[u32]) -> Result<Source, CountsError> {
        let bytes: usize = segments.iter().map(|entry| entry.bytes(self.item_count)).sum();
        if items.is_empty() {
            Ok(Source::Segments(Vec::new()))
        } else if bytes <= self.room_bytes || segments.len() == 1 {
            Ok(Source::Segments(segments.iter().map(|entry| self.segment(entry)).collect::<Result<_, _>>()?))
        } else {
            let run = |entry: &Entry| {
                let path = self.folder.join(format!("run-{}", entry.number));
                Run::spill(&path, self.segment(entry)?, items, self.item_count as usize)
            };
            Ok(Source::Runs(segments.iter().map(run).collect::<Result<_, _>>()?))
        }
    }
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
