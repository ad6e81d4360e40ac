//! Ranking: the best partners of each item, kept exact from day to day without counting all pairs again.
//!
//! A head holds more partners than are asked for, and a bound on the ranks of all others (the materialised top-k views of
//! Yi, Yu, Yang, Xia and Chen, ICDE 2003). By [`Score`]'s promises a partner outside climbs only where the pair is in a
//! new order or the partner is in fewer orders than before; what such pairs count now is counted exactly ([`changes`]),
//! and whoever ranks above the bound comes in. Where the bound has come up to the last partner that is asked for, as what was
//! above it fell, the whole row is counted anew. What ranks below its head's bound may be out of date.
//!
//! [`changes`]: super::changes

use std::{borrow::Cow, cell::Cell, cmp::Ordering};

use super::{
    CountsError,
    changes::Change,
    count::Count,
    heads::{Head, Heads, entries},
    names::Names,
    rows::{Scratch, Source, on_all_cores},
    score::Score,
};

/// Compares ranks that were rounded on different ways.
const SLACK: f64 = 1.0 + 1e-9;

/// Holds what ranks depend on beside a pair's own count.
pub(super) struct Ranking<'a, S> {
    pub(super) score: &'a S,
    pub(super) names: &'a Names,
    /// The weight of one order of one item of the latest day.
    pub(super) today: f64,
    pub(super) totals: &'a [Count],
    pub(super) rises: Vec<f64>,
    pub(super) partners: usize,
    pub(super) orders_min: u32,
}

/// Is the heads of all items as they stand in a file, those that did not change borrowed from the file before.
type EncodedHeads<'h> = Vec<Cow<'h, [u8]>>;

/// Is a partner with its rank.
#[derive(Clone, Copy)]
pub(super) struct Ranked {
    pub(super) rank: f64,
    pub(super) item: u32,
    pub(super) count: Count,
}

impl<'a, S: Score> Ranking<'a, S> {
    pub(super) fn new(
        (score, names): (&'a S, &'a Names),
        today: f64,
        totals: &'a [Count],
        (partners, orders_min): (usize, u32),
    ) -> Self {
        let rise = |total: &Count| if total.weight() == 0 { 0.0 } else { score.rise(total.weight() as f64) };
        let rises = totals.iter().map(rise).collect();
        Self { score, names, today, totals, rises, partners, orders_min: orders_min.max(1) }
    }

    /// Returns how many partners a head has room for: with twice as many as are asked for, the bound is well below.
    fn room(&self) -> usize {
        2 * self.partners
    }

    /// Returns the rank of a partner, or `None` where it does not count as one.
    fn rank(&self, item: u32, count: Count) -> Option<f64> {
        let counts = count.orders() >= self.orders_min && count.weight() > 0;
        let rank = || self.score.rank(count.weight() as f64, self.rises[item as usize], self.today);
        counts.then(rank).filter(|rank| *rank > 0.0)
    }

    /// Returns the partners of a head that are asked for, best first.
    pub(super) fn best(&self, head: &Head) -> Vec<Ranked> {
        let mut ranked = self.ranked(head);
        if ranked.len() > self.partners {
            self.cut(&mut ranked, self.partners);
        }
        ranked.sort_unstable_by(|a, b| self.best_first(a, b));
        ranked
    }

    fn ranked(&self, head: &Head) -> Vec<Ranked> {
        let ranked =
            |&(item, count): &(u32, Count)| self.rank(item, count).map(|rank| Ranked { rank, item, count });
        head.entries.iter().filter_map(ranked).collect()
    }

    /// Makes the head of an item from its whole row.
    pub(super) fn select(&self, item: u32, row: &mut Scratch) -> Head {
        let bound = Cell::new(0.0);
        let mut selection = Selection { ranking: self, item, found: Vec::new(), bound: &bound };
        // Nearly all end here: a pair of too few orders, or one that ranks below the bound.
        let may_matter = |rise, count: Count| {
            (count.orders() >= self.orders_min)
                & self.score.may_reach(bound.get(), count.float_weight(), rise, self.today)
        };
        row.drain_those(&self.rises, may_matter, |other, count| selection.offer(other, count));
        let Selection { mut found, .. } = selection;
        let mut bound = bound.get();
        if found.len() > self.room() {
            bound = self.cut(&mut found, self.room());
        }
        head(found, bound)
    }

    /// Says whether a change may bring a partner among the best of a head whose bound this is.
    pub(super) fn matters(&self, change: &Change, bound: f64) -> bool {
        self.rank(change.with, change.count).is_some_and(|rank| rank >= bound)
    }

    /// Makes the heads of all items from those before and from changes, and from as few whole rows as are needed.
    ///
    /// `counted` gives rows of all orders.
    pub(super) fn update<'h>(
        &self,
        old: &'h Heads,
        changes: &[Change],
        counted: impl Fn(&[u32]) -> Result<Source, CountsError>,
    ) -> Result<(EncodedHeads<'h>, usize), CountsError> {
        let count = self.totals.len();
        let renewed = |item: usize, _: &mut ()| {
            let from = changes.partition_point(|change| (change.of as usize) < item);
            let of_item = &changes[from..];
            let of_item = &of_item[..of_item.partition_point(|change| change.of as usize == item)];
            Ok(match of_item {
                [] => self.holds(old, item as u32).then(|| Cow::Borrowed(old.encoded(item as u32))),
                _ => self.renewed(old.get(item as u32), of_item).map(|head| Cow::Owned(head.encoded())),
            })
        };
        let renewed: Vec<Option<Cow<[u8]>>> = on_all_cores(count, || (), renewed)?;
        let lost: Vec<u32> =
            (0..).zip(&renewed).filter(|(_, head)| head.is_none()).map(|(item, _)| item).collect();
        let heads = counted(&lost)?.map(&lost, count, |item, row| self.select(item, row).encoded())?;
        let mut heads = heads.into_iter().map(Cow::Owned);
        let encoded =
            renewed.into_iter().map(|head| head.or_else(|| heads.next()).expect("what was lost is counted"));
        Ok((encoded.collect(), lost.len()))
    }

    /// Says whether enough of a head's partners still rank above its bound.
    fn holds(&self, heads: &Heads, item: u32) -> bool {
        let bound = heads.bound(item) * SLACK;
        let ranks = entries(heads.encoded(item)).filter_map(|(item, count)| self.rank(item, count));
        bound == 0.0 || ranks.filter(|rank| *rank > bound).take(self.partners).count() == self.partners
    }

    /// Takes changes up into a head; `None` where its bound has come up to the last partner that is asked for.
    fn renewed(&self, mut head: Head, changes: &[Change]) -> Option<Head> {
        let known = head.entries.len();
        for change in changes {
            match head.entries[..known].binary_search_by_key(&change.with, |(item, _)| *item) {
                Ok(place) => head.entries[place].1 = change.count,
                // The same change again, of another order.
                Err(_) if head.entries[known..].last().is_some_and(|(item, _)| *item == change.with) => {}
                Err(_) => head.entries.push((change.with, change.count)),
            }
        }
        let (mut ranked, mut bound) = (self.ranked(&head), head.bound);
        ranked.retain(|one| one.rank >= bound);
        if ranked.len() > self.room() {
            bound = bound.max(self.cut(&mut ranked, self.room()));
        }
        let above = || ranked.iter().filter(|one| one.rank > bound * SLACK).count();
        (bound == 0.0 || above() >= self.partners).then(|| self::head(ranked, bound))
    }

    /// Orders by rank, the highest first, and where it is the same by name.
    fn best_first(&self, a: &Ranked, b: &Ranked) -> Ordering {
        b.rank.total_cmp(&a.rank).then_with(|| self.names.compare(a.item, b.item))
    }

    /// Keeps the best, and returns the rank of the last of them.
    fn cut(&self, ranked: &mut Vec<Ranked>, count: usize) -> f64 {
        let last = ranked.select_nth_unstable_by(count - 1, |a, b| self.best_first(a, b)).1.rank;
        ranked.truncate(count);
        last
    }
}

/// Is a head in the making: the best so far, and some more until there are enough to be cut.
struct Selection<'r, S> {
    ranking: &'r Ranking<'r, S>,
    item: u32,
    found: Vec<Ranked>,
    bound: &'r Cell<f64>,
}

impl<S: Score> Selection<'_, S> {
    // Not inlined, so that the loop around it stays small.
    #[inline(never)]
    fn offer(&mut self, item: u32, count: Count) {
        let rank =
            self.ranking.rank(item, count).filter(|rank| *rank >= self.bound.get() && item != self.item);
        let Some(rank) = rank else { return };
        self.found.push(Ranked { rank, item, count });
        if self.found.len() == 4 * self.ranking.room() {
            self.bound.set(self.ranking.cut(&mut self.found, self.ranking.room()));
        }
    }
}

fn head(mut ranked: Vec<Ranked>, bound: f64) -> Head {
    ranked.sort_unstable_by_key(|one| one.item);
    Head { bound, entries: ranked.into_iter().map(|one| (one.item, one.count)).collect() }
}
