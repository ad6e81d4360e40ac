//! The search of the catalogue: what a shopper types becomes terms, the store's index answers which products hold
//! them, and the catalogue in memory narrows, counts, sorts and pages.
//!
//! Every store keeps the same words, folded here, so that a query has the same answer on each of them. What is typed
//! wrongly is mended with the store's vocabulary by way of trigrams. The index is derived: a store makes it again where
//! it was made by another version of this module.

pub mod ask;
pub mod facets;
pub mod find;
pub mod rank;
pub mod sellers;
pub mod terms;
pub mod typo;
pub mod words;

use crate::store::{self, Store};
use terms::{Alternative, Term, Terms};

pub use ask::{Ask, Cursor, Sort};
pub use facets::{Facet, FacetKind, FacetValue, PriceRange};
pub use find::{Found, Hit, Sight, find};
pub use sellers::Sellers;

/// The longest query in bytes: two lines of print.
pub const QUERY_BYTES_MAX: usize = 200;
/// The most terms of a query; those beyond are left out, as nobody means them all.
pub const QUERY_TERMS_MAX: usize = 12;
/// The most products that a query's text is answered with; a broader one is cut, and its answer says so.
pub const MATCHES_MAX: usize = 20_000;
/// The most words that a mistyped one is mended to.
const MENDED_MAX: usize = 5;
/// The most words of the vocabulary that are compared with a mistyped one.
const ALIKE_MAX: usize = 500;

/// Is what the store's index answers to a text.
#[derive(Clone, Debug, Default)]
pub struct Matches {
    /// The terms that were looked for, mended where need was.
    pub terms: Terms,
    /// The visible products that hold them all, at most [`MATCHES_MAX`].
    pub skus: Vec<cart_core::Sku>,
    /// What the shopper may have meant, where words had to be mended.
    pub meant: Option<String>,
}

impl Matches {
    /// Reports whether there may be more products than are listed.
    pub fn is_cut(&self) -> bool {
        self.skus.len() >= MATCHES_MAX
    }
}

/// Asks the store which visible products hold every term of a text. Where none does, words that the vocabulary does not
/// know are mended by those that are spelt most nearly like them.
///
/// # Errors
/// What the store says.
pub async fn matches(store: &dyn Store, text: &str) -> store::Result<Matches> {
    let terms = Terms::parse(text);
    if terms.0.is_empty() {
        return Ok(Matches::default());
    }
    let skus = store.matching(&terms, MATCHES_MAX).await?;
    if !skus.is_empty() {
        return Ok(Matches { terms, skus, meant: None });
    }
    let Some((mended, meant)) = mend(store, &terms).await? else {
        return Ok(Matches { terms, ..Matches::default() });
    };
    let skus = store.matching(&mended, MATCHES_MAX).await?;
    let meant = (!skus.is_empty()).then_some(meant);
    Ok(Matches { terms: mended, skus, meant })
}

/// Returns the terms with each unknown word mended, and how they read; `None` where nothing can be mended.
async fn mend(store: &dyn Store, terms: &Terms) -> store::Result<Option<(Terms, String)>> {
    let (mut mended, mut meant, mut is_mended) = (vec![], vec![], false);
    for term in &terms.0 {
        meant.push(term.text().to_owned());
        mended.push(term.clone());
        // A phrase is meant as it stands.
        let Some((word, is_prefix)) = term.word() else { continue };
        if typo::allowed(word) == 0 || knows(store, term).await? {
            continue;
        }
        let trigrams = typo::trigrams(word);
        let alike = store.words_alike(&trigrams, typo::least_shared(word), ALIKE_MAX).await?;
        let nearest = typo::nearest(word, is_prefix, alike, MENDED_MAX);
        let Some(first) = nearest.first() else { return Ok(None) };
        *meant.last_mut().expect("a term was just pushed") = first.clone();
        let words = nearest.into_iter().map(|word| Alternative { words: vec![word], is_prefix: false });
        *mended.last_mut().expect("a term was just pushed") = Term(words.collect());
        is_mended = true;
    }
    Ok(is_mended.then(|| (Terms(mended), meant.join(" "))))
}

/// Reports whether the vocabulary has a term, in one of its forms.
async fn knows(store: &dyn Store, term: &Term) -> store::Result<bool> {
    for Alternative { words, is_prefix } in &term.0 {
        if let [word] = &**words
            && store.knows_word(word, *is_prefix).await?
        {
            return Ok(true);
        }
    }
    Ok(false)
}
