//! Reads the Prometheus text format.

use std::collections::BTreeMap;

type Labels = BTreeMap<String, String>;

/// Is one reading of `/metrics`.
#[derive(Clone, Debug)]
pub struct Metrics {
    text: String,
    series: BTreeMap<String, Vec<(Labels, f64)>>,
}

impl Metrics {
    /// Parses the text format; label values are taken as they are written.
    pub fn parse(text: &str) -> Self {
        let mut series: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            let (name_and_labels, value) = line.rsplit_once(' ').expect("a sample has a value");
            let (name, labels) = match name_and_labels.split_once('{') {
                Some((name, labels)) => (name, parse_labels(labels.trim_end_matches('}'))),
                None => (name_and_labels, BTreeMap::new()),
            };
            let value = value.parse().expect("a sample's value is a number");
            series.entry(name.to_owned()).or_default().push((labels, value));
        }
        Self { text: text.to_owned(), series }
    }

    /// Returns the text as the server wrote it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the value of the one series with at least these labels, or none where it does not exist.
    ///
    /// # Panics
    /// Where more than one has them.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let found: Vec<f64> = self.matching(name, labels).collect();
        assert!(found.len() <= 1, "{name} {labels:?} names {} series", found.len());
        found.first().copied()
    }

    /// Returns the sum over all series with at least these labels.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.matching(name, labels).sum()
    }

    fn matching<'a>(&'a self, name: &str, labels: &'a [(&str, &str)]) -> impl Iterator<Item = f64> + 'a {
        let has = move |all: &Labels| {
            labels.iter().all(|(key, value)| all.get(*key).is_some_and(|found| found == value))
        };
        let all = self.series.get(name).map(Vec::as_slice).unwrap_or_default();
        all.iter().filter(move |(labels, _)| has(labels)).map(|(_, value)| *value)
    }
}

fn parse_labels(text: &str) -> Labels {
    let pairs = text.split("\",").filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once("=\"").expect("a label has a quoted value");
            (key.to_owned(), value.trim_end_matches('"').to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_found_by_some_of_their_labels() {
        let text = "# TYPE hits counter\nhits{door=\"api\",status=\"2xx\"} 3\nhits{door=\"api\",status=\"4xx\"} 1\nup 1\n";
        let metrics = Metrics::parse(text);
        assert_eq!(metrics.value("hits", &[("status", "4xx")]), Some(1.0));
        assert_eq!(metrics.sum("hits", &[("door", "api")]), 4.0);
        assert_eq!(metrics.value("up", &[]), Some(1.0));
        assert_eq!(metrics.value("down", &[]), None);
    }
}
