//! Visitors with carts, opened over HTTP before a load begins.

use std::{net::SocketAddr, time::Duration};

use harness::{Store, TestApp, app::random_token, tables};
use serde_json::Value;

use super::{CONNECTIONS, VARIANTS};
use crate::load::{Connection, Script, get, post};

/// Is a visitor with some carts.
pub struct Shopper {
    /// Who it is.
    pub token: String,
    /// The ids of its carts.
    pub carts: Vec<String>,
}

/// Opens so many carts for each of so many visitors.
pub async fn shoppers(app: &TestApp, count: usize, carts: usize) -> Vec<Shopper> {
    let opening: Vec<_> =
        (0..count).map(|_| tokio::task::spawn_local(Shopper::open(app.address(), carts))).collect();
    let mut shoppers = Vec::with_capacity(count);
    for shopper in opening {
        shoppers.push(shopper.await.expect("carts are opened"));
    }
    shoppers
}

/// Returns scripts that add any variant to any cart, a share of the carts for each connection.
pub async fn spread(app: &TestApp, carts: usize) -> Vec<Script> {
    let variants: Vec<_> = (0..VARIANTS).map(|n| add(&format!("B{n}"))).collect();
    let shoppers = shoppers(app, CONNECTIONS, carts.div_ceil(CONNECTIONS)).await;
    shoppers.iter().map(|s| Script::commands(&s.token, &s.carts, &variants, 1)).collect()
}

/// Opens carts, ten for each connection, and puts so many lines into each.
pub async fn filled(app: &TestApp, lines: usize) -> Vec<Shopper> {
    let shoppers = shoppers(app, CONNECTIONS, 10).await;
    for shopper in &shoppers {
        shopper.fill(app.address(), lines).await;
    }
    shoppers
}

/// Returns the command that adds a piece.
pub fn add(sku: &str) -> String {
    format!(r#"{{"type":"add_line","sku":"{sku}","quantity":1}}"#)
}

impl Shopper {
    async fn open(address: SocketAddr, carts: usize) -> Self {
        let (mut connection, token) = (Connection::open(address).await, random_token());
        let request = post("/api/v1/carts", &token, "{}");
        let mut opened = Vec::with_capacity(carts);
        for _ in 0..carts {
            let (status, body) = connection.send(&request).await;
            assert_eq!(status, 201, "{}", String::from_utf8_lossy(body));
            let answer: Value = serde_json::from_slice(body).expect("the answer is JSON");
            opened.push(answer["cart"]["id"].as_str().expect("a cart has an id").to_owned());
        }
        Self { token, carts: opened }
    }

    /// Puts lines into each cart.
    pub async fn fill(&self, address: SocketAddr, lines: usize) {
        let mut connection = Connection::open(address).await;
        let commands: Vec<_> = (0..lines).map(|n| add(&format!("B{n}"))).collect();
        let batch = format!(r#"{{"type":"batch","commands":[{}]}}"#, commands.join(","));
        for cart in &self.carts {
            let path = format!("/api/v1/carts/{cart}/commands");
            let (status, body) = connection.send(&post(&path, &self.token, &batch)).await;
            assert_eq!(status, 200, "{}", String::from_utf8_lossy(body));
        }
    }

    /// Reads the first cart as it comes over the wire.
    pub async fn read(&self, app: &TestApp) -> Vec<u8> {
        let mut connection = Connection::open(app.address()).await;
        let path = format!("/api/v1/carts/{}", self.carts[0]);
        let (status, body) = connection.send(&get(&path, &self.token, "")).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(body));
        body.to_vec()
    }

    /// Returns the pieces and the lines of the first cart.
    pub async fn pieces(&self, app: &TestApp) -> (u64, usize) {
        let cart: Value = serde_json::from_slice(&self.read(app).await).expect("a cart is JSON");
        let lines = cart["lines"].as_array().expect("a cart has lines");
        (lines.iter().filter_map(|line| line["quantity"].as_u64()).sum(), lines.len())
    }

    /// Returns how many bytes the cart page has when compressed.
    pub async fn compressed_page(&self, app: &TestApp) -> usize {
        let request = reqwest::Client::new().get(app.url("/cart"));
        let request = request.header("Cookie", format!("cartwright_visitor={}", self.token));
        let answer = request.header("Accept-Encoding", "gzip").send().await.expect("the server answers");
        assert_eq!(answer.headers()["content-encoding"], "gzip");
        answer.bytes().await.expect("the whole page").len()
    }
}

/// Returns the statement that copies one stored cart many times.
pub fn stored_carts(store: Store, count: usize) -> String {
    match store {
        Store::Sqlite => format!(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count})
             INSERT INTO carts (id, owner, version, status, holds_expire_at_ms, state)
             SELECT 'stored-' || n, 'stored', version, 'open', NULL, state
             FROM n, (SELECT version, state FROM carts ORDER BY length(state) DESC LIMIT 1);"
        ),
        Store::Postgres => format!(
            "INSERT INTO carts (id, owner, version, is_ordered, holds_expire_at_ms, opened, place, state)
             SELECT 'stored-' || n, 'stored', version, false, NULL, opened, place, state
             FROM (SELECT * FROM carts ORDER BY length(state) DESC LIMIT 1) AS pattern,
                  generate_series(1, {count}) AS n"
        ),
    }
}

/// Brings the store to rest, as after hours of operation: what PostgreSQL does in the background after many writes, and the
/// copies of pages that it logs after a checkpoint, belong to no figure of two that are compared, or to both.
pub async fn settle(app: &TestApp, store: Store) {
    if store == Store::Postgres {
        for statement in ["VACUUM (ANALYZE)", "CHECKPOINT"] {
            tables::run(app.store_url(), statement).await.expect("the database comes to rest");
        }
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
}
