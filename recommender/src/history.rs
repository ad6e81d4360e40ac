//! What somebody bought says what they buy next, on another day: what goes with it, and what others bought after it.

use crate::{
    pairs::Pairs,
    tally::{fused, summed},
};

/// The purchases of a history, the latest, that are asked together for what goes with them: more blur what is wanted now.
pub const LATEST_MAX: usize = 20;

/// The purchases of a history, the latest, that are asked for what is bought after them, and that it is learnt from: what was bought
/// hundreds of products ago says little of what comes next, and who buys for a whole house does not outweigh everybody.
pub const HAD_MAX: usize = 50;

/// Ranks what is bought after what somebody had, the latest first, and nothing that they had; the best comes first. The scores are added up as they are: that
/// many things lead to an item says more of it than that one does, since what comes next follows from a whole household.
pub fn after(pairs: &Pairs, had: &[u32]) -> Vec<(u32, f32)> {
    let partners = had.iter().take(HAD_MAX).flat_map(|&item| pairs.partners(item));
    let mut ranked = summed(partners.map(|pair| (pair.item, pair.score)).collect());
    ranked.retain(|(item, _)| !had.contains(item));
    ranked
}

/// Ranks what somebody buys next who had some items, the latest first: merges what goes with the latest of them with what is bought after all.
pub fn next(mut goes_with: Vec<(u32, f32)>, pairs: &Pairs, had: &[u32]) -> Vec<(u32, f32)> {
    goes_with.retain(|(item, _)| !had.contains(item));
    fused([&goes_with, &after(pairs, had)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pairs::Pair;

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
        assert_eq!(items(after(&pairs(), &[0, 1])), [3, 2], "0.4 + 0.3 against 0.5");
        assert_eq!(items(after(&pairs(), &[0])), [1, 2, 3]);
        assert!(after(&Pairs::default(), &[0]).is_empty());
    }

    #[test]
    fn both_lists_have_a_say_and_one_alone_is_enough() {
        let next = |goes_with: &[(u32, f32)], had: &[u32]| {
            let ranked = next(goes_with.to_vec(), &pairs(), had);
            ranked.into_iter().map(|(item, _)| item).collect::<Vec<_>>()
        };
        assert_eq!(next(&[(1, 3.0), (2, 2.0)], &[0, 1]), [2, 3], "of what was had, nothing");
        assert_eq!(next(&[(1, 3.0), (0, 2.0)], &[2]), [1, 0]);
        assert_eq!(next(&[], &[0]), [1, 2, 3]);
    }
}
