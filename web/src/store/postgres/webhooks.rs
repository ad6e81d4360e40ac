//! The endpoints of webhooks.

use async_trait::async_trait;
use deadpool_postgres::Client;

use super::{
    super::{Result, StoreError, StoredEndpoint, WebhookStore, webhooks::replay_cursor},
    PostgresStore,
    cells::{bigint, cell, number},
    transaction::{Transaction, bounded, execute, execute_alone, query},
};

#[async_trait]
impl WebhookStore for PostgresStore {
    async fn endpoints(&self) -> Result<Vec<StoredEndpoint>> {
        bounded(endpoints(&self.client().await?)).await
    }

    async fn save_endpoint(&self, id: &str, document: &str, expected: u64) -> Result<u64> {
        bounded(save(&self.client().await?, id, document, expected)).await
    }

    async fn delete_endpoint(&self, id: &str) -> Result<bool> {
        delete(self.client().await?, id).await
    }
}

async fn endpoints(client: &Client) -> Result<Vec<StoredEndpoint>> {
    let rows = query(client, "SELECT id, revision, document FROM webhook_endpoints ORDER BY id", &[]).await?;
    let endpoint = |row| {
        Ok(StoredEndpoint {
            id: cell(row, "id")?,
            revision: number(row, "revision")?,
            document: cell(row, "document")?,
        })
    };
    rows.iter().map(endpoint).collect()
}

async fn save(client: &Client, id: &str, document: &str, expected: u64) -> Result<u64> {
    const NEW: &str =
        "INSERT INTO webhook_endpoints (id, revision, document) VALUES ($1, 1, $2) ON CONFLICT DO NOTHING";
    const NEXT: &str = "UPDATE webhook_endpoints SET revision = revision + 1, document = $2
        WHERE id = $1 AND revision = $3";
    let saved = match expected {
        0 => execute_alone(client, NEW, &[&id, &document]).await?,
        _ => execute_alone(client, NEXT, &[&id, &document, &bigint(expected)]).await?,
    };
    match saved {
        1 => Ok(expected + 1),
        _ => Err(StoreError::Conflict(format!("endpoint {id} is not at revision {expected}"))),
    }
}

async fn delete(client: Client, id: &str) -> Result<bool> {
    let transaction = Transaction::begin(client).await?;
    let deleted = bounded(async {
        execute(&transaction, "DELETE FROM deliveries WHERE sink = $1", &[&id]).await?;
        execute(&transaction, "DELETE FROM cursors WHERE reader IN ($1, $2)", &[&id, &replay_cursor(id)])
            .await?;
        execute(&transaction, "DELETE FROM webhook_endpoints WHERE id = $1", &[&id]).await
    })
    .await?;
    transaction.commit().await?;
    Ok(deleted == 1)
}
