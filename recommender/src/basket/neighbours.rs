//! Past baskets that resemble the present one, and what else they held.

use crate::{
    ask::{Ask, Ranked},
    codec::stored,
    invalid::Invalid,
    ragged::{self, Ragged},
    tally::{Tally, keep_best},
};

/// Holds past baskets, oldest first, and per item where it is found.
#[derive(Clone, Debug)]
pub struct PastBaskets {
    baskets: Ragged<u32>,
    /// What a basket is worth by its age and length.
    worth: Vec<f32>,
    /// The baskets of each item, the most recent first.
    holders: Ragged<u32>,
    /// What it says that a basket holds an item: the logarithm of its rarity.
    rarity: Vec<f32>,
}

stored!(PastBaskets { baskets, worth, holders, rarity });

/// What a thread needs to ask, to be used again.
#[derive(Clone, Debug)]
pub struct Scratch {
    nearness: Tally,
    nearest: Vec<(u32, f32)>,
}

/// Baskets of each item that are looked at: the most recent.
const RECENT_MAX: usize = 800;

/// Baskets that are asked: the nearest.
const NEIGHBOURS: usize = 200;

/// Added to a basket's length before its root is taken: a basket of one shared item says little.
const SHORT: f32 = 5.0;

impl PastBaskets {
    /// Makes the index of baskets, oldest first with what each is worth by its age, over the items below `item_count`.
    pub fn new<'a>(item_count: usize, baskets: impl Iterator<Item = (f32, &'a [u32])>) -> Self {
        let (mut past, mut worth) = (Ragged::default(), Vec::new());
        for (by_age, basket) in baskets {
            past.push(basket.iter().copied());
            worth.push(by_age / (basket.len() as f32 + SHORT).sqrt());
        }
        let mut holders = ragged::holders(&past, item_count);
        let rarity = |held: &Vec<u32>| (worth.len() as f32 / (held.len() as f32 + 1.0)).ln().max(0.1);
        let rarity = holders.iter().map(rarity).collect();
        holders.iter_mut().for_each(|held| held.truncate(RECENT_MAX));
        Self { baskets: past, worth, holders: holders.into_iter().collect(), rarity }
    }

    /// Refuses baskets of what is no item, and what is not one per basket or item.
    pub(crate) fn check(&self, items: usize) -> Result<(), Invalid> {
        ragged::check_holders(&self.baskets, &self.holders, items)?;
        if [self.worth.len(), self.rarity.len()] == [self.baskets.len(), items] {
            Ok(())
        } else {
            Err(Invalid("the worths of past baskets are not one each"))
        }
    }

    /// Returns what a thread needs to ask.
    pub fn scratch(&self) -> Scratch {
        Scratch { nearness: Tally::new(self.worth.len()), nearest: Vec::new() }
    }

    /// Adds to `scores` what the past baskets nearest to `basket` hold.
    pub fn score(&self, basket: &[u32], scratch: &mut Scratch, scores: &mut Tally) {
        let Scratch { nearness, nearest } = scratch;
        for &item in basket {
            for &holder in self.holders.row(item) {
                nearness.add(holder, self.rarity[item as usize]);
            }
        }
        nearest.clear();
        nearest.extend(nearness.touched().iter().map(|&b| (b, nearness.get(b) * self.worth[b as usize])));
        nearness.clear();
        keep_best(nearest, NEIGHBOURS);
        for &(holder, near) in nearest.iter() {
            for &item in self.baskets.row(holder) {
                // The power of three halves lets the nearest outweigh the many.
                scores.add(item, near * near.sqrt() * self.rarity[item as usize].sqrt());
            }
        }
    }
}

/// Ranks what the past baskets nearest to what is given hold.
impl Ask for PastBaskets {
    type Scratch = (Scratch, Tally);

    fn scratch(&self) -> Self::Scratch {
        (self.scratch(), Tally::new(self.rarity.len()))
    }

    fn ask(&self, given: &[u32], most: usize, (near, scores): &mut Self::Scratch, best: &mut Ranked) {
        self.score(given, near, scores);
        scores.best(most, best);
        scores.clear();
    }
}
