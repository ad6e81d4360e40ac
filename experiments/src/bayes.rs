//! Belief about an effect after the data: chance to win and what a wrong decision costs.

use serde::{Deserialize, Serialize};

use crate::distribution::normal;
use crate::effect::{Effect, Scale};

/// Says in which direction a metric is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// More is better: conversion, revenue.
    #[default]
    Higher,
    /// Less is better: latency, errors.
    Lower,
}

/// Holds what is believed of an effect before the data: normal, around a mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Prior {
    /// The effect that is thought likeliest.
    pub mean: f64,
    /// How far true effects lie from it, a standard deviation; above 0.
    pub deviation: f64,
}

impl Prior {
    /// GrowthBook's proper prior on lifts: around none, two thirds of them within 30 %.
    pub const LIFT: Prior = Prior { mean: 0.0, deviation: 0.3 };

    /// Returns a prior that was stated on one scale as one on the other: lifts times |control's mean| are differences.
    ///
    /// ```
    /// use experiments::{bayes::Prior, effect::Scale};
    /// let difference = Prior::LIFT.rescaled(Scale::Relative, Scale::Absolute, 0.1);
    /// assert!((difference.deviation - 0.03).abs() < 1e-15);
    /// ```
    pub fn rescaled(self, from: Scale, to: Scale, control_mean: f64) -> Prior {
        let factor = match (from, to) {
            (Scale::Relative, Scale::Absolute) => control_mean.abs(),
            (Scale::Absolute, Scale::Relative) => 1.0 / control_mean.abs(),
            _ => 1.0,
        };
        Prior { mean: self.mean * factor, deviation: self.deviation * factor }
    }
}

/// Holds what is believed of an effect after the data: a normal distribution and what follows from it.
///
/// It answers what a team would bet, given the prior. It does not bound how often teams that look again and again are
/// wrong: under peeking more than α of experiments without effect reach any chance to win.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Posterior {
    /// The effect's expectation.
    pub mean: f64,
    /// Its standard deviation.
    pub deviation: f64,
    /// Lower end of the interval that holds the effect with chance 1 − α.
    pub lower: f64,
    /// Upper end of it.
    pub upper: f64,
    /// Chance that the treatment is better.
    pub chance_to_win: f64,
    /// What is expected to be lost by keeping the control, on the effect's scale.
    pub risk_of_control: f64,
    /// What is expected to be lost by shipping the treatment, on the effect's scale.
    pub risk_of_treatment: f64,
}

impl Posterior {
    /// Returns the posterior of an effect under a prior on its scale, or under a flat one.
    ///
    /// Precisions add, 1/V + 1/σ₀²; the mean is (Δ/V + μ₀/σ₀²) over them. Chance to win is Φ(μ/σ), the risk of keeping
    /// the control E[max(δ, 0)] = μΦ(μ/σ) + σφ(μ/σ), that of the treatment the same of −δ; both the other way where
    /// lower is better. Source: gbstats 0.8.0, `bayesian/tests.py`, which takes the risks from truncated normals and
    /// loses them beyond 37 standard deviations.
    ///
    /// ```
    /// use experiments::bayes::{Better, Posterior, Prior};
    /// use experiments::{effect::Effect, statistic::Statistic};
    /// let (a, b) = (Statistic::proportion(1000, 100), Statistic::proportion(1000, 120));
    /// let lift = Effect::relative(&a, &b)?;
    /// let belief = Posterior::of(&lift, Some(Prior::LIFT), Better::Higher, 0.05).expect("finite");
    /// assert!((belief.mean - 0.1585623679).abs() < 1e-10 && (belief.deviation - 0.1365537786).abs() < 1e-10);
    /// assert!((belief.lower + 0.1090781202).abs() < 1e-10 && (belief.upper - 0.426202856).abs() < 1e-9);
    /// assert!((belief.chance_to_win - 0.8772139365).abs() < 1e-10);
    /// assert!((belief.risk_of_control - 0.1668537886).abs() < 1e-10);
    /// assert!((belief.risk_of_treatment - 0.008291420711).abs() < 1e-12);
    /// # Ok::<(), experiments::effect::EffectError>(())
    /// ```
    ///
    /// `None` unless 0 < alpha < 1, the prior's deviation is above 0 and all numbers are finite.
    pub fn of(effect: &Effect, prior: Option<Prior>, better: Better, alpha: f64) -> Option<Posterior> {
        let variance = effect.variance();
        let (mean, deviation) = match prior {
            None => (effect.value, effect.standard_error),
            Some(prior) => {
                // The weight of the data, so that neither precision can overflow.
                let weight = 1.0 / (1.0 + variance / (prior.deviation * prior.deviation));
                let mean = prior.mean + weight * (effect.value - prior.mean);
                (mean, effect.standard_error * weight.sqrt())
            }
        };
        let is_prior = prior.is_none_or(|prior| prior.deviation > 0.0 && prior.mean.is_finite());
        let is_fit = alpha > 0.0 && alpha < 1.0 && deviation > 0.0 && deviation.is_finite();
        if !(is_prior && is_fit && mean.is_finite()) {
            return None;
        }
        let ratio = mean / deviation;
        let towards = if better == Better::Higher { ratio } else { -ratio };
        let half_width = normal::critical(alpha / 2.0) * deviation;
        Some(Posterior {
            mean,
            deviation,
            lower: mean - half_width,
            upper: mean + half_width,
            chance_to_win: normal::cdf(towards),
            risk_of_control: deviation * normal::expected_excess(towards),
            risk_of_treatment: deviation * normal::expected_excess(-towards),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::covariate::{Adjustment, Measure};
    use crate::statistic::Statistic;
    use crate::sums::Sums;
    use proptest::prelude::*;

    fn assert_digits(found: Posterior, printed: [f64; 7]) {
        let Posterior { mean, deviation, lower, upper, chance_to_win, risk_of_control, risk_of_treatment } =
            found;
        let found = [mean, deviation, lower, upper, chance_to_win, risk_of_control, risk_of_treatment];
        for (found, printed) in found.into_iter().zip(printed) {
            assert!((found - printed).abs() <= printed.abs() * 6e-10, "{found} is not {printed}");
        }
    }

    /// The published numbers of gbstats 0.8.0, examples A and D.
    #[test]
    fn posteriors_are_as_printed() {
        let (a, b) = (Statistic::proportion(1000, 100), Statistic::proportion(1000, 120));
        let (lift, difference) = (Effect::relative(&a, &b).unwrap(), Effect::absolute(&a, &b).unwrap());
        let of = |effect: &Effect, prior| Posterior::of(effect, prior, Better::Higher, 0.05).unwrap();
        let flat =
            [0.2, 0.1533623161, -0.1005846161, 0.5005846161, 0.9039004818, 0.2069216079, 0.006921607913];
        assert_digits(of(&lift, None), flat);
        let absolute = [
            0.01642935378,
            0.01267592521,
            -0.008415003106,
            0.04127371066,
            0.9025306662,
            0.01701125632,
            0.0005819025387,
        ];
        let prior = Prior::LIFT.rescaled(Scale::Relative, Scale::Absolute, 0.1);
        assert_digits(of(&difference, Some(prior)), absolute);
        // Example D, with the variance that the wheel takes: adjusted spreads around raw means.
        let a = Sums::of(1000, [5000, 4800], [[45_000, 40_000], [0, 42_000]]).unwrap();
        let b = Sums::of(1100, [5830, 5390], [[54_000, 46_000], [0, 47_000]]).unwrap();
        let adjusted = Adjustment::of_means(&a, &b, [Measure::Mean; 2]).unwrap();
        let [raw_a, raw_b] =
            [(a, 0), (b, 1)].map(|(sums, arm)| Statistic { mean: sums.mean(0), ..adjusted.arms()[arm] });
        let standard_error = Effect::relative(&raw_a, &raw_b).unwrap().standard_error;
        let lift = Effect { standard_error, ..adjusted.effect(Scale::Relative).unwrap() };
        let printed = [
            0.0428168021,
            0.02376408948,
            -0.003759957396,
            0.0893935616,
            0.9642071423,
            0.04315456222,
            0.0003377601128,
        ];
        assert_digits(of(&lift, Some(Prior::LIFT)), printed);
    }

    #[test]
    fn the_other_direction_swaps_winner_and_risks() {
        let effect = Effect { value: 0.1, standard_error: 0.2, units: 9, degrees_of_freedom: 7.0 };
        let of = |better| Posterior::of(&effect, None, better, 0.05).unwrap();
        let (higher, lower) = (of(Better::Higher), of(Better::Lower));
        assert!((higher.chance_to_win + lower.chance_to_win - 1.0).abs() < 1e-15);
        assert_eq!(higher.risk_of_control, lower.risk_of_treatment);
        assert_eq!((higher.lower, higher.upper), (lower.lower, lower.upper));
    }

    proptest! {
        #[test]
        fn beliefs_stay_numbers_however_extreme(
            value in -1e6..1e6_f64, magnitude in -150.0..150.0_f64, mean in -1e3..1e3_f64, deviation in -150.0..150.0_f64,
        ) {
            let standard_error = 10_f64.powf(magnitude);
            let effect = Effect { value, standard_error, units: 100, degrees_of_freedom: 98.0 };
            let prior = Prior { mean, deviation: 10_f64.powf(deviation) };
            for prior in [None, Some(prior)] {
                let Some(found) = Posterior::of(&effect, prior, Better::Higher, 0.05) else { continue };
                prop_assert!((0.0..=1.0).contains(&found.chance_to_win));
                prop_assert!(found.risk_of_control >= 0.0 && found.risk_of_treatment >= 0.0);
                prop_assert!(found.risk_of_control.is_finite() && found.risk_of_treatment.is_finite());
                let difference = found.risk_of_control - found.risk_of_treatment;
                let size = found.risk_of_control + found.risk_of_treatment;
                prop_assert!((difference - found.mean).abs() <= 1e-12 * size);
                prop_assert!(found.lower <= found.mean && found.mean <= found.upper);
            }
        }
    }
}
