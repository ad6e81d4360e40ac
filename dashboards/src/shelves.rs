//! What comes of the shelves: a funnel for each shelf and algorithm, and who wins where two share a shelf.

use experiments::{proportion::wilson, sample_ratio::sequential_p_of};
use serde::Serialize;

use crate::figure::{NONE, count, decimal, p_value, percent, short_percent};
use crate::model::{self, ModelInService};
use crate::money::Currency;
use crate::session::Session;
use crate::training::{self, LastTraining};

/// The quantile of intervals of 95 %.
const Z: f64 = 1.959_964;
/// How firmly the test of a tie expects one: as if twenty showings had been tied, so that shares of wins from 0.4 to 0.6 surprise
/// nobody. Firmer beliefs find small differences sooner, and large ones later.
const DUEL_CONCENTRATION: f64 = 20.0;
/// The periods that the page offers, in days.
pub const PERIODS: [u32; 3] = [7, 28, 90];

/// Holds what came of what an algorithm put on a shelf.
#[derive(Debug, Clone, PartialEq)]
pub struct ShelfFunnel {
    /// The shelf's name for people.
    pub shelf: String,
    /// The algorithm.
    pub algorithm: String,
    /// How often the shelf was seen.
    pub showings: u64,
    /// Products that were seen on it, each once a showing.
    pub seen: u64,
    /// Those that were clicked on.
    pub clicks: u64,
    /// Clicks that led to an addition to the cart.
    pub adds: u64,
    /// Clicks that led to an order.
    pub orders: u64,
    /// What was paid for what was ordered so.
    pub revenue_minor: i64,
    /// How many different products were seen.
    pub products: u64,
    /// How surprising they are, in bits: the mean of what a product tells by being sold, weighed by how often it was seen.
    pub novelty_bits: Option<f64>,
}

/// Holds who won the showings that two algorithms shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShelfDuel {
    /// The shelf's name for people.
    pub shelf: String,
    /// One algorithm.
    pub algorithm: String,
    /// The other one.
    pub against: String,
    /// How many showings they shared.
    pub showings: u64,
    /// Those in which the first was clicked on more.
    pub wins: u64,
    /// Those in which the other was.
    pub losses: u64,
    /// Those in which both were clicked on as often.
    pub ties: u64,
}

/// Holds what the page of the shelves shows.
#[derive(Debug, Clone, PartialEq)]
pub struct ShelvesPage {
    /// Who reads it.
    pub session: Session,
    /// How many days it looks back.
    pub days: u32,
    /// What came of each shelf and algorithm.
    pub funnels: Vec<ShelfFunnel>,
    /// Who won.
    pub duels: Vec<ShelfDuel>,
    /// How many products are for sale.
    pub catalogue: u64,
    /// The shop's currency.
    pub currency: Currency,
    /// The model that answers, where there is one.
    pub model: Option<ModelInService>,
    /// What keeps a later model out of service.
    pub held_back: Option<String>,
    /// What came of the last training, where there was one.
    pub training: Option<LastTraining>,
    /// What is wrong with the models, a sentence each.
    pub faults: Vec<String>,
}

#[derive(Serialize)]
struct Rate {
    count: String,
    rate: String,
    interval: Option<String>,
}

impl Rate {
    fn of(part: u64, whole: u64) -> Self {
        let [low, high] = wilson(part, whole, Z);
        let bounds = || format!("{} to {}", short_percent(round(low)), short_percent(round(high)));
        let rate = if whole == 0 { NONE.into() } else { percent(part as f64 / whole as f64) };
        Self { count: count(part), rate, interval: (whole > 0).then(bounds) }
    }
}

/// Rounds a share to tenths of a percent: an interval says no more.
fn round(share: f64) -> f64 {
    (share * 1_000.0).round() / 1_000.0
}

#[derive(Serialize)]
struct FunnelView<'a> {
    shelf: &'a str,
    algorithm: &'a str,
    showings: String,
    seen: String,
    clicks: Rate,
    adds: Rate,
    orders: Rate,
    revenue: String,
    coverage: String,
    products: String,
    novelty: String,
}

#[derive(Serialize)]
struct DuelView<'a> {
    shelf: &'a str,
    algorithm: &'a str,
    against: &'a str,
    showings: String,
    wins: String,
    losses: String,
    ties: String,
    verdict: String,
    tone: &'static str,
    icon: &'static str,
}

#[derive(Serialize)]
struct Period {
    days: u32,
    is_chosen: bool,
}

#[derive(Serialize)]
pub(crate) struct View<'a> {
    periods: Vec<Period>,
    days: u32,
    rows: Vec<FunnelView<'a>>,
    duels: Vec<DuelView<'a>>,
    model: Option<model::View<'a>>,
    held_back: Option<&'a str>,
    training: Option<training::View<'a>>,
    faults: &'a [String],
}

impl ShelvesPage {
    pub(crate) fn view(&self) -> View<'_> {
        View {
            periods: PERIODS.map(|days| Period { days, is_chosen: days == self.days }).into(),
            days: self.days,
            rows: self.funnels.iter().map(|funnel| self.funnel(funnel)).collect(),
            duels: self.duels.iter().map(ShelfDuel::view).collect(),
            model: self.model.as_ref().map(ModelInService::view),
            held_back: self.held_back.as_deref(),
            training: self.training.as_ref().map(LastTraining::view),
            faults: &self.faults,
        }
    }

    fn funnel<'a>(&self, funnel: &'a ShelfFunnel) -> FunnelView<'a> {
        FunnelView {
            shelf: &funnel.shelf,
            algorithm: &funnel.algorithm,
            showings: count(funnel.showings),
            seen: count(funnel.seen),
            clicks: Rate::of(funnel.clicks, funnel.seen),
            adds: Rate::of(funnel.adds, funnel.clicks),
            orders: Rate::of(funnel.orders, funnel.clicks),
            revenue: self.currency.amount(funnel.revenue_minor),
            coverage: match self.catalogue {
                0 => NONE.into(),
                all => percent((funnel.products as f64 / all as f64).min(1.0)),
            },
            products: count(funnel.products),
            novelty: funnel.novelty_bits.map_or_else(|| NONE.into(), |bits| decimal(bits, 1)),
        }
    }
}

impl ShelfDuel {
    fn view(&self) -> DuelView<'_> {
        let p = sequential_p_of(&[self.wins, self.losses], &[0.5, 0.5], DUEL_CONCENTRATION);
        let is_decided = p < 0.05;
        let better = if self.wins > self.losses { &self.algorithm } else { &self.against };
        DuelView {
            shelf: &self.shelf,
            algorithm: &self.algorithm,
            against: &self.against,
            showings: count(self.showings),
            wins: count(self.wins),
            losses: count(self.losses),
            ties: count(self.ties),
            verdict: match is_decided {
                true => format!("{better} is better (p {})", p_value(p)),
                false => format!("no difference shown (p {})", p_value(p)),
            },
            tone: if is_decided { "good" } else { "calm" },
            icon: if is_decided { "check" } else { "wait" },
        }
    }
}
