//! Carts and the turns that change them.

use async_trait::async_trait;
use cart_core::{Cart, CartId, VisitorId};
use tokio::sync::mpsc;

use super::{Decision, Outcome, Result, Wants};

/// The most open carts of one owner that are told something at once: more than anybody fills beside each other.
pub const OPEN_CARTS_MAX: usize = 100;

/// Loads, changes and sweeps carts. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait CartStore: Send + Sync {
    /// Runs one turn: begins a transaction; loads and locks the wanted carts in the order of their ids, then reads
    /// the wanted keys; asks `decision.skus` and locks those stock rows in the order of their SKUs; asks
    /// `decision.decide`; writes what was staged, each cart guarded by its version; commits; returns the outcome
    /// with `exposed` filled in. A turn that stages no write commits nothing and is still answered in order.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where a guard failed and nothing was written (try the turn again);
    /// [`StoreError::Unavailable`] where surely nothing was written; [`StoreError::Unknown`] where the commit's fate
    /// is not known (the callers heal by version and idempotency key).
    async fn turn(&self, wants: Wants, decision: Box<dyn Decision>) -> Result<Outcome>;

    /// Reads a cart as of now.
    async fn cart(&self, id: &CartId) -> Result<Option<Cart>>;

    /// Returns the visitor's newest cart that neither became an order nor went into another.
    async fn open_cart_of(&self, owner: &VisitorId) -> Result<Option<CartId>>;

    /// Returns all such carts of a visitor, the newest first, as far as [`OPEN_CARTS_MAX`].
    async fn open_carts_of(&self, owner: &VisitorId) -> Result<Vec<CartId>>;

    /// Puts off the wakes of carts that need not be looked at by `now_ms` after all, and forgets those of carts that never
    /// need be; returns how many. Sweeps do so first: what is left is what the two queries below find.
    async fn put_off_wakes(&self, now_ms: i64) -> Result<u64>;

    /// Returns carts, at most `limit`, whose holds ended at or before `now_ms`.
    async fn carts_with_ended_holds(&self, now_ms: i64, limit: usize) -> Result<Vec<CartId>>;

    /// Returns carts, at most `limit`, that are to be looked at by `now_ms` because nobody touches them, the longest due
    /// first, each with its version.
    async fn idle_carts(&self, now_ms: i64, limit: usize) -> Result<Vec<(CartId, u64)>>;

    /// Forgets answers kept under idempotency keys before `before_ms`; returns how many.
    async fn forget_keys(&self, before_ms: i64) -> Result<u64>;

    /// Says when every change by other processes is heard of, and then what they change, until the connection breaks.
    /// A store of one process hears of all that there is to hear at once, and never returns.
    async fn listen(&self, heard: mpsc::Sender<Heard>) -> Result<()>;
}

/// Is what is heard of other processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// From now on every change is told; what went before may have been missed.
    Everything,
    /// This cart was changed.
    Cart(CartId),
    /// What this token stood for has ended; the token's hash.
    TokenEnded(String),
}
