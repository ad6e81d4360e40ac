//! CUPED: with a past that correlates by ρ, variance falls by ρ².

use experiments::{
    covariate::{Adjustment, Measure},
    effect::{Effect, Scale},
    sums::Sums,
};

use super::{crowd::Crowd, dice::Dice};
use crate::figure::{Figure, Format, Target};

const UNITS: u64 = 2000;

pub fn measure(crowd: &Crowd, format: Format) {
    for (part, correlation) in [0.0, 0.3, 0.5, 0.7, 0.9].into_iter().enumerate() {
        let run = |dice: &mut Dice| run(correlation, dice);
        let sums = crowd.sum::<7>(50 + part as u64, run).map(|sum| sum / crowd.runs as f64);
        let [adjusted, adjusted_square, plain, plain_square, promised, promised_plain, held] = sums;
        let variance = |mean: f64, square: f64| square - mean * mean;
        let fall = 100.0 * (1.0 - promised / promised_plain);
        let observed = 100.0 * (1.0 - variance(adjusted, adjusted_square) / variance(plain, plain_square));
        let wanted = 100.0 * correlation * correlation;
        Figure {
            name: format!("CUPED, correlation {correlation}"),
            value: (fall - wanted).abs(),
            unit: "points off",
            target: Target::AtMost(2.0),
            yardstick: format!(
                "{fall:.1} % for {wanted:.0} %; {observed:.1} % between {} runs; intervals hold {:.1} %",
                crowd.runs,
                100.0 * held
            ),
        }
        .print(format);
    }
}

/// Effect and its square, adjusted and plain; both variances; whether the adjusted interval held the truth, 0.
fn run(correlation: f64, dice: &mut Dice) -> [f64; 7] {
    let mut arms = [Sums::<2>::default(); 2];
    let rest = (1.0 - correlation * correlation).sqrt();
    for _ in 0..UNITS {
        let (before, noise) = (dice.normal(), dice.normal());
        let after = correlation * before + rest * noise;
        let values = [after, before].map(|value| (10_000.0 + 1000.0 * value).round() as i64);
        arms[usize::from(dice.is_heads())].add(values).expect("sums stay in range");
    }
    let plain = Effect::absolute(&arms[0].statistic(0), &arms[1].statistic(0)).expect("there is spread");
    let adjustment =
        Adjustment::of_means(&arms[0], &arms[1], [Measure::Mean; 2]).expect("sums stay in range");
    let adjusted = adjustment.effect(Scale::Absolute).expect("there is spread");
    let held = adjusted.at_fixed_horizon(0.05).is_some_and(|test| !test.excludes_zero());
    let square = |effect: Effect| effect.value * effect.value;
    let held = f64::from(u8::from(held));
    let (of_adjusted, of_plain) = (adjusted.variance(), plain.variance());
    [adjusted.value, square(adjusted), plain.value, square(plain), of_adjusted, of_plain, held]
}
