//! The test cases that every GrowthBook SDK must pass, for the parts that decide an assignment.

#![expect(clippy::unwrap_used, reason = "a case of another shape is a failed test")]

use experiments::hash::{
    BucketRange, HashVersion, bucket_of_value, bucket_ranges, choose_variation, equal_weights, in_namespace,
    query_string_override,
};
use serde_json::Value;

/// Runs `check` over every case of a section and sees that none was dropped.
fn each_case(section: &str, count: usize, check: impl Fn(&[Value])) {
    let cases: Value = serde_json::from_str(include_str!("growthbook.json")).unwrap();
    let cases = cases[section].as_array().unwrap();
    assert_eq!(cases.len(), count, "cases of {section}");
    for case in cases {
        check(case.as_array().unwrap());
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn ranges(value: &Value) -> Vec<BucketRange> {
    let range = |pair: &Value| BucketRange { start: numbers(pair)[0], end: numbers(pair)[1] };
    value.as_array().unwrap().iter().map(range).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn count(value: &Value) -> usize {
    value.as_i64().unwrap().max(0) as usize
}

#[test]
fn hash() {
    each_case("hash", 8, |case| {
        let version = HashVersion::from_number(case[2].as_u64().unwrap());
        let found = version.and_then(|version| bucket_of_value(text(&case[0]), &case[1], version));
        assert_eq!(found, case[3].as_f64(), "{case:?}");
    });
}

#[test]
fn bucket_ranges_of_weights() {
    each_case("getBucketRange", 7, |case| {
        let input = case[1].as_array().unwrap();
        let weights = (!input[2].is_null()).then(|| numbers(&input[2]));
        let found = bucket_ranges(count(&input[0]), input[1].as_f64().unwrap(), weights.as_deref());
        let expected = ranges(&case[2]);
        assert_eq!(found.len(), expected.len(), "{case:?}");
        // The cases are rounded to a few digits; the SDKs compare them rounded, too.
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found.start - expected.start).abs() < 1e-8, "{case:?}: {found:?}");
            assert!((found.end - expected.end).abs() < 1e-8, "{case:?}: {found:?}");
        }
    });
}

#[test]
fn chosen_variation() {
    each_case("chooseVariation", 7, |case| {
        let found = choose_variation(case[1].as_f64().unwrap(), &ranges(&case[2]));
        let expected = usize::try_from(case[3].as_i64().unwrap()).ok();
        assert_eq!(found, expected, "{case:?}");
    });
}

#[test]
fn equal_weights_of_variations() {
    each_case("getEqualWeights", 3, |case| {
        let (found, expected) = (equal_weights(count(&case[0])), numbers(&case[1]));
        assert_eq!(found.len(), expected.len(), "{case:?}");
        assert!(found.iter().zip(&expected).all(|(f, e)| (f - e).abs() < 1e-8), "{case:?}: {found:?}");
    });
}

#[test]
fn namespaces() {
    each_case("inNamespace", 8, |case| {
        let namespace = case[2].as_array().unwrap();
        let range =
            BucketRange { start: namespace[1].as_f64().unwrap(), end: namespace[2].as_f64().unwrap() };
        let found = in_namespace(text(&case[1]), text(&namespace[0]), range);
        assert_eq!(found, case[3].as_bool().unwrap(), "{case:?}");
    });
}

#[test]
fn query_string_overrides() {
    each_case("getQueryStringOverride", 8, |case| {
        let found = query_string_override(text(&case[1]), text(&case[2]), count(&case[3]));
        assert_eq!(found.map(|index| index as u64), case[4].as_u64(), "{case:?}");
    });
}
