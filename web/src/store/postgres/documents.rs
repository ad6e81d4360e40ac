//! Documents, each whole.

use std::collections::BTreeMap;

use async_trait::async_trait;
use deadpool_postgres::Client;

use super::{
    super::{DocumentStore, Result, StoredDocuments},
    PostgresStore,
    cells::{bigint, cell, number},
    transaction::bounded,
    transaction::{execute_alone, query},
};

#[async_trait]
impl DocumentStore for PostgresStore {
    async fn documents(&self, known: u64) -> Result<Option<StoredDocuments>> {
        bounded(documents(&self.client().await?, known)).await
    }

    async fn put_document(&self, name: &str, text: &str, at_ms: i64) -> Result<()> {
        bounded(put(&self.client().await?, name, text, at_ms)).await
    }
}

/// Returns all documents where their revision is another one.
pub async fn documents(client: &Client, known: u64) -> Result<Option<StoredDocuments>> {
    const SQL: &str = "SELECT r.revision, d.name, d.text
        FROM revisions AS r LEFT JOIN documents AS d ON true
        WHERE r.name = 'documents' AND r.revision <> $1";
    let rows = query(client, SQL, &[&bigint(known)]).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let mut documents = BTreeMap::new();
    for row in &rows {
        // Of no documents at all there is one row that has only the revision.
        let Some(name) = cell::<Option<String>>(row, "name")? else { continue };
        documents.insert(name, cell(row, "text")?);
    }
    Ok(Some(StoredDocuments { revision: number(first, "revision")?, documents }))
}

/// Writes a document, and moves the revision on in the same statement.
pub async fn put(client: &Client, name: &str, text: &str, at_ms: i64) -> Result<()> {
    const SQL: &str = "WITH written AS (
            INSERT INTO documents (name, text, saved_at_ms) VALUES ($1, $2, $3)
            ON CONFLICT (name) DO UPDATE SET text = excluded.text, saved_at_ms = excluded.saved_at_ms)
        UPDATE revisions SET revision = revision + 1 WHERE name = 'documents'";
    execute_alone(client, SQL, &[&name, &text, &at_ms]).await.map(drop)
}
