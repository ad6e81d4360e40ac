//! A shop whose visitors do what a type of metric needs, with a known effect on those of one arm.

use std::f64::consts::TAU;

use experiments::{
    covariate::{Adjustment, Measure},
    effect::{Effect, EffectError, Scale},
    power::Baseline,
    quantile::Quantile,
    statistic::Statistic,
    strata::Stratified,
    sums::Sums,
};

use super::dice::Dice;

/// Baskets are log-normal with this spread and a median of 20.00.
const SIGMA: f64 = 0.8;
const MEDIAN: f64 = 2000.0;
/// The level of latency that is compared, and the normal's quantile there.
const LEVEL: f64 = 0.9;
const LEVEL_Z: f64 = 1.281_551_565_544_600_4;
const IN_RANGE: &str = "sums stay in range";

/// Names the types of metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Proportion,
    Mean,
    Ratio,
    AdjustedMean,
    AdjustedRatio,
    Stratified,
    Quantile,
    ClusteredQuantile,
}

/// What a unit brought, before and after, and its events.
pub struct Shop {
    kind: Kind,
    plain: [Sums<1>; 2],
    paired: [Sums<2>; 2],
    quadruple: [Sums<4>; 2],
    strata: [[Sums<1>; 2]; 3],
    events: [Vec<i64>; 2],
    clusters: [Vec<Vec<i64>>; 2],
}

impl Shop {
    pub fn new(kind: Kind) -> Self {
        Shop {
            kind,
            plain: Default::default(),
            paired: Default::default(),
            quadruple: Default::default(),
            strata: Default::default(),
            events: Default::default(),
            clusters: Default::default(),
        }
    }

    /// Lets a visitor come whose outcomes are multiplied by a factor.
    pub fn visit(&mut self, arm: usize, factor: f64, dice: &mut Dice) {
        let basket = |dice: &mut Dice| MEDIAN * (SIGMA * dice.normal()).exp();
        match self.kind {
            Kind::Proportion => self.plain[arm].add([i64::from(dice.happens(0.1 * factor))]).expect(IN_RANGE),
            Kind::Mean => {
                let value = if dice.happens(0.2) { (basket(dice) * factor).round() as i64 } else { 0 };
                self.plain[arm].add([value]).expect(IN_RANGE);
            }
            Kind::Ratio => {
                // Revenue an order: some units order often, and those buy more.
                let habit = (0.5 * dice.normal()).exp();
                let orders = u32::from(dice.happens(0.6)) + u32::from(dice.happens(0.4));
                let value: f64 = (0..orders).map(|_| basket(dice) * habit * factor).sum();
                self.paired[arm].add([value.round() as i64, i64::from(orders)]).expect(IN_RANGE);
            }
            Kind::AdjustedMean => {
                let habit = dice.normal();
                let value = |noise: f64| 10_000.0 + 3000.0 * (0.7 * habit + 0.714 * noise);
                let (before, after) = (value(dice.normal()), value(dice.normal()) * factor);
                self.paired[arm].add([after.round() as i64, before.round() as i64]).expect(IN_RANGE);
            }
            Kind::AdjustedRatio => {
                let habit = (0.5 * dice.normal()).exp();
                let mut period = |factor: f64| {
                    let orders = 1 + i64::from(dice.happens(0.4));
                    let value: f64 = (0..orders).map(|_| basket(dice) * habit * factor).sum();
                    [value.round() as i64, orders]
                };
                let ([value, orders], [value_before, orders_before]) = (period(factor), period(1.0));
                self.quadruple[arm].add([value, orders, value_before, orders_before]).expect(IN_RANGE);
            }
            Kind::Stratified => {
                let stratum = (dice.roll() * dice.roll() * 3.0) as usize;
                let value = (1.0 + stratum as f64) * basket(dice) * factor;
                self.strata[stratum][arm].add([value.round() as i64]).expect(IN_RANGE);
            }
            Kind::Quantile => self.events[arm].push((100.0 * basket(dice) * factor).round() as i64),
            Kind::ClusteredQuantile => {
                let habit = dice.normal();
                let events = 1 + (dice.roll() * 5.0) as usize;
                let latency = |noise: f64| (SIGMA * (0.6 * habit + 0.8 * noise)).exp() * MEDIAN * factor;
                let events = (0..events).map(|_| (100.0 * latency(dice.normal())).round() as i64);
                self.clusters[arm].push(events.collect());
            }
        }
    }

    /// The lift so far.
    pub fn lift(&mut self) -> Result<Effect, EffectError> {
        match self.kind {
            Kind::AdjustedMean | Kind::AdjustedRatio => self.adjustment().effect(Scale::Relative),
            Kind::Stratified => Stratified::of_means(&self.strata, Measure::Mean)?.effect(Scale::Relative),
            _ => {
                let [a, b] = self.arms();
                Effect::relative(&a, &b)
            }
        }
    }

    /// The arms so far, of adjusted metrics with what is left of their variance.
    pub fn arms(&mut self) -> [Statistic; 2] {
        match self.kind {
            Kind::Proportion => {
                self.plain.map(|sums| Statistic::proportion(sums.units(), sums.sum(0) as u64))
            }
            Kind::Mean => self.plain.map(|sums| sums.statistic(0)),
            Kind::Ratio => self.paired.map(|sums| sums.ratio().expect("somebody orders")),
            Kind::AdjustedMean => {
                let [a, b] = self.adjustment().arms();
                let [raw_a, raw_b] = self.paired.map(|sums| sums.mean(0));
                [Statistic { mean: raw_a, ..a }, Statistic { mean: raw_b, ..b }]
            }
            Kind::AdjustedRatio => {
                let [a, b] = self.adjustment().arms();
                let [raw_a, raw_b] = self.quadruple.map(|sums| sums.sum(0) as f64 / sums.sum(1) as f64);
                [Statistic { mean: raw_a, ..a }, Statistic { mean: raw_b, ..b }]
            }
            Kind::Stratified => [0, 1].map(|arm| {
                let mut all = Sums::<1>::default();
                self.strata.iter().for_each(|strata| all.merge(&strata[arm]).expect(IN_RANGE));
                all.statistic(0)
            }),
            Kind::Quantile => [0, 1].map(|arm| {
                self.events[arm].sort_unstable();
                quantile(&self.events[arm]).statistic().expect("there are enough")
            }),
            Kind::ClusteredQuantile => [0, 1].map(|arm| {
                let (quantile, sums) = self.clustered(arm);
                quantile.clustered(&sums).expect("there are enough")
            }),
        }
    }

    /// The baseline that a calculator is given: of quantiles by the density of what is drawn, since a few order
    /// statistics of a pilot tell the variance within a tenth only.
    pub fn baseline(&mut self) -> Option<Baseline> {
        let design_effect = match self.kind {
            Kind::Proportion => return Baseline::proportion(self.arms()[0].mean),
            Kind::Quantile => 1.0,
            Kind::ClusteredQuantile => {
                let (quantile, sums) = self.clustered(0);
                quantile.clustered(&sums).ok()?.variance / quantile.statistic().ok()?.variance
            }
            _ => return Baseline::of(&self.arms()[0]).map(Baseline::proportional),
        };
        let value = 100.0 * MEDIAN * (SIGMA * LEVEL_Z).exp();
        let density = (-0.5 * LEVEL_Z * LEVEL_Z).exp() / (TAU.sqrt() * SIGMA * value);
        Baseline::quantile(LEVEL, value, density, design_effect).map(Baseline::proportional)
    }

    fn clustered(&self, arm: usize) -> (Quantile, Sums<2>) {
        let clusters = &self.clusters[arm];
        let mut events: Vec<i64> = clusters.iter().flatten().copied().collect();
        events.sort_unstable();
        let quantile = quantile(&events);
        let mut sums = Sums::default();
        for events in clusters {
            let below = events.iter().filter(|event| **event as f64 <= quantile.value).count();
            sums.add([below as i64, events.len() as i64]).expect(IN_RANGE);
        }
        (quantile, sums)
    }

    fn adjustment(&self) -> Adjustment {
        if self.kind == Kind::AdjustedRatio {
            return Adjustment::of_ratios(&self.quadruple[0], &self.quadruple[1]).expect("somebody orders");
        }
        Adjustment::of_means(&self.paired[0], &self.paired[1], [Measure::Mean; 2]).expect(IN_RANGE)
    }
}

fn quantile(sorted: &[i64]) -> Quantile {
    Quantile::of_sorted(sorted, LEVEL).expect("there are events")
}
