//! The parts of what is learnt, each behind one trait: how it is learnt, measured and tuned.
//!
//! | part | fills | is asked as |
//! |---|---|---|
//! | popularity | `popular` | [`Popular`](recommender::lists::Popular) |
//! | bought with, viewed with | `orders`, `sessions` | [`BoughtWith`](recommender::pairs::BoughtWith) |
//! | completion of baskets | `baskets` | [`BasketModel`] |
//! | bought after, and personal history with it | `after` | [`BoughtAfter`](recommender::history::BoughtAfter), [`History`](recommender::history::History) |
//! | next of a session | `trails` | [`SessionModel`](recommender::session::SessionModel) |
//!
//! Who adds one implements [`Part`], names it in [`ALL`], and how it is asked in the index.

mod after;
mod baskets;
mod popularity;
mod sessions;
mod together;

use std::cell::OnceCell;

use recommender::{Learnt, basket::BasketModel};

use crate::{
    baskets as learnt_baskets,
    evaluate::{Case, Row},
    log::{Kind, Slice},
    together::Together,
    train::{LATER, Logs, Settings, enough},
    tune::Parameter,
};

pub(crate) use after::measured as measured_returns;

/// Holds what models are learnt from.
pub(crate) struct Source<'a> {
    /// Orders and sessions.
    pub logs: &'a Logs,
    /// What counts say of all orders.
    pub together: &'a Together,
}

/// Learns one part of a model, and says how good it is.
pub(crate) trait Part: Sync {
    /// Learns its part, and puts it where it belongs.
    fn learn(&self, from: &Source<'_>, settings: &Settings, into: &mut Learnt);

    /// Measures models of the same settings, learnt from what came first, by what came later.
    fn measure(&self, _past: &Past<'_>) -> Vec<Row> {
        Vec::new()
    }

    /// Returns what tuning tries, what matters most first.
    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    /// Returns what settings are judged by, `None` where there is too little to ask or nothing to try.
    fn questions<'a>(&self, _logs: &'a Logs, _settings: &Settings) -> Option<Questions<'a>> {
        None
    }

    /// Returns the NDCG@20 that settings attain.
    fn gain(&self, _questions: &Questions<'_>, _settings: &Settings) -> f64 {
        0.0
    }
}

/// All parts, in the order in which they are measured and tuned.
pub(crate) const ALL: [&dyn Part; 6] = [
    &popularity::Popularity,
    &together::BoughtWith,
    &together::ViewedWith,
    &baskets::Completion,
    &after::BoughtAfter,
    &sessions::Next,
];

/// The most questions that a model is measured by.
const CASES_MAX: usize = 10_000;

/// Holds questions with what answers to them are learnt from.
pub(crate) struct Questions<'a> {
    /// What the entries are.
    pub kind: Kind,
    /// What came first.
    pub early: Slice<'a>,
    /// What came later.
    pub cases: Vec<Case>,
}

impl Questions<'_> {
    /// Reports whether an item may be an answer: nothing of a basket, of a session anything but what is on screen.
    pub fn may_be(&self, case: &Case, item: u32) -> bool {
        match self.kind {
            Kind::Baskets => !case.given.contains(&item),
            Kind::Sessions => case.given.last() != Some(&item),
        }
    }
}

/// Is a log cut in two, by what is learnt from and what asks.
#[derive(Clone, Copy)]
pub(crate) struct Cut<'a> {
    /// All of it.
    pub all: Slice<'a>,
    /// What is learnt from.
    pub early: Slice<'a>,
    /// The latest part, which asks.
    pub late: Slice<'a>,
}

/// Holds what came first and what came later, with what more than one part is measured with.
pub(crate) struct Past<'a> {
    /// Orders, where there are enough.
    pub orders: Option<Cut<'a>>,
    /// Sessions, where there are enough.
    pub sessions: Option<Cut<'a>>,
    /// How all is learnt.
    pub settings: &'a Settings,
    baskets: OnceCell<BasketModel>,
}

impl<'a> Past<'a> {
    /// Cuts logs at their latest tenth.
    pub fn of(logs: &'a Logs, settings: &'a Settings) -> Self {
        let cut = |all: Slice<'a>| {
            let all = enough(all, settings)?;
            let (early, late) = all.split_by_time(1.0 - LATER);
            Some(Cut { all, early, late })
        };
        let (orders, sessions) = (cut(logs.orders.all()), cut(logs.sessions.all()));
        Self { orders, sessions, settings, baskets: OnceCell::new() }
    }

    /// Returns what is learnt of early baskets, once for all who ask.
    fn baskets(&self, early: Slice<'_>) -> &BasketModel {
        self.baskets.get_or_init(|| learnt_baskets::learn(early, self.settings.baskets))
    }
}

/// Reports whether orders held an item that a basket model was learnt from.
fn is_ordered(model: &BasketModel, item: u32) -> bool {
    model.signals.fame[item as usize].age > 0.0
}
