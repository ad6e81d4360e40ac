//! The mail: letters that follow from events, through a sink.
//!
//! To add a letter, add its two templates to `templates/mail` and an arm to [`template`].

mod beside;
mod dispatch;
mod letter;
mod outlet;
mod receipt;
mod restock;
pub mod sink;

use std::sync::Arc;

use async_trait::async_trait;
use cart_core::{Address, Order, OrderId, Tracking, VisitorId};
use serde::{Deserialize, Serialize};

use self::{
    beside::{Beside, Row},
    letter::{Letters, Reader},
    receipt::Receipt,
    restock::Restock,
};
pub use self::{
    dispatch::Dispatch,
    letter::{Letter, LetterError},
    outlet::Outlet,
};
use crate::{
    clock,
    config::MailConfig,
    deliveries::{Carrier, Fate, courier::Manner, schedule::Schedule},
    metrics,
    shelves::About,
    shop::Shop,
    store::{DeliveryCounts, OutboxEvent, StoreError, readers},
};

/// Names the sink and its cursor.
pub const SINK: &str = readers::MAIL;
/// An event older than this when it is read leads to no letter: it would no longer be news. In milliseconds: 3 days.
const NEWS_MS: i64 = 3 * 86_400_000;

/// Names the templates of the letter that follows from a type of event.
fn template(kind: &str) -> Option<&'static str> {
    match kind {
        "order_placed" => Some("order_confirmation"),
        "order_cancelled" => Some("order_cancelled"),
        "order_refunded" => Some("order_refunded"),
        "parcel_sent" => Some("parcel_sent"),
        "parcel_corrected" => Some("parcel_corrected"),
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
    shop: Arc<Shop>,
    letters: Letters,
    outlet: Outlet,
}

/// Is what a letter says, with what goes with it.
#[derive(Serialize)]
struct Words<'a, T> {
    #[serde(flatten)]
    about: &'a T,
    beside: &'a [Row],
}

/// Is an order that a letter is about.
struct News {
    order: Order,
    owner: VisitorId,
    address: Address,
    told: Told,
}

impl Postman {
    /// Returns the postman of a shop; none where its mail goes nowhere.
    ///
    /// # Errors
    /// Where a template is broken or the sink cannot be used.
    pub fn new(shop: Arc<Shop>) -> anyhow::Result<Option<Self>> {
        let config = &shop.config;
        let Some(outlet) = Outlet::open(&config.mail)? else { return Ok(None) };
        let letters = Letters::new(&config.shop.name, &config.shop.public_url, &config.mail.from)?;
        Ok(Some(Self { shop, letters, outlet }))
    }

    /// Writes the letter that follows from an event, where one does.
    async fn letter(&self, event: &OutboxEvent) -> Result<Option<(Letter, Beside)>, LetterError> {
        let Some(template) = template(&event.kind) else { return Ok(None) };
        if clock::now_ms() - event.at_ms > NEWS_MS {
            return Ok(None);
        }
        if let "stock_request" | "back_in_stock" = template {
            return self.letter_of_request(template, event).await;
        }
        let Some(news) = self.order_of(event).await? else { return Ok(None) };
        let News { order, owner, address, told } = news;
        let terms = self.shop.terms.get();
        let locations = &terms.locations;
        if let Some(number) = told.number {
            if template == "parcel_corrected" && !told.leads_elsewhere(&order) {
                return Ok(None);
            }
            let Some(about) = Dispatch::of(&order, locations, &address, number) else { return Ok(None) };
            let letter = self.letters.write(template, event, &address, &about)?;
            return Ok(Some((letter, Beside::default())));
        }
        let receipt = Receipt::of(&order, locations, &address, told.amount_minor);
        let beside = match template {
            "order_confirmation" => {
                let currency = order.currency;
                let about = About::Shopper { orders: vec![order], trail: vec![] };
                Beside::of(&self.shop, &self.letters, event, about, Some(&owner), currency).await
            }
            _ => Beside::default(),
        };
        let words = Words { about: &receipt, beside: &beside.rows };
        let letter = self.letters.write(template, event, &address, &words)?;
        Ok(Some((letter, beside)))
    }

    /// Writes the letter about a request to be told that a product is back, while the request stands.
    async fn letter_of_request(
        &self,
        template: &str,
        event: &OutboxEvent,
    ) -> Result<Option<(Letter, Beside)>, LetterError> {
        #[derive(Deserialize)]
        struct Data {
            request: String,
        }
        let Ok(data) = serde_json::from_str::<Data>(event.data.get()) else { return Ok(None) };
        let shop = &self.shop;
        let Some(request) = shop.store.stock_request(&data.request).await? else { return Ok(None) };
        let (catalogue, now_ms) = (shop.catalogue.get(), clock::now_ms());
        let about = Restock::of(&request, &catalogue, &shop.keys, &self.letters, now_ms);
        let Some(about) = about else { return Ok(None) };
        let beside = match template {
            "back_in_stock" => {
                let product = About::Product(request.sku.clone());
                Beside::of(shop, &self.letters, event, product, None, request.currency).await
            }
            _ => Beside::default(),
        };
        let to = Reader { name: "", email: &request.email, unsubscribe: Some(&about.unsubscribe) };
        let words = Words { about: &about, beside: &beside.rows };
        let letter = self.letters.write(template, event, to, &words)?;
        Ok(Some((letter, beside)))
    }

    /// Finds the order of an event, whose it is, where it goes and what the event tells of it; orders of other systems have none.
    async fn order_of(&self, event: &OutboxEvent) -> Result<Option<News>, StoreError> {
        let Ok(told) = serde_json::from_str::<Told>(event.data.get()) else { return Ok(None) };
        if told.source.as_deref() == Some("import") {
            return Ok(None);
        }
        let Some(order) = self.shop.store.order(&told.order_id).await? else { return Ok(None) };
        let Some(cart) = self.shop.store.cart(&order.cart).await? else { return Ok(None) };
        let owner = cart.owner;
        Ok(cart.address.map(|address| News { order, owner, address, told }))
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
    /// Which parcel was sent, or put right.
    #[serde(default)]
    number: Option<u32>,
    /// How it can be followed.
    #[serde(default)]
    tracking: Option<Tracking>,
    /// What was said of that before.
    #[serde(default)]
    before: Option<Tracking>,
}

impl Told {
    /// Reports whether a parcel is to be followed otherwise than was said, and still as the event tells: of what was put right
    /// again since, a later event tells.
    fn leads_elsewhere(&self, order: &Order) -> bool {
        let is_news = |told: &Tracking| {
            let parcel = order.state.parcels.iter().find(|parcel| Some(parcel.number) == self.number);
            let now = parcel.and_then(|parcel| parcel.tracking.as_ref());
            told.leads_elsewhere(self.before.as_ref()) && !told.leads_elsewhere(now)
        };
        self.tracking.as_ref().is_some_and(is_news)
    }
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
            Ok(Some((letter, beside))) => {
                let fate = self.outlet.send(&letter).await;
                if matches!(fate, Fate::Delivered { .. }) {
                    beside.sent(&self.shop, event);
                }
                fate
            }
            Ok(None) => Fate::Nothing,
            Err(LetterError::Store(error)) => Fate::later(error.to_string()),
            Err(error) => Fate::never(error.to_string()),
        }
    }
}
