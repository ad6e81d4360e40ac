//! Lists: per item some others with a score, the best first.

use crate::{
    ask::{Ask, Ranked},
    codec::{Reader, Stored, Unreadable, record},
    invalid::Invalid,
    ragged::{self, Ragged},
    tally::Tally,
};

/// Is an item that a list names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// The number of the item.
    pub item: u32,
    /// How strongly it belongs there; comparable within one set of lists only.
    pub score: f32,
}

record!(Entry { item, score });

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
        ragged::find(self.of(item), |entry| entry.item == other).map_or(0.0, |entry| entry.score)
    }

    /// Refuses lists that are not one per item, or name what is none.
    pub(crate) fn check(&self, items: usize) -> Result<(), Invalid> {
        if self.0.len() != items {
            return Err(Invalid("lists are not one per item"));
        }
        check_entries(self.0.values(), items)
    }
}

impl Stored for Lists {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        Ragged::take(from).map(Self)
    }
}

/// Refuses entries that are no items, or have no number for a score.
pub(crate) fn check_entries(entries: &[Entry], items: usize) -> Result<(), Invalid> {
    if entries.iter().all(|entry| (entry.item as usize) < items && entry.score.is_finite()) {
        Ok(())
    } else {
        Err(Invalid("a list names what is no item, or has a score that is no number"))
    }
}

/// Ranks what the lists of all that is given say together.
impl Ask for Lists {
    type Scratch = Tally;

    fn scratch(&self) -> Tally {
        Tally::new(self.0.len())
    }

    fn ask(&self, given: &[u32], most: usize, scores: &mut Tally, best: &mut Ranked) {
        given.iter().for_each(|&item| scores.add_all(self.of(item), 1.0));
        scores.best(most, best);
        scores.clear();
    }
}

/// Suggests what is popular, the most popular first, whoever asks.
#[derive(Clone, Copy, Debug)]
pub struct Popular<'a>(pub &'a [Entry]);

impl Ask for Popular<'_> {
    type Scratch = ();

    fn scratch(&self) {}

    fn ask(&self, _: &[u32], most: usize, (): &mut (), best: &mut Ranked) {
        best.clear();
        best.extend(self.0.iter().take(most).map(|entry| (entry.item, entry.score)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_found_wherever_it_stands() {
        let mut lists = Lists::default();
        let lengths = [0, 1, 15, 16, 17, 32, 40];
        lengths
            .iter()
            .for_each(|&length| lists.push((0..length).map(|item| (item, 1.0 / (item + 1) as f32))));
        for (item, &length) in lengths.iter().enumerate() {
            for other in 0..50 {
                let expected = if other < length { 1.0 / (other + 1) as f32 } else { 0.0 };
                assert_eq!(lists.score(item as u32, other), expected, "{other} of {length}");
            }
        }
    }
}
