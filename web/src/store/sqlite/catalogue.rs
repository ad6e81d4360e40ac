//! Products and their stock.

use std::collections::BTreeSet;

use cart_core::{Money, Product, Sku, StockLevel, StockLevels, StockPolicy};
use rusqlite::{Connection, Row, params, types::Type};

use super::{
    super::{CatalogueSnapshot, ProductSupply, Result, SupplyOutcome},
    columns::{execute, parsed, row, rows},
    schema,
};

/// Reads all products where the revision is another.
pub fn snapshot(db: &Connection, known: u64) -> Result<Option<CatalogueSnapshot>> {
    let revision = schema::revision(db, "catalogue")?;
    if revision == known {
        return Ok(None);
    }
    let sql = "SELECT sku, name, description, category, price_minor, currency, stock_policy, hidden, image
               FROM products ORDER BY sku";
    Ok(Some(CatalogueSnapshot { revision, products: rows(db, sql, [], read_product)? }))
}

fn product(db: &Connection, sku: &Sku) -> Result<Option<Product>> {
    let sql = "SELECT sku, name, description, category, price_minor, currency, stock_policy, hidden, image
               FROM products WHERE sku = ?1";
    row(db, sql, [sku.as_str()], read_product)
}

fn read_product(row: &Row<'_>) -> rusqlite::Result<Product> {
    let policy = row.get_ref(6)?.as_str()?;
    Ok(Product {
        sku: parsed(row, 0)?,
        name: row.get(1)?,
        description: row.get(2)?,
        category: row.get(3)?,
        price: Money::new(row.get(4)?, parsed(row, 5)?),
        stock_policy: StockPolicy::from_name(policy).ok_or_else(|| {
            rusqlite::Error::FromSqlConversionFailure(
                6,
                Type::Text,
                format!("no stock policy {policy:?}").into(),
            )
        })?,
        hidden: row.get(7)?,
        image: row.get(8)?,
    })
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
        "INSERT INTO products (sku, name, description, category, price_minor, currency, stock_policy, hidden, image)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (sku) DO UPDATE SET name = ?2, description = ?3, category = ?4, price_minor = ?5, currency = ?6,
         stock_policy = ?7, hidden = ?8, image = ?9",
        params![
            product.sku.as_str(),
            product.name,
            product.description,
            product.category,
            product.price.minor,
            product.price.currency.code(),
            product.stock_policy.name(),
            product.hidden,
            product.image,
        ],
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
    let sql =
        "SELECT sku FROM stock JOIN products USING (sku) WHERE available = 0 AND stock_policy <> 'untracked'";
    Ok(rows(db, sql, [], |row| parsed(row, 0))?.into_iter().collect())
}
