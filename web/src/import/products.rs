//! Products: one row each, or many, of which the last good one holds.

use std::collections::{BTreeMap, BTreeSet};

use cart_core::{
    Bundle, FamilyId, IdError, Money, Part, Preorder, Product, QuantityLimits, Sku, StockPolicy, TaxCategory,
    limits::{DELIVERY_NOTE_BYTES_MAX, OWED_MAX, SUPPLY_MAX},
};

use super::{
    Report,
    row::{Fields, Mapping, Row},
    table::Table,
};
use crate::store::{ProductSupply, Store, SupplyOutcome};

/// The fields of a product.
pub const FIELDS: [&str; 31] = [
    "sku",
    "name",
    "description",
    "category",
    "price",
    "price_minor",
    "currency",
    "stock",
    "policy",
    "safety_stock",
    "backorder_limit",
    "preorder_until",
    "preorder_limit",
    "hidden",
    "image",
    "family",
    "options",
    "attributes",
    "properties",
    "prices",
    "tax_category",
    "weight_g",
    "digital",
    "delivery_note",
    "bundle",
    "bundle_off_bp",
    "min_quantity",
    "max_quantity",
    "max_line_quantity",
    "step_quantity",
    "customer_quantity",
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
    refuse_without_parts(store, &mut products, &mut report).await?;
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

/// Takes out bundles of which a part is neither in the file nor in the catalogue, or is a bundle itself.
async fn refuse_without_parts(
    store: &dyn Store,
    products: &mut BTreeMap<Sku, (u64, ProductSupply)>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let is_bundle = |(_, supply): &(u64, ProductSupply)| supply.product.bundle.is_some();
    if !products.values().any(is_bundle) {
        return Ok(());
    }
    let stand = store.catalogue(0).await?.map(|snapshot| snapshot.products).unwrap_or_default();
    let is_new = |product: &Product| products.contains_key(&product.sku);
    let mut plain: BTreeSet<Sku> =
        stand.into_iter().filter(|p| p.bundle.is_none() && !is_new(p)).map(|p| p.sku).collect();
    plain.extend(products.iter().filter(|(_, put)| !is_bundle(put)).map(|(sku, _)| sku.clone()));
    products.retain(|sku, (row, supply)| {
        let lacking = supply.product.parts().iter().find(|part| !plain.contains(&part.sku));
        if let Some(part) = lacking {
            let reason = format!("bundle {sku} needs {}, which is no product, or a bundle itself", part.sku);
            report.bad.push((*row, reason));
        }
        lacking.is_none()
    });
    Ok(())
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
    let delivery_note = row.text("delivery_note").unwrap_or_default();
    if delivery_note.len() > DELIVERY_NOTE_BYTES_MAX {
        return Err(format!(
            "delivery_note has {} bytes, the most is {DELIVERY_NOTE_BYTES_MAX}",
            delivery_note.len()
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
    let bundle = bundle_of(row)?;
    let price = match &bundle {
        Some(Bundle { off_bp: Some(_), .. }) => Money::new(0, currency),
        _ => Money::new(row.price_minor(currency)?, currency),
    };
    let policy = match row.text("policy") {
        None if bundle.is_some() => StockPolicy::default(),
        // A shop that counts nothing never runs out.
        None if supplied.is_none() => StockPolicy::Untracked,
        None => StockPolicy::default(),
        Some(name) => StockPolicy::from_name(name).ok_or_else(|| {
            format!("policy {name:?} is not {}", StockPolicy::ALL.map(StockPolicy::name).join(", "))
        })?,
    };
    let parsed = |e: IdError| e.to_string();
    let product = Product {
        description: description.to_owned(),
        category: row.text("category").unwrap_or_default().to_owned(),
        family: row.text("family").map(FamilyId::parse).transpose().map_err(parsed)?,
        options: pairs(row, "options")?,
        attributes: pairs(row, "attributes")?,
        properties: match row.text("properties") {
            Some(json) => serde_json::from_str(json).map_err(|e| format!("properties: {e}"))?,
            None => vec![],
        },
        prices: match row.text("prices") {
            Some(json) => serde_json::from_str(json).map_err(|e| format!("prices: {e}"))?,
            None => vec![],
        },
        tax_category: match row.text("tax_category") {
            Some(name) => TaxCategory::parse(name).map_err(parsed)?,
            None => TaxCategory::default(),
        },
        digital: is(row, "digital")?,
        delivery_note: delivery_note.to_owned(),
        weight_g: count(row, "weight_g")?.unwrap_or(0),
        limits: limits_of(row)?,
        stock_policy: policy,
        backorder_limit: owed(row, "backorder_limit")?.unwrap_or(0),
        preorder: preorder_of(row)?,
        hidden: is(row, "hidden")?,
        image: row.text("image").map(str::to_owned),
        bundle,
        ..Product::new(sku, name, price)
    };
    let checked = product.check_prices().and_then(|()| product.limits.check());
    checked.and_then(|()| product.check_properties()).map_err(|e| e.to_string())?;
    let safety = owed(row, "safety_stock")?.map(i64::from);
    Ok(Some(ProductSupply { product, supplied, safety }))
}

/// Reads what a bundle is made of: `SKU=pieces; SKU=pieces`.
fn bundle_of(row: &Row<'_>) -> Result<Option<Bundle>, String> {
    let off_bp = count(row, "bundle_off_bp")?;
    let texts = row.text("bundle").unwrap_or_default().split(';').map(str::trim).filter(|t| !t.is_empty());
    let part = |text: &str| {
        let (sku, pieces) = text.rsplit_once('=').unwrap_or((text, ""));
        let sku = Sku::parse(sku.trim()).map_err(|e| format!("bundle: {e}"))?;
        let quantity = pieces.trim().parse();
        let quantity = quantity.map_err(|_| format!("bundle {text:?} is not written SKU=pieces"))?;
        Ok(Part::new(sku, quantity))
    };
    // The order is the shop's: it is the one that shoppers read.
    let parts: Vec<Part> = texts.map(part).collect::<Result<_, String>>()?;
    if parts.is_empty() {
        return match off_bp {
            None => Ok(None),
            Some(_) => Err("bundle_off_bp belongs to a bundle; name its parts in bundle".into()),
        };
    }
    for field in ["stock", "safety_stock", "backorder_limit", "preorder_until", "preorder_limit"] {
        if row.text(field).is_some() {
            return Err(format!("{field} of a bundle is that of its parts; leave it out"));
        }
    }
    let bundle = Bundle { parts, off_bp };
    bundle.check().map_err(|e| format!("bundle: {e}"))?;
    Ok(Some(bundle))
}

fn preorder_of(row: &Row<'_>) -> Result<Option<Preorder>, String> {
    let limit = owed(row, "preorder_limit")?;
    match (row.text("preorder_until"), limit) {
        (None, None) => Ok(None),
        (Some(_), Some(limit)) => {
            Ok(Some(Preorder { releases_at_ms: row.time_ms("preorder_until")?, limit }))
        }
        _ => Err(
            "preorder_until and preorder_limit go together: when it ships, and how many may be sold before"
                .into(),
        ),
    }
}

/// Reads a count of pieces that a row of the stock must hold.
fn owed(row: &Row<'_>, field: &str) -> Result<Option<u32>, String> {
    match count(row, field)? {
        Some(pieces) if pieces > OWED_MAX => Err(format!("{field} {pieces} is above {OWED_MAX}")),
        pieces => Ok(pieces),
    }
}

fn limits_of(row: &Row<'_>) -> Result<QuantityLimits, String> {
    let default = QuantityLimits::default();
    Ok(QuantityLimits {
        min: count(row, "min_quantity")?.unwrap_or(default.min),
        max: count(row, "max_quantity")?,
        max_per_line: count(row, "max_line_quantity")?,
        step: count(row, "step_quantity")?.unwrap_or(default.step),
        per_customer: count(row, "customer_quantity")?,
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
