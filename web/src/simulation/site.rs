//! The way to the shop: HTTP with time-outs, and patience where the shop asks for it.

use std::{error::Error, time::Duration};

use anyhow::{Context, bail, ensure};
use cart_core::{CartId, Sku};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, header, redirect};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::seen::{Answered, Hit, Offer, Offers, Opened, SeenCart, SeenProblem, Shelf, Suggestion};

/// How long a request may take.
pub const REQUEST_MAX: Duration = Duration::from_secs(30);
/// How often a request is sent again where the shop is busy or does not answer.
const RETRIES_MAX: u32 = 5;
/// The longest wait that a shop is granted before the next try.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// The most products that are looked at: the market of a large shop.
const OFFERS_MAX: usize = 20_000;
/// Products of one page of the catalogue; the most the API gives.
const PAGE: usize = 100;

/// Says what went wrong between a shopper and the shop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The shop says no, and why.
    #[error("{name}: {detail}")]
    Problem {
        /// The problem's name, in snake case.
        name: String,
        /// The sentence for people.
        detail: String,
    },
    /// The shop answers with a status and no explanation.
    #[error("the shop answered {0}")]
    Status(u16),
    /// The shop does not answer in time.
    #[error("the shop did not answer in time")]
    TimedOut,
    /// The shop cannot be reached.
    #[error("the shop cannot be reached: {0}")]
    Unreachable(String),
    /// The answer makes no sense.
    #[error("the shop's answer cannot be read: {0}")]
    BrokenAnswer(String),
    /// A second device was not told of a change.
    #[error("a second device was not told of version {0}")]
    NotTold(u64),
}

impl Trouble {
    /// Returns a short name to count by.
    pub fn name(&self) -> String {
        match self {
            Self::Problem { name, .. } => name.clone(),
            Self::Status(status) => format!("status_{status}"),
            Self::TimedOut => "timed_out".into(),
            Self::Unreachable(_) => "unreachable".into(),
            Self::BrokenAnswer(_) => "broken_answer".into(),
            Self::NotTold(_) => "live_update_missing".into(),
        }
    }

    /// Reports whether it is the problem of a name.
    pub fn is(&self, problem: &str) -> bool {
        matches!(self, Self::Problem { name, .. } if name == problem)
    }
}

impl From<reqwest::Error> for Trouble {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::TimedOut;
        }
        let error = error.without_url();
        // The cause says more than the error: "connection refused" rather than "error sending request".
        let mut cause: &dyn Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        Self::Unreachable(cause.to_string())
    }
}

/// Is the shop's address with the connections to it.
#[derive(Clone, Debug)]
pub struct Site {
    http: Client,
    base: Url,
}

impl Site {
    /// Returns the site at an `http://` address.
    ///
    /// # Errors
    /// Where the text is no such address.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        let base = Url::parse(url)
            .with_context(|| format!("{url:?} is not an address such as http://127.0.0.1:8080"))?;
        ensure!(base.scheme() == "http", "simulated shoppers speak plain http, not {}", base.scheme());
        ensure!(base.has_host(), "{url:?} names no host");
        // A form's answer leads to the next page; proxies would not let websockets through.
        let http = Client::builder()
            .timeout(REQUEST_MAX)
            .no_proxy()
            .redirect(redirect::Policy::limited(5))
            .build()?;
        Ok(Self { http, base })
    }

    /// Returns the address of a path, given by its unencoded segments.
    pub fn address(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        url.path_segments_mut().expect("http addresses have paths").pop_if_empty().extend(segments);
        url.set_query(None);
        url
    }

    /// Reads everything on offer.
    ///
    /// # Errors
    /// Where the shop does not answer, or holds more than shoppers look at.
    pub async fn offers(&self) -> anyhow::Result<Vec<Offer>> {
        let mut caller = self.caller(String::new());
        let (mut offers, mut cursor) = (vec![], None::<String>);
        loop {
            let mut url = self.address(&["api", "v1", "products"]);
            url.query_pairs_mut().append_pair("limit", &PAGE.to_string());
            if let Some(cursor) = &cursor {
                url.query_pairs_mut().append_pair("cursor", cursor);
            }
            let page: Offers = caller
                .json(|http| http.get(url.clone()))
                .await
                .with_context(|| format!("cannot read the products of {}", self.base))?;
            offers.extend(page.products.into_iter().flat_map(Hit::offers));
            ensure!(
                offers.len() <= OFFERS_MAX,
                "the shop has {} products, the most is {OFFERS_MAX}",
                page.total
            );
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        if offers.is_empty() {
            bail!("{} sells nothing; import products first", self.base);
        }
        Ok(offers)
    }

    /// Returns the way of one visitor to the shop.
    pub fn caller(&self, token: String) -> Caller {
        Caller { site: self.clone(), token, retries: 0 }
    }
}

/// Is one visitor on the way to the shop.
#[derive(Debug)]
pub struct Caller {
    site: Site,
    token: String,
    retries: u64,
}

impl Caller {
    /// Returns the site.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Returns the visitor's token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Returns how often a request was sent again.
    pub fn retries(&self) -> u64 {
        self.retries
    }

    /// Looks at a page, as a browser would.
    ///
    /// # Errors
    /// [`Trouble`], as everywhere here.
    pub async fn page(&mut self, url: Url) -> Result<(), Trouble> {
        let token = self.token.clone();
        self.send(|http| http.get(url.clone()).bearer_auth(&token)).await?;
        Ok(())
    }

    /// Opens a cart.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn open(&mut self) -> Result<SeenCart, Trouble> {
        let url = self.site.address(&["api", "v1", "carts"]);
        // An id of our own makes it safe to ask again.
        let body = json!({"id": Uuid::new_v4().simple().to_string()});
        let token = self.token.clone();
        let opened: Opened = self.json(|http| http.post(url.clone()).bearer_auth(&token).json(&body)).await?;
        Ok(opened.cart)
    }

    /// Sends a command to a cart, again with the same key where the shop is busy.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn command(&mut self, cart: &CartId, command: &Value) -> Result<Answered, Trouble> {
        let url = self.site.address(&["api", "v1", "carts", cart.as_str(), "commands"]);
        let key = Uuid::new_v4().to_string();
        let token = self.token.clone();
        self.json(|http| {
            http.post(url.clone()).bearer_auth(&token).header("idempotency-key", &key).json(command)
        })
        .await
    }

    /// Reads the shop's suggestions for a cart.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn suggestions(&mut self, cart: &CartId, limit: usize) -> Result<Vec<Suggestion>, Trouble> {
        self.shelf("cart", cart.as_str(), limit).await
    }

    /// Reads what the shop says is bought together with a product.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn bought_together(&mut self, sku: &Sku, limit: usize) -> Result<Vec<Suggestion>, Trouble> {
        self.shelf("sku", sku.as_str(), limit).await
    }

    async fn shelf(&mut self, key: &str, value: &str, limit: usize) -> Result<Vec<Suggestion>, Trouble> {
        let mut url = self.site.address(&["api", "v1", "recommendations"]);
        url.query_pairs_mut().append_pair(key, value).append_pair("limit", &limit.to_string());
        let token = self.token.clone();
        let shelf: Shelf = self.json(|http| http.get(url.clone()).bearer_auth(&token)).await?;
        Ok(shelf.recommendations)
    }

    /// Reads one product.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn product(&mut self, sku: &Sku) -> Result<Offer, Trouble> {
        let url = self.site.address(&["api", "v1", "products", sku.as_str()]);
        self.json(|http| http.get(url.clone())).await
    }

    async fn json<T: DeserializeOwned>(
        &mut self,
        request: impl Fn(&Client) -> RequestBuilder,
    ) -> Result<T, Trouble> {
        let bytes = self.send(request).await?;
        serde_json::from_slice(&bytes).map_err(|e| Trouble::BrokenAnswer(e.to_string()))
    }

    /// Sends a request until the shop has answered it with yes or no.
    async fn send(&mut self, request: impl Fn(&Client) -> RequestBuilder) -> Result<Vec<u8>, Trouble> {
        let mut tries = 0;
        loop {
            let (trouble, wait) = match answer(request(&self.site.http)).await {
                Ok(answer) => return answer.result,
                Err(later) => later,
            };
            if tries == RETRIES_MAX {
                return Err(trouble);
            }
            tries += 1;
            self.retries += 1;
            tokio::time::sleep(wait.unwrap_or(Duration::from_millis(100 << tries)).min(WAIT_MAX)).await;
        }
    }
}

/// Is an answer that another try would not change.
struct Final {
    result: Result<Vec<u8>, Trouble>,
}

/// Sends a request once; an error is worth another try, after the wait that the shop asks for.
async fn answer(request: RequestBuilder) -> Result<Final, (Trouble, Option<Duration>)> {
    let response = request.send().await.map_err(|e| (e.into(), None))?;
    let (status, wait) = (response.status(), wait_of(&response));
    let bytes = response.bytes().await.map_err(|e| (e.into(), None))?.to_vec();
    if status.is_success() {
        return Ok(Final { result: Ok(bytes) });
    }
    let trouble = trouble_of(status, &bytes);
    match status {
        StatusCode::SERVICE_UNAVAILABLE => Err((trouble, wait)),
        _ => Ok(Final { result: Err(trouble) }),
    }
}

fn wait_of(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn trouble_of(status: StatusCode, body: &[u8]) -> Trouble {
    match serde_json::from_slice::<SeenProblem>(body) {
        Ok(problem) => Trouble::Problem {
            name: problem.kind.rsplit('/').next().unwrap_or_default().replace('-', "_"),
            detail: problem.detail,
        },
        Err(_) => Trouble::Status(status.as_u16()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_addresses_are_sites() {
        for (url, message) in [
            ("shop", "is not an address"),
            ("https://shop.example", "plain http, not https"),
            ("ftp://shop.example", "plain http, not ftp"),
        ] {
            let error = Site::new(url).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn a_path_takes_any_sku() {
        let site = Site::new("http://127.0.0.1:8080/shop/").unwrap();
        let url = site.address(&["products", "A/B ü?"]);
        assert_eq!(url.as_str(), "http://127.0.0.1:8080/shop/products/A%2FB%20%C3%BC%3F");
    }

    #[test]
    fn a_problem_document_is_named_by_its_type() {
        let body =
            br#"{"type":"/problems/out-of-stock","title":"Out of stock","status":409,"detail":"gone"}"#;
        let trouble = trouble_of(StatusCode::CONFLICT, body);
        assert!(trouble.is("out_of_stock"));
        assert_eq!(trouble.to_string(), "out_of_stock: gone");
        assert_eq!(trouble_of(StatusCode::BAD_GATEWAY, b"<html>").name(), "status_502");
    }
}
