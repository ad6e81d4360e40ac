//! The official GrowthBook SDK and ours, asked the same.

use std::collections::BTreeMap;

use experiments::growthbook::{Evaluator, Payload, User, sticky::Documents};
use experiments::json::Json;
use harness::program::node_script;
use serde_json::Value;

/// Payloads that are drawn, each asked for by six users.
const PAYLOADS: usize = 1_500;
const SEED: u32 = 2026;

#[tokio::test]
async fn drawn_payloads_have_the_answers_of_the_javascript_sdk() {
    let arguments = ["cases".to_owned(), SEED.to_string(), PAYLOADS.to_string()];
    let output = node_script("growthbook.js", &arguments).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut sources: BTreeMap<String, usize> = BTreeMap::new();
    for line in text.lines() {
        let case = Json::parse(line).unwrap();
        let payload = Payload::compile(case.get("payload").unwrap().clone()).unwrap();
        for user in case.get("users").and_then(Json::as_array).unwrap() {
            check(&payload, user, &mut sources);
        }
    }
    let seen: Vec<&str> = sources.keys().map(String::as_str).collect();
    let all = [
        "cyclicPrerequisite",
        "defaultValue",
        "experiment",
        "force",
        "override",
        "prerequisite",
        "unknownFeature",
    ];
    assert_eq!(seen, all, "every kind of answer was drawn (seed {SEED}): {sources:?}");
}

/// Compares every answer, the exposures on the way, and the sticky buckets that changed.
fn check(payload: &Payload, user: &Json, sources: &mut BTreeMap<String, usize>) {
    let part = |name: &str| user.get(name).unwrap();
    let forced_variations = serde_json::from_str(&part("forcedVariations").to_string()).unwrap();
    let forced = part("forcedFeatures").as_array().unwrap().iter().map(|pair| pair.as_array().unwrap());
    let forced_features = forced.map(|pair| (pair[0].to_text().into_owned(), pair[1].clone())).collect();
    let documents: Option<Documents> = serde_json::from_str(&part("documents").to_string()).unwrap();
    let asked = User {
        url: part("url").as_str().unwrap(),
        forced_variations: Some(&forced_variations),
        forced_features: Some(&forced_features),
        is_enabled: part("isEnabled").is_truthy(),
        is_tested: part("isTested").is_truthy(),
        ..User::new(part("attributes"))
    };
    let mut evaluator = Evaluator::new(payload, asked).noting_exposures();
    if let Some(documents) = &documents {
        evaluator = evaluator.with_sticky_buckets(documents);
    }
    for (key, expected) in part("answers").as_object().unwrap().iter() {
        let answer = evaluator.evaluate(key);
        *sources.entry(answer.source.as_str().to_owned()).or_default() += 1;
        let ours = serde_json::to_value(answer).unwrap();
        assert_eq!(plain(ours), plain(expected.to_value()), "{key} of {} for {user}", payload_text(payload));
    }
    let exposures = serde_json::to_value(evaluator.take_exposures()).unwrap();
    let saved = serde_json::to_value(evaluator.into_changed_documents()).unwrap();
    assert_eq!(plain(exposures), plain(part("exposures").to_value()), "{} for {user}", payload_text(payload));
    assert_eq!(saved, part("saved").to_value(), "{} for {user}", payload_text(payload));
}

fn payload_text(payload: &Payload) -> String {
    Json::from(payload.source().clone()).to_string()
}

/// Makes doubles of all numbers, as JavaScript has them: it does not know 1 from 1.0.
pub fn plain(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, plain(value))).collect(),
        other => other,
    }
}
