//! Ranking: the best partners of each item, kept exact from day to day without counting all pairs again.
//!
//! A head holds more partners than are asked for, and a bound on the ranks of all others (the materialised top-k views of
//! Yi, Yu, Yang, Xia and Chen, ICDE 2003). New orders raise a pair outside by no more than [`Score`] allows, so most need
//! no look: they stay below the last partner that is asked for. A pair that may pass it is counted exactly, in the row of
//! whichever of the two has fewer orders, for a pair has the same count in both. Where the bound has come up to that last
//! partner, the whole row is counted anew.

use super::{
    CountsError,
    count::Count,
    heads::{Head, Heads},
    rows::{Scratch, Source},
    score::Score,
};

/// Compares ranks that were rounded on different ways.
const SLACK: f64 = 1.0 + 1e-9;

/// Holds what ranks depend on beside a pair's own count.
pub(super) struct Ranking<'a, S> {
    pub(super) score: &'a S,
    /// The weight of one order of one item of the latest day.
    pub(super) today: f64,
    /// The most that an order of several items weighs.
    pub(super) heaviest: f64,
    pub(super) totals: &'a [Count],
    pub(super) rises: Vec<f64>,
    pub(super) partners: usize,
    pub(super) orders_min: u32,
}

/// Is a partner with its rank.
#[derive(Clone, Copy)]
pub(super) struct Ranked {
    pub(super) rank: f64,
    pub(super) item: u32,
    pub(super) count: Count,
}

/// Says what became of a head.
enum Outcome {
    /// It is exact.
    Done(Head),
    /// It is exact with the counts of these partners.
    Asks(Head, Vec<u32>),
    /// Its row must be counted.
    Lost,
}

impl<'a, S: Score> Ranking<'a, S> {
    pub(super) fn new(
        score: &'a S,
        (today, heaviest): (f64, f64),
        totals: &'a [Count],
        (partners, orders_min): (usize, u32),
    ) -> Self {
        let rise = |total: &Count| if total.weight() == 0 { 0.0 } else { score.rise(total.weight() as f64) };
        let rises = totals.iter().map(rise).collect();
        Self { score, today, heaviest, totals, rises, partners, orders_min: orders_min.max(1) }
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
        sort_best(&mut ranked);
        ranked.truncate(self.partners);
        ranked
    }

    fn ranked(&self, head: &Head) -> Vec<Ranked> {
        let ranked =
            |&(item, count): &(u32, Count)| self.rank(item, count).map(|rank| Ranked { rank, item, count });
        head.entries.iter().filter_map(ranked).collect()
    }

    /// Makes the head of an item from its whole row.
    pub(super) fn select(&self, item: u32, row: &mut Scratch) -> Head {
        let (room, mut bound) = (self.room(), 0.0);
        let mut found: Vec<Ranked> = Vec::with_capacity(4 * room);
        let mut is_all = true;
        row.drain(|other, count| {
            // Nearly all end here: a pair of too few orders, or one that no rank could bring past the bound.
            if count.orders() < self.orders_min || other == item {
                return;
            }
            let most = count.weight() as f64 * self.rises[other as usize];
            let Some(rank) = (most >= bound).then(|| self.rank(other, count)).flatten() else {
                is_all = false;
                return;
            };
            if rank < bound {
                is_all = false;
                return;
            }
            found.push(Ranked { rank, item: other, count });
            if found.len() == 4 * room {
                bound = cut(&mut found, room);
                is_all = false;
            }
        });
        if found.len() > room {
            bound = cut(&mut found, room);
            is_all = false;
        }
        head(found, if is_all { 0.0 } else { bound.max(f64::MIN_POSITIVE) })
    }

    /// Makes the heads of all items from those before, what new orders added, and as few whole rows as are needed.
    ///
    /// `fell` are the items that weigh less than before: whatever they are bought with may climb, so they are counted.
    /// `counted` gives rows of all orders.
    pub(super) fn update(
        &self,
        old: &Heads,
        added: &Source,
        fell: &[u32],
        counted: impl Fn(&[u32]) -> Result<Source, CountsError>,
    ) -> Result<(Vec<Vec<u8>>, usize), CountsError> {
        let count = self.totals.len();
        let known = if fell.is_empty() { Vec::new() } else { self.partners_of(fell, &counted(fell)?)? };
        let items: Vec<u32> = (0..count as u32).collect();
        let outcomes = added.map(&items, count, |item, row| {
            let from = known.partition_point(|(of, ..)| *of < item);
            let to = known.partition_point(|(of, ..)| *of <= item);
            self.outcome(item, old.get(item), row, &known[from..to])
        })?;
        // Who is asked, and on whose behalf.
        let mut asks: Vec<(u32, u32)> = Vec::new();
        let mut rows: Vec<u32> = Vec::new();
        for (item, outcome) in items.iter().zip(&outcomes) {
            match outcome {
                Outcome::Done(_) => {}
                Outcome::Asks(_, whom) => asks.extend(whom.iter().map(|&other| (other, *item))),
                Outcome::Lost => rows.push(*item),
            }
        }
        asks.sort_unstable();
        let lost = rows.clone();
        rows.extend(asks.iter().map(|(other, _)| *other));
        rows.sort_unstable();
        rows.dedup();
        let source = counted(&rows)?;
        let found = source.map(&rows, count, |item, row| {
            let from = asks.partition_point(|(of, _)| *of < item);
            let of_item = asks[from..].iter().take_while(|(of, _)| *of == item);
            let answers: Vec<_> = of_item.map(|&(_, asker)| (asker, item, row.of(asker))).collect();
            let head = lost.binary_search(&item).is_ok().then(|| self.select(item, row).encoded());
            (answers, head)
        })?;
        drop(source);
        let (answers, heads): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let mut answers: Vec<(u32, u32, Count)> = answers.concat();
        answers.sort_unstable_by_key(|&(asker, item, _)| (asker, item));
        let mut answers = answers.chunk_by(|a, b| a.0 == b.0);
        let mut heads = heads.into_iter().flatten();
        let encoded = outcomes.into_iter().map(|outcome| match outcome {
            Outcome::Done(head) => head.encoded(),
            Outcome::Asks(head, _) => {
                let answers = answers.next().expect("whoever asked is answered");
                self.joined(head, answers).encoded()
            }
            Outcome::Lost => heads.next().expect("every row that was lost was counted"),
        });
        Ok((encoded.collect(), rows.len()))
    }

    /// Returns (partner, item, count) for all partners of items, by partner.
    fn partners_of(&self, items: &[u32], source: &Source) -> Result<Vec<(u32, u32, Count)>, CountsError> {
        let rows = source.map(items, self.totals.len(), |item, row| {
            let mut partners = Vec::new();
            row.drain(|other, count| partners.push((other, item, count)));
            partners.retain(|(other, ..)| *other != item);
            partners
        })?;
        let mut all = rows.concat();
        all.sort_unstable_by_key(|&(partner, item, _)| (partner, item));
        Ok(all)
    }

    fn outcome(
        &self,
        item: u32,
        mut head: Head,
        gained: &mut Scratch,
        known: &[(u32, u32, Count)],
    ) -> Outcome {
        for (other, count) in &mut head.entries {
            *count = count.plus(gained.take(*other));
        }
        let kept = head.entries.len();
        for &(_, other, count) in known {
            gained.take(other);
            if head.entries[..kept].binary_search_by_key(&other, |(item, _)| *item).is_err() {
                head.entries.push((other, count));
            }
        }
        let mut ranked = self.ranked(&head);
        let mut bound = head.bound.max(self.weightless(head.entries.iter().map(|(_, count)| *count)));
        let mut rest: Vec<(u32, Count)> = Vec::new();
        let is_whole = head.bound == 0.0;
        gained.drain(|other, count| {
            if other == item {
            } else if is_whole && self.orders_min == 1 {
                // Outside a whole head nothing was, so this is all there is.
                ranked.extend(self.rank(other, count).map(|rank| Ranked { rank, item: other, count }));
                bound = bound.max(self.weightless([count]));
            } else {
                rest.push((other, count));
            }
        });
        if ranked.len() > self.room() {
            bound = bound.max(cut(&mut ranked, self.room()));
        }
        let last = self.last(&mut ranked);
        let mut asks = Vec::new();
        for (other, count) in rest {
            let most = self.most(item, other, count, head.bound);
            if most * SLACK < last {
                bound = bound.max(most);
            } else if most > 0.0 {
                asks.push(other);
            }
        }
        if bound > 0.0 && bound * SLACK >= last {
            return Outcome::Lost;
        }
        let orders = |item: u32| u64::from(self.totals[item as usize].orders());
        let price: u64 = asks.iter().map(|&other| orders(other)).sum();
        let head = self::head(ranked, bound);
        match () {
            () if asks.is_empty() => Outcome::Done(head),
            () if price >= orders(item) => Outcome::Lost,
            () => Outcome::Asks(head, asks),
        }
    }

    /// Returns the rank of the last partner that is asked for, 0 where there are fewer.
    fn last(&self, ranked: &mut [Ranked]) -> f64 {
        if ranked.len() < self.partners {
            return 0.0;
        }
        ranked.select_nth_unstable_by(self.partners - 1, best_first).1.rank
    }

    /// Returns the most that a partner outside a head may rank now, having gained so much.
    fn most(&self, item: u32, other: u32, gained: Count, bound: f64) -> f64 {
        let rise = self.rises[other as usize];
        let weight = gained.weight_gained().max(0) as f64;
        // It was ranked and below the bound, or had too few orders to be ranked.
        let was_ranked = if bound > 0.0 { bound + weight * rise } else { 0.0 };
        let had_too_few = (weight + f64::from(self.orders_min - 1) * self.heaviest) * rise;
        let lighter = self.totals[item as usize].weight().min(self.totals[other as usize].weight());
        was_ranked.max(had_too_few).min(lighter as f64 * rise)
    }

    /// Returns a bound above 0 where one of the counts has orders that are too old to weigh anything: it does not rank, but
    /// it may not be forgotten as nothing either.
    fn weightless(&self, counts: impl IntoIterator<Item = Count>) -> f64 {
        let is = |count: Count| count.weight() == 0 && count.orders() >= self.orders_min;
        if counts.into_iter().any(is) { f64::MIN_POSITIVE } else { 0.0 }
    }

    /// Adds counts to a head.
    fn joined(&self, head: Head, counts: &[(u32, u32, Count)]) -> Head {
        let mut ranked = self.ranked(&head);
        let rank = |&(_, item, count): &(u32, u32, Count)| {
            self.rank(item, count).map(|rank| Ranked { rank, item, count })
        };
        ranked.extend(counts.iter().filter_map(rank));
        let mut bound = head.bound.max(self.weightless(counts.iter().map(|(.., count)| *count)));
        if ranked.len() > self.room() {
            bound = bound.max(cut(&mut ranked, self.room()));
        }
        self::head(ranked, bound)
    }
}

/// Orders by rank, the highest first, and where it is the same by item.
fn best_first(a: &Ranked, b: &Ranked) -> std::cmp::Ordering {
    b.rank.total_cmp(&a.rank).then(a.item.cmp(&b.item))
}

pub(super) fn sort_best(ranked: &mut [Ranked]) {
    ranked.sort_unstable_by(best_first);
}

/// Keeps the best, and returns the rank of the last of them.
fn cut(ranked: &mut Vec<Ranked>, count: usize) -> f64 {
    let last = ranked.select_nth_unstable_by(count - 1, best_first).1.rank;
    ranked.truncate(count);
    last
}

fn head(mut ranked: Vec<Ranked>, bound: f64) -> Head {
    ranked.sort_unstable_by_key(|one| one.item);
    Head { bound, entries: ranked.into_iter().map(|one| (one.item, one.count)).collect() }
}
