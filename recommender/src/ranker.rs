//! The ranker: what candidates' features are worth together, as a weighted sum and a forest that corrects it.

use crate::{codec::stored, forest::Forest, invalid::Invalid, tally::keep_best};

/// Puts candidates into order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranker {
    /// The weight of each feature.
    pub weights: Vec<f32>,
    /// What the weighted sum is off by.
    pub forest: Forest,
}

stored!(Ranker { weights, forest });

/// Candidates of one question, with the features of each; made to be used again.
#[derive(Clone, Debug, Default)]
pub struct Candidates {
    /// Their numbers.
    pub items: Vec<u32>,
    /// Their features, row by row.
    pub rows: Vec<f32>,
    sums: Vec<f32>,
}

impl Candidates {
    /// Forgets all candidates.
    pub fn clear(&mut self) {
        self.items.clear();
        self.rows.clear();
    }
}

impl Ranker {
    /// Refuses weights and trees that are not of candidates with so many features.
    pub(crate) fn check(&self, width: usize) -> Result<(), Invalid> {
        if self.weights.len() != width {
            return Err(Invalid("weights are not one per feature"));
        }
        self.forest.check(width)
    }

    /// Puts the `most` best candidates into `best`, the best first.
    pub fn rank(&self, candidates: &mut Candidates, most: usize, best: &mut Vec<(u32, f32)>) {
        let width = self.weights.len();
        let Candidates { items, rows, sums } = candidates;
        sums.clear();
        sums.extend(rows.chunks_exact(width).map(|row| weighted(row, &self.weights)));
        self.forest.add(rows, width, sums);
        best.clear();
        best.extend(items.iter().copied().zip(sums.iter().copied()));
        keep_best(best, most);
    }
}

/// Returns the sum of a row's features, each by its weight.
pub fn weighted(row: &[f32], weights: &[f32]) -> f32 {
    row.iter().zip(weights).map(|(value, weight)| value * weight).sum()
}

/// Returns a place in a list, from 1, as a feature: its reciprocal, and zero for zero, which is not in the list.
pub(crate) fn share(rank: u8) -> f32 {
    if rank == 0 { 0.0 } else { 1.0 / f32::from(rank) }
}

/// Returns the logarithm of a score as a feature, with a floor that stands for no score, too.
pub(crate) fn logarithm(score: f32) -> f32 {
    const NOTHING: f32 = -20.0;
    if score > 0.0 { score.ln().max(NOTHING) } else { NOTHING }
}
