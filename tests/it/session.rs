//! How a browser is known again: the sealed cookie, and the keys that seal it.

use std::os::unix::fs::PermissionsExt;

use harness::{
    Store, TestApp,
    app::{Setup, random_token},
    shopper::Answer,
};
use reqwest::{Client, header};
use serde_json::{Value, json};

on_each_store!(
    a_browser_is_known_by_a_sealed_cookie,
    an_open_cookie_is_replaced_without_a_word,
    a_forged_cookie_is_a_strangers,
    keys_are_changed_under_open_sessions,
);

/// A key of last year.
pub const OLD: &str = "2025:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
/// A key of this year.
pub const NEW: &str = "2026:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

/// Returns a shop's setup with keys.
pub fn with_keys(keys: &[&str]) -> Setup {
    Setup { config: format!("[session]\nkeys = {}\n", json!(keys)), ..Setup::default() }
}

/// Asks as a browser with a cookie jar of one cookie.
async fn ask(app: &TestApp, path: &str, cookie: &str) -> (Answer, String) {
    let request = Client::new().get(app.url(path)).header(header::COOKIE, cookie);
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    (Answer { status, headers, body }, text)
}

fn cookies(answer: &Answer) -> Vec<String> {
    let all = answer.headers.get_all(header::SET_COOKIE).iter();
    all.map(|value| value.to_str().unwrap().to_owned()).collect()
}

/// Returns the name and value of the session's cookie.
fn session(answer: &Answer) -> String {
    let all = cookies(answer);
    let found = all.iter().find(|c| c.starts_with("cartwright_session="));
    found.unwrap_or_else(|| panic!("{all:?}")).split(';').next().unwrap().to_owned()
}

async fn a_browser_is_known_by_a_sealed_cookie(store: Store) {
    let mut app = TestApp::start(store).await;
    let opened = Answer::to(Client::new().post(app.url("/api/v1/carts")).json(&json!({}))).await.unwrap();
    let cart = opened.body["cart"]["id"].as_str().unwrap().to_owned();
    let token = opened.body["visitor_token"].as_str().unwrap().to_owned();
    let [set] = &cookies(&opened)[..] else { panic!("{:?}", opened.headers) };
    for attribute in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=31536000"] {
        assert!(set.contains(attribute), "{set}");
    }
    assert!(!set.contains("; Secure"), "this is plain http: {set}");
    assert!(!set.contains(&token), "{set}");

    let path = format!("/api/v1/carts/{cart}");
    let cookie = session(&opened);
    for _ in 0..2 {
        let (read, _) = ask(&app, &path, &cookie).await;
        assert_eq!((read.status, &read.body["id"]), (200, &json!(cart)));
        let (page, html) = ask(&app, "/cart", &cookie).await;
        assert_eq!((page.status, cookies(&page).len()), (200, 0), "a good cookie is left alone");
        assert!(html.contains(&cart) && !html.contains(&token), "the page knows the cart, not the secret");
        // The keys outlive the process.
        app.restart().await;
    }
    let keys = std::fs::metadata(app.data("session.keys")).unwrap();
    assert_eq!(keys.permissions().mode() & 0o777, 0o600);

    let behind_tls = Client::new().get(app.url("/")).header("X-Forwarded-Proto", "https");
    let set = cookies(&Answer::to(behind_tls).await.unwrap());
    assert!(set[0].contains("; Secure"), "{set:?}");
}

async fn an_open_cookie_is_replaced_without_a_word(store: Store) {
    let app = TestApp::start(store).await;
    let token = random_token();
    let shopper = app.open_cart_as(&token).await;
    let (page, html) = ask(&app, "/cart", &format!("cartwright_visitor={token}")).await;
    assert!(html.contains(shopper.cart_id()));
    let all = cookies(&page);
    assert!(
        all.iter().any(|c| c.starts_with("cartwright_visitor=;") && c.contains("Max-Age=0")),
        "the open one is taken away: {all:?}"
    );
    let (_, html) = ask(&app, "/cart", &session(&page)).await;
    assert!(html.contains(shopper.cart_id()), "the sealed one is the same visitor");
}

async fn a_forged_cookie_is_a_strangers(store: Store) {
    let app = TestApp::start_with(store, with_keys(&[OLD])).await;
    let shopper = app.open_cart_as("123").await;
    let (page, _) = ask(&app, "/", "cartwright_visitor=123").await;
    let good = session(&page);
    let path = format!("/api/v1/carts/{}", shopper.cart_id());
    assert_eq!(ask(&app, &path, &good).await.0.status, 200);
    let middle = good.len() - 8;
    let other = if &good[middle..=middle] == "A" { "B" } else { "A" };
    let forged = format!("{}{other}{}", &good[..middle], &good[middle + 1..]);
    for bad in [&forged, "cartwright_session=1.2025.AAAA", "cartwright_session=123", "cartwright_session="] {
        ask(&app, &path, bad).await.0.assert_problem(401, "unauthorized");
        let (page, html) = ask(&app, "/cart", bad).await;
        assert!(!html.contains(shopper.cart_id()));
        assert_ne!(session(&page), good, "they get a session of their own");
    }
}

async fn keys_are_changed_under_open_sessions(store: Store) {
    let mut app = TestApp::start_with(store, with_keys(&[OLD])).await;
    let shopper = app.open_cart_as("123").await;
    let (page, _) = ask(&app, "/", "cartwright_visitor=123").await;
    let old = session(&page);
    app.restart_with(with_keys(&[NEW, OLD])).await;
    let (page, html) = ask(&app, "/cart", &old).await;
    assert!(html.contains(shopper.cart_id()));
    let new = session(&page);
    assert!(new.starts_with("cartwright_session=1.2026."), "{new}");
    app.restart_with(with_keys(&[NEW])).await;
    assert!(ask(&app, "/cart", &new).await.1.contains(shopper.cart_id()));
    assert!(!ask(&app, "/cart", &old).await.1.contains(shopper.cart_id()));
}
