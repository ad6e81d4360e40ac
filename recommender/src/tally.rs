//! Sums of scores per item, made to be used again and again: an answer touches some hundreds of items, not all.

use crate::lists::Entry;

/// Adds up a score per number (of an item, of a session); clearing costs what was touched, not what there is.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    scores: Vec<f32>,
    touched: Vec<u32>,
}

impl Tally {
    /// Makes an empty tally over the numbers below `count`.
    pub fn new(count: usize) -> Self {
        Self { scores: vec![0.0; count], touched: Vec::new() }
    }

    /// Adds a score other than zero and says whether it is the number's first.
    #[inline]
    pub fn add(&mut self, number: u32, score: f32) -> bool {
        let sum = &mut self.scores[number as usize];
        let first = *sum == 0.0;
        *sum += score;
        if *sum == 0.0 {
            // What adds up to nothing stays touched, so that none is touched twice.
            *sum = f32::MIN_POSITIVE;
        }
        if first {
            self.touched.push(number);
        }
        first
    }

    /// Adds what a list says, each entry by a factor above zero.
    #[inline]
    pub fn add_all(&mut self, list: &[Entry], factor: f32) {
        for entry in list {
            self.add(entry.item, entry.score * factor);
        }
    }

    /// Raises a number's score to `score`, where it is lower.
    #[inline]
    pub fn raise(&mut self, number: u32, score: f32) {
        let so_far = self.get(number);
        if score > so_far {
            self.add(number, score - so_far);
        }
    }

    /// Returns the sum of a number, zero where nothing was added.
    #[inline]
    pub fn get(&self, number: u32) -> f32 {
        self.scores[number as usize]
    }

    /// Returns the numbers that have a sum, in the order in which they came.
    pub fn touched(&self) -> &[u32] {
        &self.touched
    }

    /// Forgets all sums.
    pub fn clear(&mut self) {
        for number in self.touched.drain(..) {
            self.scores[number as usize] = 0.0;
        }
    }

    /// Puts the `most` numbers of the highest sums into `best`, the highest first and ties by number.
    pub fn best(&self, most: usize, best: &mut Vec<(u32, f32)>) {
        best.clear();
        best.extend(self.touched.iter().map(|&number| (number, self.get(number))));
        keep_best(best, most);
    }
}

/// Leaves the `most` pairs of the highest scores, the highest first and ties by number.
pub fn keep_best(pairs: &mut Vec<(u32, f32)>, most: usize) {
    if most == 0 {
        pairs.clear();
    } else if pairs.len() > most {
        pairs.select_nth_unstable_by_key(most - 1, place);
        pairs.truncate(most);
    }
    pairs.sort_unstable_by_key(place);
}

/// Returns a number that is the lower, the further ahead a pair stands: one comparison instead of two, most of which nobody can foresee.
#[inline]
fn place(&(number, score): &(u32, f32)) -> u64 {
    let bits = score.to_bits();
    // As `f32::total_cmp` has it, the bits of positive numbers ascend as they do, and those of negative ones descend.
    let descending = if bits >> 31 == 0 { !bits & (u32::MAX >> 1) } else { bits };
    u64::from(descending) << 32 | u64::from(number)
}

/// Leaves one pair per number with the sum of its scores, the best first.
pub fn summed(mut scores: Vec<(u32, f32)>) -> Vec<(u32, f32)> {
    // Stable, so that the scores of a number are added up in their order, every time.
    scores.sort_by_key(|entry| entry.0);
    scores.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1 += later.1;
        }
        same
    });
    let most = scores.len();
    keep_best(&mut scores, most);
    scores
}

/// Merges ranked lists by their places: an item gets 1 / (60 + place) of each (reciprocal rank fusion; Cormack, Clarke and
/// Büttcher, SIGIR 2009).
pub fn fused(lists: [&[(u32, f32)]; 2]) -> Vec<(u32, f32)> {
    fused_by(lists.map(|list| (list, 1.0)))
}

/// Merges lists as [`fused`] does, each with what it counts; one that counts nothing is left out.
pub fn fused_by(lists: [(&[(u32, f32)], f32); 2]) -> Vec<(u32, f32)> {
    const SMOOTH: f32 = 60.0;
    let counted = lists.into_iter().filter(|(_, weight)| *weight > 0.0);
    let scores = counted.flat_map(|(list, weight)| {
        let score =
            move |(place, entry): (usize, &(u32, f32))| (entry.0, weight / (SMOOTH + place as f32 + 1.0));
        list.iter().enumerate().map(score)
    });
    summed(scores.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_scores_stand_in_their_total_order_and_equal_ones_by_number() {
        let odd = [0.0, 1.0, 1.5, f32::MIN_POSITIVE, f32::EPSILON, f32::MAX, f32::INFINITY, f32::NAN];
        let mut pairs: Vec<(u32, f32)> =
            odd.iter().flat_map(|&score| [(1, score), (0, score), (0, -score), (u32::MAX, -score)]).collect();
        let mut expected = pairs.clone();
        expected.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let most = pairs.len();
        keep_best(&mut pairs, most);
        let bits = |pairs: &[(u32, f32)]| pairs.iter().map(|p| (p.0, p.1.to_bits())).collect::<Vec<_>>();
        assert_eq!(bits(&pairs), bits(&expected));
    }

    #[test]
    fn the_best_come_first_and_a_cleared_tally_is_as_new() {
        let mut tally = Tally::new(5);
        assert_eq!(
            [(3, 1.0), (1, 2.0), (3, 1.5), (0, 2.0)].map(|(n, s)| tally.add(n, s)),
            [true, true, false, true]
        );
        let mut best = Vec::new();
        tally.best(2, &mut best);
        assert_eq!(best, [(3, 2.5), (0, 2.0)]);
        tally.best(9, &mut best);
        assert_eq!(best, [(3, 2.5), (0, 2.0), (1, 2.0)]);
        tally.best(0, &mut best);
        assert!(best.is_empty());
        tally.clear();
        assert_eq!((tally.get(3), tally.touched().len()), (0.0, 0));
    }

    #[test]
    fn a_list_counts_by_its_weight_and_not_at_all_without_one() {
        let (one, two) = ([(7, 3.0), (8, 2.0)], [(8, 9.0), (9, 8.0)]);
        let items = |weights: [f32; 2]| -> Vec<u32> {
            fused_by([(&one, weights[0]), (&two, weights[1])]).into_iter().map(|entry| entry.0).collect()
        };
        assert_eq!(fused_by([(&one, 1.0), (&two, 1.0)]), fused([&one, &two]));
        assert_eq!(
            (items([1.0, 1.0]), items([2.0, 0.0]), items([0.0, 2.0])),
            (vec![8, 7, 9], vec![7, 8], vec![8, 9])
        );
        assert_eq!(items([0.1, 1.9]), [8, 9, 7]);
    }

    #[test]
    fn equal_scores_are_ordered_by_number() {
        assert_eq!(summed(vec![(4, 0.5), (1, 0.5), (4, 0.25), (0, 0.75)]), [(0, 0.75), (4, 0.75), (1, 0.5)]);
    }
}
