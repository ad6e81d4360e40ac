//! The catalogue in memory, swapped whole when the store's revision moves.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use cart_core::{Currency, Product, Products, Sku};

use crate::store::{self, Store};

/// Is the catalogue at one revision, ready to be searched.
#[derive(Debug, Default)]
pub struct Catalogue {
    revision: u64,
    products: BTreeMap<Sku, Arc<Product>>,
    /// The words of each visible product in lower case, in the order of the SKUs.
    texts: Vec<(String, Arc<Product>)>,
    categories: Vec<String>,
    currency: Option<Currency>,
}

impl Catalogue {
    /// Builds the catalogue of a snapshot.
    pub fn of(snapshot: store::CatalogueSnapshot) -> Self {
        let products: BTreeMap<Sku, Arc<Product>> =
            snapshot.products.into_iter().map(|p| (p.sku.clone(), Arc::new(p))).collect();
        let texts: Vec<_> = products
            .values()
            .filter(|p| !p.hidden)
            .map(|p| {
                (format!("{} {} {} {}", p.name, p.category, p.sku, p.description).to_lowercase(), p.clone())
            })
            .collect();
        let mut categories: Vec<String> =
            texts.iter().map(|(_, p)| p.category.clone()).filter(|c| !c.is_empty()).collect();
        categories.sort_unstable();
        categories.dedup();
        let mut counts = BTreeMap::<Currency, usize>::new();
        for (_, product) in &texts {
            *counts.entry(product.price.currency).or_default() += 1;
        }
        let currency = counts.into_iter().max_by_key(|(_, count)| *count).map(|(currency, _)| currency);
        Self { revision: snapshot.revision, products, texts, categories, currency }
    }

    /// Returns the revision that the catalogue shows.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns a product, hidden or not.
    pub fn product(&self, sku: &Sku) -> Option<&Arc<Product>> {
        self.products.get(sku)
    }

    /// Returns a product that a shopper may see.
    pub fn visible(&self, sku: &Sku) -> Option<&Arc<Product>> {
        self.product(sku).filter(|p| !p.hidden)
    }

    /// Returns the categories of the visible products in order.
    pub fn categories(&self) -> &[String] {
        &self.categories
    }

    /// Returns the visible products of a category (all, where none is named) that hold every word of the query.
    /// Those whose name holds all words come first; otherwise the order is that of the SKUs.
    pub fn search(&self, query: &str, category: Option<&str>) -> Vec<&Arc<Product>> {
        let query = query.to_lowercase();
        let words: Vec<&str> = query.split_whitespace().collect();
        let mut found: Vec<_> = self
            .texts
            .iter()
            .filter(|(_, p)| category.is_none_or(|c| p.category == c))
            .filter(|(text, _)| words.iter().all(|w| text.contains(w)))
            .map(|(_, p)| p)
            .collect();
        if !words.is_empty() {
            found.sort_by_cached_key(|p| {
                let name = p.name.to_lowercase();
                !words.iter().all(|w| name.contains(w))
            });
        }
        found
    }

    /// Returns the currency that most visible products are priced in: what a cart is opened in when nobody says.
    pub fn currency(&self) -> Option<Currency> {
        self.currency
    }

    /// Reports how many products a shopper may see.
    pub fn visible_count(&self) -> usize {
        self.texts.len()
    }
}

impl Products for Catalogue {
    fn product(&self, sku: &Sku) -> Option<&Product> {
        self.products.get(sku).map(|p| &**p)
    }
}

/// Holds the newest catalogue for everybody.
#[derive(Debug, Default)]
pub struct CatalogueCell(ArcSwap<Catalogue>);

impl CatalogueCell {
    /// Returns the catalogue as of now; it stays as it is while it is held.
    pub fn get(&self) -> Arc<Catalogue> {
        self.0.load_full()
    }

    /// Swaps in the store's catalogue where it has moved on.
    ///
    /// # Errors
    /// What the store says; the earlier catalogue stays.
    pub async fn refresh(&self, store: &dyn Store) -> store::Result<()> {
        if let Some(snapshot) = store.catalogue(self.0.load().revision).await? {
            self.0.store(Arc::new(Catalogue::of(snapshot)));
        }
        Ok(())
    }
}
