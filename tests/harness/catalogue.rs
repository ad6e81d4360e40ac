//! The goods that the tests' shops sell.

use std::fmt::Write;

/// Is one row of the product file.
#[derive(Clone, Debug)]
pub struct Goods {
    /// The stock-keeping unit.
    pub sku: String,
    /// The price in minor units.
    pub price_minor: i64,
    /// The ISO 4217 code of the price.
    pub currency: &'static str,
    /// How many pieces the shop begins with.
    pub stock: i64,
}

fn goods(sku: &str, price_minor: i64, currency: &'static str, stock: i64) -> Goods {
    Goods { sku: sku.to_owned(), price_minor, currency, stock }
}

/// How many pieces of `LAMP` a standard shop has: the rush of two hundred buyers wants it.
pub const LAMP_STOCK: i64 = 50;

/// How many variants `V0`, `V1`, … a standard shop has.
pub const VARIANTS: usize = 8;

/// Returns what a standard shop sells.
pub fn standard() -> Vec<Goods> {
    let mut all = vec![
        goods("MUG", 1_250, "GBP", 1_000),
        goods("TEAPOT", 3_400, "GBP", 1_000),
        goods("LAMP", 8_900, "GBP", LAMP_STOCK),
        goods("RARE", 25_000, "GBP", 3),
        goods("GONE", 700, "GBP", 0),
        goods("VASE-EUR", 1_000, "EUR", 100),
    ];
    all.extend(many("V", VARIANTS, 100_000));
    all
}

/// Returns numbered variants `<prefix>0`, `<prefix>1`, … with the same ample stock each.
pub fn many(prefix: &str, count: usize, stock: i64) -> Vec<Goods> {
    (0..count).map(|n| goods(&format!("{prefix}{n}"), 500 + n as i64, "GBP", stock)).collect()
}

/// Writes the goods as the CSV that `cartwright import products` takes.
pub fn csv(all: &[Goods]) -> String {
    let mut text = String::from("sku,name,description,category,price_minor,currency,stock,image\n");
    for Goods { sku, price_minor, currency, stock } in all {
        writeln!(
            text,
            "\"{sku}\",\"The {sku}\",\"Plain, and well made.\",home,{price_minor},{currency},{stock},"
        )
        .expect("writing to a string");
    }
    text
}
