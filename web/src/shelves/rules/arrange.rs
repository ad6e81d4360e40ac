//! How rules change what an algorithm suggests.

use std::collections::{BTreeMap, BTreeSet};

use cart_core::{Product, Sku};

use super::{Act, Rule, Rules};
use crate::shelves::ShelfName;

/// Is what rules look at beside the products.
pub struct Context<'a> {
    /// The shelf that is filled.
    pub shelf: ShelfName,
    /// The time, in Unix milliseconds.
    pub now_ms: i64,
    /// What its visitor bought, where that is known; where it is not, nothing is offered that is offered once.
    pub bought: Option<&'a BTreeSet<Sku>>,
    /// How many products it takes.
    pub wanted: usize,
    /// Whether a product may be offered at all: it is visible, not sold out and not what the page is about.
    pub may_be_offered: &'a dyn Fn(&Sku) -> bool,
}

impl Rules {
    /// Arranges what an algorithm suggests, the best first, by the rules that are in force. `product` tells what is suggested,
    /// and `pinned` makes a suggestion of a product that was none.
    ///
    /// What may not be offered, is excluded, or was bought and is offered once, is left out, whatever another rule says. A
    /// boost divides a suggestion's place by its share: what is boosted comes before what then has a later place, and equals keep
    /// their order. Pins stand at their places, or at the end of a shelf that is shorter; they count when categories are
    /// spread, but nobody makes way for them twice.
    pub fn arrange<T>(
        &self,
        suggested: Vec<T>,
        context: &Context<'_>,
        product: impl Fn(&T) -> &Product,
        pinned: impl Fn(&Sku) -> Option<T>,
    ) -> Vec<T> {
        let rules: Vec<&Rule> =
            self.rules.iter().filter(|rule| rule.is_in_force(context.shelf, context.now_ms)).collect();
        let passes = |it: &T| {
            let product = product(it);
            (context.may_be_offered)(&product.sku) && !rules.iter().any(|rule| rule.bars(product, context))
        };
        let mut pins: BTreeMap<usize, T> = rules
            .iter()
            .filter_map(|rule| match &rule.act {
                Act::Pin { sku, place } => Some((*place, pinned(sku).filter(&passes)?)),
                _ => None,
            })
            .collect();
        let pinned: BTreeSet<Sku> = pins.values().map(|it| product(it).sku.clone()).collect();
        let mut rest: Vec<T> =
            suggested.into_iter().filter(|it| passes(it) && !pinned.contains(&product(it).sku)).collect();
        boost(&rules, &mut rest, &product);
        let mut room = Room::of(&rules);
        pins.values().for_each(|it| _ = room.takes(product(it)));
        let mut rest = rest.into_iter().filter(|it| room.takes(product(it))).peekable();
        let mut shelf = vec![];
        while shelf.len() < context.wanted {
            let next = match pins.remove(&(shelf.len() + 1)) {
                None if rest.peek().is_none() => pins.pop_first().map(|(_, it)| it),
                None => rest.next(),
                pin => pin,
            };
            match next {
                Some(it) => shelf.push(it),
                None => break,
            }
        }
        shelf
    }
}

impl Rule {
    fn bars(&self, product: &Product, context: &Context<'_>) -> bool {
        match &self.act {
            Act::Exclude(choice) => choice.holds(product),
            Act::Once(choice) => {
                context.bought.is_none_or(|bought| bought.contains(&product.sku)) && choice.holds(product)
            }
            _ => false,
        }
    }
}

/// Sorts by the place that each has after its boosts.
fn boost<T>(rules: &[&Rule], suggested: &mut Vec<T>, product: impl Fn(&T) -> &Product) {
    let boosts: Vec<_> = rules
        .iter()
        .filter_map(|rule| match &rule.act {
            Act::Boost { choice, percent } => Some((choice, f64::from(*percent) / 100.0)),
            _ => None,
        })
        .collect();
    if boosts.is_empty() {
        return;
    }
    let place_of = |(n, it): (usize, T)| {
        let factors =
            boosts.iter().filter(|(choice, _)| choice.holds(product(&it))).map(|(_, factor)| factor);
        ((n + 1) as f64 / factors.product::<f64>(), it)
    };
    let mut placed: Vec<(f64, T)> = suggested.drain(..).enumerate().map(place_of).collect();
    placed.sort_by(|a, b| a.0.total_cmp(&b.0));
    suggested.extend(placed.into_iter().map(|(_, it)| it));
}

/// Counts what a shelf has of each category.
struct Room {
    most: usize,
    of: BTreeMap<String, usize>,
}

impl Room {
    fn of(rules: &[&Rule]) -> Self {
        let most = rules.iter().filter_map(|rule| match rule.act {
            Act::Spread { most } => Some(most),
            _ => None,
        });
        Self { most: most.min().unwrap_or(usize::MAX), of: BTreeMap::new() }
    }

    fn takes(&mut self, product: &Product) -> bool {
        if self.most == usize::MAX {
            return true;
        }
        let count = self.of.entry(product.category.clone()).or_default();
        *count += 1;
        *count <= self.most
    }
}
