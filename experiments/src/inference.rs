//! What may be concluded from an effect, by the rule that was chosen before the start.

use serde::{Deserialize, Serialize};

use crate::bayes::{Better, Posterior, Prior};
use crate::distribution::normal;
use crate::effect::Effect;
use crate::group_sequential::{GroupSequential, Spending};
use crate::interval::{Alternative, Estimate};
use crate::mixture::Mixture;
use crate::sequence::Sequence;

/// Says by which rule an effect is judged; chosen, with its settings, before the start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mode {
    /// Welch's t-test at one look that is planned beforehand.
    FixedHorizon,
    /// The asymptotic confidence sequence, at any looks; tightest at the planned units of the two arms together.
    Sequential {
        /// N*.
        planned_units: u64,
    },
    /// Bounds at a few looks that share α by a spending function.
    GroupSequential {
        /// How α is spent.
        spending: Spending,
        /// Units of the two arms together at which all of α is spent.
        planned_units: u64,
        /// Units at the looks before this one, the oldest first.
        earlier_looks: Vec<u64>,
    },
    /// The mixture sequential ratio test, at any looks.
    Mixture {
        /// The size of effects that are expected, on the scale on which they are told.
        tau: f64,
    },
    /// Belief under a prior on the effect's scale, or under a flat one.
    Bayesian {
        /// The prior.
        prior: Option<Prior>,
        /// The direction in which the metric is good.
        better: Better,
    },
}

/// Says when a team looks at its results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Looks {
    /// Once, at the planned end.
    Once,
    /// So many times, at moments that do not depend on the results.
    Scheduled(u32),
    /// Whenever it likes.
    Anytime,
}

impl Mode {
    /// Returns whether the mode's chance of error holds for a team that looks this way.
    ///
    /// ```
    /// use experiments::inference::{Looks, Mode};
    /// assert!(Mode::FixedHorizon.holds_for(Looks::Once) && !Mode::FixedHorizon.holds_for(Looks::Scheduled(2)));
    /// assert!(Mode::Sequential { planned_units: 5000 }.holds_for(Looks::Anytime));
    /// assert!(!Mode::Bayesian { prior: None, better: Default::default() }.holds_for(Looks::Anytime));
    /// ```
    pub fn holds_for(&self, looks: Looks) -> bool {
        match (self, looks) {
            (Mode::Sequential { .. } | Mode::Mixture { .. }, _) => true,
            (Mode::GroupSequential { .. }, looks) => looks != Looks::Anytime,
            (Mode::FixedHorizon, looks) => matches!(looks, Looks::Once | Looks::Scheduled(0 | 1)),
            // With a flat prior and one look an interval is the usual one; otherwise no chance of error is bounded.
            (Mode::Bayesian { prior, .. }, looks) => {
                prior.is_none() && matches!(looks, Looks::Once | Looks::Scheduled(0 | 1))
            }
        }
    }
}

/// Holds what a rule says of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reading {
    /// An estimate with a confidence interval and a p-value.
    Estimate(Estimate),
    /// A belief with a credible interval, chance to win and risks.
    Belief(Posterior),
}

impl Reading {
    /// Returns the interval's ends; infinite where there is none on that side.
    pub fn interval(&self) -> [f64; 2] {
        match self {
            Reading::Estimate(Estimate { lower, upper, .. })
            | Reading::Belief(Posterior { lower, upper, .. }) => [*lower, *upper],
        }
    }

    /// Returns the effect that is thought likeliest.
    pub fn value(&self) -> f64 {
        match self {
            Reading::Estimate(estimate) => estimate.value,
            Reading::Belief(belief) => belief.mean,
        }
    }

    /// Returns whether the interval leaves out zero.
    pub fn excludes_zero(&self) -> bool {
        let [lower, upper] = self.interval();
        lower > 0.0 || upper < 0.0
    }
}

/// Judges an effect by a mode, at a chance of error α, looking for effects on either side or on one.
///
/// ```
/// use experiments::inference::{Mode, Reading, read};
/// use experiments::{effect::Effect, interval::Alternative, statistic::Statistic};
/// let lift = Effect::relative(&Statistic::proportion(1000, 100), &Statistic::proportion(1000, 120))?;
/// let reading = read(&Mode::Sequential { planned_units: 5000 }, 0.05, Alternative::TwoSided, &lift);
/// let Some(Reading::Estimate(estimate)) = reading else { panic!("a sequence gives an estimate") };
/// assert!((estimate.lower + 0.2790699965).abs() < 1e-10);
/// # Ok::<(), experiments::effect::EffectError>(())
/// ```
///
/// `None` when a setting is out of range (α outside 0 to 1, one-sided above 0.5, no planned units, τ or a prior's
/// deviation not above 0, too many looks or looks out of order) or numbers leave that of floating point.
pub fn read(mode: &Mode, alpha: f64, alternative: Alternative, effect: &Effect) -> Option<Reading> {
    let estimate = match mode {
        Mode::FixedHorizon => effect.t_test(alpha, alternative),
        Mode::Sequential { planned_units } => {
            Sequence::of(alpha, alternative, *planned_units)?.estimate(effect)
        }
        Mode::GroupSequential { spending, planned_units, earlier_looks } => {
            let looks = earlier_looks.iter().chain([&effect.units]);
            let fractions: Vec<f64> = looks.map(|&units| units as f64 / *planned_units as f64).collect();
            GroupSequential::new(*spending, alpha, alternative, &fractions)?.estimate(effect)
        }
        Mode::Mixture { tau } => Mixture::new(alpha, alternative, *tau)?.estimate(effect),
        Mode::Bayesian { prior, better } => return believe(effect, *prior, *better, alpha, alternative),
    };
    estimate.map(Reading::Estimate)
}

fn believe(
    effect: &Effect,
    prior: Option<Prior>,
    better: Better,
    alpha: f64,
    alternative: Alternative,
) -> Option<Reading> {
    let belief = match alternative {
        Alternative::TwoSided => Posterior::of(effect, prior, better, alpha)?,
        Alternative::Greater => {
            Posterior { upper: f64::INFINITY, ..Posterior::of(effect, prior, better, 2.0 * alpha)? }
        }
        Alternative::Less => {
            Posterior { lower: f64::NEG_INFINITY, ..Posterior::of(effect, prior, better, 2.0 * alpha)? }
        }
    };
    Some(Reading::Belief(belief))
}

/// Returns the p-value of "the effect is not above (below) the test value", in Bayesian mode the chance believed of
/// it.
///
/// For two sides, the Bayesian number is twice that of the less believed side.
///
/// ```
/// use experiments::inference::{Mode, p_against};
/// use experiments::{effect::Effect, interval::Alternative, statistic::Statistic};
/// let difference = Effect::absolute(&Statistic::proportion(1000, 100), &Statistic::proportion(1000, 120))?;
/// let p = p_against(&Mode::FixedHorizon, 0.05, Alternative::TwoSided, &difference, 0.0).expect("in range");
/// assert!((p - 0.1528653561).abs() < 1e-10);
/// # Ok::<(), experiments::effect::EffectError>(())
/// ```
///
/// `None` as [`read`].
pub fn p_against(
    mode: &Mode,
    alpha: f64,
    alternative: Alternative,
    effect: &Effect,
    test_value: f64,
) -> Option<f64> {
    match read(mode, alpha, alternative, &effect.minus(test_value))? {
        Reading::Estimate(estimate) => Some(estimate.p),
        // The prior is one on the effect itself, not on its distance from the test value.
        Reading::Belief(_) => match read(mode, alpha, alternative, effect)? {
            Reading::Belief(belief) => {
                let z = (belief.mean - test_value) / belief.deviation;
                Some(match alternative {
                    Alternative::TwoSided => 2.0 * normal::upper_tail(z.abs()),
                    Alternative::Greater => normal::upper_tail(z),
                    Alternative::Less => normal::upper_tail(-z),
                })
            }
            Reading::Estimate(estimate) => Some(estimate.p),
        },
    }
}

#[cfg(test)]
mod tests;
