use super::super::sticky::{Documents, attributes_to_load};
use super::*;

fn documents(text: &str) -> Documents {
    serde_json::from_str(text).unwrap()
}

/// Evaluates `f` and returns the value, whether a bucket decided, and the changed documents.
fn evaluate(rule: &str, attributes: &str, documents: &Documents) -> (String, Option<bool>, String) {
    let (payload, attributes) = (with_rules(rule), json(attributes));
    let mut evaluator = Evaluator::new(&payload, User::new(&attributes)).with_sticky_buckets(documents);
    let result = evaluator.evaluate("f");
    let used = result.experiment.map(|(_, result)| result.sticky_bucket_used);
    (result.value.to_string(), used, serde_json::to_string(&evaluator.into_changed_documents()).unwrap())
}

const META: &str = r#""variations": ["a", "b"], "key": "e", "meta": [{"key": "x"}, {"key": "y"}]"#;

fn assigned(version: u32, variation: &str) -> Documents {
    documents(&format!(
        r#"{{"id||u": {{"attributeName": "id", "attributeValue": "u", "assignments": {{"e__{version}": "{variation}"}}}}}}"#
    ))
}

#[test]
fn an_assignment_outlives_targeting_weights_and_coverage() {
    let rule = format!(r#"{{{META}, "coverage": 0, "condition": {{"country": "AT"}}}}"#);
    let (value, used, changed) = evaluate(&rule, r#"{"id": "u"}"#, &assigned(0, "y"));
    assert_eq!((value.as_str(), used, changed.as_str()), (r#""b""#, Some(true), "{}"));
    // Without it, or where the experiment does not want any, the unit is out.
    assert_eq!(evaluate(&rule, r#"{"id": "u"}"#, &Documents::new()).1, None);
    let disabled = rule.replace(r#""coverage""#, r#""disableStickyBucketing": true, "coverage""#);
    assert_eq!(evaluate(&disabled, r#"{"id": "u"}"#, &assigned(0, "y")).1, None);
    // A variation that is gone is none.
    assert_eq!(evaluate(&rule, r#"{"id": "u"}"#, &assigned(0, "z")).1, None);
}

#[test]
fn versions_reset_and_block() {
    let newer = format!(r#"{{{META}, "weights": [1, 0], "bucketVersion": 1}}"#);
    let (value, used, changed) = evaluate(&newer, r#"{"id": "u"}"#, &assigned(0, "y"));
    assert_eq!((value.as_str(), used), (r#""a""#, Some(false)));
    assert!(changed.contains(r#""e__0":"y","e__1":"x""#), "{changed}");
    // A blocked version leaves the unit out, even beside a newer one.
    let blocking = format!(r#"{{{META}, "bucketVersion": 2, "minBucketVersion": 2}}"#);
    let both = documents(
        r#"{"id||u": {"attributeName": "id", "attributeValue": "u", "assignments": {"e__1": "y", "e__2": "y"}}}"#,
    );
    assert_eq!(evaluate(&blocking, r#"{"id": "u"}"#, &both).1, None);
    assert_eq!(evaluate(&blocking, r#"{"id": "u"}"#, &assigned(2, "y")).1, Some(true));
    assert_eq!(
        evaluate(
            &blocking,
            r#"{"id": "u"}"#,
            &documents(
                r#"{"id||u": {"attributeName": "id", "attributeValue": "u", "assignments": {"e__01": "y"}}}"#
            )
        )
        .1,
        Some(false)
    );
    let far = format!(r#"{{{META}, "minBucketVersion": 1e300}}"#);
    assert_eq!(evaluate(&far, r#"{"id": "u"}"#, &assigned(0, "y")).1, None);
}

#[test]
fn the_fallback_counts_until_the_hash_attribute_is_known() {
    let rule =
        format!(r#"{{{META}, "weights": [0, 1], "hashAttribute": "user", "fallbackAttribute": "device"}}"#);
    let (value, used, changed) = evaluate(&rule, r#"{"device": "d"}"#, &Documents::new());
    assert_eq!((value.as_str(), used), (r#""b""#, Some(false)));
    let kept: Documents = serde_json::from_str(&changed).unwrap();
    assert_eq!(kept["device||d"].assignments["e__0"], "y");
    // Whoever logs in keeps the variation, which is saved under the user as well.
    let moved = rule.replace("[0, 1]", "[1, 0]");
    let (value, used, changed) = evaluate(&moved, r#"{"device": "d", "user": 7}"#, &kept);
    assert_eq!((value.as_str(), used), (r#""b""#, Some(true)));
    let kept: Documents = serde_json::from_str(&changed).unwrap();
    assert_eq!(kept["user||7"].attribute_value, "7");
    let attributes = json(r#"{"device": "d", "user": 7}"#);
    let wanted = attributes_to_load(&with_rules(&rule), &User::new(&attributes));
    assert_eq!(serde_json::to_string(&wanted).unwrap(), r#"{"device":"d","user":"7"}"#);
}
