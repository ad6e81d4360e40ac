//! How strongly two items belong together, from their orders: shrunk cosine, lift, log-likelihood ratio.

use serde::{Deserialize, Serialize};

use crate::counts::{Lift, Score as _, ShrunkCosine};

/// Names how two items that were bought together are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Score {
    /// Shrunk cosine: common orders over the geometric mean of the items' orders.
    Cosine,
    /// Lift: common orders over those that chance would give.
    Lift,
    /// Log-likelihood ratio: how surprising the common orders are.
    Llr,
}

impl Score {
    /// Every score, in the order in which tables list them.
    pub const ALL: [Self; 3] = [Self::Cosine, Self::Lift, Self::Llr];

    /// Returns the name, as settings and tables spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Lift => "lift",
            Self::Llr => "llr",
        }
    }
}

/// Holds the (weighted) numbers of orders that a score is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Table {
    /// Orders that hold both items.
    pub both: f64,
    /// Orders that hold the first item.
    pub first: f64,
    /// Orders that hold the second item.
    pub second: f64,
    /// All orders.
    pub all: f64,
}

impl Table {
    /// Returns the score, or `None` where it would not speak for showing one item beside the other.
    pub fn score(&self, score: Score, shrink: f64) -> Option<f64> {
        let value = match score {
            Score::Cosine => ShrunkCosine { shrink }.of(self.both, self.first, self.second),
            Score::Lift => Lift.of(self.both, self.first, self.second) * self.all,
            Score::Llr => self.log_likelihood_ratio(),
        };
        (value.is_finite() && value > 0.0).then_some(value)
    }

    /// Returns −2 log λ of the hypothesis that the items are bought independently: `2 Σ k · ln(k / expected)` over
    /// the four cells of the table; 0 where the common orders are no more than expected.
    ///
    /// Source: Dunning, *Accurate Methods for the Statistics of Surprise and Coincidence*, Computational Linguistics
    /// 19(1), 1993. His bigram "the swiss" with the cells 110, 2442, 111 and 29114 gives 270.72.
    fn log_likelihood_ratio(&self) -> f64 {
        let Self { both, first, second, all } = *self;
        if both * all <= first * second {
            return 0.0;
        }
        let neither = all - first - second + both;
        let cells = [
            (both, first, second),
            (first - both, first, all - second),
            (second - both, all - first, second),
            (neither, all - first, all - second),
        ];
        2.0 * cells.iter().map(|&(k, row, column)| cell(k, row * column / all)).sum::<f64>()
    }
}

/// Returns `k · ln(k / expected)`, which goes to 0 with `k`. A weighted count may fall below 0 by rounding only.
fn cell(k: f64, expected: f64) -> f64 {
    if k > 0.0 && expected > 0.0 { k * (k / expected).ln() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(k11: f64, k12: f64, k21: f64, k22: f64) -> Table {
        Table { both: k11, first: k11 + k12, second: k11 + k21, all: k11 + k12 + k21 + k22 }
    }

    #[test]
    fn the_cosine_is_shrunk() {
        let table = Table { both: 8.0, first: 10.0, second: 40.0, all: 100.0 };
        for (shrink, expected) in [(8.0, 0.2), (0.0, 0.4)] {
            assert!((table.score(Score::Cosine, shrink).unwrap() - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn lift_compares_with_independence() {
        let table = Table { both: 8.0, first: 10.0, second: 40.0, all: 100.0 };
        assert_eq!(table.score(Score::Lift, 20.0), Some(2.0));
    }

    #[test]
    fn the_ratio_is_dunnings() {
        // Dunning 1993, the table of bigrams: the swiss, can be, previous year, mineral water.
        for (k11, k12, k21, k22, expected) in [
            (110.0, 2442.0, 111.0, 29114.0, 270.72),
            (29.0, 13.0, 123.0, 31612.0, 263.90),
            (31.0, 23.0, 139.0, 31584.0, 256.84),
            (10.0, 0.0, 3.0, 31764.0, 167.23),
        ] {
            let found = cells(k11, k12, k21, k22).score(Score::Llr, 0.0).unwrap();
            assert!((found - expected).abs() < 0.005, "{found} is not {expected}");
        }
        // By hand: two orders, each item alone in its own with the other: 4 ln 2.
        let found = cells(1.0, 0.0, 0.0, 1.0).score(Score::Llr, 0.0).unwrap();
        assert!((found - 4.0 * 2_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn items_bought_together_less_than_by_chance_do_not_speak_for_each_other() {
        assert_eq!(cells(1.0, 49.0, 49.0, 1.0).score(Score::Llr, 0.0), None);
        assert_eq!(cells(0.0, 5.0, 5.0, 5.0).score(Score::Lift, 0.0), None);
        assert_eq!(cells(0.0, 0.0, 0.0, 0.0).score(Score::Cosine, 0.0), None);
    }
}
