//! New orders, and how counts take them up.

use std::{borrow::Cow, sync::Arc};

use super::{
    Added, Counts, CountsError, ITEMS_MAX, ORDERS_OF_ITEM_MAX, PART_THAT_CHANGES, Score,
    batch::{Batch, Earlier, merged},
    changes::{self, Change},
    count::Count,
    heads::{Basis, Heads},
    heads_path,
    manifest::{Entry, Manifest},
    orders::{self, Orders},
    rows::{Scratch, Source},
    segment::Segment,
    shelf::Shelf,
    sweep,
    weighing::Scale,
};
use crate::draw::draw;

impl<S: Score> Counts<S> {
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
}

/// Heads to be changed, the new segments, and all.
type Changing<'a> = (&'a Heads, Vec<Arc<Segment>>, Vec<Arc<Segment>>);

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
    /// Returns the number of an item by its name, the next one where it is new; where one item has a name, all have.
    pub fn number(&mut self, name: &str) -> u32 {
        self.counts.names.number(name)
    }

    /// Adds an order: a number of its own (for a name, a hash of 64 bits), its day since 1970, and its items, in any
    /// order and however often each.
    ///
    /// # Errors
    /// Where an item is beyond [`ITEMS_MAX`], or the disk refuses what no longer fits in memory.
    pub fn order(&mut self, id: u64, day: i32, items: &[u32]) -> Result<(), CountsError> {
        self.items.clear();
        self.items.extend_from_slice(items);
        let Counts { settings, names, .. } = &*self.counts;
        let length = draw(id, &mut self.items, settings.order_items_max, |item| names.hash(item));
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
        // An order that was told before counts for nothing, and may all the same name a new item or a later day.
        let is_current = self.counts.heads.as_ref().is_some_and(|heads| {
            heads.basis == basis && heads.totals.len() == self.manifest.item_count as usize
        });
        if self.new.is_empty() && is_current
            || self.manifest.item_count == 0 && self.manifest.segments.is_empty()
        {
            return Ok(self.added);
        }
        let held = self.held.take();
        let (heads, rows) = self.heads(held, basis)?;
        self.added.rows_counted = rows as u64;
        self.manifest.heads = self.next_number();
        heads.write(&heads_path(&self.counts.folder, self.manifest.heads))?;
        self.tidy_up()?;
        if self.manifest.names != self.counts.names.len() {
            self.counts.names.write(&self.counts.folder)?;
            self.manifest.names = self.counts.names.len();
        }
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
        // An order of before that is taken back is told again with what is left of it.
        let before = orders.marks.iter().filter(|&&mark| orders::is_taken_back(mark)).count();
        self.added.orders += (orders.len() - 2 * before) as u64;
        self.added.orders_changed += before as u64;
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

    /// Makes the heads of all items, by what changed or from all rows, and says how many rows were counted.
    fn heads(&self, held: Option<(u64, Arc<Segment>)>, basis: Basis) -> Result<(Heads, usize), CountsError> {
        let items: Vec<u32> = (0..self.manifest.item_count).collect();
        let segments = &self.manifest.segments;
        let shelf = self.counts.shelf(&self.manifest);
        shelf.held.borrow_mut().extend(held);
        let changing = self.changing(&shelf, &basis)?;
        let old = changing.as_ref().map(|(old, ..)| *old);
        let mut all = old.map_or((0, 0), |old| (old.all.0 as i64, old.all.1 as i64));
        let mut totals = old.map_or_else(Vec::new, |old| old.totals.clone());
        totals.resize(items.len(), Count::default());
        for entry in if old.is_some() { &self.new } else { segments } {
            let (orders, weight) = shelf.segment(entry)?.add_totals(&mut totals);
            all = (all.0 + orders, all.1 + weight);
        }
        let ranking = self.counts.ranking(&self.manifest, &totals);
        let (encoded, rows) = match changing {
            Some((old, new, all)) => {
                let fell = old.totals.iter().zip(&totals).map(|(was, is)| is.weight() < was.weight());
                let fell: Vec<u32> =
                    items.iter().copied().zip(fell).filter_map(|(item, fell)| fell.then_some(item)).collect();
                let bounds: Vec<f64> = items.iter().map(|&item| old.bound(item)).collect();
                let matters = |change: &Change| ranking.matters(change, bounds[change.of as usize]);
                let mut changed = changes::of_orders(&new, &all, items.len(), matters);
                changed.append(&mut changes::of_items(&fell, &Source::Segments(all), items.len(), matters)?);
                changed.sort_unstable_by_key(|change| (change.of, change.with));
                let (encoded, rows) = ranking.update(old, &changed, |rows| shelf.source(segments, rows))?;
                (encoded, rows + fell.len())
            }
            None => {
                let source = shelf.source(segments, &items)?;
                let select = |item, row: &mut Scratch| Cow::Owned(ranking.select(item, row).encoded());
                (source.map(&items, items.len(), select)?, items.len())
            }
        };
        Ok((Heads::new(basis, (all.0 as u64, all.1 as u64), totals, &encoded), rows))
    }

    /// Returns heads that differ from those that are to be by few new orders alone, these, and all orders, where they fit
    /// in memory together.
    fn changing(&self, shelf: &Shelf, basis: &Basis) -> Result<Option<Changing<'_>>, CountsError> {
        let is_of_same = |old: &&Heads| {
            Basis { latest_day: basis.latest_day, ..old.basis.clone() } == *basis
                && Scale::new(old.basis.weighing, old.basis.latest_day) == self.counts.scale(&self.manifest)
        };
        let words = |entries: &[Entry]| entries.iter().map(|entry| entry.words).sum::<u64>();
        let is_little = words(&self.new) * PART_THAT_CHANGES <= words(&self.manifest.segments);
        let Some(old) = self.counts.heads.as_ref().filter(is_of_same).filter(|_| is_little) else {
            return Ok(None);
        };
        let Some(all) = shelf.together(&self.manifest.segments)? else { return Ok(None) };
        let new = all[all.len() - self.new.len()..].to_vec();
        Ok(changes::are_few(&new, &all).then_some((old, new, all)))
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
