//! What customers buy after something: for the first time, on a later day, of those who came back.
//!
//! Unlike what stands in the same orders this has a direction: ink follows a printer. Each order of somebody who had ordered
//! before is a return: what they had by then, and what they bought that they never had. Over these the pairs are counted as
//! [`crate::pairs`] counts within orders, with what they had for rows and what is new for columns; as one customer can buy a
//! thing for the first time only once, both counts are of customers.

use std::collections::{HashMap, HashSet};

use recommender::{history::HAD_MAX, pairs::Pairs, ragged::Ragged};

use crate::{
    log::Slice,
    pairs::{Product, Settings, decay, holders, partners},
};

/// Orders of one customer within so many milliseconds, twelve hours, are one occasion: the second completes the first.
const OCCASION_MS: i64 = 12 * 3_600_000;

/// Is an order of somebody who had ordered on an earlier occasion, and bought something new.
#[derive(Clone, Copy, Debug)]
pub struct Return<'a> {
    /// Whose order it is.
    pub buyer: u32,
    /// The entry of the slice.
    pub entry: usize,
    /// When it was placed.
    pub at_ms: i64,
    /// What they had bought on earlier occasions, distinct, the latest last.
    pub had: &'a [u32],
    /// What they had never bought.
    pub new: &'a [u32],
}

/// What a customer has bought so far.
#[derive(Default)]
struct Customer {
    /// On earlier occasions, the latest last; what was bought again stands where it was bought last.
    had: Vec<u32>,
    /// When the present occasion began, and what was bought on it.
    since_ms: i64,
    now: Vec<u32>,
}

/// Tells of each return among orders, oldest first.
pub fn returns(orders: Slice<'_>, mut each: impl FnMut(Return<'_>)) {
    let mut customers: HashMap<u32, Customer> = HashMap::new();
    let mut bought: HashSet<(u32, u32)> = HashSet::new();
    let mut new = Vec::new();
    for (entry, ((at_ms, items), buyer)) in orders.entries().zip(orders.buyers()).enumerate() {
        let Some(buyer) = buyer else { continue };
        let customer = customers.entry(buyer).or_default();
        if at_ms - customer.since_ms > OCCASION_MS {
            customer.end_occasion();
            customer.since_ms = at_ms;
        }
        new.clear();
        new.extend(items.iter().copied().filter(|&item| bought.insert((buyer, item))));
        customer.now.extend(items);
        if !customer.had.is_empty() && !new.is_empty() {
            each(Return { buyer, entry, at_ms, had: &customer.had, new: &new });
        }
    }
}

impl Customer {
    fn end_occasion(&mut self) {
        let now: HashSet<u32> = self.now.iter().copied().collect();
        self.had.retain(|item| !now.contains(item));
        // In the order of their numbers, so that equal orders give equal pairs.
        self.now.sort_unstable();
        self.now.dedup();
        self.had.append(&mut self.now);
    }
}

/// Returns the settings that do well for what is bought after something: tastes of those who come back change with the season.
pub fn settings() -> Settings {
    Settings { half_life_days: 60.0, ..Settings::default() }
}

/// Counts what is bought after each item, the best partners of each, ties by their number. An item's entries are the customers
/// who had it and came back for something new; a pair's, those of them who bought the other.
pub fn count(orders: Slice<'_>, settings: &Settings) -> Pairs {
    let items = orders.log().items().len();
    let (_, latest) = orders.span_ms();
    let (mut had, mut new) = (Ragged::default(), Ragged::default());
    let (mut weights, mut buyers) = (Vec::new(), Vec::new());
    returns(orders, |of| {
        let latest_had = &of.had[of.had.len().saturating_sub(HAD_MAX)..];
        let pairs = (latest_had.len() * of.new.len()) as f64;
        weights.push(decay(latest, of.at_ms, settings.half_life_days) * pairs.powf(-settings.length_power));
        buyers.push(of.buyer);
        had.push(latest_had.iter().copied());
        new.push(of.new.iter().copied());
    });
    let holders = holders(&had, items);
    let customers = |item: u32| {
        let mut of: Vec<u32> = holders.row(item).iter().map(|&number| buyers[number as usize]).collect();
        of.sort_unstable();
        of.dedup();
        of.len() as u32
    };
    let partners = partners(&Product { holders: &holders, held: &new, weights: &weights }, settings);
    let mut pairs = Pairs::default();
    for (item, partners) in partners.into_iter().enumerate() {
        pairs.push(customers(item as u32), partners);
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        draw::mix,
        log::{Gather, Kind, Log},
    };

    const HOUR: i64 = 3_600_000;

    /// Orders as customer, hour and items.
    fn log(orders: &[(&str, i64, &[&str])]) -> Log {
        let mut gather = Gather::new(Kind::Baskets);
        for (number, (buyer, hour, items)) in orders.iter().enumerate() {
            let buyer = Some(*buyer).filter(|buyer| !buyer.is_empty());
            let lines = items.iter().map(|item| (*item, None));
            gather.entry_of(buyer, &number.to_string(), hour * HOUR, lines);
        }
        gather.finish()
    }

    fn said(log: &Log) -> Vec<String> {
        let mut said = Vec::new();
        let names =
            |items: &[u32]| items.iter().map(|&item| &*log.items()[item as usize]).collect::<String>();
        returns(log.all(), |of| said.push(format!("{}>{}", names(of.had), names(of.new))));
        said
    }

    #[test]
    fn a_return_is_what_was_had_and_what_is_new_of_one_customer() {
        let log = log(&[
            ("v", 0, &["A", "B"]),
            ("w", 1, &["A"]),
            ("v", 11, &["C"]),
            ("v", 30, &["A", "D"]),
            ("", 40, &["E"]),
            ("", 90, &["F"]),
            ("v", 99, &["D", "A"]),
            ("w", 99, &["B"]),
            ("v", 150, &["E"]),
        ]);
        // C came eleven hours after A and B: the same occasion. On the third nothing is new; A and D were bought last then.
        assert_eq!(said(&log), ["ABC>D", "A>B", "BCAD>E"]);
    }

    #[test]
    fn what_follows_has_a_direction_and_is_counted_in_customers() {
        let mut orders = Vec::new();
        for buyer in ["a", "b", "c"] {
            orders.push((buyer, 0, &["PRINTER", "PAPER"][..]));
            orders.push((buyer, 100, &["INK"][..]));
        }
        // Comes back twice, and is one customer; and one who never comes back.
        orders.push(("d", 0, &["PRINTER"][..]));
        orders.push(("d", 100, &["LAMP"][..]));
        orders.push(("d", 200, &["DESK"][..]));
        orders.push(("e", 0, &["PRINTER"][..]));
        let log = log(&orders);
        let pairs = count(log.all(), &Settings { shrink: 0.0, length_power: 0.0, ..settings() });
        let item = |name: &str| log.item(name).unwrap();
        let partners = |name: &str| pairs.partners(item(name)).to_vec();
        assert_eq!(pairs.entries(item("PRINTER")), 4, "who came back");
        let ink = &partners("PRINTER")[0];
        assert_eq!((ink.item, ink.entries), (item("INK"), 3));
        // Three of five returns with a printer, three of three for ink, of weights that hardly differ: 3 / √(5 · 3).
        assert!((ink.score - (3.0_f32 / 5.0).sqrt()).abs() < 0.02, "{ink:?}");
        assert_eq!(partners("PRINTER").len(), 1, "LAMP and DESK have one customer each");
        assert_eq!((partners("INK").len(), pairs.entries(item("INK"))), (0, 0));
    }

    #[test]
    fn a_customer_of_a_thousand_orders_has_had_each_thing_when_it_was_bought_last() {
        let names: Vec<String> = (0..1_000).map(|number| format!("{:03}", mix(number) % 700)).collect();
        let items: Vec<[&str; 1]> = names.iter().map(|name| [name.as_str()]).collect();
        let orders: Vec<_> = (0..).zip(&items).map(|(day, items)| ("v", day * 24, &items[..])).collect();
        let (log, mut count) = (log(&orders), 0);
        returns(log.all(), |of| {
            let mut seen = HashSet::new();
            let mut before: Vec<&str> = names[..of.entry]
                .iter()
                .rev()
                .map(String::as_str)
                .filter(|name| seen.insert(*name))
                .collect();
            before.reverse();
            let had: Vec<&str> = of.had.iter().map(|&item| &*log.items()[item as usize]).collect();
            assert_eq!(had, before);
            count += 1;
        });
        assert_eq!(count, log.items().len() - 1, "each thing is new once");
    }
}
