//! What a log-in does with carts: guest and user, on several devices, nodes and shards.

use std::time::Duration;

use harness::{Store, TestApp, app::Setup, audit};
use reqwest::Method;
use serde_json::{Value, json};

use crate::users::{PASSWORD, ada, credentials, sign_up, token_of};

on_each_store!(
    a_guests_cart_is_the_users_after_signing_up,
    lines_of_both_carts_come_together_on_every_device,
    what_does_not_come_along_is_said,
    what_a_customer_may_buy_no_more_of_waits_for_later,
    a_log_in_that_is_repeated_doubles_nothing,
    devices_that_log_in_at_once_lose_nothing,
    the_shop_may_keep_the_users_cart,
    the_shop_may_replace_the_users_cart,
    a_user_who_logs_in_elsewhere_is_one_unit,
);

in_other_workflows!(
    a_guests_cart_is_the_users_after_signing_up,
    lines_of_both_carts_come_together_on_every_device,
    what_does_not_come_along_is_said,
    what_a_customer_may_buy_no_more_of_waits_for_later,
);

async fn start_with_policy(store: Store, policy: &str) -> TestApp {
    let config = format!("[shop]\nlogin_cart = \"{policy}\"\n");
    TestApp::start_with(store, Setup { config, ..Setup::default() }).await
}

/// Logs a guest in; returns the token of the device and the whole answer.
async fn log_in_as(app: &TestApp, guest: &str) -> (String, Value) {
    let answer = app.call(Method::POST, "/api/v1/sessions", Some(guest), Some(&credentials(PASSWORD))).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    (token_of(&answer), answer.body)
}

/// Is the SKUs and pieces of some lines.
type Pieces = Vec<(String, u64)>;

/// Returns the cart's lines, and those that wait for later.
fn contents(cart: &Value) -> (Pieces, Pieces) {
    let lines = |name: &str| {
        let lines = cart[name].as_array().unwrap().iter();
        lines.map(|l| (l["sku"].as_str().unwrap().to_owned(), l["quantity"].as_u64().unwrap())).collect()
    };
    (lines("lines"), lines("saved"))
}

async fn read(app: &TestApp, token: &str, cart: &str) -> Value {
    app.call(Method::GET, &format!("/api/v1/carts/{cart}"), Some(token), None).await.body
}

async fn conserved(app: &TestApp) {
    let said = app.run(&["check"]).await;
    let stock = audit::stock(app).await;
    assert!(stock.values().all(audit::Stock::is_conserved), "{said} {stock:?}");
}

async fn a_guests_cart_is_the_users_after_signing_up(store: Store) {
    let app = TestApp::start(store).await;
    let guest = app.open_cart().await;
    guest.add("MUG", 2).await.accepted();
    guest.command(&json!({"type": "start_checkout"})).await.accepted();
    let mut tab = app.join(&guest).await;
    let answer = app.call(Method::POST, "/api/v1/users", Some(guest.token()), Some(&ada())).await;
    assert_eq!((answer.status, &answer.body["cart"]), (201, &json!(guest.cart_id())));
    let user = guest.impostor(&token_of(&answer));
    let cart = user.cart().await;
    assert_eq!(contents(&cart).0, [("MUG".to_owned(), 2)]);
    assert_eq!(cart["status"], "checkout", "who signs up on the way out goes on there");
    // The token that anybody may have seen before is no longer worth anything.
    guest.add("MUG", 1).await.assert_problem(403, "not-owner");
    tab.next_where(|frame| frame.event == "cart_claimed").await;
    tab.next_where(|frame| frame.event == "phx_close").await;
    conserved(&app).await;
}

async fn lines_of_both_carts_come_together_on_every_device(store: Store) {
    let app = TestApp::start(store).await;
    let here = sign_up(&app).await;
    let own = app.open_cart_as(&here).await;
    own.add("MUG", 1).await.accepted();
    let mut elsewhere = app.join(&own).await;
    let guest = app.open_cart().await;
    guest.add("MUG", 2).await.accepted();
    guest.add("V0", 3).await.accepted();
    let mut tab = app.join(&guest).await;
    let (token, answer) = log_in_as(&app, guest.token()).await;
    assert_eq!(answer["cart"], own.cart_id());
    let lines = [("MUG".to_owned(), 3), ("V0".to_owned(), 3)];
    let seen =
        elsewhere.next_where(|f| f.payload["cart"]["lines"].as_array().is_some_and(|l| l.len() == 2)).await;
    assert_eq!(contents(&seen.payload["cart"]).0, lines, "the other device sees it without asking");
    assert_eq!(contents(&own.impostor(&token).cart().await).0, lines);
    let told = tab.next_where(|f| f.payload["cart"]["status"] == "merged").await;
    assert_eq!(told.payload["cart"]["merged_into"], own.cart_id(), "the guest's tab is told where to go");
    let refused = guest.add("MUG", 1).await;
    refused.assert_problem(409, "cart-merged");
    assert!(refused.body["detail"].as_str().unwrap().contains(own.cart_id()), "{}", refused.body);
    let held = audit::stock(&app).await;
    assert_eq!((held["MUG"].held, held["V0"].held), (3, 3));
    conserved(&app).await;
}

async fn what_does_not_come_along_is_said(store: Store) {
    let app = TestApp::start(store).await;
    let own = app.open_cart_as(&sign_up(&app).await).await;
    own.add("V0", 9_998).await.accepted();
    let guest = app.open_cart().await;
    guest.add("V0", 3).await.accepted();
    let (token, answer) = log_in_as(&app, guest.token()).await;
    let left = &answer["left"][0];
    assert_eq!((&left["quantity"], &left["saved"]), (&json!(2), &json!(true)), "{answer}");
    assert_eq!(left["reason"], "invalid_quantity");
    let cart = contents(&own.impostor(&token).cart().await);
    assert_eq!(cart, (vec![("V0".to_owned(), 9_999)], vec![("V0".to_owned(), 2)]), "it waits for later");
    conserved(&app).await;
}

async fn what_a_customer_may_buy_no_more_of_waits_for_later(store: Store) {
    let mut app = TestApp::prepare(store, Setup::default()).await;
    let limited = "sku,name,price_minor,currency,stock,customer_quantity\nPASS,Pass,5000,GBP,100,3\n";
    app.run(&["import", "products", &app.write_file("limited.csv", limited)]).await;
    app.restart().await;
    let user = sign_up(&app).await;
    let bought = app.open_cart_as(&user).await;
    bought.add("PASS", 2).await.accepted();
    assert_eq!(bought.check_out("tok_success").await.status, 200);
    let own = app.open_cart_as(&user).await;
    own.add("MUG", 1).await.accepted();
    let guest = app.open_cart().await;
    guest.add("PASS", 3).await.accepted();
    let (_, answer) = log_in_as(&app, guest.token()).await;
    assert_eq!(
        (&answer["left"][0]["quantity"], &answer["left"][0]["reason"]),
        (&json!(2), &json!("quantity_limit"))
    );
    let lines = vec![("MUG".to_owned(), 1), ("PASS".to_owned(), 1)];
    assert_eq!(contents(&own.cart().await), (lines, vec![("PASS".to_owned(), 2)]));
    assert_eq!(own.check_out("tok_success").await.status, 200, "what is in the cart can be bought");
    conserved(&app).await;
}

async fn a_log_in_that_is_repeated_doubles_nothing(store: Store) {
    let app = TestApp::start(store).await;
    let own = app.open_cart_as(&sign_up(&app).await).await;
    own.add("MUG", 1).await.accepted();
    let guest = app.open_cart().await;
    guest.add("MUG", 2).await.accepted();
    let repeated = (0..4).map(|_| log_in_as(&app, guest.token()));
    for (token, answer) in futures_util::future::join_all(repeated).await {
        assert_eq!(answer["cart"], own.cart_id());
        assert_eq!(contents(&own.impostor(&token).cart().await).0, [("MUG".to_owned(), 3)]);
    }
    conserved(&app).await;
}

async fn devices_that_log_in_at_once_lose_nothing(store: Store) {
    let app = TestApp::start(store).await;
    sign_up(&app).await;
    // The user has no cart yet, so every device could believe that its own becomes the first.
    let mut guests = vec![];
    for n in 0..6 {
        let guest = app.open_cart().await;
        guest.add("V0", n + 1).await.accepted();
        guests.push(guest);
    }
    let entered = futures_util::future::join_all(guests.iter().map(|g| log_in_as(&app, g.token()))).await;
    let (token, _) = log_in_as(&app, "a-guest-without-a-cart").await;
    let carts: std::collections::BTreeSet<_> = entered.iter().map(|(_, a)| a["cart"].to_string()).collect();
    assert_eq!(carts.len(), 1, "they share one cart: {carts:?}");
    let cart = read(&app, &token, entered[0].1["cart"].as_str().unwrap()).await;
    assert_eq!(contents(&cart).0, [("V0".to_owned(), 21)]);
    conserved(&app).await;
}

async fn the_shop_may_keep_the_users_cart(store: Store) {
    let app = start_with_policy(store, "keep").await;
    let own = app.open_cart_as(&sign_up(&app).await).await;
    own.add("MUG", 1).await.accepted();
    let guest = app.open_cart().await;
    guest.add("V0", 2).await.accepted();
    let (token, answer) = log_in_as(&app, guest.token()).await;
    assert_eq!(answer["cart"], own.cart_id());
    let kept = contents(&own.impostor(&token).cart().await);
    assert_eq!(kept, (vec![("MUG".to_owned(), 1)], vec![("V0".to_owned(), 2)]));
    assert_eq!(audit::stock(&app).await["V0"].held, 0);
    conserved(&app).await;
}

async fn the_shop_may_replace_the_users_cart(store: Store) {
    let app = start_with_policy(store, "replace").await;
    let here = sign_up(&app).await;
    let own = app.open_cart_as(&here).await;
    own.add("MUG", 1).await.accepted();
    let mut elsewhere = app.join(&own).await;
    let guest = app.open_cart().await;
    guest.add("V0", 2).await.accepted();
    let (token, answer) = log_in_as(&app, guest.token()).await;
    assert_eq!(answer["cart"], guest.cart_id());
    let cart = contents(&guest.impostor(&token).cart().await);
    assert_eq!(cart, (vec![("V0".to_owned(), 2)], vec![("MUG".to_owned(), 1)]));
    let told = elsewhere.next_where(|f| f.payload["cart"]["status"] == "merged").await;
    assert_eq!(told.payload["cart"]["merged_into"], guest.cart_id());
    // The other device may go there with the token that it has.
    assert_eq!(elsewhere.join(&guest.topic()).await.status(), "ok");
    conserved(&app).await;
    let _ = here;
}

async fn a_user_who_logs_in_elsewhere_is_one_unit(store: Store) {
    let app = TestApp::start(store).await;
    let guest = app.open_cart().await;
    let answer = app.call(Method::POST, "/api/v1/users", Some(guest.token()), Some(&ada())).await;
    let (token, _) = log_in_as(&app, "another-browser").await;
    let cart = guest.impostor(&token_of(&answer));
    cart.add("MUG", 1).await.accepted();
    guest.impostor(&token).add("MUG", 1).await.accepted();
    let opened = app.events("cart_opened", 1).await;
    let added = app.events("line_added", 2).await;
    let units: std::collections::BTreeSet<_> =
        opened.iter().chain(&added).map(|event| event["unit"].to_string()).collect();
    assert_eq!(units.len(), 1, "{opened:?} {added:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_in_on_one_node_reaches_devices_on_another() {
    let app = TestApp::start(Store::Postgres).await;
    let twin = app.twin().await;
    let own = twin.open_cart_as(&sign_up(&app).await).await;
    own.add("MUG", 1).await.accepted();
    let mut elsewhere = twin.join(&own).await;
    let guest = twin.open_cart().await;
    guest.add("V0", 3).await.accepted();
    let mut tab = twin.join(&guest).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (token, _) = log_in_as(&app, guest.token()).await;
    let seen =
        elsewhere.next_where(|f| f.payload["cart"]["lines"].as_array().is_some_and(|l| l.len() == 2)).await;
    assert_eq!(contents(&seen.payload["cart"]).0, [("MUG".to_owned(), 1), ("V0".to_owned(), 3)]);
    tab.next_where(|f| f.payload["cart"]["status"] == "merged").await;
    guest.add("MUG", 1).await.assert_problem(409, "cart-merged");
    own.impostor(&token).on(twin.address()).add("MUG", 1).await.accepted();
    conserved(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn carts_that_are_live_on_two_nodes_merge_on_every_device() {
    let app = TestApp::start(Store::Postgres).await;
    let twin = app.twin().await;
    let own = app.open_cart_as(&sign_up(&app).await).await;
    own.add("MUG", 1).await.accepted();
    let guest = twin.open_cart().await;
    guest.add("V0", 3).await.accepted();
    let (mut devices, mut tabs) = (vec![], vec![]);
    for node in [&app, &twin, &app, &twin] {
        devices.push(node.join(&own).await);
        tabs.push(node.join(&guest).await);
    }
    // Both carts still change, here and there, while they come together.
    let (here, there) = (own.on(twin.address()), guest.on(app.address()));
    let (_, (token, _), late) =
        futures_util::join!(here.add("MUG", 1), log_in_as(&twin, guest.token()), there.add("V0", 1));
    let is_late = late.status != 200;
    if is_late {
        late.assert_problem(409, "cart-merged");
    }
    let lines = [("MUG".to_owned(), 2), ("V0".to_owned(), if is_late { 3 } else { 4 })];
    for device in &mut devices {
        device
            .next_where(|f| f.payload["cart"]["lines"].is_array() && contents(&f.payload["cart"]).0 == lines)
            .await;
    }
    for tab in &mut tabs {
        let told = tab.next_where(|f| f.payload["cart"]["status"] == "merged").await;
        assert_eq!(told.payload["cart"]["merged_into"], own.cart_id());
    }
    own.impostor(&token).on(twin.address()).add("TEAPOT", 1).await.accepted();
    for device in &mut devices {
        device.next_where(|f| f.payload["cart"]["lines"].as_array().is_some_and(|l| l.len() == 3)).await;
    }
    conserved(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn carts_of_several_shards_merge() {
    let config = "[carts]\nshards = 8\n".to_owned();
    let app = TestApp::start_with(Store::Postgres, Setup { config, ..Setup::default() }).await;
    let own = app.open_cart_as(&sign_up(&app).await).await;
    own.add("V0", 1).await.accepted();
    for n in 1..=12 {
        let guest = app.open_cart().await;
        guest.add("V0", 1).await.accepted();
        let mut tab = app.join(&guest).await;
        let (token, _) = log_in_as(&app, guest.token()).await;
        tab.next_where(|f| f.payload["cart"]["status"] == "merged").await;
        assert_eq!(contents(&own.impostor(&token).cart().await).0, [("V0".to_owned(), n + 1)]);
    }
    conserved(&app).await;
}
