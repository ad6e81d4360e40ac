//! Products and their stock.

use std::collections::BTreeSet;

use async_trait::async_trait;
use cart_core::{LocationId, Product, Sku, StockLevels};
use rusqlite::{Connection, params};

use super::{
    super::{CatalogueSnapshot, CatalogueStore, ProductSupply, Result, SupplyOutcome},
    SqliteStore,
    columns::{count, execute, int, json, parsed, row, rows, to_json},
    schema, search, stock,
};

#[async_trait]
impl CatalogueStore for SqliteStore {
    async fn catalogue(&self, known: u64) -> Result<Option<CatalogueSnapshot>> {
        self.readers.run(move |db| snapshot(db, known)).await
    }

    async fn put_products(&self, products: &[ProductSupply]) -> Result<Vec<SupplyOutcome>> {
        let products = products.to_vec();
        self.writer.run(move |db| put(db, &products)).await
    }

    async fn stock(&self, skus: &BTreeSet<Sku>) -> Result<StockLevels> {
        let skus = skus.clone();
        self.readers.run(move |db| levels(db, &skus)).await
    }

    async fn sold_out(&self, locations: &[LocationId]) -> Result<BTreeSet<Sku>> {
        let locations = locations.to_vec();
        self.readers.run(move |db| sold_out(db, &locations)).await
    }
}

/// Reads all products where the revision is another.
pub fn snapshot(db: &Connection, known: u64) -> Result<Option<CatalogueSnapshot>> {
    let revision = schema::revision(db, "catalogue")?;
    if revision == known {
        return Ok(None);
    }
    let sql = "SELECT doc, listed FROM products ORDER BY sku";
    let products = rows(db, sql, [], |row| Ok((json(row, 0)?, count(row, 1)?)))?;
    let (products, listed) = products.into_iter().unzip();
    Ok(Some(CatalogueSnapshot { revision, products, listed }))
}

/// Reads a product.
pub fn product(db: &Connection, sku: &Sku) -> Result<Option<Product>> {
    row(db, "SELECT doc FROM products WHERE sku = ?1", [sku.as_str()], |row| json(row, 0))
}

/// Puts products, one after the other.
pub fn put(db: &Connection, products: &[ProductSupply]) -> Result<Vec<SupplyOutcome>> {
    let listed = schema::revision(db, "catalogue")? + 1;
    let outcomes = products.iter().map(|p| put_one(db, p, listed)).collect::<Result<Vec<_>>>()?;
    let written = products.iter().zip(&outcomes).filter(|(_, o)| o.is_written()).map(|(p, _)| &p.product);
    if outcomes.iter().any(SupplyOutcome::is_written) {
        search::index(db, written)?;
        schema::bump(db, "catalogue")?;
    }
    Ok(outcomes)
}

fn put_one(db: &Connection, put: &ProductSupply, listed: u64) -> Result<SupplyOutcome> {
    let new = &put.product;
    let (before, stood) = (product(db, &new.sku)?, stock::of(db, &new.sku)?);
    let levels = match put.rows(&stood) {
        Ok(levels) => levels,
        Err(taken) => return Ok(SupplyOutcome::SupplyTooLow { taken }),
    };
    let mut changed = levels.into_iter().filter(|(slot, level)| stood.at(slot) != Some(*level)).peekable();
    if changed.peek().is_none() && before.as_ref() == Some(new) {
        return Ok(SupplyOutcome::Unchanged);
    }
    write_product(db, new, listed)?;
    for (slot, level) in changed {
        stock::write(db, &slot, level)?;
    }
    Ok(if before.is_some() { SupplyOutcome::Updated } else { SupplyOutcome::Inserted })
}

fn write_product(db: &Connection, product: &Product, listed: u64) -> Result<()> {
    execute(
        db,
        "INSERT INTO products (sku, is_tracked, doc, listed) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (sku) DO UPDATE SET is_tracked = ?2, doc = ?3",
        params![product.sku.as_str(), product.has_stock(), to_json(product)?, int(listed)],
    )?;
    Ok(())
}

/// Reads the stock of products in the order of their SKUs.
pub fn levels(db: &Connection, skus: &BTreeSet<Sku>) -> Result<StockLevels> {
    let mut levels = StockLevels::default();
    for sku in skus {
        levels.extend(stock::of(db, sku)?);
    }
    Ok(levels)
}

/// Returns the tracked products of which no piece may be bought.
pub fn sold_out(db: &Connection, locations: &[LocationId]) -> Result<BTreeSet<Sku>> {
    // What one location owes, others cannot owe once more.
    let sql = "SELECT products.sku FROM products LEFT JOIN stock
             ON stock.sku = products.sku AND location IN (SELECT value FROM json_each(?1))
         WHERE is_tracked GROUP BY products.sku
         HAVING coalesce(max(available - safety), 0) <= 0 AND coalesce(sum(available - safety) + max(owed_max), 0) <= 0";
    Ok(rows(db, sql, [to_json(&locations)?], |row| parsed(row, 0))?.into_iter().collect())
}
