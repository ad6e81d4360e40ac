//! What is wrong with parts that are to be a model.

/// Says why parts do not make a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub &'static str);
