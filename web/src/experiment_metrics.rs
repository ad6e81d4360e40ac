//! What experiments are judged by: the metrics that every shop has, and those that its people have defined.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use arc_swap::ArcSwap;
use cart_core::Currency;
use experiments::{Experiment, Metric, metric::MetricError};
use serde_json::{Value, json};

use crate::{
    catalogue::CatalogueCell,
    clock,
    shelves::ShelfName,
    store::{self, DocumentRevision, Store, StoreError},
};

/// Names the document that holds the shop's own metrics, a JSON array.
const DOCUMENT: &str = "metrics";
/// How the keys of the usual metrics of shelves begin.
const OF_SHELVES: &str = "shelf_";
/// Most metrics of a shop's own.
pub const OWN_METRICS_MAX: usize = 100;

/// Says why metrics were not taken.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// They are no JSON array.
    #[error("metrics are a JSON array: {0}")]
    Unreadable(String),
    /// One of them is none.
    #[error("metric {place}: {error}")]
    Metric {
        /// Its place in the array, from 1.
        place: usize,
        /// What is wrong with it.
        error: MetricError,
    },
    /// Two have one key, or one has that of a metric every shop has.
    #[error("there are two metrics {0:?}: choose another key for yours")]
    Doubled(String),
    /// One that is not there any more is what an experiment is judged by.
    #[error(
        "experiment {experiment:?} is judged by {metric:?}: keep that metric until the experiment is over"
    )]
    InUse {
        /// The experiment's key.
        experiment: String,
        /// The metric's key.
        metric: String,
    },
    /// Somebody else has saved others since they were read.
    #[error(
        "somebody else saved metrics since this page was opened: look at what there is now, then save yours again"
    )]
    Overtaken,
    /// There are too many.
    #[error("there are {0} metrics, the most is {OWN_METRICS_MAX}")]
    TooMany(usize),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Holds all metrics by key, swapped whole when the shop's own change.
pub struct ExperimentMetrics {
    catalogue: Arc<CatalogueCell>,
    own: ArcSwap<Vec<Metric>>,
    revision: AtomicU64,
}

impl ExperimentMetrics {
    /// Begins with the metrics that every shop has; money is counted in the currency of its catalogue.
    pub fn new(catalogue: Arc<CatalogueCell>) -> Self {
        Self { catalogue, own: ArcSwap::default(), revision: AtomicU64::new(0) }
    }

    /// Returns the metrics that every shop has.
    pub fn usual(&self) -> Vec<Metric> {
        let of = |value: Value| Metric::parse(&value.to_string()).expect("a usual metric is one");
        usual(&self.catalogue.get().currency()).into_iter().map(of).collect()
    }

    /// Returns those of an experiment on a flag that names none: where it is no shelf's flag, shelves are not what it is about.
    pub fn unnamed(&self, flag: &str) -> Vec<Metric> {
        self.usual().into_iter().filter(|metric| is_unnamed(metric.key(), flag)).collect()
    }

    /// Returns the shop's own.
    pub fn own(&self) -> Vec<Metric> {
        self.own.load().to_vec()
    }

    /// Returns a metric.
    pub fn get(&self, key: &str) -> Option<Metric> {
        let own = self.own.load();
        self.usual().into_iter().chain(own.iter().cloned()).find(|metric| metric.key() == key)
    }

    /// Returns an experiment's metrics in the order in which its arms are summed: the one that decides, the guardrails, and
    /// those it names or else [`Self::unnamed`]; of one that has begun, as they were then. A key that is no metric's is left out and reported; late metrics are summed apart.
    pub fn of(&self, experiment: &Experiment) -> Vec<Metric> {
        if let Some(begun) = experiment.begun().filter(|begun| !begun.metrics.is_empty()) {
            let is_late =
                |metric: &&Metric| experiment.late_metrics().iter().any(|late| late.metric == metric.key());
            return begun.metrics.iter().filter(|metric| !is_late(metric)).cloned().collect();
        }
        let guardrails = experiment.guardrails().iter().map(|rule| rule.metric.as_str());
        let usual = self.usual();
        let named: Vec<&str> = match experiment.metrics() {
            [] => usual.iter().map(Metric::key).filter(|key| is_unnamed(key, experiment.flag())).collect(),
            named => named.iter().map(String::as_str).collect(),
        };
        let own = self.own.load();
        let mut metrics: Vec<Metric> = vec![];
        for key in std::iter::once(experiment.primary_metric()).chain(guardrails).chain(named) {
            if metrics.iter().any(|metric| metric.key() == key) {
                continue;
            }
            match usual.iter().chain(own.iter()).find(|metric| metric.key() == key).cloned() {
                Some(metric) => metrics.push(metric),
                None => {
                    tracing::error!(experiment = experiment.key(), metric = key, "there is no such metric")
                }
            }
        }
        metrics
    }

    /// Returns the first key of an experiment that is no metric's.
    pub fn missing<'a>(&self, experiment: &'a Experiment) -> Option<&'a str> {
        experiment.metric_keys().find(|key| self.get(key).is_none())
    }

    /// Swaps in the shop's own metrics where they have changed. What cannot be read is reported, and those before stay.
    ///
    /// # Errors
    /// What the store says; the earlier ones stay.
    pub async fn refresh(&self, store: &dyn Store) -> store::Result<()> {
        let Some(stored) = store.documents(self.revision.load(Ordering::Relaxed)).await? else {
            return Ok(());
        };
        let text = stored.documents.get(DOCUMENT).map_or("[]", String::as_str);
        match self.parse(text) {
            Ok(own) => self.own.store(own.into()),
            Err(error) => tracing::error!(%error, "the shop's metrics cannot be read; those before stay"),
        }
        self.revision.store(stored.revision, Ordering::Relaxed);
        Ok(())
    }

    /// Reads metrics of the shop's own from a JSON array.
    ///
    /// # Errors
    /// [`MetricsError`], naming the first that is wrong.
    pub fn parse(&self, text: &str) -> Result<Vec<Metric>, MetricsError> {
        let values: Vec<Value> =
            serde_json::from_str(text).map_err(|error| MetricsError::Unreadable(error.to_string()))?;
        if values.len() > OWN_METRICS_MAX {
            return Err(MetricsError::TooMany(values.len()));
        }
        let usual = self.usual();
        let mut metrics: Vec<Metric> = vec![];
        for (index, value) in values.iter().enumerate() {
            let place = index + 1;
            let metric =
                Metric::parse(&value.to_string()).map_err(|error| MetricsError::Metric { place, error })?;
            if usual.iter().chain(&metrics).any(|other| other.key() == metric.key()) {
                return Err(MetricsError::Doubled(metric.key().to_owned()));
            }
            metrics.push(metric);
        }
        Ok(metrics)
    }

    /// Returns the number of the last time that the shop's own metrics were saved; 0 where they never were.
    ///
    /// # Errors
    /// What the store says.
    pub async fn revision(&self, store: &dyn Store) -> store::Result<u64> {
        Ok(store.document_history(DOCUMENT).await?.first().map_or(0, |last| last.revision))
    }

    /// Puts the shop's own metrics in the place of those that were read at a revision; those that experiments name which are not
    /// over must stay.
    ///
    /// # Errors
    /// [`MetricsError`]; nothing is written then.
    pub async fn save(
        &self,
        store: &dyn Store,
        experiments: &[Experiment],
        draft: Draft<'_>,
    ) -> Result<(), MetricsError> {
        let metrics = self.parse(draft.text)?;
        for experiment in experiments.iter().filter(|experiment| !experiment.status().is_over()) {
            let gone = experiment.metric_keys().find(|key| {
                self.get(key).is_some()
                    && !self.usual().iter().chain(&metrics).any(|metric| metric.key() == *key)
            });
            if let Some(metric) = gone {
                let (experiment, metric) = (experiment.key().to_owned(), metric.to_owned());
                return Err(MetricsError::InUse { experiment, metric });
            }
        }
        let text = Value::from_iter(metrics.iter().map(Metric::to_value)).to_string();
        let revision = DocumentRevision {
            name: DOCUMENT.to_owned(),
            revision: draft.read_at + 1,
            text,
            saved_at_ms: clock::now_ms(),
            saved_by: draft.by.to_owned(),
            reason: String::new(),
        };
        store.revise_document(&revision).await.map_err(|error| match error {
            StoreError::Conflict(_) => MetricsError::Overtaken,
            other => MetricsError::Store(other),
        })?;
        Ok(self.refresh(store).await?)
    }
}

/// Are metrics to be saved.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// All of the shop's own, a JSON array.
    pub text: &'a str,
    /// The revision that was looked at when they were written.
    pub read_at: u64,
    /// Who writes them.
    pub by: &'a str,
}

/// Reports whether an experiment on a flag has a usual metric without naming it.
fn is_unnamed(key: &str, flag: &str) -> bool {
    !key.starts_with(OF_SHELVES) || ShelfName::ALL.iter().any(|shelf| shelf.flag() == flag)
}

fn usual(currency: &Currency) -> Vec<Value> {
    let shop = json!({"property": "source", "is": "shop"});
    let order = json!({"type": "order_placed", "where": [shop]});
    // A sum of several currencies is none; orders in others count as orders, not as revenue.
    let paid =
        json!({"type": "order_placed", "where": [shop, {"property": "currency", "is": currency.code()}]});
    let from_shelf =
        json!({"type": "shelf_ordered", "where": [{"property": "currency", "is": currency.code()}]});
    let tracked = |name: &str| json!({"type": "event_tracked", "where": [{"property": "name", "is": name}]});
    vec![
        json!({"key": "conversion", "name": "Conversion", "measure": {"kind": "proportion", "event": order},
            "description": "The share of visitors who place an order."}),
        json!({"key": "revenue_per_unit", "name": "Revenue per visitor", "format": "money",
            "measure": {"kind": "mean", "event": paid, "property": "total_minor"},
            "description": "What a visitor's orders come to, in the shop's currency; nothing for those who order nothing."}),
        json!({"key": "orders", "name": "Orders per visitor", "measure": {"kind": "count", "event": order}}),
        json!({"key": "order_value", "name": "Order value", "format": "money",
            "measure": {"kind": "ratio", "numerator": {"event": paid, "property": "total_minor"}, "denominator": {"event": paid}},
            "description": "Revenue over orders, in the shop's currency."}),
        json!({"key": "add_to_cart", "name": "Adding to the cart",
            "measure": {"kind": "proportion", "event": {"type": "line_added"}},
            "description": "The share of visitors who put something into a cart."}),
        json!({"key": "checkout_started", "name": "Starting the checkout",
            "measure": {"kind": "proportion", "event": {"type": "checkout_started"}}}),
        json!({"key": "payment_begun", "name": "Beginning to pay",
            "measure": {"kind": "proportion", "event": {"type": "payment_begun"}}}),
        json!({"key": "time_to_order", "name": "Time to the first order", "better": "lower",
            "measure": {"kind": "time_to", "event": order},
            "description": "From meeting the difference to the first order, over those who place one."}),
        json!({"key": "refunded", "name": "Refunded per visitor", "format": "money", "better": "lower",
            "measure": {"kind": "mean", "event": {"type": "order_refunded"}, "property": "amount_minor"}}),
        json!({"key": "page_latency", "name": "Page latency", "format": "milliseconds", "better": "lower",
            "measure": {"kind": "quantile", "event": tracked("page_timed"), "property": "value", "level_bp": 9000},
            "description": "The 90 % point of how long pages take until they are drawn, as browsers report it."}),
        json!({"key": "error_rate", "name": "Errors per page", "better": "lower",
            "measure": {"kind": "ratio", "numerator": {"event": tracked("page_failed")},
                "denominator": {"event": tracked("page_timed")}},
            "description": "Errors of scripts that browsers report, over the pages they drew."}),
        json!({"key": "shelf_clicks", "name": "Shelf clicks per visitor",
            "measure": {"kind": "count", "event": {"type": "shelf_clicked"}},
            "description": "How often a visitor clicks on something on a shelf."}),
        json!({"key": "shelf_click_rate", "name": "Clicks per shelf seen",
            "measure": {"kind": "ratio", "numerator": {"event": {"type": "shelf_clicked"}},
                "denominator": {"event": {"type": "shelf_shown"}}},
            "description": "Clicks over shelves that were seen."}),
        json!({"key": "shelf_adds", "name": "Adds from shelves per visitor",
            "measure": {"kind": "count", "event": {"type": "shelf_added"}},
            "description": "What a visitor puts into the cart within half an hour of clicking on it on a shelf."}),
        json!({"key": "shelf_orders", "name": "Orders from shelves per visitor",
            "measure": {"kind": "count", "event": {"type": "order_from_shelf"}},
            "description": "A visitor's orders with a product that was clicked on on a shelf within a week before."}),
        json!({"key": "shelf_revenue", "name": "Revenue from shelves per visitor", "format": "money",
            "measure": {"kind": "mean", "event": from_shelf, "property": "paid_minor"},
            "description": "What the lines of such products come to, in the shop's currency."}),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{data::KINDS, rollups::DERIVED};

    fn metrics() -> ExperimentMetrics {
        ExperimentMetrics::new(Arc::default())
    }

    #[test]
    fn the_usual_metrics_name_events_that_there_are() {
        for metric in metrics().usual() {
            for selector in metric.selectors() {
                let kind = selector.kind();
                assert!(KINDS.contains(&kind) || DERIVED.contains(&kind), "{} counts {kind}", metric.key());
            }
        }
    }

    #[test]
    fn an_experiment_gets_the_deciding_metric_first_and_each_once() {
        let definition = |more: &str| {
            let text = format!(
                r#"{{"schema_version": 1, "key": "e", "name": "E", "flag": "f", "primary_metric": "orders",
                    "guardrails": [{{"metric": "page_latency", "margin_bp": 500}}], {more} "variations": [
                    {{"key": "a", "weight_bp": 5000, "value": 0}}, {{"key": "b", "weight_bp": 5000, "value": 1}}]}}"#
            );
            Experiment::parse(&text).unwrap()
        };
        let metrics = metrics();
        let keys = |experiment: &Experiment| {
            metrics.of(experiment).iter().map(|metric| metric.key().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            keys(&definition(r#""metrics": ["conversion"],"#)),
            ["orders", "page_latency", "conversion"]
        );
        assert_eq!(keys(&definition("")).len(), metrics.unnamed("f").len());
        let odd = definition(r#""metrics": ["luck"],"#);
        assert_eq!((metrics.missing(&odd), keys(&odd).len()), (Some("luck"), 2));
    }

    #[test]
    fn own_metrics_are_checked_whole() {
        let metrics = metrics();
        let one = r#"{"key": "mugs", "measure": {"kind": "count", "event": {"type": "line_added"}}}"#;
        assert_eq!(metrics.parse(&format!("[{one}]")).unwrap().len(), 1);
        for (text, words) in [
            ("{}".to_owned(), "a JSON array"),
            (format!("[{one}, {one}]"), "two metrics \"mugs\""),
            (format!("[{}]", one.replace("mugs", "conversion")), "two metrics \"conversion\""),
            (format!("[{one}, {{}}]"), "metric 2: "),
        ] {
            let error = metrics.parse(&text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
