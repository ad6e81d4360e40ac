//! Recommendations on the serving path: the model file is watched and swapped in whole, and rules say what may be shown.

pub mod algorithm;
pub mod answers;
pub mod batch;
pub mod deadline;
pub mod explore;
pub mod in_service;
pub mod interleave;
pub mod journal;
pub mod levels;
pub mod name;
pub mod recipe;
pub mod report;
pub mod rulebook;
pub mod rules;
pub mod show;
pub mod showing;
pub mod training;
mod why;

use std::{collections::BTreeSet, sync::Arc};

use arc_swap::{ArcSwap, ArcSwapOption};
use cart_core::{Locations, Product, Sku};
use recommender::{Index, Reason, Suggestion, Wanted};

pub use self::{
    algorithm::{Algorithm, Filling},
    name::ShelfName,
    recipe::Recipe,
    show::{About, Shown, ShownItem},
    why::Why,
};
use self::{
    answers::Answers, deadline::Deadline, in_service::InService, levels::Levels, rulebook::Rulebook,
    show::LOOKED_THROUGH_MAX,
};
use crate::{
    catalogue::Catalogue,
    clock,
    search::sellers::DAY_MS,
    store::{self, Store},
};

/// Is one product on a shelf.
#[derive(Clone, Debug)]
pub struct Suggested {
    /// The product.
    pub product: Arc<Product>,
    /// Why it stands there.
    pub why: Why,
}

impl Suggested {
    /// Reports whether it belongs to what its shelf is about, rather than filling the shelf up.
    pub fn belongs(&self) -> bool {
        match &self.why {
            Why::Learnt(Reason::Popular { .. } | Reason::PopularAlike { .. }) | Why::Catalogue | Why::New => {
                false
            }
            Why::Learnt(_) | Why::Pinned => true,
        }
    }
}

/// Is a row of products.
pub type Shelf = Vec<Suggested>;

/// Says what a shelf is filled with.
struct Filled<'a> {
    recipe: Recipe,
    /// How many products.
    n: usize,
    /// What is not to stand there.
    basis: &'a [Sku],
    /// What it is about; none where nobody said so.
    categories: BTreeSet<&'a str>,
    /// Whether nothing else may stand there.
    is_only: bool,
    /// Whether what many buy is what it is about, and not what fills it up.
    is_of_popular: bool,
    /// How many products of the catalogue are looked through.
    looks: usize,
}

/// Fills shelves. Never with a product that is in the cart, sold out or hidden.
pub struct Shelves {
    /// The shop's rules.
    pub rulebook: Rulebook,
    /// The stock of what shelves show.
    pub levels: Levels,
    answers: Answers,
    pub(crate) deadline: Deadline,
    index: ArcSwapOption<Index>,
    in_service: InService,
    sold_out: ArcSwap<BTreeSet<Sku>>,
}

impl Shelves {
    /// Returns shelves that know nothing yet, beside a store with so many connections.
    pub fn beside(connections: usize) -> Self {
        Self {
            rulebook: Rulebook::default(),
            levels: Levels::default(),
            answers: Answers::default(),
            deadline: Deadline::beside(connections),
            index: ArcSwapOption::default(),
            in_service: InService::default(),
            sold_out: ArcSwap::default(),
        }
    }

    /// Fills a shelf from what the model says, and where it knows too little from the catalogue's own order: products of the wanted
    /// categories first.
    fn fill(
        &self,
        catalogue: &Catalogue,
        wanted: &Filled<'_>,
        ask: impl FnOnce(&Index, Wanted<'_>) -> Vec<Suggestion>,
    ) -> Shelf {
        let Filled { recipe, n, basis, categories, is_only, is_of_popular, looks } = wanted;
        let sold_out = self.sold_out.load();
        let is_alike = |product: &Product| categories.contains(product.category.as_str());
        let may_be = |p: &Arc<Product>| !sold_out.contains(&p.sku) && (!is_only || is_alike(p));
        let allow = |sku: &Sku| catalogue.visible(sku).is_some_and(may_be);
        let alike = |sku: &Sku| catalogue.visible(sku).is_some_and(|p| is_alike(p));
        let alike: Option<&dyn Fn(&Sku) -> bool> = if categories.is_empty() { None } else { Some(&alike) };
        let (algorithm, tuning) = (recipe.algorithm.asked(), recipe.tuning());
        let wanted = Wanted { algorithm, tuning, most: *n, allow: &allow, alike };
        let mut shelf: Shelf = match self.index.load().as_deref() {
            Some(index) => ask(index, wanted)
                .into_iter()
                .filter_map(|s| {
                    let product = catalogue.visible(&s.sku)?.clone();
                    Some(Suggested { product, why: Why::Learnt(s.reason) })
                })
                .collect(),
            None => vec![],
        };
        // Before the first model, and where it knows too little, the catalogue's own order fills the shelf.
        if shelf.len() < *n {
            let shown: BTreeSet<Sku> = shelf.iter().map(|s| s.product.sku.clone()).collect();
            let may_fill =
                |p: &&Arc<Product>| may_be(p) && !shown.contains(&p.sku) && !basis.contains(&p.sku);
            let of_categories =
                |of: bool| catalogue.families().take(*looks).filter(move |p| is_alike(p) == of);
            let rest = of_categories(true).chain(of_categories(false)).filter(may_fill);
            let missing = n - shelf.len();
            shelf.extend(rest.take(missing).map(|p| Suggested { product: p.clone(), why: Why::Catalogue }));
        }
        if let Some(most) = recipe.spread() {
            shelf = explore::spread(shelf, most);
        }
        // Without a model everything is new, and nothing in particular.
        if let (Some(percent), Some(index)) = (recipe.explore_percent(), self.index.load().as_deref()) {
            let looked_through = catalogue.families().take(LOOKED_THROUGH_MAX);
            let may_be = looked_through.filter(|p| may_be(p) && !basis.contains(&p.sku));
            let day = clock::now_ms().div_euclid(DAY_MS);
            let new = explore::new_ones(may_be, index, is_alike, day, *n);
            // Of a shelf of what is popular, that is its own.
            let is_own = |one: &Suggested| *is_of_popular || one.belongs();
            shelf = explore::explore(shelf, new, percent, is_own);
            shelf.truncate(*n);
        }
        shelf
    }

    /// Returns the products of which no piece was available when the stock was last read.
    pub fn sold_out(&self) -> Arc<BTreeSet<Sku>> {
        self.sold_out.load_full()
    }

    /// Reports whether no piece of a product was available when the stock was last read.
    pub fn is_sold_out(&self, sku: &Sku) -> bool {
        self.sold_out.load().contains(sku)
    }

    /// Reads which products are sold out, of all there are.
    ///
    /// # Errors
    /// What the store says; the earlier set stays.
    pub async fn refresh_sold_out(
        &self,
        store: &dyn Store,
        catalogue: &Catalogue,
        locations: &Locations,
    ) -> store::Result<()> {
        let mut sold_out = store.sold_out(locations.ids()).await?;
        // A bundle ends with the scarcest of its parts.
        let bundles = catalogue.bundles();
        if !bundles.is_empty() {
            let skus = bundles.iter().flat_map(|bundle| bundle.shelves()).cloned().collect();
            let (stock, now_ms) = (store.stock(&skus).await?.within(locations.ids()), clock::now_ms());
            let is_gone = |b: &&Arc<Product>| stock.on_offer(b, now_ms).is_some_and(|offer| offer.all <= 0);
            sold_out.extend(bundles.iter().filter(is_gone).map(|bundle| bundle.sku.clone()));
        }
        // What has not changed stays what it is, so that what was made of it stays good.
        if sold_out != **self.sold_out.load() {
            self.sold_out.store(Arc::new(sold_out));
        }
        Ok(())
    }

    /// Reads the stock of what was asked for lately.
    ///
    /// # Errors
    /// What the store says; the earlier levels stay.
    pub async fn refresh_levels(&self, store: &dyn Store, locations: &Locations) -> store::Result<()> {
        self.levels.refresh(async |skus| Ok(store.stock(&skus).await?.within(locations.ids()))).await
    }
}
