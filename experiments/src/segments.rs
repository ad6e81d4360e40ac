//! Segments of an experiment (countries, devices, weeks since the start): what each shows, corrected for their number,
//! and whether they differ at all.

use serde::Serialize;

use crate::distribution::chi_square;
use crate::effect::Effect;
use crate::family::holm;
use crate::inference::{Mode, Reading, p_against, read};
use crate::interval::Alternative;

/// Holds what one of several segments shows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SegmentReading {
    /// The reading with an interval at α over the number of segments: all of them hold together with chance 1 − α.
    pub reading: Reading,
    /// Holm's adjusted p-value (in Bayesian mode of what is believed, see [`p_against`]): the segment shows an effect
    /// where it is at most α.
    pub adjusted_p: f64,
}

/// Reads every segment's effect by a mode, corrected for how many there are.
///
/// A segment that looks special among many mostly is not: ask [`p_of_same_effect`] first.
///
/// ```
/// use experiments::inference::Mode;
/// use experiments::{effect::Effect, statistic::Statistic, segments::read_segments};
/// let lift = |a, b| Effect::relative(&Statistic::proportion(1000, a), &Statistic::proportion(1000, b));
/// let found = read_segments(&Mode::FixedHorizon, 0.05, &[lift(100, 120)?, lift(100, 150)?]).expect("in range");
/// assert!(found[0].adjusted_p > 0.05 && found[1].adjusted_p < 0.05);
/// # Ok::<(), experiments::effect::EffectError>(())
/// ```
///
/// `None` as [`read`].
pub fn read_segments(mode: &Mode, alpha: f64, effects: &[Effect]) -> Option<Vec<SegmentReading>> {
    let share = alpha / effects.len().max(1) as f64;
    let of = |effect: &Effect| {
        let p = p_against(mode, share, Alternative::TwoSided, effect, 0.0)?;
        Some((read(mode, share, Alternative::TwoSided, effect)?, p))
    };
    let (readings, p_values): (Vec<Reading>, Vec<f64>) = effects.iter().map(of).collect::<Option<_>>()?;
    let adjusted = readings.into_iter().zip(holm(&p_values));
    Some(adjusted.map(|(reading, adjusted_p)| SegmentReading { reading, adjusted_p }).collect())
}

/// Returns the p-value of "the effect is the same in all segments", valid for one look.
///
/// Q = Σ(δ_i − δ̄)²/V_i with δ̄ weighted by 1/V_i is chi-square with one degree of freedom fewer than segments. With
/// the arms of another experiment as segments it tests whether the two interact; with weeks, whether an effect wears
/// off. Source: Cochran (1954), "The Combination of Estimates from Different Experiments", Biometrics 10.
///
/// ```
/// use experiments::{effect::Effect, segments::p_of_same_effect};
/// let effect = |value| Effect { value, standard_error: 1.0, units: 100, degrees_of_freedom: 98.0 };
/// // Q = (1 + 1)/1 = 2 with one degree of freedom.
/// let p = p_of_same_effect(&[effect(3.0), effect(5.0)]).expect("two segments");
/// assert!((p - 0.1572992071).abs() < 1e-10);
/// ```
///
/// `None` with fewer than two segments.
pub fn p_of_same_effect(effects: &[Effect]) -> Option<f64> {
    let weight = |effect: &Effect| 1.0 / effect.variance();
    let weights: f64 = effects.iter().map(weight).sum();
    let middle = effects.iter().map(|effect| weight(effect) * effect.value).sum::<f64>() / weights;
    let q: f64 = effects.iter().map(|effect| effect.minus(middle).z().powi(2)).sum();
    chi_square::upper_tail(q, effects.len().checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn effect(value: f64, standard_error: f64) -> Effect {
        Effect { value, standard_error, units: 1000, degrees_of_freedom: 998.0 }
    }

    #[test]
    fn one_segment_is_nothing_to_compare() {
        assert_eq!(p_of_same_effect(&[]), None);
        assert_eq!(p_of_same_effect(&[effect(1.0, 1.0)]), None);
        assert_eq!(read_segments(&Mode::FixedHorizon, 0.05, &[]), Some(vec![]));
        assert_eq!(read_segments(&Mode::FixedHorizon, 2.0, &[effect(1.0, 1.0)]), None);
    }

    proptest! {
        #[test]
        fn equal_effects_never_differ(value in -9.0..9.0_f64, errors in proptest::collection::vec(0.01..9.0_f64, 2..9)) {
            let effects: Vec<Effect> = errors.iter().map(|&error| effect(value, error)).collect();
            prop_assert!(p_of_same_effect(&effects).unwrap() > 0.999);
            let mut odd = effects.clone();
            odd[0].value += 60.0 * errors.iter().fold(0.0, |largest, error| error.max(largest));
            prop_assert!(p_of_same_effect(&odd).unwrap() < 1e-9);
        }
    }
}
