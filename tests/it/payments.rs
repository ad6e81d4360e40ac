//! Payments that need the shopper once more, answer late, twice or never, and a server that is killed in between.

use std::time::Duration;

use harness::{
    Answer, Shopper, Store, TestApp,
    app::{Setup, random_token},
    audit,
    patience::eventually,
    shopper::place_order,
};
use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};

on_each_store!(
    a_payment_is_confirmed_on_a_page_and_the_order_is_placed,
    a_payment_that_is_refused_leaves_the_cart_ready_for_another,
    a_cart_that_changes_gives_its_payment_up,
    a_late_answer_completes_the_order,
    a_webhook_is_believed_where_it_is_signed_and_told_twice_it_counts_once,
    a_device_pays_over_its_channel,
    both_workflows_confirm_a_payment_without_scripts,
    a_killed_server_finds_out_what_became_of_its_payments,
);

in_other_workflows!(
    a_payment_is_confirmed_on_a_page_and_the_order_is_placed,
    a_payment_that_is_refused_leaves_the_cart_ready_for_another,
    a_cart_that_changes_gives_its_payment_up,
    a_late_answer_completes_the_order,
    a_device_pays_over_its_channel,
);

const SECRET: &str = "whsec_plJ3nmyCDGBKInavdOK15jsl";

async fn shop(store: Store) -> TestApp {
    shop_with_timeout(store, 300).await
}

async fn shop_with_timeout(store: Store, timeout_ms: u64) -> TestApp {
    let config = format!(
        "[payment]\ntimeout_ms = {timeout_ms}\nsandbox_late_ms = 700\nrecover_seconds = 1\nwebhook_secret = \"{SECRET}\"\n"
    );
    TestApp::start_with(store, Setup { config, ..Setup::default() }).await
}

/// Is a payment in the sandbox's book, as its operator would read it.
#[derive(Debug, PartialEq, Eq)]
struct Booked {
    state: String,
    captured_minor: i64,
    refunded_minor: i64,
}

fn booked(state: &str, captured_minor: i64, refunded_minor: i64) -> Booked {
    Booked { state: state.into(), captured_minor, refunded_minor }
}

/// Reads the payments of a cart in the order in which they were begun.
fn book(app: &TestApp, shopper: &Shopper) -> Vec<Booked> {
    let db = rusqlite::Connection::open(app.data("sandbox-payments.db")).unwrap();
    db.busy_timeout(Duration::from_secs(10)).unwrap();
    let sql = "SELECT state, captured_minor, refunded_minor FROM payments WHERE cart = ?1 ORDER BY id";
    let mut statement = db.prepare(sql).unwrap();
    let rows = statement.query_map([shopper.cart_id()], |row| {
        Ok(Booked { state: row.get(0)?, captured_minor: row.get(1)?, refunded_minor: row.get(2)? })
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

async fn is_ordered(shopper: &Shopper) -> bool {
    shopper.cart().await["status"] == "ordered"
}

/// Sends the form of a page as a browser without scripts does, and returns where it leads.
async fn send_form(app: &TestApp, shopper: &Shopper, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let http = Client::builder().redirect(Policy::none()).build().unwrap();
    let answer = http.post(app.url(path)).bearer_auth(shopper.token()).form(fields).send().await.unwrap();
    let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
    (answer.status().as_u16(), to.unwrap_or_default())
}

async fn page(app: &TestApp, shopper: &Shopper, path: &str) -> String {
    let answer = Client::new().get(app.url(path)).bearer_auth(shopper.token()).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

/// Goes to the point where the bank wants the payment confirmed; returns the page on which that is done.
async fn challenged(shopper: &Shopper) -> String {
    let answer = shopper.check_out("tok_challenge").await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    let payment = &answer.body["cart"]["payment"];
    assert_eq!((&payment["status"], &answer.body["order"]), (&json!("challenged"), &Value::Null));
    payment["url"].as_str().unwrap().to_owned()
}

async fn a_payment_is_confirmed_on_a_page_and_the_order_is_placed(store: Store) {
    let app = shop(store).await;
    let shopper = app.open_cart().await;
    shopper.add("MUG", 2).await.accepted();
    let url = challenged(&shopper).await;
    let cart = shopper.cart().await;
    assert_eq!((&cart["status"], &cart["payment"]["amount_minor"]), (&json!("checkout"), &json!(2_500)));
    let again = shopper.place_order("tok_challenge").await;
    assert_eq!((again.status, &again.body["cart"]["payment"]["url"]), (202, &json!(url)), "it is joined");
    assert_eq!(book(&app, &shopper), [booked("challenged", 0, 0)]);

    assert!(page(&app, &shopper, &url).await.contains("£25.00"));
    assert_eq!(send_form(&app, &shopper, &url, &[("confirm", "1")]).await, (303, "/checkout/return".into()));
    // Nobody comes back; the provider's webhook is enough.
    eventually("the order is placed", async || is_ordered(&shopper).await).await;
    eventually("the money is taken", async || book(&app, &shopper) == [booked("captured", 2_500, 0)]).await;
    assert_eq!(app.events("order_placed", 1).await.len(), 1);
    assert_eq!(audit::stock(&app).await["MUG"].sold, 2);
    app.run(&["check"]).await;
}

async fn a_payment_that_is_refused_leaves_the_cart_ready_for_another(store: Store) {
    let app = shop(store).await;
    let shopper = app.open_cart().await;
    shopper.add("RARE", 1).await.accepted();
    let url = challenged(&shopper).await;
    assert_eq!(send_form(&app, &shopper, &url, &[("refuse", "1")]).await.0, 303);
    eventually("the attempt has ended", async || shopper.cart().await["payment"].is_null()).await;
    assert_eq!(shopper.cart().await["status"], "checkout");
    shopper.place_order("tok_success").await.accepted();
    eventually("one payment is taken", async || {
        let booked = book(&app, &shopper);
        booked[0].state == "declined" && booked[1].state == "captured"
    })
    .await;
}

async fn a_cart_that_changes_gives_its_payment_up(store: Store) {
    let app = shop(store).await;
    let shopper = app.open_cart().await;
    shopper.add("MUG", 1).await.accepted();
    let url = challenged(&shopper).await;
    let cart = shopper.add("MUG", 1).await.accepted();
    assert_eq!((&cart["payment"], &cart["status"]), (&Value::Null, &json!("checkout")));
    eventually("what was asked for is let go", async || book(&app, &shopper) == [booked("voided", 0, 0)])
        .await;
    send_form(&app, &shopper, &url, &[("confirm", "1")]).await;
    assert_eq!(book(&app, &shopper), [booked("voided", 0, 0)], "a confirmation comes too late");

    challenged(&shopper).await;
    let cart = shopper.command(&json!({"type": "cancel_payment"})).await.accepted();
    assert!(cart["payment"].is_null());
    shopper.command(&json!({"type": "cancel_payment"})).await.accepted();
    let order = shopper.place_order("tok_success").await.body["order"].clone();
    assert_eq!(order["total_minor"], 2_500);
    let expected = [booked("voided", 0, 0), booked("voided", 0, 0), booked("captured", 2_500, 0)];
    eventually("all are settled", async || book(&app, &shopper) == expected).await;
    app.run(&["check"]).await;
}

async fn a_late_answer_completes_the_order(store: Store) {
    let app = shop(store).await;
    let (late, declined) = (app.open_cart().await, app.open_cart().await);
    for (shopper, token) in [(&late, "tok_late"), (&declined, "tok_late_decline")] {
        shopper.add("MUG", 1).await.accepted();
        shopper.check_out(token).await.assert_problem(503, "payment-timeout");
        assert_eq!(shopper.cart().await["payment"]["status"], "begun");
    }
    eventually("the order is placed", async || is_ordered(&late).await).await;
    eventually("the refusal is heard", async || declined.cart().await["payment"].is_null()).await;
    assert_eq!(declined.cart().await["status"], "checkout");
    eventually("the money is taken", async || book(&app, &late) == [booked("captured", 1_250, 0)]).await;
    assert_eq!(book(&app, &declined), [booked("declined", 0, 0)]);
}

async fn a_webhook_is_believed_where_it_is_signed_and_told_twice_it_counts_once(store: Store) {
    let app = shop(store).await;
    let shopper = app.open_cart().await;
    shopper.add("MUG", 1).await.accepted();
    // The provider answers, and its webhooks tell of the payment twice.
    let order = shopper.check_out("tok_twice").await.body["order"]["id"].as_str().unwrap().to_owned();
    let body =
        json!({"type": "payment.authorised", "payment": format!("{order}-1"), "cart": shopper.cart_id()})
            .to_string();
    let send = async |secret: &str, body: &str, sent: &str| {
        let timestamp = web::clock::now_ms() / 1_000;
        let request = Client::new()
            .post(app.url("/api/v1/payments/webhook"))
            .header("webhook-id", "m1")
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", web::signature::sign(secret, "m1", timestamp, body.as_bytes()))
            .body(sent.to_owned());
        Answer::to(request).await.unwrap()
    };
    send("another", &body, &body).await.assert_problem(401, "invalid-signature");
    send(SECRET, &body, &body.replace("authorised", "declined"))
        .await
        .assert_problem(401, "invalid-signature");
    let unsigned = Client::new().post(app.url("/api/v1/payments/webhook")).body(body.clone());
    Answer::to(unsigned).await.unwrap().assert_problem(401, "invalid-signature");
    send(SECRET, "{}", "{}").await.assert_problem(400, "invalid-json");
    for _ in 0..3 {
        assert_eq!(send(SECRET, &body, &body).await.status, 204);
    }
    eventually("the money is taken", async || book(&app, &shopper) == [booked("captured", 1_250, 0)]).await;
    assert_eq!(app.events("order_placed", 1).await.len(), 1);
    app.run(&["check"]).await;
}

async fn a_device_pays_over_its_channel(store: Store) {
    let app = shop(store).await;
    let shopper = app.open_cart().await;
    shopper.add("MUG", 1).await.accepted();
    shopper.check_out("tok_decline").await.assert_problem(402, "payment-declined");
    let (mut device, mut other) = (app.join(&shopper).await, app.join(&shopper).await);
    let reply = device.push(&shopper.topic(), "command", place_order("tok_decline")).await;
    assert_eq!((reply.status(), reply.reason()), ("error", "payment_declined"));
    let reply = device.push(&shopper.topic(), "command", place_order("tok_challenge")).await;
    assert_eq!(reply.status(), "ok", "{reply:?}");
    let url = reply.response()["cart"]["payment"]["url"].as_str().unwrap().to_owned();
    send_form(&app, &shopper, &url, &[("confirm", "1")]).await;
    // Every device hears of the order that the webhook completed.
    let told =
        other.next_where(|f| f.event == "cart_updated" && f.payload["cart"]["status"] == "ordered").await;
    assert!(told.payload["cart"]["order_id"].is_string());
}

const ADDRESS: [(&str, &str); 6] = [
    ("email", "ada@example.org"),
    ("name", "Ada Byron"),
    ("street", "12 St James's Square"),
    ("city", "London"),
    ("postcode", "SW1Y 4JH"),
    ("country", "GB"),
];

async fn both_workflows_confirm_a_payment_without_scripts(store: Store) {
    let (app, _admin) = crate::experiments::start(store).await;
    let card = ("payment_token", "tok_challenge");
    for (variation, place, shown) in
        [(0, "/checkout/order", "/checkout/review"), (1, "/checkout/express", "/checkout")]
    {
        let forced = format!("checkout-express={variation}");
        let shopper = Shopper::open_forced_cart(app.address(), &random_token(), &forced).await;
        shopper.add("MUG", 1).await.accepted();
        send_form(&app, &shopper, "/checkout/start", &[]).await;
        let everything = [&ADDRESS[..], &[("method", "standard"), card]].concat();
        if variation == 0 {
            for step in ["address", "shipping", "payment"] {
                let (status, to) = send_form(&app, &shopper, &format!("/checkout/{step}"), &everything).await;
                assert!(status == 303 && to.starts_with("/checkout/"), "{step}: {status} {to}");
            }
        }
        let (status, url) = send_form(&app, &shopper, place, &everything).await;
        assert!(status == 303 && url.starts_with("/sandbox/payments/"), "{status} {url}");
        assert!(page(&app, &shopper, shown).await.contains("wants you to confirm"));
        assert_eq!(send_form(&app, &shopper, "/checkout/cancel", &[]).await, (303, "/checkout".into()));
        let (_, second) = send_form(&app, &shopper, place, &everything).await;
        assert_ne!(second, url);
        assert!(page(&app, &shopper, &second).await.contains("Confirm £12.50"));
        let (_, back) = send_form(&app, &shopper, &second, &[("confirm", "1")]).await;
        // The client follows to the confirmation.
        assert!(page(&app, &shopper, &back).await.contains("Thank you"));
        assert!(is_ordered(&shopper).await);
    }
}

async fn a_killed_server_finds_out_what_became_of_its_payments(store: Store) {
    let mut app = shop_with_timeout(store, 3_000).await;
    let mut shoppers = vec![];
    for (n, token) in ["tok_timeout", "tok_lost", "tok_late", "tok_timeout"].into_iter().enumerate() {
        let shopper = app.open_cart().await;
        shopper.add("MUG", 1).await.accepted();
        shopper.check_out("tok_decline").await.assert_problem(402, "payment-declined");
        shoppers.push((shopper, token, n));
    }
    let paying = shoppers.iter().map(|(shopper, token, _)| {
        let (paying, token) = (shopper.on(app.address()), *token);
        tokio::spawn(async move { paying.try_command(&place_order(token), Some("pay")).await })
    });
    let paying: Vec<_> = paying.collect();
    eventually("all of them are at the provider", async || {
        let mut begun = 0;
        for (shopper, _, _) in &shoppers {
            begun += usize::from(shopper.cart().await["payment"]["status"] == "begun");
        }
        begun == shoppers.len()
    })
    .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    app.kill();
    for paid in paying {
        assert!(paid.await.unwrap().is_err(), "a payment was not under way");
    }
    app.restart().await;
    let shoppers: Vec<_> =
        shoppers.into_iter().map(|(shopper, token, n)| (shopper.on(app.address()), token, n)).collect();
    for (shopper, token, n) in &shoppers {
        match (*token, n) {
            ("tok_lost", _) => {
                eventually("it was never paid", async || shopper.cart().await["payment"].is_null()).await;
                assert_eq!(shopper.cart().await["status"], "checkout");
            }
            // The client asks again with its key, before or after recovery did.
            ("tok_timeout", 3) => {
                let answer = shopper.command_with_key(&place_order("tok_timeout"), "pay").await;
                assert_eq!(answer.accepted()["status"], "ordered");
            }
            _ => eventually("recovery places the order", async || is_ordered(shopper).await).await,
        }
        let answer = shopper.command_with_key(&place_order(token), "pay").await;
        let answers = if *token == "tok_lost" { 503 } else { 200 };
        assert_eq!(answer.status, answers, "{token}: {}", answer.body);
    }
    for (shopper, token, _) in &shoppers {
        if *token == "tok_lost" {
            shopper.command(&json!({"type": "cancel_payment"})).await.accepted();
            continue;
        }
        let taken = booked("captured", 1_250, 0);
        eventually("the money is taken once", async || {
            let booked = book(&app, shopper);
            booked.iter().filter(|b| **b == taken).count() == 1
                && booked.iter().all(|b| *b == taken || b.captured_minor == 0 && b.state != "authorised")
        })
        .await;
    }
    assert_eq!(app.events("order_placed", 3).await.len(), 3);
    assert_eq!(audit::stock(&app).await["MUG"].sold, 3);
    eventually("nothing is left to be settled", async || app.try_run(&["check"]).await.status.success())
        .await;
}
