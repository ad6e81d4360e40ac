//! A shelf as it is shown to somebody: what algorithms suggest, arranged by the shop's rules.
//!
//! A shelf never fails nor delays its page. What the store is slow to tell is done without, and where an algorithm breaks or is late,
//! the catalogue's own order fills the shelf; both are counted.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use cart_core::{AssignedVariation, Cart, Order, Sku, VisitorId};
use recommender::{Index, Suggestion, Wanted};

use super::{
    Algorithm, Filling, Shelf, ShelfName, Shelves, Suggested, Why,
    interleave::interleave,
    rules,
    showing::{Showing, Spot},
};
use crate::{
    catalogue::Catalogue,
    clock,
    definitions::{Answered, Forced},
    metrics,
    shop::Shop,
    visitor::Visitor,
};

/// How many more suggestions rules choose from than a shelf takes: what is boosted from far below must be among them.
const SPARE: usize = 60;
/// The orders in which it is looked up what a visitor bought.
const ORDERS_MAX: usize = 20;

/// How long a shelf waits for the store.
const PATIENCE: Duration = Duration::from_millis(50);

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
    /// Nothing in particular.
    Nothing,
}

impl About {
    /// The products that the page shows anyway.
    fn skus(&self) -> BTreeSet<Sku> {
        match self {
            Self::Product(sku) => [sku.clone()].into(),
            Self::Cart(cart) => cart.lines.iter().map(|line| line.sku.clone()).collect(),
            // Who bought something is not offered it on the shelf that was made of it.
            Self::Shopper { orders, .. } => {
                orders.iter().flat_map(|o| &o.lines).map(|line| line.sku.clone()).collect()
            }
            Self::Trail(trail) => trail.last().cloned().into_iter().collect(),
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
    pub met: Option<AssignedVariation>,
    /// Whether an algorithm failed, and the catalogue's own order stands in for what it would have said.
    pub is_makeshift: bool,
}

impl Shown {
    /// Leaves only what belongs to what the shelf is about, and nothing where that is too little for a shelf.
    #[must_use]
    pub fn particular(mut self) -> Self {
        self.items.retain(|item| item.suggested.belongs());
        if self.items.len() < LEAST {
            self.items.clear();
        }
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

/// The fewest products that make a shelf of something in particular.
const LEAST: usize = 2;

/// Is one product on a shelf that is shown.
pub struct ShownItem {
    /// The product, and why it stands there.
    pub suggested: Suggested,
    /// Where it stands, where anybody is there to see it.
    pub spot: Option<Spot>,
}

/// Is a suggestion with who made it, and who else fills the shelf.
struct Candidate {
    suggested: Suggested,
    algorithm: Algorithm,
    against: Option<Algorithm>,
}

impl Shop {
    /// Returns who fills a shelf for somebody.
    pub fn filling(&self, name: ShelfName, who: Option<&Visitor>, forced: &Forced) -> Answered<Filling> {
        let answered = who.and_then(|who| self.definitions.get().filling(name, who.unit(), forced));
        answered.unwrap_or_else(|| Answered { value: self.config.shelves.of(name), counted: None })
    }

    /// Fills a shelf for somebody. It never holds what its page is about, is sold out or hidden, nor what the shop's rules
    /// exclude.
    pub async fn shelf(
        &self,
        name: ShelfName,
        about: About,
        who: Option<&Visitor>,
        filling: Answered<Filling>,
        wanted: usize,
    ) -> Shown {
        let (rules, now_ms) = (self.shelves.rulebook.get(), clock::now_ms());
        let Answered { value: filling, counted: met } = filling;
        let bought = match who.filter(|_| rules.ask_what_was_bought(name, now_ms)) {
            Some(who) => self.bought_by(&who.id).await,
            None => Some(BTreeSet::new()),
        };
        let catalogue = self.catalogue.get();
        let (sold_out, shown) = (self.shelves.sold_out(), about.skus());
        let spare = if rules.are_in_force(name, now_ms) { SPARE } else { 0 };
        let showing = who.map(|who| Showing::fresh(who.unit(), now_ms));
        let coins = showing.as_ref().map_or(0, |showing| showing.event_id("coins").as_u64_pair().0);
        let n = wanted + shown.len() + spare;
        let (candidates, is_makeshift) = self.candidates(&catalogue, filling, about.into(), n, coins).await;
        let may_be_offered =
            |sku: &Sku| catalogue.visible(sku).is_some() && !sold_out.contains(sku) && !shown.contains(sku);
        let context = rules::Context {
            shelf: name,
            now_ms,
            bought: bought.as_ref(),
            wanted,
            may_be_offered: &may_be_offered,
        };
        let lead = match filling {
            Filling::One(lead) | Filling::Shared(lead, _) => lead,
        };
        // What the shop pins is to nobody's credit.
        let pinned = |sku: &Sku| {
            let suggested = Suggested { product: catalogue.visible(sku)?.clone(), why: Why::Pinned };
            Some(Candidate { suggested, algorithm: lead, against: None })
        };
        let shelf = rules.arrange(candidates, &context, |candidate| &candidate.suggested.product, pinned);
        let items = shelf.into_iter().enumerate().map(|(n, Candidate { suggested, algorithm, against })| {
            let spot = |showing: Showing| Spot { shelf: name, place: n + 1, algorithm, against, showing };
            ShownItem { suggested, spot: showing.clone().map(spot) }
        });
        Shown { name, items: items.collect(), met, is_makeshift }
    }

    /// Logs that a visitor has met who fills a shelf, where there is one to be seen.
    pub async fn expose_shelf(&self, who: &Visitor, shown: &Shown) {
        if !shown.items.is_empty() {
            self.expose(who, shown.met.clone()).await;
        }
    }

    /// Looks up what a visitor bought; nothing is known where the store does not say in time.
    async fn bought_by(&self, who: &VisitorId) -> Option<BTreeSet<Sku>> {
        match tokio::time::timeout(PATIENCE, self.store.orders_of(who, ORDERS_MAX)).await {
            Ok(Ok(orders)) => {
                Some(orders.iter().flat_map(|o| &o.lines).map(|line| line.sku.clone()).collect())
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "what a visitor bought could not be looked up for a shelf");
                metrics::shelf_fallback("store");
                None
            }
            Err(_) => {
                metrics::shelf_fallback("slow");
                None
            }
        }
    }

    /// Returns what fills a shelf, the best first, and whether an algorithm failed.
    async fn candidates(
        &self,
        catalogue: &Arc<Catalogue>,
        filling: Filling,
        about: Arc<About>,
        n: usize,
        coins: u64,
    ) -> (Vec<Candidate>, bool) {
        let suggest = async |algorithm: Algorithm, against: Option<Algorithm>| {
            let (shelf, is_makeshift) = self.suggested(catalogue, algorithm, &about, n).await;
            let candidate = |suggested| Candidate { suggested, algorithm, against };
            (shelf.into_iter().map(candidate).collect::<Vec<_>>(), is_makeshift)
        };
        match filling {
            Filling::One(algorithm) => suggest(algorithm, None).await,
            Filling::Shared(first, second) => {
                let is_same =
                    |x: &Candidate, y: &Candidate| x.suggested.product.sku == y.suggested.product.sku;
                let asked = (suggest(first, Some(second)), suggest(second, Some(first)));
                let ((first, has_failed), (second, have_failed)) = tokio::join!(asked.0, asked.1);
                let shared = interleave(first, second, n, coins, is_same);
                let candidates = shared.into_iter().map(|(candidate, _)| candidate).collect();
                (candidates, has_failed || have_failed)
            }
        }
    }

    /// Returns what an algorithm suggests, or the catalogue's own order where it fails, and which of the two it is.
    async fn suggested(
        &self,
        catalogue: &Arc<Catalogue>,
        algorithm: Algorithm,
        about: &Arc<About>,
        n: usize,
    ) -> (Shelf, bool) {
        let patience = Duration::from_millis(self.config.shelves.deadline_ms);
        let (shelves, of, about) = (self.shelves.clone(), catalogue.clone(), about.clone());
        // Nothing is changed while a shelf is filled, so nothing is left half done.
        let suggested =
            self.shelves.deadline.within(patience, move || shelves.suggest(&of, algorithm, &about, n)).await;
        match suggested {
            Ok(shelf) => (shelf, false),
            Err(failure) => {
                metrics::shelf_fallback(failure.name());
                let all = catalogue.families().filter(|p| !self.shelves.is_sold_out(&p.sku)).take(n);
                (all.map(|p| Suggested { product: p.clone(), why: Why::Catalogue }).collect(), true)
            }
        }
    }
}

impl Shelves {
    fn suggest(&self, catalogue: &Catalogue, algorithm: Algorithm, about: &About, n: usize) -> Shelf {
        let fill = |basis: &[Sku], ask: &dyn Fn(&Index, Wanted<'_>) -> Vec<Suggestion>| {
            self.fill(catalogue, algorithm, n, basis, ask)
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
            About::Nothing => self.popular(catalogue, n),
        }
    }
}
