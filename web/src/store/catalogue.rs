//! The catalogue's rows.

use cart_core::Product;

/// Is the whole catalogue at one revision.
#[derive(Clone, Debug, Default)]
pub struct CatalogueSnapshot {
    /// Grows with every change.
    pub revision: u64,
    /// All products, hidden ones included, by SKU.
    pub products: Vec<Product>,
}

/// Is a product to put, with its supply.
#[derive(Clone, Debug)]
pub struct ProductSupply {
    /// The product.
    pub product: Product,
    /// All pieces that ever arrived; `None` leaves the supply as it is, 0 for a new product.
    pub supplied: Option<i64>,
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
    /// Its supply would fall below the pieces that are held or sold; nothing of it was written.
    SupplyTooLow {
        /// Pieces held or sold.
        taken: i64,
    },
}
