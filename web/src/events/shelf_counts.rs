//! What came of shelves: events fold into counts of days, by shelf and algorithm.
//!
//! A product is seen once in each showing. A click is one of a product in a showing. An addition to the cart counts for the last
//! click of its unit on that product, within [`ADD_MS`] before it, and an order within [`ORDER_MS`]; each click leads to one of each
//! at most. What is paid is the price of the line. Of a showing that two algorithms share, the one wins that is clicked on more.
//!
//! The fold depends on nothing but the events in their order, so a rebuild from position 0 gives the same counts.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use cart_core::VisitorId;
use serde::Deserialize;

use super::reader::{ReadError, Reader};
use crate::{
    search::sellers::DAY_MS,
    shelves::report::{CLICKED, SHOWN},
    store::{KNOWN, OutboxEvent, ShelfClick, ShelfCount, ShelfDuel, ShelfStep, Store, readers},
};

/// How long a click may lead to an addition to the cart, in milliseconds: half an hour, what analytics call a session.
pub const ADD_MS: i64 = 30 * 60_000;
/// How long a click may lead to an order, in milliseconds: a week, in which people make up their minds.
pub const ORDER_MS: i64 = 7 * DAY_MS;
/// How long clicks are kept: events of other nodes may come a little late.
const KEPT_MS: i64 = ORDER_MS + DAY_MS;

/// What is counted of a showing, without more.
pub const SHOWINGS: &str = "showings";
/// What is counted of products.
pub const SEEN: &str = "seen";
/// Clicks on products.
pub const CLICKS: &str = "clicks";
/// Clicks that led to an addition to the cart.
pub const ADDS: &str = "adds";
/// Clicks that led to an order.
pub const ORDERS: &str = "orders";
/// What was paid for what was ordered so, of a currency.
pub const REVENUE: &str = "revenue";
/// Showings that the algorithm shares with another.
pub const DUELS: &str = "duels";
/// Those of them in which it was clicked on more.
pub const WINS: &str = "wins";
/// Those of them in which the other was.
pub const LOSSES: &str = "losses";
/// Those of them in which both were clicked on as often, and at all.
pub const TIES: &str = "ties";

#[derive(Deserialize)]
struct ShownData {
    shelf: String,
    algorithm: String,
    against: Option<String>,
    items: Vec<ShownItem>,
}

#[derive(Deserialize)]
struct ShownItem {
    sku: String,
    algorithm: String,
}

/// Is what a click says.
#[derive(Deserialize)]
pub(super) struct ClickedData {
    pub(super) shelf: String,
    showing: String,
    pub(super) algorithm: String,
    against: Option<String>,
    pub(super) sku: String,
}

/// Is what an addition says.
#[derive(Deserialize)]
pub(super) struct AddedData {
    pub(super) sku: String,
}

/// Is what an order says.
#[derive(Deserialize)]
pub(super) struct OrderData {
    pub(super) source: String,
    pub(super) currency: String,
    pub(super) lines: Vec<OrderLine>,
}

/// Is a line of an order.
#[derive(Deserialize)]
pub(super) struct OrderLine {
    pub(super) sku: String,
    quantity: i64,
    unit_price_minor: i64,
}

impl OrderLine {
    /// Returns what the line costs.
    pub(super) fn paid_minor(&self) -> i64 {
        self.quantity.saturating_mul(self.unit_price_minor)
    }
}

#[derive(Deserialize)]
struct KnownData {
    unit: VisitorId,
}

/// Folds events into a step.
#[derive(Default)]
pub struct Fold {
    clicks: BTreeMap<(VisitorId, String), ShelfClick>,
    duels: BTreeMap<String, ShelfDuel>,
    changed: BTreeSet<(VisitorId, String)>,
    fought: BTreeSet<String>,
    latest_ms: i64,
    step: ShelfStep,
}

impl Fold {
    /// Begins with what the store knows of the units and showings that events speak of.
    pub fn new(clicks: Vec<ShelfClick>, duels: Vec<ShelfDuel>) -> Self {
        let clicks = clicks.into_iter().map(|click| ((click.unit.clone(), click.sku.clone()), click));
        let duels = duels.into_iter().map(|duel| (duel.showing.clone(), duel));
        Self { clicks: clicks.collect(), duels: duels.collect(), ..Self::default() }
    }

    /// Folds one event. Data that cannot be read is somebody else's event type: it changes nothing.
    pub fn add(&mut self, event: &OutboxEvent) {
        let data = event.data.get();
        self.latest_ms = self.latest_ms.max(event.at_ms);
        match event.kind.as_str() {
            SHOWN => _ = serde_json::from_str(data).map(|data| self.show(event, data)),
            CLICKED => _ = serde_json::from_str(data).map(|data| self.click(event, data)),
            "line_added" => {
                if let Ok(AddedData { sku }) = serde_json::from_str(data) {
                    self.lead(event, &sku, ADDS);
                }
            }
            "order_placed" => _ = serde_json::from_str(data).map(|data| self.order(event, &data)),
            KNOWN => _ = serde_json::from_str(data).map(|KnownData { unit }| self.know(&event.unit, &unit)),
            _ => {}
        }
    }

    fn count(&mut self, at_ms: i64, shelf: &str, algorithm: &str, what: &str, of: &str, more: i64) {
        let [shelf, algorithm, what, of] = [shelf, algorithm, what, of].map(str::to_owned);
        let key = (at_ms.div_euclid(DAY_MS), ShelfCount { shelf, algorithm, what, of });
        *self.step.counts.entry(key).or_default() += more;
    }

    fn show(&mut self, event: &OutboxEvent, ShownData { shelf, algorithm, against, items }: ShownData) {
        for name in [Some(&algorithm), against.as_ref()].into_iter().flatten() {
            self.count(event.at_ms, &shelf, name, SHOWINGS, "", 1);
        }
        if let Some(against) = &against {
            self.count(event.at_ms, &shelf, &algorithm, DUELS, against, 1);
        }
        for ShownItem { sku, algorithm } in &items {
            self.count(event.at_ms, &shelf, algorithm, SEEN, sku, 1);
        }
    }

    fn click(&mut self, event: &OutboxEvent, data: ClickedData) {
        let ClickedData { shelf, showing, algorithm, against, sku } = data;
        self.count(event.at_ms, &shelf, &algorithm, CLICKS, &sku, 1);
        if let Some(against) = &against {
            self.fight(event.at_ms, &shelf, &showing, &algorithm, against);
        }
        let key = (event.unit.clone(), sku.clone());
        let is_last = self.clicks.get(&key).is_none_or(|before| before.at_ms <= event.at_ms);
        if is_last {
            let (unit, at_ms) = (event.unit.clone(), event.at_ms);
            let click = ShelfClick { unit, sku, shelf, algorithm, at_ms, is_added: false, is_ordered: false };
            self.clicks.insert(key.clone(), click);
            self.changed.insert(key);
        }
    }

    /// Counts a click on a showing that two algorithms share; the one whose name sorts first is the one that wins or loses.
    fn fight(&mut self, at_ms: i64, shelf: &str, showing: &str, clicked: &str, other: &str) {
        let fresh = || ShelfDuel { showing: showing.to_owned(), clicks: 0, clicks_against: 0, at_ms };
        let duel = self.duels.entry(showing.to_owned()).or_insert_with(fresh);
        let before = outcome(duel);
        match clicked < other {
            true => duel.clicks += 1,
            false => duel.clicks_against += 1,
        }
        duel.at_ms = duel.at_ms.max(at_ms);
        let after = outcome(duel);
        // A showing is told within a day, so its outcome may move from one day to the next; it counts on the last of them.
        let (first, second) = if clicked < other { (clicked, other) } else { (other, clicked) };
        if let Some(before) = before {
            self.count(at_ms, shelf, first, before, second, -1);
        }
        if let Some(after) = after {
            self.count(at_ms, shelf, first, after, second, 1);
        }
        self.fought.insert(showing.to_owned());
    }

    /// Counts what the last click on a product led to; reports by which shelf and algorithm.
    fn lead(&mut self, event: &OutboxEvent, sku: &str, what: &'static str) -> Option<(String, String)> {
        let key = (event.unit.clone(), sku.to_owned());
        let click = self.clicks.get_mut(&key)?;
        let (most_ms, is_done) = match what {
            ADDS => (ADD_MS, &mut click.is_added),
            _ => (ORDER_MS, &mut click.is_ordered),
        };
        if !leads(click.at_ms, event.at_ms, most_ms, is_done) {
            return None;
        }
        let (shelf, algorithm) = (click.shelf.clone(), click.algorithm.clone());
        self.changed.insert(key);
        self.count(event.at_ms, &shelf, &algorithm, what, sku, 1);
        Some((shelf, algorithm))
    }

    fn order(&mut self, event: &OutboxEvent, order: &OrderData) {
        for line in order.lines.iter().filter(|_| order.source == "shop") {
            if let Some((shelf, algorithm)) = self.lead(event, &line.sku, ORDERS) {
                self.count(event.at_ms, &shelf, &algorithm, REVENUE, &order.currency, line.paid_minor());
            }
        }
    }

    /// Gives a unit the clicks of the visitor that it was before; the later click on a product stays.
    fn know(&mut self, visitor: &VisitorId, unit: &VisitorId) {
        if visitor == unit {
            return;
        }
        let keys: Vec<_> = self.clicks.keys().filter(|(of, _)| of == visitor).cloned().collect();
        for key in keys {
            let Some(click) = self.clicks.remove(&key) else { continue };
            self.changed.remove(&key);
            let key = (unit.clone(), key.1);
            if self.clicks.get(&key).is_none_or(|own| own.at_ms < click.at_ms) {
                self.clicks.insert(key.clone(), ShelfClick { unit: unit.clone(), ..click });
                self.changed.insert(key);
            }
            self.step.gone.insert(visitor.clone());
        }
    }

    /// Returns the step that leads from one position to another.
    pub fn into_step(mut self, from: u64, to: u64) -> ShelfStep {
        let clicks = self.changed.iter().filter_map(|key| self.clicks.get(key)).cloned().collect();
        let duels = self.fought.iter().filter_map(|showing| self.duels.get(showing)).cloned().collect();
        self.step.counts.retain(|_, more| *more != 0);
        ShelfStep { from, to, clicks, duels, forget_before_ms: self.latest_ms - KEPT_MS, ..self.step }
    }
}

/// Reports whether a click led to what happened within some time after it, for the first time, and notes that it has.
pub(super) fn leads(clicked_at_ms: i64, at_ms: i64, within_ms: i64, is_done: &mut bool) -> bool {
    (0..=within_ms).contains(&(at_ms - clicked_at_ms)) && !std::mem::replace(is_done, true)
}

fn outcome(duel: &ShelfDuel) -> Option<&'static str> {
    match duel.clicks.cmp(&duel.clicks_against) {
        _ if duel.clicks + duel.clicks_against == 0 => None,
        std::cmp::Ordering::Greater => Some(WINS),
        std::cmp::Ordering::Less => Some(LOSSES),
        std::cmp::Ordering::Equal => Some(TIES),
    }
}

/// Keeps the counts of a store up to date.
pub struct ShelfReader;

#[async_trait]
impl Reader for ShelfReader {
    fn name(&self) -> &'static str {
        readers::SHELVES
    }

    async fn take(&mut self, store: &dyn Store, from: u64, events: &[OutboxEvent]) -> Result<(), ReadError> {
        let Some(last) = events.last() else { return Ok(()) };
        let is_of_interest =
            |kind: &str| [SHOWN, CLICKED, "line_added", "order_placed", KNOWN].contains(&kind);
        let events: Vec<_> = events.iter().filter(|event| is_of_interest(&event.kind)).collect();
        let mut units: BTreeSet<VisitorId> = events.iter().map(|event| event.unit.clone()).collect();
        let known = events.iter().filter(|event| event.kind == KNOWN);
        units.extend(known.filter_map(|e| Some(serde_json::from_str::<KnownData>(e.data.get()).ok()?.unit)));
        let clicked = events.iter().filter(|event| event.kind == CLICKED);
        let clicked = clicked.filter_map(|e| serde_json::from_str::<ClickedData>(e.data.get()).ok());
        let shared = clicked.filter(|data| data.against.is_some()).map(|data| data.showing).collect();
        let clicks = if units.is_empty() { vec![] } else { store.shelf_clicks(&units).await? };
        let mut fold = Fold::new(clicks, store.shelf_duels(&shared).await?);
        events.into_iter().for_each(|event| fold.add(event));
        Ok(store.save_shelf_step(&fold.into_step(from, last.position)).await?)
    }
}

#[cfg(test)]
mod tests;
