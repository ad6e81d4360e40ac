//! Co-purchase counts: for one item after the other, how often each other item shared its orders.
//!
//! The counts are rows of AᵀWA, A being orders × items and W the orders' weights, taken one row at a time (Gustavson
//! 1978): memory grows with the items and the order lines, never with the pairs, and the sums of a row are always
//! added in the same order, so that the same orders give the same bytes on any number of threads.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use crate::{orders::Orders, score::Table};

/// How many items a thread takes at a time: enough not to meet at the counter, few enough to end together.
const ITEMS_AT_A_TIME: usize = 64;

const DAY_MS: f64 = 86_400_000.0;

/// Says how orders weigh.
#[derive(Clone, Copy, Debug)]
pub struct Weighing {
    /// The days after which an order counts half, counted back from the latest order.
    pub half_life_days: f64,
    /// An order of `n` items counts `n` to the power of minus this.
    pub length_power: f64,
    /// The most items of one order that are paired; of a longer one so many are drawn, always the same.
    pub order_items_max: usize,
}

/// Is another item of a row, with the orders it shares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Partner {
    /// The other item.
    pub item: u32,
    /// The weight of the shared orders.
    pub weight: f64,
    /// Their number.
    pub orders: u32,
}

/// Holds weighted orders both ways, ready to be counted.
pub struct Pairs {
    baskets: Lists,
    orders_of_item: Lists,
    weights: Vec<f64>,
    item_weights: Vec<f64>,
    all: f64,
}

impl Pairs {
    /// Weighs the orders and turns them around.
    pub fn new(orders: &Orders, weighing: Weighing) -> Self {
        let latest = orders.latest_at_ms();
        let mut baskets = Lists::default();
        let mut weights = Vec::with_capacity(orders.len());
        for order in 0..orders.len() {
            let items = orders.items_of(order);
            // An order's weight is that of its full length, also where only some of its items are paired.
            let length = (items.len() as f64).powf(-weighing.length_power);
            weights.push(decay(latest, orders.at_ms(order), weighing.half_life_days) * length);
            baskets.push(drawn(items, weighing.order_items_max, order));
        }
        let orders_of_item = baskets.turned(orders.items().len());
        let weight_of = |item: usize| orders_of_item.get(item).iter().map(|&o| weights[o as usize]).sum();
        let item_weights = (0..orders.items().len()).map(weight_of).collect();
        let all = weights.iter().sum();
        Self { baskets, orders_of_item, weights, item_weights, all }
    }

    /// Returns the counts that a score of the two items is made of.
    pub fn table(&self, item: u32, partner: &Partner) -> Table {
        Table {
            both: partner.weight,
            first: self.item_weights[item as usize],
            second: self.item_weights[partner.item as usize],
            all: self.all,
        }
    }

    /// Calls `row` for every item with its partners (ascending), on all cores, and returns the results by item.
    pub fn map_items<T: Send>(&self, row: impl Fn(u32, &[Partner]) -> T + Sync) -> Vec<T> {
        let next = AtomicUsize::new(0);
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let mut results: Vec<(usize, T)> = thread::scope(|scope| {
            let work = || self.take_rows(&next, &row);
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            workers.into_iter().flat_map(|w| w.join().expect("counting does not panic")).collect()
        });
        results.sort_unstable_by_key(|(item, _)| *item);
        results.into_iter().map(|(_, result)| result).collect()
    }

    fn take_rows<T>(
        &self,
        next: &AtomicUsize,
        row: &(impl Fn(u32, &[Partner]) -> T + Sync),
    ) -> Vec<(usize, T)> {
        let items = self.item_weights.len();
        let mut scratch = Scratch { weight: vec![0.0; items], orders: vec![0; items], partners: Vec::new() };
        let mut done = Vec::new();
        loop {
            let first = next.fetch_add(ITEMS_AT_A_TIME, Ordering::Relaxed);
            if first >= items {
                return done;
            }
            for item in first..items.min(first + ITEMS_AT_A_TIME) {
                self.count(item as u32, &mut scratch);
                done.push((item, row(item as u32, &scratch.partners)));
            }
        }
    }

    fn count(&self, item: u32, scratch: &mut Scratch) {
        let Scratch { weight, orders, partners } = scratch;
        partners.clear();
        for &order in self.orders_of_item.get(item as usize) {
            for &other in self.baskets.get(order as usize) {
                let place = other as usize;
                if orders[place] == 0 {
                    partners.push(Partner { item: other, weight: 0.0, orders: 0 });
                }
                orders[place] += 1;
                weight[place] += self.weights[order as usize];
            }
        }
        for partner in partners.iter_mut() {
            let place = partner.item as usize;
            partner.weight = std::mem::take(&mut weight[place]);
            partner.orders = std::mem::take(&mut orders[place]);
        }
        partners.retain(|partner| partner.item != item);
        partners.sort_unstable_by_key(|partner| partner.item);
    }
}

/// Returns the weight of an order's age: 1 for the latest, ½ after one half-life.
///
/// Source: exponential forgetting as in Ding and Li, *Time Weight Collaborative Filtering*, CIKM 2005. With a half-life
/// of 180 days, an order of 360 days ago counts 2^(−360/180) = 0.25.
pub fn decay(latest_ms: i64, at_ms: i64, half_life_days: f64) -> f64 {
    let age_days = (latest_ms - at_ms) as f64 / DAY_MS;
    (-age_days / half_life_days).exp2()
}

/// Returns the items of an order, or of a long one `most` that a hash draws.
fn drawn(items: &[u32], most: usize, order: usize) -> Vec<u32> {
    if items.len() <= most {
        return items.to_vec();
    }
    let mut drawn = items.to_vec();
    drawn.sort_by_key(|&item| mix((order as u64) << 32 | u64::from(item)));
    drawn.truncate(most);
    drawn.sort_unstable();
    drawn
}

/// Spreads a number over all 64 bits: the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
pub fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// What counting a row needs, cleared after each.
struct Scratch {
    weight: Vec<f64>,
    orders: Vec<u32>,
    partners: Vec<Partner>,
}

/// Holds many lists of numbers end to end.
struct Lists {
    starts: Vec<usize>,
    numbers: Vec<u32>,
}

impl Default for Lists {
    fn default() -> Self {
        Self { starts: vec![0], numbers: Vec::new() }
    }
}

impl Lists {
    fn push(&mut self, list: Vec<u32>) {
        self.numbers.extend(list);
        self.starts.push(self.numbers.len());
    }

    fn get(&self, place: usize) -> &[u32] {
        &self.numbers[self.starts[place]..self.starts[place + 1]]
    }

    /// Returns for each number below `count` the places of the lists that hold it, ascending.
    fn turned(&self, count: usize) -> Self {
        let mut starts = vec![0; count + 1];
        for &number in &self.numbers {
            starts[number as usize + 1] += 1;
        }
        for place in 1..starts.len() {
            starts[place] += starts[place - 1];
        }
        let mut free = starts.clone();
        let mut numbers = vec![0; self.numbers.len()];
        for place in 0..self.starts.len() - 1 {
            for &number in self.get(place) {
                numbers[free[number as usize]] = place as u32;
                free[number as usize] += 1;
            }
        }
        Self { starts, numbers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;
    const PLAIN: Weighing = Weighing { half_life_days: 180.0, length_power: 0.0, order_items_max: 500 };

    fn rows(orders: &Orders, weighing: Weighing) -> Vec<Vec<(u32, f64, u32)>> {
        let pairs = Pairs::new(orders, weighing);
        pairs.map_items(|_, partners| partners.iter().map(|p| (p.item, p.weight, p.orders)).collect())
    }

    #[test]
    fn pairs_of_one_day_are_counted_once_per_order_on_both_sides() {
        let orders = Orders::of(&[(0, &["A", "B"]), (0, &["A", "B", "C"]), (0, &["C"]), (0, &["B", "B"])]);
        assert_eq!(
            rows(&orders, PLAIN),
            [vec![(1, 2.0, 2), (2, 1.0, 1)], vec![(0, 2.0, 2), (2, 1.0, 1)], vec![(0, 1.0, 1), (1, 1.0, 1)],]
        );
        let pairs = Pairs::new(&orders, PLAIN);
        let table = pairs.table(0, &Partner { item: 1, weight: 2.0, orders: 2 });
        assert_eq!(table, Table { both: 2.0, first: 2.0, second: 3.0, all: 4.0 });
    }

    #[test]
    fn an_order_counts_half_after_the_half_life() {
        let orders = Orders::of(&[(0, &["A", "B"]), (180 * DAY, &["A", "B"]), (360 * DAY, &["A", "C"])]);
        assert_eq!(rows(&orders, PLAIN)[0], [(1, 0.25 + 0.5, 2), (2, 1.0, 1)]);
    }

    #[test]
    fn a_long_order_counts_less_for_each_pair() {
        let orders = Orders::of(&[(0, &["A", "B", "C", "D"])]);
        let weighing = Weighing { length_power: 0.5, ..PLAIN };
        assert_eq!(rows(&orders, weighing)[0], [(1, 0.5, 1), (2, 0.5, 1), (3, 0.5, 1)]);
    }

    #[test]
    fn of_an_order_that_is_too_long_the_same_items_are_drawn_every_time() {
        let names: Vec<String> = (0..100).map(|i| format!("I{i:03}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let orders = Orders::of(&[(0, &names)]);
        let weighing = Weighing { order_items_max: 10, ..PLAIN };
        let counted = rows(&orders, weighing);
        assert_eq!(counted.iter().filter(|row| !row.is_empty()).count(), 10);
        assert!(counted.iter().all(|row| row.is_empty() || row.len() == 9));
        assert_eq!(counted, rows(&orders, weighing));
        assert!(counted.iter().take(10).any(Vec::is_empty), "the first ten are not always the ones");
    }

    #[test]
    fn many_items_come_back_in_order() {
        let names: Vec<String> = (0..300).map(|i| format!("I{i:03}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let pairs = Pairs::new(&Orders::of(&[(0, &names)]), PLAIN);
        assert_eq!(pairs.map_items(|item, _| item), (0..300).collect::<Vec<_>>());
    }
}
