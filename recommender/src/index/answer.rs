//! An answer while it is put together.

use cart_core::Sku;

use super::{Reason, Suggestion, Wanted};
use crate::model::Model;

/// The most popular items that are looked through for those of a kind: what stands further down is hardly popular, and a page
/// does not wait for it.
const ALIKE_LOOKED_THROUGH: usize = 5_000;

/// The most popular items that are looked through for any at all, where rules, stock or a cart leave out so many: some milliseconds.
/// Who asks for what is popular, and nothing else, is answered from all of them.
const LOOKED_THROUGH_MAX: usize = 10_000;

/// Gathers suggestions until there are enough: none of what was given, none twice, none that is not allowed.
pub struct Answer<'a> {
    model: &'a Model,
    wanted: Wanted<'a>,
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
        Self { model, wanted, most, excluded, suggestions: Vec::with_capacity(most) }
    }

    /// Reports whether there are enough.
    pub fn is_full(&self) -> bool {
        self.suggestions.len() >= self.most
    }

    /// Takes candidates, the best first, until there are enough.
    pub fn take(&mut self, ranked: impl IntoIterator<Item = (u32, f32)>, reason: impl Fn(u32) -> Reason) {
        let mut taken = Vec::new();
        for (item, score) in ranked {
            if self.suggestions.len() == self.most {
                break;
            }
            let sku = self.model.sku(item);
            if self.excluded.binary_search(&item).is_err() && (self.wanted.allow)(sku) {
                self.suggestions.push(Suggestion { sku: sku.clone(), score, reason: reason(item) });
                taken.push(item);
            }
        }
        self.excluded.extend(taken);
        self.excluded.sort_unstable();
    }

    /// Fills up with popular items, those of the wanted kind first, from the [`LOOKED_THROUGH_MAX`] most popular.
    pub fn fill_up(self) -> Vec<Suggestion> {
        self.fill_up_from(LOOKED_THROUGH_MAX)
    }

    /// As [`Answer::fill_up`], from all popular items.
    pub fn fill_up_from_all(self) -> Vec<Suggestion> {
        self.fill_up_from(usize::MAX)
    }

    fn fill_up_from(mut self, most_popular: usize) -> Vec<Suggestion> {
        let (model, learnt) = (self.model, self.model.learnt());
        let popular = learnt.popular.iter().take(most_popular).map(|entry| (entry.item, entry.score));
        if let Some(alike) = self.wanted.alike.filter(|_| self.suggestions.len() < self.most) {
            let looked_through = popular.clone().take(ALIKE_LOOKED_THROUGH);
            let of_the_kind = looked_through.filter(|(item, _)| alike(model.sku(*item)));
            self.take(of_the_kind, |item| Reason::PopularAlike { orders: learnt.orders.entries(item) });
        }
        self.take(popular, |item| Reason::Popular { orders: learnt.orders.entries(item) });
        self.suggestions
    }
}
