//! Data sets of every kind of metric, made unit by unit, with what both sides need to know of them.

use experiments::{
    covariate::{Adjustment, Measure},
    effect::{Effect, EffectError, Scale},
    quantile::Quantile,
    statistic::Statistic,
    sums::Sums,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

/// Every kind of metric that the wheel knows.
pub const KINDS: [&str; 7] =
    ["proportion", "mean", "ratio", "adjusted mean", "adjusted proportion", "quantile", "clustered quantile"];

/// Holds two arms as the wheel takes them, and the effects that we find.
pub struct DataSet {
    pub kind: &'static str,
    /// The arms in the wheel's words, the control first.
    pub wheel: [Value; 2],
    pub control_mean: f64,
    pub treatment_units: u64,
    pub absolute: Result<Effect, EffectError>,
    pub relative: Result<Effect, EffectError>,
    /// The standard error of the lift where the wheel takes a poorer one: of adjusted metrics.
    pub poorer_error: Option<f64>,
}

impl DataSet {
    pub fn effect(&self, scale: Scale) -> Result<Effect, EffectError> {
        match scale {
            Scale::Absolute => self.absolute,
            Scale::Relative => self.relative,
        }
    }

    /// Draws the arms of a data set; a seed always draws the same.
    pub fn draw(kind: &'static str, seed: u64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed);
        let effect = dice.random_range(0.8..1.3);
        let level = dice.random_range(0.05..0.6);
        let arms = [1.0, effect].map(|factor| {
            let units = dice.random_range(150..4000);
            draw_units(&mut dice, kind, units, level * factor)
        });
        match kind {
            "proportion" => Self::plain(kind, arms.map(|units| {
                let sums = columns(&units, |unit| [unit.did]);
                let statistic = Statistic::proportion(sums.units(), sums.sum(0) as u64);
                (statistic, proportion(&sums, 0))
            })),
            "mean" => Self::plain(kind, arms.map(|units| {
                let sums = columns(&units, |unit| [unit.value]);
                (sums.statistic(0), mean(&sums, 0))
            })),
            "ratio" => Self::plain(kind, arms.map(|units| {
                let sums = columns(&units, |unit| [unit.value, unit.count]);
                let arm = json!({
                    "kind": "ratio", "n": sums.units(), "m_statistic": mean(&sums, 0), "d_statistic": mean(&sums, 1),
                    "m_d_sum_of_products": product(&sums, 0, 1),
                });
                (sums.ratio().unwrap(), arm)
            })),
            "adjusted mean" => Self::adjusted(kind, [Measure::Mean; 2], arms.map(|units| {
                columns(&units, |unit| [unit.value, unit.value_before])
            })),
            "adjusted proportion" => Self::adjusted(kind, [Measure::Proportion; 2], arms.map(|units| {
                columns(&units, |unit| [unit.did, unit.did_before])
            })),
            "quantile" | "clustered quantile" => Self::plain(kind, arms.map(|units| {
                quantile(&units, kind == "clustered quantile", 0.05 + 0.9 * level)
            })),
            other => panic!("no kind {other}"),
        }
    }

    /// Is what [`Self::draw`] draws, of arms that are made by hand.
    pub fn plain(kind: &'static str, arms: [(Statistic, Value); 2]) -> Self {
        let [(a, wheel_a), (b, wheel_b)] = arms;
        DataSet {
            kind,
            wheel: [wheel_a, wheel_b],
            control_mean: a.mean,
            treatment_units: b.units,
            absolute: Effect::absolute(&a, &b),
            relative: Effect::relative(&a, &b),
            poorer_error: None,
        }
    }

    pub fn adjusted(kind: &'static str, measures: [Measure; 2], arms: [Sums<2>; 2]) -> Self {
        let adjustment = Adjustment::of_means(&arms[0], &arms[1], measures).unwrap();
        let wheel = |sums: &Sums<2>| {
            let one = |column: usize| match measures[column] {
                Measure::Mean => mean(sums, column),
                Measure::Proportion => proportion(sums, column),
            };
            json!({
                "kind": "adjusted", "n": sums.units(), "post_statistic": one(0), "pre_statistic": one(1),
                "post_pre_sum_of_products": product(sums, 0, 1), "theta": 0,
            })
        };
        // Adjusted spreads around raw means.
        let [a, b] = [0, 1].map(|arm| Statistic { mean: arms[arm].mean(0), ..adjustment.arms()[arm] });
        DataSet {
            kind,
            wheel: [wheel(&arms[0]), wheel(&arms[1])],
            control_mean: a.mean,
            treatment_units: b.units,
            absolute: adjustment.effect(Scale::Absolute),
            relative: adjustment.effect(Scale::Relative),
            poorer_error: Effect::relative(&a, &b).ok().map(|effect| effect.standard_error),
        }
    }
}

/// What a unit did, in whole numbers.
struct Unit {
    did: i64,
    did_before: i64,
    value: i64,
    value_before: i64,
    count: i64,
    events: Vec<i64>,
}

fn draw_units(dice: &mut StdRng, kind: &str, units: usize, level: f64) -> Vec<Unit> {
    let has_events = kind.ends_with("quantile");
    (0..units)
        .map(|_| {
            let habit = dice.random_range(0.0..1.0_f64);
            let did_before = i64::from(habit < 0.4);
            let did = i64::from(dice.random_range(0.0..1.0) < level.min(0.95) * (0.5 + habit));
            let basket = |dice: &mut StdRng| -(dice.random_range(0.0..1.0_f64) + 1e-9).ln() * 3000.0;
            let value = (did as f64 * (basket(dice) + 2000.0 * habit)) as i64;
            let value_before = (2500.0 * habit + 0.3 * basket(dice)) as i64;
            let count = dice.random_range(0..6) + did;
            let events = if has_events { dice.random_range(1..5) } else { 0 };
            let events =
                (0..events).map(|_| (200.0 * habit + 100.0 * level + 0.05 * basket(dice)) as i64).collect();
            Unit { did, did_before, value, value_before, count, events }
        })
        .collect()
}

fn columns<const D: usize>(units: &[Unit], of: impl Fn(&Unit) -> [i64; D]) -> Sums<D> {
    let mut sums = Sums::default();
    units.iter().for_each(|unit| sums.add(of(unit)).unwrap());
    sums
}

fn product<const D: usize>(sums: &Sums<D>, one: usize, other: usize) -> f64 {
    sums.product(one, other) as f64
}

pub fn mean<const D: usize>(sums: &Sums<D>, column: usize) -> Value {
    let squares = product(sums, column, column);
    json!({"kind": "mean", "n": sums.units(), "sum": sums.sum(column) as f64, "sum_squares": squares})
}

pub fn proportion<const D: usize>(sums: &Sums<D>, column: usize) -> Value {
    json!({"kind": "proportion", "n": sums.units(), "sum": sums.sum(column) as f64})
}

fn quantile(units: &[Unit], is_clustered: bool, level: f64) -> (Statistic, Value) {
    let level = (level * 100.0).round() / 100.0;
    let mut events: Vec<i64> = units.iter().flat_map(|unit| unit.events.iter().copied()).collect();
    events.sort_unstable();
    let quantile = Quantile::of_sorted(&events, level).unwrap();
    let mut arm = json!({
        "kind": "quantile", "n": quantile.events, "n_star": quantile.grid_size, "nu": level,
        "quantile_hat": quantile.value, "quantile_lower": quantile.lower, "quantile_upper": quantile.upper,
    });
    if !is_clustered {
        return (quantile.statistic().unwrap(), arm);
    }
    let clusters = columns(units, |unit| {
        let at_most = unit.events.iter().filter(|&&event| event as f64 <= quantile.value).count();
        [at_most as i64, unit.events.len() as i64]
    });
    arm["kind"] = json!("clustered_quantile");
    arm["n_clusters"] = json!(clusters.units());
    for (name, column) in [("main", 0), ("denominator", 1)] {
        arm[format!("{name}_sum")] = json!(clusters.sum(column) as f64);
        arm[format!("{name}_sum_squares")] = json!(product(&clusters, column, column));
    }
    arm["main_denominator_sum_product"] = json!(product(&clusters, 0, 1));
    (quantile.clustered(&clusters).unwrap(), arm)
}
