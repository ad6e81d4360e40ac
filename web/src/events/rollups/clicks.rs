//! What units clicked on on shelves, and the events that follow from it.
//!
//! The outbox says what was added and ordered, not what led to it. An experiment whose metrics ask for that keeps the clicks of its
//! units since they were exposed, in their rows, and counts events that it makes itself ([`DERIVED`]), by the rule by which shelves
//! are counted ([`shelf_counts`]): the last click on a product leads to one addition and one order at most, each within its time.

use experiments::{Metric, metric::Occurrence};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    events::shelf_counts::{ADD_MS, AddedData, ClickedData, ORDER_MS, OrderData, leads},
    shelves::report::CLICKED,
};

/// The type of an addition to the cart that a click on a shelf led to: `sku`, `shelf`, `algorithm`.
pub const ADDED: &str = "shelf_added";
/// The type of a product in an order that a click led to: `sku`, `shelf`, `algorithm`, `currency`, `paid_minor`.
pub const ORDERED: &str = "shelf_ordered";
/// The type of an order with at least one such product, whatever their number: `currency`, `paid_minor` for these products.
pub const ORDER: &str = "order_from_shelf";
/// Lists the types of events that no outbox holds: experiments make them of others.
pub const DERIVED: [&str; 3] = [ADDED, ORDERED, ORDER];

/// Most clicks that are kept of a unit; the earliest go first. Who clicks on more within a week chose hardly by them.
const CLICKS_MAX: usize = 50;

/// Lists the types of events that may change a metric, by themselves or by what is made of them.
pub fn feeding(metric: &Metric) -> impl Iterator<Item = &str> {
    metric.selectors().flat_map(|selector| {
        let made_of: &[&str] = match selector.kind() {
            ADDED => &[CLICKED, "line_added"],
            ORDERED | ORDER => &[CLICKED, "order_placed"],
            _ => &[],
        };
        std::iter::once(selector.kind()).chain(made_of.iter().copied())
    })
}

/// Holds the last click of a unit on each product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Clicks(Vec<Click>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Click {
    #[serde(rename = "p")]
    sku: String,
    #[serde(rename = "s")]
    shelf: String,
    #[serde(rename = "a")]
    algorithm: String,
    #[serde(rename = "t")]
    at_ms: i64,
    #[serde(rename = "c", default, skip_serializing_if = "std::ops::Not::not")]
    is_added: bool,
    #[serde(rename = "o", default, skip_serializing_if = "std::ops::Not::not")]
    is_ordered: bool,
}

impl Clicks {
    /// Reports whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes an event; returns what follows from it, as types and data, and `None` where it changes nothing.
    pub fn take(&mut self, event: Occurrence<'_>) -> Option<Vec<(&'static str, Value)>> {
        let Occurrence { kind, at_ms, data } = event;
        match kind {
            CLICKED => {
                let ClickedData { shelf, algorithm, sku, .. } = ClickedData::deserialize(data).ok()?;
                self.note(Click { sku, shelf, algorithm, at_ms, is_added: false, is_ordered: false });
                Some(vec![])
            }
            "line_added" => {
                let AddedData { sku } = AddedData::deserialize(data).ok()?;
                let click = self.0.iter_mut().find(|click| click.sku == sku)?;
                let leads = leads(click.at_ms, at_ms, ADD_MS, &mut click.is_added);
                leads.then(|| vec![(ADDED, click.data())])
            }
            "order_placed" => self.order(at_ms, &OrderData::deserialize(data).ok()?),
            _ => None,
        }
    }

    fn order(&mut self, at_ms: i64, order: &OrderData) -> Option<Vec<(&'static str, Value)>> {
        let (mut made, mut all_minor) = (vec![], 0_i64);
        for line in order.lines.iter().filter(|_| order.source == "shop") {
            let Some(click) = self.0.iter_mut().find(|click| click.sku == line.sku) else { continue };
            if leads(click.at_ms, at_ms, ORDER_MS, &mut click.is_ordered) {
                let mut data = click.data();
                data["currency"] = json!(order.currency);
                data["paid_minor"] = json!(line.paid_minor());
                all_minor = all_minor.saturating_add(line.paid_minor());
                made.push((ORDERED, data));
            }
        }
        (!made.is_empty()).then(|| {
            made.push((ORDER, json!({"currency": order.currency, "paid_minor": all_minor})));
            made
        })
    }

    /// Notes a click, unless there is a later one on its product; what is too old to lead to anything goes.
    fn note(&mut self, click: Click) {
        if self.0.iter().any(|before| before.sku == click.sku && before.at_ms > click.at_ms) {
            return;
        }
        self.0.retain(|before| before.sku != click.sku && before.at_ms >= click.at_ms - ORDER_MS);
        let place = self.0.partition_point(|before| before.at_ms <= click.at_ms);
        self.0.insert(place, click);
        if self.0.len() > CLICKS_MAX {
            self.0.remove(0);
        }
    }

    /// Returns the clicks of one unit that was taken for two.
    #[must_use]
    pub fn together(mut self, other: Self) -> Self {
        other.0.into_iter().for_each(|click| self.note(click));
        self
    }
}

impl Click {
    fn data(&self) -> Value {
        json!({"sku": self.sku, "shelf": self.shelf, "algorithm": self.algorithm})
    }
}
