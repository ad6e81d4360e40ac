//! Endpoints of webhooks.

use async_trait::async_trait;

use super::{
    super::{Result, StoreError, StoredEndpoint, WebhookStore, webhooks::replay_cursor},
    MemoryStore,
};

#[async_trait]
impl WebhookStore for MemoryStore {
    async fn endpoints(&self) -> Result<Vec<StoredEndpoint>> {
        Ok(self.state.lock().await.endpoints.values().cloned().collect())
    }

    async fn save_endpoint(&self, id: &str, document: &str, expected: u64) -> Result<u64> {
        let mut state = self.state.lock().await;
        let at = state.endpoints.get(id).map_or(0, |endpoint| endpoint.revision);
        if at != expected {
            return Err(StoreError::Conflict(format!("endpoint {id} is not at revision {expected}")));
        }
        let revision = expected + 1;
        let endpoint = StoredEndpoint { id: id.to_owned(), revision, document: document.to_owned() };
        state.endpoints.insert(id.to_owned(), endpoint);
        Ok(revision)
    }

    async fn delete_endpoint(&self, id: &str) -> Result<bool> {
        let mut state = self.state.lock().await;
        state.deliveries.retain(|(sink, _), _| sink != id);
        state.cursors.remove(id);
        state.cursors.remove(&replay_cursor(id));
        Ok(state.endpoints.remove(id).is_some())
    }
}
