//! What is under way when the server is killed is done once or not at all, and whoever asks again gets the whole of it.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use harness::{Answer, Shopper, Store, TestApp, audit, shopper::quantity};
use rand::RngExt;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::{
    shares::share,
    users::{PASSWORD, credentials, sign_up},
};

on_each_store!(a_log_in_merges_once_or_not_at_all, a_command_by_a_link_is_answered_by_its_key,);

/// Kills the server within so much time after some requests were sent; returns the answers that still came.
async fn kill_among<F>(
    app: &mut TestApp,
    requests: impl Iterator<Item = F>,
    within: Duration,
) -> Vec<Option<Answer>>
where
    F: Future<Output = Result<Answer, reqwest::Error>> + Send + 'static,
{
    let sent: Vec<_> = requests.map(tokio::spawn).collect();
    let moment = rand::rng().random_range(0..within.as_micros() as u64);
    tokio::time::sleep(Duration::from_micros(moment)).await;
    app.kill();
    let answers =
        join_all(sent).await.into_iter().map(|answer| answer.expect("a request ends").ok()).collect();
    app.restart().await;
    answers
}

fn log_in(
    app: &TestApp,
    guest: &Shopper,
) -> impl Future<Output = Result<Answer, reqwest::Error>> + Send + use<> {
    let request = Client::new().post(app.url("/api/v1/sessions"));
    Answer::to(request.bearer_auth(guest.token()).json(&credentials(PASSWORD)))
}

async fn a_log_in_merges_once_or_not_at_all(store: Store) {
    let mut app = TestApp::start(store).await;
    let own = app.open_cart_as(&sign_up(&app).await).await;
    own.add("MUG", 1).await.accepted();
    let began = Instant::now();
    assert_eq!(log_in(&app, &app.open_cart().await).await.unwrap().status, 201);
    let takes = began.elapsed();

    let mut merged = 0;
    // A user has at most 50 sessions: with one round more the first of them, which looks at the cart, would end.
    for _ in 0..4 {
        // What each brings along tells who has been there.
        let brought = [1, 2, 4, 8];
        let mut guests = vec![];
        for pieces in brought {
            let guest = app.open_cart().await;
            guest.add("V0", pieces).await.accepted();
            guests.push(guest);
        }
        let requests: Vec<_> = guests.iter().map(|guest| log_in(&app, guest)).collect();
        let answers = kill_among(&mut app, requests.into_iter(), takes * 3).await;

        let mut arrived = merged;
        for ((guest, pieces), answer) in guests.iter().zip(brought).zip(answers) {
            let cart = guest.cart().await;
            let is_merged = cart["status"] == "merged";
            assert!(
                is_merged || answer.is_none_or(|answer| answer.status != 201),
                "an answer is kept: {cart}"
            );
            assert_eq!(quantity(&cart, "V0"), if is_merged { 0 } else { pieces as u64 });
            arrived += if is_merged { pieces as u64 } else { 0 };
        }
        assert_eq!(own.quantity("V0").await, arrived, "each is there once");
        merged += brought.iter().sum::<i64>() as u64;
        assert_eq!(audit::stock(&app).await["V0"].held, merged as i64, "held here or there");

        for guest in guests.iter().chain(&guests) {
            let answer = log_in(&app, guest).await.unwrap();
            assert_eq!(
                (answer.status, &answer.body["cart"]),
                (201, &json!(own.cart_id())),
                "{}",
                answer.body
            );
        }
        assert_eq!((own.quantity("V0").await, own.quantity("MUG").await), (merged, 1), "asked twice more");
    }
    app.run(&["check"]).await;
}

fn send(
    app: &TestApp,
    link: &str,
    sku: &str,
    key: &str,
) -> impl Future<Output = Result<Answer, reqwest::Error>> + Send + use<> {
    let request =
        Client::new().request(Method::POST, app.url(&format!("/api/v1/shared-carts/{link}/commands")));
    let command: Value = json!({"type": "add_line", "sku": sku, "quantity": 1});
    Answer::to(request.header("Idempotency-Key", key).json(&command))
}

async fn a_command_by_a_link_is_answered_by_its_key(store: Store) {
    let mut app = TestApp::start(store).await;
    let owner = app.open_cart().await;
    let (link, _) = share(&owner, json!({"editable": true})).await;
    for round in 1..=6 {
        let sent: Vec<_> = (0..8).map(|n| (format!("V{n}"), format!("k{round}-{n}"))).collect();
        let requests: Vec<_> = sent.iter().map(|(sku, key)| send(&app, &link, sku, key)).collect();
        let answers = kill_among(&mut app, requests.into_iter(), Duration::from_millis(40)).await;
        for ((sku, key), before) in sent.iter().zip(answers) {
            let first = send(&app, &link, sku, key).await.unwrap();
            let again = send(&app, &link, sku, key).await.unwrap();
            assert_eq!((first.status, &first.body), (200, &again.body));
            if let Some(before) = before.filter(|before| before.status == 200) {
                assert_eq!(first.body, before.body, "what was answered before the kill is answered after it");
            }
            assert_eq!(first.body["item"]["quantity"], round, "{}", first.body);
        }
        let cart = owner.cart().await;
        sent.iter().for_each(|(sku, _)| assert_eq!(quantity(&cart, sku), round));
    }
    app.run(&["check"]).await;
}
