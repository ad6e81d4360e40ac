//! Orders as numbers: every item and every order in four bytes, oldest order first.

use std::collections::{HashMap, HashSet};

use cart_core::Sku;

/// Holds orders from the oldest to the latest, each with its distinct items ascending.
#[derive(Debug)]
pub struct Orders {
    items: Vec<Sku>,
    /// `starts[o]..starts[o + 1]` are the lines of order `o`.
    starts: Vec<usize>,
    lines: Vec<u32>,
    at_ms: Vec<i64>,
}

impl Orders {
    /// Returns how many orders there are.
    pub fn len(&self) -> usize {
        self.at_ms.len()
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.at_ms.is_empty()
    }

    /// Returns the items, ascending; an item's number is its place.
    pub fn items(&self) -> &[Sku] {
        &self.items
    }

    /// Returns the distinct items of an order, ascending.
    pub fn items_of(&self, order: usize) -> &[u32] {
        &self.lines[self.starts[order]..self.starts[order + 1]]
    }

    /// Returns when an order was placed.
    pub fn at_ms(&self, order: usize) -> i64 {
        self.at_ms[order]
    }

    /// Returns when the latest order was placed, 0 where there is none.
    pub fn latest_at_ms(&self) -> i64 {
        self.at_ms.last().copied().unwrap_or(0)
    }

    /// Returns the number of lines of all orders.
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// Returns the first `count` orders alone, with only the items that they hold.
    pub fn first(&self, count: usize) -> Self {
        let mut gather = Gather::default();
        for order in 0..count {
            let skus = self.items_of(order).iter().map(|&item| self.items[item as usize].as_str());
            gather.order(&order.to_string(), self.at_ms[order], skus);
        }
        gather.finish().expect("the items are SKUs already")
    }

    /// Makes orders of times and SKUs.
    #[cfg(test)]
    pub fn of(orders: &[(i64, &[&str])]) -> Self {
        let mut gather = Gather::default();
        for (number, (at_ms, skus)) in orders.iter().enumerate() {
            gather.order(&number.to_string(), *at_ms, skus.iter().copied());
        }
        gather.finish().unwrap()
    }
}

/// Gathers orders in the order of their time, numbering items as they come.
#[derive(Default)]
pub struct Gather {
    seen: HashSet<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
    starts: Vec<usize>,
    lines: Vec<u32>,
    at_ms: Vec<i64>,
}

impl Gather {
    /// Adds an order, or leaves it out where its id has been seen: the same order told by two events.
    pub fn order<'a>(&mut self, id: &str, at_ms: i64, skus: impl Iterator<Item = &'a str>) {
        if !self.seen.insert(id.into()) {
            return;
        }
        let start = self.lines.len();
        for sku in skus {
            let number = match self.numbers.get(sku) {
                Some(number) => *number,
                None => self.number(sku),
            };
            self.lines.push(number);
        }
        self.starts.push(start);
        self.at_ms.push(at_ms);
    }

    fn number(&mut self, sku: &str) -> u32 {
        let number = u32::try_from(self.numbers.len()).expect("fewer than four thousand million SKUs");
        self.numbers.insert(sku.into(), number);
        number
    }

    /// Numbers the items in the order of their SKUs, so that equal orders give equal numbers however they were read.
    ///
    /// # Errors
    /// Where a SKU cannot be one.
    pub fn finish(self) -> Result<Orders, cart_core::ids::IdError> {
        let mut named: Vec<(Sku, u32)> = Vec::with_capacity(self.numbers.len());
        for (text, number) in self.numbers {
            named.push((Sku::parse(&text)?, number));
        }
        named.sort_unstable();
        let mut renumbered = vec![0; named.len()];
        for (place, (_, number)) in named.iter().enumerate() {
            renumbered[*number as usize] = place as u32;
        }
        let mut lines = Vec::with_capacity(self.lines.len());
        let mut starts = Vec::with_capacity(self.starts.len() + 1);
        let ends = self.starts.iter().skip(1).copied().chain([self.lines.len()]);
        for (&start, end) in self.starts.iter().zip(ends) {
            let mut items: Vec<u32> =
                self.lines[start..end].iter().map(|&number| renumbered[number as usize]).collect();
            items.sort_unstable();
            items.dedup();
            starts.push(lines.len());
            lines.extend(items);
        }
        starts.push(lines.len());
        Ok(Orders {
            items: named.into_iter().map(|(sku, _)| sku).collect(),
            starts,
            lines,
            at_ms: self.at_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_holds_each_item_once_and_items_are_numbered_by_sku() {
        let orders = Orders::of(&[(5, &["TEA", "CUP", "TEA"]), (7, &["JUG"])]);
        assert_eq!(orders.items().iter().map(Sku::as_str).collect::<Vec<_>>(), ["CUP", "JUG", "TEA"]);
        assert_eq!((orders.items_of(0), orders.items_of(1)), (&[0, 2][..], &[1][..]));
        assert_eq!((orders.len(), orders.line_count(), orders.latest_at_ms()), (2, 3, 7));
    }

    #[test]
    fn the_first_orders_know_only_their_own_items() {
        let orders = Orders::of(&[(5, &["TEA"]), (7, &["JUG", "TEA"])]).first(1);
        assert_eq!(orders.items().iter().map(Sku::as_str).collect::<Vec<_>>(), ["TEA"]);
        assert_eq!((orders.len(), orders.items_of(0)), (1, &[0][..]));
        assert!(orders.first(0).is_empty());
    }

    #[test]
    fn an_order_told_twice_counts_once() {
        let mut gather = Gather::default();
        gather.order("o1", 1, ["A"].into_iter());
        gather.order("o1", 2, ["B"].into_iter());
        let orders = gather.finish().unwrap();
        assert_eq!((orders.len(), orders.items().len()), (1, 1));
    }
}
