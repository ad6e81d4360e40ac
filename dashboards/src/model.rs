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
    /// What methods attained at questions of the latest part of these.
    pub figures: Vec<OfflineFigure>,
}

/// Is what one method attained at one task.
#[derive(Debug, Clone, PartialEq)]
pub struct OfflineFigure {
    /// What was asked, for people.
    pub task: String,
    /// The method.
    pub method: String,
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
    rows: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    task: &'a str,
    method: &'a str,
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
            rows: self.figures.iter().map(OfflineFigure::view).collect(),
        }
    }
}

impl OfflineFigure {
    fn view(&self) -> Row<'_> {
        let [hit_rate, low, high] = self.hit_rate;
        let [rank, rank_low, rank_high] = self.reciprocal_rank;
        Row {
            task: &self.task,
            method: &self.method,
            cases: count(self.cases),
            hit_rate: percent(hit_rate),
            hit_rate_interval: format!("{} to {}", percent(low), percent(high)),
            reciprocal_rank: decimal(rank, 3),
            reciprocal_rank_interval: format!("{} to {}", decimal(rank_low, 3), decimal(rank_high, 3)),
            coverage: percent(self.coverage),
        }
    }
}
