//! The way from a store's address to the store.

use std::sync::Arc;

use super::{Result, Store, StoreError, postgres::PostgresStore, sqlite::SqliteStore};

/// Opens the store of an address, `sqlite:<path>` or `postgres://…`, and brings its schema up to date.
///
/// # Errors
/// [`StoreError::Unavailable`] where the address is of neither kind or nothing answers there.
pub async fn connect(url: &str, connections: usize) -> Result<Arc<dyn Store>> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        return Ok(Arc::new(SqliteStore::open(path.as_ref()).await?));
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Arc::new(PostgresStore::connect(url, connections).await?));
    }
    Err(StoreError::Unavailable(format!(
        "{url:?} is neither sqlite:<path> nor postgres://user@host/database"
    )))
}
