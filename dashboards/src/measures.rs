//! The page of metrics: those that every shop has, and those of the shop's own, with a form for each and all of them as JSON.

use experiments::Metric;
use experiments::metric::{Amount, Measure, Selector};
use serde::Serialize;

use crate::session::{Notice, Session};

mod form;
mod page;

pub use form::MetricForm;
pub use page::MetricPage;

/// What the field shows of a shop without metrics of its own.
const EXAMPLE: &str = r#"[
  {
    "key": "mugs_bought",
    "name": "Mugs in the cart",
    "measure": {
      "kind": "mean",
      "event": {"type": "line_added", "where": [{"property": "sku", "is": "MUG"}]},
      "property": "quantity"
    },
    "window_hours": 168,
    "cap": 20
  }
]"#;

/// Holds what the page of metrics shows. Its form posts `csrf` and `metrics` to `/admin/metrics`.
#[derive(Debug, Clone)]
pub struct MetricsPage {
    /// Who reads it.
    pub session: Session,
    /// How often the shop's own were saved; the form brings it back, so that nobody overwrites what they have not seen.
    pub revision: u64,
    /// What the last action did.
    pub notice: Option<Notice>,
    /// The metrics that every shop has.
    pub usual: Vec<Metric>,
    /// The shop's own.
    pub own: Vec<Metric>,
    /// What was typed, where it was refused, with the reason.
    pub refused: Option<(String, String)>,
    /// The types of events that can be counted.
    pub event_types: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct View<'a> {
    rows: Vec<Row<'a>>,
    revision: u64,
    text: String,
    error: Option<&'a str>,
    example: &'static str,
    event_types: &'a [String],
    lines: usize,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    key: &'a str,
    description: &'a str,
    counts: String,
    is_own: bool,
}

impl MetricsPage {
    pub(crate) fn view(&self) -> View<'_> {
        let rows = self.own.iter().map(|metric| row(metric, true));
        let rows = rows.chain(self.usual.iter().map(|metric| row(metric, false))).collect();
        let text = match &self.refused {
            Some((text, _)) => text.clone(),
            None => {
                let values: Vec<_> = self.own.iter().map(Metric::to_value).collect();
                serde_json::to_string_pretty(&values).unwrap_or_default()
            }
        };
        View {
            rows,
            revision: self.revision,
            lines: text.lines().count().clamp(6, 30),
            text,
            error: self.refused.as_ref().map(|(_, error)| error.as_str()),
            example: EXAMPLE,
            event_types: &self.event_types,
        }
    }
}

fn row(metric: &Metric, is_own: bool) -> Row<'_> {
    let (name, key, description) = (metric.name(), metric.key(), metric.description());
    Row { name, key, description, counts: counts(metric), is_own }
}

/// Says in a line what a metric counts.
pub fn counts(metric: &Metric) -> String {
    let event = |selector: &Selector| match selector.conditions() {
        [] => selector.kind().replace('_', " "),
        conditions => format!(
            "{} with {}",
            selector.kind().replace('_', " "),
            form::lines(conditions).replace('\n', " and ")
        ),
    };
    match metric.measure() {
        Measure::Proportion { event: of } => format!("share of visitors with: {}", event(of)),
        Measure::Count { event: of } => format!("number of: {}", event(of)),
        Measure::Mean { event: of, property } => format!("sum of {property} of: {}", event(of)),
        Measure::Ratio { numerator, denominator } => {
            let amount = |amount: &Amount| match &amount.property {
                Some(property) => format!("sum of {property} of: {}", event(&amount.event)),
                None => format!("number of: {}", event(&amount.event)),
            };
            format!("{} over {}", amount(numerator), amount(denominator))
        }
        Measure::Quantile { event: of, property, level_bp } => {
            format!("{} % point of {property} of: {}", f64::from(*level_bp) / 100.0, event(of))
        }
        Measure::Retention { event: of, from_days, to_days } => {
            format!("share of visitors with: {}, {from_days} to {to_days} days later", event(of))
        }
        Measure::TimeTo { event: of } => format!("time to the first: {}", event(of)),
    }
}
