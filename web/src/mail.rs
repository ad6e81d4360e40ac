//! The mail: letters that follow from events, through a sink.
//!
//! To add a letter, add its two templates to `templates/mail` and an arm to [`template`].

mod dispatch;
mod letter;
mod outlet;
mod receipt;
mod restock;

use std::sync::Arc;

use async_trait::async_trait;
use cart_core::{Address, Order, OrderId};
use serde::Deserialize;

pub use self::{
    dispatch::Dispatch,
    letter::{Letter, LetterError, sender},
    outlet::{MailSink, Outlet},
};
use self::{
    letter::{Letters, Reader},
    receipt::Receipt,
    restock::Restock,
};
use crate::{
    catalogue::CatalogueCell,
    clock,
    config::{Config, MailConfig},
    deliveries::{Carrier, Fate, courier::Manner, schedule::Schedule},
    keyring::Keyring,
    metrics,
    store::{DeliveryCounts, OutboxEvent, Store, StoreError},
    terms::TermsCell,
};

/// Names the sink and its cursor.
pub const SINK: &str = metrics::SINKS[0];
/// An event older than this when it is read leads to no letter: it would no longer be news. In milliseconds: 3 days.
const NEWS_MS: i64 = 3 * 86_400_000;

/// Names the templates of the letter that follows from a type of event.
fn template(kind: &str) -> Option<&'static str> {
    match kind {
        "order_placed" => Some("order_confirmation"),
        "order_cancelled" => Some("order_cancelled"),
        "order_refunded" => Some("order_refunded"),
        "parcel_sent" => Some("parcel_sent"),
        "stock_request_made" => Some("stock_request"),
        "back_in_stock" => Some("back_in_stock"),
        _ => None,
    }
}

/// Returns how letters are delivered.
pub fn manner(config: &MailConfig) -> Manner {
    Manner { schedule: Schedule::of_seconds(&config.retry_seconds), at_once: 2, batch: 8 }
}

/// Writes letters and hands them to the outlet.
pub struct Postman {
    store: Arc<dyn Store>,
    catalogue: Arc<CatalogueCell>,
    terms: Arc<TermsCell>,
    keys: Arc<Keyring>,
    letters: Letters,
    outlet: Outlet,
}

impl Postman {
    /// Returns the postman of a shop; none where its mail goes nowhere.
    ///
    /// # Errors
    /// Where a template is broken or the sink cannot be used.
    pub fn new(
        config: &Config,
        store: Arc<dyn Store>,
        catalogue: Arc<CatalogueCell>,
        terms: Arc<TermsCell>,
        keys: Arc<Keyring>,
    ) -> anyhow::Result<Option<Self>> {
        let Some(outlet) = Outlet::open(&config.mail)? else { return Ok(None) };
        let letters = Letters::new(&config.shop.name, &config.shop.public_url, &config.mail.from)?;
        Ok(Some(Self { store, catalogue, terms, keys, letters, outlet }))
    }

    /// Writes the letter that follows from an event, where one does.
    async fn letter(&self, event: &OutboxEvent) -> Result<Option<Letter>, LetterError> {
        let Some(template) = template(&event.kind) else { return Ok(None) };
        if clock::now_ms() - event.at_ms > NEWS_MS {
            return Ok(None);
        }
        if let "stock_request" | "back_in_stock" = template {
            return self.letter_of_request(template, event).await;
        }
        let Some((order, address, told)) = self.order_of(event).await? else { return Ok(None) };
        let terms = self.terms.get();
        let locations = &terms.locations;
        if let Some(number) = told.number {
            let dispatch = Dispatch::of(&order, locations, &address, number);
            return dispatch.map(|words| self.letters.write(template, event, &address, &words)).transpose();
        }
        let receipt = Receipt::of(&order, locations, &address, told.amount_minor);
        self.letters.write(template, event, &address, &receipt).map(Some)
    }

    /// Writes the letter about a request to be told that a product is back, while the request stands.
    async fn letter_of_request(
        &self,
        template: &str,
        event: &OutboxEvent,
    ) -> Result<Option<Letter>, LetterError> {
        #[derive(Deserialize)]
        struct Data {
            request: String,
        }
        let Ok(data) = serde_json::from_str::<Data>(event.data.get()) else { return Ok(None) };
        let Some(request) = self.store.stock_request(&data.request).await? else { return Ok(None) };
        let (catalogue, now_ms) = (self.catalogue.get(), clock::now_ms());
        let words = Restock::of(&request, &catalogue, &self.keys, &self.letters, now_ms);
        let Some(words) = words else { return Ok(None) };
        let to = Reader { name: "", email: &request.email, unsubscribe: Some(&words.unsubscribe) };
        self.letters.write(template, event, to, &words).map(Some)
    }

    /// Finds the order of an event, where it goes and what the event tells of it; orders of other systems have none.
    async fn order_of(&self, event: &OutboxEvent) -> Result<Option<(Order, Address, Told)>, StoreError> {
        let Ok(data) = serde_json::from_str::<Told>(event.data.get()) else { return Ok(None) };
        if data.source.as_deref() == Some("import") {
            return Ok(None);
        }
        let Some(order) = self.store.order(&data.order_id).await? else { return Ok(None) };
        let cart = self.store.cart(&order.cart).await?;
        Ok(cart.and_then(|cart| cart.address).map(|address| (order, address, data)))
    }
}

/// Is what an event tells of an order.
#[derive(Deserialize)]
struct Told {
    order_id: OrderId,
    #[serde(default)]
    source: Option<String>,
    /// What is given back.
    #[serde(default)]
    amount_minor: Option<i64>,
    /// Which parcel was sent.
    #[serde(default)]
    number: Option<u32>,
}

#[async_trait]
impl Carrier for Postman {
    fn kind(&self) -> &'static str {
        SINK
    }

    fn wants(&self, event: &OutboxEvent) -> bool {
        template(&event.kind).is_some()
    }

    fn counted(&self, open: DeliveryCounts, lag: u64) {
        metrics::deliveries_open(SINK, open.waiting, open.dead);
        metrics::outbox_lag(SINK, lag);
    }

    async fn carry(&self, event: &OutboxEvent) -> Fate {
        match self.letter(event).await {
            Ok(Some(letter)) => self.outlet.send(&letter).await,
            Ok(None) => Fate::Nothing,
            Err(LetterError::Store(error)) => Fate::later(error.to_string()),
            Err(error) => Fate::never(error.to_string()),
        }
    }
}
