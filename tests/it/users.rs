//! Users: signing up, logging in on several devices, and being logged out.

use std::time::Duration;

use harness::{Answer, Device, Ended, Store, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

on_each_store!(
    one_signs_up_and_has_a_list_of_devices,
    a_device_that_is_ended_is_out_at_once,
    a_new_password_logs_the_other_devices_out,
    guessing_is_throttled_and_tells_nothing,
    what_is_not_good_enough_is_said_field_by_field,
    orders_and_carts_are_the_users_on_every_device,
);

pub const PASSWORD: &str = "seven geese over Bath";

pub fn ada() -> Value {
    json!({"email": "Ada@example.org", "password": PASSWORD, "name": "Ada"})
}

/// Signs up; returns the token of the device.
pub async fn sign_up(app: &TestApp) -> String {
    let answer = app.call(Method::POST, "/api/v1/users", None, Some(&ada())).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    token_of(&answer)
}

async fn log_in(app: &TestApp) -> String {
    let answer = app.call(Method::POST, "/api/v1/sessions", None, Some(&credentials(PASSWORD))).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    token_of(&answer)
}

pub fn credentials(password: &str) -> Value {
    json!({"email": "ada@example.org", "password": password, "device": "Ada's telephone"})
}

pub fn token_of(answer: &Answer) -> String {
    answer.body["visitor_token"].as_str().unwrap().to_owned()
}

async fn sessions(app: &TestApp, token: &str) -> Vec<Value> {
    let answer = app.call(Method::GET, "/api/v1/sessions", Some(token), None).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["sessions"].as_array().unwrap().clone()
}

async fn one_signs_up_and_has_a_list_of_devices(store: Store) {
    let app = TestApp::start(store).await;
    let first = app.call(Method::POST, "/api/v1/users", None, Some(&ada())).await;
    assert_eq!((first.status, &first.body["user"]["email"]), (201, &json!("ada@example.org")));
    assert!(first.header("set-cookie").contains("HttpOnly"), "{:?}", first.headers);
    let here = token_of(&first);
    let again = app.call(Method::POST, "/api/v1/users", None, Some(&ada())).await;
    assert_eq!(again.status, 201, "sent twice, it logs in: {}", again.body);
    let there = log_in(&app).await;
    let devices = sessions(&app, &there).await;
    assert_eq!(devices.len(), 3, "{devices:?}");
    let current: Vec<_> = devices.iter().filter(|d| d["current"] == true).collect();
    assert_eq!((current.len(), &current[0]["device"]), (1, &json!("Ada's telephone")));
    let me = app.call(Method::GET, "/api/v1/users/me", Some(&here), None).await;
    assert_eq!((me.status, &me.body["name"]), (200, &json!("Ada")));
    let nobody = app.call(Method::GET, "/api/v1/users/me", Some("a-guest"), None).await;
    nobody.assert_problem(401, "not-logged-in");
}

async fn a_device_that_is_ended_is_out_at_once(store: Store) {
    let app = TestApp::start(store).await;
    let (here, lost) = (sign_up(&app).await, log_in(&app).await);
    let shopper = app.open_cart_as(&lost).await;
    let mut device: Device = app.join(&shopper).await;
    let devices = sessions(&app, &here).await;
    let id = devices.iter().find(|d| d["current"] == false).unwrap()["id"].as_str().unwrap().to_owned();
    let ended = app.call(Method::DELETE, &format!("/api/v1/sessions/{id}"), Some(&here), None).await;
    assert_eq!(ended.status, 204, "{}", ended.body);
    assert_eq!(device.ended_within(Duration::from_secs(5)).await, Ended::Closed(4_401));
    shopper.add("MUG", 1).await.assert_problem(401, "session-ended");
    let path = format!("/socket/websocket?vsn=2.0.0&userToken={lost}");
    assert_eq!(Device::try_connect(app.address(), &path, &[]).await.unwrap_err(), 403);
    assert_eq!(sessions(&app, &here).await.len(), 1);
    let again = app.call(Method::DELETE, &format!("/api/v1/sessions/{id}"), Some(&here), None).await;
    again.assert_problem(404, "unknown-session");
    let out = app.call(Method::DELETE, "/api/v1/sessions/current", Some(&here), None).await;
    assert_eq!((out.status, out.header("clear-site-data")), (204, "\"storage\""));
    let me = app.call(Method::GET, "/api/v1/users/me", Some(&here), None).await;
    me.assert_problem(401, "session-ended");
}

async fn a_new_password_logs_the_other_devices_out(store: Store) {
    let app = TestApp::start(store).await;
    let (here, there) = (sign_up(&app).await, log_in(&app).await);
    let change = async |from: &str, to: &str| {
        let body = json!({"password": from, "new_password": to});
        app.call(Method::PUT, "/api/v1/users/me/password", Some(&here), Some(&body)).await
    };
    change("a wrong password", "eight swans over Bath").await.assert_problem(401, "wrong-credentials");
    change(PASSWORD, "too short").await.assert_problem(422, "invalid-details");
    assert_eq!(change(PASSWORD, "eight swans over Bath").await.status, 204);
    let me = app.call(Method::GET, "/api/v1/users/me", Some(&there), None).await;
    me.assert_problem(401, "session-ended");
    assert_eq!(sessions(&app, &here).await.len(), 1, "who changed it stays");
    let old = app.call(Method::POST, "/api/v1/sessions", None, Some(&credentials(PASSWORD))).await;
    old.assert_problem(401, "wrong-credentials");
    let new = credentials("eight swans over Bath");
    assert_eq!(app.call(Method::POST, "/api/v1/sessions", None, Some(&new)).await.status, 201);
}

async fn guessing_is_throttled_and_tells_nothing(store: Store) {
    let app = TestApp::start(store).await;
    sign_up(&app).await;
    let guess = async |email: &str| {
        let body = json!({"email": email, "password": "a guess, and a wrong one"});
        app.call(Method::POST, "/api/v1/sessions", None, Some(&body)).await
    };
    let (known, unknown) = (guess("ada@example.org").await, guess("eve@example.org").await);
    known.assert_problem(401, "wrong-credentials");
    assert_eq!(
        (known.status, &known.body),
        (unknown.status, &unknown.body),
        "nobody learns who has an account"
    );
    for email in ["ada@example.org", "eve@example.org"] {
        let mut answer = guess(email).await;
        for _ in 0..10 {
            answer = guess(email).await;
        }
        answer.assert_problem(429, "too-many-attempts");
        assert!(answer.header("retry-after").parse::<u32>().unwrap() <= 901);
    }
    let right = app.call(Method::POST, "/api/v1/sessions", None, Some(&credentials(PASSWORD))).await;
    right.assert_problem(429, "too-many-attempts");
    assert_eq!(guess("bob@example.org").await.status, 401, "another account is another matter");
}

async fn what_is_not_good_enough_is_said_field_by_field(store: Store) {
    let app = TestApp::start(store).await;
    let sign_up = async |email: &str, password: &str| {
        let body = json!({"email": email, "password": password});
        app.call(Method::POST, "/api/v1/users", None, Some(&body)).await
    };
    let answer = sign_up("ada", "passwordpassword").await;
    answer.assert_problem(422, "invalid-details");
    let fields: Vec<_> = answer.body["fields"].as_array().unwrap().iter().map(|f| &f["field"]).collect();
    assert_eq!(fields, ["email", "password"], "{}", answer.body);
    assert_eq!(sign_up("ada@example.org", PASSWORD).await.status, 201);
    let other = sign_up("ADA@example.org", "somebody else's password").await;
    other.assert_problem(409, "account-exists");
    let odd = json!({"email": "eve@example.org", "password": PASSWORD, "admin": true});
    app.call(Method::POST, "/api/v1/users", None, Some(&odd)).await.assert_problem(400, "invalid-json");
}

async fn orders_and_carts_are_the_users_on_every_device(store: Store) {
    let app = TestApp::start(store).await;
    let (here, there) = (sign_up(&app).await, log_in(&app).await);
    let shopper = app.open_cart_as(&here).await;
    let mut device = app.join(&shopper).await;
    let other = shopper.impostor(&there);
    let version = other.add("MUG", 2).await.accepted()["version"].as_u64().unwrap();
    let seen = device.cart_at(version).await;
    assert_eq!(seen.payload["cart"]["lines"][0]["quantity"], 2, "one cart, two devices");
    shopper.impostor("a-guest").add("MUG", 1).await.assert_problem(403, "not-owner");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_on_another_node_is_out_at_once() {
    let app = TestApp::start(Store::Postgres).await;
    let twin = app.twin().await;
    let (here, lost) = (sign_up(&app).await, log_in(&app).await);
    let shopper = twin.open_cart_as(&lost).await;
    let mut device = twin.join(&shopper).await;
    let devices = sessions(&app, &here).await;
    let id = devices.iter().find(|d| d["current"] == false).unwrap()["id"].as_str().unwrap().to_owned();
    // The other node listens from some moment after its start on; ended before it, a session lives for seconds.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let ended = app.call(Method::DELETE, &format!("/api/v1/sessions/{id}"), Some(&here), None).await;
    assert_eq!(ended.status, 204, "{}", ended.body);
    assert_eq!(device.ended_within(Duration::from_secs(5)).await, Ended::Closed(4_401));
    shopper.add("MUG", 1).await.assert_problem(401, "session-ended");
}
