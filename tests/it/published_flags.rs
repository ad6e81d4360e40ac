//! GrowthBook's published evaluation cases, imported as a team would and asked for at the doors of a running shop.

use std::collections::BTreeSet;

use harness::{Store, TestApp, patience::eventually};
use serde_json::{Map, Value, json};

use crate::{
    experiments::start,
    flags::{FEATURES, OFREP, get, post},
    growthbook::plain,
};

on_each_store!(published_cases_have_their_answers_at_the_doors);

/// Files that the cases are spread over: each takes the place of the one before.
const IMPORTS: usize = 3;
/// What a case can be asked with; the rest, such as the SDKs' test mode, no door takes.
const ASKED: [&str; 7] =
    ["attributes", "forcedVariations", "url", "features", "savedGroups", "contextualBandits", "experiments"];

async fn published_cases_have_their_answers_at_the_doors(store: Store) {
    let (app, _admin) = start(store).await;
    let cases = cases();
    let counted = |kind: &str| cases.iter().filter(|case| case.kind == kind).count();
    let counts = ["feature", "contextualBandit", "evalCondition", "run"].map(counted);
    assert_eq!(counts, [28, 17, 124, 34], "cases that are replayed");
    let mut at_ofrep = 0;
    for (index, group) in cases.chunks(cases.len().div_ceil(IMPORTS)).enumerate() {
        import(&app, index, group).await;
        for case in group {
            let answer = post(&app, "/api/eval/sdk-cartwright", &case.question).await;
            assert_eq!(answer.status, 200, "{}: {}", case.name, answer.text);
            case.check(&answer.json());
            at_ofrep += usize::from(case.check_at_ofrep(&app).await);
        }
    }
    assert!(at_ofrep > 20, "{at_ofrep}");
}

/// Imports the cases, and waits until they are served.
async fn import(app: &TestApp, index: usize, group: &[Case]) {
    let mut payload = json!({"features": {"import": {"defaultValue": index}}, "experiments": []});
    for case in group {
        for (part, all) in case.payload.as_object().unwrap() {
            match all {
                Value::Array(items) => payload[part].as_array_mut().unwrap().extend(items.clone()),
                all => {
                    all.as_object().unwrap().iter().for_each(|(key, one)| payload[part][key] = one.clone())
                }
            }
        }
    }
    let file = app.write_file("cases.json", &payload.to_string());
    app.run(&["import", "--features", &file, "--lenient"]).await;
    let is_served = async || get(app, FEATURES).await.json()["features"]["import"]["defaultValue"] == index;
    eventually("the cases are served", is_served).await;
}

/// Is one case, with names that no other case has.
struct Case {
    kind: &'static str,
    name: String,
    payload: Value,
    question: Value,
    /// The flag or the experiment that is asked for.
    key: String,
    expected: Value,
}

impl Case {
    fn check(&self, answer: &Value) {
        let found = match self.kind {
            "run" => {
                let all = answer["experiments"].as_array().unwrap();
                let found = all.iter().find(|experiment| experiment["key"] == self.key.as_str());
                // Variations that the unit is not in are empty objects.
                found.map_or(Value::Null, |one| {
                    let variations = one["variations"].as_array().unwrap();
                    variations.iter().find(|value| **value != json!({})).unwrap().clone()
                })
            }
            _ => answer["features"][&self.key]["defaultValue"].clone(),
        };
        let expected = &self.expected["value"];
        assert_eq!(plain(found), plain(expected.clone()), "{}: {}", self.kind, self.name);
    }

    /// Asks at OFREP, where the case names a unit and says what decided; tells whether it could.
    async fn check_at_ofrep(&self, app: &TestApp) -> bool {
        let attributes = self.question["attributes"].as_object().unwrap();
        let unit = attributes.get("id").and_then(Value::as_str).filter(|unit| !unit.is_empty());
        let is_forced = self.question.get("forcedVariations").is_some() || self.question["url"] != "";
        let (Some(unit), Some(source), false) = (unit, self.expected["source"].as_str(), is_forced) else {
            return false;
        };
        let reason = match source {
            "experiment" => "SPLIT",
            "force" => "TARGETING_MATCH",
            "defaultValue" => "DEFAULT",
            "prerequisite" => "DISABLED",
            _ => return false,
        };
        let mut context = attributes.clone();
        context.insert("targetingKey".into(), unit.into());
        let answer = post(app, &format!("{OFREP}/{}", self.key), &json!({"context": context})).await.json();
        assert_eq!(answer["reason"], reason, "{}: {answer}", self.name);
        let value = answer.get("value").cloned().unwrap_or(Value::Null);
        assert_eq!(plain(value), plain(self.expected["value"].clone()), "{}: {answer}", self.name);
        true
    }
}

fn cases() -> Vec<Case> {
    let all: Value = serde_json::from_str(include_str!("../../experiments/tests/growthbook.json")).unwrap();
    let mut cases: Vec<Case> = vec![];
    for kind in ["feature", "contextualBandit", "evalCondition", "run"] {
        for (index, case) in all[kind].as_array().unwrap().iter().enumerate() {
            let prefix = format!("{kind}-{index}-");
            let name = case[0].as_str().unwrap().to_owned();
            let (context, key, expected) = match kind {
                "run" => run(case, &prefix),
                "evalCondition" => condition(case),
                _ => (case[1].clone(), case[2].as_str().unwrap().to_owned(), case[3].clone()),
            };
            if context.as_object().unwrap().keys().any(|part| !ASKED.contains(&part.as_str())) {
                continue;
            }
            let part = |part: &str, absent: Value| context.get(part).cloned().unwrap_or(absent);
            let mut question =
                json!({"attributes": part("attributes", json!({})), "url": part("url", json!(""))});
            if let Some(forced) = context.get("forcedVariations") {
                question["forcedVariations"] = forced.clone();
            }
            let (payload, key) = renamed(&context, &key, &prefix);
            cases.push(Case { kind, name, payload, question, key, expected });
        }
    }
    cases
}

/// Makes a flag of a condition, that is true where it is met.
fn condition(case: &Value) -> (Value, String, Value) {
    let rule = json!({"condition": case[1], "force": true});
    let mut context =
        json!({"features": {"f": {"defaultValue": false, "rules": [rule]}}, "attributes": case[2]});
    if let Some(groups) = case.get(4) {
        context["savedGroups"] = groups.clone();
    }
    (context, "f".into(), json!({"value": case[3]}))
}

/// Makes an experiment of a page of one that is run by itself, under a key of its own: what was hashed stays.
fn run(case: &Value, prefix: &str) -> (Value, String, Value) {
    let (mut context, mut experiment) = (case[1].clone(), case[2].clone());
    let old = experiment["key"].as_str().unwrap().to_owned();
    let key = format!("{prefix}{old}");
    if experiment.get("seed").is_none() {
        experiment["seed"] = old.clone().into();
    }
    experiment["key"] = key.clone().into();
    if let Some(url) = context.get("url").and_then(Value::as_str) {
        context["url"] = url.replace(&format!("{old}="), &format!("{key}=")).into();
    }
    context["experiments"] = json!([experiment]);
    let value = if case[4] == true { case[3].clone() } else { Value::Null };
    (context, key, json!({"value": value}))
}

/// Gives what is named in a case names of its own, and keeps what the old names were hashed for.
fn renamed(context: &Value, key: &str, prefix: &str) -> (Value, String) {
    let mut payload = json!({});
    for part in ["features", "savedGroups", "contextualBandits"] {
        let named = context.get(part).and_then(Value::as_object);
        let own = |(key, one): (&String, &Value)| (format!("{prefix}{key}"), one.clone());
        let mut own: Map<String, Value> = named.into_iter().flatten().map(own).collect();
        if part == "features" {
            own.iter_mut().for_each(|(key, feature)| keep_hashes(feature, &key[prefix.len()..]));
        }
        payload[part] = own.into();
    }
    payload["experiments"] = context.get("experiments").cloned().unwrap_or(json!([]));
    rename_references(&mut payload, prefix);
    let is_flag = context.get("experiments").is_none();
    (payload, if is_flag { format!("{prefix}{key}") } else { key.to_owned() })
}

/// A rule is hashed by the name of its feature, where it has none of its own.
fn keep_hashes(feature: &mut Value, old: &str) {
    for rule in feature.get_mut("rules").and_then(Value::as_array_mut).into_iter().flatten() {
        let name = if rule.get("force").is_some() { "seed" } else { "key" };
        if let Some(rule) = rule.as_object_mut() {
            rule.entry(name).or_insert_with(|| old.into());
        }
    }
}

/// Renames features, groups and bandits where they are asked for.
fn rename_references(value: &mut Value, prefix: &str) {
    let rename = |id: &mut Value| {
        if let Some(text) = id.as_str() {
            *id = format!("{prefix}{text}").into();
        }
    };
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rename_references(item, prefix)),
        Value::Object(map) => {
            for (key, value) in map {
                match key.as_str() {
                    "$inGroup" | "$notInGroup" | "contextualBanditRef" => rename(value),
                    "$savedGroup" => value.get_mut("id").into_iter().for_each(rename),
                    "parentConditions" => {
                        let parents = value.as_array_mut().into_iter().flatten();
                        parents.filter_map(|parent| parent.get_mut("id")).for_each(rename);
                    }
                    _ => rename_references(value, prefix),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn cases_have_names_of_their_own() {
    let keys: BTreeSet<String> = cases().iter().map(|case| case.key.clone()).collect();
    assert_eq!(keys.len(), cases().len());
}
