//! Candidates for what else belongs in a basket, and what is known of each.

use crate::{
    basket::neighbours::{self, PastBaskets},
    codec::{record, stored},
    invalid::Invalid,
    lists::Lists,
    ranker::{Candidates, logarithm, share},
    tally::Tally,
    vectors::{Vectors, dot},
};

/// What is known of an item by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fame {
    /// The logarithms of its orders: all, and those of late, each counting 1/e after 90, 20 and 5 days.
    pub orders: [f32; 4],
    /// The logarithm of one more than the days since its first order.
    pub age: f32,
    /// The mean logarithm of the lengths of its baskets.
    pub length: f32,
}

record!(Fame { orders, age, length });

/// Holds all that candidates are found and judged by.
#[derive(Clone, Debug)]
pub struct Signals {
    /// What an item says of another where all others of the basket speak too: a linear model of all orders.
    pub linear: Lists,
    /// The same of the orders of late.
    pub linear_late: Lists,
    /// What is bought with an item.
    pub together: Lists,
    /// What is bought with it of late.
    pub together_late: Lists,
    /// What is named as it is.
    pub names: Lists,
    /// What has a neighbouring code.
    pub codes: Lists,
    /// Past baskets.
    pub past: PastBaskets,
    /// Items by themselves.
    pub fame: Vec<Fame>,
    /// The most popular items of late, for who knows nothing else.
    pub popular: Vec<u32>,
    /// Items by their company.
    pub vectors: Vectors,
}

stored!(Signals { linear, linear_late, together, together_late, names, codes, past, fame, popular, vectors });

/// The names of a candidate's features, in their order.
pub const FEATURES: [&str; 49] = [
    "linear, logarithm",
    "linear, to the best",
    "linear, rank",
    "linear, from one item",
    "linear late, logarithm",
    "linear late, to the best",
    "linear late, rank",
    "linear late, from one item",
    "together, logarithm",
    "together, to the best",
    "together, rank",
    "together, from one item",
    "together late, logarithm",
    "together late, to the best",
    "together late, rank",
    "together late, from one item",
    "names, logarithm",
    "names, to the best",
    "names, rank",
    "names, from one item",
    "codes, logarithm",
    "codes, to the best",
    "codes, rank",
    "codes, from one item",
    "past baskets, logarithm",
    "past baskets, to the best",
    "past baskets, rank",
    "together, per item",
    "together late, per item",
    "items bought together",
    "part of items bought together",
    "names, per item",
    "retrieval, to the best",
    "orders",
    "orders of 90 days",
    "orders of 20 days",
    "orders of 5 days",
    "orders of 20 days to all",
    "orders of 5 days to 20",
    "age",
    "length of baskets",
    "basket length",
    "cosine to the basket",
    "cosine to the nearest item",
    "orders of the basket",
    "least orders of the basket",
    "age of the basket",
    "late orders of the basket",
    "orders to those of the basket",
];

/// How many features a candidate has.
pub const WIDTH: usize = FEATURES.len();

/// The lists that are looked up per item of the basket, and that of past baskets after them.
const LOOKED_UP: usize = 6;
const LISTS: usize = LOOKED_UP + 1;
const TOGETHER: usize = 2;
const TOGETHER_LATE: usize = 3;
const NAMES: usize = 4;

/// What a list's best score is worth among the candidates.
const WORTH: [f32; LISTS] = [1.0, 0.7, 0.7, 0.4, 0.15, 0.1, 0.6];

/// How many of each list become candidates.
const LIST_MAX: usize = 120;

/// How many popular items become candidates, and what each is worth at most: enough for a basket that nothing knows.
const POPULAR_MAX: usize = 100;
const POPULAR_WORTH: f32 = 0.02;

/// The most items of a basket that are looked at: those given last.
pub const BASKET_MAX: usize = 200;

/// What a thread needs to find candidates.
#[derive(Clone, Debug)]
pub struct Scratch {
    past: neighbours::Scratch,
    sums: [Tally; LISTS],
    tops: [Tally; LOOKED_UP],
    holders: Tally,
    all: Tally,
    ranks: Vec<[u8; LISTS]>,
    best: Vec<(u32, f32)>,
    in_basket: Vec<bool>,
    direction: Vec<f32>,
}

impl Signals {
    /// Refuses what is not of so many items.
    pub(crate) fn check(&self, items: usize) -> Result<(), Invalid> {
        if self.fame.len() != items || self.popular.iter().any(|&item| item as usize >= items) {
            return Err(Invalid("what is known of items is not one each"));
        }
        self.past.check(items)?;
        self.lists().into_iter().try_for_each(|lists| lists.check(items))?;
        self.vectors.check(items)
    }

    /// Returns the lists that are looked up per item of a basket.
    fn lists(&self) -> [&Lists; LOOKED_UP] {
        [&self.linear, &self.linear_late, &self.together, &self.together_late, &self.names, &self.codes]
    }

    /// Returns what a thread needs to find candidates.
    pub fn scratch(&self) -> Scratch {
        let tally = Tally::new(self.fame.len());
        Scratch {
            past: self.past.scratch(),
            sums: std::array::from_fn(|_| tally.clone()),
            tops: std::array::from_fn(|_| tally.clone()),
            holders: tally.clone(),
            all: tally,
            ranks: vec![[0; LISTS]; self.fame.len()],
            best: Vec::new(),
            in_basket: vec![false; self.fame.len()],
            direction: Vec::new(),
        }
    }

    /// Finds up to `most` candidates for a basket of distinct items, with their features; none of the basket's own.
    pub fn candidates(&self, basket: &[u32], most: usize, scratch: &mut Scratch, found: &mut Candidates) {
        found.clear();
        let basket = &basket[basket.len().saturating_sub(BASKET_MAX)..];
        self.look_up(basket, scratch);
        let highest = self.retrieve(basket.len(), most, scratch);
        let whole = Whole::of(basket, &self.fame);
        self.vectors.direction(basket.iter().map(|&item| (item, 1.0)), &mut scratch.direction);
        let top = scratch.best.first().map_or(1.0, |best| best.1);
        for &(item, score) in &scratch.best {
            let fame = &self.fame[item as usize];
            let sum = |list: usize| scratch.sums[list].get(item);
            let vector = self.vectors.of(item);
            let cosines = basket.iter().map(|&other| dot(vector, self.vectors.of(other)));
            let mut row = [0.0; WIDTH];
            for (list, four) in row.chunks_exact_mut(4).take(LOOKED_UP).enumerate() {
                four.copy_from_slice(&[
                    logarithm(sum(list)),
                    sum(list) / highest[list],
                    share(scratch.ranks[item as usize][list]),
                    scratch.tops[list].get(item),
                ]);
            }
            row[LOOKED_UP * 4..].copy_from_slice(&[
                logarithm(sum(LOOKED_UP)),
                sum(LOOKED_UP) / highest[LOOKED_UP],
                share(scratch.ranks[item as usize][LOOKED_UP]),
                sum(TOGETHER) / whole.size,
                sum(TOGETHER_LATE) / whole.size,
                scratch.holders.get(item),
                scratch.holders.get(item) / whole.size,
                sum(NAMES) / whole.size,
                score / top,
                fame.orders[0],
                fame.orders[1],
                fame.orders[2],
                fame.orders[3],
                fame.orders[2] - fame.orders[0],
                fame.orders[3] - fame.orders[2],
                fame.age,
                fame.length,
                whole.size,
                dot(vector, &scratch.direction),
                cosines.fold(-1.0, f32::max),
                whole.orders,
                whole.least_orders,
                whole.age,
                whole.late,
                fame.orders[0] - whole.orders,
            ]);
            found.items.push(item);
            found.rows.extend_from_slice(&row);
        }
        scratch.clear(basket);
    }

    fn look_up(&self, basket: &[u32], scratch: &mut Scratch) {
        for &item in basket {
            scratch.in_basket[item as usize] = true;
            for (place, list) in self.lists().into_iter().enumerate() {
                for entry in list.of(item) {
                    scratch.sums[place].add(entry.item, entry.score);
                    scratch.tops[place].raise(entry.item, entry.score);
                }
            }
            for entry in self.together.of(item) {
                scratch.holders.add(entry.item, 1.0);
            }
        }
        self.past.score(basket, &mut scratch.past, &mut scratch.sums[LOOKED_UP]);
    }

    /// Puts the candidates into `scratch.best`, the likeliest first, and returns the best score of each list.
    fn retrieve(&self, size: usize, most: usize, scratch: &mut Scratch) -> [f32; LISTS] {
        let Scratch { sums, all, ranks, best, in_basket, .. } = scratch;
        let mut highest = [f32::MIN_POSITIVE; LISTS];
        for (list, sums) in sums.iter().enumerate() {
            sums.best(LIST_MAX + size, best);
            best.retain(|&(item, score)| score > 0.0 && !in_basket[item as usize]);
            highest[list] = best.first().map_or(f32::MIN_POSITIVE, |best| best.1);
            for (place, &(item, score)) in best.iter().take(LIST_MAX).enumerate() {
                ranks[item as usize][list] = place as u8 + 1;
                all.add(item, WORTH[list] * (score / highest[list] + 0.2 / (place as f32 + 1.0)));
            }
        }
        let others = self.popular.iter().filter(|&&item| !in_basket[item as usize]).take(POPULAR_MAX);
        for (place, &item) in others.enumerate() {
            all.add(item, POPULAR_WORTH * (1.0 - place as f32 / POPULAR_MAX as f32));
        }
        all.best(most, best);
        highest
    }
}

impl Scratch {
    fn clear(&mut self, basket: &[u32]) {
        for sums in &mut self.sums {
            for &item in sums.touched() {
                self.ranks[item as usize] = [0; LISTS];
            }
            sums.clear();
        }
        self.tops.iter_mut().for_each(Tally::clear);
        self.holders.clear();
        self.all.clear();
        for &item in basket {
            self.in_basket[item as usize] = false;
        }
    }
}

/// What is known of a basket as a whole.
struct Whole {
    size: f32,
    orders: f32,
    least_orders: f32,
    age: f32,
    late: f32,
}

impl Whole {
    fn of(basket: &[u32], fame: &[Fame]) -> Self {
        let size = basket.len() as f32;
        let each = |of: &dyn Fn(&Fame) -> f32| {
            basket.iter().map(|&item| of(&fame[item as usize])).sum::<f32>() / size
        };
        Self {
            size,
            orders: each(&|fame| fame.orders[0]),
            least_orders: basket.iter().map(|&item| fame[item as usize].orders[0]).fold(f32::MAX, f32::min),
            age: each(&|fame| fame.age),
            late: each(&|fame| fame.orders[2] - fame.orders[0]),
        }
    }
}
