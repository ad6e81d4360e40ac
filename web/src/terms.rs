//! The terms of the shop in memory, swapped whole when a document of the store changes.

use std::{
    fmt::Display,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use cart_core::{Locations, Promotions, Shipping, Taxes, Terms};

use crate::{
    config::ShopConfig,
    store::{self, Store},
};

/// Names a document of terms, in the store and on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// How orders travel: [`Shipping`].
    Shipping,
    /// What is taxed: [`Taxes`].
    Taxes,
    /// What is taken off: [`Promotions`].
    Promotions,
    /// Where pieces come from: [`Locations`].
    Locations,
}

impl Document {
    /// Returns the name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shipping => "shipping",
            Self::Taxes => "taxes",
            Self::Promotions => "promotions",
            Self::Locations => "locations",
        }
    }

    /// Checks a document's text.
    ///
    /// # Errors
    /// Says what is wrong, and how to mend it.
    pub fn check(self, text: &str) -> Result<(), String> {
        match self {
            Self::Shipping => parse::<Shipping>(text).map(drop),
            Self::Taxes => parse::<Taxes>(text).map(drop),
            Self::Promotions => parse::<Promotions>(text).map(drop),
            Self::Locations => parse::<Locations>(text).map(drop),
        }
    }
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|e| e.to_string())
}

/// Holds the newest terms for everybody.
#[derive(Debug)]
pub struct TermsCell {
    terms: ArcSwap<Terms>,
    revision: AtomicU64,
    /// What holds where no document says otherwise.
    defaults: Terms,
}

impl TermsCell {
    /// Returns the terms of a shop that has written nothing down.
    ///
    /// # Errors
    /// Where the price of express shipping is none.
    pub fn new(config: &ShopConfig) -> Result<Self, impl Display> {
        let shipping = Shipping::standard_and_express(config.express_shipping_minor);
        shipping.map(|shipping| {
            let cancel_ms = i64::from(config.cancel_minutes) * 60_000;
            let defaults = Terms { cancel_ms, ..Terms::plain(config.price_policy, shipping) };
            let terms = ArcSwap::from_pointee(defaults.clone());
            Self { terms, revision: AtomicU64::new(0), defaults }
        })
    }

    /// Returns the terms as of now; they stay as they are while they are held.
    pub fn get(&self) -> Arc<Terms> {
        self.terms.load_full()
    }

    /// Swaps in the store's documents where they have moved on. One that cannot be read is reported, and the terms
    /// before it stay in force.
    ///
    /// # Errors
    /// What the store says; the earlier terms stay.
    pub async fn refresh(&self, store: &dyn Store) -> store::Result<()> {
        let Some(stored) = store.documents(self.revision.load(Ordering::Relaxed)).await? else {
            return Ok(());
        };
        let before = self.get();
        let text = |document: Document| stored.documents.get(document.name()).map(String::as_str);
        self.terms.store(Arc::new(Terms {
            prices: self.defaults.prices,
            cancel_ms: self.defaults.cancel_ms,
            promotions: read(text(Document::Promotions), &self.defaults.promotions, &before.promotions),
            shipping: read(text(Document::Shipping), &self.defaults.shipping, &before.shipping),
            taxes: read(text(Document::Taxes), &self.defaults.taxes, &before.taxes),
            locations: read(text(Document::Locations), &self.defaults.locations, &before.locations),
        }));
        self.revision.store(stored.revision, Ordering::Relaxed);
        Ok(())
    }
}

fn read<T: serde::de::DeserializeOwned + Clone>(text: Option<&str>, default: &T, before: &T) -> T {
    let Some(text) = text else { return default.clone() };
    parse(text).unwrap_or_else(|error| {
        tracing::error!(%error, "a document of the shop's terms cannot be read; the terms before it stay");
        before.clone()
    })
}
