//! What sells together: the models that a batch learns from orders and sessions, and the index that answers a page's
//! questions from them.
//!
//! The crate is the serving path: it knows models and queries, and never links Polars. Learning lives in the crate
//! `learning` and the binary `cartwright-batch` beside it, which writes the file with [`Model::write_atomically`].
//!
//! 1. [`model`]: the learnt numbers, and the versioned, checksummed file that carries them;
//! 2. [`index`]: the questions of a shop, answered from a model in memory;
//! 3. [`ask`]: one way to ask every model; [`session`] and [`basket`]: what a trail of viewed items, and what is in a basket, says of the next item;
//! 4. [`ranker`] with [`forest`]: candidates put in order by what was learnt from questions of the past;
//! 5. [`pairs`]: what is bought or viewed together, or bought later, in counts that a shopper can be told; [`history`]: what
//!    somebody's purchases say of the next;
//! 6. [`lists`], [`ragged`], [`vectors`], [`code`] and [`tally`]: what these are made of, and [`invalid`], what is wrong with it;
//! 7. [`archive`]: the models of a shop, which is in service, and whether a new one may be; [`file`]: files that are
//!    replaced whole.

pub mod archive;
pub mod ask;
pub mod basket;
pub mod code;
mod codec;
pub mod file;
pub mod forest;
pub mod history;
pub mod index;
pub mod invalid;
pub mod lists;
pub mod model;
pub mod pairs;
pub mod ragged;
pub mod ranker;
pub mod session;
pub mod tally;
pub mod vectors;

pub use ask::{Ask, Ranked};
pub use index::{Algorithm, Evidence, Index, Reason, Suggestion, Tuning, Wanted};
pub use model::{About, Deletion, Learnt, Measured, Model, ModelError, POPULARITY, RANKED, Task};
