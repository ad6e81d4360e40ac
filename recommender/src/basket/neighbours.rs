//! Past baskets that resemble the present one, and what else they held.

use crate::tally::{Tally, keep_best};

/// Holds past baskets, oldest first, and per item where it is found.
#[derive(Clone, Debug)]
pub struct PastBaskets {
    /// `starts[b]..starts[b + 1]` are the items of basket `b`.
    starts: Vec<u32>,
    items: Vec<u32>,
    /// What a basket is worth by its age and length.
    worth: Vec<f32>,
    /// `posting_starts[i]..posting_starts[i + 1]` are the baskets of item `i`, the most recent first.
    posting_starts: Vec<u32>,
    postings: Vec<u32>,
    /// What it says that a basket holds an item: the logarithm of its rarity.
    rarity: Vec<f32>,
}

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
        let mut holders: Vec<Vec<u32>> = vec![Vec::new(); item_count];
        let (mut starts, mut items, mut worth) = (vec![0], Vec::new(), Vec::new());
        for (number, (by_age, basket)) in baskets.enumerate() {
            items.extend_from_slice(basket);
            starts.push(items.len() as u32);
            worth.push(by_age / (basket.len() as f32 + SHORT).sqrt());
            basket.iter().for_each(|&item| holders[item as usize].push(number as u32));
        }
        let rarity = |held: &Vec<u32>| (worth.len() as f32 / (held.len() as f32 + 1.0)).ln().max(0.1);
        let rarity = holders.iter().map(rarity).collect();
        let (mut posting_starts, mut postings) = (vec![0], Vec::new());
        for held in &holders {
            postings.extend(held.iter().rev().take(RECENT_MAX));
            posting_starts.push(postings.len() as u32);
        }
        Self { starts, items, worth, posting_starts, postings, rarity }
    }

    /// Returns what a thread needs to ask.
    pub fn scratch(&self) -> Scratch {
        Scratch { nearness: Tally::new(self.worth.len()), nearest: Vec::new() }
    }

    /// Adds to `scores` what the past baskets nearest to `basket` hold.
    pub fn score(&self, basket: &[u32], scratch: &mut Scratch, scores: &mut Tally) {
        let Scratch { nearness, nearest } = scratch;
        for &item in basket {
            let place = item as usize;
            let (from, to) = (self.posting_starts[place] as usize, self.posting_starts[place + 1] as usize);
            for &holder in &self.postings[from..to] {
                nearness.add(holder, self.rarity[place]);
            }
        }
        nearest.clear();
        nearest.extend(nearness.touched().iter().map(|&b| (b, nearness.get(b) * self.worth[b as usize])));
        nearness.clear();
        keep_best(nearest, NEIGHBOURS);
        for &(holder, near) in nearest.iter() {
            let held = self.starts[holder as usize] as usize..self.starts[holder as usize + 1] as usize;
            for &item in &self.items[held] {
                // The power of three halves lets the nearest outweigh the many.
                scores.add(item, near * near.sqrt() * self.rarity[item as usize].sqrt());
            }
        }
    }
}
