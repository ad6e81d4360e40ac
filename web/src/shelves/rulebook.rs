//! The rules in memory, swapped whole when somebody saves others.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use arc_swap::ArcSwap;

use super::rules::{Act, Rule, RuleError, Rules};
use crate::{
    catalogue::Catalogue,
    clock,
    store::{self, DocumentRevision, Store, StoreError},
};

/// Names the document that holds the rules.
const DOCUMENT: &str = "shelf_rules";

/// Says why rules were not saved.
#[derive(Debug, thiserror::Error)]
pub enum RulebookError {
    /// They make no sense.
    #[error(transparent)]
    Rules(#[from] RuleError),
    /// One names a product that there is not.
    #[error("rule {id:?}: the catalogue has no product {sku:?}")]
    UnknownProduct {
        /// The rule.
        id: String,
        /// The SKU.
        sku: String,
    },
    /// Somebody else has saved others since they were read.
    #[error("the rules were saved meanwhile; look at them again")]
    Overtaken,
    /// The store does not answer.
    #[error(transparent)]
    Store(StoreError),
}

/// Holds the rules in force.
#[derive(Default)]
pub struct Rulebook {
    rules: ArcSwap<Rules>,
    revision: AtomicU64,
}

impl Rulebook {
    /// Returns the rules as of now; they stay as they are while they are held.
    pub fn get(&self) -> Arc<Rules> {
        self.rules.load_full()
    }

    /// Swaps in the store's rules where they have changed. What cannot be read is reported, and those before stay.
    ///
    /// # Errors
    /// What the store says; the earlier ones stay.
    pub async fn refresh(&self, store: &dyn Store) -> store::Result<()> {
        let Some(stored) = store.documents(self.revision.load(Ordering::Relaxed)).await? else {
            return Ok(());
        };
        match Rules::parse(stored.documents.get(DOCUMENT).map_or("[]", String::as_str)) {
            Ok(rules) => self.rules.store(rules.into()),
            Err(error) => tracing::error!(%error, "the shelves' rules cannot be read; those before stay"),
        }
        self.revision.store(stored.revision, Ordering::Relaxed);
        Ok(())
    }

    /// Puts rules in the place of those that were read at a revision; 0 where there were none.
    ///
    /// # Errors
    /// [`RulebookError`]; nothing is saved then.
    pub async fn save(
        &self,
        store: &dyn Store,
        catalogue: &Catalogue,
        draft: Draft,
    ) -> Result<(), RulebookError> {
        for rule in draft.rules.rules() {
            if let Some(sku) = named(rule).find(|sku| catalogue.product(sku).is_none()) {
                let (id, sku) = (rule.id.clone(), sku.to_string());
                return Err(RulebookError::UnknownProduct { id, sku });
            }
        }
        let revision = DocumentRevision {
            name: DOCUMENT.to_owned(),
            revision: draft.read_at + 1,
            text: draft.rules.to_text(),
            saved_at_ms: clock::now_ms(),
            saved_by: draft.by,
            reason: draft.reason,
        };
        store.revise_document(&revision).await.map_err(|error| match error {
            StoreError::Conflict(_) => RulebookError::Overtaken,
            other => RulebookError::Store(other),
        })?;
        self.refresh(store).await.map_err(RulebookError::Store)
    }

    /// Returns what was saved, the newest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn history(&self, store: &dyn Store) -> store::Result<Vec<DocumentRevision>> {
        store.document_history(DOCUMENT).await
    }
}

/// Are rules to be saved.
pub struct Draft {
    /// The rules.
    pub rules: Rules,
    /// The revision that was looked at when they were written.
    pub read_at: u64,
    /// Who writes them.
    pub by: String,
    /// Why.
    pub reason: String,
}

fn named(rule: &Rule) -> Box<dyn Iterator<Item = &cart_core::Sku> + '_> {
    match &rule.act {
        Act::Exclude(choice) | Act::Once(choice) | Act::Boost { choice, .. } => Box::new(choice.skus.iter()),
        Act::Pin { sku, .. } => Box::new(std::iter::once(sku)),
        Act::Spread { .. } => Box::new(std::iter::empty()),
    }
}
