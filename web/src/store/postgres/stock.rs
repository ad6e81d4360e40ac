//! The stock of each location.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use cart_core::{Product, Sku, Slot, StockLevel, StockLevels};
use deadpool_postgres::Client;
use tokio_postgres::Row;

use super::{
    super::{NotedChange, Result, StockChange, StockOutcome, StockStore, stock::Prepared},
    PostgresStore,
    cells::{bigint, cell, json, parsed, to_json},
    outbox,
    transaction::{Params, Transaction, bounded, execute, query},
};

#[async_trait]
impl StockStore for PostgresStore {
    async fn change_stock(&self, changes: &[StockChange]) -> Result<Vec<StockOutcome>> {
        if changes.is_empty() {
            return Ok(vec![]);
        }
        let transaction = Transaction::begin(self.client().await?).await?;
        let outcomes = bounded(make(&transaction, changes)).await?;
        if outcomes.iter().any(|o| matches!(o, StockOutcome::Changed | StockOutcome::Unchanged)) {
            transaction.commit().await?;
        }
        Ok(outcomes)
    }

    async fn stock_changes(&self, sku: &Sku, limit: usize) -> Result<Vec<NotedChange>> {
        const SQL: &str = "SELECT doc::text FROM stock_changes WHERE sku = $1 ORDER BY id DESC LIMIT $2";
        let client = self.client().await?;
        let rows = bounded(query(&client, SQL, &[&sku.as_str(), &bigint(limit)])).await?;
        rows.iter().map(|row| json(row, "doc")).collect()
    }

    async fn stock_change(&self, key: &str) -> Result<Option<NotedChange>> {
        let client = self.client().await?;
        Ok(bounded(noted(&client, &[key])).await?.remove(key))
    }

    async fn low_stock(&self, at_most: i64, after: Option<&Sku>, limit: usize) -> Result<Vec<Sku>> {
        const SQL: &str = "SELECT DISTINCT sku FROM stock WHERE available - safety <= $1 AND sku > $2
            ORDER BY sku LIMIT $3";
        let client = self.client().await?;
        let after = after.map_or("", Sku::as_str);
        let rows = bounded(query(&client, SQL, &[&at_most, &after, &bigint(limit)])).await?;
        rows.iter().map(|row| parsed(row, "sku")).collect()
    }
}

/// Reads the changes that were noted under keys.
async fn noted(client: &Client, keys: &[&str]) -> Result<BTreeMap<String, NotedChange>> {
    const SQL: &str = "SELECT key, doc::text FROM stock_changes WHERE key = ANY ($1::text[])";
    let rows = query(client, SQL, &[&keys]).await?;
    rows.iter().map(|row| Ok((cell(row, "key")?, json(row, "doc")?))).collect()
}

async fn make(transaction: &Transaction, changes: &[StockChange]) -> Result<Vec<StockOutcome>> {
    // Whoever holds this row is the only one to change products and to begin rows of the stock.
    const LOCK: &str = "SELECT revision FROM revisions WHERE name = 'catalogue' FOR UPDATE";
    const PRODUCTS: &str = "SELECT doc::text FROM products WHERE sku = ANY ($1::text[])";
    const NOTE: &str = "INSERT INTO stock_changes (sku, doc, key)
        SELECT w.sku, w.doc::json, w.key
        FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS w (sku, doc, key, n)
        ORDER BY w.n";
    let skus: BTreeSet<Sku> = changes.iter().map(|change| change.sku.clone()).collect();
    let names: Vec<&str> = skus.iter().map(Sku::as_str).collect();
    query(transaction, LOCK, &[]).await?;
    let mut levels = locked(transaction, &names).await?;
    let products = query(transaction, PRODUCTS, &[&names]).await?;
    let products = products.iter().map(|row| json(row, "doc")).collect::<Result<Vec<Product>>>()?;
    let owed_max: BTreeMap<&Sku, u32> = products.iter().map(|p| (&p.sku, p.owed_max_ever())).collect();
    let keys: Vec<&str> = changes.iter().filter_map(|change| change.key.as_deref()).collect();
    let mut made = noted(transaction, &keys).await?;
    let (mut outcomes, mut written, mut notes, mut events) = (vec![], BTreeMap::new(), vec![], vec![]);
    for change in changes {
        let (owed_max, key) = (owed_max.get(&change.sku).copied(), change.key.as_deref());
        let before = key.and_then(|key| made.get(key));
        let Prepared { outcome, rows, note, event } = Prepared::of(change, &levels, owed_max, before);
        outcomes.push(outcome);
        levels.extend(rows.iter().cloned());
        written.extend(rows);
        events.extend(event);
        if let Some(note) = note {
            notes.push((change.sku.as_str(), to_json(&note)?, key));
            made.extend(key.map(|key| (key.to_owned(), note)));
        }
    }
    save(transaction, &written).await?;
    let skus: Vec<&str> = notes.iter().map(|(sku, ..)| *sku).collect();
    let docs: Vec<&str> = notes.iter().map(|(_, doc, _)| doc.as_str()).collect();
    let keys: Vec<Option<&str>> = notes.iter().map(|(.., key)| *key).collect();
    execute(transaction, NOTE, &[&skus, &docs, &keys]).await?;
    outbox::tell(transaction, &events).await?;
    Ok(outcomes)
}

/// Locks and reads the stock of products in all locations.
pub async fn locked(transaction: &Transaction, skus: &[&str]) -> Result<StockLevels> {
    const SQL: &str = "SELECT sku, location, supplied, available, held, sold, safety, owed_max FROM stock
        WHERE sku = ANY ($1::text[]) ORDER BY sku, location FOR NO KEY UPDATE";
    query(transaction, SQL, &[&skus]).await?.iter().map(level).collect()
}

/// Reads the stock of some products.
pub async fn of(client: &Client, skus: &BTreeSet<Sku>) -> Result<StockLevels> {
    const SQL: &str = "SELECT sku, location, supplied, available, held, sold, safety, owed_max FROM stock
        WHERE sku = ANY ($1::text[])";
    let skus: Vec<&str> = skus.iter().map(Sku::as_str).collect();
    query(client, SQL, &[&skus]).await?.iter().map(level).collect()
}

/// Reads a row of the stock.
pub fn level(row: &Row) -> Result<(Slot, StockLevel)> {
    let level = StockLevel {
        supplied: cell(row, "supplied")?,
        available: cell(row, "available")?,
        held: cell(row, "held")?,
        sold: cell(row, "sold")?,
        safety: cell::<i32>(row, "safety")?.into(),
        owed_max: cell::<i32>(row, "owed_max")?.into(),
    };
    Ok((Slot { sku: parsed(row, "sku")?, location: parsed(row, "location")? }, level))
}

/// Writes rows of the stock, but for what is held and sold of them, and counts that this was done.
pub async fn save(transaction: &Transaction, levels: &BTreeMap<Slot, StockLevel>) -> Result<()> {
    const BUMP: &str = "UPDATE revisions SET revision = revision + 1 WHERE name = 'shelves'";
    const SQL: &str = "INSERT INTO stock (sku, location, supplied, available, held, sold, safety, owed_max)
        SELECT * FROM unnest(
            $1::text[], $2::text[], $3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::int8[])
        ON CONFLICT (sku, location) DO UPDATE SET supplied = excluded.supplied, available = excluded.available,
            safety = excluded.safety, owed_max = excluded.owed_max";
    let skus: Vec<&str> = levels.keys().map(|slot| slot.sku.as_str()).collect();
    let locations: Vec<&str> = levels.keys().map(|slot| slot.location.as_str()).collect();
    let part = |of: fn(&StockLevel) -> i64| levels.values().map(of).collect::<Vec<i64>>();
    let (supplied, available) = (part(|l| l.supplied), part(|l| l.available));
    let (held, sold) = (part(|l| l.held), part(|l| l.sold));
    let (safety, owed_max) = (part(|l| l.safety), part(|l| l.owed_max));
    let params: &Params<'_> = &[&skus, &locations, &supplied, &available, &held, &sold, &safety, &owed_max];
    execute(transaction, SQL, params).await?;
    execute(transaction, BUMP, &[]).await.map(drop)
}
