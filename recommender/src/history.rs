//! What somebody bought says what they buy next, on another day: what goes with it, and what others bought after it.

use crate::{
    ask::{Ask, Ranked},
    basket,
    pairs::Pairs,
    tally::{fused, summed},
};

/// The purchases of a history, the latest, that are asked together for what goes with them: more blur what is wanted now.
pub const LATEST_MAX: usize = 20;

/// The purchases of a history, the latest, that are asked for what is bought after them, and that it is learnt from: what was bought
/// hundreds of products ago says little of what comes next, and who buys for a whole house does not outweigh everybody.
pub const HAD_MAX: usize = 50;

/// Ranks what is bought after what somebody had, the latest first, and nothing that they had. The scores are added up as they are: that
/// many things lead to an item says more of it than that one does, since what comes next follows from a whole household.
#[derive(Clone, Copy, Debug)]
pub struct BoughtAfter<'a> {
    /// The pairs of what was had and what was bought later.
    pub pairs: &'a Pairs,
    /// The fewest customers who had the one and bought the other.
    pub min_support: u32,
}

impl<'a> BoughtAfter<'a> {
    /// Asks all pairs.
    pub fn of(pairs: &'a Pairs) -> Self {
        Self { pairs, min_support: 0 }
    }
}

impl Ask for BoughtAfter<'_> {
    type Scratch = ();

    fn scratch(&self) {}

    fn ask(&self, had: &[u32], _: usize, (): &mut (), best: &mut Ranked) {
        let partners = had.iter().take(HAD_MAX).flat_map(|&item| self.pairs.partners(item));
        let partners = partners.filter(|pair| pair.entries >= self.min_support);
        *best = summed(partners.map(|pair| (pair.item, pair.score)).collect());
        best.retain(|(item, _)| !had.contains(item));
    }
}

/// Ranks what goes with the latest of somebody's purchases, and nothing that they had.
#[derive(Clone, Copy, Debug)]
pub struct Latest<B>(pub B);

impl<B: Ask> Ask for Latest<B> {
    type Scratch = B::Scratch;

    fn scratch(&self) -> B::Scratch {
        self.0.scratch()
    }

    fn ask(&self, had: &[u32], most: usize, scratch: &mut B::Scratch, best: &mut Ranked) {
        self.0.ask(&had[..had.len().min(LATEST_MAX)], most, scratch, best);
        best.retain(|(item, _)| !had.contains(item));
    }
}

/// Ranks what somebody buys next who had some items, the latest first: merges what goes with the latest of them with what is bought
/// after all.
#[derive(Clone, Copy, Debug)]
pub struct History<'a, B> {
    /// What goes with baskets.
    pub baskets: B,
    /// What is bought after something.
    pub after: BoughtAfter<'a>,
}

impl<B: Ask> Ask for History<'_, B> {
    type Scratch = B::Scratch;

    fn scratch(&self) -> B::Scratch {
        self.baskets.scratch()
    }

    fn ask(&self, had: &[u32], most: usize, scratch: &mut B::Scratch, best: &mut Ranked) {
        Latest(&self.baskets).ask(had, basket::CANDIDATES, scratch, best);
        *best = fused([&*best, &self.after.answer(had, most)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        lists::{Entry, Popular},
        pairs::Pair,
    };

    fn pairs() -> Pairs {
        let pair = |item, score| Pair { item, score, entries: 2 };
        let mut pairs = Pairs::default();
        pairs.push(9, [pair(1, 0.9), pair(2, 0.5), pair(3, 0.4)]);
        pairs.push(8, [pair(0, 0.8), pair(3, 0.3)]);
        pairs.push(7, []);
        pairs.push(6, []);
        pairs
    }

    #[test]
    fn what_many_things_lead_to_comes_before_what_one_does_and_nothing_that_was_had() {
        let items = |ranked: Vec<(u32, f32)>| ranked.into_iter().map(|(item, _)| item).collect::<Vec<_>>();
        let (pairs, none) = (pairs(), Pairs::default());
        let after = BoughtAfter::of(&pairs);
        assert_eq!(items(after.answer(&[0, 1], 9)), [3, 2], "0.4 + 0.3 against 0.5");
        assert_eq!(items(after.answer(&[0], 9)), [1, 2, 3]);
        assert!(BoughtAfter { min_support: 3, ..after }.answer(&[0], 9).is_empty());
        assert!(BoughtAfter::of(&none).answer(&[0], 9).is_empty());
    }

    #[test]
    fn both_lists_have_a_say_and_one_alone_is_enough() {
        let pairs = pairs();
        let next = |goes_with: &[(u32, f32)], had: &[u32]| {
            let entry = |&(item, score): &(u32, f32)| Entry { item, score };
            let goes_with: Vec<Entry> = goes_with.iter().map(entry).collect();
            let history = History { baskets: Popular(&goes_with), after: BoughtAfter::of(&pairs) };
            history.answer(had, 9).into_iter().map(|(item, _)| item).collect::<Vec<_>>()
        };
        assert_eq!(next(&[(1, 3.0), (2, 2.0)], &[0, 1]), [2, 3], "of what was had, nothing");
        assert_eq!(next(&[(1, 3.0), (0, 2.0)], &[2]), [1, 0]);
        assert_eq!(next(&[], &[0]), [1, 2, 3]);
    }
}
