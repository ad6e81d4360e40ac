//! Order lines like a gift shop's: how long orders are, how unevenly products sell, and that some go together.
//!
//! Lengths and shares are those of Chen, *Online Retail* (UCI Machine Learning Repository, 2015): 26 distinct items an
//! order on average, half of the orders below 16, one in a hundred above 217; the best-sold product 16 times the average.

use std::{collections::HashSet, ops::Range, path::Path};

use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};

use super::parquet_file::Writer;

/// How many distinct items so much of the orders have at most.
const LENGTHS: [(f64, f64); 11] = [
    (0.0, 1.0),
    (0.05, 1.0),
    (0.1, 2.0),
    (0.25, 6.0),
    (0.5, 15.0),
    (0.75, 29.0),
    (0.9, 52.0),
    (0.95, 75.0),
    (0.99, 217.0),
    (0.999, 590.0),
    (1.0, 1_108.0),
];

/// How many orders the product that is so far down in the list of all has.
const SALES: [(f64, f64); 12] = [
    (0.0, 2_265.0),
    (0.001, 1_685.0),
    (0.003, 1_249.0),
    (0.01, 980.0),
    (0.03, 631.0),
    (0.1, 350.0),
    (0.2, 212.0),
    (0.3, 143.0),
    (0.5, 69.0),
    (0.7, 25.0),
    (0.9, 4.0),
    (1.0, 1.0),
];

/// The products of a theme, such as one colour of tins.
const THEME_PRODUCTS: u64 = 40;

/// Writes a file of order lines, day after day, and returns how many they are.
pub fn write(path: &Path, products: u64, lines: u64, days: Range<i32>, seed: u64) -> u64 {
    let mut random = SmallRng::seed_from_u64(seed);
    let shop = Shop::new(products);
    let mut writer = Writer::new(path);
    let (mut items, mut seen) = (Vec::new(), HashSet::new());
    let mut written = 0;
    let day_count = (days.end - days.start) as u64;
    let mut order = seed << 40;
    while written < lines {
        let day = days.start + (written * day_count / lines) as i32;
        shop.draw(&mut random, (lines - written) as usize, &mut items, &mut seen);
        items.iter().for_each(|&item| writer.line(order, day, item));
        written += items.len() as u64;
        order += 1;
    }
    writer.finish();
    written
}

/// Draws products by their sales, from all or from one theme.
struct Shop {
    products: u64,
    all: Alias,
    themes: Vec<Alias>,
}

impl Shop {
    fn new(products: u64) -> Self {
        let sales = |item: u64| between(&SALES, place_of(item, products) as f64 / products as f64);
        let all = Alias::new((0..products).map(sales).collect());
        let theme =
            |first: u64| Alias::new((first..products.min(first + THEME_PRODUCTS)).map(sales).collect());
        Self { products, all, themes: (0..products).step_by(THEME_PRODUCTS as usize).map(theme).collect() }
    }

    /// Draws the distinct items of an order: half of them from a theme or some, a theme for about a dozen.
    fn draw(&self, random: &mut SmallRng, most: usize, items: &mut Vec<u32>, seen: &mut HashSet<u32>) {
        items.clear();
        seen.clear();
        let length = (between(&LENGTHS, random.random()) as usize).clamp(1, most);
        let mut theme = 0;
        for attempt in 0..4 * length {
            if items.len() == length {
                return;
            }
            if attempt % 12 == 0 {
                theme = self.all.draw(random) / THEME_PRODUCTS as usize;
            }
            let item = if random.random::<bool>() {
                theme * THEME_PRODUCTS as usize + self.themes[theme].draw(random)
            } else {
                self.all.draw(random)
            };
            debug_assert!((item as u64) < self.products);
            if seen.insert(item as u32) {
                items.push(item as u32);
            }
        }
    }
}

/// Returns how far down in the list of sales an item is: as good as any order, so that numbers say nothing.
fn place_of(item: u64, products: u64) -> u64 {
    // A step without a common divisor visits each place once.
    let step = (products * 61_803 / 100_000..).find(|step| gcd(*step, products) == 1).expect("there is one");
    item * step.max(1) % products
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Reads a table in between, evenly in logarithms.
fn between(table: &[(f64, f64)], at: f64) -> f64 {
    let next = table.partition_point(|(place, _)| *place <= at).clamp(1, table.len() - 1);
    let ((x0, y0), (x1, y1)) = (table[next - 1], table[next]);
    (y0.ln() + (y1.ln() - y0.ln()) * (at - x0) / (x1 - x0)).exp()
}

/// Draws places by weight with two looks: Walker's alias method, in Vose's form (IEEE Transactions on Software
/// Engineering 17(9), 1991).
struct Alias(Vec<(f64, u32)>);

impl Alias {
    fn new(weights: Vec<f64>) -> Self {
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        let mut table: Vec<(f64, u32)> =
            weights.iter().zip(0..).map(|(weight, place)| (weight / mean, place)).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..table.len()).partition(|&place| table[place].0 < 1.0);
        while let (Some(&low), Some(&high)) = (small.last(), large.last()) {
            small.pop();
            table[low].1 = high as u32;
            table[high].0 -= 1.0 - table[low].0;
            if table[high].0 < 1.0 {
                large.pop();
                small.push(high);
            }
        }
        Self(table)
    }

    fn draw(&self, random: &mut SmallRng) -> usize {
        let place = random.random_range(0..self.0.len());
        let (share, other) = self.0[place];
        if random.random::<f64>() < share { place } else { other as usize }
    }
}
