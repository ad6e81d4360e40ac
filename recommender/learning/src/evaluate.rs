//! Evaluation: models learnt from what came before, asked what came after.
//!
//! Four protocols: `session` (every prefix of a later session is asked for the next item), `loo` (a basket without one
//! item is asked for it), `fbt` (one item is asked for another of its basket) and `after` (what a customer had bought is asked for
//! something that they buy for the first time on a later occasion). An answer is a list of [`LIST`] items.

mod anchors;
pub mod measure;

use std::time::Instant;

use recommender::{
    Ask, Measured, POPULARITY, RANKED, Ranked, Task,
    basket::BasketModel,
    history::{BoughtAfter, History, Latest},
    lists::{Entry, Lists, Popular},
    pairs::BoughtWith,
    ranker::Ranker,
    session::{self, Retrieval, SessionModel},
    tally::keep_best,
};

use crate::{
    after, baskets as learnt_baskets,
    draw::mix,
    log::{Log, Slice},
    pairs::{self, Score},
    sessions as learnt_sessions,
    teach::Question,
    train::Settings,
};
pub use measure::{Figures, Interval, Measure};

/// The length of the lists that are looked at.
pub const LIST: usize = 20;

/// The number of an item that a log does not know: nothing finds it, and who asks for it counts as missed.
pub const UNKNOWN: u32 = u32::MAX;

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

/// Is a method that is asked: a name, and a model.
struct Method<'a> {
    name: &'static str,
    ask: Box<Asking<'a>>,
}

/// Puts the best items for what is given into the list, at most so many.
type Asking<'a> = dyn FnMut(&[u32], usize, &mut Ranked) + 'a;

impl<'a> Method<'a> {
    fn new<M: Ask + 'a>(name: &'static str, model: M) -> Self {
        let mut scratch = model.scratch();
        let ask =
            move |given: &[u32], most: usize, best: &mut Ranked| model.ask(given, most, &mut scratch, best);
        Self { name, ask: Box::new(ask) }
    }
}

/// Ranks what a list of the item on screen says, and nothing else.
struct AfterTheLast<'a>(&'a Lists);

impl Ask for AfterTheLast<'_> {
    type Scratch = ();

    fn scratch(&self) {}

    fn ask(&self, given: &[u32], most: usize, (): &mut (), best: &mut Ranked) {
        let list = given.last().map(|&item| self.0.of(item)).unwrap_or_default();
        best.clear();
        best.extend(list.iter().take(most).map(|entry| (entry.item, entry.score)));
    }
}

/// Ranks partners of what is given, without what is given.
struct Others<'a>(BoughtWith<'a>);

impl Ask for Others<'_> {
    type Scratch = ();

    fn scratch(&self) {}

    fn ask(&self, given: &[u32], most: usize, (): &mut (), best: &mut Ranked) {
        self.0.ask(given, most, &mut (), best);
        best.retain(|item| !given.contains(&item.0));
    }
}

/// Asks a session model, and simpler methods beside it, under both policies.
pub fn sessions(
    model: &SessionModel,
    log: Slice<'_>,
    counting: &pairs::Settings,
    cases: &[Case],
) -> Vec<Row> {
    let (popular, counted) = (most_viewed(log), pairs::count(log, counting));
    let methods = vec![
        Method::new(POPULARITY, Popular(&popular)),
        Method::new("after the last", AfterTheLast(&model.signals.next)),
        Method::new("pairs", Others(BoughtWith::of(&counted))),
        Method::new("VMIS-kNN", anchors::VmisKnn::new(log)),
        Method::new("past sessions", Retrieval::new(model)),
        Method::new("weighted", plain_sessions(model)),
        Method::new(RANKED, model),
    ];
    asked(Task::Session, methods, cases, log.log().items().len())
}

/// Asks a basket model, and simpler methods beside it.
pub fn baskets(
    model: &BasketModel,
    log: Slice<'_>,
    settings: &Settings,
    task: Task,
    cases: &[Case],
) -> Vec<Row> {
    let counted =
        Score::ALL.map(|score| (score, pairs::count(log, &pairs::Settings { score, ..settings.pairs })));
    let popular = most_viewed(log);
    let plain = |ranker: &Ranker| Ranker { weights: ranker.weights.clone(), ..Ranker::default() };
    let weighted = BasketModel {
        signals: model.signals.clone(),
        completion: plain(&model.completion),
        together: plain(&model.together),
    };
    let mut methods = vec![Method::new(POPULARITY, Popular(&popular))];
    methods.extend(counted.iter().map(|(score, pairs)| Method::new(score.name(), BoughtWith::of(pairs))));
    methods.extend([
        Method::new("past baskets", &model.signals.past),
        Method::new("EASE", anchors::ease(log, settings.baskets.doubt.items)),
        Method::new("P3alpha", anchors::walks(log, 0.0)),
        Method::new("RP3beta", anchors::walks(log, anchors::BETA)),
        Method::new("linear", &model.signals.linear),
        Method::new("weighted", weighted),
        Method::new(RANKED, model),
    ]);
    asked(task, methods, cases, log.log().items().len())
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
    let (popular, after) = (most_viewed(log), BoughtAfter::of(&after));
    let methods = vec![
        Method::new(POPULARITY, Popular(&popular)),
        Method::new("pairs", BoughtWith::of(&counted)),
        Method::new("baskets", Latest(model)),
        Method::new("after", after),
        Method::new(RANKED, History { baskets: model, after }),
    ];
    asked(Task::After, methods, cases, log.log().items().len())
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
        asked(Task::Session, vec![Method::new(name, &model)], cases, items)
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
        asked(task, vec![Method::new(name, &model)], cases, items)
    };
    rankers.into_iter().flat_map(ask).collect()
}

fn plain_sessions(model: &SessionModel) -> SessionModel {
    let ranker = Ranker { weights: model.ranker.weights.clone(), ..Ranker::default() };
    SessionModel { ranker, ..model.clone() }
}

/// Returns the items that stand in most entries, enough for a list without what a long basket holds.
fn most_viewed(log: Slice<'_>) -> Vec<Entry> {
    let mut counts = vec![0.0; log.log().items().len()];
    log.entries().for_each(|(_, entry)| entry.iter().for_each(|&item| counts[item as usize] += 1.0));
    let mut most: Ranked = counts.into_iter().enumerate().map(|(item, count)| (item as u32, count)).collect();
    keep_best(&mut most, LIST + session::CANDIDATES);
    most.into_iter().map(|(item, score)| Entry { item, score }).collect()
}

/// Puts the cases of a task to methods: of sessions under both policies for the item on screen; of baskets what is given is never
/// an answer.
fn asked(task: Task, methods: Vec<Method<'_>>, cases: &[Case], items: usize) -> Vec<Row> {
    let policies: &[Option<Policy>] = match task {
        Task::Session => &[Some(Policy::Allowed), Some(Policy::Removed)],
        Task::Loo | Task::Fbt | Task::After => &[None],
    };
    methods.into_iter().flat_map(|method| one_asked(task, method, policies, cases, items)).collect()
}

fn one_asked(
    task: Task,
    mut method: Method<'_>,
    policies: &[Option<Policy>],
    cases: &[Case],
    items: usize,
) -> Vec<Row> {
    let mut measures: Vec<Measure> = policies.iter().map(|_| Measure::new(items)).collect();
    let (mut best, mut list, mut nanos) = (Ranked::new(), Vec::new(), Vec::with_capacity(cases.len()));
    for case in cases {
        let spare = if task == Task::Session { 1 } else { case.given.len() };
        let began = Instant::now();
        (method.ask)(&case.given, LIST + spare, &mut best);
        nanos.push(began.elapsed().as_nanos() as u64);
        for (policy, measure) in policies.iter().zip(&mut measures) {
            let may = |item: &u32| match policy {
                None => !case.given.contains(item),
                Some(Policy::Allowed) => true,
                Some(Policy::Removed) => case.given.last() != Some(item),
            };
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
        method: method.name,
        policy: *policy,
        figures: measure.figures(),
        micros,
    };
    policies.iter().zip(measures).map(row).collect()
}
