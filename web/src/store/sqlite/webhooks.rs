//! The endpoints of webhooks.

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::{
    super::{Result, StoreError, StoredEndpoint, WebhookStore, webhooks::replay_cursor},
    SqliteStore,
    columns::{count, execute, int, rows},
};

#[async_trait]
impl WebhookStore for SqliteStore {
    async fn endpoints(&self) -> Result<Vec<StoredEndpoint>> {
        self.readers.run(endpoints).await
    }

    async fn save_endpoint(&self, id: &str, document: &str, expected: u64) -> Result<u64> {
        let (id, document) = (id.to_owned(), document.to_owned());
        self.writer.run(move |db| save(db, &id, &document, expected)).await
    }

    async fn delete_endpoint(&self, id: &str) -> Result<bool> {
        let id = id.to_owned();
        self.writer.run(move |db| delete(db, &id)).await
    }
}

fn endpoints(db: &Connection) -> Result<Vec<StoredEndpoint>> {
    rows(db, "SELECT id, revision, document FROM webhook_endpoints ORDER BY id", [], |row| {
        Ok(StoredEndpoint { id: row.get(0)?, revision: count(row, 1)?, document: row.get(2)? })
    })
}

fn save(db: &Connection, id: &str, document: &str, expected: u64) -> Result<u64> {
    let saved = match expected {
        0 => execute(
            db,
            "INSERT INTO webhook_endpoints (id, revision, document) VALUES (?1, 1, ?2) ON CONFLICT DO NOTHING",
            params![id, document],
        )?,
        _ => execute(
            db,
            "UPDATE webhook_endpoints SET revision = revision + 1, document = ?2 WHERE id = ?1 AND revision = ?3",
            params![id, document, int(expected)],
        )?,
    };
    match saved {
        1 => Ok(expected + 1),
        _ => Err(StoreError::Conflict(format!("endpoint {id} is not at revision {expected}"))),
    }
}

fn delete(db: &Connection, id: &str) -> Result<bool> {
    execute(db, "DELETE FROM deliveries WHERE sink = ?1", [id])?;
    execute(db, "DELETE FROM cursors WHERE reader IN (?1, ?2)", [id, &replay_cursor(id)])?;
    Ok(execute(db, "DELETE FROM webhook_endpoints WHERE id = ?1", [id])? == 1)
}
