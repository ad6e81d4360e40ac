//! Who fills shelves, and how events become recommendations.

use std::path::PathBuf;

use serde::Deserialize;

use crate::shelves::{Algorithm, Filling, ShelfName};

/// Says who fills each shelf where no experiment does: an algorithm, as `pairs` or `pairs:min_support=5`, or two by turns, as
/// `pairs~popular`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShelvesConfig {
    /// What others bought together with a product, on its page.
    pub bought_together: Filling,
    /// What goes with all of a cart.
    pub goes_with_cart: Filling,
    /// What a visitor looked at last.
    pub r#continue: Filling,
    /// What goes with what a visitor bought.
    pub recommended: Filling,
    /// What others looked at together with a product.
    pub also_viewed: Filling,
    /// What many buy.
    pub popular: Filling,
    /// What goes with what a letter is about.
    pub mail: Filling,
    /// How long an algorithm may take before the catalogue's own order fills its shelf, and the store when a shelf asks it, in
    /// milliseconds; 0 asks no algorithm.
    pub deadline_ms: u64,
}

impl ShelvesConfig {
    /// Returns who fills a shelf.
    pub fn of(&self, shelf: ShelfName) -> Filling {
        match shelf {
            ShelfName::BoughtTogether => self.bought_together,
            ShelfName::GoesWithCart => self.goes_with_cart,
            ShelfName::Continue => self.r#continue,
            ShelfName::Recommended => self.recommended,
            ShelfName::AlsoViewed => self.also_viewed,
            ShelfName::Popular => self.popular,
            ShelfName::Mail => self.mail,
        }
    }
}

impl ShelvesConfig {
    /// Refuses what does nothing on its shelf.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let fits = |shelf: ShelfName| {
            self.of(shelf).fits(shelf).map_err(|why| anyhow::anyhow!("shelves.{}: {why}", shelf.name()))
        };
        ShelfName::ALL.into_iter().try_for_each(fits)
    }
}

impl Default for ShelvesConfig {
    fn default() -> Self {
        let [learnt, popular] =
            [Algorithm::Learnt, Algorithm::Popular].map(|algorithm| Filling::One(algorithm.into()));
        Self {
            bought_together: learnt,
            goes_with_cart: learnt,
            r#continue: learnt,
            recommended: learnt,
            also_viewed: learnt,
            popular,
            mail: learnt,
            deadline_ms: 50,
        }
    }
}

/// The least memory that a training may be given, in bytes: with less, it counts from files that are as small as the directory of each.
const MEMORY_BYTES_MIN: u64 = 16 << 20;

/// Is how events become recommendations.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecommenderConfig {
    /// How often the server trains, in minutes; 0 leaves it to `cartwright train`.
    pub train_every_minutes: u64,
    /// The batch program; `None` looks beside the server's own.
    pub batch: Option<PathBuf>,
    /// The memory that a training is given, in bytes.
    pub memory_bytes: u64,
    /// An event file is closed at this size, in bytes.
    pub file_bytes: u64,
    /// An event file is closed at this age, in minutes.
    pub file_minutes: u64,
}

impl Default for RecommenderConfig {
    fn default() -> Self {
        Self {
            train_every_minutes: 0,
            batch: None,
            memory_bytes: 1 << 30,
            file_bytes: 64 << 20,
            file_minutes: 60,
        }
    }
}

impl RecommenderConfig {
    /// Refuses what makes no sense.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.memory_bytes >= MEMORY_BYTES_MIN,
            "recommender.memory_bytes is {}, the least is {MEMORY_BYTES_MIN}",
            self.memory_bytes
        );
        anyhow::ensure!(self.file_bytes > 0, "recommender.file_bytes must be at least 1");
        anyhow::ensure!(self.file_minutes > 0, "recommender.file_minutes must be at least 1");
        Ok(())
    }
}
