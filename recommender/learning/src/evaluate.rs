//! Evaluation: models learnt from what came before, asked what came after.
//!
//! Four protocols: `session` (every prefix of a later session is asked for the next item), `loo` (a basket without one
//! item is asked for it), `fbt` (one item is asked for another of its basket) and `after` (what a customer had bought is asked for
//! something that they buy for the first time on a later occasion). An answer is a list of [`LIST`] items.

mod anchors;
pub mod measure;

use std::time::Instant;

use recommender::{
    Measured, Task,
    basket::{self, BasketModel},
    history,
    pairs::Pairs,
    ranker::Ranker,
    session::{self, Retrieval, SessionModel},
    tally::{Tally, keep_best},
};

use crate::{
    after, baskets as learnt_baskets,
    draw::mix,
    log::{Log, Slice},
    pairs::{self, Score},
    sessions as learnt_sessions,
    teach::Question,
};
pub use measure::{Figures, Interval, Measure};

/// The length of the lists that are looked at.
pub const LIST: usize = 20;

/// One question: what is given, and what came: the next item first, where more of a session is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The items given.
    pub given: Vec<u32>,
    /// The items to be found, the next one first.
    pub came: Vec<u32>,
    /// Cases of one group, as those of one session, are not independent of each other.
    pub group: u32,
}

/// Says whether the item on screen may be suggested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// It may: whoever looks at it may come back to it.
    Allowed,
    /// It may not, as on a storefront's page of that item.
    Removed,
}

impl Policy {
    /// Returns the name, as tables spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Removed => "removed",
        }
    }
}

/// Holds what one method attained under one policy.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was asked.
    pub task: Task,
    /// The method.
    pub method: &'static str,
    /// The policy for the item on screen; none where a basket's own items are never suggested.
    pub policy: Option<Policy>,
    /// What it attained.
    pub figures: Figures,
    /// The times of an answer that a half, nine tenths and 99 of a hundred did not exceed, in microseconds.
    pub micros: [f64; 3],
}

impl Row {
    /// Returns what a model's file says of it; of two policies for the item on screen it keeps the one that a storefront
    /// has, which never shows it again.
    pub fn measured(&self) -> Option<Measured> {
        let ends = |i: Interval| [i.mean, i.low, i.high];
        (self.policy != Some(Policy::Allowed)).then(|| Measured {
            task: self.task,
            method: self.method.to_owned(),
            cases: self.figures.cases,
            hit_rate_20: ends(self.figures.hit_rate),
            mrr_20: ends(self.figures.reciprocal_rank),
            coverage: self.figures.coverage,
        })
    }
}

/// A method: puts its best items for what is given into the list.
type Method<'a> = (&'static str, Box<dyn FnMut(&[u32], &mut Vec<(u32, f32)>) + 'a>);

/// Returns the cases of later sessions whose items the earlier log knows.
pub fn session_cases(log: &Log, later: &Log) -> Vec<Case> {
    let known: Vec<Option<u32>> = later.items().iter().map(|item| log.item(item)).collect();
    let mut cases = Vec::new();
    for (group, (_, entry)) in later.all().entries().enumerate() {
        let items: Vec<u32> = entry.iter().filter_map(|&item| known[item as usize]).collect();
        for at in 1..items.len() {
            cases.push(Case { given: items[..at].to_vec(), came: items[at..].to_vec(), group: group as u32 });
        }
    }
    cases
}

/// Returns the cases of later sessions of the same log, of items that are known; of many sessions some, evenly.
pub fn prefixes(later: Slice<'_>, most: usize, is_known: impl Fn(u32) -> bool) -> Vec<Case> {
    thinned(later.len(), most, learnt_sessions::questions(later, is_known))
}

/// Returns the cases of later baskets of the same log, up to three of a basket, of items that are known; of many baskets
/// some, evenly.
pub fn basket_cases(task: Task, later: Slice<'_>, most: usize, is_known: impl Fn(u32) -> bool) -> Vec<Case> {
    let hidden = if task == Task::Loo { HIDDEN_MAX } else { 1 };
    thinned(later.len(), most, learnt_baskets::questions(task, later, hidden, is_known))
}

/// The most items hidden, one at a time, from one basket: long baskets would outvote short ones.
const HIDDEN_MAX: usize = 3;

/// Returns the cases of the orders from a place on whose customers had ordered before: what they had, and something new that is known,
/// up to three of an order; of many orders some, evenly.
pub fn return_cases(
    orders: Slice<'_>,
    from: usize,
    most: usize,
    is_known: impl Fn(u32) -> bool,
) -> Vec<Case> {
    let mut questions = Vec::new();
    after::returns(orders, |of| {
        if of.entry < from {
            return;
        }
        let mut new: Vec<u32> = of.new.iter().copied().filter(|&item| is_known(item)).collect();
        new.sort_unstable_by_key(|&item| mix(u64::from(item) ^ mix(of.entry as u64)));
        let given: Vec<u32> = of.had.iter().rev().copied().collect();
        questions.extend(new.into_iter().take(HIDDEN_MAX).map(|right| Question {
            given: given.clone(),
            right,
            entry: of.entry as u32,
        }));
    });
    thinned(orders.len(), most, questions)
}

fn thinned(entries: usize, most: usize, questions: Vec<Question>) -> Vec<Case> {
    let every = (questions.len().div_ceil(most).max(1) as u32).min(entries.max(1) as u32);
    let asked = questions.into_iter().filter(|question| question.entry.is_multiple_of(every));
    asked.map(|Question { given, right, entry }| Case { given, came: vec![right], group: entry }).collect()
}

/// Asks a session model, and simpler methods beside it, under both policies.
pub fn sessions(
    model: &SessionModel,
    log: Slice<'_>,
    counting: &pairs::Settings,
    cases: &[Case],
) -> Vec<Row> {
    let popular = most_viewed(log);
    let counted = pairs::count(log, counting);
    let mut vmis = anchors::VmisKnn::new(log);
    let plain = plain(model);
    let (mut scratch, mut plain_scratch) = (model.scratch(), plain.scratch());
    let mut retrieval = Retrieval::new(model);
    let methods: Vec<Method<'_>> = vec![
        ("popularity", Box::new(|_, best| best.clone_from(&popular))),
        (
            "after the last",
            Box::new(|given, best| {
                let list = model.signals.next.of(given[given.len() - 1]);
                best.clear();
                best.extend(list.iter().take(LIST + 1).map(|entry| (entry.item, entry.score)));
            }),
        ),
        ("pairs", Box::new(|given, best| by_pairs(&counted, given, best))),
        ("VMIS-kNN", Box::new(|given, best| vmis.next(given, LIST + 1, best))),
        ("past sessions", Box::new(|given, best| retrieval.next(given, LIST + 1, best))),
        ("weighted", Box::new(|given, best| plain.next(given, LIST + 1, &mut plain_scratch, best))),
        ("ranked", Box::new(|given, best| model.next(given, LIST + 1, &mut scratch, best))),
    ];
    let items = log.log().items().len();
    let ask = |(name, ask): Method<'_>| {
        asked(Task::Session, name, ask, &[Some(Policy::Allowed), Some(Policy::Removed)], cases, items)
    };
    methods.into_iter().flat_map(ask).collect()
}

/// Asks a basket model, and simpler methods beside it.
pub fn baskets(
    model: &BasketModel,
    log: Slice<'_>,
    counting: &pairs::Settings,
    task: Task,
    cases: &[Case],
) -> Vec<Row> {
    let counted = Score::ALL.map(|score| (score, pairs::count(log, &pairs::Settings { score, ..*counting })));
    let items = log.log().items().len();
    let popular = most_viewed(log);
    let unforested = |ranker: &Ranker| Ranker { weights: ranker.weights.clone(), ..Ranker::default() };
    let plain = BasketModel {
        signals: model.signals.clone(),
        completion: unforested(&model.completion),
        together: unforested(&model.together),
    };
    let (mut scratch, mut plain_scratch) = (model.scratch(), plain.scratch());
    let (mut tally, mut past) = (Tally::new(items), model.signals.past.scratch());
    let (ease, mut eased) = (anchors::ease(log), Tally::new(items));
    let mut others = Tally::new(items);
    let mut methods: Vec<Method<'_>> = vec![
        ("popularity", Box::new(|given, best| *best = without(given, &popular))),
        (
            "past baskets",
            Box::new(|given, best| {
                model.signals.past.score(given, &mut past, &mut tally);
                take_best(&mut tally, given, best);
            }),
        ),
        (
            "EASE",
            Box::new(|given, best| {
                given.iter().for_each(|&item| eased.add_all(ease.of(item), 1.0));
                take_best(&mut eased, given, best);
            }),
        ),
        (
            "linear",
            Box::new(|given, best| {
                given.iter().for_each(|&item| others.add_all(model.signals.linear.of(item), 1.0));
                take_best(&mut others, given, best);
            }),
        ),
        ("weighted", Box::new(|given, best| plain.goes_with(given, LIST, &mut plain_scratch, best))),
        ("ranked", Box::new(|given, best| model.goes_with(given, LIST, &mut scratch, best))),
    ];
    methods.splice(
        1..1,
        counted.iter().map(|(score, pairs)| {
            let method: Method<'_> = (score.name(), Box::new(|given, best| by_pairs(pairs, given, best)));
            method
        }),
    );
    methods.into_iter().flat_map(|(name, ask)| asked(task, name, ask, &[None], cases, items)).collect()
}

/// Asks what returning customers buy, of what they had.
pub fn returns(
    model: &BasketModel,
    log: Slice<'_>,
    counting: &pairs::Settings,
    after: &pairs::Settings,
    cases: &[Case],
) -> Vec<Row> {
    let (counted, after) = (pairs::count(log, counting), after::count(log, after));
    let items = log.log().items().len();
    let popular = most_viewed(log);
    let (mut scratch, mut scratch_of_next) = (model.scratch(), model.scratch());
    let goes_with = |given: &[u32], scratch: &mut basket::Scratch| {
        let (latest, mut best) = (&given[..given.len().min(history::LATEST_MAX)], Vec::new());
        model.goes_with(latest, basket::CANDIDATES, scratch, &mut best);
        best
    };
    let methods: Vec<Method<'_>> = vec![
        ("popularity", Box::new(|given, best| *best = without(given, &popular))),
        ("pairs", Box::new(|given, best| by_pairs(&counted, given, best))),
        ("baskets", Box::new(|given, best| *best = without(given, &goes_with(given, &mut scratch)))),
        ("after", Box::new(|given, best| *best = history::after(&after, given))),
        (
            "ranked",
            Box::new(|given, best| {
                *best = history::next(goes_with(given, &mut scratch_of_next), &after, given);
            }),
        ),
    ];
    methods.into_iter().flat_map(|(name, ask)| asked(Task::After, name, ask, &[None], cases, items)).collect()
}

/// Returns a list without what is given.
fn without(given: &[u32], list: &[(u32, f32)]) -> Vec<(u32, f32)> {
    list.iter().copied().filter(|item| !given.contains(&item.0)).collect()
}

/// Asks a session model with rankers that do without a part each.
pub fn ablated_sessions(
    model: &SessionModel,
    rankers: Vec<(&'static str, Ranker)>,
    cases: &[Case],
) -> Vec<Row> {
    let (mut model, items) = (model.clone(), model.signals.fame.len());
    let ask = |(name, ranker)| {
        model.ranker = ranker;
        let mut scratch = model.scratch();
        let ask = |given: &[u32], best: &mut _| model.next(given, LIST + 1, &mut scratch, best);
        asked(Task::Session, name, ask, &[Some(Policy::Allowed), Some(Policy::Removed)], cases, items)
    };
    rankers.into_iter().flat_map(ask).collect()
}

/// Asks a basket model with rankers that do without a part each.
pub fn ablated_baskets(
    model: &BasketModel,
    rankers: Vec<(&'static str, [Ranker; 2])>,
    task: Task,
    cases: &[Case],
) -> Vec<Row> {
    let (mut model, items) = (model.clone(), model.signals.fame.len());
    let ask = |(name, [completion, together]): (&'static str, [Ranker; 2])| {
        (model.completion, model.together) = (completion, together);
        let mut scratch = model.scratch();
        let ask = |given: &[u32], best: &mut _| model.goes_with(given, LIST, &mut scratch, best);
        asked(task, name, ask, &[None], cases, items)
    };
    rankers.into_iter().flat_map(ask).collect()
}

/// Ranks the partners of what is given, without what is given.
pub fn by_pairs(pairs: &Pairs, given: &[u32], best: &mut Vec<(u32, f32)>) {
    *best = recommender::pairs::ranked(pairs, given, |_| 1.0);
    best.retain(|item| !given.contains(&item.0));
}

fn plain(model: &SessionModel) -> SessionModel {
    let ranker = Ranker { weights: model.ranker.weights.clone(), ..Ranker::default() };
    SessionModel { ranker, ..model.clone() }
}

fn take_best(tally: &mut Tally, given: &[u32], best: &mut Vec<(u32, f32)>) {
    tally.best(LIST + given.len(), best);
    tally.clear();
    best.retain(|item| !given.contains(&item.0));
}

/// Returns the items that stand in most entries, enough for a list without what a long basket holds.
fn most_viewed(log: Slice<'_>) -> Vec<(u32, f32)> {
    let mut counts = vec![0.0; log.log().items().len()];
    log.entries().for_each(|(_, entry)| entry.iter().for_each(|&item| counts[item as usize] += 1.0));
    let mut most: Vec<(u32, f32)> =
        counts.into_iter().enumerate().map(|(item, count)| (item as u32, count)).collect();
    keep_best(&mut most, LIST + session::CANDIDATES);
    most
}

fn asked(
    task: Task,
    method: &'static str,
    mut ask: impl FnMut(&[u32], &mut Vec<(u32, f32)>),
    policies: &[Option<Policy>],
    cases: &[Case],
    items: usize,
) -> Vec<Row> {
    let mut measures: Vec<Measure> = policies.iter().map(|_| Measure::new(items)).collect();
    let (mut best, mut list, mut nanos) = (Vec::new(), Vec::new(), Vec::with_capacity(cases.len()));
    for case in cases {
        let began = Instant::now();
        ask(&case.given, &mut best);
        nanos.push(began.elapsed().as_nanos() as u64);
        for (policy, measure) in policies.iter().zip(&mut measures) {
            let on_screen = case.given[case.given.len() - 1];
            let may = |item: &u32| *policy != Some(Policy::Removed) || *item != on_screen;
            list.clear();
            list.extend(best.iter().map(|item| item.0).filter(may).take(LIST));
            measure.add(case, &list);
        }
    }
    nanos.sort_unstable();
    let micros = [0.5, 0.9, 0.99].map(|part| {
        let place = ((nanos.len() as f64 * part) as usize).min(nanos.len().saturating_sub(1));
        nanos.get(place).map_or(0.0, |nanos| *nanos as f64 / 1_000.0)
    });
    let row = |(policy, measure): (&Option<Policy>, Measure)| Row {
        task,
        method,
        policy: *policy,
        figures: measure.figures(),
        micros,
    };
    policies.iter().zip(measures).map(row).collect()
}
