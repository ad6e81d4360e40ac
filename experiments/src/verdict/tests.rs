//! Verdicts and their sentences, whole.

use super::*;
use proptest::prelude::*;
use serde_json::json;

/// Conversion and revenue, the deciding one first.
pub(super) fn metrics(deciding: &str) -> Vec<Metric> {
    let of = |value: serde_json::Value| Metric::parse(&value.to_string()).unwrap();
    let event = json!({"type": "order_placed"});
    let conversion = of(json!({"key": "conversion", "measure": {"kind": "proportion", "event": event}}));
    let mut revenue = json!({"key": "revenue", "phrase": "revenue per visitor",
        "measure": {"kind": "mean", "event": event, "property": "total_minor"}});
    if deciding == "capped revenue" {
        revenue["cap_percentile_bp"] = 9_900.into();
    }
    let revenue = of(revenue);
    if deciding == "conversion" { vec![conversion, revenue] } else { vec![revenue, conversion] }
}

fn plan(names: &[&str], deciding: &str) -> Plan {
    let arm = |name: &&str| PlannedArm { key: name.to_lowercase(), name: (*name).into(), weight: 1.0 };
    Plan::new(names.iter().map(arm).collect(), metrics(deciding), ALPHA, 5_000).unwrap()
}

#[derive(Debug, Clone, Copy)]
struct Totals {
    units: u64,
    conversions: u64,
    revenue: i64,
    squares: u128,
}

/// An arm whose conversions bring 2000 each, or 1500 and 2500 in turn.
fn arm(units: u64, conversions: u64) -> Totals {
    let revenue = 2_000 * i64::try_from(conversions).unwrap();
    Totals { units, conversions, revenue, squares: 4_250_000 * u128::from(conversions) }
}

impl Totals {
    /// The sums in the order of the metrics; `None` for what no units can have done.
    fn sums(self, deciding: &str) -> Option<ArmSums> {
        let Totals { units, conversions, revenue, squares } = self;
        let of =
            |sum: String, squares: String| format!("{units} {conversions} {sum} 0 0 {squares} 0 0 0 0 0");
        let conversion = of(conversions.to_string(), conversions.to_string());
        let revenue = of(revenue.to_string(), squares.to_string());
        let text = match deciding {
            "conversion" => format!("{units};{conversion};{revenue}"),
            _ => format!("{units};{revenue};{conversion}"),
        };
        ArmSums::parse(&text).ok()
    }
}

fn look_by(deciding: &str, arms: &[Totals]) -> Look {
    Look { at_ms: 1_764_000_000_000, arms: arms.iter().map(|arm| arm.sums(deciding).unwrap()).collect() }
}

fn look(arms: &[Totals]) -> Look {
    look_by("conversion", arms)
}

fn verdict(names: &[&str], deciding: &str, arms: &[Totals]) -> (Verdict, String) {
    let analysis = analyze(&plan(names, deciding), &look_by(deciding, arms), &[]).unwrap();
    (analysis.verdict, analysis.sentence)
}

const TWO: [&str; 2] = ["Classic", "Express"];

fn of_two(a: Totals, b: Totals) -> (Verdict, String) {
    verdict(&TWO, "conversion", &[a, b])
}

#[test]
fn too_little_data_is_too_early() {
    let expected = Verdict::TooFew { units: 0, units_min: 200, active: 0, active_min: 0 };
    let (found, sentence) = of_two(arm(0, 0), arm(0, 0));
    assert_eq!(found, expected);
    assert_eq!(
        sentence,
        "Too early to say: Classic has 0 visitors and each arm needs at least 200. Let it run."
    );
    let (found, sentence) = of_two(arm(1, 1), arm(0, 0));
    assert_eq!(found, Verdict::TooFew { units: 0, units_min: 200, active: 1, active_min: 10 });
    assert_eq!(
        sentence,
        "Too early to say: Express has 0 visitors and each arm needs at least 200. Let it run."
    );
    let (found, sentence) = of_two(arm(1_000, 8), arm(1_100, 9));
    assert_eq!(found, Verdict::TooFew { units: 1_000, units_min: 200, active: 17, active_min: 21 });
    assert_eq!(
        sentence,
        "Too early to say: 17 of the 21 visitors needed count towards conversion. Let it run."
    );
}

#[test]
fn a_split_that_was_not_planned_withholds_the_verdict() {
    let (found, sentence) = of_two(arm(12_000, 1_200), arm(10_000, 2_000));
    assert!(matches!(found, Verdict::SampleRatioMismatch { p } if p < 1e-9));
    assert_eq!(
        sentence,
        "Do not trust these numbers: visitors are not split as planned (Classic has 12,000 visitors where 11,000 were \
         due, Express has 10,000 visitors where 11,000 were due). Some are lost or counted twice on the way; find the \
         cause, then stop and start again under a new key."
    );
    let (found, _) = of_two(arm(5_000, 500), arm(0, 0));
    assert!(matches!(found, Verdict::SampleRatioMismatch { .. }));
}

#[test]
fn arms_without_spread_withhold_the_verdict() {
    let withheld = |variation, reason| Verdict::Withheld { variation, reason };
    let (found, sentence) = of_two(arm(1_000, 100), arm(1_000, 0));
    assert_eq!(found, withheld(1, WithheldReason::NoSpread));
    assert_eq!(
        sentence,
        "No verdict: nobody of 1,000 visitors in Express counts towards conversion. See whether it works at all."
    );
    let (found, sentence) = of_two(arm(1_000, 1_000), arm(1_000, 100));
    assert_eq!(found, withheld(0, WithheldReason::NoSpread));
    assert_eq!(
        sentence,
        "No verdict: all 1,000 visitors of Classic count the same towards conversion. See whether events are counted right."
    );
    let alike = Totals { units: 1_000, conversions: 1_000, revenue: 5_000, squares: 25_000 };
    let (found, sentence) = verdict(&TWO, "revenue", &[alike, alike]);
    assert_eq!(found, withheld(0, WithheldReason::NoSpread));
    assert_eq!(
        sentence,
        "No verdict: all 1,000 visitors of Classic count the same towards revenue per visitor. See whether events are counted \
         right."
    );
    let refunds = Totals { units: 1_000, conversions: 90, revenue: -50, squares: 900 };
    let (found, sentence) = verdict(&TWO, "revenue", &[refunds, arm(1_000, 100)]);
    assert_eq!(found, withheld(0, WithheldReason::ControlNotPositive));
    assert_eq!(
        sentence,
        "No verdict: revenue per visitor of Classic is not above zero, so a change cannot be told in percent."
    );
}

#[test]
fn an_open_question_says_what_may_still_be() {
    let (found, sentence) = of_two(arm(1_000, 100), arm(1_000, 120));
    assert_eq!(found, Verdict::NoDifferenceYet);
    assert_eq!(
        sentence,
        "No difference yet: Express may change conversion by anything from −27.9 % to +67.9 %. Let it run, or stop if \
         an effect within that would not matter."
    );
}

#[test]
fn a_difference_is_called_with_its_interval() {
    let (found, sentence) = of_two(arm(10_000, 1_000), arm(10_000, 1_200));
    assert_eq!(found, Verdict::Better { variation: 1 });
    assert_eq!(
        sentence,
        "Express is better: conversion rises by 20.0 % (between 4.8 % and 35.2 %). You can stop and ship it."
    );
    let (found, sentence) = of_two(arm(10_000, 1_200), arm(10_000, 1_000));
    assert_eq!(found, Verdict::Worse { variation: 1 });
    assert_eq!(
        sentence,
        "Express is worse: conversion falls by 16.7 % (between 6.1 % and 27.2 %). Stop and keep Classic."
    );
}

/// A stopped experiment cannot be let run.
#[test]
fn a_stopped_experiment_is_not_told_to_run_on() {
    let stopped = crate::Experiment::parse(
        r#"{"schema_version": 1, "key": "e", "name": "E", "flag": "f", "status": "stopped", "variations": [
        {"key": "a", "name": "Classic", "weight_bp": 5000, "value": 0},
        {"key": "b", "name": "Express", "weight_bp": 5000, "value": 1}]}"#,
    );
    let plan = Plan::of(&stopped.unwrap(), &metrics("conversion")).unwrap();
    let said = |a, b| analyze(&plan, &look(&[a, b]), &[]).unwrap().sentence;
    assert_eq!(
        said(arm(1_000, 8), arm(1_000, 9)),
        "Too little data to say: 17 of the 20 visitors needed count towards conversion."
    );
    assert_eq!(
        said(arm(1_000, 100), arm(1_000, 120)),
        "No difference was found: Express may change conversion by anything from −27.9 % to +67.9 %. Keep Classic, or \
         try again with more visitors."
    );
    assert!(said(arm(10_000, 1_000), arm(10_000, 1_200)).ends_with(" You can ship it."));
    assert!(said(arm(10_000, 1_200), arm(10_000, 1_000)).ends_with(" Keep Classic."));
    assert!(said(arm(10_000, 10), arm(5_000, 5)).ends_with("before you try again under a new key."));
}

#[test]
fn a_metric_that_moves_the_other_way_is_told() {
    let cheap = Totals { units: 10_000, conversions: 1_300, revenue: 900_000, squares: 900_000_000 };
    let (found, sentence) = of_two(arm(10_000, 1_000), cheap);
    assert_eq!(found, Verdict::Better { variation: 1 });
    assert_eq!(
        sentence,
        "Express is better: conversion rises by 30.0 % (between 13.9 % and 46.1 %). But revenue per visitor falls by \
         55.0 % (between 48.7 % and 61.3 %): weigh both before you decide."
    );
}

#[test]
fn several_treatments_share_the_chance_of_error() {
    let names = ["Classic", "Express", "Drawer", "Wizard"];
    let arms = [arm(10_000, 1_000), arm(10_000, 1_250), arm(10_000, 1_300), arm(10_000, 1_010)];
    let analysis = analyze(&plan(&names, "conversion"), &look(&arms), &[]).unwrap();
    assert_eq!(analysis.verdict, Verdict::Better { variation: 2 });
    assert!(analysis.sentence.ends_with(" Express beats Classic, too; Wizard is undecided."));
    assert_eq!(analysis.comparisons.len(), 6);
    assert_eq!(analysis.leading().unwrap().variation, 2);
    // What is enough for one treatment is not for three.
    let arms = [arm(10_000, 1_000), arm(10_000, 1_155), arm(10_000, 1_000), arm(10_000, 1_000)];
    assert_eq!(of_two(arms[0], arms[1]).0, Verdict::Better { variation: 1 });
    let analysis = analyze(&plan(&names, "conversion"), &look(&arms), &[]).unwrap();
    assert_eq!(analysis.verdict, Verdict::NoDifferenceYet);
    assert_eq!(analysis.alpha_per_comparison, 0.05 / 3.0);
    for comparison in &analysis.comparisons {
        let difference = comparison.difference.unwrap();
        assert_eq!(difference.p <= analysis.alpha, difference.excludes_zero());
    }
    let arms = [arm(10_000, 1_000), arm(10_000, 700), arm(10_000, 600), arm(10_000, 1_000)];
    let (found, sentence) = verdict(&names, "conversion", &arms);
    assert_eq!(found, Verdict::Worse { variation: 2 });
    assert!(sentence.ends_with(" Express is worse than Classic; Wizard is undecided."), "{sentence}");
}

#[test]
fn the_band_runs_over_the_looks_that_have_enough_units() {
    let at = |at_ms, units, a, b| Look { at_ms, ..look(&[arm(units, a), arm(units, b)]) };
    let earlier = [at(1, 100, 10, 12), at(2, 1_000, 100, 120), at(3, 4_000, 0, 500)];
    let plan = plan(&TWO, "conversion");
    let analysis = analyze(&plan, &at(4, 10_000, 1_000, 1_200), &earlier).unwrap();
    let times: Vec<i64> = analysis.band().iter().map(|point| point.at_ms).collect();
    assert_eq!(times, [2, 4]);
    let first = analysis.band()[0];
    assert_eq!(first.units, 2_000);
    assert!((first.lower + 0.2790699965).abs() < 1e-10 && (first.upper - 0.6790699965).abs() < 1e-10);
    let (last, lift) = (analysis.band()[1], analysis.leading().unwrap().lift.unwrap());
    assert_eq!((last.lift, last.lower, last.upper), (lift.value, lift.lower, lift.upper));
}

#[test]
fn looks_that_do_not_fit_are_refused() {
    let plan = plan(&TWO, "conversion");
    let good = look(&[arm(10, 1), arm(10, 1)]);
    let at_ms = good.at_ms;
    let three = look(&[arm(1, 0); 3]);
    let error = analyze(&plan, &three, &[]).unwrap_err();
    assert_eq!(error, AnalysisError::ArmsDiffer { at_ms, found: 3, planned: 2 });
    let error = analyze(&plan, &look(&[arm(10, 1), arm(UNITS_MAX + 1, 1)]), &[]).unwrap_err();
    assert_eq!(error, AnalysisError::TooManyUnits { at_ms, arm: 1, units: UNITS_MAX + 1 });
    let later = Look { at_ms: at_ms + 1, ..good.clone() };
    let error = analyze(&plan, &good, &[later]).unwrap_err();
    assert_eq!(error, AnalysisError::LooksOutOfOrder { at_ms, before_ms: at_ms + 1 });
}

#[test]
fn plans_out_of_range_are_refused() {
    let arm = |weight| PlannedArm { key: "k".into(), name: "n".into(), weight };
    let of = |weights: &[f64], alpha, planned| {
        let arms = weights.iter().map(|&weight| arm(weight)).collect();
        Plan::new(arms, metrics("conversion"), alpha, planned).map(drop)
    };
    assert_eq!(of(&[1.0], 0.05, 1), Err(PlanError::TooFewArms { found: 1 }));
    assert_eq!(of(&[1.0, 0.0], 0.05, 1), Err(PlanError::Weight { arm: 1, weight: 0.0 }));
    assert!(of(&[1.0, f64::NAN], 0.05, 1).is_err());
    assert!(of(&[1.0, 1.0, 1.0], 1.0, 1).is_err() && of(&[1.0, 1.0], 0.05, 0).is_err());
    assert_eq!(of(&[1.0, 1.0], 0.05, 1), Ok(()));
    assert_eq!(Plan::new(vec![arm(1.0), arm(1.0)], vec![], 0.05, 1).map(drop), Err(PlanError::NoMetric));
}

#[test]
fn guardrails_are_watched_and_told() {
    let definition = |margin_bp: u32| {
        let text = json!({"schema_version": 1, "key": "e", "name": "E", "flag": "f", "variations": [
            {"key": "a", "name": "Classic", "weight_bp": 5000, "value": 0},
            {"key": "b", "name": "Express", "weight_bp": 5000, "value": 1}],
            "guardrails": [{"metric": "revenue", "margin_bp": margin_bp}], "status": "running"});
        crate::Experiment::parse(&text.to_string()).unwrap()
    };
    let of = |margin_bp, a, b| {
        let plan = Plan::of(&definition(margin_bp), &metrics("conversion")).unwrap();
        analyze(&plan, &look(&[a, b]), &[]).unwrap()
    };
    let cheap = Totals { units: 10_000, conversions: 1_010, revenue: 1_500_000, squares: 2_500_000_000 };
    let found = of(500, arm(10_000, 1_000), cheap);
    assert_eq!(found.verdict, Verdict::Harms { variation: 1, metric: 1 });
    assert_eq!(
        found.sentence,
        "Express does harm: revenue per visitor falls by 25.0 % (between 14.6 % and 35.4 %), which was not to get worse. \
         Stop and keep Classic, or mend Express and start again under a new key."
    );
    let found = of(500, arm(10_000, 1_000), Totals { conversions: 1_400, ..cheap });
    assert_eq!(found.verdict, Verdict::Better { variation: 1 });
    assert!(found.sentence.contains("But revenue per visitor falls by"), "{}", found.sentence);
    let found = of(500, arm(10_000, 1_000), arm(10_000, 1_200));
    assert!(found.metrics[1].is_guardrail && found.comparisons[1].guardrail.is_some());
    assert!(found.sentence.ends_with("You can stop and ship it."), "{}", found.sentence);
    let found = of(
        500,
        arm(10_000, 1_000),
        Totals { conversions: 1_250, revenue: 2_000_000, squares: 4_250_000_000, ..cheap },
    );
    assert!(found.sentence.ends_with("Not shown to be safe yet: revenue per visitor."), "{}", found.sentence);
}

#[test]
fn a_method_with_planned_looks_is_read_at_these() {
    let at = |at_ms, units, a, b| Look { at_ms, ..look(&[arm(units, a), arm(units, b)]) };
    let fixed = plan(&TWO, "conversion").read_by(Method::FixedHorizon);
    let early = analyze(&fixed, &at(1, 1_000, 100, 200), &[]).unwrap();
    assert_eq!(early.verdict, Verdict::NotRead { units: 2_000, planned: 5_000 });
    assert_eq!((early.comparisons[0].lift, early.comparisons[0].is_significant), (None, false));
    assert!(
        early.sentence.starts_with("Not read yet: results are read at 5,000 units"),
        "{}",
        early.sentence
    );
    // What follows the planned look changes nothing.
    let planned = at(2, 2_600, 260, 270);
    let late = analyze(&fixed, &at(3, 9_000, 900, 1_400), &[at(1, 1_000, 100, 200), planned]).unwrap();
    assert_eq!(late.verdict, Verdict::NoDifferenceYet);
    let groups = plan(&TWO, "conversion").read_by(Method::GroupSequential { looks: 5 });
    let (first, second) = (at(1, 500, 50, 60), at(2, 1_200, 120, 250));
    let found = analyze(&groups, &second, std::slice::from_ref(&first)).unwrap();
    assert_eq!(found.verdict, Verdict::Better { variation: 1 });
    let p = found.comparisons[0].lift.unwrap().p;
    let wait = analyze(&groups, &at(2, 900, 90, 180), &[first]).unwrap();
    assert_eq!(wait.verdict, Verdict::NoDifferenceYet, "{p}");
    for method in
        [Method::Mixture { expected_lift_bp: 1_000 }, Method::Bayesian { prior_deviation_bp: Some(3_000) }]
    {
        let plan = plan(&TWO, "conversion").read_by(method);
        let found = analyze(&plan, &at(1, 10_000, 1_000, 1_250), &[]).unwrap();
        assert_eq!(found.verdict, Verdict::Better { variation: 1 }, "{method:?}");
        assert_eq!(found.comparisons[0].belief.is_some(), matches!(method, Method::Bayesian { .. }));
    }
}

#[test]
fn segments_share_the_chance_of_error() {
    let plan = plan(&TWO, "conversion");
    let of = |units, a, b| look(&[arm(units, a), arm(units, b)]).arms;
    let rows = vec![
        ("phone".to_owned(), of(20_000, 2_000, 2_900)),
        ("desktop".to_owned(), of(20_000, 2_000, 2_010)),
        ("tablet".to_owned(), of(50, 5, 9)),
    ];
    let whole = segments(&plan, std::slice::from_ref(&rows));
    let found = &whole[0];
    assert_eq!((whole.len(), found.len()), (1, 1));
    let names: Vec<(&str, bool)> =
        found[0].rows.iter().map(|row| (row.name.as_str(), row.is_significant)).collect();
    assert_eq!(names, [("phone", true), ("desktop", false)]);
    assert!(found[0].p_of_same_effect.unwrap() < 1e-6);
    // Whoever looks at days, too, looks at more: intervals are wider and p-values larger, in both dimensions.
    let days = ["Monday", "Tuesday", "Wednesday", "Thursday"];
    let days = days.map(|day| (day.to_owned(), of(10_000, 1_000, 1_200))).to_vec();
    let both = segments(&plan, &[rows.clone(), days.clone()]);
    assert_eq!(both.iter().map(|of_one| of_one[0].rows.len()).collect::<Vec<_>>(), [2, 4]);
    let width = |row: &SegmentRow| row.lift.upper - row.lift.lower;
    assert!(width(&both[0][0].rows[0]) > 1.05 * width(&found[0].rows[0]));
    let alone = segments(&plan, &[days]);
    assert!(
        width(&both[1][0].rows[0]) > width(&alone[0][0].rows[0]),
        "a sixth of the chance is less than a quarter"
    );
    // A division into one part repeats the whole, and costs the others nothing.
    let one = vec![("Week 1".to_owned(), of(40_000, 4_000, 4_900))];
    let beside = segments(&plan, &[rows.clone(), one.clone()]);
    assert_eq!((&beside[0], beside[1][0].rows.len()), (found, 1));
    assert_eq!(beside[1], segments(&plan, &[one])[0]);
    let same = |found: &[Segments]| found[0].p_of_same_effect.unwrap();
    assert!((same(&both[0]) - 2.0 * same(found)).abs() < 1e-12, "the smaller of two is doubled");
}

fn any_arm() -> impl Strategy<Value = Totals> {
    let units = prop_oneof![0_u64..5, 0_u64..2_000, 0_u64..1_000_000_000, Just(UNITS_MAX)];
    let squares = prop_oneof![any::<u64>().prop_map(u128::from), 0..(u128::MAX >> 2)];
    (units, 0.0..=1.0_f64, any::<i64>(), squares, any::<bool>()).prop_map(
        |(units, share, revenue, squares, is_plain)| {
            let conversions = ((units as f64 * share) as u64).min(units);
            let odd = Totals { units, conversions, revenue, squares };
            let is_possible = odd.sums("conversion").is_some();
            if (is_plain || !is_possible) && conversions < 1_000_000_000 {
                arm(units, conversions)
            } else if is_possible {
                odd
            } else {
                arm(units, 7.min(units))
            }
        },
    )
}

proptest! {
    #[test]
    fn no_totals_make_it_panic_or_answer_with_no_number(
        arms in proptest::collection::vec(proptest::collection::vec(any_arm(), 3), 1..5),
        by_revenue in any::<bool>(),
    ) {
        let metric = if by_revenue { "revenue" } else { "conversion" };
        let looks: Vec<Look> = arms.iter().map(|arms| look_by(metric, arms)).collect();
        let (current, earlier) = looks.split_last().unwrap();
        let analysis = analyze(&plan(&["A", "B", "C"], metric), current, earlier).unwrap();
        // JSON knows no NaN or infinity: serde_json writes them as null, which an `Option` also is.
        let json = serde_json::to_value(&analysis).unwrap();
        for comparison in json["comparisons"].as_array().unwrap() {
            for estimate in ["lift", "difference", "lift_at_fixed_horizon"] {
                let fields = comparison[estimate].as_object();
                prop_assert!(fields.is_none_or(|fields| fields.values().all(serde_json::Value::is_number)));
            }
            let points = comparison["band"].as_array().unwrap();
            prop_assert!(points.iter().all(|p| p.as_object().unwrap().values().all(serde_json::Value::is_number)));
        }
        prop_assert!(json["sample_ratio"]["sequential_p"].is_number());
        prop_assert!(analysis.arms.iter().flat_map(|arm| &arm.values).all(|v| v.value.is_none_or(f64::is_finite)));
        prop_assert!(!analysis.sentence.contains("NaN") && !analysis.sentence.contains("inf"));
    }
}

/// Phones convert at a tenth of what desks do, and Express got more of the phones by chance.
#[test]
fn strata_take_out_what_differs_between_them() {
    let (phones, desks) = ([arm(3_000, 60), arm(3_300, 110)], [arm(2_000, 400), arm(1_700, 430)]);
    let whole = look(&[arm(5_000, 460), arm(5_000, 540)]);
    let sums = |arms: &[Totals; 2]| look(arms).arms;
    let strata = [sums(&phones), sums(&desks)];
    let plan = plan(&TWO, "conversion");
    let plain = analyze(&plan, &whole, &[]).unwrap();
    let within = analyze_within(&plan, &whole, &[], &strata).unwrap();
    let of = |analysis: &Analysis| analysis.comparison(1, 0).unwrap().clone();
    assert_eq!((&plain.verdict, of(&plain).adjusted_by.strata), (&Verdict::NoDifferenceYet, false));
    assert_eq!(within.verdict, Verdict::Better { variation: 1 }, "{}", within.sentence);
    let (difference, lift) = (of(&within).difference.unwrap(), of(&within).lift.unwrap());
    // 63 % of all are phones: 0.63·(110/3300 − 60/3000) + 0.37·(430/1700 − 400/2000).
    assert!((difference.value - (0.63 * (1.0 / 30.0 - 0.02) + 0.37 * (43.0 / 170.0 - 0.2))).abs() < 1e-12);
    assert!(
        lift.excludes_zero() && of(&within).variance_left.unwrap() < 0.95,
        "{:?}",
        of(&within).variance_left
    );
    assert!(of(&within).adjusted_by.strata && !of(&within).adjusted_by.past);
    let last = of(&within).band.last().copied().unwrap();
    assert_eq!((last.lift, last.lower), (lift.value, lift.lower), "the chart ends where the verdict stands");

    // Strata that are not all of the units are none, and so is a single one.
    for strata in [&strata[..1], &[strata[0].clone(), strata[0].clone()], std::slice::from_ref(&whole.arms)] {
        assert_eq!(of(&analyze_within(&plan, &whole, &[], strata).unwrap()), of(&plain));
    }
    // What is left without a part is a stratum, too.
    let rest: Vec<ArmSums> =
        (0..2).map(|arm| whole.arms[arm].without([&strata[0][arm]].into_iter())).collect();
    let with_rest = analyze_within(&plan, &whole, &[], &[strata[0].clone(), rest]).unwrap();
    assert_eq!(of(&with_rest).lift, of(&within).lift);
    // A method that reads at a planned size reads a look of before.
    let fixed = plan.read_by(Method::FixedHorizon);
    let read = analyze_within(&fixed, &whole, &[], &strata).unwrap();
    assert!(!of(&read).adjusted_by.strata);
}

/// Planned looks are sized by units exposed, of which a retention counts those whose days are over.
#[test]
fn what_waits_for_days_is_not_read_at_looks_that_share_the_chance_of_error() {
    let back = r#"{"key": "back", "measure": {"kind": "retention", "event": {"type": "page"}, "from_days": 1, "to_days": 7}}"#;
    let planned = |name: &str| PlannedArm { key: name.to_lowercase(), name: name.into(), weight: 1.0 };
    let plan =
        Plan::new(TWO.map(planned).to_vec(), vec![Metric::parse(back).unwrap()], ALPHA, 5_000).unwrap();
    let arm = |units: u64, complete: u64, back: u64| {
        ArmSums::parse(&format!("{units};{complete} {back} {back} 0 0 {back} 0 0 0 0 0")).unwrap()
    };
    let at = |at_ms, units, complete| Look {
        at_ms,
        arms: vec![arm(units, complete, complete / 10), arm(units, complete, complete / 4)],
    };
    let looks = [at(1, 1_300, 600), at(2, 2_600, 1_900)];
    let found = |method| analyze(&plan.clone().read_by(method), &looks[1], &looks[..1]).unwrap();
    let grouped = found(Method::GroupSequential { looks: 2 });
    assert_eq!((grouped.comparisons[0].lift, &grouped.verdict), (None, &Verdict::NoDifferenceYet));
    assert_eq!(found(Method::Sequential).verdict, Verdict::Better { variation: 1 });
}
