//! Documents, each whole.

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::{
    super::{DocumentRevision, DocumentStore, Result, StoreError, StoredDocuments, documents::REVISIONS_MAX},
    SqliteStore,
    columns::{count, execute, int, row, rows},
    schema,
};

#[async_trait]
impl DocumentStore for SqliteStore {
    async fn documents(&self, known: u64) -> Result<Option<StoredDocuments>> {
        self.readers.run(move |db| documents(db, known)).await
    }

    async fn put_document(&self, name: &str, text: &str, at_ms: i64) -> Result<()> {
        let (name, text) = (name.to_owned(), text.to_owned());
        self.writer.run(move |db| put(db, &name, &text, at_ms)).await
    }

    async fn revise_document(&self, revision: &DocumentRevision) -> Result<()> {
        let revision = revision.clone();
        self.writer.run(move |db| revise(db, &revision)).await
    }

    async fn document_history(&self, name: &str) -> Result<Vec<DocumentRevision>> {
        let name = name.to_owned();
        self.readers.run(move |db| history(db, &name)).await
    }
}

/// Reads all documents where their revision is another.
pub fn documents(db: &Connection, known: u64) -> Result<Option<StoredDocuments>> {
    let revision = schema::revision(db, "documents")?;
    if revision == known {
        return Ok(None);
    }
    let documents = rows(db, "SELECT name, text FROM documents", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Some(StoredDocuments { revision, documents: documents.into_iter().collect() }))
}

/// Writes a document.
pub fn put(db: &Connection, name: &str, text: &str, at_ms: i64) -> Result<()> {
    execute(
        db,
        "INSERT INTO documents (name, text, saved_at_ms) VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO UPDATE SET text = ?2, saved_at_ms = ?3",
        params![name, text, at_ms],
    )?;
    schema::bump(db, "documents")
}

/// Writes a document as the next revision of its name.
pub fn revise(db: &Connection, next: &DocumentRevision) -> Result<()> {
    let DocumentRevision { name, revision, text, saved_at_ms, saved_by, reason } = next;
    let sql = "SELECT coalesce(max(revision), 0) FROM document_history WHERE name = ?1";
    let last = row(db, sql, [name], |row| count(row, 0))?.unwrap_or(0);
    if last + 1 != *revision {
        return Err(StoreError::Conflict(format!("document {name} is at revision {last}")));
    }
    execute(
        db,
        "INSERT INTO document_history (name, revision, text, saved_at_ms, saved_by, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![name, int(*revision), text, saved_at_ms, saved_by, reason],
    )?;
    put(db, name, text, *saved_at_ms)
}

/// Reads the latest revisions of a document.
pub fn history(db: &Connection, name: &str) -> Result<Vec<DocumentRevision>> {
    let sql = "SELECT name, revision, text, saved_at_ms, saved_by, reason FROM document_history
               WHERE name = ?1 ORDER BY revision DESC LIMIT ?2";
    rows(db, sql, params![name, int(REVISIONS_MAX)], |row| {
        Ok(DocumentRevision {
            name: row.get(0)?,
            revision: count(row, 1)?,
            text: row.get(2)?,
            saved_at_ms: row.get(3)?,
            saved_by: row.get(4)?,
            reason: row.get(5)?,
        })
    })
}
