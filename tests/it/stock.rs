//! Pieces: when carts take them, when they give them back, and which of them ship later.

use std::time::Duration;

use harness::{Shopper, Store, TestApp, app::Setup, audit};
use serde_json::{Value, json};

on_each_store!(
    a_product_is_held_from_the_checkout_on,
    expired_holds_go_back_and_the_shopper_is_told,
    safety_stock_stays_and_back_orders_ship_later,
    what_is_still_to_come_is_sold_before,
    an_operator_can_ask_whether_every_piece_is_accounted_for,
);

in_other_workflows!(
    a_product_is_held_from_the_checkout_on,
    expired_holds_go_back_and_the_shopper_is_told,
    safety_stock_stays_and_back_orders_ship_later,
);

const PRODUCTS: &str = "\
sku,name,price_minor,currency,stock,policy,safety_stock,backorder_limit,preorder_until,preorder_limit
TENT,Tent,9000,GBP,5,hold_at_checkout,,,,
VASE,Vase,2000,GBP,5,,2,,,
SOFA,Sofa,40000,GBP,2,,,3,,
NOVEL,Novel,1500,GBP,0,,,,2100-01-01,4
";

async fn shop(store: Store, config: &str) -> TestApp {
    let setup = Setup { config: config.to_owned(), ..Setup::default() };
    let mut app = TestApp::prepare(store, setup).await;
    let file = app.write_file("stock.csv", PRODUCTS);
    app.run(&["import", "products", &file]).await;
    app.restart().await;
    app
}

/// Holds end after a second, and are looked for every second.
const HASTY: &str = "[carts]\nhold_seconds = 1\nhold_sweep_seconds = 1\n";

fn start() -> Value {
    json!({"type": "start_checkout"})
}

async fn held(app: &TestApp, sku: &str) -> i64 {
    audit::stock(app).await[sku].held
}

async fn product(app: &TestApp, sku: &str) -> Value {
    let url = app.url(&format!("/api/v1/products/{sku}"));
    reqwest::get(url).await.unwrap().json().await.unwrap()
}

async fn a_product_is_held_from_the_checkout_on(store: Store) {
    let app = shop(store, "").await;
    let (ann, bob) = (app.open_cart().await, app.open_cart().await);
    ann.add("TENT", 4).await.accepted();
    bob.add("TENT", 3).await.accepted();
    assert_eq!(held(&app, "TENT").await, 0, "a cart alone promises nothing");
    let cart = ann.command(&start()).await.accepted();
    assert_eq!((&cart["lines"][0]["held"], held(&app, "TENT").await), (&json!(4), 4));
    assert!(cart["holds_expire_at_ms"].is_i64());
    let refused = bob.command(&start()).await;
    refused.assert_problem(409, "out-of-stock");
    assert_eq!(refused.body["detail"], "TENT has 1 left, 3 more are wanted", "the line is named");
    assert_eq!(bob.cart().await["status"], "open");
    bob.command(&json!({"type": "set_quantity", "line": "TENT", "quantity": 1})).await.accepted();
    bob.command(&start()).await.accepted();
    ann.add("TENT", 1).await.assert_problem(409, "out-of-stock");
    assert_eq!(held(&app, "TENT").await, 5);
}

/// Reads a cart until its pieces have gone back.
async fn released(shopper: &Shopper) -> Value {
    for _ in 0..400 {
        let cart = shopper.cart().await;
        if cart["holds_expire_at_ms"].is_null() {
            return cart;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the hold did not end within ten seconds");
}

async fn expired_holds_go_back_and_the_shopper_is_told(store: Store) {
    let app = shop(store, HASTY).await;
    let shopper = app.open_cart().await;
    shopper.add("TENT", 2).await.accepted();
    shopper.add("MUG", 1).await.accepted();
    shopper.command(&start()).await.accepted();
    let cart = released(&shopper).await;
    let told: Vec<_> =
        cart["lines"].as_array().unwrap().iter().map(|l| (&l["held"], &l["released"])).collect();
    assert_eq!(told, [(&json!(0), &json!(2)), (&json!(0), &json!(1))]);
    assert_eq!((held(&app, "TENT").await, held(&app, "MUG").await), (0, 0));
    let page = app.page(&shopper, "/checkout/address").await;
    let over = page.split("data-released").nth(1).unwrap();
    assert!(!over.starts_with(" hidden"), "the page says that the time is over");
    assert!(page.contains("<span data-released-lines>Tent × 2, The MUG</span>"), "{page}");

    let cart = shopper.command(&start()).await.accepted();
    assert_eq!(
        (held(&app, "TENT").await, &cart["lines"][0]["released"]),
        (2, &Value::Null),
        "held once more"
    );
    let page = app.page(&shopper, "/checkout/address").await;
    assert!(page.split("data-released").nth(1).unwrap().starts_with(" hidden"));
}

async fn safety_stock_stays_and_back_orders_ship_later(store: Store) {
    let mut app = shop(store, "").await;
    let (ann, bob) = (app.open_cart().await, app.open_cart().await);
    assert_eq!(product(&app, "VASE").await["available"], 3);
    ann.add("VASE", 4).await.assert_problem(409, "out-of-stock");
    ann.add("VASE", 3).await.accepted();
    bob.add("VASE", 1).await.assert_problem(409, "out-of-stock");

    let sofa = product(&app, "SOFA").await;
    assert_eq!((&sofa["available"], &sofa["later"]), (&json!(2), &json!(3)));
    let cart = bob.add("SOFA", 4).await.accepted();
    assert_eq!((&cart["lines"][0]["held"], &cart["lines"][0]["backordered"]), (&json!(4), &json!(2)));
    let page = app.page(&bob, "/cart").await;
    assert!(page.contains("2 of these ship later"), "{page}");
    ann.add("SOFA", 2).await.assert_problem(409, "out-of-stock");
    let ordered = bob.check_out("tok_success").await;
    assert_eq!(ordered.body["order"]["lines"][0]["backordered"], 2, "{}", ordered.body);
    let sofas = audit::stock(&app).await["SOFA"];
    assert_eq!((sofas.available, sofas.sold), (-2, 4));
    app.run(&["check"]).await;

    // Three more arrive: two of them are the ones that were owed.
    let more = app.write_file("more.csv", &PRODUCTS.replace("GBP,2,", "GBP,5,"));
    app.run(&["import", "products", &more]).await;
    app.restart().await;
    let sofa = product(&app, "SOFA").await;
    assert_eq!((&sofa["available"], &sofa["later"]), (&json!(1), &json!(3)));
    // Nothing may be taken away from those who bought.
    let less = app.write_file("less.csv", &PRODUCTS.replace("GBP,2,,,3", "GBP,0,,,3"));
    let report = app.try_run(&["import", "products", &less]).await;
    let said = String::from_utf8_lossy(&report.stdout) + String::from_utf8_lossy(&report.stderr);
    assert!(said.contains("stock of SOFA is below the 4 pieces held or sold"), "{said}");
}

async fn what_is_still_to_come_is_sold_before(store: Store) {
    let app = shop(store, "").await;
    let novel = product(&app, "NOVEL").await;
    assert_eq!((&novel["available"], &novel["later"]), (&json!(0), &json!(4)));
    assert_eq!(novel["ships_from_ms"], 4_102_444_800_000_i64);
    let shopper = app.open_cart().await;
    shopper.add("NOVEL", 5).await.assert_problem(409, "out-of-stock");
    let cart = shopper.add("NOVEL", 3).await.accepted();
    assert_eq!(cart["lines"][0]["ships_from_ms"], 4_102_444_800_000_i64);
    assert!(app.page(&shopper, "/cart").await.contains("Ships from 1 January 2100"));
    assert!(app.page(&shopper, "/products/NOVEL").await.contains("Pre-order: ships from 1 January 2100"));
    let ordered = shopper.check_out("tok_success").await;
    let line = &ordered.body["order"]["lines"][0];
    assert_eq!((&line["backordered"], &line["ships_from_ms"]), (&json!(3), &json!(4_102_444_800_000_i64)));
    app.run(&["check"]).await;
}

/// Returns the questions that the manual tells an operator to ask.
pub fn questions(store: Store) -> String {
    let manual = include_str!("../../docs/catalogue.md");
    let name = match store {
        Store::Sqlite => "SQLite",
        Store::Postgres => "PostgreSQL",
    };
    let fence = format!("```sql\n-- {name}: every row of the answer is a fault\n");
    let (_, rest) = manual.split_once(&fence).expect("the manual has the questions");
    rest.split_once("```").expect("the fence ends").0.to_owned()
}

/// Runs SQL in the client that comes with the database, as an operator would.
pub async fn run_sql(app: &TestApp, sql: &str) -> String {
    let (program, address) = match app.store() {
        Store::Sqlite => ("sqlite3", app.store_url().trim_start_matches("sqlite:")),
        Store::Postgres => ("psql", app.store_url()),
    };
    let mut command = tokio::process::Command::new(program);
    let said = match program {
        "psql" => command.args(["-v", "ON_ERROR_STOP=1", "-At", address, "-c", sql]),
        // The server writes meanwhile: its turns are waited for.
        _ => command.args(["-cmd", ".timeout 10000", address, sql]),
    };
    let said = said.output().await.unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).unwrap()
}

async fn an_operator_can_ask_whether_every_piece_is_accounted_for(store: Store) {
    let app = shop(store, "").await;
    let (ann, bob) = (app.open_cart().await, app.open_cart().await);
    for (sku, pieces) in [("VASE", 2), ("SOFA", 4), ("NOVEL", 1), ("TENT", 1)] {
        ann.add(sku, pieces).await.accepted();
    }
    assert_eq!(ann.check_out("tok_success").await.status, 200);
    let eve = app.open_cart().await;
    eve.add("SOFA", 1).await.accepted();
    let order = eve.check_out("tok_success").await.body["order"]["id"].as_str().unwrap().to_owned();
    let cancel = app.url(&format!("/api/v1/orders/{order}/cancel"));
    let cancel =
        reqwest::Client::new().post(cancel).bearer_auth(eve.token()).header("Idempotency-Key", "once");
    assert_eq!(cancel.send().await.unwrap().status(), 200, "what was cancelled is there again");
    bob.add("MUG", 3).await.accepted();
    bob.add("TENT", 1).await.accepted();
    bob.command(&start()).await.accepted();
    let questions = questions(store);
    assert_eq!(run_sql(&app, &questions).await, "");
    run_sql(&app, "UPDATE stock SET available = available - 1, held = held + 1 WHERE sku = 'MUG'").await;
    run_sql(&app, "UPDATE stock SET available = available + 1, sold = sold - 1 WHERE sku = 'VASE'").await;
    let faults = run_sql(&app, &questions).await;
    let named: Vec<&str> = faults.lines().filter_map(|l| l.split('|').next()).collect();
    assert_eq!(named, ["MUG", "VASE"], "{faults}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_that_sweep_at_once_give_each_piece_back_once() {
    let mut app = shop(Store::Postgres, &HASTY.replace("hold_seconds = 1", "hold_seconds = 3")).await;
    let twin = app.twin().await;
    let mut carts = vec![];
    for n in 0..60 {
        let cart = if n % 2 == 0 { app.open_cart().await } else { twin.open_cart().await };
        cart.add("V0", 2).await.accepted();
        cart.add("V1", 1).await.accepted();
        carts.push(cart.on(twin.address()));
    }
    assert!(held(&app, "V0").await > 0);
    // One of the two dies in the middle of it; the other goes on.
    while held(&app, "V0").await > 80 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    app.kill();
    for cart in &carts {
        released(cart).await;
    }
    let stock = audit::stock(&app).await;
    for sku in ["V0", "V1"] {
        let level = stock[sku];
        assert_eq!((level.available, level.held, level.sold), (level.supplied, 0, 0), "{sku}");
    }
    let told = "SELECT count(*), count(DISTINCT cart) FROM outbox WHERE kind = 'holds_expired'";
    assert_eq!(run_sql(&app, told).await.trim(), "60|60", "each cart is told of it once");
    twin.run(&["check"]).await;
}
