//! Putting products: what stands is read and locked, each product decided in turn, and what changed written at once.

use std::collections::BTreeMap;

use cart_core::{Slot, StockLevels};
use deadpool_postgres::Client;

use super::super::{
    super::{ProductSupply, Result, SupplyOutcome},
    cells::{cell, to_json},
    search, stock,
    transaction::{Transaction, bounded, execute, query},
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
    let written = products.iter().zip(&outcomes).filter(|(_, o)| o.is_written()).map(|(p, _)| &p.product);
    search::index(transaction, &written.collect::<Vec<_>>()).await?;
    execute(transaction, BUMP, &[]).await?;
    Ok((outcomes, true))
}

/// Is what stands, or will stand, of one product.
struct Row {
    is_tracked: bool,
    doc: String,
    levels: StockLevels,
    is_changed: bool,
}

async fn load<'p>(
    transaction: &Transaction,
    products: &'p [ProductSupply],
) -> Result<BTreeMap<&'p str, Row>> {
    const PRODUCTS: &str = "SELECT sku, is_tracked, doc::text FROM products WHERE sku = ANY ($1::text[])";
    let skus: Vec<&str> = products.iter().map(|p| p.product.sku.as_str()).collect();
    let levels = stock::locked(transaction, &skus).await?;
    let rows = query(transaction, PRODUCTS, &[&skus]).await?;
    let mut docs = BTreeMap::new();
    for row in &rows {
        docs.insert(cell::<&str>(row, "sku")?, (cell(row, "is_tracked")?, cell(row, "doc")?));
    }
    let found = products.iter().filter_map(|p| {
        let sku = &p.product.sku;
        let (is_tracked, doc) = docs.remove(sku.as_str())?;
        let levels = levels.of(sku).map(|(at, level)| (Slot::new(sku, at), *level)).collect();
        Some((sku.as_str(), Row { is_tracked, doc, levels, is_changed: false }))
    });
    Ok(found.collect())
}

fn decide<'p>(shelf: &mut BTreeMap<&'p str, Row>, put: &'p ProductSupply) -> Result<SupplyOutcome> {
    let sku = put.product.sku.as_str();
    let before = shelf.get(sku);
    let nothing = StockLevels::default();
    let levels: StockLevels = match put.rows(before.map_or(&nothing, |row| &row.levels)) {
        Ok(levels) => levels.into_iter().collect(),
        Err(taken) => return Ok(SupplyOutcome::SupplyTooLow { taken }),
    };
    let doc = to_json(&put.product)?;
    let outcome = match before {
        None => SupplyOutcome::Inserted,
        Some(row) if row.doc == doc && row.levels == levels => return Ok(SupplyOutcome::Unchanged),
        Some(_) => SupplyOutcome::Updated,
    };
    let is_tracked = put.product.has_stock();
    shelf.insert(sku, Row { is_tracked, doc, levels, is_changed: true });
    Ok(outcome)
}

async fn save(transaction: &Transaction, shelf: &BTreeMap<&str, Row>) -> Result<()> {
    const PRODUCTS: &str = "INSERT INTO products (sku, is_tracked, doc, listed)
        SELECT w.sku, w.is_tracked, w.doc::json,
            (SELECT revision + 1 FROM revisions WHERE name = 'catalogue')
        FROM unnest($1::text[], $2::bool[], $3::text[]) AS w (sku, is_tracked, doc)
        ON CONFLICT (sku) DO UPDATE SET is_tracked = excluded.is_tracked, doc = excluded.doc";
    let skus: Vec<&str> = shelf.keys().copied().collect();
    let tracked: Vec<bool> = shelf.values().map(|row| row.is_tracked).collect();
    let docs: Vec<&str> = shelf.values().map(|row| row.doc.as_str()).collect();
    execute(transaction, PRODUCTS, &[&skus, &tracked, &docs]).await?;
    let levels = shelf.values().flat_map(|row| row.levels.iter());
    stock::save(transaction, &levels.map(|(slot, level)| (slot.clone(), *level)).collect()).await
}
