//! Seeded simulations of whole experiments: how often a verdict is wrong, and how often it is found.

use super::*;
use crate::arm::{UnitTallies, caps};
use crate::dice::Dice;
use crate::metric::Tally;
use crate::verdict::plan::PlannedArm;
use crate::verdict::tests::metrics;

const LOOKS: usize = 100;
const UNITS_A_LOOK: usize = 200;

/// Lets one experiment run, looks at it 100 times from 200 to 20,000 units and returns whether any verdict
/// was called, and whether the last interval held the true lift.
fn run(seed: u64, rates: &[f64], deciding: &str) -> (bool, bool) {
    let arm = |_: &f64| PlannedArm { key: "k".into(), name: "n".into(), weight: 1.0 };
    let metrics = metrics(deciding);
    let plan = Plan::new(rates.iter().map(arm).collect(), metrics.clone(), ALPHA, 5_000).unwrap();
    let mut dice = Dice::new(seed);
    let mut current = Look { at_ms: 0, arms: vec![ArmSums::new(2); rates.len()] };
    let (mut is_called, mut holds_truth) = (false, true);
    for _ in 0..LOOKS {
        for _ in 0..UNITS_A_LOOK {
            let arm = (dice.roll() * rates.len() as f64) as usize;
            let is_converted = dice.roll() < rates[arm];
            let revenue = if is_converted { dice.basket() } else { 0 };
            let (conversion, revenue) =
                (Tally::Number([is_converted.into(), 0]), Tally::Number([revenue, 0]));
            let tallies =
                if deciding == "conversion" { vec![conversion, revenue] } else { vec![revenue, conversion] };
            current.arms[arm].add(&metrics, &UnitTallies { tallies, pasts: vec![] });
        }
        let mut look = current.clone();
        let most = caps(&metrics, &look.arms);
        look.arms.iter_mut().for_each(|arm| arm.cap(&most));
        let analysis = analyze(&plan, &look, &[]).unwrap();
        is_called |= matches!(analysis.verdict, Verdict::Better { .. } | Verdict::Worse { .. });
        if let Some(lift) = analysis.comparison(1, 0).and_then(|comparison| comparison.lift) {
            let truth = rates[1] / rates[0] - 1.0;
            holds_truth = lift.lower <= truth && truth <= lift.upper;
        }
    }
    (is_called, holds_truth)
}

fn calls(runs: u64, rates: &[f64], deciding: &str) -> u64 {
    (1..=runs).map(|seed| u64::from(run(seed, rates, deciding).0)).sum()
}

/// Without any effect, 100 looks call one in at most 5 % of experiments; a t-test would in nearly 38 %.
#[test]
fn looking_a_hundred_times_is_rarely_fooled() {
    let runs = 200;
    let cases: [(&[f64], &str); 5] = [
        (&[0.1, 0.1], "conversion"),
        (&[0.03, 0.03], "conversion"),
        (&[0.1, 0.1], "revenue"),
        // The cap moves with the units, alike for both arms.
        (&[0.1, 0.1], "capped revenue"),
        (&[0.1, 0.1, 0.1, 0.1], "conversion"),
    ];
    for (rates, deciding) in cases {
        let false_calls = calls(runs, rates, deciding);
        assert!(
            false_calls * 100 <= runs * 5,
            "{false_calls} false calls of {runs} at {rates:?} by {deciding}"
        );
    }
}

/// A real effect of +30 % is found, and the interval holds it.
#[test]
fn a_real_effect_is_found() {
    let runs = 100;
    let found: Vec<(bool, bool)> = (1..=runs).map(|seed| run(seed, &[0.1, 0.13], "conversion")).collect();
    let called = found.iter().filter(|(is_called, _)| *is_called).count();
    let held = found.iter().filter(|(_, holds_truth)| *holds_truth).count();
    assert!(called >= 90, "{called} of {runs} called");
    assert!(held >= 95, "{held} of {runs} hold the truth");
}

/// Lets an experiment of several guardrails run that nothing harms, looks at it 100 times, and returns whether any look says that
/// something is harmed.
fn alarms(seed: u64, rates: &[f64]) -> bool {
    let keys: Vec<String> = (0..rates.len()).map(|index| format!("m{index}")).collect();
    let event = |key: &String| serde_json::json!({"kind": "proportion", "event": {"type": key}});
    let metric = |key| Metric::parse(&serde_json::json!({"key": key, "measure": event(key)}).to_string());
    let metrics: Vec<Metric> = keys.iter().map(|key| metric(key).unwrap()).collect();
    let rule = |key| serde_json::json!({"metric": key, "margin_bp": 500});
    let experiment = crate::Experiment::parse_value(&serde_json::json!({
        "schema_version": 1, "key": "e", "name": "E", "flag": "f", "status": "running", "planned_units": 5_000,
        "primary_metric": keys[0], "guardrails": keys[1..].iter().map(rule).collect::<Vec<_>>(),
        "variations": [{"key": "a", "weight_bp": 5000, "value": 0}, {"key": "b", "weight_bp": 5000, "value": 1}],
    }));
    let plan = Plan::of(&experiment.unwrap(), &metrics).unwrap();
    let mut dice = Dice::new(seed);
    let mut current = Look { at_ms: 0, arms: vec![ArmSums::new(rates.len()); 2] };
    (0..LOOKS).any(|_| {
        for _ in 0..UNITS_A_LOOK {
            let arm = (dice.roll() * 2.0) as usize;
            let tally = |rate: &f64| Tally::Number([(dice.roll() < *rate).into(), 0]);
            let tallies = rates.iter().map(tally).collect();
            current.arms[arm].add(&metrics, &UnitTallies { tallies, pasts: vec![] });
        }
        let analysis = analyze(&plan, &current, &[]).unwrap();
        let is_harmed = |one: &Comparison| {
            one.guardrail.is_some_and(|reading| reading.standing == crate::guardrail::Standing::Harmed)
        };
        analysis.comparisons.iter().any(is_harmed)
    })
}

/// Twelve guardrails, some of them hardly ever met, together alarm no more often than one may: 5 %.
#[test]
fn many_guardrails_together_are_rarely_fooled() {
    let rates = [0.1, 0.1, 0.1, 0.2, 0.2, 0.05, 0.05, 0.02, 0.02, 0.3, 0.3, 0.001, 0.0];
    let runs = 200;
    let false_alarms = (1..=runs).filter(|seed| alarms(*seed, &rates)).count();
    assert!(false_alarms * 100 <= runs as usize * 5, "{false_alarms} false alarms of {runs}");
}
