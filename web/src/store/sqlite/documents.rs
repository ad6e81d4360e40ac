//! Documents, each whole.

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::{
    super::{DocumentStore, Result, StoredDocuments},
    SqliteStore,
    columns::{execute, rows},
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
