//! What a basket lacks.

use recommender::{Learnt, Task};

use super::{CASES_MAX, Part, Past, Questions, Source, is_ordered};
use crate::{
    baskets,
    evaluate::{self, Row},
    train::{Logs, Settings, enough},
    tune::{self, Parameter, parameter},
};

/// Learns what completes baskets, where there are enough of them.
pub struct Completion;

const PARAMETERS: [Parameter; 6] = [
    parameter!(Single baskets.days: [30.0, 65.0, 130.0, 260.0, 520.0, 2_000.0]),
    parameter!(Single baskets.doubt.ridge: [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0]),
    parameter!(Single baskets.length_power: [0.0, 0.25, 0.5, 0.75, 1.0]),
    parameter!(Single baskets.doubt.dropout: [0.0, 0.25, 0.5, 1.0]),
    parameter!(Single baskets.doubt.names: [0.0, 0.5, 1.0, 2.0, 4.0]),
    parameter!(Single baskets.doubt.codes: [0.0, 0.5, 1.0, 2.0, 4.0]),
];

impl Part for Completion {
    fn learn(&self, from: &Source<'_>, settings: &Settings, into: &mut Learnt) {
        into.baskets =
            enough(from.logs.orders.all(), settings).map(|all| baskets::learn(all, settings.baskets));
    }

    fn measure(&self, past: &Past<'_>) -> Vec<Row> {
        let Some(orders) = past.orders else { return Vec::new() };
        let model = past.baskets(orders.early);
        let asked = |task| {
            let known = |item| is_ordered(model, item);
            let cases = evaluate::basket_cases(task, orders.late, CASES_MAX, known);
            evaluate::baskets(model, orders.early, past.settings, task, &cases)
        };
        [Task::Loo, Task::Fbt].into_iter().flat_map(asked).collect()
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn questions<'a>(&self, logs: &'a Logs, settings: &Settings) -> Option<Questions<'a>> {
        tune::of_baskets(logs, Task::Loo, settings)
    }

    fn gain(&self, questions: &Questions<'_>, settings: &Settings) -> f64 {
        let untaught = baskets::Settings { slices: 0, growth: None, ..settings.baskets };
        tune::gain(questions, baskets::learn(questions.early, untaught))
    }
}
