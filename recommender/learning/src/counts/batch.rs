//! A batch: what was told since the last segment, settled by rule.

use std::collections::BTreeMap;

use super::orders::{Orders, Told};
use crate::draw::mix;

/// Gathers orders and what was given back, as they are told.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) orders: Orders,
    pub(super) returns: Vec<Return>,
}

/// Is something that was given back.
pub(super) struct Return {
    /// How many orders of the batch had been told before.
    at: usize,
    id: u64,
    /// All of the order where `None`.
    items: Option<Vec<u32>>,
}

/// Says what was left out of a batch, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Orders that had been told before.
    pub orders_told_again: u64,
    /// Returns of orders that had not been told.
    pub returns_of_nothing: u64,
}

/// Is where earlier segments are asked: for the ids of one, and for all of one.
pub(super) trait Earlier {
    type Error;
    fn segments(&self) -> usize;
    fn ids(&self, segment: usize) -> Result<Vec<u64>, Self::Error>;
    fn orders(&self, segment: usize) -> Result<Orders, Self::Error>;
}

impl Batch {
    pub(super) fn give_back(&mut self, id: u64, items: Option<Vec<u32>>) {
        self.returns.push(Return { at: self.orders.len(), id, items });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.orders.len() == 0 && self.returns.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        let returned: usize =
            self.returns.iter().map(|one| 64 + one.items.as_ref().map_or(0, |i| i.len() * 4)).sum();
        self.orders.bytes() + returned
    }

    /// Leaves out orders that were told before, and what was given back; of what an earlier segment has, the order as it
    /// was is taken back and what is left of it is told.
    pub(super) fn settle<E: Earlier>(self, earlier: &E) -> Result<(Orders, Settled), E::Error> {
        let Self { orders, returns } = self;
        let mut settled = Settled::default();
        let mut by_id: Vec<(u64, u32)> = orders.ids.iter().copied().zip(0..).collect();
        by_id.sort_unstable();
        let mut is_kept = vec![true; orders.len()];
        for pair in by_id.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            is_kept[pair[1].1 as usize] = false;
        }
        let first = |id: u64| {
            let at = by_id.partition_point(|(other, _)| *other < id);
            by_id.get(at).filter(|(other, _)| *other == id).map(|(_, order)| *order as usize)
        };
        let mut returned: BTreeMap<u64, Option<Changed>> = returns.iter().map(|one| (one.id, None)).collect();
        let asked = Filter::new(orders.ids.iter().chain(returned.keys()));
        for segment in 0..earlier.segments() {
            let mut places: Vec<usize> = Vec::new();
            for (place, id) in
                earlier.ids(segment)?.into_iter().enumerate().filter(|(_, id)| asked.may_hold(*id))
            {
                if let Some(order) = first(id) {
                    is_kept[order] = false;
                }
                if returned.contains_key(&id) {
                    places.push(place);
                }
            }
            if !places.is_empty() {
                let orders = earlier.orders(segment)?;
                let all: Vec<_> = orders.places().collect();
                for place in places {
                    // What stands last is what is left of an order.
                    let told = orders.told(place, all[place].clone());
                    returned.insert(told.id, Some(Changed { now: told.clone(), was: Some(told) }));
                }
            }
        }
        settled.orders_told_again = is_kept.iter().filter(|kept| !**kept).count() as u64;
        let places: Vec<_> = if returns.is_empty() { Vec::new() } else { orders.places().collect() };
        for one in returns {
            let changed = returned.get_mut(&one.id).expect("every return has its place");
            if changed.is_none()
                && let Some(order) = first(one.id).filter(|&order| order < one.at && is_kept[order])
            {
                is_kept[order] = false;
                *changed = Some(Changed { now: orders.told(order, places[order].clone()), was: None });
            }
            match (changed, one.items) {
                (Some(changed), items) => changed.now.give_back(items.as_deref()),
                (None, _) => settled.returns_of_nothing += 1,
            }
        }
        let mut orders =
            if is_kept.iter().all(|kept| *kept) { orders } else { orders.kept(|order| is_kept[order]) };
        for changed in returned.into_values().flatten() {
            match changed.was {
                Some(was) if was.items == changed.now.items => continue,
                Some(was) => orders.push(&Told { is_taken_back: true, ..was }),
                None => {}
            }
            orders.push(&changed.now);
        }
        Ok((orders, settled))
    }
}

/// Is an order of which something was given back.
struct Changed {
    now: Told,
    /// As an earlier segment has it.
    was: Option<Told>,
}

/// Says of most ids that they were not asked for, from one bit each (Bloom 1970, with one hash).
struct Filter(Vec<u64>);

impl Filter {
    fn new<'a>(ids: impl Iterator<Item = &'a u64> + Clone) -> Self {
        let bits = (ids.clone().count() * 16).next_power_of_two().max(64);
        let mut words = vec![0; bits / 64];
        for &id in ids {
            let bit = mix(id) as usize & (bits - 1);
            words[bit / 64] |= 1 << (bit % 64);
        }
        Self(words)
    }

    fn may_hold(&self, id: u64) -> bool {
        let bit = mix(id) as usize & (self.0.len() * 64 - 1);
        self.0[bit / 64] >> (bit % 64) & 1 == 1
    }
}

/// Puts segments together: an order that is taken back ends the one before of its id, where that is among them.
pub(super) fn merged(segments: Vec<Orders>) -> Orders {
    let mut all = Orders::default();
    for mut orders in segments {
        all.ids.append(&mut orders.ids);
        all.days.append(&mut orders.days);
        all.lengths.append(&mut orders.lengths);
        all.marks.append(&mut orders.marks);
        all.gaps.append(&mut orders.gaps);
    }
    let mut by_id: Vec<(u64, u32)> = all.ids.iter().copied().zip(0..).collect();
    by_id.sort_unstable();
    let mut is_kept = vec![true; all.len()];
    for same in by_id.chunk_by(|a, b| a.0 == b.0) {
        for pair in same.windows(2) {
            let (before, after) = (pair[0].1 as usize, pair[1].1 as usize);
            let is_taken_back = super::orders::is_taken_back;
            if is_taken_back(all.marks[after]) && !is_taken_back(all.marks[before]) {
                is_kept[before] = false;
                is_kept[after] = false;
            }
        }
    }
    if is_kept.iter().all(|kept| *kept) { all } else { all.kept(|order| is_kept[order]) }
}
