//! How a shelf is filled for somebody, and what became of it noted.
//!
//! A shelf never fails nor delays its page. What the store is slow to tell is done without, and where an algorithm breaks or is late,
//! the catalogue's own order fills the shelf; both are counted.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use cart_core::Sku;

use super::Shop;
use crate::{
    catalogue::Catalogue,
    clock,
    definitions::{Answered, Asker, Forced},
    metrics,
    shelves::{
        About, Filling, Recipe, Shelf, ShelfName, Shown, ShownItem, Suggested, Why,
        interleave::interleave,
        report::{Reader, Refused, Report, Told},
        rules,
        show::LOOKED_THROUGH_MAX,
        showing::{Showing, Spot},
    },
    store::TrackedEvent,
    visitor::Visitor,
};

/// How many more suggestions rules choose from than a shelf takes: what is boosted from far below must be among them.
const SPARE: usize = 60;

/// Is a suggestion with who made it, and who else fills the shelf.
struct Candidate {
    suggested: Suggested,
    algorithm: Recipe,
    against: Option<Recipe>,
}

impl Shop {
    /// Returns who fills a shelf for somebody.
    pub fn filling(&self, name: ShelfName, who: Option<&Visitor>, forced: &Forced) -> Answered<Filling> {
        let own = || self.config.shelves.of(name);
        match who {
            Some(who) => self.definitions.get().filling(name, &Asker::of(who), forced).or_else(own),
            None => Answered { value: own(), counted: vec![] },
        }
    }

    /// Fills a shelf for somebody. It never holds what its page is about, lies in the cart that they have open, is sold out or
    /// hidden, nor what the shop's rules exclude.
    pub async fn shelf(
        &self,
        name: ShelfName,
        about: About,
        who: Option<&Visitor>,
        filling: Answered<Filling>,
        wanted: usize,
        in_cart: &BTreeSet<Sku>,
    ) -> Shown {
        let (rules, now_ms) = (self.shelves.rulebook.get(), clock::now_ms());
        let Answered { value: filling, counted: met } = filling;
        let bought = match who.filter(|_| rules.ask_what_was_bought(name, now_ms)) {
            Some(who) => self.bought_by(&who.id).await,
            None => Some(BTreeSet::new()),
        };
        let catalogue = self.catalogue.get();
        let (sold_out, shown) = (self.shelves.sold_out(), &about.skus() | in_cart);
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

    /// Returns what fills a shelf, the best first, and whether an algorithm failed.
    async fn candidates(
        &self,
        catalogue: &Arc<Catalogue>,
        filling: Filling,
        about: Arc<About>,
        n: usize,
        coins: u64,
    ) -> (Vec<Candidate>, bool) {
        let suggest = async |algorithm: Recipe, against: Option<Recipe>| {
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
        algorithm: Recipe,
        about: &Arc<About>,
        n: usize,
    ) -> (Shelf, bool) {
        let patience = Duration::from_millis(self.config.shelves.deadline_ms);
        let (shelves, of, about) = (self.shelves.clone(), catalogue.clone(), about.clone());
        let length = shelves.length_of(&about);
        // Nothing is changed while a shelf is filled, so nothing is left half done.
        let suggest = move || shelves.suggest(&of, algorithm, &about, n);
        match self.shelves.deadline.within(patience, length, suggest).await {
            Ok(shelf) => (shelf, false),
            Err(failure) => {
                metrics::shelf_fallback(failure.name());
                let looked_through = catalogue.families().take(LOOKED_THROUGH_MAX);
                let all = looked_through.filter(|p| !self.shelves.is_sold_out(&p.sku)).take(n);
                (all.map(|p| Suggested { product: p.clone(), why: Why::Catalogue }).collect(), true)
            }
        }
    }

    /// Notes what a visitor tells of shelves; returns how many events that is, and what does not count. Whoever tells of a click
    /// waits until it is written: what it leads to may be the next that they send.
    pub async fn hear_of_shelves(&self, who: &Visitor, report: &Report) -> (usize, Vec<Refused>) {
        let (events, refused) = self.events_of(who, report);
        let noted = if report.clicked.is_empty() {
            self.shelf_journal.note(events)
        } else {
            self.shelf_journal.write_down(events).await
        };
        (noted, refused)
    }

    /// Notes what a visitor is shown, or clicked on to come to a page, which waits for nothing.
    pub fn note_shelves(&self, who: &Visitor, report: &Report) {
        self.shelf_journal.note(self.events_of(who, report).0);
    }

    fn events_of(&self, who: &Visitor, report: &Report) -> (Vec<TrackedEvent>, Vec<Refused>) {
        let catalogue = self.catalogue.get();
        Reader { catalogue: &catalogue, who, now_ms: clock::now_ms() }.read(report)
    }

    /// Notes that a visitor came to a product by a link of a shelf, where they did.
    pub fn note_click(&self, who: &Visitor, sku: &str, from: Option<&str>) {
        if let Some(from) = from {
            let clicked = vec![Told { sku: sku.to_owned(), from: from.to_owned() }];
            self.note_shelves(who, &Report { clicked, ..Report::default() });
        }
    }
}
