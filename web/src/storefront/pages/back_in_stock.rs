//! Requests to be told that a product is back, on pages.

use cart_core::Sku;
use serde::Serialize;

use super::{day::day, link};
use crate::store::StockRequest;

/// Is the form by which a shopper asks to be told that a product is back.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tell {
    /// The address: the user's own, or what was typed.
    pub email: String,
    /// What is wrong with it.
    pub error: Option<String>,
    /// For how many days it is kept at most.
    pub keep_days: u32,
}

/// Is the page of what an address waits for.
#[derive(Clone, Debug, Serialize)]
pub struct StockRequestsPage {
    email: String,
    /// Where its forms go.
    action: String,
    /// What was done just now.
    done: Option<&'static str>,
    requests: Vec<Waiting>,
}

/// Is a request that waits.
#[derive(Clone, Debug, Serialize)]
struct Waiting {
    sku: String,
    name: String,
    /// The path of its page, while shoppers see it.
    href: Option<String>,
    asked_on: String,
    ends_on: String,
}

impl StockRequestsPage {
    /// Shows the requests of an address; `name_of` names the products that shoppers see.
    pub fn new(
        email: String,
        action: String,
        done: Option<&'static str>,
        requests: &[StockRequest],
        name_of: impl Fn(&Sku) -> Option<String>,
    ) -> Self {
        let waiting = |request: &StockRequest| {
            let name = name_of(&request.sku);
            Waiting {
                sku: request.sku.to_string(),
                href: name.is_some().then(|| link::product(request.sku.as_str())),
                name: name.unwrap_or_else(|| request.sku.to_string()),
                asked_on: day(request.asked_at_ms),
                ends_on: day(request.ends_at_ms),
            }
        };
        Self { email, action, done, requests: requests.iter().map(waiting).collect() }
    }
}
