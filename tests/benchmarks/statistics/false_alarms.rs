//! A/A experiments that are looked at after every 100 units: who cries wolf.

use experiments::{
    bayes::{Better, Posterior, Prior},
    effect::{Effect, Scale},
    group_sequential::{GroupSequential, Spending},
    interval::Alternative::TwoSided,
    mixture::Mixture,
    sequence::Sequence,
    sums::Sums,
    verdict::{ACTIVE_PER_ARM_MIN, ALPHA, UNITS_PER_ARM_MIN},
};

use super::{crowd::Crowd, dice::Dice};
use crate::figure::{Figure, Format, Target};

const UNITS: u64 = 20_000;
const UNITS_A_LOOK: u64 = 100;
const LOOKS: usize = (UNITS / UNITS_A_LOOK) as usize;
const CONVERSION: f64 = 0.02;
const BASKET_SIGMA: f64 = 1.0;

/// The modes, and whether each promises at most 5 % at all these looks together.
const MODES: [(&str, bool); 7] = [
    ("t-test at the end", true),
    ("confidence sequence", true),
    ("mSPRT", true),
    ("O'Brien-Fleming", true),
    ("Pocock", true),
    ("t-test at every look", false),
    ("Bayesian at every look", false),
];

/// What is fixed before the start.
struct Tests {
    sequence: Sequence,
    mixture: [Mixture; 2],
    bounds: [Vec<f64>; 2],
}

pub fn measure(crowd: &Crowd, format: Format) {
    let fractions: Vec<f64> = (1..=LOOKS).map(|look| look as f64 / LOOKS as f64).collect();
    let bounds = |spending| {
        let test = GroupSequential::new(spending, ALPHA, TwoSided, &fractions);
        test.expect("looks are in order").bounds().to_vec()
    };
    // Effects of about a tenth of the metric's mean.
    let basket = CONVERSION * (BASKET_SIGMA * BASKET_SIGMA / 2.0).exp() * 2000.0;
    let mixture = |tau| Mixture::new(ALPHA, TwoSided, tau).expect("tau is above 0");
    let tests = Tests {
        sequence: Sequence::new(ALPHA, UNITS).expect("alpha is in range"),
        mixture: [mixture(0.1 * CONVERSION), mixture(0.1 * basket)],
        bounds: [bounds(Spending::OBrienFleming), bounds(Spending::Pocock)],
    };
    let alarms = crowd.percent::<14>(1, |dice| run(&tests, dice));
    for (metric, alarms) in ["conversion", "revenue"].iter().zip(alarms.chunks(MODES.len())) {
        for ((mode, is_promised), &value) in MODES.iter().zip(alarms) {
            Figure {
                name: format!("A/A {metric}, {mode}"),
                value,
                unit: "%",
                target: if *is_promised {
                    Target::AtMost(100.0 * ALPHA + noise(crowd.runs))
                } else {
                    Target::None
                },
                yardstick: format!("{} A/A runs, {LOOKS} looks to {UNITS} units", crowd.runs),
            }
            .print(format);
        }
    }
}

/// Two standard errors of a share that is 5 %, in percent: what is exactly 5 % is seen a little above in half of all
/// simulations.
pub fn noise(runs: u64) -> f64 {
    200.0 * (ALPHA * (1.0 - ALPHA) / runs as f64).sqrt()
}

fn run(tests: &Tests, dice: &mut Dice) -> [bool; 14] {
    let mut arms = [Sums::<2>::default(); 2];
    let mut alarms = [false; 14];
    for look in 0..LOOKS {
        for _ in 0..UNITS_A_LOOK {
            let arm = usize::from(dice.is_heads());
            let is_converted = dice.happens(CONVERSION);
            let basket =
                if is_converted { (2000.0 * (BASKET_SIGMA * dice.normal()).exp()) as i64 } else { 0 };
            arms[arm].add([i64::from(is_converted), basket]).expect("sums stay in range");
        }
        let conversions = arms[0].sum(0) + arms[1].sum(0);
        // As a verdict: nothing is said before there are so many.
        let is_early = arms.iter().any(|arm| arm.units() < UNITS_PER_ARM_MIN)
            || conversions < 2 * i128::from(ACTIVE_PER_ARM_MIN);
        for metric in 0..2 {
            let [a, b] = [arms[0].statistic(metric), arms[1].statistic(metric)];
            let Ok(effect) = Effect::absolute(&a, &b) else { continue };
            let alarms = &mut alarms[metric * MODES.len()..];
            let naive = effect.at_fixed_horizon(ALPHA).is_some_and(|test| test.excludes_zero());
            alarms[0] = naive && look == LOOKS - 1;
            if is_early {
                continue;
            }
            alarms[1] |= tests.sequence.estimate(&effect).is_some_and(|test| test.excludes_zero());
            alarms[2] |= tests.mixture[metric].estimate(&effect).is_some_and(|test| test.excludes_zero());
            for (alarm, bounds) in alarms[3..5].iter_mut().zip(&tests.bounds) {
                *alarm |= effect.z().abs() >= bounds[look];
            }
            alarms[5] |= naive;
            let prior = Prior::LIFT.rescaled(Scale::Relative, Scale::Absolute, a.mean);
            let belief = Posterior::of(&effect, Some(prior), Better::Higher, ALPHA);
            alarms[6] |= belief.is_some_and(|belief| belief.lower > 0.0 || belief.upper < 0.0);
        }
    }
    alarms
}
