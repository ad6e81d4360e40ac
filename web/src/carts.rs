//! Live carts: actors that own them, the turn that changes them, and the way to them.

pub mod directory;
pub mod idle;
pub mod job;
pub mod live;
pub mod shard;
pub mod turn;

#[cfg(test)]
mod tests;

pub use directory::Carts;
pub use job::{CartWish, CartsError, Entering, IdempotencyKey, Job, JobKind, Opening};
