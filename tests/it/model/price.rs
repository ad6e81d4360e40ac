//! What things cost: price tags for each product in each currency, of which the most special one holds.

use std::collections::BTreeMap;

use cart_core::{Currency, GroupId, Sku, SpecialPrice};
use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};

use super::{
    pencil::share_of,
    shop::{self, CURRENCIES, GROUPS, SKUS, sku},
};

/// Is one price of a product.
#[derive(Clone, Debug)]
pub struct Tag {
    minor: i64,
    group: Option<GroupId>,
    from_pieces: i64,
    /// From when, and until before when.
    window: Option<(i64, i64)>,
}

/// Says who asks what something costs, and when.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    pub currency: Currency,
    pub group: Option<&'a GroupId>,
    pub now_ms: i64,
}

/// Is the price tags of the shop, for each thing the one first that asks for nothing.
#[derive(Clone, Debug, Default)]
pub struct Prices(BTreeMap<(Sku, Currency), Vec<Tag>>);

impl Prices {
    /// Draws the tags of a product anew.
    pub fn draw(&mut self, rng: &mut StdRng, text: &str, now_ms: i64) {
        for currency in CURRENCIES.map(shop::currency).into_iter().filter(|c| shop::is_priced(&sku(text), *c))
        {
            self.0.insert((sku(text), currency), tags(rng, now_ms));
        }
    }

    /// Says what one piece costs where so many are bought.
    pub fn of(&self, sku: &Sku, pieces: i64, asking: Asking<'_>) -> i64 {
        let Some(off_bp) = shop::off_parts_bp(sku) else { return self.on_tag(sku, pieces, asking) };
        let parts = shop::made_of(sku).into_iter();
        let sum = parts.map(|(part, each)| each * self.of(&part, each * pieces, asking)).sum();
        sum - share_of(sum, off_bp)
    }

    /// What was agreed with a group goes before what holds for a time, that before what holds for many pieces, and the lowest
    /// price is last to decide.
    fn on_tag(&self, sku: &Sku, pieces: i64, asking: Asking<'_>) -> i64 {
        let mut tags: Vec<&Tag> = self.0[&(sku.clone(), asking.currency)].iter().collect();
        tags.retain(|tag| tag.group.is_none() || tag.group.as_ref() == asking.group);
        tags.retain(|tag| tag.from_pieces <= pieces);
        tags.retain(|tag| tag.window.is_none_or(|(from, until)| (from..until).contains(&asking.now_ms)));
        let is_special: [fn(&Tag) -> bool; 2] = [|tag| tag.group.is_some(), |tag| tag.window.is_some()];
        for is_special in is_special {
            if tags.iter().any(|tag| is_special(tag)) {
                tags.retain(|tag| is_special(tag));
            }
        }
        let most = tags.iter().map(|tag| tag.from_pieces).max();
        tags.retain(|tag| Some(tag.from_pieces) == most);
        tags.iter().map(|tag| tag.minor).min().expect("the one that asks for nothing")
    }

    /// Returns the own price of a product, in the first currency.
    pub fn own_minor(&self, sku: &Sku) -> i64 {
        let tags = self.0.get(&(sku.clone(), shop::currency(CURRENCIES[0])));
        tags.map_or(0, |tags| tags[0].minor)
    }

    /// Lists the other prices of a product.
    pub fn special(&self, sku: &Sku) -> Vec<SpecialPrice> {
        let of_all = self.0.iter().filter(|((of, _), _)| of == sku);
        let special = of_all.flat_map(|((_, currency), tags)| {
            let own = usize::from(*currency == shop::currency(CURRENCIES[0]));
            tags.iter().skip(own).map(|tag| tag.written_down(*currency))
        });
        special.collect()
    }
}

impl Tag {
    fn written_down(&self, currency: Currency) -> SpecialPrice {
        SpecialPrice {
            minor: self.minor,
            currency,
            group: self.group.clone(),
            min_quantity: self.from_pieces as u32,
            from_ms: self.window.map(|(from, _)| from),
            until_ms: self.window.map(|(_, until)| until),
        }
    }
}

/// Opens with every product at some price.
pub fn first(rng: &mut StdRng, now_ms: i64) -> Prices {
    let mut prices = Prices::default();
    for text in SKUS.iter().filter(|text| shop::off_parts_bp(&sku(text)).is_none()) {
        prices.draw(rng, text, now_ms);
    }
    prices
}

/// No two tags ask for the same. What is special need not be cheaper.
fn tags(rng: &mut StdRng, now_ms: i64) -> Vec<Tag> {
    let plain = Tag { minor: minor(rng), group: None, from_pieces: 1, window: None };
    let mut tags = vec![plain.clone()];
    for from_pieces in [rng.random_range(2..5), rng.random_range(5..9)] {
        if rng.random_bool(0.3) {
            tags.push(Tag { minor: minor(rng), from_pieces, ..plain.clone() });
        }
    }
    if rng.random_bool(0.3) {
        let group = GROUPS.choose(rng).map(|group| shop::group(group));
        tags.push(Tag { minor: minor(rng), group: group.clone(), ..plain.clone() });
        if rng.random_bool(0.5) {
            tags.push(Tag { minor: minor(rng), group, from_pieces: rng.random_range(2..6), ..plain.clone() });
        }
    }
    if rng.random_bool(0.3) {
        let from = now_ms + rng.random_range(-60_000..60_000);
        let window = Some((from, from + rng.random_range(1..200_000)));
        let from_pieces = rng.random_range(1..4);
        tags.push(Tag { minor: minor(rng), from_pieces, window, ..plain.clone() });
        if rng.random_bool(0.3) {
            let group = GROUPS.choose(rng).map(|group| shop::group(group));
            tags.push(Tag { minor: minor(rng), group, from_pieces, window });
        }
    }
    tags
}

/// Prices that shares of are seldom whole; a few are next to nothing.
fn minor(rng: &mut StdRng) -> i64 {
    match rng.random_range(0..20) {
        0 => rng.random_range(0..20),
        _ => rng.random_range(101..6_000),
    }
}
