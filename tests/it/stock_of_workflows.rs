//! A workflow that says of its own when its carts take pieces, and for how long: from a manager's form to the shelf.

use std::time::Duration;

use harness::{Store, TestApp, audit, patience::eventually};
use serde_json::{Value, json};

use crate::{
    experiments::{FIELDS, open_cart_in, start_drawn},
    shelves::now_ms,
};

on_each_store!(a_workflow_of_an_experiment_holds_at_its_checkout_for_its_time);

const LATE: &str = r#"{"name":"late","cart":"page","checkout":"stepwise","steps":["address","shipping","payment"],
    "stock_policy":"hold_at_checkout","hold_seconds":3}"#;
const HOLD_MS: i64 = 3_000;

async fn held(app: &TestApp, sku: &str) -> i64 {
    audit::stock(app).await[sku].held
}

async fn a_workflow_of_an_experiment_holds_at_its_checkout_for_its_time(store: Store) {
    let mut fields = FIELDS.to_vec();
    fields.retain(|(name, _)| *name != "variation_2_value");
    fields.push(("variation_2_value", LATE));
    // The rest of the shop holds when a line is added, and for a quarter of an hour.
    let config = "\n[carts]\nhold_seconds = 900\nhold_sweep_seconds = 1\n";
    let (mut app, _admin) = start_drawn(store, config, &fields).await;
    let shopper = open_cart_in(&app, "late").await;
    let other = open_cart_in(&app, "classic").await;
    let cart = shopper.add("MUG", 2).await.accepted();
    let workflow = &cart["workflow"];
    assert_eq!(
        (&workflow["stock_policy"], &workflow["hold_seconds"]),
        (&json!("hold_at_checkout"), &json!(3)),
        "{workflow}"
    );
    assert_eq!((held(&app, "MUG").await, &cart["holds_expire_at_ms"]), (0, &Value::Null));
    let kept = other.add("TEAPOT", 1).await.accepted();
    assert_eq!(held(&app, "TEAPOT").await, 1, "carts of the other variation hold as they did");

    // What the cart was opened with is in its row: another process goes by it.
    app.restart().await;
    let (shopper, other) = (shopper.on(app.address()), other.on(app.address()));
    let mut device = app.join(&shopper).await;
    let before_ms = now_ms();
    let cart = shopper.command(&json!({"type": "start_checkout"})).await.accepted();
    let after_ms = now_ms();
    assert_eq!((held(&app, "MUG").await, &cart["lines"][0]["held"]), (2, &json!(2)));
    let ends_ms = cart["holds_expire_at_ms"].as_i64().unwrap();
    assert!(
        (before_ms + HOLD_MS..=after_ms + HOLD_MS).contains(&ends_ms),
        "{before_ms} {ends_ms} {after_ms}"
    );
    let page = app.page(&shopper, "/checkout").await;
    let hold = page.split("data-hold").nth(1).unwrap().split("</p>").next().unwrap();
    assert!(hold.starts_with(&format!(" data-expires=\"{ends_ms}\"")), "{hold}");
    let seen = device.cart_at(cart["version"].as_u64().unwrap()).await;
    assert_eq!(seen.payload["cart"]["holds_expire_at_ms"], ends_ms);

    let told = device.next_where(|frame| frame.payload["cart"]["lines"][0]["released"] == 2).await;
    assert!(now_ms() >= ends_ms, "not before their time");
    assert_eq!(told.payload["cart"]["holds_expire_at_ms"], Value::Null);
    assert_eq!((held(&app, "MUG").await, held(&app, "TEAPOT").await), (0, 1));
    let still = other.cart().await["holds_expire_at_ms"].clone();
    assert_eq!(still, kept["holds_expire_at_ms"], "a quarter of an hour is not over");
    // Further sweeps find nothing to give back.
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    let expired = app.events("holds_expired", 1).await;
    assert_eq!((expired.len(), &expired[0]["cart"]), (1, &json!(shopper.cart_id())), "{expired:?}");
    app.run(&["check"]).await;

    // Going on takes the pieces again, for as long.
    shopper.command(&json!({"type": "start_checkout"})).await.accepted();
    assert_eq!(held(&app, "MUG").await, 2);
    shopper.check_out("tok_success").await.accepted();
    eventually("both are sold", async || audit::stock(&app).await["MUG"].sold == 2).await;
    assert_eq!(held(&app, "MUG").await, 0);
    app.run(&["check"]).await;
}
