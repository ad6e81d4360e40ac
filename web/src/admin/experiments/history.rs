//! The history of an experiment out of the house, as JSON and as CSV; of archived ones, too.

use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use dashboards::{HistoryChange, Revision, history_entries};
use experiments::Experiment;
use serde::Serialize;
use serde_json::Value;

use super::{
    super::{
        login::SignedIn,
        page_fault,
        report::{CsvError, Format, attach, headed, table},
    },
    find,
};
use crate::{problem::Problem, revisions, shop::Shop};

/// The columns of the CSV: a row for each change, and one for an entry without any.
const COLUMNS: [&str; 9] =
    ["experiment", "revision", "at", "by", "reason", "headline", "changed", "from", "to"];

/// `GET /admin/experiments/{key}/history.csv`.
pub(in crate::admin) async fn csv(
    shop: Data<Shop>,
    key: Path<String>,
    _: SignedIn,
) -> Result<HttpResponse, Problem> {
    find(&shop, &key).await?;
    let text = as_csv(&key, &revisions::of(&shop, &key).await?).map_err(|error| page_fault(&error))?;
    let mut answer = headed(Format::Csv);
    attach(&mut answer, &key, "history.csv");
    Ok(answer.body(text))
}

/// `GET /admin/experiments/{key}/history.json`.
pub(in crate::admin) async fn json(
    shop: Data<Shop>,
    key: Path<String>,
    _: SignedIn,
) -> Result<HttpResponse, Problem> {
    find(&shop, &key).await?;
    let text = as_json(&key, &revisions::of(&shop, &key).await?).map_err(|error| page_fault(&error))?;
    Ok(headed(Format::Json).body(text))
}

/// Writes a history as JSON, the oldest entry first, each with the definition that it led to.
///
/// # Errors
/// Where it cannot be written.
pub fn as_json(key: &str, history: &[Revision]) -> serde_json::Result<String> {
    let entries = history_entries(history).into_iter().rev().zip(history);
    let entries = entries.map(|(entry, revision)| Entry {
        revision: entry.number,
        at: entry.at_iso().to_owned(),
        by: entry.by,
        reason: entry.reason,
        headline: entry.headline,
        changes: entry.changes,
        definition: revision.definition.as_ref().map(Experiment::to_value),
    });
    let whole = Whole { experiment: key, entries: entries.collect() };
    serde_json::to_string_pretty(&whole).map(|text| text + "\n")
}

/// Writes a history as CSV, the oldest entry first.
///
/// # Errors
/// Where it cannot be written.
pub fn as_csv(key: &str, history: &[Revision]) -> Result<String, CsvError> {
    let mut rows = vec![];
    for entry in history_entries(history).into_iter().rev() {
        let row = |[changed, from, to]: [&str; 3]| {
            let said =
                [key, &entry.number.to_string(), entry.at_iso(), entry.by, entry.reason, &entry.headline];
            said.into_iter().chain([changed, from, to]).map(str::to_owned).collect::<Vec<_>>()
        };
        if entry.changes.is_empty() {
            rows.push(row([""; 3]));
        }
        for change in &entry.changes {
            let of = |value: &Option<String>| value.clone().unwrap_or_default();
            rows.push(row([&change.what, &of(&change.from), &of(&change.to)]));
        }
    }
    table(&COLUMNS, rows)
}

/// The shape of the JSON.
#[derive(Serialize)]
struct Whole<'a> {
    experiment: &'a str,
    entries: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    revision: u64,
    at: String,
    by: &'a str,
    reason: &'a str,
    headline: String,
    changes: Vec<HistoryChange>,
    /// None where this version of the server cannot read it.
    definition: Option<Value>,
}
