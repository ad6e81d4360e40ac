//! Terms.

use async_trait::async_trait;

use super::super::{
    DocumentRevision, DocumentStore, Result, StoreError, StoredDocuments, documents::REVISIONS_MAX,
};
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

    async fn revise_document(&self, next: &DocumentRevision) -> Result<()> {
        let mut state = self.state.lock().await;
        let of_name = state.document_history.iter().filter(|kept| kept.name == next.name);
        let last = of_name.map(|kept| kept.revision).max().unwrap_or(0);
        if last + 1 != next.revision {
            return Err(StoreError::Conflict(format!("document {} is at revision {last}", next.name)));
        }
        state.document_history.push(next.clone());
        state.documents.documents.insert(next.name.clone(), next.text.clone());
        state.documents.revision += 1;
        Ok(())
    }

    async fn document_history(&self, name: &str) -> Result<Vec<DocumentRevision>> {
        let state = self.state.lock().await;
        let newest_first = state.document_history.iter().rev().filter(|kept| kept.name == name);
        Ok(newest_first.take(REVISIONS_MAX).cloned().collect())
    }
}
