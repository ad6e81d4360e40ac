//! What the calculator plans for every type of metric, and what is then found.

use experiments::{effect::Scale, inference::Mode, power::Study};

use super::{
    crowd::Crowd,
    dice::Dice,
    shop::{Kind, Shop},
};
use crate::figure::{Figure, Format, Target};

const ALPHA: f64 = 0.05;
const POWER: f64 = 0.8;
/// Visitors before the experiment, from whom the calculator knows the metric.
const PILOT: u64 = 1_000_000;

/// Each with the lift that is planned for, of a size that shops see: at lifts of 15 % and more the calculator, which
/// takes a lift's error to be known, is off by up to three points.
const KINDS: [(Kind, &str, f64); 7] = [
    (Kind::Proportion, "proportion", 0.05),
    (Kind::Mean, "mean", 0.05),
    (Kind::Ratio, "ratio", 0.04),
    (Kind::AdjustedMean, "adjusted mean", 0.02),
    (Kind::AdjustedRatio, "adjusted ratio", 0.04),
    (Kind::Quantile, "quantile", 0.04),
    (Kind::ClusteredQuantile, "clustered quantile", 0.05),
];

pub fn measure(crowd: &Crowd, format: Format) {
    for (part, (kind, name, lift)) in (80..).zip(KINDS) {
        let visitors = plan(kind, lift, &mut Dice::new(crowd.seed, part, u64::MAX));
        let [power] = crowd.percent::<1>(part, |dice| [run(kind, lift, visitors, dice)]);
        Figure {
            name: format!("power off, {name}"),
            value: (power - 100.0 * POWER).abs(),
            unit: "points",
            target: Target::AtMost(2.0),
            yardstick: format!("{power:.1} % of {} runs find {lift} in {visitors} visitors", crowd.runs),
        }
        .print(format);
    }
}

/// The visitors that the calculator asks for.
fn plan(kind: Kind, lift: f64, dice: &mut Dice) -> u64 {
    let mut shop = Shop::new(kind);
    (0..PILOT).for_each(|visitor| shop.visit((visitor % 2) as usize, 1.0, dice));
    let [control, treatment] = shop.arms();
    let baseline = shop.baseline().expect("there is spread");
    let study = Study::new(baseline, Scale::Relative);
    let needed = study.units_needed(&Mode::FixedHorizon, lift, POWER).expect("the lift can be found");
    // What a metric counts as its units may be several a visitor.
    let units_a_visitor = (control.units + treatment.units) as f64 / PILOT as f64;
    (needed as f64 / units_a_visitor).ceil() as u64
}

fn run(kind: Kind, lift: f64, visitors: u64, dice: &mut Dice) -> bool {
    let mut shop = Shop::new(kind);
    for visitor in 0..visitors {
        let arm = (visitor % 2) as usize;
        shop.visit(arm, if arm == 1 { 1.0 + lift } else { 1.0 }, dice);
    }
    let effect = shop.lift().expect("arms can be compared");
    effect.at_fixed_horizon(ALPHA).is_some_and(|test| test.excludes_zero())
}
