//! What a shelf is about, as it is shown to somebody, and which algorithm is asked what.

use std::{collections::BTreeSet, sync::Arc};

use cart_core::{AssignedVariation, Cart, Order, Sku};
use recommender::{Index, Suggestion, Wanted};

use super::{Filled, Recipe, Shelf, ShelfName, Shelves, Suggested, Why, deadline::Length, showing::Spot};
use crate::catalogue::Catalogue;

/// Says what a shelf is about.
pub enum About {
    /// A product, on its page.
    Product(Sku),
    /// A cart.
    Cart(Arc<Cart>),
    /// Somebody: what they bought, the newest order first, and looked at in this session, the latest last.
    Shopper {
        /// Their orders.
        orders: Vec<Order>,
        /// What they looked at.
        trail: Vec<Sku>,
    },
    /// What was looked at, the latest last, which is on screen.
    Trail(Vec<Sku>),
    /// A category, and nothing else.
    Category(String),
    /// Nothing in particular.
    Nothing,
}

impl About {
    /// The products that the page shows anyway.
    pub(crate) fn skus(&self) -> BTreeSet<Sku> {
        match self {
            Self::Product(sku) => [sku.clone()].into(),
            Self::Cart(cart) => cart.lines.iter().map(|line| line.sku.clone()).collect(),
            // Who bought something is not offered it on the shelf that was made of it.
            Self::Shopper { orders, .. } => {
                orders.iter().flat_map(|o| &o.lines).map(|line| line.sku.clone()).collect()
            }
            Self::Trail(trail) => trail.last().cloned().into_iter().collect(),
            Self::Category(_) | Self::Nothing => BTreeSet::new(),
        }
    }

    /// The categories that it is about.
    fn categories<'a>(&'a self, catalogue: &'a Catalogue) -> BTreeSet<&'a str> {
        let of = |sku: &Sku| Some(catalogue.product(sku)?.category.as_str()).filter(|of| !of.is_empty());
        match self {
            Self::Product(sku) => of(sku).into_iter().collect(),
            Self::Cart(cart) => cart.bought().filter_map(|line| of(&line.sku)).collect(),
            Self::Shopper { orders, trail } => {
                let lines = orders.iter().flat_map(|order| &order.lines).map(|line| &line.sku);
                lines.chain(trail).filter_map(of).collect()
            }
            Self::Trail(trail) => trail.last().and_then(of).into_iter().collect(),
            Self::Category(category) => [category.as_str()].into(),
            Self::Nothing => BTreeSet::new(),
        }
    }
}

/// Is a shelf as it is shown once.
pub struct Shown {
    /// The shelf.
    pub name: ShelfName,
    /// What stands on it, in order.
    pub items: Vec<ShownItem>,
    /// The experiment and variation that chose who fills it, to be exposed where it is seen.
    pub met: Vec<AssignedVariation>,
    /// Whether an algorithm failed, and the catalogue's own order stands in for what it would have said.
    pub is_makeshift: bool,
}

impl Shown {
    /// Leaves only what belongs to what the shelf is about, and nothing where that is too little for a shelf.
    #[must_use]
    pub fn particular(mut self) -> Self {
        let belongs = |item: &&ShownItem| item.suggested.belongs();
        if self.items.iter().filter(belongs).count() < LEAST {
            self.items.clear();
        }
        self.items.retain(|item| item.suggested.belongs() || item.suggested.why == Why::New);
        self
    }

    /// Leaves out what another shelf of the page holds, and what is more than `most`.
    #[must_use]
    pub fn without(mut self, other: &Self, most: usize) -> Self {
        let sku = |item: &ShownItem| item.suggested.product.sku.clone();
        let shown: BTreeSet<Sku> = other.items.iter().map(sku).collect();
        self.items.retain(|item| !shown.contains(&item.suggested.product.sku));
        self.items.truncate(most);
        self
    }
}

/// The products of the catalogue that are looked through where a page waits: a millisecond or two.
pub(crate) const LOOKED_THROUGH_MAX: usize = 5_000;

/// The fewest products that make a shelf of something in particular.
const LEAST: usize = 2;

/// Is one product on a shelf that is shown.
pub struct ShownItem {
    /// The product, and why it stands there.
    pub suggested: Suggested,
    /// Where it stands, where anybody is there to see it.
    pub spot: Option<Spot>,
}

impl Shelves {
    /// Says how long an algorithm may take: one product, or a trail, has so many neighbours in a model, while a cart or history has
    /// hundreds of products, and where there is no model the whole catalogue is gone through.
    pub(crate) fn length_of(&self, about: &About) -> Length {
        match about {
            About::Product(_) | About::Trail(_) if self.index.load().is_some() => Length::Brief,
            _ => Length::Open,
        }
    }

    /// Returns what an algorithm suggests.
    pub(crate) fn suggest(&self, catalogue: &Catalogue, recipe: Recipe, about: &About, n: usize) -> Shelf {
        let fill = |basis: &[Sku], ask: &dyn Fn(&Index, Wanted<'_>) -> Vec<Suggestion>| {
            let (categories, is_only) = (about.categories(catalogue), matches!(about, About::Category(_)));
            let looks = match self.length_of(about) {
                Length::Brief => LOOKED_THROUGH_MAX,
                Length::Open => usize::MAX,
            };
            let is_of_popular = matches!(about, About::Category(_) | About::Nothing);
            let wanted = Filled { recipe, n, basis, categories, is_only, is_of_popular, looks };
            self.fill(catalogue, &wanted, ask)
        };
        match about {
            About::Product(sku) => {
                fill(std::slice::from_ref(sku), &|index, wanted| index.bought_together(sku, wanted))
            }
            About::Cart(cart) => {
                let skus: Vec<Sku> = cart.bought().map(|l| l.sku.clone()).collect();
                fill(&skus, &|index, wanted| index.goes_with(&skus, wanted))
            }
            About::Shopper { orders, trail } => {
                let lines = orders.iter().flat_map(|o| &o.lines).filter(|l| l.gift_of.is_none());
                let bought: Vec<Sku> = lines.map(|l| l.sku.clone()).collect();
                fill(&bought, &|index, wanted| index.recommended(&bought, trail, wanted))
            }
            About::Trail(trail) => {
                let on_screen = trail.last().map(std::slice::from_ref).unwrap_or_default();
                fill(on_screen, &|index, wanted| index.next(trail, wanted))
            }
            About::Category(_) | About::Nothing => fill(&[], &|index, wanted| index.popular(wanted)),
        }
    }
}
