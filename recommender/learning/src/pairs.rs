//! Pairs: for one item after the other, how often each other item shared its entries.
//!
//! These are counted in memory, from entries as they are: those of slices that an evaluation or each value of a tuning cuts
//! anew, and of sessions, which are fewer again where histories are deleted. Of orders, which only grow and of which more
//! stand in a year than memory holds, [`crate::counts`] keeps by the same rules what was counted, and [`crate::together`] takes
//! it into a model.
//!
//! The counts are rows of AᵀWA, A being entries × items and W the entries' weights, taken one row at a time (Gustavson
//! 1978): memory grows with the items and the lines, never with the pairs, and the sums of a row are always added in the
//! same order, so that the same entries give the same pairs on any number of cores.

pub mod score;

use recommender::{
    lists::Entry,
    pairs::{Pair, Pairs},
    ragged::{self, Ragged},
};
use serde::{Deserialize, Serialize};

use crate::{
    DAY_MS,
    draw::{draw, hash},
    log::Slice,
    per_item,
};
pub use score::{Score, Table};

/// Says how entries weigh, and which pairs are kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How two items are scored.
    pub score: Score,
    /// The days after which an entry counts half.
    pub half_life_days: f64,
    /// The most partners kept per item.
    pub partners: usize,
    /// The fewest entries that must hold both items of a pair.
    pub min_support: u32,
    /// The weight of doubt of the shrunk cosine.
    pub shrink: f64,
    /// An entry of `n` items counts `n` to the power of minus this.
    pub length_power: f64,
    /// The most items of one entry that are paired; of a longer one so many are drawn, always the same.
    pub entry_items_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            score: Score::Cosine,
            half_life_days: 180.0,
            partners: 50,
            min_support: 2,
            shrink: 1.0,
            length_power: 1.0,
            entry_items_max: 500,
        }
    }
}

/// Counts what stands in the same entries, and keeps the best partners of each item, ties by their number.
pub fn count(entries: Slice<'_>, settings: &Settings) -> Pairs {
    let names = entries.log().items();
    let (mut held, mut weights) = (Ragged::default(), Vec::with_capacity(entries.len()));
    let (_, latest) = entries.span_ms();
    for (number, (at_ms, entry)) in entries.entries().enumerate() {
        let mut distinct = entry.to_vec();
        let name = |item: u32| hash(&names[item as usize]);
        // An entry's weight is that of its full length, also where only some of its items are paired.
        let length = draw(number as u64, &mut distinct, settings.entry_items_max, name);
        let share = f64::from(length.max(1)).powf(-settings.length_power);
        weights.push(decay(latest, at_ms, settings.half_life_days) * share);
        held.push(distinct);
    }
    let holders = holders(&held, names.len());
    let partners = partners(&Product { holders: &holders, held: &held, weights: &weights }, settings);
    let mut pairs = Pairs::default();
    for (item, partners) in partners.into_iter().enumerate() {
        pairs.push(holders.row(item as u32).len() as u32, partners);
    }
    pairs
}

/// Returns per item the entries that hold it.
pub(crate) fn holders(entries: &Ragged<u32>, items: usize) -> Ragged<u32> {
    ragged::holders(entries, items).into_iter().collect()
}

/// Is AᵀWB: `holders` are the columns of A by item, `held` the rows of B by entry, which need not be those of A.
pub(crate) struct Product<'a> {
    pub holders: &'a Ragged<u32>,
    pub held: &'a Ragged<u32>,
    pub weights: &'a [f64],
}

/// What counting a row needs, cleared after each.
struct Scratch {
    weight: Vec<f64>,
    entries: Vec<u32>,
    touched: Vec<u32>,
}

/// Returns the best partners of each item.
pub(crate) fn partners(product: &Product<'_>, settings: &Settings) -> Vec<Vec<Pair>> {
    let Product { holders, held, weights } = product;
    let items = holders.len();
    let first = |item: u32| holders.row(item).iter().map(|&entry| weights[entry as usize]).sum::<f64>();
    let mut seconds = vec![0.0; items];
    for (entry, weight) in weights.iter().enumerate() {
        held.row(entry as u32).iter().for_each(|&item| seconds[item as usize] += weight);
    }
    let all: f64 = weights.iter().sum();
    let scratch = || Scratch { weight: vec![0.0; items], entries: vec![0; items], touched: Vec::new() };
    per_item(items, scratch, |item, scratch| {
        for &entry in holders.row(item) {
            for &other in held.row(entry) {
                scratch.add(other, weights[entry as usize]);
            }
        }
        let first = first(item);
        let mut partners = Vec::new();
        for other in scratch.touched.drain(..) {
            let both = std::mem::take(&mut scratch.weight[other as usize]);
            let entries = std::mem::take(&mut scratch.entries[other as usize]);
            if other == item || entries < settings.min_support {
                continue;
            }
            let table = Table { both, first, second: seconds[other as usize], all };
            if let Some(score) = table.score(settings.score, settings.shrink) {
                partners.push(Pair { item: other, score: score as f32, entries });
            }
        }
        partners.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.item.cmp(&b.item)));
        partners.truncate(settings.partners);
        partners
    })
}

impl Scratch {
    fn add(&mut self, item: u32, weight: f64) {
        let place = item as usize;
        if self.entries[place] == 0 {
            self.touched.push(item);
        }
        self.entries[place] += 1;
        self.weight[place] += weight;
    }
}

/// Returns every item that was ordered with its entries, each counting less with its age, most popular first.
pub fn popular(entries: Slice<'_>, half_life_days: f64) -> Vec<Entry> {
    let (_, latest) = entries.span_ms();
    let mut counts = vec![0.0; entries.log().items().len()];
    for (at_ms, entry) in entries.entries() {
        let weight = decay(latest, at_ms, half_life_days);
        entry.iter().for_each(|&item| counts[item as usize] += weight);
    }
    let entry = |(item, count): (usize, f64)| Entry { item: item as u32, score: count as f32 };
    let mut popular: Vec<Entry> =
        counts.into_iter().enumerate().filter(|(_, count)| *count > 0.0).map(entry).collect();
    popular.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.item.cmp(&b.item)));
    popular
}

/// Returns the weight of an entry's age: 1 for the latest, ½ after one half-life.
///
/// Source: exponential forgetting as in Ding and Li, *Time Weight Collaborative Filtering*, CIKM 2005. With a half-life
/// of 180 days, an order of 360 days ago counts 2^(−360/180) = 0.25.
pub(crate) fn decay(latest_ms: i64, at_ms: i64, half_life_days: f64) -> f64 {
    let age_days = (latest_ms - at_ms) as f64 / f64::from(DAY_MS);
    (-age_days / half_life_days).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Gather, Kind, Log};

    const DAY: i64 = 86_400_000;

    fn log(orders: &[(i64, &[&str])]) -> Log {
        let mut gather = Gather::new(Kind::Baskets);
        for (number, (at_ms, items)) in orders.iter().enumerate() {
            gather.entry(&number.to_string(), *at_ms, items.iter().map(|item| (*item, None)));
        }
        gather.finish()
    }

    fn plain() -> Settings {
        let kept = Settings { partners: 2, min_support: 1, ..Settings::default() };
        Settings { shrink: 0.0, length_power: 0.0, ..kept }
    }

    fn partners(log: &Log, settings: &Settings, item: &str) -> String {
        let pairs = count(log.all(), settings);
        let name = |pair: &Pair| format!("{}:{}", log.items()[pair.item as usize], pair.entries);
        pairs.partners(log.item(item).unwrap()).iter().map(name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_best_are_kept_with_their_counts_and_ties_go_by_name() {
        let log = log(&[(0, &["A", "D"]), (0, &["A", "C"]), (0, &["A", "B"]), (0, &["A", "B"])]);
        // B: 2/√(4·2) = 0.707; C and D: 1/√(4·1) = 0.5.
        assert_eq!(partners(&log, &plain(), "A"), "B:2 C:1");
        let pairs = count(log.all(), &plain());
        assert!((pairs.partners(0)[0].score - 0.5_f32.sqrt()).abs() < 1e-6);
        assert_eq!((pairs.entries(0), pairs.entries(3)), (4, 1));
    }

    #[test]
    fn a_pair_with_too_little_support_is_left_out() {
        let log = log(&[(0, &["A", "C"]), (0, &["A", "B"]), (0, &["A", "B"])]);
        let settings = Settings { min_support: 2, score: Score::Lift, ..plain() };
        assert_eq!(
            (partners(&log, &settings, "A"), partners(&log, &settings, "C")),
            ("B:2".to_owned(), String::new())
        );
    }

    #[test]
    fn an_old_order_and_a_long_one_count_less() {
        let aged = log(&[(0, &["A", "B"]), (360 * DAY, &["A", "C"])]);
        assert_eq!(partners(&aged, &Settings { partners: 1, ..plain() }, "A"), "C:1");
        let long = log(&[(0, &["A", "B"]), (0, &["A", "D", "E", "F"])]);
        let score =
            |power| count(long.all(), &Settings { length_power: power, ..plain() }).partners(0)[0].score;
        // B shares one order of A's two: 1 / √2. Where orders weigh ½ and ¼: ½ / √(¾ · ½) = √⅔.
        assert!((score(0.0) - 0.5_f32.sqrt()).abs() < 1e-6);
        assert!((score(1.0) - (2.0_f32 / 3.0).sqrt()).abs() < 1e-6);
        let short = Settings { entry_items_max: 2, ..plain() };
        let kept: usize = (0..5).map(|item| count(long.all(), &short).partners(item).len()).sum();
        assert_eq!(kept, 4, "of four items two are drawn");
    }

    #[test]
    fn what_sells_lately_is_more_popular() {
        let log = log(&[(0, &["OLD"]), (0, &["OLD"]), (400 * DAY, &["NEW"])]);
        let names: Vec<&str> =
            popular(log.all(), 180.0).iter().map(|entry| &*log.items()[entry.item as usize]).collect();
        assert_eq!(names, ["NEW", "OLD"]);
    }
}
