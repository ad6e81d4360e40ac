//! Pairs: what stands in the same orders, or sessions, as an item, in plain counts that a shopper can be told.

use crate::{
    ask::{Ask, Ranked},
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

/// Ranks what stands in the same entries as what is given. The squares of the scores are added up: what goes with many items comes
/// first, yet one that truly belongs outweighs many that hardly do.
#[derive(Clone, Copy, Debug)]
pub struct BoughtWith<'a> {
    /// The pairs.
    pub pairs: &'a Pairs,
    /// What an item counts to the one that is given before it.
    pub fade: f32,
    /// The fewest entries that hold both items of a pair.
    pub min_support: u32,
}

impl<'a> BoughtWith<'a> {
    /// Asks all pairs, and each item that is given as much as the others.
    pub fn of(pairs: &'a Pairs) -> Self {
        Self { pairs, fade: 1.0, min_support: 0 }
    }
}

impl Ask for BoughtWith<'_> {
    type Scratch = ();

    fn scratch(&self) {}

    fn ask(&self, given: &[u32], _: usize, (): &mut (), best: &mut Ranked) {
        best.clear();
        for (step, &item) in given.iter().enumerate() {
            let weight = self.fade.powi(step as i32);
            let partners = self.pairs.partners(item).iter().filter(|pair| pair.entries >= self.min_support);
            best.extend(partners.map(|pair| (pair.item, pair.score * pair.score * weight)));
        }
        *best = summed(std::mem::take(best));
    }
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
    fn what_goes_with_many_comes_first_and_what_was_given_later_or_counted_rarely_counts_less() {
        let known =
            pairs(&[(9, &[pair(2, 0.5, 9), pair(3, 0.6, 2)]), (9, &[pair(2, 0.5, 9)]), (0, &[]), (0, &[])]);
        let with = BoughtWith::of(&known);
        let items = |with: BoughtWith<'_>, given: &[u32]| -> Vec<u32> {
            with.answer(given, 9).into_iter().map(|found| found.0).collect()
        };
        assert_eq!(items(with, &[0]), [3, 2]);
        assert_eq!(items(with, &[0, 1]), [2, 3], "twice 0.25 against 0.36");
        assert_eq!(items(BoughtWith { fade: 0.1, ..with }, &[0, 1]), [3, 2]);
        assert_eq!(items(BoughtWith { min_support: 3, ..with }, &[0]), [2]);
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
