//! The price of peeking: what the calculator says that each mode needs, and what it then finds.

use experiments::{
    effect::{Effect, Scale},
    group_sequential::GroupSequential,
    inference::{Looks, Mode, read},
    interval::Alternative::TwoSided,
    metric::Statistic,
    planner::{Offer, offers},
    power::{Baseline, Study},
};

use super::{crowd::Crowd, dice::Dice};
use crate::figure::{Figure, Format, Target};

const CONVERSION: f64 = 0.1;
const LIFT: f64 = 0.1;
const POWER: f64 = 0.8;
const LOOKS: u32 = 20;

pub fn measure(crowd: &Crowd, format: Format) {
    let study = Study::new(Baseline::proportion(CONVERSION).expect("a share"), Scale::Relative);
    let found = offers(&study, LIFT, POWER, Looks::Scheduled(LOOKS));
    let fixed =
        found.iter().find(|offer| offer.mode == Mode::FixedHorizon).map_or(1, |offer| offer.units_max);
    for (part, offer) in found.iter().enumerate() {
        let [is_found, units] = crowd.sum::<2>(30 + part as u64, run_of(offer));
        let (power, units) = (100.0 * is_found / crowd.runs as f64, units / crowd.runs as f64);
        let name = name(&offer.mode);
        Figure {
            name: format!("power off the calculator's, {name}"),
            value: (power - 100.0 * POWER).abs(),
            unit: "points",
            target: Target::AtMost(2.0),
            yardstick: format!("{power:.1} % found by {} units, {} runs", offer.units_max, crowd.runs),
        }
        .print(format);
        let ratio = |units: f64| units / fixed as f64;
        Figure {
            name: format!("units expected, {name}"),
            value: ratio(units),
            unit: "x fixed",
            target: Target::None,
            yardstick: format!(
                "{units:.0} simulated, {} planned; at most {:.2} x",
                offer.units_expected,
                ratio(offer.units_max as f64)
            ),
        }
        .print(format);
    }
    for looks in [Looks::Once, Looks::Scheduled(5), Looks::Scheduled(LOOKS), Looks::Anytime] {
        let best = offers(&study, LIFT, POWER, looks).swap_remove(0);
        Figure {
            name: format!("recommended for {looks:?}"),
            value: best.units_expected as f64 / fixed as f64,
            unit: "x fixed",
            target: Target::None,
            yardstick: format!("{}; at most {} units", name(&best.mode), best.units_max),
        }
        .print(format);
    }
}

fn name(mode: &Mode) -> String {
    match mode {
        Mode::FixedHorizon => "fixed horizon".to_owned(),
        Mode::Sequential { .. } => "confidence sequence".to_owned(),
        Mode::GroupSequential { spending, .. } => format!("group sequential, {spending:?}"),
        Mode::Mixture { .. } => "mixture test (mSPRT)".to_owned(),
        Mode::Bayesian { .. } => "Bayesian".to_owned(),
    }
}

/// Runs an experiment with the planned effect: whether it was found, and after how many units it stopped.
fn run_of(offer: &Offer) -> impl Fn(&mut Dice) -> [f64; 2] + Sync {
    let looks = if offer.mode == Mode::FixedHorizon { 1 } else { u64::from(LOOKS) };
    let fractions: Vec<f64> = (1..=looks).map(|look| look as f64 / looks as f64).collect();
    // Its bounds are the same in every run.
    let bounds = match &offer.mode {
        Mode::GroupSequential { spending, .. } => GroupSequential::new(*spending, 0.05, TwoSided, &fractions),
        _ => None,
    };
    move |dice| {
        let (mut units, mut conversions) = ([0_u64; 2], [0_u64; 2]);
        for look in 1..=looks {
            let due = offer.units_max * look / looks - units[0] - units[1];
            let treated = dice.binomial(due, 0.5);
            for (arm, (count, factor)) in
                [(due - treated, 1.0), (treated, 1.0 + LIFT)].into_iter().enumerate()
            {
                units[arm] += count;
                conversions[arm] += dice.binomial(count, CONVERSION * factor);
            }
            let [a, b] = [0, 1].map(|arm| Statistic::proportion(units[arm], conversions[arm]));
            let effect = Effect::relative(&a, &b).expect("some converted");
            let is_found = match &bounds {
                Some(test) => effect.z().abs() >= test.bounds()[look as usize - 1],
                None => read(&offer.mode, 0.05, TwoSided, &effect).is_some_and(|found| found.excludes_zero()),
            };
            if is_found {
                return [1.0, (units[0] + units[1]) as f64];
            }
        }
        [0.0, (units[0] + units[1]) as f64]
    }
}
