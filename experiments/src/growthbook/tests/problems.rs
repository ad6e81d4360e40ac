use super::*;

/// Returns the problems of a payload as people read them.
fn problems(text: &str) -> Vec<String> {
    payload(text).problems().iter().map(Problem::to_string).collect()
}

#[test]
fn what_an_sdk_passes_over_is_reported_with_its_path() {
    let cases = [
        (
            r#"{"condition": {"a": {"$near": 1}}, "force": 1}"#,
            "`features.f.rules[0].condition.a.$near` is no operator, so no unit meets it: use one of GrowthBook's, such as `$eq` or `$in`",
        ),
        (
            r#"{"condition": {"a": {"$in": "x"}}, "force": 1}"#,
            "`features.f.rules[0].condition.a.$in` is a text where a list must be: no unit meets it",
        ),
        (
            r#"{"condition": {"$or": [{"a": {"$regex": "("}}]}, "force": 1}"#,
            "`features.f.rules[0].condition.$or[0].a.$regex` is no pattern, so no unit meets it: unterminated group at character 2 of the pattern",
        ),
        (
            r#"{"condition": {"a": {"$eq": 1, "b": 2}}, "force": 1}"#,
            "`features.f.rules[0].condition.a` mixes the operator `$eq` with fields, so it is compared as a plain object: split it",
        ),
        (
            r#"{"condition": {"a": {"$inGroup": "vip"}}, "force": 1}"#,
            "`features.f.rules[0].condition.a.$inGroup` names the saved group `vip`, which does not exist",
        ),
        (
            r#"{"condition": {"$not": null}, "force": 1}"#,
            "`features.f.rules[0].condition.$not` is null where a condition must be an object: no unit meets it",
        ),
        (
            r#"{"parentConditions": [{"id": "g"}], "force": 1}"#,
            "`features.f.rules[0].parentConditions[0]` names the feature `g`, which does not exist",
        ),
        (
            r#"{"force": 1, "coverage": null}"#,
            "`features.f.rules[0].coverage` is null, which covers hardly anybody: give a number or leave it out",
        ),
        (
            r#"{"force": 1, "coverage": 50}"#,
            "`features.f.rules[0].coverage` is 50: choose from 0 (nobody) to 1 (all)",
        ),
        (
            r#"{"force": 1, "range": [0.9, 0.1]}"#,
            "`features.f.rules[0].range` is no range: write [start, end] with 0 ≤ start ≤ end ≤ 1",
        ),
        (
            r#"{"variations": [1]}"#,
            "`features.f.rules[0]` has 1 variations, the fewest is 2: nobody is in it",
        ),
        (
            r#"{"variations": [1, 2], "hashVersion": 3}"#,
            "`features.f.rules[0].hashVersion` is 3, which includes nobody: choose 1 or 2",
        ),
        (
            r#"{"variations": [1, 2], "weights": [0.5, 0.4]}"#,
            "`features.f.rules[0].weights` sum to 0.9, so all get the same: make them sum to 1",
        ),
        (
            r#"{"variations": [1, 2], "weights": [1]}"#,
            "`features.f.rules[0].weights` has 1 weights for 2 variations, so all get the same: give each one",
        ),
        (
            r#"{"variations": [1, 2], "ranges": [[0, 0.6], [0.5, 1]]}"#,
            "`features.f.rules[0].ranges[1]` overlaps range 0, which gets the units of both: separate them",
        ),
        (
            r#"{"variations": [1, 2], "meta": [{}]}"#,
            "`features.f.rules[0].meta` has 1 entries for 2 variations, which stops the JavaScript SDK: give each one",
        ),
        (
            r#"{"variations": [1, 2], "meta": [{"key": "a"}, {"key": "a"}]}"#,
            "`features.f.rules[0].meta[1]` has the key of an earlier variation: rename one of them",
        ),
        (
            r#"{"variations": [1, 2], "namespace": ["n", 1]}"#,
            "`features.f.rules[0].namespace` must be [id, start, end] with 0 ≤ start ≤ end ≤ 1",
        ),
        (
            r#"{"variations": [1, 2], "filters": [{"ranges": [[0, 1]]}]}"#,
            "`features.f.rules[0].filters[0]` has no `seed`, so that filters without one are the same: give it one",
        ),
        (
            r#"{"contextualVariations": [1, 2], "contextualBanditRef": "b"}"#,
            "`features.f.rules[0]` names the contextual bandit `b`, which does not exist",
        ),
        (
            r#"{"id": "r"}"#,
            "`features.f.rules[0]` has neither `force` nor `variations` nor prerequisites, so it does nothing",
        ),
        ("7", "`features.f.rules[0]` is a number where a rule must be an object: it is passed over"),
    ];
    for (rule, problem) in cases {
        let text = format!(r#"{{"features": {{"f": {{"rules": [{rule}]}}}}}}"#);
        assert_eq!(problems(&text), [problem], "{rule}");
    }
    let page = r#"{"experiments": [{"key": "e", "variations": [{}, {}], "urlPatterns": [{"type": "regex", "pattern": "("}], "status": "paused"}]}"#;
    assert_eq!(
        problems(page),
        [
            "`experiments[0]` has the status \"paused\": choose draft, running or stopped",
            "`experiments[0].urlPatterns[0]` matches no page: write a `pattern` of type `simple` or `regex`",
        ]
    );
    let groups = r#"{"savedGroups": {"a": {"type": "list"}, "b": {"type": "sql"}}}"#;
    assert_eq!(problems(groups).len(), 3);
}

#[test]
fn what_the_sdks_agree_on_is_only_a_warning() {
    let severities = |rule: &str| {
        let payload = with_rules(rule);
        payload.problems().iter().map(|problem| (problem.to_string(), problem.severity)).collect::<Vec<_>>()
    };
    let weights =
        |weights: &str| severities(&format!(r#"{{"variations": [1, 2, 3], "weights": {weights}}}"#));
    for (of, effect) in [
        ("[0.3333, 0.3333, 0.3333]", "sum to 0.9999, so the rest gets nobody"),
        ("[0.34, 0.33, 0.34]", "sum to 1.01, so the last gets less"),
    ] {
        let path = "`features.f.rules[0].weights`";
        let told = format!("{path} {effect}: make them sum to 1");
        assert_eq!(weights(of), [(told, Severity::Warning)], "{of}");
    }
    assert_eq!(weights("[0.1, 0.2, 0.7]"), [], "doubles sum to nearly 1");
    assert_eq!(weights("[0.5, 0.3, 0.1]")[0].1, Severity::Error);
    for (rule, severity) in [
        (r#"{"condition": {"a": {"$inGroup": "vip"}}, "force": 1}"#, Severity::Warning),
        (r#"{"parentConditions": [{"id": "g"}], "force": 1}"#, Severity::Warning),
        (r#"{"condition": {"a": {"$near": 1}}, "force": 1}"#, Severity::Error),
        (r#"{"condition": {"a": {"$regex": "("}}, "force": 1}"#, Severity::Error),
        (r#"{"variations": [1, 2], "ranges": [[0, 0.6], [0.5, 1]]}"#, Severity::Error),
        (r#"{"parentConditions": [{"id": "f"}], "force": 1}"#, Severity::Error),
    ] {
        assert_eq!(severities(rule)[0].1, severity, "{rule}");
    }
}

#[test]
fn circles_and_long_chains_of_prerequisites_are_found() {
    let waits =
        |on: &str| format!(r#"{{"rules": [{{"parentConditions": [{{"id": "{on}"}}], "force": 1}}]}}"#);
    let circle =
        format!(r#"{{"features": {{"a": {}, "b": {}, "c": {}}}}}"#, waits("b"), waits("c"), waits("a"));
    assert_eq!(
        problems(&circle),
        ["`features.c` waits for `a`, which waits for it, so neither has a value: take out a prerequisite"]
    );
    let chain: Vec<String> =
        (0..FEATURES_MAX).map(|i| format!(r#""f{i}": {}"#, waits(&format!("f{}", i + 1)))).collect();
    let chain = format!(r#"{{"features": {{{}}}}}"#, chain.join(","));
    let found = problems(&chain);
    assert!(
        found
            .iter()
            .any(|problem| problem.contains("has prerequisites 51 levels deep, the most allowed is 50")),
        "{found:?}"
    );
}

#[test]
fn payloads_beyond_a_limit_are_refused() {
    let error = |text: &str| Payload::parse(text).unwrap_err().to_string();
    assert_eq!(error("[]"), "payload is a list: it must be an object with `features`");
    assert_eq!(error("{"), "payload cannot be read: EOF while parsing an object at line 1 column 1");
    let deep = format!(r#"{{"features": {}{}}}"#, "[".repeat(200), "]".repeat(200));
    let told = "payload is nested deeper than 128 levels at line 1 column 140: flatten it";
    assert_eq!(error(&deep), told);
    let large = format!(r#"{{"features": {{"f": {{"defaultValue": "{}"}}}}}}"#, "x".repeat(10 * 1024 * 1024));
    assert_eq!(
        error(&large),
        "payload has 10485801 bytes, the most allowed is 10000000: split it by project"
    );
    let many: Vec<String> = (0..=FEATURES_MAX).map(|i| format!(r#""{i}":{{}}"#)).collect();
    let many = format!(r#"{{"features": {{{}}}}}"#, many.join(","));
    assert_eq!(
        error(&many),
        "payload has 10001 features, the most allowed is 10000: archive those that are not used"
    );
    let wrong = vec![r#"{"force": 1, "coverage": 2}"#; 200].join(",");
    assert_eq!(problems(&format!(r#"{{"features": {{"f": {{"rules": [{wrong}]}}}}}}"#)).len(), PROBLEMS_MAX);
}
