//! Sessions in a real browser: what it keeps, with the network gone, tabs closed and the shop restarted in between.

use std::{path::Path, time::Duration};

use harness::{
    Store, TestApp,
    program::{node_script, succeeded},
    reaper,
    shopper::{Answer, complete_step, place_order, quantity},
};
use reqwest::{Client, header};
use serde_json::{Value, json};

use crate::session::{NEW, with_keys};

on_each_store!(
    what_was_done_offline_is_done_once_and_in_order,
    a_long_queue_is_sent_in_order_to_a_busy_shop,
    what_was_added_to_a_cart_that_was_bought_goes_into_a_new_one,
    an_outcome_that_nobody_knows_any_more_is_told,
    the_first_line_needs_no_network,
    the_network_goes_and_comes_back_under_an_open_page,
    a_lost_answer_and_two_tabs_add_nothing_twice,
    what_is_added_before_the_cart_is_opened_goes_into_it,
    a_lost_cart_comes_back_from_the_browser,
    the_browser_alone_keeps_a_cart,
    the_next_visitor_finds_nothing,
    a_shop_may_stop_keeping_things_in_browsers,
);

/// Opens a browser with its profile for one step, and returns what that says.
async fn visit(app: &TestApp, profile: &Path, step: &str) -> Value {
    let arguments = [step.to_owned(), app.url(""), profile.display().to_string()];
    let output = node_script("offline.js", &arguments).await;
    let said = succeeded(&format!("tests/clients/offline.js {step}"), &output);
    serde_json::from_str(said.lines().last().unwrap_or_default()).unwrap_or_else(|_| panic!("{said}"))
}

/// Reads a cart as the browser with the cookie would.
async fn cart(app: &TestApp, seen: &Value) -> Value {
    let url = app.url(&format!("/api/v1/carts/{}", seen["cart"].as_str().unwrap()));
    let request = Client::new().get(url).header(header::COOKIE, seen["cookie"].as_str().unwrap());
    Answer::to(request).await.unwrap().body
}

/// Runs a command as another browser with the cookie would, and returns the cart.
async fn command(app: &TestApp, seen: &Value, command: &Value) -> Value {
    let url = app.url(&format!("/api/v1/carts/{}/commands", seen["cart"].as_str().unwrap()));
    let request = Client::new().post(url).header(header::COOKIE, seen["cookie"].as_str().unwrap());
    Answer::to(request.json(command)).await.unwrap().accepted()
}

fn lines(cart: &Value) -> Vec<(&str, u64)> {
    let lines = cart["lines"].as_array().unwrap_or_else(|| panic!("{cart}")).iter();
    lines.map(|l| (l["sku"].as_str().unwrap(), l["quantity"].as_u64().unwrap())).collect()
}

async fn what_was_done_offline_is_done_once_and_in_order(store: Store) {
    let mut app = TestApp::start(store).await;
    let profile = reaper::folder("browser");
    let seen = visit(&app, &profile, "fill").await;
    app.kill();
    visit(&app, &profile, "shop-offline").await;
    app.restart().await;

    // Meanwhile another device adds a lamp, and somebody else buys one of the three rarities.
    command(&app, &seen, &json!({"type": "add_line", "sku": "LAMP", "quantity": 1})).await;
    app.open_cart().await.add("RARE", 1).await.accepted();

    visit(&app, &profile, "come-back").await;
    let cart = cart(&app, &seen).await;
    assert_eq!(lines(&cart), [("MUG", 3), ("LAMP", 1), ("TEAPOT", 3)]);
    // Each command has one event, and they stand in the order in which the shopper acted.
    let mut added = app.events("line_added", 5).await;
    added.sort_by_key(|event| event["position"].as_i64());
    let of_cart = added.iter().filter(|event| event["cart"] == seen["cart"]);
    let told: Vec<_> = of_cart.map(|e| (e["data"]["sku"].as_str(), e["data"]["quantity"].as_u64())).collect();
    let wanted = [("MUG", 1), ("LAMP", 1), ("TEAPOT", 2), ("TEAPOT", 1)].map(|(s, q)| (Some(s), Some(q)));
    assert_eq!(told, wanted);
    assert_eq!(app.events("quantity_set", 1).await.len(), 1);
}

async fn a_long_queue_is_sent_in_order_to_a_busy_shop(store: Store) {
    let mut app = TestApp::start(store).await;
    let profile = reaper::folder("browser");
    let seen = visit(&app, &profile, "fill").await;
    app.kill();
    let queued = visit(&app, &profile, "queue-many").await;
    app.restart().await;
    // Others buy meanwhile, and the shop goes away once more in the middle of it.
    let mut others = tokio::task::JoinSet::new();
    for n in 0..6 {
        let shopper = app.open_cart().await;
        others.spawn(async move {
            while shopper
                .try_command(&json!({"type": "add_line", "sku": format!("V{n}"), "quantity": 1}), None)
                .await
                .is_ok()
            {}
        });
    }
    let arguments = ["send-many".to_owned(), app.url(""), profile.display().to_string()];
    let sending = tokio::spawn(async move { node_script("offline.js", &arguments).await });
    let teapots = async |app: &TestApp| quantity(&cart(app, &seen).await, "TEAPOT");
    while teapots(&app).await < 20 {
        assert!(!sending.is_finished(), "{:?}", sending.await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    app.kill();
    app.restart().await;
    succeeded("tests/clients/offline.js send-many", &sending.await.unwrap());
    others.shutdown().await;
    let wanted: Vec<_> = queued["quantities"].as_array().unwrap().iter().map(Value::as_u64).collect();
    let pieces: u64 = wanted.iter().flatten().sum();
    assert_eq!(lines(&cart(&app, &seen).await), [("MUG", 1), ("TEAPOT", pieces)]);
    let mut added = vec![];
    while added.len() < wanted.len() {
        tokio::time::sleep(Duration::from_millis(50)).await;
        added = app.events_now("line_added");
        added.retain(|event| event["cart"] == seen["cart"] && event["data"]["sku"] == "TEAPOT");
    }
    added.sort_by_key(|event| event["position"].as_i64());
    let told: Vec<_> = added.iter().map(|event| event["data"]["quantity"].as_u64()).collect();
    assert_eq!(told, wanted, "each once, in the order in which the shopper acted");
}

async fn what_was_added_to_a_cart_that_was_bought_goes_into_a_new_one(store: Store) {
    let mut app = TestApp::start(store).await;
    let profile = reaper::folder("browser");
    let seen = visit(&app, &profile, "fill").await;
    app.kill();
    visit(&app, &profile, "shop-offline").await;
    app.restart().await;
    let mut bought = command(&app, &seen, &json!({"type": "start_checkout"})).await;
    while let Some(step) = bought["next_step"].as_str() {
        bought = command(&app, &seen, &complete_step(step)).await;
    }
    let bought = command(&app, &seen, &place_order("tok_success")).await;
    assert_eq!(bought["status"], "ordered");

    let back = visit(&app, &profile, "come-back-after-purchase").await;
    assert_ne!(back["cart"], seen["cart"]);
    assert_eq!(lines(&cart(&app, &seen).await), [("MUG", 1)], "what was bought stays as it was bought");
}

async fn an_outcome_that_nobody_knows_any_more_is_told(store: Store) {
    let mut app = TestApp::start(store).await;
    let profile = reaper::folder("browser");
    let seen = visit(&app, &profile, "fill").await;
    app.kill();
    visit(&app, &profile, "wait-too-long").await;
    app.restart().await;
    visit(&app, &profile, "hear-of-it").await;
    assert_eq!(lines(&cart(&app, &seen).await), [("MUG", 1)]);
}

async fn the_first_line_needs_no_network(store: Store) {
    let mut app = TestApp::start(store).await;
    let profile = reaper::folder("browser");
    visit(&app, &profile, "look").await;
    app.kill();
    visit(&app, &profile, "add-first-offline").await;
    app.restart().await;
    visit(&app, &profile, "open-later").await;
}

async fn what_is_added_before_the_cart_is_opened_goes_into_it(store: Store) {
    let app = TestApp::start(store).await;
    visit(&app, &reaper::folder("browser"), "add-second-early").await;
    assert_eq!(app.events("cart_opened", 1).await.len(), 1);
}

async fn the_network_goes_and_comes_back_under_an_open_page(store: Store) {
    let app = TestApp::start(store).await;
    visit(&app, &reaper::folder("browser"), "flicker").await;
}

async fn a_lost_answer_and_two_tabs_add_nothing_twice(store: Store) {
    let app = TestApp::start(store).await;
    for step in ["lose-answer", "two-tabs"] {
        visit(&app, &reaper::folder("browser"), step).await;
    }
}

async fn a_lost_cart_comes_back_from_the_browser(store: Store) {
    let mut app = TestApp::start(store).await;
    let profile = reaper::folder("browser");
    let seen = visit(&app, &profile, "fill").await;
    app.restart_empty().await;
    let back = visit(&app, &profile, "bring-back").await;
    assert_eq!(back["cart"], seen["cart"]);
    assert_eq!(lines(&cart(&app, &seen).await), [("MUG", 1)]);
}

async fn the_browser_alone_keeps_a_cart(store: Store) {
    let mut setup = with_keys(&[NEW]);
    setup.config.push_str("mode = \"client\"\n");
    let mut app = TestApp::start_with(store, setup).await;
    let profile = reaper::folder("browser");
    let seen = visit(&app, &profile, "fill-client").await;
    app.restart_empty().await;
    assert_eq!(visit(&app, &profile, "bring-back").await["cart"], seen["cart"]);
}

async fn the_next_visitor_finds_nothing(store: Store) {
    let mut app = TestApp::start(store).await;
    let profile = reaper::folder("browser");
    visit(&app, &profile, "fill").await;
    app.kill();
    visit(&app, &profile, "shop-offline").await;
    app.restart().await;
    visit(&app, &profile, "another").await;
}

async fn a_shop_may_stop_keeping_things_in_browsers(store: Store) {
    let mut app = TestApp::start_with(store, with_keys(&[NEW])).await;
    let profile = reaper::folder("browser");
    visit(&app, &profile, "fill").await;
    let mut setup = with_keys(&[NEW]);
    setup.config.push_str("mode = \"server\"\n");
    app.restart_with(setup).await;
    visit(&app, &profile, "give-up").await;
}
