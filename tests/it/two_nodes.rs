//! Two server processes on one PostgreSQL database.

use harness::{Device, Frame, Store, TestApp, audit, patience::eventually, tables};
use serde_json::json;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_sent_to_both_in_turn_lose_nothing() {
    let app = TestApp::start(Store::Postgres).await;
    let twin = app.twin().await;
    let here = app.open_cart().await;
    let there = here.on(twin.address());
    for n in 1..=40 {
        let shopper = if n % 2 == 0 { &here } else { &there };
        let cart = shopper.add("MUG", 1).await.accepted();
        assert_eq!(cart["lines"][0]["quantity"], n, "each node sees what the other committed");
    }
    assert_eq!(here.quantity("MUG").await, 40);
    // What is only read is as new as what the node has heard.
    eventually("the other node hears of the last one", async || there.quantity("MUG").await == 40).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_sent_to_both_at_once_lose_nothing() {
    let app = TestApp::start(Store::Postgres).await;
    let twin = app.twin().await;
    let carts = [app.open_cart().await, app.open_cart().await, app.open_cart().await];
    let mut tasks = JoinSet::new();
    for n in 0..12 {
        let address = if n % 2 == 0 { app.address() } else { twin.address() };
        let shopper = carts[n % 3].on(address);
        tasks.spawn(async move {
            // Two SKUs in opposite orders: nodes that lock as they come would deadlock.
            let skus = if n % 2 == 0 { ["V0", "V1"] } else { ["V1", "V0"] };
            for _ in 0..10 {
                for sku in skus {
                    shopper.add(sku, 1).await.accepted();
                }
            }
        });
    }
    tasks.join_all().await;
    for shopper in &carts {
        let cart = shopper.cart().await;
        assert_eq!(cart["totals"]["items"], 80, "{cart}");
    }
    let stock = audit::stock(&app).await;
    assert_eq!((stock["V0"].held, stock["V1"].held), (120, 120));
    assert!(stock.values().all(audit::Stock::is_conserved), "{stock:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_pieces_are_sold_once_over_both() {
    let app = TestApp::start(Store::Postgres).await;
    let twin = app.twin().await;
    let mut tasks = JoinSet::new();
    for n in 0..40 {
        let shopper = if n % 2 == 0 { app.open_cart().await } else { twin.open_cart().await };
        tasks.spawn(async move { shopper.add("RARE", 1).await });
    }
    let (mut added, mut refused) = (0, 0);
    for answer in tasks.join_all().await {
        if answer.status == 200 {
            added += 1;
        } else {
            answer.assert_problem(409, "out-of-stock");
            refused += 1;
        }
    }
    assert_eq!((added, refused), (3, 37));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_on_either_node_sees_the_change() {
    let app = TestApp::start(Store::Postgres).await;
    let twin = app.twin().await;
    let shopper = app.open_cart().await;
    let topic = shopper.topic();
    let mut here = app.join(&shopper).await;
    let mut there: Device = twin.join(&shopper).await;

    let version = shopper.add("MUG", 1).await.accepted()["version"].as_u64().unwrap();
    for device in [&mut here, &mut there] {
        let seen = device.cart_at(version).await;
        assert_eq!(seen.payload["cart"]["lines"][0]["quantity"], 1);
    }
    let reply = there.update_cart(&topic, "MUG", 6).await;
    assert_eq!(reply.status(), "ok", "{reply:?}");
    let version = reply.response()["version"].as_u64().unwrap();
    let seen = here.cart_at(version).await;
    assert_eq!(seen.payload["cart"]["lines"][0]["quantity"], 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_used_on_one_node_is_known_on_the_other() {
    let app = TestApp::start(Store::Postgres).await;
    let twin = app.twin().await;
    let shopper = app.open_cart().await;
    let add = json!({"type": "add_line", "sku": "MUG", "quantity": 1});
    let first = shopper.command_with_key(&add, "once").await;
    let again = shopper.on(twin.address()).command_with_key(&add, "once").await;
    assert_eq!((first.status, &first.body), (200, &again.body));
    assert_eq!(shopper.quantity("MUG").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_leads_to_the_cart_on_both_nodes_and_is_taken_back_on_both() {
    let app = TestApp::start(Store::Postgres).await;
    let twin = app.twin().await;
    let ann = app.open_cart().await;
    let made = ann.request("POST", "/shares", Some(json!({"editable": true}))).await;
    let (token, id) = (made.body["token"].as_str().unwrap(), made.body["share"]["id"].as_str().unwrap());
    let (mut there, joined) = crate::shares::watch(&twin, &ann.topic(), token).await;
    assert_eq!(joined.status(), "ok", "{joined:?}");
    let version = ann.add("MUG", 1).await.accepted()["version"].as_u64().unwrap();
    there.cart_at(version).await;
    let changed = there.update_cart(&ann.topic(), "MUG", 4).await;
    assert_eq!((changed.status(), ann.on(twin.address()).quantity("MUG").await), ("ok", 4), "{changed:?}");
    assert_eq!(ann.request("DELETE", &format!("/shares/{id}"), None).await.status, 204);
    there.next_where(|frame| frame.event == "share_ended").await;
    let again = there.join_with(&ann.topic(), json!({"share": token})).await;
    assert_eq!(again.reason(), "unknown_share", "{again:?}");
}

/// Ends the connections by which processes hear each other; they are back after a second.
const DEAFEN: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND query ~ '^(LISTEN|NOTIFY) cartwright_carts'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_was_taken_back_unheard_is_looked_up_again() {
    let app = TestApp::start(Store::Postgres).await;
    let twin = app.twin().await;
    let ann = app.open_cart().await;
    let (ends, id) = crate::shares::share(&ann, json!({})).await;
    let (lives, _) = crate::shares::share(&ann, json!({})).await;
    let (mut ben, _) = crate::shares::watch(&twin, &ann.topic(), &ends).await;
    let (mut cleo, _) = crate::shares::watch(&twin, &ann.topic(), &lives).await;
    tables::run(app.store_url(), DEAFEN).await.unwrap();
    assert_eq!(ann.request("DELETE", &format!("/shares/{id}"), None).await.status, 204);
    // The other process does not know what it missed: whoever watches by a link joins again.
    let is_shut_out = |frame: &Frame| frame.event == "phx_error";
    ben.next_where(is_shut_out).await;
    cleo.next_where(is_shut_out).await;
    assert_eq!(ben.join_with(&ann.topic(), json!({"share": ends})).await.reason(), "unknown_share");
    assert_eq!(cleo.join_with(&ann.topic(), json!({"share": lives})).await.status(), "ok");
    let version = ann.add("MUG", 1).await.accepted()["version"].as_u64().unwrap();
    cleo.cart_at(version).await;
}
