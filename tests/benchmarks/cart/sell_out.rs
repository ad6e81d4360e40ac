//! One hot product: everybody wants it until the last piece is gone.

use std::time::Instant;

use harness::{TestApp, audit};
use tokio::task::spawn_local;

use super::{CONNECTIONS, Run, Shopper, add, shoppers};
use crate::{
    figure::Target,
    load::{Connection, post},
};

/// The product.
pub const SKU: &str = "HOT0";
/// Its pieces.
pub const STOCK: i64 = 10_000;
/// Carts of each buyer: a piece goes into one after the other.
const CARTS_EACH: usize = 100;

/// Sells all pieces to buyers who each add one after the other until they are refused. `spread` is how many additions a second there
/// are where everybody wants something else.
pub async fn measure(run: &Run, app: &TestApp, spread: f64) {
    let buyers = shoppers(app, CONNECTIONS, CARTS_EACH).await;
    let began = Instant::now();
    let buying: Vec<_> = buyers.into_iter().map(|buyer| spawn_local(buy(app.address(), buyer))).collect();
    let mut told = 0;
    for bought in buying {
        told += bought.await.expect("a buyer is answered");
    }
    let per_second = told as f64 / began.elapsed().as_secs_f64();
    let held = audit::stock(app).await[SKU].held;
    let beside = format!("{spread:.0} adds/s spread; {STOCK} pieces sold out at {per_second:.0}/s");
    run.print("hot_sku.per_spread", per_second / spread, "times", Target::AtLeast(0.5), &beside);
    let none = Target::Exactly(0.0);
    run.print("hot_sku.oversold", (held - STOCK).max(0) as f64, "pieces", none, "held beyond the stock");
    let none = Target::Exactly(0.0);
    run.print("hot_sku.undersold", (STOCK - held).max(0) as f64, "pieces", none, "refused and not held");
    run.print(
        "hot_sku.miscounted",
        (held - told) as f64,
        "pieces",
        Target::Exactly(0.0),
        "held less acknowledged",
    );
}

/// Adds a piece at a time until the shop has none left; returns how many were acknowledged.
async fn buy(address: std::net::SocketAddr, buyer: Shopper) -> i64 {
    let mut connection = Connection::open(address).await;
    let body = add(SKU);
    let to = |cart: &String| post(&format!("/api/v1/carts/{cart}/commands"), &buyer.token, &body);
    let requests: Vec<_> = buyer.carts.iter().map(to).collect();
    let mut told = 0;
    for request in requests.iter().cycle() {
        match connection.send(request).await {
            (200, _) => told += 1,
            (409, body) if String::from_utf8_lossy(body).contains("out-of-stock") => break,
            (status, body) => panic!("{status}: {}", String::from_utf8_lossy(body)),
        }
    }
    told
}
