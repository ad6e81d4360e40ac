//! Tuning: which settings do best on a later slice of what is learnt from, tried one after the other within a time.
//!
//! Coordinate search: from the settings that are given, one parameter at a time takes each of its values, and keeps the
//! best. What is asked is what finds candidates (past sessions, baskets without what teaches their order, pairs): their
//! order is learnt from later questions anyway, and to learn it for each value would take a hundred times as long.

use std::time::{Duration, Instant};

use recommender::{Task, history, session::PastSessions, tally::Tally};
use serde::{Deserialize, Serialize};

use crate::{
    after, baskets,
    evaluate::{self, Case, LIST, Measure},
    log::Slice,
    pairs,
    train::{LATER, LINES_MAX, Logs, Settings, enough},
};

/// Is one parameter with what each of its values attained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The parameter, as the settings name it.
    pub parameter: String,
    /// Its values with the NDCG@20 that each attained, in the order in which they were tried: the one it had first.
    pub values: Vec<(f64, f64)>,
    /// The value that was kept.
    pub kept: f64,
}

/// Is what tuning came to: settings, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tuned {
    /// The settings that did best.
    pub settings: Settings,
    /// What was tried.
    pub tried: Vec<Tried>,
    /// Whether all parameters were tried before the time was over.
    pub is_complete: bool,
}

/// The questions that are asked of each value.
const CASES_MAX: usize = 3_000;

/// A parameter: its name, its values, and where it stands.
struct Parameter {
    name: &'static str,
    values: &'static [f64],
    place: fn(&mut Settings) -> Place<'_>,
}

/// Where a parameter stands, by the kind of its number.
enum Place<'a> {
    Single(&'a mut f32),
    Double(&'a mut f64),
    Count(&'a mut usize),
}

impl Place<'_> {
    fn get(&self) -> f64 {
        match self {
            Self::Single(value) => f64::from(**value),
            Self::Double(value) => **value,
            Self::Count(value) => **value as f64,
        }
    }

    fn set(&mut self, to: f64) {
        match self {
            Self::Single(value) => **value = to as f32,
            Self::Double(value) => **value = to,
            Self::Count(value) => **value = to as usize,
        }
    }
}

macro_rules! parameter {
    ($kind:ident $($path:ident).+ : $values:expr) => {
        Parameter {
            name: stringify!($($path).+),
            values: &$values,
            place: |settings| Place::$kind(&mut settings.$($path).+),
        }
    };
}

/// What matters most comes first, for the time may be over before the last.
const OF_BASKETS: [Parameter; 6] = [
    parameter!(Single baskets.days: [30.0, 65.0, 130.0, 260.0, 520.0, 2_000.0]),
    parameter!(Single baskets.doubt.ridge: [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0]),
    parameter!(Single baskets.length_power: [0.0, 0.25, 0.5, 0.75, 1.0]),
    parameter!(Single baskets.doubt.dropout: [0.0, 0.25, 0.5, 1.0]),
    parameter!(Single baskets.doubt.names: [0.0, 0.5, 1.0, 2.0, 4.0]),
    parameter!(Single baskets.doubt.codes: [0.0, 0.5, 1.0, 2.0, 4.0]),
];

const OF_SESSIONS: [Parameter; 7] = [
    parameter!(Single sessions.nearness.fade: [1.0, 2.0, 4.0, 8.0]),
    parameter!(Single sessions.nearness.age: [0.25, 0.5, 1.0, 2.0, 4.0]),
    parameter!(Single sessions.nearness.shared_fade: [1.0, 2.5, 5.0]),
    parameter!(Single sessions.nearness.after: [1.5, 3.0, 6.0]),
    parameter!(Single sessions.nearness.before: [1.0, 3.0, 6.0]),
    parameter!(Single sessions.nearness.rarity: [0.0, 2.0, 5.0, 10.0]),
    parameter!(Count sessions.nearness.neighbours: [100.0, 200.0, 400.0]),
];

const OF_PAIRS: [Parameter; 3] = [
    parameter!(Double pairs.half_life_days: [30.0, 90.0, 180.0, 365.0, 2_000.0]),
    parameter!(Double pairs.shrink: [0.0, 1.0, 4.0, 16.0]),
    parameter!(Double pairs.length_power: [0.0, 0.5, 1.0]),
];

const OF_AFTER: [Parameter; 3] = [
    parameter!(Double after.half_life_days: [15.0, 30.0, 60.0, 120.0, 365.0]),
    parameter!(Double after.shrink: [0.0, 1.0, 4.0, 16.0]),
    parameter!(Double after.length_power: [0.0, 0.5, 1.0]),
];

/// Returns how many parameters there are.
pub fn parameters() -> usize {
    OF_BASKETS.len() + OF_SESSIONS.len() + OF_PAIRS.len() + OF_AFTER.len()
}

/// Tries the parameters of all parts for which there is enough to learn from, until the time is over; `done` is told
/// after each.
pub fn tune(logs: &Logs, settings: &Settings, budget: Duration, done: &mut dyn FnMut()) -> Tuned {
    let mut search = Search { until: Instant::now() + budget, settings: *settings, tried: Vec::new(), done };
    let mut is_complete = true;
    if let Some((early, cases)) = of_orders(logs) {
        is_complete &= search.go(&OF_PAIRS, |settings| by_pairs(early, &cases, settings));
        is_complete &= search.go(&OF_BASKETS, |settings| by_baskets(early, &cases, settings));
        let cases = of_returns(logs, early);
        if !cases.is_empty() {
            is_complete &= search.go(&OF_AFTER, |settings| by_returns(early, &cases, settings));
        }
    }
    if let Some((early, late)) = slices(logs.sessions.all()) {
        let known = known(early);
        let cases = evaluate::prefixes(late, CASES_MAX, |item| known[item as usize]);
        is_complete &= search.go(&OF_SESSIONS, |settings| by_sessions(early, &cases, settings));
    }
    Tuned { settings: search.settings, tried: search.tried, is_complete }
}

struct Search<'a> {
    until: Instant,
    settings: Settings,
    tried: Vec<Tried>,
    done: &'a mut dyn FnMut(),
}

impl Search<'_> {
    /// Tries parameters by what `score` says of settings, and returns whether the time sufficed.
    fn go(&mut self, parameters: &[Parameter], score: impl Fn(&Settings) -> f64) -> bool {
        if Instant::now() >= self.until {
            return false;
        }
        let mut best = score(&self.settings);
        for Parameter { name, values, place } in parameters {
            let first = place(&mut self.settings).get();
            let (mut kept, mut tried) = (first, vec![(first, best)]);
            for &value in values.iter().filter(|value| (**value - first).abs() > 1e-9) {
                if Instant::now() >= self.until {
                    break;
                }
                let mut settings = self.settings;
                place(&mut settings).set(value);
                let attained = score(&settings);
                tried.push((value, attained));
                if attained > best {
                    (best, kept) = (attained, value);
                }
            }
            place(&mut self.settings).set(kept);
            self.tried.push(Tried { parameter: (*name).to_owned(), values: tried, kept });
            (self.done)();
        }
        Instant::now() < self.until
    }
}

fn of_orders(logs: &Logs) -> Option<(Slice<'_>, Vec<Case>)> {
    let (early, late) = slices(logs.orders.all())?;
    let known = known(early);
    let cases = evaluate::basket_cases(Task::Loo, late, CASES_MAX, |item| known[item as usize]);
    Some((early, cases))
}

/// Returns what those who came back ask of early orders, none where nobody is known to have done so.
fn of_returns(logs: &Logs, early: Slice<'_>) -> Vec<Case> {
    let known = known(early);
    let (asked, _) = logs.orders.all().latest(LINES_MAX).split_by_time(1.0 - LATER);
    evaluate::return_cases(asked, early.len(), CASES_MAX, |item| known[item as usize])
}

/// Returns what is learnt from and what asks: the latest tenth but one, for the latest is what the model is measured by.
fn slices(log: Slice<'_>) -> Option<(Slice<'_>, Slice<'_>)> {
    let (early, _) = enough(log)?.split_by_time(1.0 - LATER);
    Some(early.split_by_time(1.0 - LATER))
}

/// Returns of each item whether a slice holds it.
fn known(slice: Slice<'_>) -> Vec<bool> {
    let mut known = vec![false; slice.log().items().len()];
    slice.entries().for_each(|(_, entry)| entry.iter().for_each(|&item| known[item as usize] = true));
    known
}

/// Returns the NDCG@20 of answers, each put into a list that is cleared before.
fn gain(items: usize, cases: &[Case], mut ask: impl FnMut(&[u32], &mut Vec<(u32, f32)>)) -> f64 {
    let mut measure = Measure::new(items);
    let (mut best, mut list) = (Vec::new(), Vec::new());
    for case in cases {
        best.clear();
        ask(&case.given, &mut best);
        list.clear();
        list.extend(best.iter().map(|item| item.0).take(LIST));
        measure.add(case, &list);
    }
    measure.mean_gain()
}

fn by_pairs(early: Slice<'_>, cases: &[Case], settings: &Settings) -> f64 {
    let counted = pairs::count(early, &settings.pairs);
    gain(early.log().items().len(), cases, |given, best| evaluate::by_pairs(&counted, given, best))
}

fn by_baskets(early: Slice<'_>, cases: &[Case], settings: &Settings) -> f64 {
    let untaught = baskets::Settings { slices: 0, growth: None, ..settings.baskets };
    let model = baskets::learn(early, untaught);
    let mut scratch = model.scratch();
    gain(early.log().items().len(), cases, |given, best| model.goes_with(given, LIST, &mut scratch, best))
}

fn by_returns(early: Slice<'_>, cases: &[Case], settings: &Settings) -> f64 {
    let pairs = after::count(early, &settings.after);
    gain(early.log().items().len(), cases, |given, best| *best = history::after(&pairs, given))
}

fn by_sessions(early: Slice<'_>, cases: &[Case], settings: &Settings) -> f64 {
    let items = early.log().items().len();
    let past = PastSessions::new(settings.sessions.nearness, items, early.entries());
    let (mut scratch, mut scores) = (past.scratch(), Tally::new(items));
    gain(items, cases, |given, best| {
        past.score(given, &mut scratch, &mut scores);
        scores.best(LIST + 1, best);
        scores.clear();
        best.retain(|item| given.last() != Some(&item.0));
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Gather, Kind};

    /// Orders in which every item's companion changes after half of the time: what is old misleads.
    fn logs() -> Logs {
        let mut orders = Gather::new(Kind::Baskets);
        for number in 0..1_200_u32 {
            let (item, turn) = (number % 6, u32::from(number >= 600));
            let items = [format!("{}", 100 * item), format!("{}", 100 * ((item + 1 + turn) % 6) + 7)];
            let at_ms = i64::from(number) * 86_400_000;
            let buyer = (number % 400).to_string();
            let lines = items.iter().map(|item| (item.as_str(), None));
            orders.entry_of(Some(&buyer), &number.to_string(), at_ms, lines);
        }
        Logs::new(orders.finish(), Gather::new(Kind::Sessions).finish(), [])
    }

    #[test]
    fn what_did_best_on_the_later_slice_is_kept_and_the_others_are_told() {
        let mut told = 0;
        let budget = Duration::from_secs(600);
        let settings = Settings::default();
        let far =
            Settings { pairs: pairs::Settings { half_life_days: 9_000.0, ..settings.pairs }, ..settings };
        let tuned = tune(&logs(), &far, budget, &mut || told += 1);
        assert!(tuned.is_complete);
        assert_eq!((tuned.tried.len(), told), (parameters() - OF_SESSIONS.len(), tuned.tried.len()));
        let first = &tuned.tried[0];
        assert_eq!((first.parameter.as_str(), first.values[0].0), ("pairs.half_life_days", 9_000.0));
        assert!(first.kept < 2_000.0, "{first:?}");
        assert_eq!(tuned.settings.pairs.half_life_days, first.kept);
        for tried in &tuned.tried {
            let best = tried.values.iter().map(|value| value.1).fold(0.0, f64::max);
            assert!(tried.values.contains(&(tried.kept, best)), "{tried:?}");
        }
    }

    #[test]
    fn without_time_nothing_is_changed() {
        let tuned = tune(&logs(), &Settings::default(), Duration::ZERO, &mut || ());
        assert_eq!(tuned, Tuned { settings: Settings::default(), tried: Vec::new(), is_complete: false });
    }
}
