//! Pairs: what stands in the same orders, or sessions, as an item, in plain counts that a shopper can be told.

use crate::{
    codec::{record, stored},
    invalid::Invalid,
    ragged::{self, Ragged},
    tally::summed,
};

/// The most partners of one item: a page shows a dozen, and a cart's items add up hundreds.
pub const PARTNERS_MAX: usize = 1_000;

/// Is another item, with the entries that hold both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// The number of the other item.
    pub item: u32,
    /// How strongly the two belong together; comparable within one model only.
    pub score: f32,
    /// The entries (orders or sessions) that hold both.
    pub entries: u32,
}

record!(Pair { item, score, entries });

/// Holds per item its entries and its partners, the best first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pairs {
    entries: Vec<u32>,
    partners: Ragged<Pair>,
}

stored!(Pairs { entries, partners });

impl Pairs {
    /// Adds the next item: how many entries hold it, and its partners, the best first.
    pub fn push(&mut self, entries: u32, partners: impl IntoIterator<Item = Pair>) {
        self.entries.push(entries);
        self.partners.push(partners);
    }

    /// Returns how many items there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Says whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns how many entries hold an item.
    pub fn entries(&self, item: u32) -> u32 {
        self.entries.get(item as usize).copied().unwrap_or(0)
    }

    /// Returns the partners of an item, the best first.
    pub fn partners(&self, item: u32) -> &[Pair] {
        if self.is_empty() { &[] } else { self.partners.row(item) }
    }

    /// Returns, of the items of a basis, the one that speaks most for `item`, and in how many of its entries both stand.
    pub fn evidence(&self, item: u32, basis: &[u32]) -> Option<(u32, u32)> {
        let pair = |&with: &u32| Some((with, *ragged::find(self.partners(with), |pair| pair.item == item)?));
        let best = basis
            .iter()
            .filter_map(pair)
            .max_by(|a, b| a.1.score.total_cmp(&b.1.score).then(b.0.cmp(&a.0)))?;
        Some((best.0, best.1.entries))
    }

    /// Refuses pairs that are not one list per item, from the best downwards, of other items.
    pub(crate) fn check(&self, items: usize) -> Result<(), Invalid> {
        if self.is_empty() && self.partners.is_empty() {
            return Ok(());
        }
        if self.entries.len() != items || self.partners.len() != items {
            return Err(Invalid("pairs are not one list per item"));
        }
        let mut seen = vec![u32::MAX; items];
        for item in 0..items as u32 {
            let partners = self.partners(item);
            if partners.len() > PARTNERS_MAX {
                return Err(Invalid("an item has more partners than are allowed"));
            }
            if !partners.is_sorted_by(|a, b| a.score >= b.score)
                || partners.iter().any(|p| !p.score.is_finite())
            {
                return Err(Invalid("an item's partners are not in descending order"));
            }
            for partner in partners {
                let before = seen.get_mut(partner.item as usize).map(|mark| std::mem::replace(mark, item));
                if partner.item == item || before.is_none_or(|before| before == item) {
                    return Err(Invalid("an item's partners are not other items, each once"));
                }
            }
        }
        Ok(())
    }
}

/// Ranks partners of the items of a basis, each step of which counts by its weight, the best first. The squares of their scores are added up: what goes with many of them comes
/// first, yet one item that truly belongs outweighs many that hardly do.
pub fn ranked(pairs: &Pairs, basis: &[u32], weight: impl Fn(i32) -> f32) -> Vec<(u32, f32)> {
    let mut scores = Vec::new();
    for (step, &item) in basis.iter().enumerate() {
        let weight = weight(step as i32);
        scores.extend(pairs.partners(item).iter().map(|pair| (pair.item, pair.score * pair.score * weight)));
    }
    summed(scores)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(item: u32, score: f32, entries: u32) -> Pair {
        Pair { item, score, entries }
    }

    fn pairs(lists: &[(u32, &[Pair])]) -> Pairs {
        let mut pairs = Pairs::default();
        lists.iter().for_each(|(entries, list)| pairs.push(*entries, list.iter().copied()));
        pairs
    }

    #[test]
    fn the_evidence_is_the_item_of_the_basis_that_belongs_closest() {
        let known =
            pairs(&[(310, &[pair(2, 0.4, 48)]), (10, &[pair(2, 0.9, 8), pair(0, 0.1, 2)]), (60, &[])]);
        assert_eq!(known.evidence(2, &[0]), Some((0, 48)));
        assert_eq!(known.evidence(2, &[0, 1]), Some((1, 8)));
        assert_eq!(known.evidence(0, &[2]), None);
        assert_eq!((known.entries(0), known.entries(9)), (310, 0));
        assert_eq!((Pairs::default().partners(3), Pairs::default().evidence(1, &[0])), (&[][..], None));
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(pairs(&[(2, &[pair(1, 0.5, 1)]), (2, &[])]).check(2), Ok(()));
        assert_eq!(Pairs::default().check(2), Ok(()));
        for (lists, said) in [
            (&[(2, &[][..])][..], "pairs are not one list per item"),
            (&[(2, &[pair(2, 0.5, 1)]), (2, &[])], "an item's partners are not other items, each once"),
            (&[(2, &[pair(0, 0.5, 1)]), (2, &[])], "an item's partners are not other items, each once"),
            (
                &[(2, &[pair(1, 0.5, 1), pair(1, 0.5, 1)]), (2, &[])],
                "an item's partners are not other items, each once",
            ),
            (&[(2, &[pair(1, f32::NAN, 1)]), (2, &[])], "an item's partners are not in descending order"),
        ] {
            assert_eq!(pairs(lists).check(2), Err(Invalid(said)));
        }
    }
}
