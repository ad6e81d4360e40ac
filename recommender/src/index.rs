//! The index: a model in memory, and the questions that pages ask of it.
//!
//! Every answer leaves out the items it was asked about and what the caller does not allow (sold out, hidden, in the
//! cart), and is filled up with popular items where the model knows too little.

use std::cmp::Ordering;

use cart_core::Sku;
use serde::Serialize;

use crate::model::{About, Model, Neighbour};

/// The most items of a cart or history that one question looks at: those given first. Two hundred say what a longer
/// cart is about, and bound a page's work to some 10,000 scores.
pub const BASIS_ITEMS_MAX: usize = 200;

/// How much less a purchase of the history counts than the one after it. The tenth counts a fifth of the latest:
/// tastes last, occasions pass.
const HISTORY_STEP: f32 = 0.85;

/// Says why an item is suggested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Others bought it together with an item on the page or in the cart.
    BoughtTogether,
    /// It goes with what the shopper bought before.
    History,
    /// Many buy it; nothing more particular is known.
    Popular,
}

/// Is an item to show, with why and how strongly.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Suggestion {
    /// The item.
    pub sku: Sku,
    /// How strongly it is suggested; comparable within one answer among suggestions of the same reason.
    pub score: f32,
    /// Why it is suggested.
    pub reason: Reason,
}

/// Answers from one model; a new model is a new index.
#[derive(Debug)]
pub struct Index {
    model: Model,
}

impl Index {
    /// Makes the index of a model.
    pub fn new(model: Model) -> Self {
        Self { model }
    }

    /// Returns what the model was learnt from, when and how.
    pub fn about(&self) -> &About {
        self.model.about()
    }

    /// Returns how many items the model knows.
    pub fn item_count(&self) -> usize {
        self.model.items().len()
    }

    /// Returns up to `n` items that are bought together with `sku`, then popular ones.
    pub fn bought_together(&self, sku: &Sku, n: usize, allow: &dyn Fn(&Sku) -> bool) -> Vec<Suggestion> {
        let basis = std::slice::from_ref(sku);
        let candidates = self.model.item(sku).map(|item| self.model.neighbours(item)).unwrap_or_default();
        let mut answer = Answer::new(self, basis, n, allow);
        // One item's neighbours are sorted already and never hold the item itself.
        answer.take(candidates, Reason::BoughtTogether);
        answer.fill_up()
    }

    /// Returns up to `n` items that go with all of `skus`, then popular ones; at most the first [`BASIS_ITEMS_MAX`] weigh in.
    ///
    /// The squares of the neighbours' scores are added up over the items: what goes with many of them comes first, yet
    /// one item that truly belongs outweighs many that hardly do.
    pub fn goes_with(&self, skus: &[Sku], n: usize, allow: &dyn Fn(&Sku) -> bool) -> Vec<Suggestion> {
        self.added_up(skus, n, allow, Reason::BoughtTogether, |_| 1.0)
    }

    /// Returns up to `n` items for one who bought `skus`, the most recent first, then popular ones.
    ///
    /// As [`Index::goes_with`], but each step back counts 0.85 of the one before.
    pub fn for_history(&self, skus: &[Sku], n: usize, allow: &dyn Fn(&Sku) -> bool) -> Vec<Suggestion> {
        self.added_up(skus, n, allow, Reason::History, |step| HISTORY_STEP.powi(step))
    }

    /// Returns up to `n` items, the most popular first.
    pub fn popular(&self, n: usize, allow: &dyn Fn(&Sku) -> bool) -> Vec<Suggestion> {
        Answer::new(self, &[], n, allow).fill_up()
    }

    fn added_up(
        &self,
        skus: &[Sku],
        n: usize,
        allow: &dyn Fn(&Sku) -> bool,
        reason: Reason,
        weight: impl Fn(i32) -> f32,
    ) -> Vec<Suggestion> {
        let considered = &skus[..skus.len().min(BASIS_ITEMS_MAX)];
        let mut candidates = Vec::new();
        for (step, sku) in considered.iter().enumerate() {
            let Some(item) = self.model.item(sku) else { continue };
            // At most `BASIS_ITEMS_MAX` steps.
            let weight = weight(step as i32);
            let weighed = |n: &Neighbour| Neighbour { item: n.item, score: n.score * n.score * weight };
            candidates.extend(self.model.neighbours(item).iter().map(weighed));
        }
        sum_per_item(&mut candidates);
        candidates.sort_unstable_by(best_first);
        let mut answer = Answer::new(self, skus, n, allow);
        answer.take(&candidates, reason);
        answer.fill_up()
    }
}

/// Orders by score downwards and, where scores are equal, by SKU (items are numbered in its order).
fn best_first(a: &Neighbour, b: &Neighbour) -> Ordering {
    b.score.total_cmp(&a.score).then(a.item.cmp(&b.item))
}

/// Leaves one entry per item with the sum of its scores.
fn sum_per_item(candidates: &mut Vec<Neighbour>) {
    // Stable, so that the scores of an item are added up in the order of the basis, every time.
    candidates.sort_by_key(|candidate| candidate.item);
    candidates.dedup_by(|later, kept| {
        let same = later.item == kept.item;
        if same {
            kept.score += later.score;
        }
        same
    });
}

/// Gathers suggestions until there are enough: none of the basis, none twice, none that is not allowed.
struct Answer<'a> {
    index: &'a Index,
    allow: &'a dyn Fn(&Sku) -> bool,
    wanted: usize,
    /// The numbers of the items that may not be suggested any more: the basis, then also what has been taken.
    excluded: Vec<u32>,
    suggestions: Vec<Suggestion>,
}

impl<'a> Answer<'a> {
    fn new(index: &'a Index, basis: &[Sku], wanted: usize, allow: &'a dyn Fn(&Sku) -> bool) -> Self {
        let wanted = wanted.min(index.item_count());
        let excluded = basis.iter().filter_map(|sku| index.model.item(sku)).collect();
        Self { index, allow, wanted, excluded, suggestions: Vec::with_capacity(wanted) }
    }

    fn take(&mut self, candidates: &[Neighbour], reason: Reason) {
        self.excluded.sort_unstable();
        let before = self.suggestions.len();
        for candidate in candidates {
            if self.suggestions.len() == self.wanted {
                return;
            }
            let sku = self.index.model.sku(candidate.item);
            if self.excluded.binary_search(&candidate.item).is_err() && (self.allow)(sku) {
                self.suggestions.push(Suggestion { sku: sku.clone(), score: candidate.score, reason });
            }
        }
        let taken = self.suggestions[before..].iter().filter_map(|s| self.index.model.item(&s.sku));
        self.excluded.extend(taken);
    }

    fn fill_up(mut self) -> Vec<Suggestion> {
        let index = self.index;
        self.take(index.model.popular(), Reason::Popular);
        self.suggestions
    }
}

#[cfg(test)]
mod tests;
