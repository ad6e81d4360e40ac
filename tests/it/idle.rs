//! Carts that nobody touches: told of, expired once, and reopened for whoever comes back.

use std::{collections::BTreeMap, time::Duration};

use harness::{Shopper, Store, TestApp, app::Setup, audit, shopper::complete_step, tables};
use serde_json::{Value, json};

on_each_store!(
    an_abandoned_cart_is_told_of_once_with_what_can_be_seen,
    an_expired_cart_gives_its_pieces_back_and_is_reopened,
    a_page_welcomes_back,
    an_order_is_never_abandoned,
    a_snapshot_of_an_expired_cart_reopens_it,
);

/// Returns a shop that counts carts as abandoned and expired after so many seconds.
fn setup(abandon_seconds: u64, expire_seconds: u64) -> Setup {
    let config = format!(
        "[payment]\ntimeout_ms = 300\n[carts]\nhold_sweep_seconds = 1\nabandon_seconds = {abandon_seconds}\n\
         expire_seconds = {expire_seconds}\n"
    );
    Setup { config, ..Setup::default() }
}

async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// Waits until a cart has expired.
async fn expired(shopper: &Shopper) -> Value {
    for _ in 0..100 {
        let cart = shopper.cart().await;
        if cart["status"] == "expired" {
            return cart;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not expired within ten seconds: {}", shopper.cart().await)
}

async fn an_abandoned_cart_is_told_of_once_with_what_can_be_seen(store: Store) {
    let app = TestApp::start_with(store, setup(1, 0)).await;
    let shopper = app.open_cart().await;
    shopper.add("MUG", 2).await.accepted();
    shopper.command(&json!({"type": "start_checkout"})).await.accepted();
    let events = app.events("cart_abandoned", 1).await;
    let data = &events[0]["data"];
    assert_eq!(
        (&data["total_minor"], &data["lines"], &data["pieces"]),
        (&json!(2_500), &json!(1), &json!(2))
    );
    assert_eq!((&data["reached"], &data["next_step"]), (&json!("checkout"), &json!("address")));
    assert_eq!(data["reasons"], json!([{"reason": "address_missing"}]));
    assert_eq!(events[0]["cart"], shopper.cart_id());
    // It is told once, and looking at the cart is no change.
    for _ in 0..3 {
        shopper.cart().await;
        seconds(1).await;
    }
    assert_eq!(app.events_now("cart_abandoned").len(), 1);
    assert_eq!(shopper.cart().await["status"], "checkout");

    // A change begins the time anew; the card was refused meanwhile.
    for step in ["address", "shipping", "payment", "review"] {
        shopper.command(&complete_step(step)).await.accepted();
    }
    shopper.place_order("tok_decline").await.assert_problem(402, "payment-declined");
    let events = app.events("cart_abandoned", 2).await;
    let last = events.iter().max_by_key(|e| e["position"].as_u64()).unwrap();
    assert_eq!(last["data"]["reached"], "review");
    assert_eq!(last["data"]["reasons"], json!([{"reason": "payment_failed", "why": "payment_declined"}]));
}

async fn an_expired_cart_gives_its_pieces_back_and_is_reopened(store: Store) {
    let app = TestApp::start_with(store, setup(1, 2)).await;
    let shopper = app.open_cart().await;
    let mut device = app.join(&shopper).await;
    shopper.add("RARE", 3).await.accepted();
    shopper.add("MUG", 1).await.accepted();
    assert_eq!(audit::stock(&app).await["RARE"].held, 3);
    let cart = expired(&shopper).await;
    assert_eq!(cart["lines"].as_array().unwrap().len(), 2, "what was wanted is still known");
    let seen = device.cart_at(cart["version"].as_u64().unwrap()).await;
    assert_eq!(seen.payload["cart"]["status"], "expired", "every device hears of it");
    let stock = audit::stock(&app).await;
    assert_eq!((stock["RARE"].held, stock["RARE"].available, stock["MUG"].held), (0, 3, 0));
    assert_eq!(app.events("cart_expired", 1).await.len(), 1);
    shopper.add("MUG", 1).await.assert_problem(409, "cart-expired");
    shopper.place_order("tok_success").await.assert_problem(409, "cart-expired");

    // Somebody else takes two of the three rare things.
    let other = app.open_cart().await;
    other.add("RARE", 2).await.accepted();
    let reopen = json!({"type": "reopen"});
    let answer = shopper.command_with_key(&reopen, "back").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let [rare, mug] = &answer.body["reopened"].as_array().unwrap()[..] else { panic!("{}", answer.body) };
    assert_eq!((&rare["wanted"], &rare["quantity"]), (&json!(3), &json!(1)));
    assert_eq!((&rare["because"]["reason"], mug.get("because")), (&json!("out_of_stock"), None));
    assert_eq!((&mug["quantity"], &mug["unit_price_minor"]), (&json!(1), &mug["was_minor"]));
    assert_eq!(answer.body["cart"]["status"], "open");
    let again = shopper.command_with_key(&reopen, "back").await;
    assert_eq!(again.body, answer.body, "the same key is told the same");
    assert_eq!(shopper.quantity("RARE").await, 1);
    let stock = audit::stock(&app).await;
    assert_eq!((stock["RARE"].held, stock["RARE"].available), (3, 0));
    assert!(app.try_run(&["check"]).await.status.success(), "every piece has its place");
    app.events("cart_reopened", 1).await;
}

async fn a_page_welcomes_back(store: Store) {
    let app = TestApp::start_with(store, setup(1, 2)).await;
    let shopper = app.open_cart().await;
    shopper.add("RARE", 2).await.accepted();
    expired(&shopper).await;
    let other = app.open_cart().await;
    other.add("RARE", 3).await.accepted();
    let page = app.page(&shopper, "/cart").await;
    assert!(page.contains("Welcome back") && page.contains("The RARE is sold out"), "{page}");
    assert!(page.contains("data-told"), "scripts need not say it again");
    let page = app.page(&shopper, "/cart").await;
    assert!(!page.contains("Welcome back"), "once is enough");
}

async fn an_order_is_never_abandoned(store: Store) {
    let app = TestApp::start_with(store, setup(1, 2)).await;
    let shopper = app.open_cart().await;
    shopper.add("MUG", 1).await.accepted();
    assert_eq!(shopper.check_out("tok_success").await.status, 200);
    let empty = app.open_cart().await;
    expired(&empty).await;
    seconds(2).await;
    assert_eq!(shopper.cart().await["status"], "ordered");
    assert_eq!(app.events("cart_expired", 1).await.len(), 1, "the empty one");
    assert_eq!(app.events_now("cart_abandoned"), [json!(null); 0]);
}

async fn a_snapshot_of_an_expired_cart_reopens_it(store: Store) {
    let app = TestApp::start_with(store, setup(1, 2)).await;
    let shopper = app.open_cart().await;
    shopper.add("MUG", 2).await.accepted();
    let taken = shopper.request("GET", "/snapshot", None).await.body;
    expired(&shopper).await;
    let kept = json!({"snapshot": taken["snapshot"]});
    let restored = shopper.request("POST", "/restore", Some(kept)).await;
    assert_eq!(restored.status, 200, "{}", restored.body);
    assert_eq!(restored.body["cart"]["status"], "open");
    assert_eq!((&restored.body["reopened"][0]["quantity"], shopper.quantity("MUG").await), (&json!(2), 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_note_each_lapse_once() {
    let app = TestApp::start_with(Store::Postgres, setup(1, 3)).await;
    let mut twin = app.twin().await;
    let mut carts = vec![];
    for n in 0..12 {
        let node = if n % 2 == 0 { &app } else { &twin };
        let shopper = node.open_cart().await;
        shopper.add("V0", 1).await.accepted();
        carts.push(shopper.on(app.address()));
    }
    // Whichever sweeps, half-way the other one goes on.
    seconds(2).await;
    twin.kill();
    for shopper in &carts {
        expired(shopper).await;
    }
    for kind in ["cart_abandoned", "cart_expired"] {
        let mut told: BTreeMap<String, usize> = BTreeMap::new();
        for _ in 0..200 {
            // Each node's files may have read a part of the outbox.
            let events = [app.events_now(kind), twin.events_now(kind)].concat();
            let by_id: BTreeMap<_, _> =
                events.iter().map(|e| (e["id"].to_string(), e["cart"].to_string())).collect();
            told.clear();
            for cart in by_id.into_values() {
                *told.entry(cart).or_default() += 1;
            }
            if told.len() == carts.len() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(told.len(), carts.len(), "{kind}");
        assert!(told.values().all(|times| *times == 1), "{kind}: {told:?}");
    }
    let stock = audit::stock(&app).await["V0"];
    assert_eq!((stock.held, stock.available, stock.is_conserved()), (0, stock.supplied, true));
}

#[tokio::test]
async fn sweeps_do_not_read_carts_of_which_no_time_has_come() {
    const CARTS: u64 = 20_000;
    // The sweeps' statements are planned here, while there is no cart.
    let app = TestApp::start_with(Store::Postgres, setup(3_600, 7_200)).await;
    seconds(2).await;
    let wakes = "CROSS JOIN (SELECT 10 * extract(epoch FROM now())::bigint * 1000 AS due) AS d";
    let carts = format!(
        "INSERT INTO carts (id, owner, version, is_ordered, opened, place, state, idle_due_ms, wake_ms)
            SELECT 'stored-' || n, 'stored', 1, false, n, 0, '{{}}', due, due FROM generate_series(1, {CARTS}) AS n {wakes};
        INSERT INTO wakes (due_ms, cart) SELECT wake_ms, id FROM carts"
    );
    tables::run(app.store_url(), &carts).await.unwrap();
    let read = async || -> u64 {
        let query = "SELECT coalesce(idx_tup_fetch, 0) + seq_tup_read FROM pg_stat_user_tables WHERE relname = 'carts'";
        tables::texts(app.store_url(), query).await[0][0].parse().unwrap()
    };
    // What was just written is counted within two seconds.
    seconds(2).await;
    let before = read().await;
    seconds(4).await;
    assert!(read().await - before < CARTS, "four sweeps read carts again");
}
