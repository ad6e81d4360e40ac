//! Products and their stock.

use std::collections::BTreeSet;

use cart_core::{Product, Sku, StockLevel, StockLevels};
use rusqlite::{Connection, params};

use super::{
    super::{CatalogueSnapshot, ProductSupply, Result, SupplyOutcome},
    columns::{execute, json, parsed, row, rows, to_json},
    schema,
};

/// Reads all products where the revision is another.
pub fn snapshot(db: &Connection, known: u64) -> Result<Option<CatalogueSnapshot>> {
    let revision = schema::revision(db, "catalogue")?;
    if revision == known {
        return Ok(None);
    }
    let products = rows(db, "SELECT doc FROM products ORDER BY sku", [], |row| json(row, 0))?;
    Ok(Some(CatalogueSnapshot { revision, products }))
}

fn product(db: &Connection, sku: &Sku) -> Result<Option<Product>> {
    row(db, "SELECT doc FROM products WHERE sku = ?1", [sku.as_str()], |row| json(row, 0))
}

/// Puts products, one after the other.
pub fn put(db: &Connection, products: &[ProductSupply]) -> Result<Vec<SupplyOutcome>> {
    let outcomes = products.iter().map(|p| put_one(db, p)).collect::<Result<Vec<_>>>()?;
    if outcomes.iter().any(|o| matches!(o, SupplyOutcome::Inserted | SupplyOutcome::Updated)) {
        schema::bump(db, "catalogue")?;
    }
    Ok(outcomes)
}

fn put_one(
    db: &Connection,
    ProductSupply { product: new, supplied }: &ProductSupply,
) -> Result<SupplyOutcome> {
    let before = product(db, &new.sku)?;
    let mut level = level_of(db, &new.sku)?.unwrap_or_default();
    let (taken, supplied) = (level.held + level.sold, supplied.unwrap_or(level.supplied));
    if supplied < taken {
        return Ok(SupplyOutcome::SupplyTooLow { taken });
    }
    let is_supplied = supplied == level.supplied;
    if is_supplied && before.as_ref() == Some(new) {
        return Ok(SupplyOutcome::Unchanged);
    }
    level.available += supplied - level.supplied;
    level.supplied = supplied;
    write_product(db, new)?;
    write_level(db, &new.sku, level)?;
    Ok(if before.is_some() { SupplyOutcome::Updated } else { SupplyOutcome::Inserted })
}

fn write_product(db: &Connection, product: &Product) -> Result<()> {
    execute(
        db,
        "INSERT INTO products (sku, is_tracked, doc) VALUES (?1, ?2, ?3)
         ON CONFLICT (sku) DO UPDATE SET is_tracked = ?2, doc = ?3",
        params![product.sku.as_str(), product.stock_policy.is_tracked(), to_json(product)?],
    )?;
    Ok(())
}

fn write_level(db: &Connection, sku: &Sku, level: StockLevel) -> Result<()> {
    execute(
        db,
        "INSERT INTO stock (sku, supplied, available, held, sold) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (sku) DO UPDATE SET supplied = ?2, available = ?3",
        params![sku.as_str(), level.supplied, level.available, level.held, level.sold],
    )?;
    Ok(())
}

/// Reads the stock of products in the order of their SKUs.
pub fn levels(db: &Connection, skus: &BTreeSet<Sku>) -> Result<StockLevels> {
    let mut levels = StockLevels::default();
    for sku in skus {
        if let Some(level) = level_of(db, sku)? {
            levels.insert(sku.clone(), level);
        }
    }
    Ok(levels)
}

fn level_of(db: &Connection, sku: &Sku) -> Result<Option<StockLevel>> {
    let sql = "SELECT supplied, available, held, sold FROM stock WHERE sku = ?1";
    row(db, sql, [sku.as_str()], |row| {
        Ok(StockLevel { supplied: row.get(0)?, available: row.get(1)?, held: row.get(2)?, sold: row.get(3)? })
    })
}

/// Returns the tracked products of which no piece is available.
pub fn sold_out(db: &Connection) -> Result<BTreeSet<Sku>> {
    let sql = "SELECT sku FROM stock JOIN products USING (sku) WHERE available = 0 AND is_tracked";
    Ok(rows(db, sql, [], |row| parsed(row, 0))?.into_iter().collect())
}
