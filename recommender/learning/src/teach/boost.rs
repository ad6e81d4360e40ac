//! Trees that correct a weighted sum.
//!
//! The loss of a question is the cross entropy of the softmax over its candidates (ListNet's top-one loss: Cao, Qin,
//! Liu, Tsai and Li, "Learning to rank: from pairwise approach to listwise approach", 2007); trees grow leaf by leaf
//! over binned features (Ke et al., "LightGBM", 2017), with second-order leaves (Chen and Guestrin, "XGBoost", 2016).

mod grower;

use recommender::forest::Forest;
use serde::{Deserialize, Serialize};

use super::table::Table;
use grower::Grower;

/// Says how trees are grown.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Growth {
    /// The most trees.
    pub trees: usize,
    /// The most leaves of a tree.
    pub leaves: usize,
    /// The most steps from a tree's root to a leaf.
    pub depth: u8,
    /// How much of a tree's correction is taken.
    pub rate: f32,
    /// The part of the questions that one tree sees.
    pub sample: f64,
    /// The weight of doubt of a leaf, as curvature.
    pub shrink: f64,
    /// The least curvature of a leaf: what as many undecided questions have.
    pub least: f64,
    /// Trees without a better loss on the questions set aside after which growing ends.
    pub patience: usize,
}

impl Default for Growth {
    fn default() -> Self {
        Self {
            trees: 120,
            leaves: 31,
            depth: 8,
            rate: 0.1,
            sample: 0.5,
            shrink: 5.0,
            least: 5.0,
            patience: 12,
        }
    }
}

/// The slope of the loss at a row's score, and its curvature.
type Slope = [f32; 2];

/// Grows a forest on the scores of `weights`, from the first `taught` questions; the others tell when to stop.
pub fn grow(table: &Table, taught: usize, weights: &[f32], growth: Growth) -> Forest {
    let mut scores: Vec<f32> = (0..table.rows() as u32).map(|row| weighted(table, row, weights)).collect();
    let mut slopes: Vec<Slope> = vec![[0.0; 2]; table.rows()];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut forest = Forest::default();
    let (mut best, mut best_trees) = (f64::INFINITY, 0);
    loop {
        let loss = loss_and_slopes(table, taught, &scores, &mut slopes);
        if loss < best {
            (best, best_trees) = (loss, forest.trees.len());
        }
        if forest.trees.len() == growth.trees || forest.trees.len() >= best_trees + growth.patience {
            break;
        }
        let mut sample = Vec::new();
        for question in 0..taught {
            if random.part() <= growth.sample {
                sample.extend(table.question(question).0);
            }
        }
        let (tree, binned) = Grower::new(table, &slopes, growth).tree(sample);
        for (row, score) in scores.iter_mut().enumerate() {
            *score += binned.value(table.row(row as u32));
        }
        forest.trees.push(tree);
    }
    forest.trees.truncate(best_trees);
    forest
}

fn weighted(table: &Table, row: u32, weights: &[f32]) -> f32 {
    let values = table.row(row).iter().zip(table.features());
    values.zip(weights).map(|((&bin, feature), weight)| weight * feature.means[bin as usize]).sum()
}

/// Returns the mean loss of the questions set aside, and puts the slope and curvature at each row's score into `slopes`.
fn loss_and_slopes(table: &Table, taught: usize, scores: &[f32], slopes: &mut [Slope]) -> f64 {
    let mut loss = 0.0;
    for question in 0..table.len() {
        let (rows, right) = table.question(question);
        let rows = rows.start as usize..rows.end as usize;
        let most = scores[rows.clone()].iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let all: f32 = scores[rows.clone()].iter().map(|score| (score - most).exp()).sum();
        if question >= taught {
            loss += f64::from(all).ln() - f64::from(scores[right as usize] - most);
        }
        for row in rows {
            let chance = (scores[row] - most).exp() / all;
            let is_right = f32::from(u8::from(row == right as usize));
            slopes[row] = [chance - is_right, (chance * (1.0 - chance)).max(1e-6)];
        }
    }
    loss / (table.len() - taught).max(1) as f64
}

/// Xorshift (Marsaglia 2003): a fixed beginning, so that the same table gives the same trees.
struct Random(u64);

impl Random {
    fn part(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::teach::weights;

    /// The right candidate is the one whose two features agree: nothing that a sum could tell.
    fn agreeing() -> Table {
        let mut random = Random(7);
        let questions: Vec<(Vec<f32>, usize)> = (0..3_000)
            .map(|_| {
                let right = (random.part() * 4.0) as usize;
                let row = |place: usize| {
                    let first = f32::from(u8::from(random.part() < 0.5));
                    [first, if place == right { first } else { 1.0 - first }]
                };
                ((0..4).flat_map(row).collect(), right)
            })
            .collect();
        let mut table = Table::new(2, questions.iter().map(|(rows, _)| &rows[..]));
        questions.iter().for_each(|(rows, right)| table.push(rows, *right));
        table
    }

    #[test]
    fn trees_learn_what_a_sum_cannot() {
        let table = agreeing();
        let weights = weights::learn(&table, 2_500);
        let forest = grow(&table, 2_500, &weights, Growth { trees: 30, rate: 0.3, ..Growth::default() });
        let mut sums = [0.0; 4];
        forest.add(&[0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0], 2, &mut sums);
        assert!(sums[2].min(sums[3]) > sums[0].max(sums[1]) + 2.0, "{sums:?}");
        assert_eq!(
            forest,
            grow(&table, 2_500, &weights, Growth { trees: 30, rate: 0.3, ..Growth::default() })
        );
    }

    #[test]
    fn growing_ends_where_nothing_is_left_to_learn() {
        let rows: Vec<f32> = vec![0.0, 1.0, 2.0];
        let mut table = Table::new(1, std::iter::once(&rows[..]));
        (0..900).for_each(|question| table.push(&rows, question % 3));
        let forest = grow(&table, 800, &[0.0], Growth::default());
        assert!(forest.trees.len() < 20, "{} trees of noise", forest.trees.len());
    }
}
