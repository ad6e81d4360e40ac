//! Documents, each whole.

use std::collections::BTreeMap;

use async_trait::async_trait;
use deadpool_postgres::Client;
use tokio_postgres::Row;

use super::{
    super::{DocumentRevision, DocumentStore, Result, StoreError, StoredDocuments, documents::REVISIONS_MAX},
    PostgresStore,
    cells::{bigint, cell, number},
    transaction::{Params, Transaction, bounded, execute, execute_alone, query},
};

#[async_trait]
impl DocumentStore for PostgresStore {
    async fn documents(&self, known: u64) -> Result<Option<StoredDocuments>> {
        bounded(documents(&self.client().await?, known)).await
    }

    async fn put_document(&self, name: &str, text: &str, at_ms: i64) -> Result<()> {
        bounded(put(&self.client().await?, name, text, at_ms)).await
    }

    async fn revise_document(&self, revision: &DocumentRevision) -> Result<()> {
        let transaction = Transaction::begin(self.client().await?).await?;
        bounded(revise(&transaction, revision)).await?;
        transaction.commit().await
    }

    async fn document_history(&self, name: &str) -> Result<Vec<DocumentRevision>> {
        bounded(history(&self.client().await?, name)).await
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

const PUT: &str = "WITH written AS (
        INSERT INTO documents (name, text, saved_at_ms) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET text = excluded.text, saved_at_ms = excluded.saved_at_ms)
    UPDATE revisions SET revision = revision + 1 WHERE name = 'documents'";

/// Writes a document, and moves the revision on in the same statement.
pub async fn put(client: &Client, name: &str, text: &str, at_ms: i64) -> Result<()> {
    execute_alone(client, PUT, &[&name, &text, &at_ms]).await.map(drop)
}

/// Writes a document as the next revision of its name.
pub async fn revise(transaction: &Transaction, next: &DocumentRevision) -> Result<()> {
    const LAST: &str = "SELECT coalesce(max(revision), 0) AS last FROM document_history WHERE name = $1";
    const KEEP: &str = "INSERT INTO document_history (name, revision, text, saved_at_ms, saved_by, reason)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let DocumentRevision { name, revision, text, saved_at_ms, saved_by, reason } = next;
    // The counter's row is locked from here on, so documents are revised one after the other.
    execute(transaction, PUT, &[name, text, saved_at_ms]).await?;
    let rows = query(transaction, LAST, &[name]).await?;
    let last = rows.first().map(|row| number::<u64>(row, "last")).transpose()?.unwrap_or(0);
    if last + 1 != *revision {
        return Err(StoreError::Conflict(format!("document {name} is at revision {last}")));
    }
    let params: &Params<'_> = &[name, &bigint(*revision), text, saved_at_ms, saved_by, reason];
    execute(transaction, KEEP, params).await.map(drop)
}

/// Returns the latest revisions of a document.
pub async fn history(client: &Client, name: &str) -> Result<Vec<DocumentRevision>> {
    const SQL: &str = "SELECT name, revision, text, saved_at_ms, saved_by, reason FROM document_history
        WHERE name = $1 ORDER BY revision DESC LIMIT $2";
    let revision = |row: &Row| {
        Ok(DocumentRevision {
            name: cell(row, "name")?,
            revision: number(row, "revision")?,
            text: cell(row, "text")?,
            saved_at_ms: cell(row, "saved_at_ms")?,
            saved_by: cell(row, "saved_by")?,
            reason: cell(row, "reason")?,
        })
    };
    query(client, SQL, &[&name, &bigint(REVISIONS_MAX)]).await?.iter().map(revision).collect()
}
