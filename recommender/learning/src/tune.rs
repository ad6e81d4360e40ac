//! Tuning: which settings do best on a later slice of what is learnt from, tried one after the other within a time.
//!
//! Coordinate search: from the settings that are given, one parameter at a time takes each of its values, and keeps the
//! best. What is asked is what finds candidates (past sessions, baskets without what teaches their order, pairs): their
//! order is learnt from later questions anyway, and to learn it for each value would take a hundred times as long.

use std::time::{Duration, Instant};

use recommender::{Ask, Ranked, Task};
use serde::{Deserialize, Serialize};

use crate::{
    evaluate::{self, LIST, Measure},
    log::{Kind, Slice},
    parts::{self, Questions},
    train::{LATER, Logs, Settings, enough},
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
pub(crate) struct Parameter {
    pub name: &'static str,
    pub values: &'static [f64],
    pub place: fn(&mut Settings) -> Place<'_>,
}

/// Where a parameter stands, by the kind of its number.
pub(crate) enum Place<'a> {
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
        crate::tune::Parameter {
            name: stringify!($($path).+),
            values: &$values,
            place: |settings| crate::tune::Place::$kind(&mut settings.$($path).+),
        }
    };
}
pub(crate) use parameter;

/// Returns how many parameters there are.
pub fn parameters() -> usize {
    parts::ALL.iter().map(|part| part.parameters().len()).sum()
}

/// Tries the parameters of all parts for which there is enough to learn from, until the time is over; `done` is told
/// after each.
pub fn tune(logs: &Logs, settings: &Settings, budget: Duration, done: &mut dyn FnMut()) -> Tuned {
    let mut search = Search { until: Instant::now() + budget, settings: *settings, tried: Vec::new(), done };
    let mut is_complete = true;
    for part in parts::ALL {
        let Some(questions) = part.questions(logs, settings) else { continue };
        is_complete &= search.go(part.parameters(), |settings| part.gain(&questions, settings));
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

/// Returns what later baskets ask of a task.
pub(crate) fn of_baskets<'a>(logs: &'a Logs, task: Task, settings: &Settings) -> Option<Questions<'a>> {
    let (early, late) = slices(logs.orders.all(), settings)?;
    let known = known(early);
    let cases = evaluate::basket_cases(task, late, CASES_MAX, |item| known[item as usize]);
    Some(Questions { kind: Kind::Baskets, early, cases })
}

/// Returns what those who came back ask of early orders, nothing where nobody is known to have done so.
pub(crate) fn of_returns<'a>(logs: &'a Logs, settings: &Settings) -> Option<Questions<'a>> {
    let (early, _) = slices(logs.orders.all(), settings)?;
    let known = known(early);
    let (asked, _) = logs.orders.all().latest(settings.lines).split_by_time(1.0 - LATER);
    let cases = evaluate::return_cases(asked, early.len(), CASES_MAX, |item| known[item as usize]);
    (!cases.is_empty()).then_some(Questions { kind: Kind::Baskets, early, cases })
}

/// Returns what later sessions ask.
pub(crate) fn of_sessions<'a>(logs: &'a Logs, settings: &Settings) -> Option<Questions<'a>> {
    let (early, late) = slices(logs.sessions.all(), settings)?;
    let known = known(early);
    let cases = evaluate::prefixes(late, CASES_MAX, |item| known[item as usize]);
    Some(Questions { kind: Kind::Sessions, early, cases })
}

/// Returns what is learnt from and what asks: the latest tenth but one, for the latest is what the model is measured by.
fn slices<'a>(log: Slice<'a>, settings: &Settings) -> Option<(Slice<'a>, Slice<'a>)> {
    let (early, _) = enough(log, settings)?.split_by_time(1.0 - LATER);
    Some(early.split_by_time(1.0 - LATER))
}

/// Returns of each item whether a slice holds it.
fn known(slice: Slice<'_>) -> Vec<bool> {
    let mut known = vec![false; slice.log().items().len()];
    slice.entries().for_each(|(_, entry)| entry.iter().for_each(|&item| known[item as usize] = true));
    known
}

/// Returns the NDCG@20 of a model's answers, without what is given of a basket, and without what is on screen of a session.
pub(crate) fn gain(questions: &Questions<'_>, model: impl Ask) -> f64 {
    let mut measure = Measure::new(questions.early.log().items().len());
    let (mut scratch, mut best, mut list) = (model.scratch(), Ranked::new(), Vec::new());
    for case in &questions.cases {
        model.ask(&case.given, LIST + case.given.len(), &mut scratch, &mut best);
        list.clear();
        list.extend(best.iter().map(|item| item.0).filter(|item| questions.may_be(case, *item)).take(LIST));
        measure.add(case, &list);
    }
    measure.mean_gain()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{log::Gather, pairs};

    /// The parameters of sessions, of which the shop below has none.
    const SESSIONS: usize = 7;

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
        assert_eq!((tuned.tried.len(), told), (parameters() - SESSIONS, tuned.tried.len()));
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
