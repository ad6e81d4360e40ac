//! Methods that others publish, to be measured beside ours: as they describe them, with their parameters.

use recommender::{
    Ask, Ranked,
    lists::Lists,
    ragged::{self, Ragged},
    tally::Tally,
};

use crate::{
    company::{self, Occurrences, Rows},
    linear::{self, Doubt},
    log::Slice,
};

/// Past sessions as Serenade compares them (VMIS-kNN; Kersbergen, Sprangers and Schelter, "Serenade: low-latency
/// session-based recommendation in e-commerce at scale", SIGMOD 2022, algorithm 2).
pub struct VmisKnn {
    sessions: Ragged<u32>,
    holders: Ragged<u32>,
    rarity: Vec<f32>,
}

/// What asking past sessions needs.
pub struct Scratch {
    near: Tally,
    /// The place from the end, from 1, of the most recent shared item, per session.
    shared: Vec<u8>,
    nearest: Ranked,
    scores: Tally,
}

/// Sessions of each item that are looked at, the most recent, and sessions that are asked.
const RECENT: usize = 500;
const NEIGHBOURS: usize = 100;

/// The items of a present session that are compared, the last.
const COMPARED: usize = 9;

impl VmisKnn {
    /// Makes the index of sessions.
    pub fn new(sessions: Slice<'_>) -> Self {
        let items = sessions.log().items().len();
        let past: Ragged<u32> = sessions
            .entries()
            .map(|(_, entry)| {
                let mut distinct = entry.to_vec();
                distinct.sort_unstable();
                distinct.dedup();
                distinct
            })
            .collect();
        let mut holders = ragged::holders(&past, items);
        let rarity = |held: &Vec<u32>| (past.len().max(1) as f32 / held.len().max(1) as f32).ln();
        let rarity = holders.iter().map(rarity).collect();
        holders.iter_mut().for_each(|held| held.truncate(RECENT));
        Self { sessions: past, holders: holders.into_iter().collect(), rarity }
    }
}

impl Ask for VmisKnn {
    type Scratch = Scratch;

    fn scratch(&self) -> Scratch {
        Scratch {
            near: Tally::new(self.sessions.len()),
            shared: vec![0; self.sessions.len()],
            nearest: Ranked::new(),
            scores: Tally::new(self.rarity.len()),
        }
    }

    fn ask(&self, trail: &[u32], most: usize, scratch: &mut Scratch, best: &mut Ranked) {
        let Scratch { near, shared, nearest, scores } = scratch;
        let compared = &trail[trail.len().saturating_sub(COMPARED)..];
        for (step, item) in compared.iter().rev().enumerate() {
            if compared[compared.len() - step..].contains(item) {
                continue;
            }
            let place = (compared.len() - step) as f32 / compared.len() as f32;
            for &session in self.holders.row(*item) {
                if near.add(session, place) {
                    shared[session as usize] = step as u8 + 1;
                }
            }
        }
        near.best(NEIGHBOURS, nearest);
        near.clear();
        for &(session, near) in nearest.iter() {
            let recency = 1.0 - 0.1 * f32::from(shared[session as usize]);
            for &item in self.sessions.row(session) {
                scores.add(item, near * recency * self.rarity[item as usize]);
            }
        }
        scores.best(most, best);
        scores.clear();
    }
}

/// The ridge that does best on Online Retail among 10, 30, 100, 300 and 1,000, by others' measurements.
const EASE_RIDGE: f32 = 100.0;

/// Returns EASE (Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019): every basket counts the same, and
/// nothing is known but baskets; of so many items at most.
pub fn ease(baskets: Slice<'_>, items: usize) -> Lists {
    let none: Rows = vec![Vec::new(); baskets.log().items().len()];
    let doubt = Doubt { ridge: EASE_RIDGE, dropout: 0.0, names: 0.0, codes: 0.0, items };
    let worth = vec![1.0; baskets.len()];
    company::lists(&linear::rows(baskets, &worth, &none, &none, doubt), usize::MAX)
}

/// What the popularity of an item takes from its score, as a power: what Paudel and others found to do best on their shops' data.
pub const BETA: f32 = 0.6;

/// The items that walks from one item are kept to.
const WALKS_KEPT: usize = 1_000;

/// Returns where walks from an item over one of its baskets to another item of that end, as parts of all: P3alpha with α = 1, as all
/// baskets and items of a step are as likely (Cooper, Lee, Radzik and Siantos, "Random walks in recommender systems", WWW 2014);
/// divided by the ends' baskets to a power above 0, RP3beta (Paudel, Christoffel, Newell and Bernstein, "Updatable, accurate, diverse,
/// and scalable recommendations for interactive applications", ACM TiiS 7(1), 2017).
pub fn walks(baskets: Slice<'_>, beta: f32) -> Lists {
    let places = Occurrences::of(baskets);
    let lengths: Vec<f32> = baskets.entries().map(|(_, entry)| entry.len() as f32).collect();
    let step = |basket: usize, _: i64| 1.0 / lengths[basket];
    let of = |item: u32| places.count(item) as f32;
    let ends = |item: u32, other: u32, sum: f32| sum / of(item) / of(other).powf(beta);
    let rows = company::rows(baskets, &places, usize::MAX, WALKS_KEPT, step, ends);
    company::lists(&rows, WALKS_KEPT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Gather, Kind};

    #[test]
    fn a_walk_ends_where_baskets_lead_and_less_often_at_what_all_buy() {
        let mut gather = Gather::new(Kind::Baskets);
        for (id, items) in [("1", &["a", "b"][..]), ("2", &["a", "b", "c"]), ("3", &["b", "d"])] {
            gather.entry(id, 1, items.iter().map(|item| (*item, None)));
        }
        let log = gather.finish();
        let score = |beta: f32, other: u32| walks(log.all(), beta).score(0, other);
        // From a over two baskets: b by both, c by the second alone.
        let [b, c] = [(0.5 + 1.0 / 3.0) / 2.0, (1.0 / 3.0) / 2.0];
        let close = |found: f32, expected: f32| (found - expected).abs() < 1e-6;
        assert!(close(score(0.0, 1), b) && close(score(0.0, 2), c) && score(0.0, 3) == 0.0);
        assert!(close(score(1.0, 1), b / 3.0) && close(score(1.0, 2), c), "b is in three baskets");
    }

    #[test]
    fn a_session_votes_by_what_it_shares_and_rare_items_count_more() {
        let mut gather = Gather::new(Kind::Sessions);
        for (at, items) in [(1, ["a", "b"]), (2, ["a", "c"]), (3, ["b", "c"]), (4, ["d", "e"])] {
            gather.entry(&at.to_string(), at, items.map(|item| (item, None)).into_iter());
        }
        let log = gather.finish();
        let best = VmisKnn::new(log.all()).answer(&[0, 1], 9);
        // Session 1 shares a at ½ and b at 1, the last: 1.5 · (1 − .1); session 3 shares b: 1 · .9; session 2 shares a: ½ · .8.
        let rarity = 2.0_f32.ln();
        let expected = [(1, (1.35 + 0.9) * rarity), (0, (1.35 + 0.4) * rarity), (2, (0.9 + 0.4) * rarity)];
        assert_eq!(best.len(), 3);
        for ((item, score), (expected_item, expected_score)) in best.iter().zip(expected) {
            assert!(*item == expected_item && (score - expected_score).abs() < 1e-5, "{best:?}");
        }
    }
}
