//! Catalogue and stock.

use std::collections::BTreeSet;

use async_trait::async_trait;
use cart_core::{LocationId, Sku, StockLevels};

use super::super::{CatalogueSnapshot, CatalogueStore, ProductSupply, Result, SupplyOutcome};
use super::MemoryStore;

#[async_trait]
impl CatalogueStore for MemoryStore {
    async fn catalogue(&self, known: u64) -> Result<Option<CatalogueSnapshot>> {
        let state = self.state.lock().await;
        let revision = state.catalogue_revision;
        Ok((revision != known).then(|| CatalogueSnapshot {
            revision,
            products: state.products.values().cloned().collect(),
            listed: state.products.keys().map(|sku| state.listed[sku]).collect(),
        }))
    }

    async fn put_products(&self, products: &[ProductSupply]) -> Result<Vec<SupplyOutcome>> {
        Ok(self.state.lock().await.put_products(products))
    }

    async fn stock(&self, skus: &BTreeSet<Sku>) -> Result<StockLevels> {
        Ok(self.state.lock().await.levels(skus))
    }

    async fn sold_out(&self, locations: &[LocationId]) -> Result<BTreeSet<Sku>> {
        let state = self.state.lock().await;
        let stock = state.stock.clone().within(locations);
        let tracked = state.products.values().filter(|p| p.has_stock()).map(|p| &p.sku);
        Ok(tracked.filter(|sku| stock.obtainable(sku, u32::MAX) <= 0).cloned().collect())
    }
}
