//! Who changed what, when and why, the newest first.

use std::collections::BTreeSet;

use experiments::definition::{LateMetric, WHOLE_BP};
use experiments::ramp::RampStep;
use experiments::{Experiment, Status};
use serde::Serialize;
use serde_json::{Map, Value};

use super::ramp::step_words;
use crate::figure::{count, short_percent};
use crate::judgement::StatusView;
use crate::moment::Moment;

/// Holds one saved revision of an experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    /// Its number, from 1.
    pub number: u64,
    /// When it was saved, Unix milliseconds UTC.
    pub at_ms: i64,
    /// Who saved it.
    pub by: String,
    /// Why; empty where nobody was asked.
    pub reason: String,
    /// The definition; `None` where this version cannot read it.
    pub definition: Option<Experiment>,
}

/// Tells what a revision did.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Entry<'a> {
    /// The revision's number, from 1.
    pub number: u64,
    at: Moment,
    /// Who saved it.
    pub by: &'a str,
    /// Why; may be empty.
    pub reason: &'a str,
    /// What it did, in a word or two.
    pub headline: String,
    /// The fields that differ from the revision before.
    pub changes: Vec<Change>,
}

impl Entry<'_> {
    /// Returns when it was saved, as RFC 3339 has it.
    pub fn at_iso(&self) -> &str {
        &self.at.iso
    }
}

/// Tells how a field changed, in words.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The field.
    pub what: String,
    /// What it was, if anything.
    pub from: Option<String>,
    /// What it became, if anything.
    pub to: Option<String>,
}

/// The fields of a definition in the order in which changes are told. Those of later versions come after them, under
/// the names that they have in JSON.
const FIELDS: [(&str, &str); 14] = [
    ("name", "Name"),
    ("hypothesis", "Hypothesis"),
    ("owner", "Owner"),
    ("flag", "Flag"),
    ("is_aa", "A/A"),
    ("coverage_bp", "Coverage"),
    ("ramp", "Ramp"),
    ("variations", "Variations"),
    ("primary_metric", "Decided by"),
    ("strata", "Adjusted by"),
    ("planned_units", "Planned units"),
    ("planned_days", "Planned days"),
    ("seed", "Seed"),
    ("learned", "What was learned"),
];
/// Fields that say nothing to people, or that the headline tells.
const SILENT: [&str; 7] = ["bandit", "late_metrics", "schema_version", "key", "status", "shipped", "held"];

/// Tells a history, given with the oldest revision first, with the newest entry first.
pub fn entries(history: &[Revision]) -> Vec<Entry<'_>> {
    let earlier = std::iter::once(None).chain(history.iter().map(Some));
    let mut entries = Vec::new();
    for (earlier, revision) in earlier.zip(history) {
        let before = earlier.and_then(|earlier| earlier.definition.as_ref());
        let after = revision.definition.as_ref();
        entries.push(Entry {
            number: revision.number,
            at: Moment::of(revision.at_ms),
            by: &revision.by,
            reason: &revision.reason,
            headline: headline(earlier.is_some(), before, after),
            changes: before.zip(after).map(|(from, to)| changes(from, to)).unwrap_or_default(),
        });
    }
    entries.reverse();
    entries
}

/// Says in a word or two what a revision did.
fn headline(is_later: bool, before: Option<&Experiment>, after: Option<&Experiment>) -> String {
    let Some(after) = after else { return "Saved by another version of the server".into() };
    let Some(before) = before else {
        let words = if is_later { "Saved" } else { "Created" };
        return format!("{words}, {}", StatusView::of(after.status()).label.to_lowercase());
    };
    if let Some(shipped) = after.shipped().filter(|shipped| before.shipped() != Some(*shipped)) {
        let variation = after.variations().iter().find(|one| one.key() == shipped.variation);
        return format!("Shipped {}", variation.map_or(shipped.variation.as_str(), |one| one.name()));
    }
    let is_new = |late: &&LateMetric| !before.late_metrics().contains(late);
    if let Some(late) = after.late_metrics().iter().find(is_new) {
        return format!("Metric added: {}", late.metric.replace('_', " "));
    }
    let epoch = |of: &Experiment| of.draws().map(|draws| draws.epoch());
    if epoch(before) < epoch(after) && epoch(before).is_some() {
        return "Weights drawn again".into();
    }
    match (before.held(), after.held()) {
        (None, Some(_)) => return "Ramp held".into(),
        (Some(_), None) => return "Ramp no longer held".into(),
        _ => {}
    }
    let words = match (before.status(), after.status()) {
        (from, to) if from == to => "Changed",
        (Status::Paused, Status::Running) => "Resumed",
        (_, Status::Draft) => "Back to a draft",
        (_, Status::Running) => "Started",
        (_, Status::Paused) => "Paused",
        (_, Status::Stopped) => "Stopped",
        (_, Status::Archived) => "Archived",
    };
    words.into()
}

/// Tells the fields that differ.
fn changes(from: &Experiment, to: &Experiment) -> Vec<Change> {
    let (Value::Object(from), Value::Object(to)) = (from.to_value(), to.to_value()) else {
        return Vec::new();
    };
    let named = FIELDS.iter().map(|(field, _)| *field);
    let all: BTreeSet<&str> = from.keys().chain(to.keys()).map(String::as_str).collect();
    let others = all.iter().copied().filter(|field| FIELDS.iter().all(|(known, _)| known != field));
    let mut told = Vec::new();
    for field in named.chain(others) {
        let (before, after) = (from.get(field), to.get(field));
        if before == after || SILENT.contains(&field) {
            continue;
        }
        if field == "variations" {
            told.extend(variations(before, after));
        } else {
            told.push(Change { what: title(field), from: said(field, before), to: said(field, after) });
        }
    }
    told
}

fn title(field: &str) -> String {
    let known = FIELDS.iter().find(|(known, _)| *known == field).map(|(_, title)| (*title).to_owned());
    known.unwrap_or_else(|| {
        let words = field.replace('_', " ");
        let mut letters = words.chars();
        letters.next().map(|first| first.to_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    })
}

/// Writes a field's value for people; `None` where there is none.
fn said(field: &str, value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) if field.ends_with("_metric") => Some(text.replace('_', " ")),
        Value::String(text) => Some(text.clone()),
        Value::Bool(is) => Some(if *is { "yes" } else { "no" }.into()),
        Value::Number(number) => Some(match number.as_u64() {
            Some(bp) if field.ends_with("_bp") => short_percent(bp as f64 / f64::from(WHOLE_BP)),
            Some(whole) => count(whole),
            None => number.to_string(),
        }),
        Value::Array(items) if items.is_empty() => None,
        Value::Array(_) if field == "ramp" => {
            let steps: Vec<RampStep> = serde_json::from_value(value?.clone()).ok()?;
            Some(steps.iter().map(step_words).collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) if items.iter().all(Value::is_string) => {
            Some(items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
        }
        other => Some(other.to_string()),
    }
}

/// Tells the variations that differ, each known by its key, field by field.
fn variations(from: Option<&Value>, to: Option<&Value>) -> Vec<Change> {
    let (from, to) = (arms(from), arms(to));
    let keys = |arms: &[&Map<String, Value>]| arms.iter().map(|arm| text(arm, "key")).collect::<Vec<_>>();
    let (keys_before, keys_after) = (keys(&from), keys(&to));
    let mut told = Vec::new();
    if keys_before != keys_after {
        let list = |keys: &[String]| Some(keys.join(", "));
        told.push(Change { what: "Variations".into(), from: list(&keys_before), to: list(&keys_after) });
    }
    for after in &to {
        let key = text(after, "key");
        let Some(before) = from.iter().find(|arm| text(arm, "key") == key) else { continue };
        for (field, name) in [("name", "Name"), ("weight_bp", "Weight"), ("value", "Value")] {
            if before.get(field) != after.get(field) {
                let write = |arm: &Map<String, Value>| match field {
                    "value" => arm.get(field).map(Value::to_string),
                    _ => said(field, arm.get(field)),
                };
                told.push(Change { what: format!("{name} of {key}"), from: write(before), to: write(after) });
            }
        }
    }
    told
}

fn arms(variations: Option<&Value>) -> Vec<&Map<String, Value>> {
    variations.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object).collect()
}

fn text(arm: &Map<String, Value>, field: &str) -> String {
    arm.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use experiments::lifecycle::Move;
    use serde_json::json;

    use super::*;

    fn definition() -> Value {
        json!({
            "schema_version": 1, "key": "e", "name": "E", "flag": "f", "coverage_bp": 1000,
            "variations": [
                {"key": "a", "weight_bp": 5000, "value": {"x": 1}}, {"key": "b", "weight_bp": 5000, "value": 1},
            ],
        })
    }

    fn read(value: &Value) -> Experiment {
        Experiment::parse_value(value).unwrap()
    }

    fn told(from: &Value, to: &Value) -> Vec<String> {
        let nothing = || "nothing".to_owned();
        changes(&read(from), &read(to))
            .into_iter()
            .map(|c| {
                format!("{}: {} → {}", c.what, c.from.unwrap_or_else(nothing), c.to.unwrap_or_else(nothing))
            })
            .collect()
    }

    #[test]
    fn changes_are_told_field_by_field_in_words() {
        let before = definition();
        let mut after = before.clone();
        after["coverage_bp"] = json!(5000);
        after["hypothesis"] = json!("More.");
        after["primary_metric"] = json!("revenue_per_unit");
        after["planned_units"] = json!(12_000);
        after["status"] = json!("running");
        after["variations"][0]["name"] = json!("Old");
        after["variations"][0]["value"] = json!({"x": 2});
        assert_eq!(
            told(&before, &after),
            [
                "Hypothesis: nothing → More.",
                "Coverage: 10\u{a0}% → 50\u{a0}%",
                "Name of a: a → Old",
                "Value of a: {\"x\":1} → {\"x\":2}",
                "Decided by: conversion → revenue per unit",
                "Planned units: 5,000 → 12,000",
            ]
        );
        assert!(told(&before, &before).is_empty());
    }

    #[test]
    fn variations_that_come_and_go_are_named() {
        let before = definition();
        let mut after = before.clone();
        after["variations"][1]["key"] = json!("c");
        assert_eq!(told(&before, &after), ["Variations: a, b → a, c"]);
    }

    #[test]
    fn the_newest_stands_first_and_says_what_it_did() {
        let draft = read(&definition());
        let mut running = definition();
        running["status"] = json!("running");
        let running = read(&running);
        let paused = running.clone().moved(Move::Pause).unwrap();
        let life = [Some(draft), Some(running.clone()), Some(paused), Some(running), None];
        let revision = |(at, definition)| Revision {
            number: at as u64 + 1,
            at_ms: 0,
            by: "ann".into(),
            reason: String::new(),
            definition,
        };
        let history: Vec<Revision> = life.into_iter().enumerate().map(revision).collect();
        let headlines: Vec<String> = entries(&history).into_iter().map(|entry| entry.headline).collect();
        assert_eq!(
            headlines,
            ["Saved by another version of the server", "Resumed", "Paused", "Started", "Created, draft"]
        );
    }
}
