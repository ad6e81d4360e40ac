//! Signed webhooks, received by a program that verifies them with the official package.

use std::{collections::BTreeSet, time::Duration};

use harness::{
    Admin, Answer, Store, TestApp,
    admin::{self, api},
    app::Setup,
    patience::eventually,
    server::ScriptServer,
};
use serde_json::{Value, json};

on_each_store!(
    events_arrive_signed_as_the_official_package_verifies,
    no_endpoint_waits_for_a_slow_or_dead_one_and_dead_letters_are_sent_again,
    deliveries_survive_a_kill,
    an_endpoint_that_is_gone_is_disabled_and_the_past_is_sent_again_on_request,
    private_addresses_and_bad_requests_are_refused,
    endpoints_are_kept_and_the_dead_are_sent_again_on_pages,
);

fn setup(more: &str) -> Setup {
    let mut setup = admin::setup();
    setup.config += &format!("\n[webhooks]\ntimeout_ms = 700\nretry_seconds = [1, 1]\n{more}\n");
    setup
}

async fn receiver() -> ScriptServer {
    ScriptServer::start("receiver.js", &[]).await
}

async fn control(receiver: &ScriptServer, path: &str, body: Value) {
    let url = format!("http://{}/control/{path}", receiver.address());
    let answer = reqwest::Client::new().post(url).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 204);
}

/// Makes an endpoint at a path of the receiver; returns its id and secret.
async fn endpoint(app: &TestApp, receiver: &ScriptServer, path: &str, types: &[&str]) -> (String, String) {
    let url = format!("http://{}{path}", receiver.address());
    let answer = api(app, "POST", "/webhooks", Some(&json!({"url": url, "types": types}))).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&answer.body["endpoint"]["id"]), text(&answer.body["secret"]))
}

async fn order(app: &TestApp) -> String {
    let shopper = app.open_cart().await;
    shopper.add("MUG", 1).await.accepted();
    let answer = shopper.check_out("tok_success").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["order"]["id"].as_str().unwrap().to_owned()
}

fn order_of(delivery: &Value) -> String {
    delivery["body"]["data"]["order_id"].as_str().unwrap().to_owned()
}

/// Collects the orders that arrive at a path, until all have.
async fn arrivals(receiver: &mut ScriptServer, path: &str, wanted: &BTreeSet<String>) -> Vec<Value> {
    let (mut found, mut all) = (BTreeSet::new(), vec![]);
    while found != *wanted {
        let delivery = receiver.next().await;
        if delivery["path"] == path {
            found.insert(order_of(&delivery));
            all.push(delivery);
        }
    }
    all
}

async fn deliveries(app: &TestApp, id: &str, query: &str) -> Vec<Value> {
    let answer = api(app, "GET", &format!("/sinks/{id}/deliveries{query}"), None).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["deliveries"].as_array().unwrap().clone()
}

async fn events_arrive_signed_as_the_official_package_verifies(store: Store) {
    let app = TestApp::start_with(store, setup("allow_private = true")).await;
    let mut receiver = receiver().await;
    order(&app).await;
    // Until event files hold it, a transaction of another test may let it come after the endpoint.
    app.events("order_placed", 1).await;
    let (id, secret) = endpoint(&app, &receiver, "/ok", &["order_placed"]).await;
    control(&receiver, "secrets", json!([secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])).await;

    let placed = order(&app).await;
    let delivery = receiver.next().await;
    assert_eq!(order_of(&delivery), placed, "what happened before the endpoint was made is not sent");
    assert_eq!(delivery["verified"], 1, "its own secret verifies, another does not");
    let body = &delivery["body"];
    assert_eq!((&body["type"], &body["data"]["total_minor"]), (&json!("order_placed"), &json!(1_250)));
    assert!(body["timestamp"].as_str().unwrap().ends_with('Z') && body["position"].is_u64(), "{body}");
    let event = &app.events("order_placed", 2).await;
    assert!(event.iter().any(|e| e["id"] == delivery["id"]), "the id is the event's own");

    let rotated = api(&app, "POST", &format!("/webhooks/{id}/secret"), None).await;
    let new_secret = rotated.body["secret"].as_str().unwrap().to_owned();
    assert!(rotated.body["endpoint"]["old_secret_ends_at_ms"].is_i64(), "{}", rotated.body);
    control(&receiver, "secrets", json!([secret, new_secret])).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    order(&app).await;
    assert_eq!(receiver.next().await["verified"], 2, "both secrets verify while one is replaced");

    let pinged = api(&app, "POST", &format!("/webhooks/{id}/ping"), None).await;
    assert_eq!((pinged.status, &pinged.body["status"]), (200, &json!(204)));
    let ping = receiver.next().await;
    assert_eq!((&ping["body"]["type"], &ping["verified"]), (&json!("webhook_ping"), &json!(2)));

    eventually("both are in the log", async || deliveries(&app, &id, "").await.len() == 2).await;
    let log = deliveries(&app, &id, "?state=delivered&limit=1").await;
    assert_eq!((&log[0]["tries"][0]["status"], &log[0]["attempts"]), (&json!(204), &json!(1)));
    let read = api(&app, "GET", &format!("/webhooks/{id}"), None).await.body;
    assert!(!read.to_string().contains("whsec_"), "{read}");
    let listed = api(&app, "GET", "/webhooks", None).await.body;
    assert_eq!(listed["endpoints"].as_array().unwrap().len(), 1);
    eventually("the lag is measured", async || {
        let metrics = app.metrics().await;
        metrics.value("cartwright_webhook_endpoints", &[("state", "well")]) == Some(1.0)
            && metrics.value("cartwright_deliveries_total", &[("sink", "webhook"), ("outcome", "delivered")])
                == Some(2.0)
    })
    .await;
}

async fn no_endpoint_waits_for_a_slow_or_dead_one_and_dead_letters_are_sent_again(store: Store) {
    let app = TestApp::start_with(store, setup("allow_private = true")).await;
    let mut receiver = receiver().await;
    let (dead, _) = endpoint(&app, &receiver, "/dead", &["order_placed"]).await;
    for path in ["/slow", "/redirect", "/chatty"] {
        endpoint(&app, &receiver, path, &[]).await;
    }
    let (second, _) = endpoint(&app, &receiver, "/second", &["order_placed"]).await;
    let (ok, _) = endpoint(&app, &receiver, "/ok", &["order_placed"]).await;
    let mut placed = BTreeSet::new();
    for _ in 0..4 {
        placed.insert(order(&app).await);
    }
    arrivals(&mut receiver, "/ok", &placed).await;
    eventually("all arrived", async || deliveries(&app, &ok, "?state=delivered").await.len() == 4).await;
    eventually("the second try does it", async || {
        let log = deliveries(&app, &second, "?state=delivered").await;
        log.len() == 4 && log.iter().all(|d| d["attempts"] == 2 && d["tries"][0]["status"] == 500)
    })
    .await;
    eventually("the dead are given up", async || deliveries(&app, &dead, "?state=dead").await.len() == 4)
        .await;
    let log = deliveries(&app, &dead, "").await;
    assert_eq!(log[0]["tries"].as_array().unwrap().len(), 3, "{}", log[0]);
    assert_eq!(log[0]["tries"][2]["error"], "out of order ");
    let failing = api(&app, "GET", &format!("/webhooks/{dead}"), None).await.body;
    assert!(failing["failing_since_ms"].is_i64(), "{failing}");

    control(&receiver, "mend", json!({})).await;
    let one = format!("/sinks/{dead}/deliveries/{}/replay", log[0]["position"]);
    assert_eq!(api(&app, "POST", &one, None).await.body["replayed"], 1);
    eventually("one arrives", async || deliveries(&app, &dead, "?state=delivered").await.len() == 1).await;
    assert_eq!(api(&app, "POST", &format!("/sinks/{dead}/replay"), None).await.body["replayed"], 3);
    eventually("the others arrive", async || deliveries(&app, &dead, "?state=delivered").await.len() == 4)
        .await;
    eventually("it is well again", async || {
        api(&app, "GET", &format!("/webhooks/{dead}"), None).await.body["failing_since_ms"].is_null()
    })
    .await;
}

async fn deliveries_survive_a_kill(store: Store) {
    let mut app = TestApp::start_with(store, setup("allow_private = true")).await;
    let mut receiver = receiver().await;
    endpoint(&app, &receiver, "/second", &["order_placed"]).await;
    let twin = if store == Store::Postgres { Some(app.twin().await) } else { None };
    let mut placed = BTreeSet::new();
    for n in 0..6 {
        placed.insert(order(&app).await);
        if n == 2 {
            arrivals(&mut receiver, "/second", &placed).await;
        }
    }
    // On PostgreSQL the twin goes on with what the dead process has left; on SQLite the next process does.
    match &twin {
        Some(_) => app.kill(),
        None => app.restart().await,
    }
    let node = twin.as_ref().unwrap_or(&app);
    let id =
        api(node, "GET", "/webhooks", None).await.body["endpoints"][0]["id"].as_str().unwrap().to_owned();
    eventually("all arrived", async || deliveries(node, &id, "?state=delivered").await.len() == 6).await;
}

async fn an_endpoint_that_is_gone_is_disabled_and_the_past_is_sent_again_on_request(store: Store) {
    let app = TestApp::start_with(store, setup("allow_private = true")).await;
    let mut receiver = receiver().await;
    let (id, _) = endpoint(&app, &receiver, "/gone", &["order_placed"]).await;
    let path = format!("/webhooks/{id}");
    let mut placed = BTreeSet::from([order(&app).await]);
    eventually("it is disabled", async || api(&app, "GET", &path, None).await.body["enabled"] == false).await;
    let note = api(&app, "GET", &path, None).await.body["note"].clone();
    assert_eq!(note, "Disabled: the endpoint answered 410 Gone.");
    placed.insert(order(&app).await);
    tokio::time::sleep(Duration::from_secs(1)).await;

    let url = format!("http://{}/ok", receiver.address());
    let change = json!({"url": url, "enabled": true});
    let changed = api(&app, "PATCH", &path, Some(&change)).await;
    assert_eq!((changed.status, &changed.body["note"]), (200, &Value::Null));
    arrivals(&mut receiver, "/ok", &placed).await;
    eventually("both arrived", async || deliveries(&app, &id, "?state=delivered").await.len() == 2).await;

    let span = json!({"from_ms": 0, "to_ms": 4_000_000_000_000_i64});
    let begun = api(&app, "POST", &format!("{path}/replay"), Some(&span)).await;
    assert_eq!((begun.status, &begun.body["replay"]["from_ms"]), (200, &json!(0)), "{}", begun.body);
    let again = arrivals(&mut receiver, "/ok", &placed).await;
    assert_eq!(again.len(), 2, "each once");
    eventually("it is done", async || api(&app, "GET", &path, None).await.body["replay"].is_null()).await;
    let nothing = json!({"from_ms": 5, "to_ms": 5});
    api(&app, "POST", &format!("{path}/replay"), Some(&nothing))
        .await
        .assert_problem(422, "invalid-endpoint");

    assert_eq!(api(&app, "DELETE", &path, None).await.status, 200);
    api(&app, "GET", &path, None).await.assert_problem(404, "unknown-endpoint");
    api(&app, "GET", &format!("/sinks/{id}/deliveries"), None).await.assert_problem(404, "unknown-endpoint");
}

async fn private_addresses_and_bad_requests_are_refused(store: Store) {
    let app = TestApp::start_with(store, setup("")).await;
    let make = async |body: Value| api(&app, "POST", "/webhooks", Some(&body)).await;
    for url in [
        "http://shop.example/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/",
        "nowhere",
    ] {
        make(json!({"url": url})).await.assert_problem(422, "invalid-endpoint");
    }
    make(json!({"url": "https://shop.example/", "types": ["order_palced"]}))
        .await
        .assert_problem(422, "invalid-endpoint");
    make(json!({"url": "https://shop.example/", "colour": "blue"})).await.assert_problem(400, "invalid-json");
    // A name is looked up when it is connected to, and not a second time.
    let made = make(json!({"url": "https://localhost/"})).await;
    let id = made.body["endpoint"]["id"].as_str().unwrap();
    let ping = api(&app, "POST", &format!("/webhooks/{id}/ping"), None).await;
    assert_eq!(ping.body["error"], "the host has private addresses only, which are refused");
    for n in 1.. {
        let answer = make(json!({"url": format!("https://shop.example/{n}")})).await;
        if n == 20 {
            answer.assert_problem(422, "invalid-endpoint");
            break;
        }
        assert_eq!(answer.status, 201, "{}", answer.body);
    }

    let url = app.url("/api/v1/admin/webhooks");
    for (name, password) in [("ada", "wrong horse battery"), ("eve", "correct horse battery")] {
        let request = reqwest::Client::new().get(&url).basic_auth(name, Some(password));
        Answer::to(request).await.unwrap().assert_problem(401, "not-admin");
    }
    let nobody = Answer::to(reqwest::Client::new().get(&url)).await.unwrap();
    nobody.assert_problem(401, "not-admin");
    assert!(nobody.header("www-authenticate").starts_with("Basic"));
    for path in ["/sinks/mail/deliveries/7/replay", "/sinks/mail/deliveries/x/replay"] {
        api(&app, "POST", path, None).await.assert_problem(404, "unknown-delivery");
    }
}

async fn endpoints_are_kept_and_the_dead_are_sent_again_on_pages(store: Store) {
    let app = TestApp::start_with(store, setup("allow_private = true")).await;
    let mut receiver = receiver().await;
    let admin = Admin::sign_in(&app).await;
    let list = admin.get("/admin/webhooks").await;
    assert!(list.html.contains("No endpoints"), "{}", list.html);
    let refused = admin.submit(&list, "/admin/webhooks", &[("url", "gopher://<b>")]).await;
    assert!(refused.status == 422 && refused.html.contains("value=\"gopher:"), "{}", refused.html);
    assert!(!refused.html.contains("<b>"));
    let url = format!("http://{}/dead", receiver.address());
    let filled = [("url", url.as_str()), ("description", "for the ERP"), ("type:order_placed", "1")];
    let made = admin.submit(&list, "/admin/webhooks", &filled).await;
    assert_eq!(made.status, 201, "{}", made.html);
    let secret_of = |html: &str| {
        let begin = html.find("whsec_").unwrap_or_else(|| panic!("no secret in {html}"));
        admin::unescape(html[begin..].split('<').next().unwrap())
    };
    let secret = secret_of(&made.html);
    // Sent twice, the form makes one endpoint, and shows its secret to whoever did not see it.
    let again = admin.submit(&list, "/admin/webhooks", &filled).await;
    assert_eq!((again.status, secret_of(&again.html)), (201, secret.clone()));
    let other = [("url", "https://shop.example/")];
    let refused = admin.submit(&list, "/admin/webhooks", &other).await;
    assert!(refused.status == 422 && refused.html.contains("made endpoint wh_"), "{}", refused.html);
    let new = json!({"url": "https://shop.example/"});
    let mut ids = BTreeSet::new();
    for _ in 0..2 {
        let request = reqwest::Client::new().post(app.url("/api/v1/admin/webhooks")).json(&new);
        let request =
            request.basic_auth(admin::USER, Some(admin::PASSWORD)).header("Idempotency-Key", "once");
        ids.insert(Answer::to(request).await.unwrap().body["endpoint"]["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 1, "{ids:?}");
    for id in ids {
        assert_eq!(api(&app, "DELETE", &format!("/webhooks/{id}"), None).await.status, 200);
    }
    control(&receiver, "secrets", json!([secret])).await;
    let list = admin.get("/admin/webhooks").await;
    assert!(list.html.contains("for the ERP") && !list.html.contains("whsec_"), "{}", list.html);
    let path = list.html.split("href=\"/admin/webhooks/wh_").nth(1).unwrap().split('"').next().unwrap();
    let path = format!("/admin/webhooks/wh_{path}");
    let id = path.rsplit('/').next().unwrap().to_owned();

    let placed = order(&app).await;
    let delivery = receiver.next().await;
    assert_eq!((order_of(&delivery), &delivery["verified"]), (placed.clone(), &json!(1)));
    eventually("it is given up", async || deliveries(&app, &id, "?state=dead").await.len() == 1).await;
    let dead = admin.get(&format!("{path}?state=dead")).await;
    for text in ["Dead letter", "out of order", "500", "order_placed", "Failing"] {
        assert!(dead.html.contains(text), "{text}: {}", dead.html);
    }
    assert!(admin.get(&format!("{path}?state=delivered")).await.html.contains("None."));
    control(&receiver, "mend", json!({})).await;
    let again = admin.submit(&dead, &format!("{path}/dead"), &[]).await;
    assert!(again.html.contains("dead letters are sent again"), "{}", again.html);
    eventually("it arrives", async || deliveries(&app, &id, "?state=delivered").await.len() == 1).await;
    let page = admin.get(&path).await;
    let position = deliveries(&app, &id, "").await[0]["position"].to_string();
    let once_more = admin.submit(&page, &format!("{path}/deliveries/{position}"), &[]).await;
    assert!(once_more.html.contains("It is sent again"), "{}", once_more.html);
    let ping = admin.submit(&page, &format!("{path}/ping"), &[]).await;
    assert!(ping.html.contains("It answered 200"), "{}", ping.html);

    let off = admin.submit(&page, &format!("{path}/disable"), &[]).await;
    assert!(off.html.contains("Switch on"), "{}", off.html);
    assert_eq!(api(&app, "GET", &format!("/webhooks/{id}"), None).await.body["enabled"], false);
    let on = admin.submit(&off, &format!("{path}/enable"), &[]).await;
    assert!(on.html.contains("The endpoint is on again"), "{}", on.html);
    let renewed = admin.submit(&on, &format!("{path}/secret"), &[]).await;
    assert!(secret_of(&renewed.html) != secret && renewed.html.contains("signs beside it until"));
    assert!(!admin.get(&path).await.html.contains("whsec_"), "a secret is shown once");
    let saved = [("url", url.as_str()), ("description", "for nobody"), ("type:order_placed", "")];
    let saved = admin.submit(&on, &format!("{path}/settings"), &saved).await;
    assert!(saved.html.contains("for nobody") && saved.html.contains("The settings are saved"));
    let refused = admin.submit(&saved, &format!("{path}/settings"), &[("url", "ftp://x")]).await;
    assert!(refused.status == 422 && refused.html.contains("value=\"ftp:"), "{}", refused.html);
    let span = [("from", "2027-12-31T08:00"), ("to", "2001-01-01T00:00")];
    let refused = admin.submit(&saved, &format!("{path}/replay"), &span).await;
    assert!(refused.status == 422 && refused.html.contains("2001-01-01T00:00"), "{}", refused.html);
    let span = [("from", "2001-01-01T00:00"), ("to", "2099-01-01T00:00")];
    let replayed = admin.submit(&saved, &format!("{path}/replay"), &span).await;
    assert!(replayed.html.contains("The past is being sent again"), "{}", replayed.html);

    assert!(admin.get("/admin/webhooks/mail").await.html.contains("Letters"));
    let gone = admin.submit(&replayed, &format!("{path}/delete"), &[]).await;
    assert!(gone.path == "/admin/webhooks" && gone.html.contains("No endpoints"), "{}", gone.html);
    assert_eq!(admin.get(&path).await.status, 404);
    assert_eq!(Admin::stranger(&app).get("/admin/webhooks").await.path, "/admin/login");
}
