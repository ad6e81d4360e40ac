//! The domain of a shopping cart: pure values and rules, without clock, chance, threads or storage.

pub mod ids;

pub use ids::{CartId, IdError, OrderId, Sku, VisitorId};
