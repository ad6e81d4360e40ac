//! Products and their stock.

mod put;

use std::collections::BTreeSet;

use cart_core::{Sku, StockLevel, StockLevels};
use deadpool_postgres::Client;
use tokio_postgres::Row;

use super::{
    super::{CatalogueSnapshot, Result},
    cells::{bigint, cell, json_option, number, parsed},
    transaction::query,
};

pub use put::put;

/// Returns the catalogue where its revision is another one.
pub async fn snapshot(client: &Client, known: u64) -> Result<Option<CatalogueSnapshot>> {
    const SQL: &str = "SELECT r.revision, p.doc::text
        FROM revisions AS r LEFT JOIN products AS p ON true
        WHERE r.name = 'catalogue' AND r.revision <> $1
        ORDER BY p.sku";
    let rows = query(client, SQL, &[&bigint(known)]).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    // Of no products at all there is one row that has only the revision.
    let products = rows.iter().filter_map(|row| json_option(row, "doc").transpose());
    Ok(Some(CatalogueSnapshot {
        revision: number(first, "revision")?,
        products: products.collect::<Result<_>>()?,
    }))
}

/// Reads the stock of some products.
pub async fn stock(client: &Client, skus: &BTreeSet<Sku>) -> Result<StockLevels> {
    const SQL: &str = "SELECT sku, supplied, available, held, sold FROM stock WHERE sku = ANY ($1::text[])";
    let skus: Vec<&str> = skus.iter().map(Sku::as_str).collect();
    query(client, SQL, &[&skus]).await?.iter().map(level).collect()
}

/// Reads a row of the stock.
pub fn level(row: &Row) -> Result<(Sku, StockLevel)> {
    let level = StockLevel {
        supplied: cell(row, "supplied")?,
        available: cell(row, "available")?,
        held: cell(row, "held")?,
        sold: cell(row, "sold")?,
    };
    Ok((parsed(row, "sku")?, level))
}

/// Returns the tracked products of which no piece is available.
pub async fn sold_out(client: &Client) -> Result<BTreeSet<Sku>> {
    const SQL: &str = "SELECT p.sku FROM products AS p LEFT JOIN stock AS s ON s.sku = p.sku
        WHERE p.is_tracked AND coalesce(s.available, 0) <= 0";
    query(client, SQL, &[]).await?.iter().map(|row| parsed(row, "sku")).collect()
}
