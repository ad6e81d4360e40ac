//! The endpoints of webhooks, each a document.

use async_trait::async_trait;

use super::Result;

/// Keeps the endpoints of webhooks. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait WebhookStore: Send + Sync {
    /// Returns all endpoints by their ids.
    async fn endpoints(&self) -> Result<Vec<StoredEndpoint>>;

    /// Saves an endpoint as the next revision; returns it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`](super::StoreError::Conflict) where its revision is not `expected` (0: it must be new).
    async fn save_endpoint(&self, id: &str, document: &str, expected: u64) -> Result<u64>;

    /// Deletes an endpoint with its deliveries and cursors; answers whether there was one.
    async fn delete_endpoint(&self, id: &str) -> Result<bool>;
}

/// Is an endpoint as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEndpoint {
    /// Its name.
    pub id: String,
    /// Grows by 1 with every change.
    pub revision: u64,
    /// What it is, as JSON; its secrets are part of it.
    pub document: String,
}

/// Names the cursor of an endpoint's replays.
pub fn replay_cursor(id: &str) -> String {
    format!("{id}:replay")
}
