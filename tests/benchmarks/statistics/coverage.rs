//! Intervals around known effects, from −20 % to +20 %, for every type of metric.

use experiments::{
    effect::Effect,
    group_sequential::{GroupSequential, Spending},
    interval::Alternative::TwoSided,
    mixture::Mixture,
    sequence::Sequence,
};

use super::{
    crowd::Crowd,
    dice::Dice,
    shop::{Kind, Shop},
    taken::{Page, Taken},
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

/// The same of metrics as the pages take them.
const TAKEN: [(Taken, &str, u64); 6] = [
    (Taken::Count, "count", 6_000),
    (Taken::CappedMean, "mean capped at 95 %", 10_000),
    (Taken::AdjustedProportion, "adjusted proportion", 6_000),
    (Taken::Retention, "retention", 6_000),
    (Taken::TimeTo, "time to", 6_000),
    (Taken::Quantile, "quantile of a page", 3_000),
];

/// Those whose intervals hold at all looks together, and how often at least: bounds that spend all of their chance of error
/// come as near to it as a t-test does.
const MODES: [(&str, f64); 4] =
    [("sequence", 95.0), ("mSPRT", 95.0), ("O'Brien-Fleming", 94.0), ("Pocock", 94.0)];

pub fn measure(crowd: &Crowd, format: Format) {
    let mut part = 100;
    for (kind, name, units) in KINDS {
        let rules = Rules::new(units);
        let found = EFFECTS.map(|effect| {
            part += 1;
            let run = |dice: &mut Dice| run(&mut Shop::new(kind), &rules, effect, effect, dice);
            crowd.percent::<5>(part, run)
        });
        print(name, units, &found, crowd.runs, format);
    }
    for (taken, name, units) in TAKEN {
        let rules = Rules::new(units);
        let found = EFFECTS.map(|effect| {
            part += 1;
            let truth = taken.truth(effect, &mut Dice::new(crowd.seed, part, u64::MAX));
            let run = |dice: &mut Dice| run(&mut Page::new(taken), &rules, effect, truth, dice);
            crowd.percent::<5>(part, run)
        });
        print(name, units, &found, crowd.runs, format);
    }
}

fn print(name: &str, units: u64, found: &[[f64; 5]], runs: u64, format: Format) {
    let list =
        |mode: usize| found.iter().map(|found| format!("{:.1}", found[mode])).collect::<Vec<_>>().join(" ");
    let at = format!("% at effects -20 -10 0 10 20 %, {runs} runs each");
    let figure = |name: String, value, unit, target, yardstick| {
        Figure { name, value, unit, target, yardstick }.print(format);
    };
    let farthest = found.iter().map(|found| (found[0] - 95.0).abs()).fold(0.0, f64::max);
    figure(
        format!("{name}, off 95 %"),
        farthest,
        "points",
        Target::AtMost(1.0),
        format!("t-test: {} {at}, {units} units", list(0)),
    );
    for ((mode, least), of) in MODES.into_iter().zip(1..) {
        let lowest = found.iter().map(|found| found[of]).fold(100.0, f64::min);
        figure(
            format!("{name}, {mode}"),
            lowest,
            "%",
            Target::AtLeast(least),
            format!("{} {at}, {LOOKS} looks together", list(of)),
        );
    }
}

/// What is fixed before the start.
struct Rules {
    units: u64,
    sequence: Sequence,
    mixture: Mixture,
    /// For each look, the two ways to spend.
    groups: Vec<[GroupSequential; 2]>,
}

impl Rules {
    fn new(units: u64) -> Self {
        let fractions: Vec<f64> = (1..=LOOKS).map(|look| look as f64 / LOOKS as f64).collect();
        let group = |spending, looks| {
            GroupSequential::new(spending, ALPHA, TwoSided, &fractions[..looks]).expect("looks are in order")
        };
        let groups = (1..=fractions.len())
            .map(|looks| [Spending::OBrienFleming, Spending::Pocock].map(|spending| group(spending, looks)));
        Self {
            units,
            sequence: Sequence::new(ALPHA, units).expect("alpha is in range"),
            // Effects of about a tenth are expected.
            mixture: Mixture::new(ALPHA, TwoSided, 0.1).expect("tau is above 0"),
            groups: groups.collect(),
        }
    }
}

/// Is visitors whose outcomes are compared.
trait Visited {
    fn visit(&mut self, arm: usize, factor: f64, dice: &mut Dice);
    fn lift(&mut self) -> Effect;
}

impl Visited for Shop {
    fn visit(&mut self, arm: usize, factor: f64, dice: &mut Dice) {
        Shop::visit(self, arm, factor, dice);
    }

    fn lift(&mut self) -> Effect {
        Shop::lift(self).expect("arms can be compared")
    }
}

impl Visited for Page {
    fn visit(&mut self, arm: usize, factor: f64, dice: &mut Dice) {
        Page::visit(self, arm, factor, dice);
    }

    fn lift(&mut self) -> Effect {
        Page::lift(self)
    }
}

/// Whether the fixed-horizon interval at the end, and those of the modes at all looks, held the true lift.
fn run(visited: &mut impl Visited, rules: &Rules, effect: f64, truth: f64, dice: &mut Dice) -> [bool; 5] {
    let mut are_held = [false, true, true, true, true];
    for look in 1..=LOOKS {
        for _ in 0..rules.units / LOOKS {
            let arm = usize::from(dice.is_heads());
            visited.visit(arm, if arm == 1 { 1.0 + effect } else { 1.0 }, dice);
        }
        let found = visited.lift();
        let holds = |lower: f64, upper: f64| lower <= truth && truth <= upper;
        let always = [rules.sequence.estimate(&found), rules.mixture.estimate(&found)];
        for (is_held, estimate) in are_held[1..3].iter_mut().zip(always) {
            let estimate = estimate.expect("numbers are in range");
            *is_held &= holds(estimate.lower, estimate.upper);
        }
        // The interval alone: its p-value takes a search.
        for (is_held, group) in are_held[3..].iter_mut().zip(&rules.groups[look as usize - 1]) {
            let half = group.bound() * found.variance().sqrt();
            *is_held &= holds(found.value - half, found.value + half);
        }
        if look == LOOKS {
            let once = found.at_fixed_horizon(ALPHA).expect("numbers are in range");
            are_held[0] = holds(once.lower, once.upper);
        }
    }
    are_held
}
