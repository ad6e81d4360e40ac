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
}

/// Is all documents at one revision.
#[derive(Clone, Debug, Default)]
pub struct StoredDocuments {
    /// Grows with every change of any document.
    pub revision: u64,
    /// The documents by name, as they were written.
    pub documents: BTreeMap<String, String>,
}
