//! Sums of units that come, change and go.

use super::*;
use crate::effect::Scale;
use crate::metric::Occurrence;
use crate::sums::Sums;
use proptest::prelude::*;
use serde_json::json;

fn metrics() -> Vec<Metric> {
    let of = |value: serde_json::Value| Metric::parse(&value.to_string()).unwrap();
    let event = json!({"type": "order_placed"});
    vec![
        of(json!({"key": "conversion", "measure": {"kind": "proportion", "event": event}})),
        of(
            json!({"key": "revenue", "measure": {"kind": "mean", "event": event, "property": "total"}, "cap": 900}),
        ),
        of(json!({"key": "errors", "measure": {"kind": "ratio",
            "numerator": {"event": {"type": "page", "where": [{"property": "failed", "is": true}]}},
            "denominator": {"event": {"type": "page"}}}})),
        of(
            json!({"key": "latency", "measure": {"kind": "quantile", "event": {"type": "page"}, "property": "ms",
            "level_bp": 9000}}),
        ),
        of(json!({"key": "spent", "measure": {"kind": "mean", "event": event, "property": "total"},
            "cap_percentile_bp": 8000})),
    ]
}

/// Lets a unit live through events, noting each change in the sums.
fn live(metrics: &[Metric], arm: &mut ArmSums, events: &[(bool, i64)], past: i64) -> UnitTallies {
    let mut unit = UnitTallies::of(metrics, vec![past.min(1), past, 0, 0, past]);
    arm.add(metrics, &unit);
    for (at, (is_order, number)) in events.iter().enumerate() {
        let data = json!({"total": number, "ms": number, "failed": number % 5 == 0});
        let kind = if *is_order { "order_placed" } else { "page" };
        let event = Occurrence { kind, at_ms: at as i64, data: &data };
        for (index, metric) in metrics.iter().enumerate() {
            if let Some(after) = metric.after(&unit.tallies[index], 0, event) {
                arm.change(index, metric, &unit.tallies[index], &after, unit.pasts[index]);
                unit.tallies[index] = after;
            }
        }
    }
    unit
}

fn caps_of(most: i64) -> [Option<i64>; 5] {
    [None, None, None, None, Some(most)]
}

fn lives() -> impl Strategy<Value = Vec<(Vec<(bool, i64)>, i64)>> {
    let event = (any::<bool>(), 0_i64..2_000);
    proptest::collection::vec((proptest::collection::vec(event, 0..6), 0_i64..50), 1..12)
}

proptest! {
    #[test]
    fn a_percentile_of_all_arms_caps_the_units_of_each(lives in lives(), other_lives in lives()) {
        const SPENT: usize = 4;
        let metrics = metrics();
        let mut arms = [ArmSums::new(metrics.len()), ArmSums::new(metrics.len())];
        let units: Vec<Vec<UnitTallies>> = (arms.iter_mut().zip(&[lives, other_lives]))
            .map(|(arm, lives)| lives.iter().map(|(events, past)| live(&metrics, arm, events, *past)).collect())
            .collect();
        let most = caps(&metrics, &arms);
        prop_assert_eq!(&most[..SPENT], [None; SPENT]);
        let Some(most) = most[SPENT] else { return Ok(()) };
        let value = |unit: &UnitTallies| metrics[SPENT].counted(&unit.tallies[SPENT])[0];
        let mut positive: Vec<i64> = units.iter().flatten().map(value).filter(|value| *value > 0).collect();
        positive.sort_unstable();
        let exact = positive[(positive.len() * 8).div_ceil(10) - 1];
        prop_assert!(most >= exact && most as f64 <= exact as f64 * 1.0626, "{} for {}", most, exact);
        for (arm, units) in arms.iter_mut().zip(&units) {
            let mut expected = Sums::<3>::default();
            units.iter().for_each(|unit| expected.add([value(unit).min(most), 0, unit.pasts[SPENT]]).unwrap());
            arm.cap(&caps_of(most));
            prop_assert_eq!(arm.metric(SPENT).sums, expected);
            prop_assert_eq!(arm.metric(SPENT).most(), Some(most));
        }
    }

    #[test]
    fn sums_do_not_depend_on_order_and_forget_what_left(lives in lives()) {
        let metrics = metrics();
        let mut step_by_step = ArmSums::new(metrics.len());
        let units: Vec<UnitTallies> =
            lives.iter().map(|(events, past)| live(&metrics, &mut step_by_step, events, *past)).collect();
        let mut backwards = ArmSums::new(metrics.len());
        units.iter().rev().for_each(|unit| backwards.add(&metrics, unit));
        prop_assert_eq!(&backwards, &step_by_step);
        prop_assert_eq!(ArmSums::parse(&backwards.to_text()).unwrap(), backwards.clone());
        let (one, other) = units.split_at(units.len() / 2);
        let (mut merged, mut rest) = (ArmSums::new(metrics.len()), ArmSums::new(metrics.len()));
        one.iter().for_each(|unit| merged.add(&metrics, unit));
        other.iter().for_each(|unit| rest.add(&metrics, unit));
        merged.merge(&rest);
        prop_assert_eq!(&merged, &backwards);
        units.iter().for_each(|unit| backwards.remove(&metrics, unit));
        prop_assert_eq!(backwards, ArmSums::new(metrics.len()));
    }

    #[test]
    fn no_text_makes_it_panic(text in "[0-9 ;|:-]{0,80}") {
        if let Ok(sums) = ArmSums::parse(&text) {
            let again = ArmSums::parse(&sums.to_text());
            prop_assert!(again.is_ok());
        }
    }
}

#[test]
fn each_metric_has_its_statistic() {
    let metrics = metrics();
    let mut arm = ArmSums::new(metrics.len());
    for n in 0..400_i64 {
        let order = if n % 4 == 0 { vec![(true, 1_000)] } else { vec![] };
        let pages = (0..3).map(|page| (false, 1 + (n * 3 + page) % 100));
        live(&metrics, &mut arm, &order.into_iter().chain(pages).collect::<Vec<_>>(), 0);
    }
    let of = |index: usize| arm.metric(index).statistic(&metrics[index]).unwrap();
    assert_eq!((of(0).mean, arm.metric(0).active()), (0.25, 100));
    // 1,000 is capped at 900.
    assert_eq!((of(1).mean, arm.metric(1).total()), (225.0, 90_000));
    assert!((of(2).mean - 0.2).abs() < 1e-9 && of(2).variance > 0.0);
    assert!((of(3).mean - 90.0).abs() <= 1.0, "{}", of(3).mean);
    let text = arm.to_look_text(&metrics);
    let look = ArmSums::parse(&text).unwrap();
    for (index, metric) in metrics.iter().enumerate() {
        assert_eq!(look.metric(index).statistic(metric), arm.metric(index).statistic(metric));
    }
    assert!(text.len() < arm.to_text().len() / 4, "{text}");
    assert_eq!(look.to_look_text(&metrics), text);
}

/// What explains half of the spread takes half of the variance away, and leaves the effect where it was.
#[test]
fn a_past_that_goes_together_sharpens_the_effect() {
    let metrics = metrics();
    let arm_of = |lift: i64| {
        let mut arm = ArmSums::new(metrics.len());
        for n in 0..2_000_i64 {
            let (past, noise) = (n * 7 % 101, n * 13 % 103);
            live(&metrics, &mut arm, &[(true, past + noise + lift)], past);
        }
        arm
    };
    let (control, treatment) = (arm_of(0), arm_of(10));
    let found = compare(&metrics[1], control.metric(1), treatment.metric(1), Scale::Absolute).unwrap();
    let left = found.variance_left.unwrap();
    assert!((0.4..0.6).contains(&left), "{left}");
    assert!((found.effect.value - 10.0).abs() < 1.0, "{:?}", found.effect);
    // Without a past nothing is adjusted.
    let plain = compare(&metrics[2], control.metric(2), treatment.metric(2), Scale::Absolute);
    assert!(plain.is_err_and(|error| matches!(error, CompareError::Statistic(_))));
}

#[test]
fn a_unit_counts_towards_a_retention_once_its_days_are_over() {
    let retention = json!({"key": "back", "measure": {"kind": "retention", "event": {"type": "page"}, "from_days": 1, "to_days": 7}});
    let metrics = [Metric::parse(&retention.to_string()).unwrap(), metrics().remove(0)];
    let day = 86_400_000_i64;
    let of = |units: u64, back: u64| {
        let sums = |active| format!("{units} {active} {active} 0 0 {active} 0 0 0 0 0");
        ArmSums::parse(&format!("{units};{};{}", sums(back), sums(1))).unwrap()
    };
    let days = [(day, of(100, 30)), (2 * day, of(50, 5)), (3 * day, of(40, 0))];
    let at = |now_ms: i64| {
        let mut arm = of(190, 35);
        arm.complete(&metrics, days.iter().map(|(ended, day)| (*ended, day)), now_ms);
        (arm.metric(0).units(), arm.metric(0).active(), arm.metric(1).units(), arm.units())
    };
    assert_eq!(at(7 * day), (0, 0, 190, 190));
    assert_eq!(at(8 * day), (100, 30, 190, 190));
    assert_eq!(at(9 * day), (150, 35, 190, 190));
    assert_eq!(at(99 * day), (190, 35, 190, 190));
}
