//! A small shop in which promotions are tried, and golden cases worked out by hand.

mod conditions;
mod definitions;
mod golden;
mod stacking;

use super::*;
use crate::{Currency, Money, Product, Sku};

/// A Tuesday, 2026-12-01T00:00:00Z.
const DECEMBER_MS: i64 = 1_796_083_200_000;

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

/// Lists a product by its SKU: `BOOK…` are books, `MUG…` red mugs of one family, `TEA…` is tea in two sizes.
fn product(sku: &str) -> Product {
    let mut product = Product::new(Sku::parse(sku).unwrap(), sku, Money::new(0, currency("GBP")));
    match &sku[..sku.len().min(3)] {
        "BOO" => product.category = "books".into(),
        "MUG" => {
            product.category = "mugs".into();
            product.family = Some("mug".parse().unwrap());
            product.attributes.insert("colour".into(), "red".into());
        }
        "TEA" => {
            product.category = "tea".into();
            let size = if sku == "TEA" { "small" } else { "large" };
            product.options.insert("size".into(), size.into());
        }
        _ => {}
    }
    product
}

/// Reads promotions; each is the JSON of its fields, of which `id` and `name` may be left out.
fn promotions<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Promotions, String> {
    let read = |(n, text): (usize, &str)| {
        let mut json: serde_json::Value = serde_json::from_str(text).unwrap();
        let fields = json.as_object_mut().unwrap();
        fields.entry("id").or_insert_with(|| format!("p{n}").into());
        let id = fields["id"].clone();
        fields.entry("name").or_insert(id);
        json
    };
    let all: Vec<_> = texts.into_iter().enumerate().map(read).collect();
    serde_json::from_value(all.into()).map_err(|error| error.to_string())
}

/// Applies promotions to lines of SKU, pieces and unit price.
fn promote(promotions: &Promotions, lines: &[(&str, u32, i64)], occasion: &Occasion<'_>) -> Promoted {
    let products: Vec<_> = lines.iter().map(|(sku, ..)| product(sku)).collect();
    let lines: Vec<_> = products
        .iter()
        .zip(lines)
        .map(|(product, (_, quantity, unit_minor))| PromotedLine::new(product, *quantity, *unit_minor))
        .collect();
    promotions.apply(&lines, occasion)
}

fn sentences(promoted: &Promoted) -> Vec<String> {
    promoted.outcomes.iter().map(ToString::to_string).collect()
}

/// Returns the stable name of each reason, or `applied`, by the promotion's id.
fn verdicts(promoted: &Promoted) -> Vec<String> {
    let name = |verdict: &Verdict| match verdict {
        Verdict::Applied(_) => "applied",
        Verdict::NotApplied(why) => why.name(),
    };
    promoted.outcomes.iter().map(|o| format!("{} {}", o.promotion, name(&o.verdict))).collect()
}
