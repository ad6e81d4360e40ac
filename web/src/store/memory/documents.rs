//! Terms.

use async_trait::async_trait;

use super::super::{DocumentStore, Result, StoredDocuments};
use super::MemoryStore;

#[async_trait]
impl DocumentStore for MemoryStore {
    async fn documents(&self, known: u64) -> Result<Option<StoredDocuments>> {
        let stored = self.state.lock().await.documents.clone();
        Ok((stored.revision != known).then_some(stored))
    }

    async fn put_document(&self, name: &str, text: &str, _: i64) -> Result<()> {
        let stored = &mut self.state.lock().await.documents;
        stored.documents.insert(name.to_owned(), text.to_owned());
        stored.revision += 1;
        Ok(())
    }
}
