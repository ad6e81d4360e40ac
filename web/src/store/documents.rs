//! What the shop's people have written down for it: documents that are kept whole, as JSON.

use std::collections::BTreeMap;

/// Is all documents at one revision.
#[derive(Clone, Debug, Default)]
pub struct StoredDocuments {
    /// Grows with every change of any document.
    pub revision: u64,
    /// The documents by name, as they were written.
    pub documents: BTreeMap<String, String>,
}
