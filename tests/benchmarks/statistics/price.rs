//! The price of peeking: what the calculator says that each mode needs, and what it then finds.

use std::sync::LazyLock;

use experiments::{
    bayes::{Better, Prior},
    effect::{Effect, Scale},
    group_sequential::{GroupSequential, Spending},
    inference::{Looks, Mode, read},
    interval::Alternative::TwoSided,
    planner::{Offer, offers},
    power::{Baseline, Study},
    statistic::Statistic,
};

use super::{crowd::Crowd, dice::Dice};
use crate::figure::{Figure, Format, Target};

const CONVERSION: f64 = 0.1;
const LIFT: f64 = 0.1;
const POWER: f64 = 0.8;
const LOOKS: u32 = 20;

pub fn measure(crowd: &Crowd, format: Format) {
    for (part, scale) in [(30, Scale::Absolute), (40, Scale::Relative)] {
        let study = Study::new(Baseline::proportion(CONVERSION).expect("a share"), scale);
        let effect = if scale == Scale::Absolute { LIFT * CONVERSION } else { LIFT };
        let offers = offers(&study, effect, POWER, Looks::Scheduled(LOOKS));
        let fixed = offers.iter().find(|offer| offer.mode == Mode::FixedHorizon).map_or(1, |it| it.units_max);
        for (part, offer) in (part..).zip(&offers) {
            let sums = crowd.sum::<2>(part, |dice| run(scale, offer, LIFT, dice));
            let [power, units] = sums.map(|sum| sum / crowd.runs as f64);
            print(scale, offer, fixed, 100.0 * power, units, crowd.runs, format);
        }
    }
    believe(crowd, format);
    recommend(format);
}

/// What who looks as often and believes what it says finds within the units of the t-test, where there is a lift and where there is none.
fn believe(crowd: &Crowd, format: Format) {
    let study = Study::new(Baseline::proportion(CONVERSION).expect("a share"), Scale::Relative);
    let fixed =
        offers(&study, LIFT, POWER, Looks::Once).into_iter().find(|offer| offer.mode == Mode::FixedHorizon);
    let fixed = fixed.expect("a t-test is offered to who looks once");
    let mode = Mode::Bayesian { prior: Some(Prior::LIFT), better: Better::Higher };
    let offer = Offer { mode, ..fixed };
    for (part, lift, name) in [(50, LIFT, "found"), (51, 0.0, "false alarms")] {
        let sums = crowd.sum::<2>(part, |dice| run(Scale::Relative, &offer, lift, dice));
        let [share, units] = sums.map(|sum| sum / crowd.runs as f64);
        Figure {
            name: format!("{name}, Bayesian, lift"),
            value: 100.0 * share,
            unit: "%",
            target: Target::None,
            yardstick: format!(
                "{:.2} x the {} units of the t-test, {LOOKS} looks, {} runs",
                units / offer.units_max as f64,
                offer.units_max,
                crowd.runs
            ),
        }
        .print(format);
    }
}

fn print(scale: Scale, offer: &Offer, fixed: u64, power: f64, units: f64, runs: u64, format: Format) {
    let name =
        format!("{}, {}", name(&offer.mode), if scale == Scale::Absolute { "difference" } else { "lift" });
    Figure {
        name: format!("power off, {name}"),
        value: (power - 100.0 * POWER).abs(),
        unit: "points",
        target: Target::AtMost(2.0),
        yardstick: format!("{power:.1} % found by {} units, {runs} runs", offer.units_max),
    }
    .print(format);
    let ratio = |units: f64| units / fixed as f64;
    Figure {
        name: format!("units, {name}"),
        value: ratio(units),
        unit: "x fixed",
        target: Target::None,
        yardstick: format!(
            "{units:.0} when found, {} planned; at most {:.2} x",
            offer.units_expected,
            ratio(offer.units_max as f64)
        ),
    }
    .print(format);
}

fn recommend(format: Format) {
    let study = Study::new(Baseline::proportion(CONVERSION).expect("a share"), Scale::Relative);
    for looks in [Looks::Once, Looks::Scheduled(5), Looks::Scheduled(LOOKS), Looks::Anytime] {
        let offers = offers(&study, LIFT, POWER, looks);
        let fixed = offers.iter().find(|offer| offer.mode == Mode::FixedHorizon).map_or(1, |it| it.units_max);
        let best = &offers[0];
        Figure {
            name: format!("cheapest for {looks:?}"),
            value: best.units_expected as f64 / fixed as f64,
            unit: "x fixed",
            target: Target::None,
            yardstick: format!("{}; at most {:.2} x", name(&best.mode), best.units_max as f64 / fixed as f64),
        }
        .print(format);
    }
}

fn name(mode: &Mode) -> String {
    match mode {
        Mode::FixedHorizon => "t-test".to_owned(),
        Mode::Sequential { .. } => "sequence".to_owned(),
        Mode::GroupSequential { spending, .. } => format!("{spending:?}"),
        Mode::Mixture { .. } => "mSPRT".to_owned(),
        Mode::Bayesian { .. } => "Bayesian".to_owned(),
    }
}

/// Runs an experiment with an effect: whether it was found, and after how many units it stopped.
fn run(scale: Scale, offer: &Offer, lift: f64, dice: &mut Dice) -> [f64; 2] {
    let looks = if offer.mode == Mode::FixedHorizon { 1 } else { u64::from(LOOKS) };
    let (mut units, mut conversions) = ([0_u64; 2], [0_u64; 2]);
    for look in 1..=looks {
        let due = offer.units_max * look / looks - units[0] - units[1];
        let treated = dice.binomial(due, 0.5);
        for (arm, (count, factor)) in [(due - treated, 1.0), (treated, 1.0 + lift)].into_iter().enumerate() {
            units[arm] += count;
            conversions[arm] += dice.binomial(count, CONVERSION * factor);
        }
        let [a, b] = [0, 1].map(|arm| Statistic::proportion(units[arm], conversions[arm]));
        let effect = Effect::on(scale, &a, &b).expect("some converted");
        let is_found = match &offer.mode {
            // Its bounds are the same in every run.
            Mode::GroupSequential { spending, .. } => effect.z().abs() >= bound(*spending, look),
            mode => read(mode, 0.05, TwoSided, &effect).is_some_and(|found| found.excludes_zero()),
        };
        if is_found {
            return [1.0, (units[0] + units[1]) as f64];
        }
    }
    [0.0, (units[0] + units[1]) as f64]
}

fn bound(spending: Spending, look: u64) -> f64 {
    static BOUNDS: LazyLock<[Vec<f64>; 2]> = LazyLock::new(|| {
        [Spending::OBrienFleming, Spending::Pocock].map(|spending| {
            let fractions: Vec<f64> = (1..=LOOKS).map(|look| f64::from(look) / f64::from(LOOKS)).collect();
            let test = GroupSequential::new(spending, 0.05, TwoSided, &fractions);
            test.expect("looks are in order").bounds().to_vec()
        })
    });
    BOUNDS[usize::from(spending == Spending::Pocock)][look as usize - 1]
}
