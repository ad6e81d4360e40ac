//! The field for what a shopper wants to tell the shop.

use cart_core::limits::NOTE_BYTES_MAX;
use serde::Serialize;

/// Is the field for the note to the shop, with what stands in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NoteField {
    text: String,
    /// What is wrong with it, in a sentence.
    error: Option<String>,
    /// The most that a browser lets be typed: what every letter that is one byte fits in.
    most: usize,
}

impl NoteField {
    /// Shows a note as the cart has it, or as it was typed.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), error: None, most: NOTE_BYTES_MAX }
    }

    /// Says what is wrong with it.
    #[must_use]
    pub fn refused(self, error: Option<String>) -> Self {
        Self { error, ..self }
    }
}
