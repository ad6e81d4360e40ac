//! Evaluation: models learnt from earlier orders, asked what later orders held.
//!
//! The last orders are set aside by time. From each of their baskets items are hidden, and the index that a server
//! would use is asked for them. The choice of what is hidden is a hash of the place of the order and the item: the same every time.

mod measure;
mod report;

pub use report::{print_json, print_table};

use std::collections::HashSet;

use cart_core::Sku;
use recommender::{Index, Score, Settings, model::Invalid};

use crate::{
    orders::Orders,
    pairs::mix,
    progress::Bar,
    train::{Origin, train},
};
use measure::Measure;

/// The length of the lists that are looked at.
pub const LIST: usize = 20;

/// The most items hidden, one at a time, from one basket: long baskets would outvote short ones.
const HIDDEN_MAX: usize = 3;

/// Says how the later orders were told from the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// By time: the later orders were placed at this time or after.
    Time {
        /// Unix milliseconds.
        from_ms: i64,
    },
    /// By position, for time does not tell the orders apart.
    Position,
}

/// Names a question that is asked of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// The basket without one item is given, and that item is to be found.
    LeaveOneOut,
    /// One item of the basket is given, and another is to be found.
    BoughtTogether,
}

impl Task {
    const ALL: [Self; 2] = [Self::LeaveOneOut, Self::BoughtTogether];

    /// Returns the name, as tables spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeaveOneOut => "leave_one_out",
            Self::BoughtTogether => "bought_together",
        }
    }
}

/// Holds what an evaluation found.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// How the orders were split.
    pub split: Split,
    /// How many orders were learnt from.
    pub train_orders: usize,
    /// How many orders came after.
    pub test_orders: usize,
    /// How many of those hold fewer than two items that the earlier orders know, so that nothing can be asked.
    pub unusable_orders: usize,
    /// How many items the earlier orders know.
    pub items: usize,
    /// The measures, by task, popularity first.
    pub rows: Vec<Row>,
}

/// Holds the measures of one way to recommend at one task.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was asked.
    pub task: Task,
    /// The score, or `None` for popularity.
    pub score: Option<Score>,
    /// How good the answers were.
    pub measure: Measure,
}

/// One question: the items that are given, and the one to be found.
struct Case {
    given: Vec<Sku>,
    hidden: Sku,
}

/// Evaluates every score of [`Score::ALL`] beside popularity; `test_percent` of the orders are the later ones.
///
/// # Errors
/// Where no model can be made of the orders.
pub fn evaluate(orders: &Orders, settings: &Settings, test_percent: f64) -> Result<Evaluation, Invalid> {
    let (split, train_orders) = split(orders, test_percent);
    let earlier = orders.first(train_orders);
    let (baskets, unusable_orders) = later_baskets(orders, &earlier, train_orders);
    let origin =
        Origin { now_ms: orders.latest_at_ms(), through_position: 0, through_at_ms: orders.latest_at_ms() };
    let mut indices = Vec::new();
    for score in Score::ALL {
        let settings = Settings { score, ..settings.clone() };
        indices.push((score, Index::new(train(&earlier, &settings, origin)?)));
    }
    let mut rows = Vec::new();
    for task in Task::ALL {
        let cases: Vec<Case> = baskets.iter().flat_map(|basket| cases(task, basket)).collect();
        let bar = Bar::count(task.name(), (cases.len() * (indices.len() + 1)) as u64);
        rows.push(Row { task, score: None, measure: asked(&cases, &indices[0].1, None, &bar) });
        for (score, index) in &indices {
            rows.push(Row { task, score: Some(*score), measure: asked(&cases, index, Some(task), &bar) });
        }
        bar.finish();
    }
    let (items, test_orders) = (earlier.items().len(), orders.len() - train_orders);
    Ok(Evaluation { split, train_orders, test_orders, unusable_orders, items, rows })
}

/// Returns how orders are split and how many are the earlier ones: all that were placed before the later part's first.
fn split(orders: &Orders, test_percent: f64) -> (Split, usize) {
    let test = (orders.len() as f64 * test_percent / 100.0).ceil() as usize;
    let wanted = orders.len().saturating_sub(test.max(1));
    let from_ms = if wanted < orders.len() { orders.at_ms(wanted) } else { 0 };
    let earlier = (0..wanted).rev().find(|&order| orders.at_ms(order) < from_ms).map_or(0, |last| last + 1);
    // Where the later part's first instant reaches back to the beginning, time tells nothing.
    if earlier == 0 { (Split::Position, wanted) } else { (Split::Time { from_ms }, earlier) }
}

/// A later order with its items that earlier orders know.
struct Basket {
    place: usize,
    known: Vec<Sku>,
}

fn later_baskets(orders: &Orders, earlier: &Orders, first: usize) -> (Vec<Basket>, usize) {
    let known: HashSet<&Sku> = earlier.items().iter().collect();
    let mut unusable = 0;
    let mut baskets = Vec::new();
    for place in first..orders.len() {
        let items = orders.items_of(place).iter().map(|&item| &orders.items()[item as usize]);
        let known: Vec<Sku> = items.filter(|sku| known.contains(sku)).cloned().collect();
        if known.len() < 2 {
            unusable += 1;
        } else {
            baskets.push(Basket { place, known });
        }
    }
    (baskets, unusable)
}

fn cases(task: Task, basket: &Basket) -> Vec<Case> {
    let mut drawn: Vec<usize> = (0..basket.known.len()).collect();
    drawn.sort_by_key(|&item| mix((basket.place as u64) << 32 | item as u64));
    let sku = |item: usize| basket.known[item].clone();
    match task {
        Task::LeaveOneOut => {
            let others = |hidden| (0..basket.known.len()).filter(|&item| item != hidden).map(sku).collect();
            let hidden = drawn.iter().take(HIDDEN_MAX);
            hidden.map(|&hidden| Case { given: others(hidden), hidden: sku(hidden) }).collect()
        }
        Task::BoughtTogether => vec![Case { given: vec![sku(drawn[0])], hidden: sku(drawn[1]) }],
    }
}

/// Asks every case of an index, by popularity alone where there is no task.
fn asked(cases: &[Case], index: &Index, task: Option<Task>, bar: &Bar) -> Measure {
    let mut measure = Measure::new(index.item_count());
    for case in cases {
        let suggestions = match task {
            None => index.popular(LIST, &|sku| !case.given.contains(sku)),
            Some(Task::LeaveOneOut) => index.goes_with(&case.given, LIST, &|_| true),
            Some(Task::BoughtTogether) => index.bought_together(&case.given[0], LIST, &|_| true),
        };
        let rank = suggestions.iter().position(|suggestion| suggestion.sku == case.hidden);
        measure.add(rank.map(|place| place + 1), suggestions.into_iter().map(|suggestion| suggestion.sku));
        bar.advance(1);
    }
    measure
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    fn settings() -> Settings {
        Settings {
            score: Score::Cosine,
            half_life_days: 180.0,
            neighbours: 50,
            min_support: 1,
            shrink: 0.0,
            length_power: 0.0,
            order_items_max: 500,
        }
    }

    /// Thirty kinds of pairs that are always bought together, forty times.
    fn pairs(at_ms: impl Fn(usize) -> i64) -> Orders {
        let names: Vec<[String; 2]> = (0..30).map(|i| [format!("A{i:02}"), format!("B{i:02}")]).collect();
        let baskets: Vec<[&str; 2]> = names.iter().map(|[a, b]| [a.as_str(), b.as_str()]).collect();
        let orders: Vec<(i64, &[&str])> = (0..1_200).map(|o| (at_ms(o), &baskets[o % 30][..])).collect();
        Orders::of(&orders)
    }

    #[test]
    fn what_is_always_bought_together_is_found_first_and_popularity_finds_a_third() {
        let evaluation = evaluate(&pairs(|order| order as i64 * DAY), &settings(), 10.0).unwrap();
        assert_eq!((evaluation.train_orders, evaluation.test_orders, evaluation.items), (1_080, 120, 60));
        assert_eq!(evaluation.split, Split::Time { from_ms: 1_080 * DAY });
        for row in &evaluation.rows {
            let found = row.measure.hit_rate_20();
            if row.score.is_some() {
                assert_eq!((found, row.measure.reciprocal_rank_20()), (1.0, 1.0), "{row:?}");
                assert!(row.measure.coverage() > 0.9);
            } else {
                // Twenty of sixty items, all equally popular but for their age.
                assert!((0.1..0.6).contains(&found), "{found}");
            }
        }
    }

    #[test]
    fn orders_of_one_instant_are_split_by_position() {
        let evaluation = evaluate(&pairs(|_| 5), &settings(), 20.0).unwrap();
        assert_eq!((evaluation.split, evaluation.train_orders), (Split::Position, 960));
    }

    #[test]
    fn orders_of_the_same_time_are_not_torn_apart() {
        let orders = Orders::of(&[(0, &["A", "B"]), (1, &["A", "B"]), (1, &["A", "B"]), (1, &["A", "B"])]);
        assert_eq!(split(&orders, 25.0), (Split::Time { from_ms: 1 }, 1));
        assert_eq!(split(&orders, 0.0), (Split::Time { from_ms: 1 }, 1));
        assert_eq!(split(&orders, 100.0), (Split::Position, 0));
    }

    #[test]
    fn up_to_three_items_are_hidden_and_never_given() {
        let skus = |n: usize| (0..n).map(|i| Sku::parse(&format!("I{i}")).unwrap()).collect::<Vec<_>>();
        for (items, expected) in [(2, 2), (3, 3), (9, 3)] {
            let basket = Basket { place: 7, known: skus(items) };
            let cases = cases(Task::LeaveOneOut, &basket);
            assert_eq!(cases.len(), expected);
            assert!(
                cases.iter().all(|case| case.given.len() == items - 1 && !case.given.contains(&case.hidden))
            );
        }
    }

    #[test]
    fn an_order_of_unknown_items_asks_nothing() {
        let orders = Orders::of(&[(0, &["A", "B"]), (DAY, &["A", "NEW"]), (DAY, &["A", "B", "NEW"])]);
        let evaluation = evaluate(&orders, &settings(), 50.0).unwrap();
        assert_eq!((evaluation.test_orders, evaluation.unusable_orders), (2, 1));
        assert_eq!(evaluation.rows[0].measure.cases(), 2);
    }
}
