//! What customers buy later, and what that says, beside baskets, of somebody's next purchase.

use recommender::{Learnt, basket::BasketModel, history::BoughtAfter as Asked};

use super::{CASES_MAX, Part, Past, Questions, Source, is_ordered};
use crate::{
    after,
    evaluate::{self, Row},
    log::Slice,
    train::{Logs, Settings},
    tune::{self, Parameter, parameter},
};

/// Counts what is bought after something.
pub struct BoughtAfter;

const PARAMETERS: [Parameter; 3] = [
    parameter!(Double after.half_life_days: [15.0, 30.0, 60.0, 120.0, 365.0]),
    parameter!(Double after.shrink: [0.0, 1.0, 4.0, 16.0]),
    parameter!(Double after.length_power: [0.0, 0.5, 1.0]),
];

impl Part for BoughtAfter {
    fn learn(&self, from: &Source<'_>, settings: &Settings, into: &mut Learnt) {
        into.after = after::count(from.logs.orders.all().latest(settings.lines), &settings.after);
    }

    fn measure(&self, past: &Past<'_>) -> Vec<Row> {
        past.orders.map_or_else(Vec::new, |orders| {
            measured(orders.all, orders.early, past.baskets(orders.early), past.settings)
        })
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn questions<'a>(&self, logs: &'a Logs, settings: &Settings) -> Option<Questions<'a>> {
        tune::of_returns(logs, settings)
    }

    fn gain(&self, questions: &Questions<'_>, settings: &Settings) -> f64 {
        tune::gain(questions, Asked::of(&after::count(questions.early, &settings.after)))
    }
}

/// Measures what is said of the next purchases of customers who had ordered before; nothing where nobody is known to have come
/// back.
pub fn measured(orders: Slice<'_>, early: Slice<'_>, model: &BasketModel, settings: &Settings) -> Vec<Row> {
    let cases = evaluate::return_cases(orders, early.len(), CASES_MAX, |item| is_ordered(model, item));
    if cases.is_empty() {
        return Vec::new();
    }
    evaluate::returns(model, early, &settings.pairs, &settings.after, &cases)
}
