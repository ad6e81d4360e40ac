//! The rows of the links by which carts are shared.

use async_trait::async_trait;
use cart_core::CartId;

use super::Result;

/// The most shares of one cart that live: a household, a class, a few colleagues.
pub const CART_SHARES_MAX: usize = 20;

/// Keeps the shares of carts. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait ShareStore: Send + Sync {
    /// Keeps a share, unless the cart has [`CART_SHARES_MAX`] that live at `now_ms`; reports whether it did. Those of
    /// the cart that have ended are forgotten.
    async fn add_share(&self, share: &CartShare, now_ms: i64) -> Result<bool>;

    /// Reads the share of a token, while it lives.
    async fn share(&self, token_hash: &str, now_ms: i64) -> Result<Option<CartShare>>;

    /// Returns the shares of a cart that live, the oldest first.
    async fn shares_of(&self, cart: &CartId, now_ms: i64) -> Result<Vec<CartShare>>;

    /// Ends a cart's share of that id and tells other processes; returns its hash, where there was one.
    async fn end_share(&self, cart: &CartId, id: &str) -> Result<Option<String>>;
}

/// Is a link by which others see a cart, or change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartShare {
    /// The SHA-256 of the link's token in hexadecimal; the token itself is never stored.
    pub token_hash: String,
    /// The name that lists and addresses use.
    pub id: String,
    /// The cart.
    pub cart: CartId,
    /// Whether those who have the link may change the cart.
    pub is_editable: bool,
    /// What the owner calls it, such as whom it is for; may be empty.
    pub name: String,
    /// When it was made, in Unix milliseconds.
    pub created_at_ms: i64,
    /// When it ends, in Unix milliseconds, where it does by itself.
    pub ends_at_ms: Option<i64>,
}
