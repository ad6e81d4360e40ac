//! What is bought, or viewed, together: pairs in counts that a shopper can be told. They are measured among the simpler methods
//! beside what is learnt of baskets and sessions.

use recommender::{Learnt, Task, pairs::BoughtWith as Asked};

use super::{Part, Questions, Source};
use crate::{
    pairs,
    train::{Logs, Settings},
    tune::{self, Parameter, parameter},
};

/// Takes pairs of all orders from what was counted.
pub struct BoughtWith;

/// Counts pairs of the latest sessions.
pub struct ViewedWith;

const PARAMETERS: [Parameter; 3] = [
    parameter!(Double pairs.half_life_days: [30.0, 90.0, 180.0, 365.0, 2_000.0]),
    parameter!(Double pairs.shrink: [0.0, 1.0, 4.0, 16.0]),
    parameter!(Double pairs.length_power: [0.0, 0.5, 1.0]),
];

impl Part for BoughtWith {
    fn learn(&self, from: &Source<'_>, _: &Settings, into: &mut Learnt) {
        into.orders = from.together.pairs(from.logs.items());
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn questions<'a>(&self, logs: &'a Logs, settings: &Settings) -> Option<Questions<'a>> {
        tune::of_baskets(logs, Task::Loo, settings)
    }

    fn gain(&self, questions: &Questions<'_>, settings: &Settings) -> f64 {
        tune::gain(questions, Asked::of(&pairs::count(questions.early, &settings.pairs)))
    }
}

impl Part for ViewedWith {
    fn learn(&self, from: &Source<'_>, settings: &Settings, into: &mut Learnt) {
        into.sessions = pairs::count(from.logs.sessions.all().latest(settings.lines), &settings.pairs);
    }
}
