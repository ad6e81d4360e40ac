//! Scores: how high a partner stands in an item's row, and what that is worth.

/// Ranks the partners of an item by what they share.
///
/// Partners are kept from day to day without counting all of them again, so a rank keeps these promises, in weights
/// `both`, `partner` and `today`, the weight of one order of the latest day:
/// - `rank(both, rise, today)` rises with `both` by at most `rise` for each unit, from 0 for 0;
/// - it does not rise with `today`, and is not lower for a higher `rise`;
/// - `rise(partner)` does not rise with `partner`.
///
/// So a pair whose items were not bought together again does not climb.
pub trait Score: Sync {
    /// Returns a name with all parameters: what was ranked by another one is ranked anew.
    fn name(&self) -> String;

    /// Returns the most that a rank gains for each unit that is shared with a partner of this weight.
    fn rise(&self, partner: f64) -> f64;

    /// Returns the rank of a partner in an item's row.
    fn rank(&self, both: f64, rise: f64, today: f64) -> f64;

    /// Says whether a rank may be so high: where it is, always; where it is a little lower, perhaps. Asked of every pair.
    #[inline]
    fn may_reach(&self, bound: f64, both: f64, rise: f64, today: f64) -> bool {
        self.rank(both, rise, today) >= bound
    }

    /// Returns the score of that rank in the row of an item of this weight: rising with the rank.
    fn score(&self, rank: f64, item: f64) -> f64;

    /// Returns the score of a pair, all weights in orders of the latest day.
    fn of(&self, both: f64, item: f64, partner: f64) -> f64 {
        self.score(self.rank(both, self.rise(partner), 1.0), item)
    }
}

/// The cosine of two items' order vectors, shrunk: `both / √(item · partner) · both / (both + shrink)`.
///
/// Without shrinking, two items whose only order is a common one would score as high as can be. Source: Koren,
/// *Factorization Meets the Neighborhood*, KDD 2008, equation 2, with the cosine as the correlation.
///
/// ```
/// use learning::counts::{Score, ShrunkCosine};
/// let cosine = ShrunkCosine { shrink: 8.0 };
/// // 8 common orders of 10 and 40: 8 / 20 · 8 / 16 = 0.2.
/// assert!((cosine.of(8.0, 10.0, 40.0) - 0.2).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShrunkCosine {
    /// In orders of the latest day.
    pub shrink: f64,
}

impl Score for ShrunkCosine {
    fn name(&self) -> String {
        format!("cosine shrunk by {}", self.shrink)
    }

    fn rise(&self, partner: f64) -> f64 {
        1.0 / partner.sqrt()
    }

    #[inline]
    fn rank(&self, both: f64, rise: f64, today: f64) -> f64 {
        // The slope of b² / (b + k) is 1 − (k / (b + k))², never above 1.
        both * both / (both + self.shrink * today) * rise
    }

    #[inline]
    fn may_reach(&self, bound: f64, both: f64, rise: f64, today: f64) -> bool {
        // Without the division, and with room for what either way rounds.
        both * both * rise >= bound * (both + self.shrink * today) * (1.0 - 1e-12)
    }

    fn score(&self, rank: f64, item: f64) -> f64 {
        rank / item.sqrt()
    }
}

/// Lift without the number of all orders: `both / (item · partner)`, how much likelier a partner is beside the item.
///
/// Source: Brin, Motwani, Ullman and Tsur, *Dynamic Itemset Counting and Implication Rules for Market Basket Data*,
/// SIGMOD 1997, where the product with all orders is called interest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lift;

impl Score for Lift {
    fn name(&self) -> String {
        "lift".to_owned()
    }

    fn rise(&self, partner: f64) -> f64 {
        1.0 / partner
    }

    #[inline]
    fn rank(&self, both: f64, rise: f64, _: f64) -> f64 {
        both * rise
    }

    fn score(&self, rank: f64, item: f64) -> f64 {
        rank / item
    }
}
