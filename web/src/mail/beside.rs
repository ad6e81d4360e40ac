//! What goes with what a letter is about: a few products of the shelf `mail`, with reasons, and prices as of sending.
//!
//! It follows from the order, or from the product that was waited for, alone; no trail is asked. Who wants no history kept finds
//! links that say nothing of their letter. No letter waits for it long, or fails because of it.

use std::{collections::BTreeSet, time::Duration};

use cart_core::{Currency, Money, PriceQuestion, VisitorId};
use serde::Serialize;

use super::letter::Letters;
use crate::{
    clock,
    definitions::Forced,
    metrics,
    shelves::{
        About, ShelfName, Shown, ShownItem,
        report::{Report, Told},
        showing::{Showing, Spot},
    },
    shop::Shop,
    store::{self, OutboxEvent},
    storefront::pages::{Price, product_path},
    visitor::Visitor,
};

/// Most products of a letter: it is about something else.
const BESIDE_MAX: usize = 3;
/// How long a letter waits for them.
const PATIENCE: Duration = Duration::from_millis(500);

/// Is what stands beside what a letter is about.
#[derive(Debug, Default)]
pub struct Beside {
    /// The products; none where nothing is known to go with it.
    pub rows: Vec<Row>,
    /// What to tell once the letter is sent.
    seen: Report,
}

/// Is a product in a letter.
#[derive(Debug, Serialize)]
pub struct Row {
    name: String,
    price: String,
    because: String,
    url: String,
}

impl Beside {
    /// Finds what goes with what an event's letter is about, for whose order it is, if it is one.
    pub async fn of(
        shop: &Shop,
        letters: &Letters,
        event: &OutboxEvent,
        about: About,
        owner: Option<&VisitorId>,
        currency: Currency,
    ) -> Self {
        let shown = match tokio::time::timeout(PATIENCE, shown(shop, event, about, owner)).await {
            Ok(Ok(shown)) => shown,
            Ok(Err(error)) => {
                tracing::warn!(%error, "a letter goes without what goes with it");
                metrics::shelf_fallback("store");
                return Self::default();
            }
            Err(_) => {
                metrics::shelf_fallback("slow");
                return Self::default();
            }
        };
        // The same for a letter that is written again, and nobody's: of who gets it, what is told of it says nothing.
        let showing = Showing::new(&unit_of(event), event.at_ms, event.id.as_fields().0);
        let (catalogue, now_ms) = (shop.catalogue.get(), clock::now_ms());
        let question = PriceQuestion { currency, group: None, quantity: 1, now_ms };
        let mut beside = Self::default();
        for ShownItem { suggested, spot } in shown.items {
            let product = &suggested.product;
            let price = product.price_for(&question).map(|price| Money::new(price.minor, currency));
            let mut path = product_path(product.sku.as_str());
            if let Some(spot) = spot {
                let from = Spot { showing: showing.clone(), ..spot }.to_string();
                path = format!("{path}?from={from}");
                beside.seen.shown.push(Told { sku: product.sku.to_string(), from });
            }
            beside.rows.push(Row {
                name: product.name.clone(),
                price: Price::from(price.unwrap_or(product.price)).text,
                because: suggested.why.words(&catalogue, None),
                url: letters.url(&path),
            });
        }
        beside
    }

    /// Notes that a letter was sent: nobody can tell whether it is read.
    pub fn sent(&self, shop: &Shop, event: &OutboxEvent) {
        shop.note_shelves(&Visitor::absent(unit_of(event), unit_of(event)), &self.seen);
    }
}

async fn shown(
    shop: &Shop,
    event: &OutboxEvent,
    about: About,
    owner: Option<&VisitorId>,
) -> store::Result<Shown> {
    let histories = shop.store.histories(&[event.unit.clone()].into()).await?;
    let is_declined = histories.get(&event.unit).is_some_and(|history| history.declined.is_some());
    let reader = Visitor::absent(owner.unwrap_or(&event.unit).clone(), event.unit.clone());
    let who = Some(&reader).filter(|_| !is_declined);
    let filling = shop.filling(ShelfName::Mail, who, &Forced::new());
    let shown = shop.shelf(ShelfName::Mail, about, who, filling, BESIDE_MAX, &BTreeSet::new()).await;
    // Who waits for a product is nobody that experiments know.
    if let Some(who) = who.filter(|_| owner.is_some()) {
        shop.expose_shelf(who, &shown).await;
    }
    Ok(shown.particular())
}

/// Names a letter as if it were somebody.
fn unit_of(event: &OutboxEvent) -> VisitorId {
    VisitorId::parse(&event.id.simple().to_string()).expect("hexadecimal digits are an id")
}
