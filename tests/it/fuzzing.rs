//! Schemathesis: whatever a client sends that reads the document, or ignores it, the server keeps what the document says.
//!
//! `FUZZ_EXAMPLES` and `FUZZ_SEED` draw more for each operation, or something else.

use std::{env, path::Path, time::Instant};

use harness::{
    Answer, Store, TestApp, admin,
    program::{python_tool, succeeded},
};
use reqwest::Method;
use serde_json::{Value, json};

on_each_store!(the_server_keeps_what_its_document_says);

/// What is drawn is drawn again by the next run.
const SEED: u32 = 20_240_229;
/// How much is drawn for each operation in a phase, where nothing else is asked for.
const EXAMPLES: u32 = 8;

fn setting(name: &str, default: u32) -> String {
    let number = |text: String| text.parse().unwrap_or_else(|e| panic!("{name}={text}: {e}"));
    env::var(name).map_or(default, number).to_string()
}

/// Operations that end the session of whoever asks, by logging in as somebody else or out.
const ENDING: [&str; 3] = ["signUp", "logIn", "logOut"];

async fn the_server_keeps_what_its_document_says(store: Store) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let known = Known::make(&app).await;
    let all_but = ENDING.map(|id| ["--exclude-operation-id", id]).concat();
    schemathesis(&app, &known.config(), &all_but).await;
    // It was let in to the end: otherwise it would have seen nothing but refusals.
    let me = app.call(Method::GET, "/api/v1/users/me", Some(&known.token), None).await;
    assert_eq!(me.status, 200, "{}", me.body);
    let only = ENDING.map(|id| ["--include-operation-id", id]).concat();
    let only = [&only[..], &["--phases", "examples,coverage,fuzzing"]].concat();
    schemathesis(&app, &known.config(), &only).await;
    app.run(&["check"]).await;
}

async fn schemathesis(app: &TestApp, config: &str, operations: &[&str]) {
    let config = app.write_file("schemathesis.toml", config);
    let began = Instant::now();
    let output = python_tool("schemathesis")
        .args(["--config-file", &config, "run", &app.url("/api/openapi.json")])
        .args(["--seed", &setting("FUZZ_SEED", SEED)])
        .args(["--max-examples", &setting("FUZZ_EXAMPLES", EXAMPLES)])
        .args(operations)
        // It keeps things where it runs.
        .current_dir(Path::new(&config).parent().unwrap())
        .output()
        .await
        .unwrap();
    println!("{}\n{}: {:?}", succeeded("schemathesis", &output), app.store(), began.elapsed());
}

/// Says how much is drawn and what is checked: everything but what no schema can say, such as that a cursor was given by
/// nobody, a key belongs to another request, or a product is sold out. One worker: where two threads read sources of lambdas at
/// once, as the tool does for odd bodies, Python 3.11 fails by itself ("AST constructor recursion depth mismatch").
const GENERAL: &str = r#"
workers = 1
continue-on-failure = true

[generation]
database = "none"

[checks]
# Whatever fits the schema would have to be accepted. Refused for good reasons are: cursors and snapshots that nobody gave,
# codes that another card has, versions that went by, keys of another request, a second replay beside one that runs; two
# query parameters that exclude each other, and sums over two lists, which no schema of one value can say; texts
# by their bytes, where a schema counts characters; and 3.0 for a whole number, which JSON Schema takes for one and
# the document's prose forbids.
positive_data_acceptance.enabled = false
# As by default, and where a version that nobody can have seen comes first, or a body that is too large to be read.
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 428, 429]
"#;

/// Is what stands in the shop before the first request, so that what is drawn meets something.
struct Known {
    token: String,
    device: String,
    cart: String,
    shared_cart: String,
    order: String,
    list: String,
    shared_list: String,
}

impl Known {
    async fn make(app: &TestApp) -> Self {
        let user = json!({"email": "grace@example.org", "password": "eleven swans on the Avon"});
        let post = async |path: &str, token: Option<&str>, body: Value| {
            app.call(Method::POST, &format!("/api/v1{path}"), token, Some(&body)).await
        };
        let token = text(&post("/users", None, user.clone()).await, "/visitor_token");
        let device = text(&post("/sessions", None, user).await, "/session/id");
        let buyer = app.open_cart_as(&token).await;
        buyer.add("MUG", 3).await.accepted();
        let order = text(&buyer.check_out("tok_success").await, "/order/id");
        let cart = app.open_cart_as(&token).await;
        cart.add("TEAPOT", 2).await.accepted();
        let shared_cart =
            text(&cart.request("POST", "/shares", Some(json!({"editable": true}))).await, "/token");
        let list = text(&post("/lists", Some(&token), json!({"name": "Wedding"})).await, "/id");
        let shared_list =
            text(&post(&format!("/lists/{list}/share"), Some(&token), json!({})).await, "/token");
        Self { cart: cart.cart_id().to_owned(), token, device, shared_cart, order, list, shared_list }
    }

    /// Says who asks, what they know, how much is drawn and what is checked.
    fn config(&self) -> String {
        let Self { token, device, cart, shared_cart, order, list, shared_list } = self;
        let (user, password) = (admin::USER, admin::PASSWORD);
        let known = [
            ("/carts/[{]id", "path.id", "0.8", vec![cart.as_str()]),
            ("/shared-carts/", "path.token", "0.8", vec![shared_cart.as_str()]),
            ("/orders/[{]id", "path.id", "0.8", vec![order.as_str()]),
            ("/lists/[{]id", "path.id", "0.8", vec![list.as_str()]),
            ("/shared-lists/", "path.token", "0.8", vec![shared_list.as_str()]),
            ("/products/[{]sku", "path.sku", "0.8", vec!["MUG", "GONE"]),
            ("[{]client_key", "path.client_key", "0.8", vec!["sdk-cartwright"]),
            ("/flags/[{]key", "path.key", "0.5", vec!["checkout_workflow"]),
            ("/sinks/", "path.sink", "0.8", vec!["mail"]),
            // Another device, so that the one that asks is never logged out.
            ("/sessions/[{]id", "path.id", "1.0", vec![device.as_str()]),
        ];
        let known = known.iter().enumerate().map(|(n, (path, parameter, chance, values))| {
            format!(
                "[dictionaries.known{n}]\nvalues = {values:?}\n[[operations]]\ninclude-path-regex = \"{path}\"\n\
                 parameters = {{ \"{parameter}\" = {{ dictionary = \"known{n}\", probability = {chance} }} }}\n"
            )
        });
        let known: String = known.collect();
        format!(
            r#"{GENERAL}
[auth.openapi]
visitor_token = {{ bearer = "{token}" }}
admin_password = {{ username = "{user}", password = "{password}" }}

# Any secret is a visitor; a session that has ended is refused, and a password that is wrong only ten times, then nobody is heard
# (`openapi.rs` asks each operation of the shop's people without one).
[[operations]]
include-path-regex = "/"
checks = {{ ignored_auth = {{ enabled = false }} }}

# The generator gives its examples up as flaky: they are drawn anew from the patterns of three headers.
[[operations]]
include-operation-id = "tellOfPayment"
phases = {{ examples = {{ enabled = false }} }}

{known}"#
        )
    }
}

fn text(answer: &Answer, pointer: &str) -> String {
    let found = answer.body.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no {pointer} in {} {}", answer.status, answer.body)).to_owned()
}
