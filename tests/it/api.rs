//! The manners of the API: preferences, allowances, other origins, types, and keys.

use harness::{Answer, Shopper, Store, TestApp, app::Setup, app::random_token};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::task::JoinSet;

on_each_store!(
    a_client_that_prefers_little_gets_little,
    a_cart_is_opened_once_a_key,
    odd_json_is_refused_with_its_place,
    an_allowance_ends_and_says_when_it_comes_back,
    pages_of_listed_origins_may_listen,
    types_and_methods_are_negotiated,
);

async fn a_client_that_prefers_little_gets_little(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let command = |body: Value, prefer: &str| shopper.raw_command().header("Prefer", prefer).json(&body);
    let add = json!({"type": "add_line", "sku": "MUG", "quantity": 2});
    let little = Answer::to(command(add.clone(), "return=minimal")).await.unwrap();
    assert_eq!((little.status, &little.body), (204, &Value::Null));
    assert_eq!((little.header("etag"), little.header("preference-applied")), ("\"2\"", "return=minimal"));
    let much = Answer::to(command(add.clone(), "respond-async, Return = \"representation\"")).await.unwrap();
    assert_eq!((much.status, much.header("preference-applied")), (200, "return=representation"));
    assert_eq!(much.body["item"]["quantity"], 4);
    let plain = Answer::to(command(add.clone(), "wait=10")).await.unwrap();
    assert_eq!((plain.status, plain.header("preference-applied")), (200, ""));
    let refused = command(json!({"type": "add_line", "sku": "GONE", "quantity": 1}), "return=minimal");
    Answer::to(refused).await.unwrap().assert_problem(409, "out-of-stock");

    // A key's answer is the same; how much of it is told is each request's own wish.
    let keyed = |prefer: &str| command(add.clone(), prefer).header("Idempotency-Key", "k");
    let first = Answer::to(keyed("return=minimal")).await.unwrap();
    let again = Answer::to(keyed("return=representation")).await.unwrap();
    assert_eq!((first.status, again.status, first.header("etag")), (204, 200, again.header("etag")));
    assert_eq!(again.body["version"], 5);

    shopper.check_out("tok_decline").await.assert_problem(402, "payment-declined");
    let order = json!({"type": "place_order", "payment_token": "tok_success"});
    let placed = Answer::to(command(order, "return=minimal")).await.unwrap();
    assert_eq!(placed.status, 204, "{}", placed.body);
    let order = Client::new().get(app.url(placed.header("location"))).bearer_auth(shopper.token());
    assert_eq!(Answer::to(order).await.unwrap().body["cart"], shopper.cart_id());
}

async fn a_cart_is_opened_once_a_key(store: Store) {
    let mut app = TestApp::start(store).await;
    let token = random_token();
    let open = |app: &TestApp, token: &str, key: &str, body: Value| {
        let request = Client::new().post(app.url("/api/v1/carts")).bearer_auth(token);
        Answer::to(request.header("Idempotency-Key", key).json(&body))
    };
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        tasks.spawn(open(&app, &token, "first", json!({})));
    }
    let answers: Vec<_> = tasks.join_all().await.into_iter().map(|answer| answer.unwrap()).collect();
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (201, &answers[0].body));
        assert_eq!(answer.header("location"), answers[0].header("location"));
    }
    let id = answers[0].body["cart"]["id"].as_str().unwrap().to_owned();
    let url = app.url(&format!("/api/v1/carts/{id}/commands"));
    let add = json!({"type": "add_line", "sku": "MUG", "quantity": 1});
    Answer::to(Client::new().post(url).bearer_auth(&token).json(&add)).await.unwrap().accepted();
    app.restart().await;
    let again = open(&app, &token, "first", json!({})).await.unwrap();
    assert_eq!((again.status, &again.body), (201, &answers[0].body), "the answer is the first one's");

    open(&app, &token, "first", json!({"currency": "EUR"}))
        .await
        .unwrap()
        .assert_problem(422, "idempotency-mismatch");
    let second = open(&app, &token, "second", json!({})).await.unwrap().accepted();
    let anothers = open(&app, &random_token(), "first", json!({})).await.unwrap().accepted();
    assert!(second["id"] != id && anothers["id"] != id && anothers["id"] != second["id"]);

    let named = json!({"id": "of-my-own"});
    let cart = open(&app, &token, "third", named.clone()).await.unwrap().accepted();
    assert_eq!(cart["id"], "of-my-own");
    assert_eq!(open(&app, &token, "third", named).await.unwrap().accepted(), cart);
    let unknown = Client::new().post(app.url("/api/v1/carts")).header("Idempotency-Key", "first");
    Answer::to(unknown).await.unwrap().assert_problem(401, "unauthorized");
}

async fn odd_json_is_refused_with_its_place(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for (body, said) in [
        (r#"{"type":"add_line","sku":"MUG","colour":"red"}"#, "colour"),
        (r#"{"type":"add_line","sku":"MUG","sku":"RARE"}"#, "duplicate field `sku`"),
        (r#"{"type":"clear","type":"add_line","sku":"MUG"}"#, "duplicate field `type`"),
        (r#"{"type":"add_line","sku":"MUG","properties":{"a":"1","a":"2"}}"#, "duplicate field \"a\""),
        (r#"{"type":"add_line","sku":"MUG","properties":{"a":{"b":{}}}}"#, "`properties.a` must be a text"),
        (r#"{"type":"complete_step","step":"address","details":{"planet":"Mars"}}"#, "planet"),
        (r#"{"type":"add_line","sku":"MUG","quantity":1e999}"#, "number out of range"),
        (r#"["clear"]"#, "an object"),
        (r#"{"type":11}"#, "`type` must be one of"),
        (r#"{"type":"batch","commands":[{"type":0,"sku":"MUG"}]}"#, "`commands[0].type` must be one of"),
        (r#"{"type":"batch","commands":[["clear"]]}"#, "an object"),
        (&deep, ""),
        (&format!(r#"{{"type":"clear","x":{deep}}}"#), ""),
        ("{\"type\":\"clear\u{0}\"}", ""),
    ] {
        let request = shopper.raw_command().header("Content-Type", "application/json").body(body.to_owned());
        let answer = Answer::to(request).await.unwrap();
        answer.assert_problem(400, "invalid-json");
        assert!(answer.body["detail"].as_str().unwrap().contains(said), "{body}: {}", answer.body);
    }
    let array = Client::new().post(app.url("/api/v1/carts")).json(&json!([null, null]));
    Answer::to(array).await.unwrap().assert_problem(400, "invalid-json");
    for (kind, encoding, status) in [
        ("application/json; charset=UTF-8", "identity", 200),
        ("application/json;charset=latin1", "identity", 415),
        ("application/json", "gzip", 415),
    ] {
        let request = shopper.raw_command().header("Content-Type", kind).header("Content-Encoding", encoding);
        let answer = Answer::to(request.body(r#"{"type":"clear"}"#)).await.unwrap();
        assert_eq!(answer.status, status, "{kind} {encoding}: {}", answer.body);
    }
}

async fn an_allowance_ends_and_says_when_it_comes_back(store: Store) {
    let config = "[limits]\nloopback = true\nvisitor_requests = 5\naddress_requests = 12\nseconds = 60\n\
                  proxies = [\"127.0.0.0/8\"]\n";
    let app = TestApp::start_with(store, Setup { config: config.into(), ..Setup::default() }).await;
    let ask = |token: &str, client: &str| {
        let request = Client::new().get(app.url("/api/v1/products")).bearer_auth(token);
        Answer::to(request.header("X-Forwarded-For", client.to_owned()))
    };
    let first = ask("ada", "203.0.113.7").await.unwrap();
    assert_eq!(first.header("ratelimit-policy"), "\"visitor\";q=5;w=60, \"address\";q=12;w=60");
    assert_eq!(first.header("ratelimit"), "\"visitor\";r=4;t=12");
    for _ in 0..4 {
        assert_eq!(ask("ada", "203.0.113.7").await.unwrap().status, 200);
    }
    let refused = ask("ada", "203.0.113.7").await.unwrap();
    refused.assert_problem(429, "too-many-requests");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=12).contains(&wait), "{wait}");
    assert!(refused.header("ratelimit").starts_with("\"visitor\";r=0;t="), "{:?}", refused.headers);

    assert_eq!(
        ask("eve", "203.0.113.8").await.unwrap().status,
        200,
        "another visitor has an allowance of their own"
    );
    let mut statuses = vec![];
    for n in 0..10 {
        statuses.push(ask(&format!("name-{n}"), "203.0.113.7").await.unwrap().status);
    }
    assert_eq!(
        statuses.iter().filter(|status| **status == 429).count(),
        4,
        "the address has one for all: {statuses:?}"
    );
    let page = reqwest::get(app.url("/")).await.unwrap();
    assert_eq!(page.status(), 200, "pages have no allowance");
}

async fn pages_of_listed_origins_may_listen(store: Store) {
    let mut app = TestApp::prepare(store, Setup::default()).await;
    let file = app.config_file();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("allowed_origins = [\"shop.example\"]\n{text}")).unwrap();
    app.restart().await;
    let client = Client::new();
    let preflight = |origin: &str, path: &str| {
        let request = client.request(Method::OPTIONS, app.url(path)).header("Origin", origin.to_owned());
        Answer::to(request.header("Access-Control-Request-Method", "POST"))
    };
    let answer = preflight("https://shop.example", "/api/v1/carts/x/commands").await.unwrap();
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), "https://shop.example");
    assert_eq!(answer.header("access-control-allow-methods"), "OPTIONS, POST");
    assert!(answer.header("access-control-allow-headers").contains("idempotency-key"));
    assert_eq!(answer.header("vary"), "origin");
    let stranger = preflight("https://evil.example", "/api/v1/carts").await.unwrap();
    assert_eq!(stranger.header("access-control-allow-origin"), "");

    let open = client.post(app.url("/api/v1/carts")).header("Origin", "https://shop.example");
    let opened = Answer::to(open).await.unwrap();
    assert_eq!((opened.status, opened.header("access-control-allow-origin")), (201, "https://shop.example"));
    assert!(opened.header("access-control-expose-headers").contains("etag"));
    let refused = client.get(app.url("/api/v1/carts/x")).header("Origin", "https://shop.example");
    let refused = Answer::to(refused).await.unwrap();
    assert_eq!(
        (refused.status, refused.header("access-control-allow-origin")),
        (401, "https://shop.example")
    );
}

async fn types_and_methods_are_negotiated(store: Store) {
    let app = TestApp::start(store).await;
    let client = Client::new();
    let products = |accept: &str| {
        Answer::to(client.get(app.url("/api/v1/products")).header("Accept", accept.to_owned()))
    };
    products("text/html").await.unwrap().assert_problem(406, "not-acceptable");
    assert_eq!(products("text/html, */*;q=0.1").await.unwrap().status, 200);
    let packed = client.get(app.url("/api/v1/products")).header("Accept-Encoding", "gzip");
    assert_eq!(Answer::to(packed).await.unwrap().header("content-encoding"), "gzip");
    let get = Answer::to(client.get(app.url("/api/v1/products"))).await.unwrap();
    let head = Answer::to(client.head(app.url("/api/v1/products"))).await.unwrap();
    assert_eq!((head.status, &head.body), (200, &Value::Null));
    assert_eq!(head.header("content-length"), get.header("content-length"));
    let wrong = Answer::to(client.put(app.url("/api/v1/carts")).json(&json!({}))).await.unwrap();
    wrong.assert_problem(405, "method-not-allowed");
    assert_eq!(wrong.header("allow"), "OPTIONS, POST");
    let nobody = Answer::to(client.get(app.url("/api/v1/carts/x"))).await.unwrap();
    nobody.assert_problem(401, "unauthorized");
    assert_eq!(nobody.header("www-authenticate"), "Bearer");

    let shopper: Shopper = app.open_cart().await;
    let refused = shopper.add("NO-SUCH-THING", 1).await;
    assert_eq!(refused.body["code"], "unknown_sku");
    assert!(refused.body["mend"].as_str().unwrap().contains("/api/v1/products"));
}
