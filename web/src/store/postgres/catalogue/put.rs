//! Putting products: what stands is read and locked, each product decided in turn, and what changed written at once.

use std::collections::BTreeMap;

use cart_core::StockLevel;
use deadpool_postgres::Client;

use super::{
    super::{
        super::{ProductSupply, Result, SupplyOutcome},
        cells::{cell, to_json},
        transaction::{Params, Transaction, bounded, execute, query},
    },
    level,
};

/// Inserts or updates products.
pub async fn put(client: Client, products: &[ProductSupply]) -> Result<Vec<SupplyOutcome>> {
    if products.is_empty() {
        return Ok(vec![]);
    }
    let transaction = Transaction::begin(client).await?;
    let (outcomes, is_written) = bounded(work(&transaction, products)).await?;
    if is_written {
        transaction.commit().await?;
    }
    Ok(outcomes)
}

async fn work(transaction: &Transaction, products: &[ProductSupply]) -> Result<(Vec<SupplyOutcome>, bool)> {
    // Whoever holds this row is the only one to change products.
    const LOCK: &str = "SELECT revision FROM revisions WHERE name = 'catalogue' FOR UPDATE";
    const BUMP: &str = "UPDATE revisions SET revision = revision + 1 WHERE name = 'catalogue'";
    query(transaction, LOCK, &[]).await?;
    let mut shelf = load(transaction, products).await?;
    let outcomes = products.iter().map(|p| decide(&mut shelf, p)).collect::<Result<Vec<_>>>()?;
    shelf.retain(|_, row| row.is_changed);
    if shelf.is_empty() {
        return Ok((outcomes, false));
    }
    save(transaction, &shelf).await?;
    execute(transaction, BUMP, &[]).await?;
    Ok((outcomes, true))
}

/// Is what stands, or will stand, of one product.
struct Row {
    is_tracked: bool,
    doc: String,
    level: StockLevel,
    is_changed: bool,
}

async fn load<'p>(
    transaction: &Transaction,
    products: &'p [ProductSupply],
) -> Result<BTreeMap<&'p str, Row>> {
    const PRODUCTS: &str = "SELECT sku, is_tracked, doc::text FROM products WHERE sku = ANY ($1::text[])";
    const STOCK: &str = "SELECT sku, supplied, available, held, sold FROM stock
        WHERE sku = ANY ($1::text[]) ORDER BY sku FOR NO KEY UPDATE";
    let skus: Vec<&str> = products.iter().map(|p| p.product.sku.as_str()).collect();
    let levels = query(transaction, STOCK, &[&skus]).await?;
    let levels = levels.iter().map(level).collect::<Result<BTreeMap<_, _>>>()?;
    let rows = query(transaction, PRODUCTS, &[&skus]).await?;
    let mut docs = BTreeMap::new();
    for row in &rows {
        docs.insert(cell::<&str>(row, "sku")?, (cell(row, "is_tracked")?, cell(row, "doc")?));
    }
    let found = skus.into_iter().filter_map(|sku| {
        let (is_tracked, doc) = docs.remove(sku)?;
        let level = levels.get(sku).copied().unwrap_or_default();
        Some((sku, Row { is_tracked, doc, level, is_changed: false }))
    });
    Ok(found.collect())
}

fn decide<'p>(shelf: &mut BTreeMap<&'p str, Row>, put: &'p ProductSupply) -> Result<SupplyOutcome> {
    let sku = put.product.sku.as_str();
    let before = shelf.get(sku);
    let mut level = before.map(|row| row.level).unwrap_or_default();
    let taken = level.held + level.sold;
    if let Some(supplied) = put.supplied {
        if supplied < taken {
            return Ok(SupplyOutcome::SupplyTooLow { taken });
        }
        level = StockLevel { supplied, available: supplied - taken, ..level };
    }
    let doc = to_json(&put.product)?;
    let outcome = match before {
        None => SupplyOutcome::Inserted,
        Some(row) if row.doc == doc && row.level == level => return Ok(SupplyOutcome::Unchanged),
        Some(_) => SupplyOutcome::Updated,
    };
    let is_tracked = put.product.stock_policy.is_tracked();
    shelf.insert(sku, Row { is_tracked, doc, level, is_changed: true });
    Ok(outcome)
}

async fn save(transaction: &Transaction, shelf: &BTreeMap<&str, Row>) -> Result<()> {
    const PRODUCTS: &str = "INSERT INTO products (sku, is_tracked, doc)
        SELECT w.sku, w.is_tracked, w.doc::json
        FROM unnest($1::text[], $2::bool[], $3::text[]) AS w (sku, is_tracked, doc)
        ON CONFLICT (sku) DO UPDATE SET is_tracked = excluded.is_tracked, doc = excluded.doc";
    const STOCK: &str = "INSERT INTO stock (sku, supplied, available, held, sold)
        SELECT * FROM unnest($1::text[], $2::int8[], $3::int8[], $4::int8[], $5::int8[])
        ON CONFLICT (sku) DO UPDATE SET supplied = excluded.supplied, available = excluded.available";
    let skus: Vec<&str> = shelf.keys().copied().collect();
    let tracked: Vec<bool> = shelf.values().map(|row| row.is_tracked).collect();
    let docs: Vec<&str> = shelf.values().map(|row| row.doc.as_str()).collect();
    execute(transaction, PRODUCTS, &[&skus, &tracked, &docs]).await?;
    let supplied: Vec<i64> = shelf.values().map(|row| row.level.supplied).collect();
    let available: Vec<i64> = shelf.values().map(|row| row.level.available).collect();
    let held: Vec<i64> = shelf.values().map(|row| row.level.held).collect();
    let sold: Vec<i64> = shelf.values().map(|row| row.level.sold).collect();
    let params: &Params<'_> = &[&skus, &supplied, &available, &held, &sold];
    execute(transaction, STOCK, params).await.map(drop)
}
