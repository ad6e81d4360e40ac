//! The index of the catalogue's words.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use cart_core::{Product, Sku};

use super::Result;
use crate::search::{
    terms::Terms,
    words::{text_of, vocabulary},
};

/// Finds products by their words. The index changes with the products, in the same transaction; hidden products are not
/// in it.
#[async_trait]
pub trait SearchStore: Send + Sync {
    /// Returns the visible products that hold every term, at most `limit`, in no order.
    async fn matching(&self, terms: &Terms, limit: usize) -> Result<Vec<Sku>>;

    /// Reports whether a visible product holds the word, or one that begins with it.
    async fn knows_word(&self, word: &str, is_prefix: bool) -> Result<bool>;

    /// Returns words that share at least so many of the trigrams, each with the number of products that hold it: those
    /// that share the most, at most `limit`.
    async fn words_alike(
        &self,
        trigrams: &[String],
        least: usize,
        limit: usize,
    ) -> Result<Vec<(String, u64)>>;
}

/// Is how the index changes when products are put.
#[derive(Debug, Default)]
pub struct IndexChange {
    /// What is kept of each product from now on; nothing of hidden ones.
    pub texts: BTreeMap<Sku, Option<String>>,
    /// How many more products, or fewer, hold each word.
    pub words: BTreeMap<String, i64>,
}

impl IndexChange {
    /// Compares products with what is kept of them; where one comes twice, the last holds.
    pub fn of<'p>(products: impl IntoIterator<Item = &'p Product>, before: &BTreeMap<Sku, String>) -> Self {
        let after: BTreeMap<&Sku, Option<String>> =
            products.into_iter().map(|p| (&p.sku, text_of(p))).collect();
        let mut change = Self::default();
        for (sku, text) in after {
            let before = before.get(sku).map(String::as_str);
            if before == text.as_deref() {
                continue;
            }
            let old = before.map(vocabulary).unwrap_or_default();
            let new = text.as_deref().map(vocabulary).unwrap_or_default();
            change.count(&old, &new, -1);
            change.count(&new, &old, 1);
            change.texts.insert(sku.clone(), text);
        }
        change.words.retain(|_, products| *products != 0);
        change
    }

    fn count(&mut self, words: &BTreeSet<&str>, others: &BTreeSet<&str>, by: i64) {
        for word in words.difference(others) {
            *self.words.entry((*word).to_owned()).or_default() += by;
        }
    }
}

/// Returns the least text that is greater than all that begin with a word.
pub fn after_all_of(word: &str) -> String {
    format!("{word}\u{10ffff}")
}
