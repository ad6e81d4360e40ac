//! The model: per item its neighbours, and the order of popularity, with the settings that made them.

mod file;
mod format;

use cart_core::Sku;
use serde::{Deserialize, Serialize};

/// The most items of one model: item numbers are 32 bits wide, and ten million items with 50 neighbours each are 4 GB.
pub const ITEMS_MAX: usize = 10_000_000;

/// The most neighbours of one item: a page shows a dozen, and a cart's items add up hundreds.
pub const NEIGHBOURS_MAX: usize = 1_000;

/// Names how two items that were bought together are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Score {
    /// Shrunk cosine: common orders over the geometric mean of the items' orders.
    Cosine,
    /// Lift: common orders over those that chance would give.
    Lift,
    /// Log-likelihood ratio: how surprising the common orders are.
    Llr,
}

impl Score {
    /// Every score, in the order in which tables list them.
    pub const ALL: [Self; 3] = [Self::Cosine, Self::Lift, Self::Llr];

    /// Returns the name, as settings and tables spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Lift => "lift",
            Self::Llr => "llr",
        }
    }

    /// Returns the score of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|score| score.name() == name)
    }
}

/// Holds the settings that a model was trained with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The score of the neighbours.
    pub score: Score,
    /// The days after which an order counts half.
    pub half_life_days: f64,
    /// The most neighbours kept per item.
    pub neighbours: usize,
    /// The fewest orders that must hold both items of a pair.
    pub min_support: u32,
    /// The weight of doubt of the shrunk cosine.
    pub shrink: f64,
    /// An order of `n` items counts `n` to the power of minus this.
    pub length_power: f64,
    /// The most items of one order that are paired.
    pub order_items_max: usize,
}

/// Says what a model was learnt from, when and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// When it was trained, Unix milliseconds.
    pub trained_at_ms: i64,
    /// How many orders it was learnt from.
    pub orders: u64,
    /// The highest outbox position that was read.
    pub through_position: i64,
    /// The latest event that was read, Unix milliseconds.
    pub through_at_ms: i64,
    /// The settings of the training.
    pub settings: Settings,
}

/// Is one item that sells together with another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// The number of the item: its place in [`Model::items`].
    pub item: u32,
    /// How strongly the two belong together; comparable within one model only.
    pub score: f32,
}

/// Says why parts do not make a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Items are not sorted, or one stands twice.
    #[error("items are not strictly ascending at item {0}")]
    Unsorted(usize),
    /// There are more items, or more neighbours of one item, than a model may hold.
    #[error("{what} are {count}, the most allowed is {max}")]
    TooMany {
        /// What is too many.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: usize,
    },
    /// The lists of neighbours or of popularity are not one per item.
    #[error("{what} count {count} where the items are {items}")]
    Uneven {
        /// Which list.
        what: &'static str,
        /// Its length.
        count: usize,
        /// The number of items.
        items: usize,
    },
    /// A list names an item that the model does not have, or an item as its own neighbour.
    #[error("{what} of item {item} name item {other}")]
    BadItem {
        /// Which list.
        what: &'static str,
        /// Whose list.
        item: usize,
        /// The item named.
        other: u32,
    },
    /// A list names an item twice.
    #[error("{what} of item {item} name item {other} twice")]
    Repeated {
        /// Which list.
        what: &'static str,
        /// Whose list.
        item: usize,
        /// The item named.
        other: u32,
    },
    /// A list is not sorted from the best downwards, or holds what is not a number.
    #[error("{what} of item {item} are not in descending order")]
    Order {
        /// Which list.
        what: &'static str,
        /// Whose list.
        item: usize,
    },
}

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
    #[error("model file of version {found}, this program reads version {known}")]
    UnknownVersion {
        /// The version in the file.
        found: u32,
        /// The version that is read.
        known: u32,
    },
    /// The file ends too early: its writing was cut off.
    #[error("torn model file: {found} bytes of {expected}")]
    Torn {
        /// The length in bytes that the file states, or that a header needs.
        expected: u64,
        /// Its length in bytes.
        found: u64,
    },
    /// The checksum does not match, or what it covers does not make sense.
    #[error("corrupt model file: {0}")]
    Corrupt(String),
    /// The parts do not make a model.
    #[error("invalid model: {0}")]
    Invalid(#[from] Invalid),
}

/// Holds what was learnt: items ascending by SKU, each with its neighbours, and the order of popularity.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    about: About,
    items: Vec<Sku>,
    /// `starts[i]..starts[i + 1]` are the neighbours of item `i`.
    starts: Vec<usize>,
    neighbours: Vec<Neighbour>,
    popular: Vec<Neighbour>,
}

impl Model {
    /// Puts a model together and checks it: `items` strictly ascending, one list of `neighbours` per item, and
    /// `popular` every item once, each list from the best score downwards.
    ///
    /// # Errors
    /// [`Invalid`] where one of these does not hold.
    pub fn new(
        about: About,
        items: Vec<Sku>,
        neighbours: Vec<Vec<Neighbour>>,
        popular: Vec<Neighbour>,
    ) -> Result<Self, Invalid> {
        even("lists of neighbours", neighbours.len(), items.len())?;
        let mut starts = Vec::with_capacity(items.len() + 1);
        starts.push(0);
        let mut flat = Vec::with_capacity(neighbours.iter().map(Vec::len).sum());
        for list in neighbours {
            flat.extend(list);
            starts.push(flat.len());
        }
        Self::from_parts(about, items, starts, flat, popular)
    }

    fn from_parts(
        about: About,
        items: Vec<Sku>,
        starts: Vec<usize>,
        neighbours: Vec<Neighbour>,
        popular: Vec<Neighbour>,
    ) -> Result<Self, Invalid> {
        let model = Self { about, items, starts, neighbours, popular };
        model.check()?;
        Ok(model)
    }

    /// Returns what the model was learnt from, when and how.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Returns the items, ascending; an item's number is its place.
    pub fn items(&self) -> &[Sku] {
        &self.items
    }

    /// Returns the number of an item, or `None` where no order held it.
    pub fn item(&self, sku: &Sku) -> Option<u32> {
        // At most `ITEMS_MAX` items, so that a place fits.
        self.items.binary_search(sku).ok().map(|place| place as u32)
    }

    /// Returns the SKU of an item's number.
    pub fn sku(&self, item: u32) -> &Sku {
        &self.items[item as usize]
    }

    /// Returns the neighbours of an item, best first.
    pub fn neighbours(&self, item: u32) -> &[Neighbour] {
        &self.neighbours[self.starts[item as usize]..self.starts[item as usize + 1]]
    }

    /// Returns every item with its time-decayed count of orders, most popular first.
    pub fn popular(&self) -> &[Neighbour] {
        &self.popular
    }

    fn check(&self) -> Result<(), Invalid> {
        at_most("items", self.items.len(), ITEMS_MAX)?;
        if let Some(place) = self.items.windows(2).position(|two| two[0] >= two[1]) {
            return Err(Invalid::Unsorted(place + 1));
        }
        even("popular items", self.popular.len(), self.items.len())?;
        let mut seen = vec![0; self.items.len()];
        self.check_list("popular items", 0, &self.popular, None)?;
        check_distinct("popular items", 0, &self.popular, &mut seen, 1)?;
        for item in 0..self.items.len() {
            // `at_most` above: the place of an item fits 32 bits.
            let list = self.neighbours(item as u32);
            at_most("neighbours", list.len(), NEIGHBOURS_MAX)?;
            self.check_list("neighbours", item, list, Some(item as u32))?;
            check_distinct("neighbours", item, list, &mut seen, item as u32 + 2)?;
        }
        Ok(())
    }

    fn check_list(
        &self,
        what: &'static str,
        item: usize,
        list: &[Neighbour],
        but: Option<u32>,
    ) -> Result<(), Invalid> {
        let bad = |n: &&Neighbour| n.item as usize >= self.items.len() || Some(n.item) == but;
        if let Some(n) = list.iter().find(bad) {
            return Err(Invalid::BadItem { what, item, other: n.item });
        }
        let sorted = list.is_sorted_by(|a, b| a.score >= b.score);
        if !sorted || list.iter().any(|n| !n.score.is_finite()) {
            return Err(Invalid::Order { what, item });
        }
        Ok(())
    }
}

/// Refuses an item that stands twice in a list; `mark` differs for every list, so that `seen` need not be cleared.
fn check_distinct(
    what: &'static str,
    item: usize,
    list: &[Neighbour],
    seen: &mut [u32],
    mark: u32,
) -> Result<(), Invalid> {
    for neighbour in list {
        let before = std::mem::replace(&mut seen[neighbour.item as usize], mark);
        if before == mark {
            return Err(Invalid::Repeated { what, item, other: neighbour.item });
        }
    }
    Ok(())
}

fn even(what: &'static str, count: usize, items: usize) -> Result<(), Invalid> {
    if count == items { Ok(()) } else { Err(Invalid::Uneven { what, count, items }) }
}

fn at_most(what: &'static str, count: usize, max: usize) -> Result<(), Invalid> {
    if count <= max { Ok(()) } else { Err(Invalid::TooMany { what, count, max }) }
}

#[cfg(test)]
mod tests;
