//! Bundles: one line in the cart, pieces of several products on the shelf.

use std::time::Duration;

use harness::{Shopper, Store, TestApp, app::Setup, audit};
use serde_json::{Value, json};
use tokio::task::JoinSet;

on_each_store!(
    a_bundle_is_sold_from_the_shelves_of_its_parts,
    bundles_and_their_parts_compete_for_the_same_pieces,
    holds_of_bundles_end_once,
    a_bundle_that_cannot_be_made_is_refused_at_the_import,
);

const PRODUCTS: &str = "\
sku,name,price_minor,currency,stock,policy,tax_category,bundle,bundle_off_bp,description
CUP,Cup,1000,GBP,50,,,,,
TEA,Tea,500,GBP,500,,food,,,
POT,Pot,4000,GBP,500,take_at_order,,,,
SET,Tea set,,GBP,,,,CUP=2; TEA=1; POT=1,1000,Everything for two
PAIR,Pair of cups,1500,GBP,,,,CUP=2,,
SOLO,Cup with tea,1200,GBP,,,,CUP=1;TEA=1,,
";

const TAXES: &str = r#"{
    "prices_include_tax": false, "home": {"country": "GB"},
    "zones": [{"name": "United Kingdom", "places": [{"countries": ["GB"]}],
        "rates": {"standard": [{"name": "VAT", "rate_ppm": 200000}], "food": [{"name": "VAT", "rate_ppm": 0}]}}]
}"#;

async fn shop(store: Store, config: &str) -> TestApp {
    let setup = Setup { config: config.to_owned(), ..Setup::default() };
    let mut app = TestApp::prepare(store, setup).await;
    for (what, name, text) in [("products", "tea.csv", PRODUCTS), ("taxes", "taxes.json", TAXES)] {
        let file = app.write_file(name, text);
        app.run(&["import", what, &file]).await;
    }
    app.restart().await;
    app
}

async fn product(app: &TestApp, sku: &str) -> Value {
    reqwest::get(app.url(&format!("/api/v1/products/{sku}"))).await.unwrap().json().await.unwrap()
}

/// What is held and sold of a product.
async fn pieces(app: &TestApp, sku: &str) -> (i64, i64) {
    let level = audit::stock(app).await[sku];
    (level.held, level.sold)
}

async fn a_bundle_is_sold_from_the_shelves_of_its_parts(store: Store) {
    let app = shop(store, "").await;
    let set = product(&app, "SET").await;
    // 2 × 10.00, 5.00 and 40.00 are 65.00; a tenth of it is 6.50.
    assert_eq!((&set["price_minor"], &set["available"]), (&json!(5_850), &json!(25)));
    assert_eq!(set["price"]["reason"], "bundle");
    assert_eq!(set["parts"][0], json!({"sku": "CUP", "name": "Cup", "quantity": 2}));
    let shopper = app.open_cart().await;
    let page = app.page(&shopper, "/products/SET").await;
    assert!(page.contains("<li>2 × <a href=") && page.contains(">Cup</a></li>"), "{page}");

    shopper.add("SET", 26).await.assert_problem(409, "out-of-stock");
    let cart = shopper.add("SET", 2).await.accepted();
    assert_eq!((&cart["lines"][0]["held"], &cart["lines"][0]["parts"][1]["sku"]), (&json!(2), &json!("TEA")));
    assert_eq!((pieces(&app, "CUP").await, pieces(&app, "POT").await), ((4, 0), (2, 0)));
    // 117.00 over 40.00 and 80.00 (standard) and 10.00 (food): 9.00 of it is food, and a fifth of 108.00 is tax.
    assert_eq!(
        (&cart["totals"]["subtotal_minor"], &cart["totals"]["tax_minor"]),
        (&json!(11_700), &json!(2_160))
    );
    let page = app.page(&shopper, "/cart").await;
    assert!(page.contains("data-parts>2 × Cup; 1 × Tea; 1 × Pot<"), "{page}");
    shopper.command(&json!({"type": "set_quantity", "line": "SET", "quantity": 1})).await.accepted();
    assert_eq!((pieces(&app, "CUP").await, pieces(&app, "TEA").await), ((2, 0), (1, 0)));
    shopper.command(&json!({"type": "set_quantity", "line": "SET", "quantity": 2})).await.accepted();

    let order = shopper.check_out("tok_success").await.body["order"].clone();
    assert_eq!(order["lines"][0]["parts"][2]["name"], "Pot");
    assert_eq!((pieces(&app, "CUP").await, pieces(&app, "TEA").await), ((0, 4), (0, 2)));
    app.run(&["check"]).await;
    let id = order["id"].as_str().unwrap();
    let page = app.page(&shopper, &format!("/orders/{id}")).await;
    assert!(page.contains("2 × Cup; 1 × Tea; 1 × Pot"), "{page}");
    let cancel = reqwest::Client::new().post(app.url(&format!("/api/v1/orders/{id}/cancel")));
    let cancel = cancel.bearer_auth(shopper.token()).header("Idempotency-Key", "once");
    assert_eq!(cancel.send().await.unwrap().status(), 200);
    assert_eq!((pieces(&app, "CUP").await, pieces(&app, "TEA").await), ((0, 0), (0, 0)));
    app.run(&["check"]).await;
}

/// Buys one piece of a product; tells whether that led to an order or a clear refusal.
async fn buy(shopper: Shopper, sku: &'static str) -> bool {
    let added = shopper.add(sku, 1).await;
    let last = if added.status == 200 { shopper.check_out("tok_success").await } else { added };
    if last.status != 200 {
        last.assert_problem(409, "out-of-stock");
    }
    last.status == 200
}

/// Half of two hundred buyers want a bundle, and half the cup alone, of which there are fifty.
async fn rush(app: &TestApp, addresses: &[std::net::SocketAddr]) {
    let mut buying = JoinSet::new();
    for n in 0..200_usize {
        let shopper = app.open_cart().await.on(addresses[n % addresses.len()]);
        buying.spawn(async move {
            let sku = ["CUP", "SOLO", "CUP", "PAIR"][n / 2 % 4];
            (sku, buy(shopper, sku).await)
        });
    }
    let mut sold = 0;
    for (sku, is_sold) in buying.join_all().await {
        sold += match (is_sold, sku) {
            (false, _) => 0,
            (true, "PAIR") => 2,
            (true, _) => 1,
        };
    }
    let cups = audit::stock(app).await["CUP"];
    assert_eq!((cups.available, cups.held, cups.sold, cups.supplied), (50 - sold, 0, sold, 50));
    assert!((49..=50).contains(&sold), "{sold} sold: at most a single cup that nobody asked for is left");
    app.run(&["check"]).await;
}

async fn bundles_and_their_parts_compete_for_the_same_pieces(store: Store) {
    let app = shop(store, "").await;
    rush(&app, &[app.address()]).await;
    let pair = product(&app, "PAIR").await;
    assert_eq!(pair["available"], 0);
    for _ in 0..200 {
        let found: Value = reqwest::get(app.url("/api/v1/products?q=pair&in_stock=true"))
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        if found["total"] == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the bundle is still found in stock");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_sell_bundles_and_parts_from_one_shelf() {
    let app = shop(Store::Postgres, "").await;
    let twin = app.twin().await;
    rush(&app, &[app.address(), twin.address()]).await;
}

async fn holds_of_bundles_end_once(store: Store) {
    let app = shop(store, "[carts]\nhold_seconds = 1\nhold_sweep_seconds = 1\n").await;
    let shopper = app.open_cart().await;
    shopper.add("SET", 3).await.accepted();
    for _ in 0..400 {
        if shopper.cart().await["holds_expire_at_ms"].is_null() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let cart = shopper.cart().await;
    assert_eq!((&cart["lines"][0]["held"], &cart["lines"][0]["released"]), (&json!(0), &json!(3)));
    assert_eq!((pieces(&app, "CUP").await, pieces(&app, "TEA").await), ((0, 0), (0, 0)));
    app.run(&["check"]).await;
    shopper.command(&json!({"type": "start_checkout"})).await.accepted();
    assert_eq!(pieces(&app, "CUP").await, (6, 0), "held once more");
}

async fn a_bundle_that_cannot_be_made_is_refused_at_the_import(store: Store) {
    let app = shop(store, "").await;
    let rows = "sku,name,price_minor,currency,stock,bundle,bundle_off_bp\n\
        ODD,Odd,100,GBP,,NONE=1,\n\
        NEST,Nest,100,GBP,,SET=1,\n\
        NONE2,None,100,GBP,,CUP=0,\n\
        OWN,Own,100,GBP,5,CUP=1,\n\
        TWICE,Twice,100,GBP,,CUP=1;CUP=2,\n\
        BARE,Bare,100,GBP,,CUP,\n\
        SHARE,Share,100,GBP,5,,1000\n";
    let file = app.write_file("odd.csv", rows);
    let report = app.try_run(&["import", "products", &file]).await;
    let said = String::from_utf8_lossy(&report.stdout) + String::from_utf8_lossy(&report.stderr);
    for reason in [
        "bundle ODD needs NONE, which is no product, or a bundle itself",
        "bundle NEST needs SET, which is no product, or a bundle itself",
        "bundle: parts[0].quantity is 0",
        "stock of a bundle is that of its parts; leave it out",
        "parts[1].sku is CUP, as another part's is",
        "bundle \"CUP\" is not written SKU=pieces",
        "bundle_off_bp belongs to a bundle",
    ] {
        assert!(said.contains(reason), "{reason} in {said}");
    }
}
