//! The model: what a batch learnt of each item, in the versioned, checksummed file that carries it.

mod about;
mod file;
mod format;

use std::thread;

use cart_core::Sku;

pub use about::{About, Deletion, Measured, POPULARITY, RANKED, Task};

use crate::{
    basket::BasketModel,
    invalid::Invalid,
    lists::{Entry, check_entries},
    pairs::Pairs,
    session::SessionModel,
};

/// The most items of one model: item numbers are 32 bits wide, and what a thread needs to ask is 70 bytes an item.
pub const ITEMS_MAX: usize = 10_000_000;

/// Says why a file is not a model, or could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file could not be read or written.
    #[error("model file: {0}")]
    Io(#[from] std::io::Error),
    /// The file does not begin as a model does.
    #[error("not a model file: it does not begin with the model's magic bytes")]
    WrongMagic,
    /// The file is a model of a version that this program does not know.
    #[error("model file of version {found}, this program reads version {known}; train again")]
    UnknownVersion {
        /// The version in the file.
        found: u32,
        /// The version that is read.
        known: u32,
    },
    /// The file ends too early: its writing was cut off.
    #[error("torn model file: {found} bytes of {expected}; train again")]
    Torn {
        /// The length in bytes that the file states, or that a header needs.
        expected: u64,
        /// Its length in bytes.
        found: u64,
    },
    /// The checksum does not match, or what it covers does not make sense.
    #[error("corrupt model file: {0}; train again")]
    Corrupt(String),
    /// The parts do not make a model.
    #[error("invalid model: {0}")]
    Invalid(#[from] Invalid),
}

/// Holds what was learnt, by item number.
#[derive(Clone, Debug, Default)]
pub struct Learnt {
    /// Every item that was ordered with its time-decayed count of orders, most popular first.
    pub popular: Vec<Entry>,
    /// What is in the same orders.
    pub orders: Pairs,
    /// What is bought after something, by customers who came back for what they had never bought.
    pub after: Pairs,
    /// What is in the same sessions.
    pub sessions: Pairs,
    /// What is in a basket says of what else belongs in it; where there were orders.
    pub baskets: Option<BasketModel>,
    /// What was viewed says of what is viewed next; where there were sessions.
    pub trails: Option<SessionModel>,
}

/// Holds the items, ascending by SKU, and what was learnt of them.
#[derive(Clone, Debug)]
pub struct Model {
    about: About,
    items: Vec<Sku>,
    learnt: Learnt,
}

impl Model {
    /// Puts a model together and checks it: `items` strictly ascending, and each part of exactly these items.
    ///
    /// # Errors
    /// [`Invalid`] where one of these does not hold.
    pub fn new(about: About, items: Vec<Sku>, learnt: Learnt) -> Result<Self, Invalid> {
        let model = Self { about, items, learnt };
        model.check()?;
        Ok(model)
    }

    /// Returns what the model was learnt from, when and how, and how good it is.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Returns the items, ascending; an item's number is its place.
    pub fn items(&self) -> &[Sku] {
        &self.items
    }

    /// Returns the number of an item, or `None` where it was never met.
    pub fn item(&self, sku: &Sku) -> Option<u32> {
        // At most `ITEMS_MAX` items, so that a place fits.
        self.items.binary_search(sku).ok().map(|place| place as u32)
    }

    /// Returns the SKU of an item's number.
    pub fn sku(&self, item: u32) -> &Sku {
        &self.items[item as usize]
    }

    /// Returns what was learnt.
    pub fn learnt(&self) -> &Learnt {
        &self.learnt
    }

    fn check(&self) -> Result<(), Invalid> {
        let items = self.items.len();
        if items > ITEMS_MAX {
            return Err(Invalid("more items than a model may have"));
        }
        if !self.items.is_sorted_by(|a, b| a < b) {
            return Err(Invalid("items are not strictly ascending"));
        }
        let Learnt { popular, orders, after, sessions, baskets, trails } = &self.learnt;
        check_entries(popular, items)?;
        let mut seen = vec![false; items];
        if popular.iter().any(|entry| std::mem::replace(&mut seen[entry.item as usize], true)) {
            return Err(Invalid("an item is popular twice"));
        }
        if !popular.is_sorted_by(|a, b| a.score >= b.score) {
            return Err(Invalid("popular items are not in descending order"));
        }
        // The half of a model that is of orders, and that of sessions: side by side.
        let of_orders = || {
            orders.check(items)?;
            after.check(items)?;
            baskets.as_ref().map_or(Ok(()), |model| model.check(items))
        };
        let of_sessions = || {
            sessions.check(items)?;
            trails.as_ref().map_or(Ok(()), |model| model.check(items))
        };
        thread::scope(|scope| {
            let sessions = scope.spawn(of_sessions);
            of_orders().and(sessions.join().expect("checks do not panic"))
        })
    }
}

#[cfg(test)]
mod tests;
