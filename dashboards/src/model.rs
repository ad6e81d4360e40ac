//! The recommendation model in service: what it was learnt from, and what it attained before anybody saw it.

use serde::Serialize;

use crate::{
    figure::{count, decimal, percent},
    moment::Moment,
};

/// Holds what is known of the model in service.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInService {
    /// When it was trained, Unix milliseconds.
    pub trained_at_ms: i64,
    /// The time of the first event that it was learnt from, Unix milliseconds.
    pub from_ms: i64,
    /// The time of the last one.
    pub through_ms: i64,
    /// How many orders it was learnt from.
    pub orders: u64,
    /// How many sessions.
    pub sessions: u64,
    /// How many products it knows.
    pub items: u64,
    /// What methods attained at questions of the latest part of these, task by task.
    pub figures: Vec<OfflineFigure>,
}

/// Is what one method attained at one task.
#[derive(Debug, Clone, PartialEq)]
pub struct OfflineFigure {
    /// What was asked, for people.
    pub task: String,
    /// The method.
    pub method: String,
    /// What it does, for people; empty where nobody knows.
    pub meaning: String,
    /// Whether it is the one that fills shelves now.
    pub serves: bool,
    /// How many questions were asked.
    pub cases: u64,
    /// The part of them whose answer was among the first twenty, with its 95 % interval.
    pub hit_rate: [f64; 3],
    /// The mean of one by the answer's place, with its 95 % interval.
    pub reciprocal_rank: [f64; 3],
    /// The part of the products that was in any list.
    pub coverage: f64,
}

#[derive(Serialize)]
pub(crate) struct View<'a> {
    trained: Moment,
    from: Moment,
    through: Moment,
    orders: String,
    sessions: String,
    items: String,
    tasks: Vec<Asked<'a>>,
}

/// Holds one task: the method that serves, which stands in the open, and all of them beside each other.
#[derive(Serialize)]
struct Asked<'a> {
    task: &'a str,
    serving: Row<'a>,
    best_other: Option<Row<'a>>,
    rows: Vec<Row<'a>>,
}

#[derive(Clone, Serialize)]
struct Row<'a> {
    method: &'a str,
    meaning: &'a str,
    serves: bool,
    cases: String,
    hit_rate: String,
    hit_rate_interval: String,
    reciprocal_rank: String,
    reciprocal_rank_interval: String,
    coverage: String,
}

impl ModelInService {
    pub(crate) fn view(&self) -> View<'_> {
        View {
            trained: Moment::of(self.trained_at_ms),
            from: Moment::of(self.from_ms),
            through: Moment::of(self.through_ms),
            orders: count(self.orders),
            sessions: count(self.sessions),
            items: count(self.items),
            tasks: self.figures.chunk_by(|one, next| one.task == next.task).filter_map(asked).collect(),
        }
    }
}

/// Puts the figures of one task in order, the best first. Where none of them serves, the best stands in the open.
fn asked(figures: &[OfflineFigure]) -> Option<Asked<'_>> {
    let mut figures: Vec<&OfflineFigure> = figures.iter().collect();
    figures.sort_by(|x, y| y.hit_rate[0].total_cmp(&x.hit_rate[0]).then(y.serves.cmp(&x.serves)));
    let serving = figures.iter().position(|figure| figure.serves).unwrap_or(0);
    let rows: Vec<Row<'_>> = figures.iter().map(|figure| figure.view()).collect();
    Some(Asked {
        task: &figures.first()?.task,
        serving: rows[serving].clone(),
        best_other: rows.get(usize::from(serving == 0)).cloned(),
        rows,
    })
}

impl OfflineFigure {
    fn view(&self) -> Row<'_> {
        let [hit_rate, low, high] = self.hit_rate;
        let [rank, rank_low, rank_high] = self.reciprocal_rank;
        Row {
            method: &self.method,
            meaning: &self.meaning,
            serves: self.serves,
            cases: count(self.cases),
            hit_rate: percent(hit_rate),
            hit_rate_interval: format!("{} to {}", percent(low), percent(high)),
            reciprocal_rank: decimal(rank, 3),
            reciprocal_rank_interval: format!("{} to {}", decimal(rank_low, 3), decimal(rank_high, 3)),
            coverage: percent(self.coverage),
        }
    }
}
