//! Bandits: how units should be split among arms when what is learned is used at once.

use serde::{Deserialize, Serialize};

use crate::bayes::{Better, Prior};
use crate::crossing::gauss_legendre;
use crate::distribution::normal;
use crate::statistic::Statistic;

mod periods;

pub use periods::{PeriodError, over_adjusted_periods, over_periods};

/// Fewest units of every arm before weights change, as GrowthBook's.
pub const UNITS_PER_ARM_MIN: u64 = 100;
/// The prior of an arm's mean, as GrowthBook's: it hardly says anything for metrics of a size of 100 or less.
pub const ARM_PRIOR: Prior = Prior { mean: 0.0, deviation: 100.0 };
/// The least share of an arm, unless another is set: arms that are never shown are never known.
pub const FLOOR: f64 = 0.01;
/// Beyond so many deviations a normal distribution counts as over.
const REACH: f64 = 9.0;
/// Nodes of each panel of an integral.
const NODES: usize = 24;

/// Says by which rule an arm earns its share of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// By its chance to be the best (Thompson 1933, Biometrika 25): earns most on the way.
    #[default]
    Thompson,
    /// By its chance to be among the two best (Russo 2020, "Simple Bayesian Algorithms for Best-Arm Identification",
    /// Operations Research 68): learns faster which is the best.
    TopTwo,
}

/// Says why weights cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum BanditError {
    /// Fewer than two arms.
    #[error("a bandit has {found} arms, the fewest is 2")]
    TooFewArms {
        /// How many were given.
        found: usize,
    },
    /// An arm has fewer than [`UNITS_PER_ARM_MIN`] units: keep the weights.
    #[error("arm {arm} has {units} units, the fewest is {UNITS_PER_ARM_MIN}")]
    TooFewUnits {
        /// The arm's index.
        arm: usize,
        /// Its units.
        units: u64,
    },
    /// An arm's units are all alike, or its numbers are none.
    #[error("arm {arm} has no spread")]
    NoSpread {
        /// The arm's index.
        arm: usize,
    },
    /// A floor outside 0 to 1.
    #[error("floor is {floor}: it must be 0 to 1")]
    Floor {
        /// What was given.
        floor: f64,
    },
}

/// Holds what is believed of an arm's mean: normal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Belief {
    mean: f64,
    deviation: f64,
}

impl Belief {
    /// Makes a belief of a mean's expectation and its standard deviation. `None` unless the deviation is above 0 and
    /// both are finite.
    pub fn new(mean: f64, deviation: f64) -> Option<Self> {
        let is_fit = deviation > 0.0 && deviation.is_finite() && mean.is_finite();
        is_fit.then_some(Self { mean, deviation })
    }

    /// Returns the belief after the data: precision 1/σ₀² + n/s². `None` without units, spread or finite numbers.
    pub fn of(statistic: &Statistic, prior: Prior) -> Option<Self> {
        let variance = statistic.variance_of_mean();
        let weight = 1.0 / (1.0 + variance / (prior.deviation * prior.deviation));
        let mean = prior.mean + weight * (statistic.mean - prior.mean);
        Self::new(mean, (variance * weight).sqrt())
    }

    /// Returns the mean's expectation.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Returns its standard deviation.
    pub fn deviation(&self) -> f64 {
        self.deviation
    }
}

/// Returns each arm's chance to be the best, by integration and so without randomness; they sum to 1.
///
/// P_i = ∫ φ_i(x)·Π_{j≠i} Φ_j(x) dx.
///
/// ```
/// use experiments::{bandit::{Belief, chances_to_be_best}, bayes::Better};
/// let arm = |mean, variance: f64| Belief::new(mean, (variance / 1000.0).sqrt()).expect("above 0");
/// let arms = [arm(0.10, 0.09), arm(0.12, 0.1056), arm(0.11, 0.0979)];
/// let chances = chances_to_be_best(&arms, Better::Higher);
/// let known = [0.04325435404, 0.7301501097, 0.2265955363];
/// assert!(chances.iter().zip(known).all(|(found, known)| (found - known).abs() < 1e-9));
/// ```
pub fn chances_to_be_best(arms: &[Belief], better: Better) -> Vec<f64> {
    integrate(arms, better, |tails, i| {
        let others = tails.iter().enumerate().filter(|(j, _)| *j != i);
        others.map(|(_, [below, _])| below).product()
    })
}

/// Returns each arm's chance to be among the two best; they sum to 2 (to 1 for a single arm).
///
/// To be second is ∫ φ_i Σ_{j≠i} (1 − Φ_j) Π_{k≠i,j} Φ_k.
///
/// ```
/// use experiments::{bandit::{Belief, chances_to_be_in_two_best}, bayes::Better};
/// let arm = Belief::new(1.0, 0.1).expect("above 0");
/// let chances = chances_to_be_in_two_best(&[arm; 4], Better::Higher);
/// assert!(chances.iter().all(|chance| (chance - 0.5).abs() < 1e-12));
/// ```
pub fn chances_to_be_in_two_best(arms: &[Belief], better: Better) -> Vec<f64> {
    integrate(arms, better, |tails, i| {
        // The chances that none, and that one of the others is above.
        let others = tails.iter().enumerate().filter(|(j, _)| *j != i);
        let (none, one) = others
            .fold((1.0, 0.0), |(none, one), (_, [below, above])| (none * below, one * below + none * above));
        none + one
    })
}

/// ∫ φ_i(x)·f(x) dx for each arm, f being given the chances of every arm to lie below and above x.
fn integrate(arms: &[Belief], better: Better, of_others: impl Fn(&[[f64; 2]], usize) -> f64) -> Vec<f64> {
    let sign = if better == Better::Higher { 1.0 } else { -1.0 };
    let arms: Vec<Belief> = arms.iter().map(|arm| Belief { mean: sign * arm.mean, ..*arm }).collect();
    let rule = gauss_legendre(NODES);
    let of_arm = |i: usize| {
        let Belief { mean, deviation } = arms[i];
        let cuts = panels(&arms, i);
        let mut sum = 0.0;
        for panel in cuts.windows(2) {
            let (half, middle) = (0.5 * (panel[1] - panel[0]), 0.5 * (panel[1] + panel[0]));
            for &(node, weight) in &rule {
                let x = middle + half * node;
                let tails: Vec<[f64; 2]> = arms
                    .iter()
                    .map(|arm| (x - arm.mean) / arm.deviation)
                    .map(|z| [normal::cdf(z), normal::upper_tail(z)])
                    .collect();
                let density = normal::density((x - mean) / deviation) / deviation;
                sum += half * weight * density * of_others(&tails, i);
            }
        }
        sum
    };
    (0..arms.len()).map(of_arm).collect()
}

/// Cuts arm i's range where its own density or another arm's distribution bends.
fn panels(arms: &[Belief], i: usize) -> Vec<f64> {
    let (low, high) = (arms[i].mean - REACH * arms[i].deviation, arms[i].mean + REACH * arms[i].deviation);
    let mut cuts = vec![low, high];
    for arm in arms {
        let bends = [-REACH, -5.0, -2.5, 0.0, 2.5, 5.0, REACH].map(|z| arm.mean + z * arm.deviation);
        cuts.extend(bends.into_iter().filter(|cut| low < *cut && *cut < high));
    }
    cuts.sort_by(f64::total_cmp);
    cuts
}

/// Returns the share of units that each arm should have from now on; they sum to 1.
///
/// f + (1 − kf)·P_i with the floor f over k arms; equal when kf ≥ 1. Source: growthbook,
/// `gbstats/bayesian/bandits.py`, which draws where this integrates. Begin with equal weights until every arm has its
/// units, then keep a fixed beat.
///
/// ```
/// use experiments::bandit::{Policy, weights};
/// use experiments::{bayes::Better, statistic::Statistic};
/// let arms = [100, 120, 110].map(|conversions| Statistic::proportion(1000, conversions));
/// let found = weights(&arms, Policy::Thompson, 0.01, Better::Higher)?;
/// let drawn = [0.050061, 0.719458, 0.230481];
/// assert!(found.iter().zip(drawn).all(|(found, drawn)| (found - drawn).abs() < 0.01));
/// # Ok::<(), experiments::bandit::BanditError>(())
/// ```
///
/// # Errors
/// [`BanditError`]; the weights then stay as they are.
pub fn weights(
    arms: &[Statistic],
    policy: Policy,
    floor: f64,
    better: Better,
) -> Result<Vec<f64>, BanditError> {
    if arms.len() < 2 {
        return Err(BanditError::TooFewArms { found: arms.len() });
    }
    if !(0.0..=1.0).contains(&floor) {
        return Err(BanditError::Floor { floor });
    }
    let mut beliefs = Vec::with_capacity(arms.len());
    for (arm, statistic) in arms.iter().enumerate() {
        let units = statistic.units;
        if units < UNITS_PER_ARM_MIN {
            return Err(BanditError::TooFewUnits { arm, units });
        }
        beliefs.push(Belief::of(statistic, ARM_PRIOR).ok_or(BanditError::NoSpread { arm })?);
    }
    let chances = match policy {
        Policy::Thompson => chances_to_be_best(&beliefs, better),
        Policy::TopTwo => chances_to_be_in_two_best(&beliefs, better),
    };
    let (count, whole) = (arms.len() as f64, chances.iter().sum::<f64>());
    let free = (1.0 - count * floor).max(0.0);
    Ok(chances.into_iter().map(|chance| (1.0 - free) / count + free * chance / whole).collect())
}

#[cfg(test)]
mod tests;
