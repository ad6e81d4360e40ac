//! The catalogue's rows.

use std::collections::BTreeSet;

use async_trait::async_trait;
use cart_core::{LocationId, Product, Sku, Slot, StockLevel, StockLevels};

use super::Result;

/// Keeps products and their stock. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait CatalogueStore: Send + Sync {
    /// Returns the catalogue where its revision differs from `known`; revisions grow with every change.
    async fn catalogue(&self, known: u64) -> Result<Option<CatalogueSnapshot>>;

    /// Inserts or updates products and their supply in the main location; answers one outcome a product, in order. A refused
    /// product leaves its neighbours written.
    async fn put_products(&self, products: &[ProductSupply]) -> Result<Vec<SupplyOutcome>>;

    /// Reads the stock of some products in all locations; those without a row are left out.
    async fn stock(&self, skus: &BTreeSet<Sku>) -> Result<StockLevels>;

    /// Returns the tracked products of which no piece may be bought from these locations; bundles have none of their own.
    async fn sold_out(&self, locations: &[LocationId]) -> Result<BTreeSet<Sku>>;
}

/// Is the whole catalogue at one revision.
#[derive(Clone, Debug, Default)]
pub struct CatalogueSnapshot {
    /// Grows with every change.
    pub revision: u64,
    /// All products, hidden ones included, by SKU.
    pub products: Vec<Product>,
    /// The revision at which each of them was listed first, in the same order: a newer one is greater.
    pub listed: Vec<u64>,
}

/// Is a product to put, with its supply.
#[derive(Clone, Debug)]
pub struct ProductSupply {
    /// The product.
    pub product: Product,
    /// All pieces that ever arrived in the main location; `None` leaves the supply as it is, 0 for a new product.
    pub supplied: Option<i64>,
    /// Pieces that stay on the shelf; `None` leaves them as they are, 0 for a new product.
    pub safety: Option<i64>,
}

impl ProductSupply {
    /// Returns the rows of the stock that the put leads to: that of the main location, and others, which may owe as many
    /// pieces as the product from now on.
    ///
    /// # Errors
    /// The pieces that are held or sold in the main location, where the supply is too low for them.
    pub fn rows(&self, stood: &StockLevels) -> std::result::Result<Vec<(Slot, StockLevel)>, i64> {
        let (sku, owed_max) = (&self.product.sku, self.product.owed_max_ever());
        let main = Slot::from(sku.clone());
        let level = stood.at(&main).unwrap_or_default().put(self.supplied, self.safety, owed_max)?;
        let others = stood.of(sku).filter(|(location, _)| !location.is_main());
        let other = |(location, level): (&LocationId, &StockLevel)| {
            Ok((Slot::new(sku, location), level.put(None, None, owed_max)?))
        };
        [Ok((main, level))].into_iter().chain(others.map(other)).collect()
    }
}

impl SupplyOutcome {
    /// Reports whether something of the product was written.
    pub fn is_written(&self) -> bool {
        matches!(self, Self::Inserted | Self::Updated)
    }
}

/// Says what became of a product that was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SupplyOutcome {
    /// It was new.
    Inserted,
    /// It differed.
    Updated,
    /// It was the same already.
    Unchanged,
    /// Its supply would fall below the pieces that are held or sold by more than may be owed; nothing was written.
    SupplyTooLow {
        /// Pieces held or sold.
        taken: i64,
    },
}
