//! What the shop's people have written down for it: documents that are kept whole, as JSON.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::Result;

/// Keeps the shop's documents. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait DocumentStore: Send + Sync {
    /// Returns the shop's documents where their revision differs from `known`.
    async fn documents(&self, known: u64) -> Result<Option<StoredDocuments>>;

    /// Writes a document over the one of that name; the caller has checked that it makes sense.
    async fn put_document(&self, name: &str, text: &str, at_ms: i64) -> Result<()>;

    /// As [`DocumentStore::put_document`], and keeps who did it and why.
    ///
    /// # Errors
    /// [`StoreError::Conflict`](super::StoreError::Conflict) where the revision is not the one after the last of that name.
    async fn revise_document(&self, revision: &DocumentRevision) -> Result<()>;

    /// Returns the latest revisions of a document, the newest first, at most [`REVISIONS_MAX`].
    async fn document_history(&self, name: &str) -> Result<Vec<DocumentRevision>>;
}

/// The most revisions that are answered at once: a page of them.
pub const REVISIONS_MAX: usize = 50;

/// Is a document as somebody saved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentRevision {
    /// The document's name.
    pub name: String,
    /// Its number among those of that name, from 1.
    pub revision: u64,
    /// The document.
    pub text: String,
    /// When it was saved, in Unix milliseconds.
    pub saved_at_ms: i64,
    /// Who saved it.
    pub saved_by: String,
    /// Why.
    pub reason: String,
}

/// Is all documents at one revision.
#[derive(Clone, Debug, Default)]
pub struct StoredDocuments {
    /// Grows with every change of any document.
    pub revision: u64,
    /// The documents by name, as they were written.
    pub documents: BTreeMap<String, String>,
}
