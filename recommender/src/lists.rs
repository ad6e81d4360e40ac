//! Lists: per item some others with a score, the best first.

use crate::ragged::Ragged;

/// Is an item that a list names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// The number of the item.
    pub item: u32,
    /// How strongly it belongs there; comparable within one set of lists only.
    pub score: f32,
}

/// Holds a list per item.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lists(Ragged<Entry>);

impl Lists {
    /// Adds the list of the next item.
    pub fn push(&mut self, list: impl IntoIterator<Item = (u32, f32)>) {
        self.0.push(list.into_iter().map(|(item, score)| Entry { item, score }));
    }

    /// Returns the list of an item.
    #[inline]
    pub fn of(&self, item: u32) -> &[Entry] {
        self.0.row(item)
    }

    /// Returns the score of `other` in the list of an item, zero where it is not there.
    #[inline]
    pub fn score(&self, item: u32, other: u32) -> f32 {
        self.of(item).iter().find(|entry| entry.item == other).map_or(0.0, |entry| entry.score)
    }
}
