//! Products and their stock.

mod put;

use std::collections::BTreeSet;

use async_trait::async_trait;
use cart_core::{LocationId, Sku, StockLevels};
use deadpool_postgres::Client;

use super::{
    super::{CatalogueSnapshot, CatalogueStore, ProductSupply, Result, SupplyOutcome},
    PostgresStore,
    cells::{bigint, json_option, number, parsed},
    stock,
    transaction::bounded,
    transaction::query,
};

pub use put::put;

#[async_trait]
impl CatalogueStore for PostgresStore {
    async fn catalogue(&self, known: u64) -> Result<Option<CatalogueSnapshot>> {
        bounded(snapshot(&self.client().await?, known)).await
    }

    async fn put_products(&self, products: &[ProductSupply]) -> Result<Vec<SupplyOutcome>> {
        put(self.client().await?, products).await
    }

    async fn stock(&self, skus: &BTreeSet<Sku>) -> Result<StockLevels> {
        bounded(stock::of(&self.client().await?, skus)).await
    }

    async fn sold_out(&self, locations: &[LocationId]) -> Result<BTreeSet<Sku>> {
        bounded(sold_out(&self.client().await?, locations)).await
    }
}

/// Returns the catalogue where its revision is another one.
pub async fn snapshot(client: &Client, known: u64) -> Result<Option<CatalogueSnapshot>> {
    const SQL: &str = "SELECT r.revision, p.doc::text, p.listed
        FROM revisions AS r LEFT JOIN products AS p ON true
        WHERE r.name = 'catalogue' AND r.revision <> $1
        ORDER BY p.sku";
    let rows = query(client, SQL, &[&bigint(known)]).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    // Of no products at all there is one row that has only the revision.
    let (mut products, mut listed) = (vec![], vec![]);
    for row in &rows {
        if let Some(product) = json_option(row, "doc")? {
            products.push(product);
            listed.push(number(row, "listed")?);
        }
    }
    Ok(Some(CatalogueSnapshot { revision: number(first, "revision")?, products, listed }))
}

/// Returns the tracked products of which no piece may be bought.
pub async fn sold_out(client: &Client, locations: &[LocationId]) -> Result<BTreeSet<Sku>> {
    // What one location owes, others cannot owe once more.
    const SQL: &str = "SELECT p.sku FROM products AS p
        LEFT JOIN stock AS s ON s.sku = p.sku AND s.location = ANY ($1::text[])
        WHERE p.is_tracked GROUP BY p.sku
        HAVING coalesce(max(s.available - s.safety), 0) <= 0
            AND coalesce(sum(s.available - s.safety) + max(s.owed_max), 0) <= 0";
    let locations: Vec<&str> = locations.iter().map(LocationId::as_str).collect();
    query(client, SQL, &[&locations]).await?.iter().map(|row| parsed(row, "sku")).collect()
}
