//! The index: a model in memory, and the questions that pages ask of it.
//!
//! Every answer leaves out the items it was asked about and what the caller does not allow (sold out, hidden, in the
//! cart), and is filled up with popular items where the model knows too little, those of the kind that was asked about first.

mod answer;
mod pool;
mod reason;

use std::{borrow::Cow, sync::OnceLock};

use cart_core::Sku;
use serde::Serialize;

pub use reason::{Evidence, Reason};

use crate::{
    ask::{Ask, Ranked},
    basket::Completion,
    history::{BoughtAfter, History},
    model::{About, Learnt, Model},
    pairs::{BoughtWith, Pairs},
    session::SessionModel,
    tally::fused_by,
};
use answer::Answer;
use pool::Pool;

/// The most items of a cart or history that one question looks at: those given first. Two hundred say what a longer
/// cart is about, and bound a page's work.
pub const BASIS_ITEMS_MAX: usize = 200;

/// The most items of a trail that one question looks at, the latest.
pub const TRAIL_ITEMS_MAX: usize = 50;

/// How much less a purchase of the history, or an earlier view, counts than the one after it. The tenth counts a fifth
/// of the latest: tastes last, occasions pass.
const STEP: f32 = 0.85;

/// How many of the items that were looked at last say what else may be bought, where sessions say too little.
const VIEWED_LAST: usize = 3;

/// The most candidates of one answer, of which rules may leave out some.
const CANDIDATES: usize = 150;

/// Candidates that are remembered of an item: 400 bytes.
const REMEMBERED: usize = 50;

/// Names a way to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Candidates of many lists, put in order by what later questions taught.
    Learnt,
    /// What is in the same orders or sessions most often.
    Pairs,
    /// What is bought after something, by pairs of earlier and later orders; what is viewed, as by [`Algorithm::Pairs`].
    After,
    /// What most buy.
    Popular,
}

/// Says how an algorithm goes about it, without any training anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// The fewest orders, sessions or customers that must speak for a pair; of what was learnt beyond pairs it asks nothing.
    pub min_support: u32,
    /// What the present session says beside what was bought, in percent: 50 is as much, 0 nothing, 100 all.
    pub session_percent: u8,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { min_support: 0, session_percent: 50 }
    }
}

/// Says what an answer may be.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// How it is found.
    pub algorithm: Algorithm,
    /// How the algorithm goes about it.
    pub tuning: Tuning,
    /// How many items are wanted.
    pub most: usize,
    /// Whether an item may be suggested.
    pub allow: &'a dyn Fn(&Sku) -> bool,
    /// Whether an item is of the kind that is asked about, as of its category: such come first where popular ones fill up.
    pub alike: Option<&'a dyn Fn(&Sku) -> bool>,
}

/// Is an item to show, with why and how strongly.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Suggestion {
    /// The item.
    pub sku: Sku,
    /// How strongly it is suggested; comparable within one answer among suggestions of one source.
    pub score: f32,
    /// Why it is suggested.
    pub reason: Reason,
}

/// Answers from one model; a new model is a new index.
#[derive(Debug)]
pub struct Index {
    model: Model,
    baskets: Pool<<Completion<'static> as Ask>::Scratch>,
    trails: Pool<<SessionModel as Ask>::Scratch>,
    /// What goes with each item alone, once it has been asked.
    remembered: Vec<OnceLock<Ranked>>,
}

/// Is what a model is asked about.
#[derive(Clone, Copy)]
enum Asked<'a> {
    /// What goes with these items.
    Basket(&'a [u32]),
    /// What somebody buys next who bought these, the latest first.
    History(&'a [u32]),
    /// What follows on these, the latest last.
    Trail(&'a [u32]),
}

impl Index {
    /// Makes the index of a model.
    pub fn new(model: Model) -> Self {
        let remembered = (0..model.items().len()).map(|_| OnceLock::new()).collect();
        Self { model, baskets: Pool::default(), trails: Pool::default(), remembered }
    }

    /// Returns what the model was learnt from, when and how.
    pub fn about(&self) -> &About {
        self.model.about()
    }

    /// Returns how many items the model knows.
    pub fn item_count(&self) -> usize {
        self.model.items().len()
    }

    /// Returns how many orders hold an item, none where the model does not know it.
    pub fn orders(&self, sku: &Sku) -> u32 {
        self.model.item(sku).map_or(0, |item| self.learnt().orders.entries(item))
    }

    /// Returns items that are bought together with `sku`, then popular ones.
    pub fn bought_together(&self, sku: &Sku, wanted: Wanted<'_>) -> Vec<Suggestion> {
        self.goes_with(std::slice::from_ref(sku), wanted)
    }

    /// Returns items that go with all of `skus`, then popular ones; at most the first [`BASIS_ITEMS_MAX`] weigh in.
    pub fn goes_with(&self, skus: &[Sku], wanted: Wanted<'_>) -> Vec<Suggestion> {
        let basis = self.known(skus.iter().take(BASIS_ITEMS_MAX));
        let ranked = self.by_company(&basis, &wanted);
        let mut answer = Answer::new(&self.model, skus, wanted);
        answer.take(ranked.iter().copied(), |item| self.of_company(item, &basis, wanted.algorithm));
        answer.fill_up()
    }

    /// Returns items for one who bought `bought`, the most recent first, and in this session looked at `trail`, the
    /// latest last; then what is bought with that, then popular ones. What was bought or is on screen is left out.
    pub fn recommended(&self, bought: &[Sku], trail: &[Sku], wanted: Wanted<'_>) -> Vec<Suggestion> {
        let basis = self.known(bought.iter().take(BASIS_ITEMS_MAX));
        let viewed = self.trail(trail);
        let by_orders = self.rank(Asked::History(&basis), &wanted);
        let by_views = self.rank(Asked::Trail(&viewed), &wanted);
        let session = f32::from(wanted.tuning.session_percent) / 50.0;
        let on_screen = trail.last();
        let given: Vec<Sku> = bought.iter().chain(on_screen).cloned().collect();
        let mut answer = Answer::new(&self.model, &given, wanted);
        answer.take(fused_by([(&by_views, session), (&by_orders, 2.0 - session)]), |item| {
            let place =
                |ranked: &Ranked| ranked.iter().position(|other| other.0 == item).unwrap_or(usize::MAX);
            if place(&by_views) <= place(&by_orders) {
                self.viewed(item, &viewed)
            } else {
                self.of_history(item, &basis, wanted.algorithm)
            }
        });
        self.go_on(&mut answer, &viewed, &wanted);
        answer.fill_up()
    }

    /// Returns what is likely looked at next after a trail, the latest last: the item on screen is left out, those
    /// before it are not; then what is bought with what was looked at, then popular ones.
    pub fn next(&self, trail: &[Sku], wanted: Wanted<'_>) -> Vec<Suggestion> {
        let viewed = self.trail(trail);
        let ranked = self.rank(Asked::Trail(&viewed), &wanted);
        let on_screen = trail.last().map(std::slice::from_ref).unwrap_or_default();
        let mut answer = Answer::new(&self.model, on_screen, wanted);
        answer.take(ranked, |item| self.viewed(item, &viewed));
        self.go_on(&mut answer, &viewed, &wanted);
        answer.fill_up()
    }

    /// Returns items, the most popular first.
    pub fn popular(&self, wanted: Wanted<'_>) -> Vec<Suggestion> {
        Answer::new(&self.model, &[], wanted).fill_up_from_all()
    }

    fn learnt(&self) -> &Learnt {
        self.model.learnt()
    }

    /// Returns the numbers of distinct items that the model knows, in their order.
    fn known<'a>(&self, skus: impl Iterator<Item = &'a Sku>) -> Vec<u32> {
        let mut known = Vec::new();
        for item in skus.filter_map(|sku| self.model.item(sku)) {
            if !known.contains(&item) {
                known.push(item);
            }
        }
        known
    }

    fn trail(&self, trail: &[Sku]) -> Vec<u32> {
        let latest = &trail[trail.len().saturating_sub(TRAIL_ITEMS_MAX)..];
        latest.iter().filter_map(|sku| self.model.item(sku)).collect()
    }

    /// Ranks what goes with all items of a basis. What goes with one item alone is asked by each view of its page, and
    /// always the same: it is remembered.
    fn by_company(&self, basis: &[u32], wanted: &Wanted<'_>) -> Cow<'_, [(u32, f32)]> {
        let rank = || self.rank(Asked::Basket(basis), wanted);
        match basis {
            [item] if wanted.algorithm == Algorithm::Learnt => {
                let remembered = &self.remembered[*item as usize];
                Cow::Borrowed(remembered.get_or_init(|| {
                    let mut ranked = rank();
                    ranked.truncate(REMEMBERED);
                    ranked.shrink_to_fit();
                    ranked
                }))
            }
            _ => Cow::Owned(rank()),
        }
    }

    /// Goes on with what is bought together with the items that were looked at last: where sessions taught little, as in a shop
    /// that has only imported its orders, that is still nearer than what everybody buys.
    fn go_on(&self, answer: &mut Answer<'_>, trail: &[u32], wanted: &Wanted<'_>) {
        if answer.is_full() || trail.is_empty() {
            return;
        }
        let mut latest = Vec::with_capacity(VIEWED_LAST);
        for item in trail.iter().rev() {
            if latest.len() < VIEWED_LAST && !latest.contains(item) {
                latest.push(*item);
            }
        }
        let ranked = self.rank(Asked::Basket(&latest), wanted);
        answer.take(ranked, |item| self.of_company(item, &latest, wanted.algorithm));
    }

    /// Asks the model that answers for an algorithm: the one place that names them.
    fn rank(&self, asked: Asked<'_>, wanted: &Wanted<'_>) -> Ranked {
        let Learnt { orders, after, sessions, baskets, trails, .. } = self.learnt();
        let min_support = wanted.tuning.min_support;
        let with = BoughtWith { pairs: orders, fade: 1.0, min_support };
        let after = BoughtAfter { pairs: after, min_support };
        let completion = Completion { model: baskets.as_ref(), pairs: BoughtWith::of(orders) };
        match (wanted.algorithm, asked, trails) {
            (Algorithm::Popular, ..) => Ranked::new(),
            (Algorithm::Pairs, Asked::Basket(given), _) => with.answer(given, CANDIDATES),
            (Algorithm::Pairs, Asked::History(had), _) => {
                BoughtWith { fade: STEP, ..with }.answer(had, CANDIDATES)
            }
            (Algorithm::After, Asked::Basket(had) | Asked::History(had), _) => after.answer(had, CANDIDATES),
            (Algorithm::Learnt, Asked::Basket(given), _) => self.baskets.ask(&completion, given),
            (Algorithm::Learnt, Asked::History(had), _) => {
                let after = BoughtAfter { min_support: 0, ..after };
                self.baskets.ask(&History { baskets: completion, after }, had)
            }
            (Algorithm::Learnt, Asked::Trail(trail), Some(model)) => self.trails.ask(model, trail),
            (_, Asked::Trail(trail), _) => {
                let latest: Vec<u32> = trail.iter().rev().copied().collect();
                BoughtWith { pairs: sessions, fade: STEP, ..with }.answer(&latest, CANDIDATES)
            }
        }
    }

    /// Says why an item stands among what a shopper may buy next: by what is bought later where that puts it forward, else by
    /// what is bought together.
    fn of_history(&self, item: u32, basis: &[u32], algorithm: Algorithm) -> Reason {
        let after = || self.after(item, basis);
        let together = || self.together(item, basis).map(Reason::BoughtBefore);
        let reason = match algorithm {
            Algorithm::Pairs => together(),
            _ => after().or_else(together),
        };
        reason.unwrap_or(Reason::SimilarBaskets)
    }

    /// Says why an item goes with a basis.
    fn of_company(&self, item: u32, basis: &[u32], algorithm: Algorithm) -> Reason {
        let reason = match algorithm {
            Algorithm::After => self.after(item, basis),
            _ => self.together(item, basis).map(Reason::BoughtTogether),
        };
        reason.unwrap_or(Reason::SimilarBaskets)
    }

    fn after(&self, item: u32, basis: &[u32]) -> Option<Reason> {
        evidence(&self.model, &self.learnt().after, item, basis).map(Reason::BoughtAfter)
    }

    fn together(&self, item: u32, basis: &[u32]) -> Option<Evidence> {
        evidence(&self.model, &self.learnt().orders, item, basis)
    }

    fn viewed(&self, item: u32, trail: &[u32]) -> Reason {
        if trail.contains(&item) {
            return Reason::Viewed;
        }
        let counted = evidence(&self.model, &self.learnt().sessions, item, trail);
        counted.map_or(Reason::SimilarSessions, Reason::ViewedTogether)
    }
}

fn evidence(model: &Model, pairs: &Pairs, item: u32, basis: &[u32]) -> Option<Evidence> {
    let (with, both) = pairs.evidence(item, basis)?;
    Some(Evidence { with: model.sku(with).clone(), both, of: pairs.entries(with) })
}

#[cfg(test)]
mod tests;
