//! The files for Grafana and Prometheus, and which metrics they name.

use std::collections::BTreeSet;

/// Every metric of the server begins with this.
const PREFIX: &str = "cartwright_";
/// What Prometheus appends to the name of a histogram.
const HISTOGRAM_SUFFIXES: [&str; 3] = ["_bucket", "_sum", "_count"];

/// Holds a file for an operator's tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonitoringFile {
    /// Its path in this crate.
    pub path: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// The Grafana dashboards and Prometheus rules.
pub const FILES: [MonitoringFile; 3] = [
    MonitoringFile { path: "grafana/shop.json", text: include_str!("../grafana/shop.json") },
    MonitoringFile { path: "grafana/experiments.json", text: include_str!("../grafana/experiments.json") },
    MonitoringFile { path: "prometheus/rules.yml", text: include_str!("../prometheus/rules.yml") },
];

/// Returns the name of every metric of the server that the files name, histograms without `_bucket`, `_sum`, `_count`.
///
/// A metric is a word that begins with `cartwright_`; names that recording rules make have colons and are no such
/// words.
pub fn metrics_named() -> BTreeSet<String> {
    FILES.iter().flat_map(|file| metrics_in(file.text)).collect()
}

fn metrics_in(text: &str) -> BTreeSet<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let words = text.split(|c| !is_word(c));
    words.filter(|word| word.starts_with(PREFIX) && !word.contains(':')).map(base_name).collect()
}

fn base_name(word: &str) -> String {
    let suffix = HISTOGRAM_SUFFIXES.into_iter().find_map(|suffix| word.strip_suffix(suffix));
    suffix.unwrap_or(word).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_with_the_prefix() {
        let text = "sum by (le) (rate(cartwright_commit_duration_seconds_bucket[5m])) / cartwright:orders:rate5m\n\
                    \"expr\": \"cartwright_store_up == 0\", job=\"cartwright\", my_cartwright_thing";
        let names: Vec<String> = metrics_in(text).into_iter().collect();
        assert_eq!(names, ["cartwright_commit_duration_seconds", "cartwright_store_up"]);
    }

    #[test]
    fn the_files_are_what_their_names_say() {
        for file in FILES {
            if file.path.ends_with(".json") {
                let dashboard: serde_json::Value = serde_json::from_str(file.text).unwrap();
                assert!(!dashboard["panels"].as_array().unwrap().is_empty(), "{}", file.path);
                assert!(dashboard["uid"].is_string() && dashboard["title"].is_string(), "{}", file.path);
            }
            assert!(!metrics_in(file.text).is_empty(), "{}", file.path);
        }
    }

    /// What a dashboard asks of each panel: an id of its own, a query, a unit and a sentence for who wonders.
    #[test]
    fn every_panel_asks_something_and_says_what() {
        for file in FILES.iter().filter(|file| file.path.ends_with(".json")) {
            let dashboard: serde_json::Value = serde_json::from_str(file.text).unwrap();
            let mut ids = BTreeSet::new();
            for panel in dashboard["panels"].as_array().unwrap() {
                let title = panel["title"].as_str().unwrap();
                assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}");
                if panel["type"] == "row" {
                    continue;
                }
                assert!(!panel["description"].as_str().unwrap().is_empty(), "{title}");
                assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title}");
                let targets = panel["targets"].as_array().unwrap();
                assert!(targets.iter().all(|target| target["expr"].as_str().unwrap().contains("cartwright")));
                assert!(!targets.is_empty(), "{title}");
            }
        }
    }
}
