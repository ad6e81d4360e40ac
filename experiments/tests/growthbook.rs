//! The test cases that every GrowthBook SDK must pass.

#![expect(clippy::unwrap_used, reason = "a case of another shape is a failed test")]

use experiments::growthbook::{
    Condition, Evaluator, Experiment, Groups, Payload, User, encryption, redirect, sticky::Documents,
};
use experiments::hash::{
    BucketRange, HashVersion, bucket, bucket_ranges, choose_variation, equal_weights, in_namespace,
    query_string_override,
};
use experiments::json::Json;
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
        let found = version.map(|version| bucket(text(&case[0]), &json(&case[1]).to_text(), version));
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

fn json(value: &Value) -> Json {
    Json::try_from(value).unwrap()
}

#[test]
fn conditions() {
    each_case("evalCondition", 124, |case| {
        let groups = case.get(4).map(|groups| Groups::compile(&json(groups))).unwrap_or_default();
        let found = Condition::compile(&json(&case[1])).is_met(&json(&case[2]), &groups);
        assert_eq!(found, case[3].as_bool().unwrap(), "{case:?}");
    });
}

/// Holds what a case's context says, to be borrowed by a user.
struct Context {
    payload: Payload,
    attributes: Json,
    url: String,
    forced_variations: std::collections::BTreeMap<String, i64>,
    is_enabled: bool,
    is_tested: bool,
}

impl Context {
    fn read(context: &Value) -> Context {
        let forced = context["forcedVariations"].as_object();
        let index = |(key, index): (&String, &Value)| (key.clone(), index.as_i64().unwrap());
        Context {
            payload: Payload::compile(json(context)).unwrap(),
            attributes: json(&context["attributes"]),
            url: context["url"].as_str().unwrap_or_default().to_owned(),
            forced_variations: forced.into_iter().flatten().map(index).collect(),
            is_enabled: context["enabled"] != false,
            is_tested: context["qaMode"] == true,
        }
    }

    fn evaluator(&self) -> Evaluator<'_> {
        let user = User {
            url: &self.url,
            forced_variations: Some(&self.forced_variations),
            is_enabled: self.is_enabled,
            is_tested: self.is_tested,
            ..User::new(&self.attributes)
        };
        Evaluator::new(&self.payload, user)
    }
}

fn features(section: &str, count: usize) {
    each_case(section, count, |case| {
        let context = Context::read(&case[1]);
        let found = serde_json::to_value(context.evaluator().evaluate(text(&case[2]))).unwrap();
        assert_eq!(found["value"], case[3]["value"], "{case:?}");
        for field in ["on", "off", "source", "ruleId", "experiment", "experimentResult"] {
            assert_eq!(found.get(field), case[3].get(field), "{field} of {case:?}");
        }
    });
}

#[test]
fn values_of_features() {
    features("feature", 28);
}

#[test]
fn contextual_bandits() {
    features("contextualBandit", 18);
}

#[test]
fn inline_experiments() {
    each_case("run", 37, |case| {
        let context = Context::read(&case[1]);
        let experiment = Experiment::compile(&json(&case[2]));
        let found = context.evaluator().run(&experiment);
        assert_eq!(found.value.to_value(), case[3], "{case:?}");
        assert_eq!(found.in_experiment, case[4].as_bool().unwrap(), "{case:?}");
        assert_eq!(found.hash_used, case[5].as_bool().unwrap(), "{case:?}");
    });
}

#[test]
fn sticky_buckets() {
    each_case("stickyBucket", 7, |case| {
        let context = Context::read(&case[1]);
        let given = case[2].as_array().unwrap().iter().map(|document| {
            let document: experiments::growthbook::sticky::Document =
                serde_json::from_value(document.clone()).unwrap();
            let key = experiments::growthbook::sticky::document_key(
                &document.attribute_name,
                &document.attribute_value,
            );
            (key, document)
        });
        let mut documents: Documents = given.collect();
        let mut evaluator = context.evaluator().with_sticky_buckets(&documents);
        let found = evaluator.evaluate(text(&case[3]));
        let result = serde_json::to_value(found.experiment.map(|(_, result)| result)).unwrap();
        let changed = evaluator.into_changed_documents();
        documents.extend(changed);
        assert_eq!(result, case[4], "{case:?}");
        assert_eq!(serde_json::to_value(&documents).unwrap(), case[5], "{case:?}");
    });
}

#[test]
fn redirects() {
    each_case("urlRedirect", 2, |case| {
        let context = Context::read(&case[1]);
        let found = context.evaluator().run_page(&[]);
        let expected = case[2].as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "{case:?}");
        for (found, expected) in found.iter().zip(expected) {
            let target = found.result.value.get("urlRedirect").unwrap();
            assert_eq!(found.result.in_experiment, expected["inExperiment"]);
            assert_eq!(target.to_text(), text(&expected["urlRedirect"]));
            let keeps = found.experiment.field("persistQueryString").is_truthy();
            let merged = if keeps {
                redirect::merge_queries(&context.url, &target.to_text())
            } else {
                target.to_text().into()
            };
            assert_eq!(merged, text(&expected["urlWithParams"]));
            assert_eq!(found.redirect.as_ref(), Some(&merged));
        }
    });
}

#[test]
fn decryption() {
    each_case("decrypt", 5, |case| {
        let found = encryption::decrypt(text(&case[1]), text(&case[2])).ok();
        assert_eq!(found.as_deref(), case[3].as_str(), "{case:?}");
    });
}
