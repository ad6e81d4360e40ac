//! What sells together: the model that a batch learns from orders, and the index that answers a page's questions from it.
//!
//! The crate is the serving path: it knows the model file and queries, and never links Polars. Learning lives in the
//! binary `cartwright-batch` beside it, which writes the file with [`Model::write_atomically`].
//!
//! 1. [`model`]: the learnt numbers, and the versioned, checksummed file that carries them;
//! 2. [`index`]: the questions of a shop, answered from a model in memory;
//! 3. [`file`]: files that are replaced whole, as the model's is.

pub mod file;
pub mod index;
pub mod model;

pub use index::{Index, Reason, Suggestion};
pub use model::{About, Model, ModelError, Neighbour, Score, Settings};
