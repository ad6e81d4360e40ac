//! Payloads that would run without end, or off the stack.

use super::*;

#[test]
fn features_that_ask_twice_for_each_other_come_to_an_end() {
    let features: Vec<String> = (0..40)
        .map(|i| {
            let parent = format!(r#"{{"id": "f{}", "condition": {{}}}}"#, i + 1);
            format!(r#""f{i}": {{"defaultValue": 1, "rules": [{{"parentConditions": [{parent}, {parent}], "force": 1}}]}}"#)
        })
        .collect();
    let payload = payload(&format!(r#"{{"features": {{{}}}}}"#, features.join(",")));
    let attributes = json("{}");
    let mut evaluator = Evaluator::new(&payload, User::new(&attributes));
    assert_eq!(evaluator.evaluate("f0").source, Source::CyclicPrerequisite);
    assert_eq!(evaluator.evaluate("f35").source, Source::Force);
}

#[test]
fn groups_that_open_each_other_twice_come_to_an_end() {
    let groups: Vec<String> = (0..40)
        .map(|i| {
            let next = format!(r#"{{"$savedGroup": {{"id": "g{}"}}}}"#, i + 1);
            format!(r#""g{i}": {{"type": "condition", "condition": {{"$nor": [{next}, {next}]}}}}"#)
        })
        .collect();
    let groups = Groups::compile(&json(&format!("{{{}}}", groups.join(","))));
    let condition = Condition::compile(&json(r#"{"$savedGroup": {"id": "g0"}}"#));
    condition.is_met(&json("{}"), &groups);
}

#[test]
fn the_deepest_conditions_and_chains_fit_the_stack() {
    // Ten groups, each a condition as deep as JSON may be read, around the next.
    let levels = 50;
    let deep = |inner: String| (0..levels).fold(inner, |inner, _| format!(r#"{{"$and": [{inner}]}}"#));
    let groups: Vec<String> = (0..GROUP_DEPTH_MAX)
        .map(|i| {
            let next = format!(r#"{{"$savedGroup": {{"id": "g{}"}}}}"#, i + 1);
            format!(r#""g{i}": {{"type": "condition", "condition": {}}}"#, deep(next))
        })
        .collect();
    let groups = Groups::compile(&json(&format!("{{{}}}", groups.join(","))));
    assert!(
        !Condition::compile(&json(&deep(r#"{"$savedGroup": {"id": "g0"}}"#.into())))
            .is_met(&json("{}"), &groups)
    );
    let nested = (0..60).fold("1".to_owned(), |inner, _| format!(r#"{{"$not": {inner}}}"#));
    assert!(
        !Condition::compile(&json(&format!(r#"{{"a": {nested}}}"#))).is_met(&json("{}"), &Groups::default())
    );
    // A chain of prerequisites, as long as any.
    let features: Vec<String> = (0..FEATURES_MAX)
        .map(|i| {
            format!(r#""f{i}": {{"rules": [{{"parentConditions": [{{"id": "f{}"}}], "force": 1}}]}}"#, i + 1)
        })
        .collect();
    let payload = payload(&format!(r#"{{"features": {{{}}}}}"#, features.join(",")));
    let attributes = json("{}");
    let mut evaluator = Evaluator::new(&payload, User::new(&attributes));
    assert_eq!(evaluator.evaluate("f0").source, Source::CyclicPrerequisite);
    assert_eq!(evaluator.evaluate(&format!("f{}", FEATURES_MAX - 20)).source, Source::Force);
}
