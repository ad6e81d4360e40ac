//! What can go wrong with the store, as far as a caller branches on it.

/// Says why a store call failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A guard failed: somebody else was faster. Nothing was written.
    #[error("the state changed meanwhile: {0}")]
    Conflict(String),
    /// The store cannot be reached or is too busy. Nothing was written.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// The connection broke during the commit: it may or may not have happened.
    #[error("the outcome of a commit is not known: {0}")]
    Unknown(String),
    /// A row cannot be read back: a defect, or a hand in the tables.
    #[error("the store holds what cannot be read: {0}")]
    Corrupt(String),
}
