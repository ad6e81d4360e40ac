//! Stock of what shelves show: read for all of them together, twice a second, rather than for every page.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard},
};

use arc_swap::ArcSwap;
use cart_core::{Sku, StockLevels};

use crate::store;

/// The most products whose levels are kept, more than shelves of most shops show; where there are more, all begin anew.
const PRODUCTS_MAX: usize = 5_000;

/// After so many readings, ten minutes of them, all begin anew, so that what nobody asks for any more is no longer read.
const READINGS: u32 = 1_200;

/// Holds the levels of the products that were asked for lately, at most half a second old.
#[derive(Default)]
pub struct Levels {
    asked: Mutex<Asked>,
    known: ArcSwap<Known>,
}

#[derive(Default)]
struct Asked {
    skus: BTreeSet<Sku>,
    readings: u32,
}

#[derive(Default, PartialEq)]
struct Known {
    skus: BTreeSet<Sku>,
    levels: Arc<StockLevels>,
}

impl Levels {
    /// Returns the levels of products, and perhaps of others, where all of them are known; else they will be, after the next reading.
    pub fn find(&self, skus: &BTreeSet<Sku>) -> Option<Arc<StockLevels>> {
        let known = self.known.load();
        if skus.is_subset(&known.skus) {
            return Some(known.levels.clone());
        }
        self.ask(skus);
        None
    }

    /// Returns the levels that are read together; they stay the same for as long as nothing of them changes.
    pub fn known(&self) -> Arc<StockLevels> {
        self.known.load().levels.clone()
    }

    /// Reads anew what was asked for lately.
    ///
    /// # Errors
    /// What reading says; the earlier levels are then forgotten, for nobody knows how old they become.
    pub async fn refresh<R>(&self, read: impl FnOnce(BTreeSet<Sku>) -> R) -> store::Result<()>
    where
        R: Future<Output = store::Result<StockLevels>>,
    {
        let skus = self.asked().take();
        if skus.is_empty() {
            self.known.store(Arc::default());
            return Ok(());
        }
        match read(skus.clone()).await {
            Ok(levels) => {
                let read = Known { skus, levels: Arc::new(levels) };
                if read != **self.known.load() {
                    self.known.store(Arc::new(read));
                }
                Ok(())
            }
            Err(error) => {
                self.known.store(Arc::default());
                Err(error)
            }
        }
    }

    fn ask(&self, skus: &BTreeSet<Sku>) {
        let mut asked = self.asked();
        if asked.skus.len() + skus.difference(&asked.skus).count() > PRODUCTS_MAX {
            asked.skus.clear();
        }
        asked.skus.extend(skus.iter().cloned());
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().expect("no thread panics with the lock held")
    }
}

impl Asked {
    fn take(&mut self) -> BTreeSet<Sku> {
        self.readings += 1;
        if self.readings < READINGS {
            return self.skus.clone();
        }
        self.readings = 0;
        std::mem::take(&mut self.skus)
    }
}

#[cfg(test)]
mod tests {
    use cart_core::StockLevel;

    use super::*;

    fn skus(texts: &[&str]) -> BTreeSet<Sku> {
        texts.iter().map(|text| Sku::parse(text).unwrap()).collect()
    }

    fn levels(skus: BTreeSet<Sku>, pieces: i64) -> store::Result<StockLevels> {
        let mut levels = StockLevels::default();
        skus.into_iter().for_each(|sku| levels.insert(sku, StockLevel::of_supply(pieces)));
        Ok(levels)
    }

    #[actix_web::test]
    async fn what_was_asked_for_is_read_together_and_not_again_for_each_page() {
        let kept = Levels::default();
        let mug = Sku::parse("MUG").unwrap();
        assert!(kept.find(&skus(&["MUG"])).is_none() && kept.find(&skus(&["JUG"])).is_none());
        kept.refresh(async |asked| {
            assert_eq!(asked, skus(&["JUG", "MUG"]));
            levels(asked, 2)
        })
        .await
        .unwrap();
        assert_eq!(kept.find(&skus(&["MUG", "JUG"])).unwrap().available(&mug), 2);
        let known = kept.known();
        kept.refresh(async |skus| levels(skus, 2)).await.unwrap();
        assert!(Arc::ptr_eq(&known, &kept.known()), "nothing has changed");
        kept.refresh(async |skus| levels(skus, 1)).await.unwrap();
        assert_eq!(kept.known().available(&mug), 1);
    }

    #[actix_web::test]
    async fn a_shop_of_as_many_products_as_are_kept_never_begins_anew() {
        let kept = Levels::default();
        let all: Vec<String> = (0..PRODUCTS_MAX).map(|n| format!("P{n}")).collect();
        for page in all.windows(2).rev() {
            kept.find(&page.iter().map(|text| Sku::parse(text).unwrap()).collect());
        }
        kept.refresh(async |skus| levels(skus, 3)).await.unwrap();
        assert_eq!(kept.known.load().skus.len(), PRODUCTS_MAX);
    }

    #[actix_web::test]
    async fn where_reading_fails_nothing_old_is_told_and_what_nobody_asks_for_is_dropped() {
        let kept = Levels::default();
        kept.find(&skus(&["MUG"]));
        kept.refresh(async |skus| levels(skus, 3)).await.unwrap();
        assert!(kept.find(&skus(&["MUG"])).is_some());
        kept.refresh(async |_| Err(store::StoreError::Unavailable("away".into()))).await.unwrap_err();
        assert!(kept.find(&skus(&["MUG"])).is_none());
        for _ in 0..READINGS {
            kept.refresh(async |skus| levels(skus, 3)).await.unwrap();
        }
        kept.refresh(async |_| panic!("nobody asked for ten minutes")).await.unwrap();
    }
}
