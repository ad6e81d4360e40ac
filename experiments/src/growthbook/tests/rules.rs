use super::*;

#[test]
fn odd_rules_do_what_they_do_in_the_javascript_sdk() {
    let cases = [
        // Coverage, of a rollout and of an experiment.
        (r#"{"force": 1, "coverage": null}"#, "default"),
        (r#"{"force": 1, "coverage": 0}"#, "default"),
        (r#"{"force": 1, "coverage": 1}"#, "1"),
        (r#"{"force": 1, "coverage": 1, "hashVersion": 99}"#, "default"),
        (r#"{"force": 1, "coverage": 1, "hashAttribute": "lacking"}"#, "default"),
        (r#"{"force": 1, "range": [0, 0.99], "coverage": 0}"#, "1"),
        (r#"{"force": 1, "namespace": ["n", 0, 0]}"#, "1"),
        (r#"{"variations": [1, 2], "coverage": null}"#, "default"),
        (r#"{"variations": [1, 2], "weights": [0, 1]}"#, "2"),
        (r#"{"variations": [1, 2], "weights": [0, 1], "ranges": [[0, 1], [1, 1]]}"#, "1"),
        (r#"{"variations": [1, 1], "namespace": ["n", 0, 0]}"#, "default"),
        (r#"{"variations": [1, 1], "namespace": ["n", 0, 0], "filters": []}"#, "1"),
        (
            r#"{"variations": [1, 1], "urlPatterns": [{"include": true, "type": "simple", "pattern": "/x"}]}"#,
            "1",
        ),
        (r#"{"variations": [1, 1], "meta": [{"key": "a"}]}"#, "1"),
        (r#"{"variations": [1]}"#, "default"),
        (
            r#"{"variations": [1, 1], "meta": [{"passthrough": true}, {"passthrough": true}]}, {"force": 7}"#,
            "7",
        ),
        // What is forced may be nothing.
        (r#"{"force": null}"#, "null"),
        (r#"{"id": "no effect"}"#, "default"),
        // Filters.
        (r#"{"force": 1, "filters": [{"seed": "s", "ranges": [[0, 0.5], [0.5, 1]]}]}"#, "1"),
        (r#"{"force": 1, "filters": [{"seed": "s", "ranges": []}]}"#, "default"),
        (
            r#"{"force": 1, "filters": [{"seed": "s", "ranges": [[0, 1]], "attribute": "lacking"}]}"#,
            "default",
        ),
        // Prerequisites that do not exist have no value.
        (r#"{"force": 1, "parentConditions": [{"id": "nope", "condition": {"value": true}}]}"#, "default"),
        (r#"{"force": 1, "parentConditions": [{"id": "nope", "condition": {"value": null}}]}"#, "1"),
        (r#"{"force": 1, "parentConditions": [{"id": "f", "condition": {}}]}"#, "null"),
    ];
    for (rules, expected) in cases {
        let (value, _) = value_of(&with_rules(rules), r#"{"id": "u1"}"#);
        assert_eq!(value.trim_matches('"'), expected, "{rules}");
    }
}

#[test]
fn units_are_named_by_what_counts_as_true() {
    let everybody = with_rules(r#"{"force": 1, "coverage": 1}"#);
    for (id, is_named) in [
        ("7", true),
        ("true", true),
        (r#"["a"]"#, true),
        ("0", false),
        ("false", false),
        (r#""""#, false),
        ("null", false),
    ] {
        let (value, _) = value_of(&everybody, &format!(r#"{{"id": {id}}}"#));
        assert_eq!(value == "1", is_named, "{id}");
    }
    // A number hashes as its text, and is reported as it came.
    let payload = with_rules(r#"{"variations": ["a", "b"]}"#);
    let (number, text) = (json(r#"{"id": 42}"#), json(r#"{"id": "42"}"#));
    let of = |attributes| Evaluator::new(&payload, User::new(attributes)).evaluate("f").experiment.unwrap().1;
    assert_eq!(of(&number).bucket, of(&text).bucket);
    assert_eq!(of(&number).hash_value, &json("42"));
    let nobody = json("{}");
    let out = Evaluator::new(&payload, User::new(&nobody)).evaluate("f");
    assert!(out.experiment.is_none());
}

#[test]
fn prerequisites_gate_skip_and_go_in_circles() {
    let source = |text: &str| value_of(&payload(text), "{}").1;
    let of = |gate: &str| {
        source(&format!(
            r#"{{"features": {{"p": {{"defaultValue": 1}}, "f": {{"defaultValue": 0, "rules": [
                {{"force": 2, "parentConditions": [{{"id": "p", "condition": {{"value": 2}} {gate}}}]}}]}}}}}}"#
        ))
    };
    assert_eq!(of(""), "defaultValue");
    assert_eq!(of(r#", "gate": true"#), "prerequisite");
    // A circle, even behind a rule that would not be needed.
    let circle = r#"{"features": {
        "f": {"rules": [{"parentConditions": [{"id": "g"}]}]}, "g": {"rules": [{"parentConditions": [{"id": "f"}]}]}}}"#;
    assert_eq!(source(circle), "cyclicPrerequisite");
    // Two ways to the same feature are no circle.
    let diamond = r#"{"features": {
        "f": {"rules": [{"parentConditions": [{"id": "l"}, {"id": "r"}], "force": 1}]},
        "l": {"rules": [{"parentConditions": [{"id": "t"}], "force": 1}]},
        "r": {"rules": [{"parentConditions": [{"id": "t"}], "force": 1}]}, "t": {"defaultValue": 1}}}"#;
    assert_eq!(source(diamond), "force");
}

#[test]
fn what_somebody_asked_for_comes_first() {
    let payload = with_rules(r#"{"key": "e", "variations": ["a", "b", "c"], "weights": [1, 0, 0]}"#);
    let (nobody, unit) = (json("{}"), json(r#"{"id": "u"}"#));
    let variations = |index: i64| std::collections::BTreeMap::from([("e".to_owned(), index)]);
    let (second, missing) = (variations(1), variations(3));
    let features = std::collections::BTreeMap::from([("f".to_owned(), json("0"))]);
    let ask = |user: User<'_>| {
        let result = Evaluator::new(&payload, user).evaluate("f");
        let hash_used = result.experiment.map(|(_, result)| result.hash_used);
        (result.value.to_string(), result.is_on(), hash_used)
    };
    // By query string, even for those who have no unit.
    let by_query =
        User { url: "https://x.example/?e=2", forced_variations: Some(&second), ..User::new(&nobody) };
    assert_eq!(ask(by_query), (r#""c""#.into(), true, Some(false)));
    let by_variation = User { forced_variations: Some(&second), ..User::new(&nobody) };
    assert_eq!(ask(by_variation), (r#""b""#.into(), true, Some(false)));
    // An index that does not exist leaves the unit out.
    let beyond = User { forced_variations: Some(&missing), ..User::new(&unit) };
    assert_eq!(ask(beyond), (r#""default""#.into(), true, None));
    let by_value = User { forced_features: Some(&features), ..by_query };
    assert_eq!(ask(by_value), ("0".into(), false, None));
    // Who is testing, or has switched experiments off, gets only that.
    assert_eq!(ask(User { is_tested: true, ..User::new(&unit) }).2, None);
    assert_eq!(ask(User { is_tested: true, ..by_variation }).2, Some(false));
    assert_eq!(ask(User { is_enabled: false, ..by_variation }).2, None);
}

/// GrowthBook's holdouts: a feature that nobody asks for, which each governed feature's first rule asks.
#[test]
fn a_holdout_keeps_half_of_its_coverage_back_and_compares_the_other_half() {
    let payload = payload(
        r#"{"features": {
            "$holdout:h": {"defaultValue": "genpop", "rules": [{"coverage": 0.2, "seed": "h", "hashVersion": 2, "key": "h",
                "variations": ["holdoutcontrol", "holdouttreatment"], "weights": [0.5, 0.5], "meta": [{"key": "0"}, {"key": "1"}]}]},
            "f": {"defaultValue": "new", "rules": [{"force": "old",
                "parentConditions": [{"id": "$holdout:h", "condition": {"value": "holdoutcontrol"}}]}]}
        }}"#,
    );
    assert_eq!(payload.problems(), []);
    let (mut held, mut compared) = (0_u32, 0_u32);
    for i in 0..20_000 {
        let attributes = json(&format!(r#"{{"id": "user-{i}"}}"#));
        let mut evaluator = Evaluator::new(&payload, User::new(&attributes)).noting_exposures();
        let is_held = evaluator.evaluate("f").value.as_str() == Some("old");
        held += u32::from(is_held);
        // Both halves are exposed to the holdout's own experiment.
        let exposures = evaluator.take_exposures().len();
        compared += exposures as u32 - u32::from(is_held);
    }
    // Four standard deviations of a tenth of 20,000 are 170.
    assert!(held.abs_diff(2_000) < 170 && compared.abs_diff(2_000) < 170, "{held} {compared}");
}

#[test]
fn each_exposure_is_noted_once_with_those_of_prerequisites() {
    let payload = payload(
        r#"{"features": {
            "p": {"rules": [{"key": "parent", "variations": [1, 2], "meta": [{"key": "x"}, {"key": "y"}]}]},
            "f": {"rules": [
                {"parentConditions": [{"id": "p", "condition": {"value": 3}}], "force": 0},
                {"parentConditions": [{"id": "p"}], "key": "child", "variations": ["a", "b"]}
            ]},
            "told": {"rules": [{"force": 1, "tracks": [
                {"experiment": {"key": "e", "variations": [1, 2]}, "result": {"hashAttribute": "id", "hashValue": "u", "variationId": 1}}]}]}
        }}"#,
    );
    let attributes = json(r#"{"id": "u"}"#);
    let mut evaluator = Evaluator::new(&payload, User::new(&attributes)).noting_exposures();
    evaluator.evaluate("f");
    let keys: Vec<String> = evaluator.take_exposures().iter().map(Exposure::key).collect();
    assert_eq!(keys, ["iduparent0", "iduchild0"]);
    evaluator.evaluate("told");
    let told = evaluator.take_exposures();
    assert_eq!(told[0].key(), "idue1");
    assert_eq!(serde_json::to_value(told[0]).unwrap()["result"]["variationId"], 1);
    assert!(evaluator.take_exposures().is_empty());
}
