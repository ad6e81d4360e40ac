//! What this process remembers of the stock between turns.
//!
//! What is remembered may be out of date at any time: the stock is other processes' too. So a turn that decides on it
//! compares it with the rows when it writes, and what lost such a race is left to the locks for a while.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use cart_core::{LocationId, Movement, Sku, Slot, StockLevel, StockLevels};

/// The most products that are remembered; with one more, all are forgotten and those in demand come back. Some 200 bytes each.
const PRODUCTS_MAX: usize = 100_000;
/// How long a product whose race was lost is left to the locks at first: a busy product would lose the next one too.
const REST_MIN: Duration = Duration::from_secs(1);
/// The longest rest. Each race that is lost soon after a rest doubles the next one.
const REST_MAX: Duration = Duration::from_secs(64);

/// Remembers levels by product.
#[derive(Debug, Default)]
pub struct Shelf(Mutex<Products>);

#[derive(Debug, Default)]
struct Products {
    /// The count of changes that no turn made, as of which the levels hold.
    revision: i64,
    levels: BTreeMap<Sku, Vec<(LocationId, StockLevel)>>,
    rests: BTreeMap<Sku, Rest>,
}

#[derive(Clone, Copy, Debug)]
struct Rest {
    until: Instant,
    length: Duration,
}

/// Is what a shelf knows of some products.
#[derive(Debug, Default)]
pub struct Known {
    /// The revision of the levels.
    pub revision: i64,
    /// The levels of the products that are remembered.
    pub levels: StockLevels,
    /// The products that are not.
    pub missing: BTreeSet<Sku>,
}

impl Shelf {
    /// Returns what is known of products; nothing where one of them is left to the locks.
    pub fn known(&self, skus: &BTreeSet<Sku>, now: Instant) -> Option<Known> {
        let products = self.products();
        if skus.iter().any(|sku| products.rests.get(sku).is_some_and(|rest| now < rest.until)) {
            return None;
        }
        let mut known = Known { revision: products.revision, ..Known::default() };
        for sku in skus {
            match products.levels.get(sku) {
                Some(levels) => known.levels.extend(levels.iter().map(|(location, level)| {
                    (Slot { sku: sku.clone(), location: location.clone() }, *level)
                })),
                None => drop(known.missing.insert(sku.clone())),
            }
        }
        Some(known)
    }

    /// Remembers the levels of products as of a revision. A newer one makes all others unknown: there may be rows that
    /// they lack.
    pub fn put(&self, revision: i64, skus: &BTreeSet<Sku>, levels: &StockLevels) {
        let mut products = self.products();
        if revision < products.revision {
            return;
        }
        if revision > products.revision || products.levels.len() + skus.len() > PRODUCTS_MAX {
            products.levels.clear();
        }
        products.revision = revision;
        for sku in skus {
            let of_sku = levels.of(sku).map(|(location, level)| (location.clone(), *level));
            products.levels.insert(sku.clone(), of_sku.collect());
        }
    }

    /// Moves what a turn has moved.
    pub fn shift(&self, movements: &BTreeMap<Slot, Movement>) {
        let mut products = self.products();
        for (slot, movement) in movements {
            let levels = products.levels.get_mut(&slot.sku);
            let level = levels.and_then(|all| all.iter_mut().find(|(at, _)| *at == slot.location));
            if let Some((_, level)) = level {
                level.apply(*movement);
            }
        }
    }

    /// Forgets products.
    pub fn forget(&self, skus: &BTreeSet<Sku>) {
        let mut products = self.products();
        skus.iter().for_each(|sku| drop(products.levels.remove(sku)));
    }

    /// Leaves products to the locks for a while.
    pub fn rest(&self, skus: &BTreeSet<Sku>, now: Instant) {
        let mut products = self.products();
        products.rests.retain(|_, rest| now < rest.until + rest.length);
        for sku in skus {
            let before = products.rests.get(sku).map(|rest| rest.length * 2);
            let length = before.unwrap_or(REST_MIN).min(REST_MAX);
            products.rests.insert(sku.clone(), Rest { until: now + length, length });
        }
    }

    fn products(&self) -> MutexGuard<'_, Products> {
        // What a panic left behind is compared with the rows like all else.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skus(names: &[&str]) -> BTreeSet<Sku> {
        names.iter().map(|name| Sku::parse(name).unwrap()).collect()
    }

    fn level(available: i64) -> StockLevel {
        StockLevel { supplied: available, available, ..StockLevel::default() }
    }

    fn levels(all: &[(&str, i64)]) -> StockLevels {
        all.iter().map(|(sku, pieces)| (Sku::parse(sku).unwrap(), level(*pieces))).collect()
    }

    #[test]
    fn what_was_read_is_remembered_and_moves_with_the_turns() {
        let (shelf, now) = (Shelf::default(), Instant::now());
        let all = skus(&["CUP", "MUG", "NONE"]);
        assert_eq!(shelf.known(&all, now).unwrap().missing, all);
        shelf.put(7, &all, &levels(&[("CUP", 2), ("MUG", 3)]));
        shelf.shift(
            &[(Slot::from(Sku::parse("MUG").unwrap()), Movement { available: -2, held: 2, sold: 0 })].into(),
        );
        let known = shelf.known(&all, now).unwrap();
        assert_eq!((known.revision, known.missing.len()), (7, 0), "that there is no row is known too");
        let mug = known.levels.get(&Sku::parse("MUG").unwrap()).unwrap();
        assert_eq!((mug.available, mug.held), (1, 2));
        shelf.forget(&skus(&["MUG"]));
        assert_eq!(shelf.known(&all, now).unwrap().missing, skus(&["MUG"]));
    }

    #[test]
    fn a_newer_revision_makes_the_others_unknown_and_an_older_one_is_late() {
        let (shelf, now) = (Shelf::default(), Instant::now());
        shelf.put(7, &skus(&["CUP"]), &levels(&[("CUP", 2)]));
        shelf.put(8, &skus(&["MUG"]), &levels(&[("MUG", 3)]));
        shelf.put(7, &skus(&["CUP"]), &levels(&[("CUP", 2)]));
        assert_eq!(shelf.known(&skus(&["CUP", "MUG"]), now).unwrap().missing, skus(&["CUP"]));
    }

    #[test]
    fn a_product_rests_longer_where_it_loses_again_and_again() {
        let (shelf, mut now) = (Shelf::default(), Instant::now());
        let (mug, cup) = (skus(&["MUG"]), skus(&["CUP"]));
        for seconds in [1, 2, 4, 8, 16, 32, 64, 64] {
            shelf.rest(&mug, now);
            assert!(shelf.known(&cup, now).is_some());
            now += Duration::from_secs(seconds);
            assert!(shelf.known(&mug, now - Duration::from_millis(1)).is_none(), "{seconds}");
            assert!(shelf.known(&mug, now).is_some(), "{seconds}");
        }
        now += Duration::from_secs(64);
        shelf.rest(&mug, now);
        assert!(shelf.known(&mug, now + REST_MIN).is_some(), "what has been quiet for long begins anew");
    }
}
