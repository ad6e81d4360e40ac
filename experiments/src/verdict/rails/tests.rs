//! Guardrails that a lift cannot tell of.

use serde_json::json;

use super::*;
use crate::arm::ArmSums;
use crate::definition::Method;
use crate::guardrail::Standing;
use crate::statistic::StatisticError;
use crate::verdict::{Analysis, Look, Verdict, analyze};
use crate::{Experiment, Metric};

const METHODS: [&str; 6] = [
    r#"{"kind": "sequential"}"#,
    r#"{"kind": "fixed_horizon"}"#,
    r#"{"kind": "group_sequential", "looks": 2}"#,
    r#"{"kind": "mixture", "expected_lift_bp": 500}"#,
    r#"{"kind": "bayesian"}"#,
    r#"{"kind": "bayesian", "prior_deviation_bp": 3000}"#,
];

/// Putting into the cart decides; errors and orders guard.
fn plan(method: &str) -> Plan {
    let experiment = Experiment::parse_value(&json!({
        "schema_version": 1, "key": "e", "name": "E", "flag": "f", "status": "running", "planned_units": 10_000,
        "primary_metric": "added", "method": serde_json::from_str::<Method>(method).unwrap(),
        "guardrails": [{"metric": "errors", "margin_bp": 500}, {"metric": "orders", "margin_bp": 500}],
        "variations": [
            {"key": "a", "name": "Classic", "weight_bp": 5000, "value": 0},
            {"key": "b", "name": "Express", "weight_bp": 5000, "value": 1},
        ],
    }));
    let share = |key: &str| json!({"key": key, "measure": {"kind": "proportion", "event": {"type": key}}});
    let event = |kind: &str| json!({"event": {"type": kind}});
    let errors = json!({"key": "errors", "phrase": "the error rate", "better": "lower",
        "measure": {"kind": "ratio", "numerator": event("page_failed"), "denominator": event("page_seen")}});
    let metrics =
        [share("added"), errors, share("orders")].map(|text| Metric::parse(&text.to_string()).unwrap());
    Plan::of(&experiment.unwrap(), &metrics).unwrap()
}

/// As [`plan`], but orders must stay as they are, and the rest is corrected otherwise.
fn plan_of_sameness(method: &str, correction: &str) -> Plan {
    let experiment = Experiment::parse_value(&json!({
        "schema_version": 1, "key": "e", "name": "E", "flag": "f", "status": "running", "planned_units": 10_000,
        "primary_metric": "added", "method": serde_json::from_str::<Method>(method).unwrap(),
        "guardrails": [{"metric": "errors", "margin_bp": 500}, {"metric": "orders", "margin_bp": 1000, "asks": "equivalent"}],
        "correction": correction,
        "variations": [
            {"key": "a", "name": "Classic", "weight_bp": 5000, "value": 0},
            {"key": "b", "name": "Express", "weight_bp": 5000, "value": 1},
        ],
    }));
    let metrics: Vec<Metric> = plan(method).metrics().iter().map(|planned| planned.metric.clone()).collect();
    Plan::of(&experiment.unwrap(), &metrics).unwrap()
}

#[test]
fn what_must_stay_as_it_is_is_shown_to_or_not() {
    for method in METHODS {
        let of = |arms: [[u64; 3]; 2]| {
            let look = Look { at_ms: 0, arms: arms.map(arm).to_vec() };
            analyze(&plan_of_sameness(method, "holm"), &look, &[]).unwrap()
        };
        // Of 5,000 each, 4,000 and 4,005 order: within 10 % either way.
        let same = of([[2_000, 400, 4_000], [2_600, 400, 4_005]]);
        assert_eq!(standings(&same)[1], Standing::Equivalent, "{method}");
        assert!(
            same.sentence.contains(" Orders is shown to be equivalent within ±10 %."),
            "{}",
            same.sentence
        );
        // 15 % more are no harm, and not the same.
        let more = of([[2_000, 400, 4_000], [2_600, 400, 4_600]]);
        assert_eq!(standings(&more)[1], Standing::Unclear, "{method}");
        assert!(
            more.sentence.contains("Orders is not shown yet to be equivalent within ±10 %."),
            "{}",
            more.sentence
        );
        assert!(!more.sentence.contains("safe yet: orders"), "{}", more.sentence);
        let fewer = of([[2_000, 400, 4_000], [2_600, 400, 3_000]]);
        assert_eq!(standings(&fewer)[1], Standing::Harmed, "{method}");
    }
}

/// Errors and orders rise alike, so that both p-values are nearly p: Holm's first step makes both 2p, the step-up leaves them p.
#[test]
fn the_false_discovery_rate_finds_more_and_is_chosen_beforehand() {
    for method in METHODS {
        let p_of = |correction: &str| {
            let look = Look { at_ms: 0, arms: [[2_000, 400, 400], [2_000, 540, 540]].map(arm).to_vec() };
            let found = analyze(&plan_of_sameness(method, correction), &look, &[]).unwrap();
            [1, 2].map(|metric| found.comparison(1, metric).unwrap().adjusted_p.unwrap())
        };
        let (holm, step_up) = (p_of("holm"), p_of("benjamini_hochberg"));
        for (holm, step_up) in holm.iter().zip(step_up) {
            assert!((1.8..2.2).contains(&(holm / step_up)), "{method}: {holm} and {step_up}");
        }
    }
}

/// Of an arm: units that put something into the cart, that met an error on their one page, and that ordered.
fn arm([added, errors, orders]: [u64; 3]) -> ArmSums {
    let units = 5_000;
    let share = |count: u64| format!("{units} {count} {count} 0 0 {count} 0 0 0 0 0");
    let errors = format!("{units} {units} {errors} {units} 0 {errors} {errors} 0 {units} 0 0");
    ArmSums::parse(&format!("{units};{};{errors};{}", share(added), share(orders))).unwrap()
}

fn analyzed(method: &str, arms: [[u64; 3]; 2]) -> Analysis {
    analyze(&plan(method), &Look { at_ms: 0, arms: arms.map(arm).to_vec() }, &[]).unwrap()
}

fn standings(analysis: &Analysis) -> [Standing; 2] {
    [1, 2].map(|metric| analysis.comparison(1, metric).unwrap().guardrail.unwrap().standing)
}

#[test]
fn errors_that_begin_at_none_are_harm() {
    for method in METHODS {
        let found = analyzed(method, [[1_000, 0, 500], [1_400, 400, 500]]);
        assert_eq!(standings(&found)[0], Standing::Harmed, "{method}");
        assert!(
            found.sentence.contains(
                "But the error rate rises from nothing under Classic, which was not to get worse: mend that before you ship it."
            ),
            "{}",
            found.sentence
        );
        assert!(!found.sentence.contains("You can"), "{}", found.sentence);
        let alone = analyzed(method, [[1_000, 0, 500], [1_000, 400, 500]]);
        assert_eq!(alone.verdict, Verdict::Harms { variation: 1, metric: 1 }, "{method}");
        // One error more or less in the control is no other story.
        let near = analyzed(method, [[1_000, 1, 500], [1_000, 400, 500]]);
        assert_eq!(near.verdict, Verdict::Harms { variation: 1, metric: 1 }, "{method}");
    }
}

#[test]
fn a_dead_checkout_behind_a_full_cart_is_harm() {
    for method in METHODS {
        let found = analyzed(method, [[1_000, 50, 500], [1_400, 50, 0]]);
        assert_eq!(found.verdict, Verdict::Better { variation: 1 }, "{method}");
        assert_eq!(standings(&found)[1], Standing::Harmed, "{method}");
        let told = "But orders falls to nothing from what it is under Classic, which was not to get worse: mend that";
        assert!(found.sentence.contains(told) && !found.sentence.contains("You can"), "{}", found.sentence);
    }
}

#[test]
fn what_begins_at_none_is_never_shown_to_be_safe() {
    let found = analyzed(METHODS[0], [[1_000, 0, 500], [1_400, 3, 500]]);
    assert_eq!(standings(&found)[0], Standing::Unclear, "three errors may be chance");
    assert_eq!(found.comparison(1, 1).unwrap().guardrail.unwrap().p_beyond_margin, 1.0);
    assert!(found.sentence.contains("Not shown to be safe yet: the error rate"), "{}", found.sentence);
    // Errors that end are no worse by any margin.
    let mended = analyzed(METHODS[0], [[1_000, 400, 500], [1_400, 0, 500]]);
    assert_eq!(standings(&mended)[0], Standing::Safe);
}

#[test]
fn what_cannot_be_read_keeps_a_winner_from_being_shipped() {
    for method in METHODS {
        let found = analyzed(method, [[1_000, 50, 0], [1_400, 50, 0]]);
        assert_eq!(found.verdict, Verdict::Better { variation: 1 });
        let reading = found.comparison(1, 2).unwrap().guardrail.unwrap();
        assert_eq!((reading.standing, reading.unread), (Standing::Unreadable, Some(Unread::NoSpread)));
        assert!(
            found.sentence.contains(
                "Do not ship it yet: orders, which was not to get worse, cannot be read: all visitors of both variations count \
                 the same towards it; see whether it is counted at all."
            ) && !found.sentence.contains("You can"),
            "{}",
            found.sentence
        );
        let open = analyzed(method, [[1_000, 50, 0], [1_000, 50, 0]]);
        assert!(open.sentence.contains(" And orders, which was not"), "{}", open.sentence);
    }
    // Nothing bad happened in either: that is nothing to mend, and proves nothing.
    let clean = analyzed(METHODS[0], [[1_000, 0, 500], [1_400, 0, 500]]);
    assert_eq!(standings(&clean)[0], Standing::Unclear);
}

#[test]
fn a_guardrail_is_silent_nowhere() {
    let early = analyze(&plan(METHODS[1]), &Look { at_ms: 0, arms: vec![ArmSums::new(3); 2] }, &[]).unwrap();
    let reading = early.comparison(1, 1).unwrap().guardrail.unwrap();
    assert_eq!((reading.unread, reading.unread.unwrap().is_early()), (Some(Unread::NotYet), true));
    let young = analyze(&plan(METHODS[0]), &Look { at_ms: 0, arms: vec![ArmSums::new(3); 2] }, &[]).unwrap();
    let unread = |metric| young.comparison(1, metric).unwrap().guardrail.unwrap().unread;
    assert_eq!([unread(1), unread(2)], [Some(Unread::TooFewUnits); 2]);
    // Nobody saw a page in the treatment: there is nothing to divide by.
    let blank =
        "5000;5000 1400 1400 0 0 1400 0 0 0 0 0;5000 0 0 0 0 0 0 0 0 0 0;5000 500 500 0 0 500 0 0 0 0 0";
    let arms = vec![arm([1_000, 50, 500]), ArmSums::parse(blank).unwrap()];
    let blind = analyze(&plan(METHODS[0]), &Look { at_ms: 0, arms }, &[]).unwrap();
    assert!(
        blind.sentence.contains("cannot be read: a variation has too few events for it"),
        "{}",
        blind.sentence
    );
}

/// Forty errors of 20,000 units leave a small control without any most of the time.
#[test]
fn a_small_control_without_errors_proves_little() {
    let rail = Guardrail::new(0.05, Better::Lower).unwrap();
    let units = |units: u64| arm_of(units);
    let (small, large) = (units(200), units(20_000));
    let statistics =
        [Statistic::proportion(200, 0), Statistic::proportion(20_000, 40)].map(Ok::<_, StatisticError>);
    let [control, treatment] = statistics;
    let arms = [(small.metric(0), control), (large.metric(0), treatment)];
    let found = read(rail, &Mode::FixedHorizon, 0.05, arms, [None, None]);
    assert_eq!(found.standing, Standing::Unclear, "{found:?}");
}

fn arm_of(units: u64) -> ArmSums {
    ArmSums::parse(&format!("{units};{units} 0 0 0 0 0 0 0 0 0 0")).unwrap()
}

#[test]
fn harm_is_corrected_for_the_number_of_guardrails() {
    // p about 0.03 one-sided: enough for one guardrail, not for one of two.
    let found = analyzed(METHODS[1], [[1_000, 500, 500], [1_000, 500, 446]]);
    let reading = found.comparison(1, 2).unwrap().guardrail.unwrap();
    assert!(reading.p_not_worse > 0.05 && reading.p_not_worse / 2.0 < 0.05, "{reading:?}");
    assert_eq!((reading.standing, &found.verdict), (Standing::Unclear, &Verdict::NoDifferenceYet));
}
