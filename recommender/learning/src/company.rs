//! Company: what stands near what in a log, counted with weights.

use recommender::{
    lists::Lists,
    tally::{Tally, keep_best},
};

use crate::{log::Slice, per_item};

/// Per item others with a weight, the heaviest first.
pub type Rows = Vec<Vec<(u32, f32)>>;

/// Per item, where a slice holds it: entry and position.
pub struct Occurrences {
    starts: Vec<usize>,
    places: Vec<(u32, u32)>,
}

impl Occurrences {
    /// Finds every item of a slice.
    pub fn of(slice: Slice<'_>) -> Self {
        let items = slice.log().items().len();
        let mut starts = vec![0; items + 1];
        for (_, entry) in slice.entries() {
            entry.iter().for_each(|&item| starts[item as usize + 1] += 1);
        }
        for item in 0..items {
            starts[item + 1] += starts[item];
        }
        let mut ends = starts.clone();
        let mut places = vec![(0, 0); starts[items]];
        for (number, (_, entry)) in slice.entries().enumerate() {
            for (position, &item) in entry.iter().enumerate() {
                places[ends[item as usize]] = (number as u32, position as u32);
                ends[item as usize] += 1;
            }
        }
        Self { starts, places }
    }

    /// Returns where an item stands, oldest first.
    pub fn places(&self, item: u32) -> &[(u32, u32)] {
        &self.places[self.starts[item as usize]..self.starts[item as usize + 1]]
    }

    /// Returns how often an item stands anywhere.
    pub fn count(&self, item: u32) -> usize {
        self.places(item).len()
    }
}

/// Adds up, per item, what `weight` says of every other item at a position of the same entry, and keeps the `most`
/// heaviest after `scale` (item, other, sum).
///
/// `weight` is told the entry's number and how many positions the other stands after (below zero: before) the item.
pub fn rows(
    slice: Slice<'_>,
    occurrences: &Occurrences,
    reach: usize,
    most: usize,
    weight: impl Fn(usize, i64) -> f32 + Sync,
    scale: impl Fn(u32, u32, f32) -> f32 + Sync,
) -> Rows {
    let items = slice.log().items().len();
    per_item(
        items,
        || (Tally::new(items), Vec::new()),
        |item, (tally, best)| {
            for &(number, position) in occurrences.places(item) {
                let (entry, position) = (slice.entry(number as usize), position as usize);
                let from = position.saturating_sub(reach);
                let to = position.saturating_add(reach).saturating_add(1).min(entry.len());
                for (place, &other) in entry.iter().enumerate().take(to).skip(from) {
                    let weight = weight(number as usize, place as i64 - position as i64);
                    if other != item && weight > 0.0 {
                        tally.add(other, weight);
                    }
                }
            }
            best.clear();
            best.extend(tally.touched().iter().map(|&other| (other, scale(item, other, tally.get(other)))));
            tally.clear();
            keep_best(best, most);
            best.clone()
        },
    )
}

/// Makes lists of rows, the `most` first of each.
pub fn lists(rows: &Rows, most: usize) -> Lists {
    let mut lists = Lists::default();
    rows.iter().for_each(|row| lists.push(row.iter().take(most).copied()));
    lists
}
