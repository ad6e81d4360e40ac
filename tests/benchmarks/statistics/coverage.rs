//! Intervals around known effects, from −20 % to +20 %, for every type of metric.

use experiments::sequence::Sequence;

use super::{
    crowd::Crowd,
    dice::Dice,
    shop::{Kind, Shop},
};
use crate::figure::{Figure, Format, Target};

const EFFECTS: [f64; 5] = [-0.2, -0.1, 0.0, 0.1, 0.2];
const ALPHA: f64 = 0.05;
const LOOKS: u64 = 5;

/// Each with the units that are planned for both arms together.
const KINDS: [(Kind, &str, u64); 8] = [
    (Kind::Proportion, "proportion", 10_000),
    (Kind::Mean, "mean", 10_000),
    (Kind::Ratio, "ratio", 6_000),
    (Kind::AdjustedMean, "adjusted mean", 6_000),
    (Kind::AdjustedRatio, "adjusted ratio", 6_000),
    (Kind::Stratified, "post-stratified mean", 6_000),
    (Kind::Quantile, "quantile", 6_000),
    (Kind::ClusteredQuantile, "clustered quantile", 3_000),
];

pub fn measure(crowd: &Crowd, format: Format) {
    let mut part = 100;
    for (kind, name, units) in KINDS {
        let sequence = Sequence::new(ALPHA, units).expect("alpha is in range");
        let found = EFFECTS.map(|effect| {
            part += 1;
            crowd.percent::<2>(part, |dice| run(kind, units, effect, &sequence, dice))
        });
        let list = |mode: usize| {
            found.iter().map(|found| format!("{:.1}", found[mode])).collect::<Vec<_>>().join(" ")
        };
        let farthest = found.iter().map(|found| (found[0] - 95.0).abs()).fold(0.0, f64::max);
        let lowest = found.iter().map(|found| found[1]).fold(100.0, f64::min);
        let at = format!("% at effects -20 -10 0 10 20 %, {} runs each", crowd.runs);
        Figure {
            name: format!("{name}, off 95 %"),
            value: farthest,
            unit: "points",
            target: Target::AtMost(1.0),
            yardstick: format!("t-test: {} {at}, {units} units", list(0)),
        }
        .print(format);
        Figure {
            name: format!("{name}, sequence"),
            value: lowest,
            unit: "%",
            target: Target::AtLeast(95.0),
            yardstick: format!("{} {at}, {LOOKS} looks together", list(1)),
        }
        .print(format);
    }
}

/// Whether the fixed-horizon interval at the end, and the sequence at all looks, held the true lift.
fn run(kind: Kind, units: u64, effect: f64, sequence: &Sequence, dice: &mut Dice) -> [bool; 2] {
    let mut shop = Shop::new(kind);
    let (mut is_held, mut is_always_held) = (false, true);
    for look in 1..=LOOKS {
        for _ in 0..units / LOOKS {
            let arm = usize::from(dice.is_heads());
            shop.visit(arm, if arm == 1 { 1.0 + effect } else { 1.0 }, dice);
        }
        let found = shop.lift().expect("arms can be compared");
        let holds = |lower: f64, upper: f64| lower <= effect && effect <= upper;
        let always = sequence.estimate(&found).expect("numbers are in range");
        is_always_held &= holds(always.lower, always.upper);
        if look == LOOKS {
            let once = found.at_fixed_horizon(ALPHA).expect("numbers are in range");
            is_held = holds(once.lower, once.upper);
        }
    }
    [is_held, is_always_held]
}
