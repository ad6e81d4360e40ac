//! Metrics as the pages take them: what units did is summed by arm, capped and compared, with a known effect on one arm.

use std::{collections::BTreeMap, slice::from_ref};

use experiments::{
    arm::{ArmSums, UnitTallies, caps, compare},
    effect::{Effect, Scale},
    histogram::bucket_of,
    metric::{Metric, Tally},
};
use serde_json::{Value, json};

use super::dice::Dice;

/// Baskets, and times, are log-normal with this spread and this median.
const SIGMA: f64 = 0.8;
const MEDIAN: f64 = 2000.0;
/// Visitors before the experiment, by whose baskets the cap is known that a large experiment comes to.
const PILOT: u64 = 400_000;

/// Names the types of metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Taken {
    Count,
    CappedMean,
    AdjustedProportion,
    Retention,
    TimeTo,
    Quantile,
}

/// Is two arms with one metric.
pub struct Page {
    taken: Taken,
    metric: Metric,
    arms: [ArmSums; 2],
}

impl Page {
    pub fn new(taken: Taken) -> Self {
        Self { taken, metric: taken.metric(), arms: [ArmSums::new(1), ArmSums::new(1)] }
    }

    /// Lets a visitor come whose outcomes are multiplied by a factor.
    pub fn visit(&mut self, arm: usize, factor: f64, dice: &mut Dice) {
        let amount = |dice: &mut Dice, habit: f64| {
            let noise = (1.0 - habit * habit).sqrt() * dice.normal();
            (MEDIAN * (SIGMA * noise).exp() * factor).round() as i64
        };
        let mut past = 0;
        let tally = match self.taken {
            Taken::Count => {
                let chance = 0.15 * factor * if dice.is_heads() { 0.5 } else { 1.5 };
                Tally::Number([(0..6).map(|_| i64::from(dice.happens(chance))).sum(), 0])
            }
            Taken::CappedMean => Tally::Number([if dice.happens(0.2) { amount(dice, 0.0) } else { 0 }, 0]),
            Taken::AdjustedProportion => {
                let chance = if dice.happens(0.2) { 0.6 } else { 0.05 };
                past = i64::from(dice.happens(chance));
                Tally::Number([dice.happens(chance * factor).into(), 0])
            }
            Taken::Retention => Tally::Number([dice.happens(0.2 * factor).into(), 0]),
            Taken::TimeTo => match dice.happens(0.3) {
                true => Tally::Number([amount(dice, 0.0), 1]),
                false => Tally::Number([0, 0]),
            },
            Taken::Quantile => {
                // Events of one visitor are alike.
                let habit = (0.6 * SIGMA * dice.normal()).exp();
                let mut events = BTreeMap::new();
                for _ in 0..1 + (dice.roll() * 5.0) as usize {
                    let value = (habit * 100.0 * amount(dice, 0.6) as f64).round() as i64;
                    *events.entry(bucket_of(value)).or_default() += 1;
                }
                Tally::Events(events)
            }
        };
        let unit = UnitTallies { tallies: vec![tally], pasts: vec![past] };
        self.arms[arm].add(from_ref(&self.metric), &unit);
    }

    /// The lift so far, as a page tells it.
    pub fn lift(&self) -> Effect {
        let mut arms = self.arms.clone();
        let most = caps(from_ref(&self.metric), &arms);
        arms.iter_mut().for_each(|arm| arm.cap(&most));
        let [a, b] = [arms[0].metric(0), arms[1].metric(0)];
        compare(&self.metric, a, b, Scale::Relative).expect("arms can be compared").effect
    }
}

impl Taken {
    fn metric(self) -> Metric {
        let event = json!({"type": "order_placed"});
        let mut measure = json!({"event": event});
        let mut also = |key: &str, value: Value| measure[key] = value;
        match self {
            Self::Count => also("kind", json!("count")),
            Self::AdjustedProportion => also("kind", json!("proportion")),
            Self::TimeTo => also("kind", json!("time_to")),
            Self::CappedMean => {
                also("kind", json!("mean"));
                also("property", json!("total_minor"));
            }
            Self::Retention => {
                also("kind", json!("retention"));
                also("from_days", json!(1));
                also("to_days", json!(8));
            }
            Self::Quantile => {
                also("kind", json!("quantile"));
                also("property", json!("ms"));
                also("level_bp", json!(9_000));
            }
        }
        let mut metric = json!({"key": "m", "measure": measure});
        if self == Self::CappedMean {
            metric["cap_percentile_bp"] = json!(9_500);
        }
        Metric::parse(&metric.to_string()).expect("a good metric")
    }

    /// The lift that a large experiment finds of such an effect: a cap takes some of it off.
    pub fn truth(self, effect: f64, dice: &mut Dice) -> f64 {
        if self != Self::CappedMean {
            return effect;
        }
        let mut pilot = Page::new(self);
        (0..PILOT)
            .for_each(|n| pilot.visit((n % 2) as usize, if n % 2 == 1 { 1.0 + effect } else { 1.0 }, dice));
        let most = caps(from_ref(&pilot.metric), &pilot.arms)[0].expect("a percentile") as f64;
        capped_mean(1.0 + effect, most) / capped_mean(1.0, most) - 1.0
    }
}

/// The mean of what those who buy pay, of each of them no more than so much; by the trapezoidal rule.
fn capped_mean(factor: f64, most: f64) -> f64 {
    const STEPS: i32 = 16_000;
    let at = |step: i32| f64::from(step) / 1_000.0 - 8.0;
    let weight = |z: f64| (-0.5 * z * z).exp();
    let steps = || (0..=STEPS).map(at);
    let paid = steps().map(|z| weight(z) * (factor * MEDIAN * (SIGMA * z).exp()).min(most)).sum::<f64>();
    paid / steps().map(weight).sum::<f64>()
}
