//! Group-sequential tests: a few looks, each with a bound that spends its part of the chance of error.

use serde::{Deserialize, Serialize};

use crate::crossing::Walk;
use crate::distribution::normal;
use crate::effect::Effect;
use crate::interval::{Alternative, Estimate};

/// Looks that add less than this share of the plan are not taken: their bound is infinite and they spend nothing. A
/// look that leaves less than this spends all, for no later one could.
const STEP_MIN: f64 = 1e-4;
/// Bounds beyond this many deviations count as infinite.
const Z_MAX: f64 = 40.0;
/// Most looks of a test: its numbers then still come within a second.
pub const LOOKS_MAX: usize = 200;

/// Says how the chance of error is spent over a test's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spending {
    /// Hardly anything early, nearly all at the end: as O'Brien and Fleming's bounds. 2(1 − Φ(z₁₋ₐ/₂/√t)) of each
    /// side's a, so two-sided 4(1 − Φ(z₁₋α/₄/√t)) of α. (Some take 2(1 − Φ(z₁₋α/₂/√t)) for both sides together.)
    #[default]
    OBrienFleming,
    /// About the same at each look: as Pocock's bounds. a·ln(1 + (e − 1)t).
    Pocock,
}

impl Spending {
    /// Returns what of one side's `alpha` is spent at a fraction of the planned information; nothing of an alpha
    /// outside 0 to 1.
    ///
    /// ```
    /// use experiments::group_sequential::Spending;
    /// let both_sides = |t| 2.0 * Spending::OBrienFleming.spent(0.025, t);
    /// assert!((both_sides(0.4) - 0.0007883035).abs() < 1e-10);
    /// assert!((both_sides(1.0) - 0.05).abs() < 1e-15);
    /// ```
    pub fn spent(self, alpha: f64, fraction: f64) -> f64 {
        if !(fraction > 0.0 && alpha > 0.0 && alpha < 1.0) {
            return 0.0;
        }
        let t = fraction.min(1.0);
        match self {
            Spending::OBrienFleming => 2.0 * normal::upper_tail(normal::critical(alpha / 2.0) / t.sqrt()),
            Spending::Pocock => alpha * ((std::f64::consts::E - 1.0) * t).ln_1p(),
        }
    }
}

/// Holds the looks that were taken of a test, the last being the present one, and their bounds.
///
/// Looks may come at times that were not planned, but not because of the results. Looks beyond the plan spend what is
/// left (t = 1) at the first of them. Source: Lan and DeMets (1983), "Discrete Sequential Boundaries for Clinical
/// Trials", Biometrika 70.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupSequential {
    spending: Spending,
    alpha: f64,
    alternative: Alternative,
    fractions: Vec<f64>,
    bounds: Vec<f64>,
}

impl GroupSequential {
    /// Makes the test with looks at fractions of the planned information (units over planned units), the latest last.
    ///
    /// ```
    /// use experiments::group_sequential::{GroupSequential, Spending};
    /// use experiments::interval::Alternative::TwoSided;
    /// let looks = [0.2, 0.4, 0.6, 0.8, 1.0];
    /// let test = GroupSequential::new(Spending::OBrienFleming, 0.05, TwoSided, &looks).expect("in order");
    /// let published = [4.876884949, 3.357011922, 2.680280065, 2.289816768, 2.031032043];
    /// assert!(test.bounds().iter().zip(published).all(|(found, known)| (found - known).abs() < 1e-8));
    /// let test = GroupSequential::new(Spending::Pocock, 0.05, TwoSided, &looks).expect("in order");
    /// let published = [2.437976688, 2.426813858, 2.41019384, 2.396645401, 2.385984572];
    /// assert!(test.bounds().iter().zip(published).all(|(found, known)| (found - known).abs() < 1e-8));
    /// ```
    ///
    /// `None` unless 0 < alpha < 1 (one-sided: below 0.5) and there are 1 to [`LOOKS_MAX`] looks at fractions above 0
    /// that do not fall.
    pub fn new(spending: Spending, alpha: f64, alternative: Alternative, fractions: &[f64]) -> Option<Self> {
        let side = if alternative == Alternative::TwoSided { alpha / 2.0 } else { alpha };
        let is_fraction = |&fraction: &f64| fraction > 0.0 && fraction.is_finite();
        let is_fit = side > 0.0
            && side < 0.5
            && (1..=LOOKS_MAX).contains(&fractions.len())
            && fractions.iter().all(is_fraction)
            && fractions.is_sorted();
        is_fit.then(|| Self {
            spending,
            alpha,
            alternative,
            fractions: fractions.to_vec(),
            bounds: bounds(spending, side, alternative, fractions),
        })
    }

    /// Returns the bounds on |Z| (one-sided: on Z towards the side that is looked for), one a look; infinite where
    /// nothing is spent.
    pub fn bounds(&self) -> &[f64] {
        &self.bounds
    }

    /// Returns the bound of the last look.
    pub fn bound(&self) -> f64 {
        self.bounds.last().copied().unwrap_or(f64::INFINITY)
    }

    /// Returns the effect at the last look with its repeated interval Δ ± c_k·SE and p-value: the smallest α at which
    /// this look crosses its bound.
    ///
    /// Over all looks together the intervals hold the truth with chance 1 − α. Source: Jennison and Turnbull (1989),
    /// "Interim Analyses: The Repeated Confidence Interval Approach", JRSS B 51. `None` when numbers leave the range
    /// of floating point.
    pub fn estimate(&self, effect: &Effect) -> Option<Estimate> {
        Estimate::around(effect, self.alternative, self.bound(), self.p(effect.z()))
    }

    /// The repeated p-value, within a thousand-millionth part: the root of bound(α) = z, in which α is named by the z
    /// that it lies beyond, for along that scale bounds are nearly straight.
    fn p(&self, z: f64) -> f64 {
        let z = match self.alternative {
            Alternative::TwoSided => z.abs(),
            Alternative::Greater => z,
            Alternative::Less => -z,
        };
        let over = |at: f64| {
            let side = normal::upper_tail(at);
            let bounds = bounds(self.spending, side, self.alternative, &self.fractions);
            bounds.last().map_or(Z_MAX, |bound| bound.min(Z_MAX)) - z
        };
        let sides = if self.alternative == Alternative::TwoSided { 2.0 } else { 1.0 };
        let (mut low, mut high) = (1e-6, 7.0);
        let (mut below, mut above) = (over(low), over(high));
        if z.is_nan() || below > 0.0 {
            return 1.0;
        }
        if above <= 0.0 {
            return sides * normal::upper_tail(high);
        }
        // False position, halving the weight of an end that stays (Dowell and Jarratt 1971, "Illinois").
        let mut side_kept = 0;
        while high - low > 1e-10 {
            let guess = high - above * (high - low) / (above - below);
            let middle = guess.clamp(low + 1e-11, high - 1e-11);
            let found = over(middle);
            if found > 0.0 {
                (high, above) = (middle, found);
                below *= if side_kept == 1 { 0.5 } else { 1.0 };
                side_kept = 1;
            } else {
                (low, below) = (middle, found);
                above *= if side_kept == -1 { 0.5 } else { 1.0 };
                side_kept = -1;
            }
            if found.abs() < 1e-11 {
                low = middle;
                break;
            }
        }
        sides * normal::upper_tail(low)
    }
}

/// Bounds that spend one side's `alpha`. Two-sided, runs beyond either bound have stopped.
fn bounds(spending: Spending, alpha: f64, alternative: Alternative, fractions: &[f64]) -> Vec<f64> {
    let mut walk = Walk::new(0.0);
    let (mut spent, mut time) = (0.0, 0.0);
    let mut found = Vec::with_capacity(fractions.len());
    for (index, &fraction) in fractions.iter().enumerate() {
        if fraction - time < STEP_MIN {
            found.push(f64::INFINITY);
            continue;
        }
        let target = spending.spent(alpha, if 1.0 - fraction < STEP_MIN { 1.0 } else { fraction });
        let bound = walk.bound_above(fraction, target - spent);
        let lower = if alternative == Alternative::TwoSided { -bound } else { f64::NEG_INFINITY };
        let next = fractions[index + 1..].iter().find(|later| *later - fraction >= STEP_MIN);
        if let Some(next) = next {
            walk = walk.within(fraction, [lower, bound], next - fraction);
        }
        found.push(bound);
        (spent, time) = (target, fraction);
    }
    found
}

#[cfg(test)]
mod tests;
