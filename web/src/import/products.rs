//! Products: one row each, or many, of which the last good one holds.

use std::collections::BTreeMap;

use cart_core::{
    FamilyId, IdError, Money, Product, QuantityLimits, Sku, StockPolicy, TaxCategory, limits::SUPPLY_MAX,
};

use super::{
    Report,
    row::{Fields, Mapping, Row},
    table::Table,
};
use crate::store::{ProductSupply, Store, SupplyOutcome};

/// The fields of a product.
pub const FIELDS: [&str; 21] = [
    "sku",
    "name",
    "description",
    "category",
    "price",
    "price_minor",
    "currency",
    "stock",
    "policy",
    "hidden",
    "image",
    "family",
    "options",
    "attributes",
    "prices",
    "tax_category",
    "weight_g",
    "digital",
    "min_quantity",
    "max_quantity",
    "step_quantity",
];
const NEEDED: [&str; 2] = ["sku", "name"];
/// The longest name in bytes: a heading.
const NAME_BYTES_MAX: usize = 200;
/// The longest description in bytes: a page.
const DESCRIPTION_BYTES_MAX: usize = 4_000;
/// Products that one transaction takes.
const BATCH: usize = 1_000;

/// Imports a table of products; imported again, it changes nothing.
///
/// # Errors
/// Where the columns do not fit or the store does not answer. Bad rows are no error: they are in the report.
pub async fn import(
    store: &dyn Store,
    table: Table,
    mapping: &Mapping,
    tick: impl Fn(),
) -> anyhow::Result<Report> {
    let fields = Fields::place(mapping, &table.columns, &FIELDS, &NEEDED)?;
    fields.check_price()?;
    let mut report = Report::default();
    let mut products: BTreeMap<Sku, (u64, ProductSupply)> = BTreeMap::new();
    for cells in table.cells {
        report.rows += 1;
        tick();
        match cells.and_then(|cells| product_of(&fields.row(&cells))) {
            Ok(Some(supply)) => {
                products.insert(supply.product.sku.clone(), (report.rows, supply));
            }
            Ok(None) => report.skipped += 1,
            Err(reason) => report.bad.push((report.rows, reason)),
        }
    }
    let products: Vec<_> = products.into_values().collect();
    for batch in products.chunks(BATCH) {
        let supplies: Vec<ProductSupply> = batch.iter().map(|(_, s)| s.clone()).collect();
        for ((row, supply), outcome) in batch.iter().zip(store.put_products(&supplies).await?) {
            match outcome {
                SupplyOutcome::Inserted => report.count("products inserted", 1),
                SupplyOutcome::Updated => report.count("products updated", 1),
                SupplyOutcome::Unchanged => report.count("products unchanged", 1),
                SupplyOutcome::SupplyTooLow { taken } => {
                    let sku = &supply.product.sku;
                    report
                        .bad
                        .push((*row, format!("stock of {sku} is below the {taken} pieces held or sold")));
                }
            }
        }
    }
    report.bad.sort();
    Ok(report)
}

fn product_of(row: &Row<'_>) -> Result<Option<ProductSupply>, String> {
    let Some(sku) = row.sku()? else { return Ok(None) };
    let name = row.needed("name")?;
    let description = row.text("description").unwrap_or_default();
    if name.len() > NAME_BYTES_MAX {
        return Err(format!("name has {} bytes, the most allowed is {NAME_BYTES_MAX}", name.len()));
    }
    if description.len() > DESCRIPTION_BYTES_MAX {
        return Err(format!(
            "description has {} bytes, the most is {DESCRIPTION_BYTES_MAX}",
            description.len()
        ));
    }
    let currency = row.currency()?;
    let supplied = match row.text("stock") {
        None => None,
        Some(_) => match row.number("stock")? {
            n @ 0..=SUPPLY_MAX => Some(n),
            n => return Err(format!("stock {n} is not 0 to {SUPPLY_MAX}")),
        },
    };
    let policy = match row.text("policy") {
        // A shop that counts nothing never runs out.
        None if supplied.is_none() => StockPolicy::Untracked,
        None => StockPolicy::default(),
        Some(name) => StockPolicy::from_name(name)
            .ok_or_else(|| format!("policy {name:?} is not hold_on_add, take_at_order or untracked"))?,
    };
    let parsed = |e: IdError| e.to_string();
    let product = Product {
        description: description.to_owned(),
        category: row.text("category").unwrap_or_default().to_owned(),
        family: row.text("family").map(FamilyId::parse).transpose().map_err(parsed)?,
        options: pairs(row, "options")?,
        attributes: pairs(row, "attributes")?,
        prices: match row.text("prices") {
            Some(json) => serde_json::from_str(json).map_err(|e| format!("prices: {e}"))?,
            None => vec![],
        },
        tax_category: match row.text("tax_category") {
            Some(name) => TaxCategory::parse(name).map_err(parsed)?,
            None => TaxCategory::default(),
        },
        digital: is(row, "digital")?,
        weight_g: count(row, "weight_g")?.unwrap_or(0),
        limits: limits_of(row)?,
        stock_policy: policy,
        hidden: is(row, "hidden")?,
        image: row.text("image").map(str::to_owned),
        ..Product::new(sku, name, Money::new(row.price_minor(currency)?, currency))
    };
    product.check_prices().and_then(|()| product.limits.check()).map_err(|e| e.to_string())?;
    Ok(Some(ProductSupply { product, supplied }))
}

fn limits_of(row: &Row<'_>) -> Result<QuantityLimits, String> {
    let default = QuantityLimits::default();
    Ok(QuantityLimits {
        min: count(row, "min_quantity")?.unwrap_or(default.min),
        max: count(row, "max_quantity")?,
        step: count(row, "step_quantity")?.unwrap_or(default.step),
        ..default
    })
}

fn is(row: &Row<'_>, field: &str) -> Result<bool, String> {
    match row.text(field) {
        None | Some("false" | "0" | "no") => Ok(false),
        Some("true" | "1" | "yes") => Ok(true),
        Some(other) => Err(format!("{field} {other:?} is not true or false")),
    }
}

fn count(row: &Row<'_>, field: &str) -> Result<Option<u32>, String> {
    let Some(text) = row.text(field) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| format!("{field} {text:?} is not a whole number from 0 on"))
}

/// Reads `name=value; name=value`.
fn pairs(row: &Row<'_>, field: &str) -> Result<BTreeMap<String, String>, String> {
    let texts = row.text(field).unwrap_or_default().split(';').map(str::trim).filter(|t| !t.is_empty());
    let pair = |text: &str| match text.split_once('=').map(|(name, value)| (name.trim(), value.trim())) {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err(format!("{field} {text:?} is not written name=value")),
    };
    texts.map(pair).collect()
}
