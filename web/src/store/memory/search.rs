//! The index of words, by looking at every product.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use cart_core::Sku;

use super::{
    super::{Result, SearchStore},
    MemoryStore,
    state::State,
};
use crate::search::{
    terms::{Alternative, Terms},
    typo,
    words::{text_of, vocabulary},
};

#[async_trait]
impl SearchStore for MemoryStore {
    async fn matching(&self, terms: &Terms, limit: usize) -> Result<Vec<Sku>> {
        assert!(!terms.0.is_empty(), "a search for nothing");
        let state = self.state.lock().await;
        let holds = |text: &str| terms.0.iter().all(|term| term.0.iter().any(|a| is_in(a, text)));
        let texts = state.products.values().filter_map(|p| Some((&p.sku, text_of(p)?)));
        Ok(texts.filter(|(_, text)| holds(text)).map(|(sku, _)| sku.clone()).take(limit).collect())
    }

    async fn knows_word(&self, word: &str, is_prefix: bool) -> Result<bool> {
        let words = words_of(&*self.state.lock().await);
        Ok(words.keys().any(|other| other == word || is_prefix && other.starts_with(word)))
    }

    async fn words_alike(
        &self,
        trigrams: &[String],
        least: usize,
        limit: usize,
    ) -> Result<Vec<(String, u64)>> {
        let asked: BTreeSet<&String> = trigrams.iter().collect();
        let shared = |word: &str| typo::trigrams(word).iter().filter(|t| asked.contains(t)).count();
        let words = words_of(&*self.state.lock().await).into_iter();
        let mut alike: Vec<_> = words.map(|(word, n)| (usize::MAX - shared(&word), word, n)).collect();
        alike.retain(|(unshared, ..)| usize::MAX - unshared >= least);
        alike.sort();
        Ok(alike.into_iter().take(limit).map(|(_, word, products)| (word, products)).collect())
    }
}

fn words_of(state: &State) -> BTreeMap<String, u64> {
    let mut words = BTreeMap::new();
    for text in state.products.values().filter_map(text_of) {
        for word in vocabulary(&text) {
            *words.entry(word.to_owned()).or_default() += 1;
        }
    }
    words
}

fn is_in(alternative: &Alternative, text: &str) -> bool {
    let words: Vec<&str> = text.split(' ').collect();
    let (last, first) = alternative.words.split_last().expect("an alternative has a word");
    let ends = |word: &str| if alternative.is_prefix { word.starts_with(&**last) } else { word == last };
    words.windows(first.len() + 1).any(|run| {
        run.iter().zip(first).all(|(word, wanted)| word == wanted) && run.last().is_some_and(|w| ends(w))
    })
}
