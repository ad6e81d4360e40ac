//! Wish lists, each kept whole.

use async_trait::async_trait;
use cart_core::VisitorId;

use super::Result;
use crate::lists::WishList;

/// Keeps wish lists. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait ListStore: Send + Sync {
    /// Returns the lists of an owner, in the order in which they were opened.
    async fn lists_of(&self, owner: &VisitorId) -> Result<Vec<WishList>>;

    /// Reads a list.
    async fn list(&self, id: &str) -> Result<Option<WishList>>;

    /// Reads a list by the digest of the token that it is shared by.
    async fn shared_list(&self, digest: &str) -> Result<Option<WishList>>;

    /// Writes a list over its version before; version 1 is a new list. Answers whether it was written: a new one is not
    /// where its owner has `most` lists already.
    ///
    /// # Errors
    /// [`StoreError::Conflict`](super::StoreError::Conflict) where another version stands.
    async fn put_list(&self, list: &WishList, most: usize) -> Result<bool>;

    /// Deletes an owner's list; answers whether there was one.
    async fn delete_list(&self, owner: &VisitorId, id: &str) -> Result<bool>;

    /// Makes all lists of one owner another's, even where that one has more than may be opened then; returns how many.
    /// Done again, it moves nothing.
    async fn move_lists(&self, from: &VisitorId, to: &VisitorId) -> Result<u64>;
}
