//! Intervals around known effects, from −20 % to +20 %, for every type of metric.

use experiments::{
    covariate::{Adjustment, Measure},
    effect::{Effect, EffectError, Scale},
    quantile::Quantile,
    sequence::Sequence,
    strata::Stratified,
    sums::Sums,
};

use super::{crowd::Crowd, dice::Dice};
use crate::figure::{Figure, Format, Target};

const EFFECTS: [f64; 5] = [-0.2, -0.1, 0.0, 0.1, 0.2];
const ALPHA: f64 = 0.05;
const LOOKS: u64 = 5;
/// Baskets are log-normal with this spread and a median of 20.00.
const SIGMA: f64 = 0.8;
const MEDIAN: f64 = 2000.0;
/// The level of latency that is compared.
const LEVEL: f64 = 0.9;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Proportion,
    Mean,
    Ratio,
    AdjustedMean,
    AdjustedRatio,
    Stratified,
    Quantile,
    ClusteredQuantile,
}

use Kind::*;

/// Each with the units that are planned for both arms together.
const KINDS: [(Kind, &str, u64); 8] = [
    (Proportion, "proportion", 10_000),
    (Mean, "mean", 10_000),
    (Ratio, "ratio", 6_000),
    (AdjustedMean, "adjusted mean", 6_000),
    (AdjustedRatio, "adjusted ratio", 6_000),
    (Stratified, "post-stratified mean", 6_000),
    (Quantile, "quantile", 6_000),
    (ClusteredQuantile, "clustered quantile", 3_000),
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

/// What a unit brought, before and after, and its events.
struct Shop {
    kind: Kind,
    plain: [Sums<1>; 2],
    paired: [Sums<2>; 2],
    quadruple: [Sums<4>; 2],
    strata: [[Sums<1>; 2]; 3],
    events: [Vec<i64>; 2],
    clusters: [Vec<Vec<i64>>; 2],
}

/// Whether the fixed-horizon interval at the end, and the sequence at all looks, held the true lift.
fn run(kind: Kind, units: u64, effect: f64, sequence: &Sequence, dice: &mut Dice) -> [bool; 2] {
    let mut shop = Shop {
        kind,
        plain: Default::default(),
        paired: Default::default(),
        quadruple: Default::default(),
        strata: Default::default(),
        events: Default::default(),
        clusters: Default::default(),
    };
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

impl Shop {
    fn visit(&mut self, arm: usize, factor: f64, dice: &mut Dice) {
        const IN_RANGE: &str = "sums stay in range";
        let basket = |dice: &mut Dice| MEDIAN * (SIGMA * dice.normal()).exp();
        match self.kind {
            Proportion => self.plain[arm].add([i64::from(dice.happens(0.1 * factor))]).expect(IN_RANGE),
            Mean => {
                let value = if dice.happens(0.2) { (basket(dice) * factor).round() as i64 } else { 0 };
                self.plain[arm].add([value]).expect(IN_RANGE);
            }
            Ratio => {
                // Revenue an order: some units order often, and those buy more.
                let habit = (0.5 * dice.normal()).exp();
                let orders = u32::from(dice.happens(0.6)) + u32::from(dice.happens(0.4));
                let value: f64 = (0..orders).map(|_| basket(dice) * habit * factor).sum();
                self.paired[arm].add([value.round() as i64, i64::from(orders)]).expect(IN_RANGE);
            }
            AdjustedMean => {
                let habit = dice.normal();
                let value = |noise: f64| 10_000.0 + 3000.0 * (0.7 * habit + 0.714 * noise);
                let (before, after) = (value(dice.normal()), value(dice.normal()) * factor);
                self.paired[arm].add([after.round() as i64, before.round() as i64]).expect(IN_RANGE);
            }
            AdjustedRatio => {
                let habit = (0.5 * dice.normal()).exp();
                let mut period = |factor: f64| {
                    let orders = 1 + i64::from(dice.happens(0.4));
                    let value: f64 = (0..orders).map(|_| basket(dice) * habit * factor).sum();
                    [value.round() as i64, orders]
                };
                let ([value, orders], [value_before, orders_before]) = (period(factor), period(1.0));
                self.quadruple[arm].add([value, orders, value_before, orders_before]).expect(IN_RANGE);
            }
            Stratified => {
                let stratum = (dice.roll() * dice.roll() * 3.0) as usize;
                let value = (1.0 + stratum as f64) * basket(dice) * factor;
                self.strata[stratum][arm].add([value.round() as i64]).expect(IN_RANGE);
            }
            Quantile => self.events[arm].push((100.0 * basket(dice) * factor).round() as i64),
            ClusteredQuantile => {
                let habit = dice.normal();
                let events = 1 + (dice.roll() * 5.0) as usize;
                let latency = |noise: f64| (SIGMA * (0.6 * habit + 0.8 * noise)).exp() * MEDIAN * factor;
                let events = (0..events).map(|_| (100.0 * latency(dice.normal())).round() as i64);
                self.clusters[arm].push(events.collect());
            }
        }
    }

    fn lift(&mut self) -> Result<Effect, EffectError> {
        match self.kind {
            Proportion => {
                let [a, b] = self
                    .plain
                    .map(|sums| experiments::metric::Statistic::proportion(sums.units(), sums.sum(0) as u64));
                Effect::relative(&a, &b)
            }
            Mean => Effect::relative(&self.plain[0].statistic(0), &self.plain[1].statistic(0)),
            Ratio => {
                let [a, b] = self.paired.map(|sums| sums.ratio().expect("somebody orders"));
                Effect::relative(&a, &b)
            }
            AdjustedMean => Adjustment::of_means(&self.paired[0], &self.paired[1], [Measure::Mean; 2])
                .expect("sums stay in range")
                .effect(Scale::Relative),
            AdjustedRatio => Adjustment::of_ratios(&self.quadruple[0], &self.quadruple[1])
                .expect("somebody orders")
                .effect(Scale::Relative),
            Stratified => Stratified::of_means(&self.strata, Measure::Mean)?.effect(Scale::Relative),
            Quantile => {
                let [a, b] = [0, 1].map(|arm| {
                    self.events[arm].sort_unstable();
                    let quantile = Quantile::of_sorted(&self.events[arm], LEVEL).expect("there are events");
                    quantile.statistic().expect("there are enough")
                });
                Effect::relative(&a, &b)
            }
            ClusteredQuantile => {
                let [a, b] = [0, 1].map(|arm| {
                    let clusters = &self.clusters[arm];
                    let mut events: Vec<i64> = clusters.iter().flatten().copied().collect();
                    events.sort_unstable();
                    let quantile = Quantile::of_sorted(&events, LEVEL).expect("there are events");
                    let mut sums = Sums::default();
                    for events in clusters {
                        let below = events.iter().filter(|event| **event as f64 <= quantile.value).count();
                        sums.add([below as i64, events.len() as i64]).expect("sums stay in range");
                    }
                    quantile.clustered(&sums).expect("there are enough")
                });
                Effect::relative(&a, &b)
            }
        }
    }
}
