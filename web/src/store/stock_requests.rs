//! The rows of requests to be told when a product is back in stock.

use async_trait::async_trait;
use cart_core::{Currency, Sku, VisitorId};
use serde_json::json;
use uuid::Uuid;

use super::{EventWrite, Result};

/// The most products that one address waits for: a season's wishes. Beyond it the request that waits longest gives way.
pub const STOCK_REQUESTS_MAX: usize = 50;
/// How long a request that was told is kept, so that its letter can be written, in milliseconds: a week, which is longer
/// than letters are tried.
pub const TOLD_KEPT_MS: i64 = 7 * 86_400_000;

/// The most requests that are told in one transaction: their events fit one of the outbox's.
pub const WAVE_TOLD_MAX: usize = 500;

/// Keeps who waits for what. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait StockRequestStore: Send + Sync {
    /// Keeps a request, and appends the event `stock_request_made`. Where its address waits for the product already,
    /// that request keeps its place, waits as long as this one, and nothing is told. Answers whether it is new.
    async fn ask_for_stock(&self, request: &StockRequest) -> Result<bool>;

    /// Reads a request, waiting or told.
    async fn stock_request(&self, id: &str) -> Result<Option<StockRequest>>;

    /// Returns what an address waits for, the oldest request first.
    async fn stock_requests_of(&self, email: &str, now_ms: i64) -> Result<Vec<StockRequest>>;

    /// Forgets an address's requests, told ones too: for a product, or for all. Returns how many there were.
    async fn withdraw_stock_requests(&self, email: &str, sku: Option<&Sku>) -> Result<u64>;

    /// Counts who waits, by product: the most wanted first, then in the order of the SKUs.
    async fn stock_demand(&self, wanted: &DemandQuery) -> Result<Vec<StockDemand>>;

    /// Marks requests as told, the oldest first, and appends the event `back_in_stock` for each: as many as the wave
    /// still has room for, and at most [`WAVE_TOLD_MAX`]. Returns how many. Waves of one product come one after the
    /// other, however many processes send them.
    async fn tell_back_in_stock(&self, wave: &StockWave) -> Result<u64>;

    /// Forgets requests whose time is over; returns how many.
    async fn forget_stock_requests(&self, now_ms: i64) -> Result<u64>;
}

/// Is a request to be told when a product is back in stock. An address has one that waits for each product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockRequest {
    /// Names it in events; says nothing of who asked.
    pub id: String,
    /// Who is told, in small letters.
    pub email: String,
    /// The product.
    pub sku: Sku,
    /// The currency of the price that its letter tells.
    pub currency: Currency,
    /// When it was made, in Unix milliseconds: its place in the queue.
    pub asked_at_ms: i64,
    /// When it is forgotten, in Unix milliseconds.
    pub ends_at_ms: i64,
    /// When it was told, in Unix milliseconds; none while it waits.
    pub told_at_ms: Option<i64>,
}

impl StockRequest {
    /// Returns a new request under a name that nobody can guess.
    pub fn new(email: String, sku: Sku, currency: Currency, asked_at_ms: i64, ends_at_ms: i64) -> Self {
        let id = Uuid::new_v4().simple().to_string();
        Self { id, email, sku, currency, asked_at_ms, ends_at_ms, told_at_ms: None }
    }

    /// Reports whether it waits.
    pub fn waits(&self, now_ms: i64) -> bool {
        self.told_at_ms.is_none() && self.ends_at_ms > now_ms
    }

    /// Returns the event that it was made.
    pub(super) fn made(&self) -> EventWrite {
        self.event("stock_request_made", self.asked_at_ms)
    }

    /// Returns the event that it was told.
    pub(super) fn told(&self, at_ms: i64) -> EventWrite {
        self.event("back_in_stock", at_ms)
    }

    /// Of who asked, an event says nothing: not even the unit is a visitor's.
    fn event(&self, kind: &'static str, at_ms: i64) -> EventWrite {
        EventWrite {
            id: Uuid::new_v4(),
            at_ms,
            kind,
            cart: None,
            unit: VisitorId::parse(&self.id).expect("hexadecimal digits are an id"),
            data: json!({"request": self.id, "sku": self.sku}).to_string(),
        }
    }
}

/// Says whose demand is wanted.
#[derive(Clone, Debug)]
pub struct DemandQuery {
    /// Only products that stand behind this one, by the number of its requests and its SKU.
    pub after: Option<(u64, Sku)>,
    /// The most of them.
    pub limit: usize,
    /// The time, in Unix milliseconds: what has ended is not counted.
    pub now_ms: i64,
}

/// Is who waits for a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockDemand {
    /// The product.
    pub sku: Sku,
    /// Requests that wait.
    pub waiting: u64,
    /// When the oldest of them was made, in Unix milliseconds.
    pub oldest_at_ms: i64,
}

/// Says how many requests for a product are told at a time.
#[derive(Clone, Debug)]
pub struct StockWave {
    /// The product.
    pub sku: Sku,
    /// The most requests that are told in the span of one wave.
    pub most: u64,
    /// When the span began, in Unix milliseconds: what was told since is part of the wave.
    pub since_ms: i64,
    /// Now, in Unix milliseconds.
    pub at_ms: i64,
}
