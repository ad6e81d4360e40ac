//! Bad input over HTTP: each case has its exact answer, and the cart is as it was.

use harness::{Answer, Shopper, Store, TestApp, app::random_token};
use reqwest::header::CONTENT_TYPE;
use serde_json::json;

on_each_store!(
    bad_bodies_are_refused_and_change_nothing,
    bad_headers_are_refused_and_change_nothing,
    a_cart_is_its_owners_alone,
    a_cart_has_its_limits,
    what_does_not_exist_is_not_found,
);

/// Body of a command and the problem it is answered with.
const BODIES: &[(&str, u16, &str)] = &[
    // Products.
    (r#"{"type":"add_line","sku":"NO-SUCH-THING","quantity":1}"#, 422, "unknown-sku"),
    (r#"{"type":"set_quantity","sku":"NO-SUCH-THING","quantity":1}"#, 422, "unknown-sku"),
    (r#"{"type":"remove_line","sku":"TEAPOT"}"#, 422, "line-not-found"),
    (r#"{"type":"add_line","sku":"VASE-EUR","quantity":1}"#, 422, "currency-mismatch"),
    (r#"{"type":"add_line","sku":"GONE","quantity":1}"#, 409, "out-of-stock"),
    (r#"{"type":"add_line","sku":"RARE","quantity":4}"#, 409, "out-of-stock"),
    (r#"{"type":"set_quantity","sku":"RARE","quantity":4}"#, 409, "out-of-stock"),
    // Quantities.
    (r#"{"type":"add_line","sku":"MUG","quantity":0}"#, 422, "invalid-quantity"),
    (r#"{"type":"add_line","sku":"MUG","quantity":1.5}"#, 422, "invalid-quantity"),
    (r#"{"type":"add_line","sku":"MUG","quantity":-1}"#, 422, "invalid-quantity"),
    (r#"{"type":"add_line","sku":"MUG","quantity":10000}"#, 422, "invalid-quantity"),
    (r#"{"type":"add_line","sku":"MUG","quantity":9998}"#, 422, "invalid-quantity"),
    (r#"{"type":"add_line","sku":"MUG","quantity":4294967296}"#, 422, "invalid-quantity"),
    (r#"{"type":"add_line","sku":"MUG","quantity":9223372036854775807}"#, 422, "invalid-quantity"),
    (r#"{"type":"set_quantity","sku":"MUG","quantity":0}"#, 422, "invalid-quantity"),
    (r#"{"type":"set_quantity","sku":"MUG","quantity":-7}"#, 422, "invalid-quantity"),
    (r#"{"type":"set_quantity","sku":"MUG","quantity":10000}"#, 422, "invalid-quantity"),
    // JSON that is no command.
    (r#"{"type":"add_line","sku":"MUG","quantity":"two"}"#, 400, "invalid-json"),
    (r#"{"type":"add_line","sku":7,"quantity":1}"#, 400, "invalid-json"),
    (r#"{"type":"add_line","quantity":1}"#, 400, "invalid-json"),
    (r#"{"type":"teleport"}"#, 400, "invalid-json"),
    (r#"{"sku":"MUG","quantity":1}"#, 400, "invalid-json"),
    (r#"[]"#, 400, "invalid-json"),
    (r#""add_line""#, 400, "invalid-json"),
    (r#"null"#, 400, "invalid-json"),
    // No JSON.
    ("", 400, "invalid-json"),
    ("{", 400, "invalid-json"),
    (r#"{"type":"add_line","sku":"MUG","quantity":1"#, 400, "invalid-json"),
    (r#"{"type":"add_line","sku":"MUG","quantity":1}}"#, 400, "invalid-json"),
    ("type=add_line&sku=MUG", 400, "invalid-json"),
    // Checkout.
    (r#"{"type":"complete_step","step":"address","details":{}}"#, 422, "invalid-details"),
    (r#"{"type":"place_order","payment_token":"tok_success"}"#, 409, "checkout-incomplete"),
];

async fn shopper_with_a_mug(app: &TestApp) -> Shopper {
    let shopper = app.open_cart().await;
    shopper.add("MUG", 2).await.accepted();
    shopper
}

async fn bad_bodies_are_refused_and_change_nothing(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = shopper_with_a_mug(&app).await;
    let before = shopper.cart().await;
    for (body, status, problem) in BODIES {
        let request = shopper.raw_command().header(CONTENT_TYPE, "application/json").body(*body);
        let answer = Answer::to(request).await.unwrap();
        assert_eq!(
            (answer.status, answer.problem()),
            (*status, *problem),
            "{body} was answered {}",
            answer.body
        );
        answer.assert_problem(*status, problem);
        assert_eq!(shopper.cart().await, before, "{body} changed the cart");
    }
    let empty = app.open_cart().await;
    for command in
        [json!({"type": "start_checkout"}), json!({"type": "place_order", "payment_token": "tok_success"})]
    {
        empty.command(&command).await.assert_problem(409, "cart-empty");
    }
}

async fn bad_headers_are_refused_and_change_nothing(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = shopper_with_a_mug(&app).await;
    let stale = shopper.cart().await["version"].as_u64().unwrap();
    shopper.add("TEAPOT", 1).await.accepted();
    let before = shopper.cart().await;
    let add = r#"{"type":"add_line","sku":"MUG","quantity":1}"#;

    for (kind, body) in [
        ("text/plain", add),
        ("application/x-www-form-urlencoded", "type=clear"),
        ("application/xml", "<clear/>"),
    ] {
        let request = shopper.raw_command().header(CONTENT_TYPE, kind).body(body);
        Answer::to(request).await.unwrap().assert_problem(415, "unsupported-media-type");
    }
    let huge = format!(r#"{{"type":"add_line","sku":"{}","quantity":1}}"#, "x".repeat(2 * 1024 * 1024));
    let request = shopper.raw_command().header(CONTENT_TYPE, "application/json").body(huge);
    Answer::to(request).await.unwrap().assert_problem(413, "body-too-large");

    let with_version = |version: &str| {
        shopper.raw_command().header(CONTENT_TYPE, "application/json").header("If-Match", version).body(add)
    };
    let answer = Answer::to(with_version(&format!("\"{stale}\""))).await.unwrap();
    answer.assert_problem(412, "stale-version");
    assert_eq!(shopper.cart().await, before);

    let current = before["version"].as_u64().unwrap();
    let cart = Answer::to(with_version(&format!("\"{current}\""))).await.unwrap().accepted();
    assert_eq!(cart["version"], current + 1);
}

async fn a_cart_is_its_owners_alone(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = shopper_with_a_mug(&app).await;
    let before = shopper.cart().await;
    let impostor = shopper.impostor(&random_token());
    impostor.get().await.assert_problem(403, "not-owner");
    for command in [
        json!({"type": "add_line", "sku": "MUG", "quantity": 1}),
        json!({"type": "clear"}),
        json!({"type": "add_line", "sku": "NO-SUCH-THING", "quantity": 0}),
    ] {
        impostor.command(&command).await.assert_problem(403, "not-owner");
    }
    assert_eq!(shopper.cart().await, before);
}

async fn a_cart_has_its_limits(store: Store) {
    const LINES: usize = 500;
    let goods = harness::catalogue::many("L", LINES + 1, 100_000);
    let app = TestApp::start_with(store, harness::app::Setup { goods, ..Default::default() }).await;
    let shopper = app.open_cart().await;
    for n in 0..LINES {
        shopper.add(&format!("L{n}"), 1).await.accepted();
    }
    shopper.add(&format!("L{LINES}"), 1).await.assert_problem(422, "cart-full");
    shopper.add("L0", 9_998).await.accepted();
    shopper.add("L0", 1).await.assert_problem(422, "invalid-quantity");
    let cart = shopper.cart().await;
    assert_eq!(
        (cart["lines"].as_array().unwrap().len(), &cart["totals"]["items"]),
        (LINES, &json!(9_999 + LINES - 1))
    );
}

async fn what_does_not_exist_is_not_found(store: Store) {
    let app = TestApp::start(store).await;
    let token = random_token();
    let client = reqwest::Client::new();
    let no_cart = app.url("/api/v1/carts/nobody-opened-this");
    Answer::to(client.get(&no_cart).bearer_auth(&token)).await.unwrap().assert_problem(404, "unknown-cart");
    let command =
        client.post(format!("{no_cart}/commands")).bearer_auth(&token).json(&json!({"type": "clear"}));
    Answer::to(command).await.unwrap().assert_problem(404, "unknown-cart");
    for path in
        ["/api/v1/products/NO-SUCH-THING", "/api/v1/nothing", "/nothing/at/all", "/products/NO-SUCH-THING"]
    {
        let answer = Answer::to(client.get(app.url(path))).await.unwrap();
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
    }
    let odd_id = app.url("/api/v1/carts/..%2f..%2fetc%2fpasswd");
    let answer = Answer::to(client.get(odd_id).bearer_auth(&token)).await.unwrap();
    assert!((400..500).contains(&answer.status), "{}", answer.status);
}
