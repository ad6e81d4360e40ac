//! SQLite behind the trait: one file, one thread that writes, a few connections that read.

mod accounts;
mod admins;
mod audit;
mod carts;
mod catalogue;
mod checkpoints;
mod columns;
mod connections;
mod deliveries;
mod documents;
mod experiments;
mod gift_cards;
mod histories;
mod lists;
mod orders;
mod outbox;
mod payments;
mod report_links;
mod rollups;
mod schema;
mod search;
mod shares;
mod shelf_counts;
mod stock;
mod stock_requests;
mod turn;
mod users;
mod webhooks;

use std::path::Path;

use async_trait::async_trait;
use connections::{Readers, Writer};

use super::{Result, Store};

/// Keeps the state in one SQLite file.
///
/// All writes go through one connection on a thread of its own, so a transaction never waits for a lock, positions of
/// the outbox appear in order and a turn is decided where it is written. Reads have connections of their own and see
/// the newest committed state.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
}

impl SqliteStore {
    /// Opens the file, where need be creates it and its folder, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`](super::StoreError::Unavailable) where the file cannot be opened or written, and
    /// [`StoreError::Corrupt`](super::StoreError::Corrupt) where it is no SQLite file or was made by a newer version.
    pub async fn open(path: &Path) -> Result<Self> {
        let path = path.to_owned();
        connections::blocking(move || {
            let mut db = connections::create(&path)?;
            schema::migrate(&mut db)?;
            Ok(Self { writer: Writer::start(db)?, readers: Readers::new(&path) })
        })
        .await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn ping(&self) -> Result<()> {
        self.readers.run(schema::ping).await
    }

    async fn audit(&self) -> Result<Vec<String>> {
        self.readers.run(audit::audit).await
    }
}
