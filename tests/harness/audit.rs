//! Reads the stock table as an auditor would: straight from the store.

use std::{collections::BTreeMap, time::Duration};

use crate::{Store, TestApp};

/// Is the stock of one SKU, in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stock {
    /// All that was ever supplied.
    pub supplied: i64,
    /// What may still be put into a cart.
    pub available: i64,
    /// What carts hold.
    pub held: i64,
    /// What orders took.
    pub sold: i64,
}

impl Stock {
    /// Says whether every supplied piece is in exactly one place.
    pub fn is_conserved(&self) -> bool {
        self.available >= 0
            && self.held >= 0
            && self.sold >= 0
            && self.supplied == self.available + self.held + self.sold
    }
}

/// What lies in another location than the main one is called `SKU@location`.
const QUERY: &str = "SELECT CASE location WHEN 'main' THEN sku ELSE sku || '@' || location END,
    supplied, available, held, sold FROM stock";

/// Reads the stock of every SKU.
///
/// # Panics
/// Where the store cannot be read.
pub async fn stock(app: &TestApp) -> BTreeMap<String, Stock> {
    match app.store() {
        Store::Sqlite => sqlite(app.store_url().trim_start_matches("sqlite:")),
        Store::Postgres => postgres(app.store_url()).await,
    }
}

fn sqlite(path: &str) -> BTreeMap<String, Stock> {
    let connection = rusqlite::Connection::open(path).expect("the database opens");
    connection.busy_timeout(Duration::from_secs(10)).expect("a time-out is set");
    let mut statement = connection.prepare(QUERY).expect("the stock table is there");
    let rows = statement.query_map([], |row| {
        let stock =
            Stock { supplied: row.get(1)?, available: row.get(2)?, held: row.get(3)?, sold: row.get(4)? };
        Ok((row.get(0)?, stock))
    });
    rows.and_then(Iterator::collect).expect("the stock is read")
}

async fn postgres(url: &str) -> BTreeMap<String, Stock> {
    let (client, connection) =
        tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("the database opens");
    let connection = tokio::spawn(connection);
    let rows = client.query(QUERY, &[]).await.expect("the stock is read");
    drop(client);
    connection.await.expect("the connection's task ends").expect("the connection closes");
    rows.iter()
        .map(|row| {
            let stock =
                Stock { supplied: row.get(1), available: row.get(2), held: row.get(3), sold: row.get(4) };
            (row.get(0), stock)
        })
        .collect()
}
