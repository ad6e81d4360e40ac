//! The page of what is remembered.

use std::sync::Arc;

use cart_core::{Product, Sku};
use serde::Serialize;

use super::{Picture, day::day, link};
use crate::{history::Remembered, store::Because, trails::Act};

/// Is the page of what the shop remembers of whoever looks.
#[derive(Clone, Debug, Serialize)]
pub struct HistoryPage {
    /// Whether anything is remembered.
    kept: bool,
    /// Whether a browser asked that nothing is.
    is_signal: bool,
    /// Whether this one does.
    is_asked: bool,
    days: Vec<Day>,
}

#[derive(Clone, Debug, Serialize)]
struct Day {
    day: String,
    steps: Vec<StepRow>,
}

#[derive(Clone, Debug, Serialize)]
struct StepRow {
    name: String,
    /// Where it is for sale, if it still is.
    href: Option<String>,
    picture: Option<Picture>,
    is_added: bool,
}

impl HistoryPage {
    /// Returns the page of a history, the newest day first; `find` finds what is still for sale.
    pub fn new(remembered: &Remembered, find: impl Fn(&Sku) -> Option<Arc<Product>>) -> Self {
        let mut days: Vec<Day> = vec![];
        for step in remembered.steps.iter().rev() {
            let product = find(&step.sku);
            let product = product.as_deref();
            let row = StepRow {
                name: product.map_or_else(|| step.sku.to_string(), |product| product.name.clone()),
                href: product.map(|product| link::product(product.sku.as_str())),
                picture: product.map(Picture::of),
                is_added: step.act == Act::Added,
            };
            let day = day(step.at_ms);
            match days.last_mut().filter(|last| last.day == day) {
                Some(last) => last.steps.push(row),
                None => days.push(Day { day, steps: vec![row] }),
            }
        }
        Self {
            kept: remembered.declined.is_none(),
            is_signal: remembered.declined == Some(Because::Signal),
            is_asked: remembered.is_asked,
            days,
        }
    }
}
