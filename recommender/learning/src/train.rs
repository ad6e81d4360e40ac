//! Training: from a shop's orders and sessions to all that its server answers from, with figures of how good it is.

use recommender::Learnt;
use serde::{Deserialize, Serialize};

use crate::{
    after, baskets,
    evaluate::Row,
    log::{Log, Slice},
    pairs,
    parts::{self, Past, Source},
    sessions,
    together::Together,
};

/// Says how all is learnt.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What stands in the same orders or sessions.
    pub pairs: pairs::Settings,
    /// What goes with a basket.
    pub baskets: baskets::Settings,
    /// What follows on a trail.
    pub sessions: sessions::Settings,
    /// What is bought after something: pairs of what was had and what is new.
    pub after: pairs::Settings,
    /// The most lines of a log, the latest, that models are learnt from; pairs of orders are counted of all.
    #[serde(skip_serializing_if = "is_usual")]
    pub lines: usize,
}

fn is_usual(lines: &usize) -> bool {
    *lines == LINES_MAX
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pairs: pairs::Settings::default(),
            baskets: baskets::Settings::default(),
            sessions: sessions::Settings::default(),
            after: after::settings(),
            lines: LINES_MAX,
        }
    }
}

/// Holds what a shop's events say, its logs over the same items.
#[derive(Clone, Debug)]
pub struct Logs {
    /// Orders.
    pub orders: Log,
    /// Sessions.
    pub sessions: Log,
}

/// The most lines of a log, the latest, that the models are learnt from; pairs of orders are counted of all. Learning takes
/// about two minutes for half a million, and what was bought before four million others says little of today.
pub const LINES_MAX: usize = 4_000_000;

/// The fewest lines that a setting of memory leaves: of fewer there is little to learn.
pub const LINES_MIN: usize = 50_000;

/// What a line of a log takes while models are learnt from it, in bytes: its number in the log, in what it is sorted by and in the lists that are
/// made of it, on a peak of some hundred megabytes a million lines.
const LINE_BYTES: usize = 256;

/// What a question that teaches the order of sessions' candidates takes, with what trees are grown by: a byte for each feature of a
/// hundred candidates, twice.
const QUESTION_BYTES: usize = 8 << 10;

/// The fewest questions that a setting of memory leaves.
const QUESTIONS_MIN: usize = 2_000;

/// What hiding one more item of each basket takes, in bytes, as the questions of sessions do.
const HIDDEN_BYTES: usize = 80 << 20;

/// What one item takes of a linear model to each other item, in bytes: three matrices of single precision, and what factors them.
const CELL_BYTES: usize = 24;

/// The fewest items of linear models that a setting of memory leaves.
const LINEAR_ITEMS_MIN: usize = 500;

impl Settings {
    /// Returns settings that learn with about so much memory: of fewer lines, fewer questions and fewer items of linear models, where these would take more.
    /// What is learnt then knows less, and the model says with which settings.
    #[must_use]
    pub fn within(mut self, memory_bytes: usize) -> Self {
        self.lines = self.lines.min((memory_bytes / LINE_BYTES).max(LINES_MIN));
        let questions = (memory_bytes / QUESTION_BYTES).max(QUESTIONS_MIN);
        self.sessions.questions = self.sessions.questions.min(questions);
        self.baskets.hidden = self.baskets.hidden.min((memory_bytes / HIDDEN_BYTES).max(1));
        let items = (memory_bytes / CELL_BYTES).isqrt().max(LINEAR_ITEMS_MIN);
        self.baskets.doubt.items = self.baskets.doubt.items.min(items);
        self
    }
}

/// The fewest sessions or orders that a model is learnt from: of fewer, pairs say all there is to know.
pub const ENTRIES_MIN: usize = 50;

/// The part of a log, the latest, that is asked about where a model is measured.
pub const LATER: f64 = 0.1;

impl Logs {
    /// Makes the items of both logs the same, with all that are known, such as those of a catalogue with their names, empty
    /// where none is known; products that were neither ordered nor viewed are items too.
    pub fn new<'a>(orders: Log, sessions: Log, known: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let (orders, sessions) = Log::over_the_same_items(orders, sessions, known);
        Self { orders, sessions }
    }

    /// Returns the items, ascending.
    pub fn items(&self) -> &[Box<str>] {
        self.orders.items()
    }

    /// Says whether there is nothing to learn from.
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty() && self.sessions.is_empty()
    }
}

/// Learns everything, part by part: pairs and popularity from what counts say of all orders, the rest from the logs, over whose
/// items the model is. The same gives the same, whatever the number of cores.
pub fn learn(logs: &Logs, together: &Together, settings: &Settings) -> Learnt {
    let (source, mut learnt) = (Source { logs, together }, Learnt::default());
    parts::ALL.iter().for_each(|part| part.learn(&source, settings, &mut learnt));
    learnt
}

/// Returns what the models are learnt from, `None` where it is too little.
pub fn enough<'a>(log: Slice<'a>, settings: &Settings) -> Option<Slice<'a>> {
    (log.len() >= ENTRIES_MIN).then(|| log.latest(settings.lines))
}

/// Measures models of the same settings, learnt from all but the latest tenth of the orders and of the sessions, by
/// what that tenth asks.
pub fn measure(logs: &Logs, settings: &Settings) -> Vec<Row> {
    let past = Past::of(logs, settings);
    parts::ALL.iter().flat_map(|part| part.measure(&past)).collect()
}

/// Measures what is said of the next purchases of customers who had ordered before: learnt from early orders, asked by those after
/// them; nothing where nobody is known to have come back.
pub fn measure_returns(orders: Slice<'_>, early: Slice<'_>, settings: &Settings) -> Vec<Row> {
    parts::measured_returns(orders, early, &baskets::learn(early, settings.baskets), settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_memory_takes_nothing_away_and_little_memory_much() {
        let usual = Settings::default();
        assert_eq!(usual.within(1 << 30), usual);
        let small = usual.within(64 << 20);
        assert_eq!((small.lines, small.sessions.questions, small.baskets.hidden), (262_144, 8_192, 1));
        assert_eq!(small.baskets.doubt.items, 1_672);
        let least = usual.within(0);
        assert_eq!(
            (least.lines, least.sessions.questions, least.baskets.hidden),
            (LINES_MIN, QUESTIONS_MIN, 1)
        );
        assert_eq!(least.baskets.doubt.items, LINEAR_ITEMS_MIN);
    }
}
