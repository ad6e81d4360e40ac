//! An answer while it is put together.

use cart_core::Sku;

use super::{Reason, Suggestion, Wanted};
use crate::model::Model;

/// Gathers suggestions until there are enough: none of what was given, none twice, none that is not allowed.
pub struct Answer<'a> {
    model: &'a Model,
    allow: &'a dyn Fn(&Sku) -> bool,
    most: usize,
    /// The numbers of the items that may not be suggested any more: what was given, then also what has been taken.
    excluded: Vec<u32>,
    suggestions: Vec<Suggestion>,
}

impl<'a> Answer<'a> {
    /// Begins an answer that leaves out what was given.
    pub fn new(model: &'a Model, given: &[Sku], wanted: Wanted<'a>) -> Self {
        let most = wanted.most.min(model.items().len());
        let mut excluded: Vec<u32> = given.iter().filter_map(|sku| model.item(sku)).collect();
        excluded.sort_unstable();
        Self { model, allow: wanted.allow, most, excluded, suggestions: Vec::with_capacity(most) }
    }

    /// Takes candidates, the best first, until there are enough.
    pub fn take(&mut self, ranked: impl IntoIterator<Item = (u32, f32)>, reason: impl Fn(u32) -> Reason) {
        let mut taken = Vec::new();
        for (item, score) in ranked {
            if self.suggestions.len() == self.most {
                break;
            }
            let sku = self.model.sku(item);
            if self.excluded.binary_search(&item).is_err() && (self.allow)(sku) {
                self.suggestions.push(Suggestion { sku: sku.clone(), score, reason: reason(item) });
                taken.push(item);
            }
        }
        self.excluded.extend(taken);
        self.excluded.sort_unstable();
    }

    /// Fills up with popular items.
    pub fn fill_up(mut self) -> Vec<Suggestion> {
        let learnt = self.model.learnt();
        let popular = learnt.popular.iter().map(|entry| (entry.item, entry.score));
        self.take(popular, |item| Reason::Popular { orders: learnt.orders.entries(item) });
        self.suggestions
    }
}
