//! Durable add-to-cart per second: 64 kept-alive connections, each with carts of its own, random variant, quantity 1.

use std::time::{Duration, Instant};

use harness::{
    Metrics, Store, TestApp,
    app::{Setup, random_token},
    catalogue::many,
    cluster::{Cluster, Durability},
};
use rand::RngExt;
use serde_json::Value;

use crate::{
    figure::{Figure, Format, Target},
    load::{Connection, Window, post, quantile},
    pgbench,
};

const CONNECTIONS: usize = 64;
/// A catalogue of this many variants, of which each cart takes some.
const VARIANTS: usize = 1_000;
/// A cart is filled this far before the connection goes on with its next one.
const ADDS_A_CART: usize = 100;
/// Variants in one cart: what a well-filled cart of a real shop has.
const VARIANTS_A_CART: usize = 20;
/// Carts opened for each connection beforehand; when all are filled, it begins again with the first.
const CARTS_A_CONNECTION: usize = 60;
const WARM_UP: Duration = Duration::from_secs(3);

/// Is what one store did.
struct Measured {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    mean_batch: f64,
}

/// Measures both stores and the yardstick.
pub async fn measure(seconds: u32, format: Format) {
    let cluster = Cluster::shared(Durability::Disk);
    let database = pgbench::prepare(cluster);
    let before = pgbench::measure(cluster, &database, seconds);
    let mut measured = Vec::new();
    for store in [Store::Postgres, Store::Sqlite] {
        measured.push((store, run(store, seconds).await));
    }
    let after = pgbench::measure(cluster, &database, seconds);
    let tps = (before + after) / 2.0;
    print(
        "pgbench",
        tps,
        "tx/s",
        Target::None,
        format!("{} ({before:.0} before, {after:.0} after)", pgbench::COMMAND),
        format,
    );
    for (store, found) in measured {
        let ratio = found.per_second / tps;
        let yardstick = format!("{ratio:.2} times {} at {tps:.0} tx/s", pgbench::COMMAND);
        let name = |what: &str| format!("cart.add.{store}.{what}");
        print(&name("rate"), found.per_second, "adds/s", Target::AtLeast(tps), yardstick, format);
        let load = format!("{CONNECTIONS} kept-alive connections, {seconds} s");
        print(&name("p50"), found.p50_ms, "ms", Target::None, load.clone(), format);
        print(&name("p99"), found.p99_ms, "ms", Target::None, load, format);
        let commits = "commands a commit, from /metrics".to_owned();
        print(&name("batch"), found.mean_batch, "commands", Target::None, commits, format);
    }
}

fn print(name: &str, value: f64, unit: &'static str, target: Target, yardstick: String, format: Format) {
    Figure { name: name.to_owned(), value, unit, target, yardstick }.print(format);
}

async fn run(store: Store, seconds: u32) -> Measured {
    let setup = Setup {
        goods: many("B", VARIANTS, 1_000_000_000),
        durability: Durability::Disk,
        config: String::new(),
    };
    let app = TestApp::start_with(store, setup).await;
    let mut connections = Vec::new();
    for task in (0..CONNECTIONS).map(|_| tokio::task::spawn_local(prepare(app.address()))).collect::<Vec<_>>()
    {
        connections.push(task.await.expect("carts are opened"));
    }
    let before = app.metrics().await;
    let window = Window::begin(WARM_UP, Duration::from_secs(seconds.into()));
    let fillers: Vec<_> = connections
        .into_iter()
        .map(|(connection, carts)| tokio::task::spawn_local(fill(connection, carts, window)))
        .collect();
    let mut latencies = Vec::new();
    for filler in fillers {
        latencies.extend(filler.await.expect("every add is accepted"));
    }
    let after = app.metrics().await;
    latencies.sort_unstable();
    Measured {
        per_second: latencies.len() as f64 / f64::from(seconds),
        p50_ms: f64::from(quantile(&latencies, 0.50)) / 1_000.0,
        p99_ms: f64::from(quantile(&latencies, 0.99)) / 1_000.0,
        mean_batch: mean_batch(&before, &after),
    }
}

fn mean_batch(before: &Metrics, after: &Metrics) -> f64 {
    let grown = |name: &str| after.sum(name, &[]) - before.sum(name, &[]);
    grown("cartwright_commit_batch_commands_sum") / grown("cartwright_commit_batch_commands_count")
}

/// Opens a connection's carts, and writes down the requests that fill each.
async fn prepare(address: std::net::SocketAddr) -> (Connection, Vec<Vec<Vec<u8>>>) {
    let mut connection = Connection::open(address).await;
    let token = random_token();
    let open = post("/api/v1/carts", &token, "{}");
    let mut carts = Vec::new();
    for _ in 0..CARTS_A_CONNECTION {
        let (status, body) = connection.send(&open).await;
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(body));
        let answer: Value = serde_json::from_slice(body).expect("the answer is JSON");
        let id = answer["cart"]["id"].as_str().expect("a cart has an id");
        let path = format!("/api/v1/carts/{id}/commands");
        let requests = (0..VARIANTS_A_CART).map(|_| {
            let sku = rand::rng().random_range(0..VARIANTS);
            post(&path, &token, &format!(r#"{{"type":"add_line","sku":"B{sku}","quantity":1}}"#))
        });
        carts.push(requests.collect());
    }
    (connection, carts)
}

async fn fill(mut connection: Connection, carts: Vec<Vec<Vec<u8>>>, window: Window) -> Vec<u32> {
    let mut latencies = Vec::new();
    for cart in carts.iter().cycle() {
        for _ in 0..ADDS_A_CART {
            if !window.is_open() {
                return latencies;
            }
            let request = &cart[rand::rng().random_range(0..cart.len())];
            let begun = Instant::now();
            let (status, body) = connection.send(request).await;
            assert_eq!(status, 200, "{}", String::from_utf8_lossy(body));
            latencies.extend(window.latency_us(begun));
        }
    }
    latencies
}
