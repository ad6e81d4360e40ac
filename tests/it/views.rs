//! What shoppers look at: noted in passing, known on every node within a second, and theirs to decline and delete.

use std::time::{Duration, Instant};

use harness::{
    Answer, Device, Shopper, Store, TestApp,
    app::{Setup, random_token},
    patience::eventually,
    tables,
};
use reqwest::{Client, Method, header::LOCATION};
use serde_json::{Value, json};

use crate::users::{PASSWORD, ada, credentials, token_of};

on_each_store!(
    a_look_is_remembered_and_told,
    nobody_but_shoppers_is_noted,
    who_declines_leaves_no_trace,
    a_browser_that_asks_not_to_be_followed_is_not,
    a_form_says_no_for_the_browser_too,
    what_is_deleted_stays_away,
    no_page_waits_for_a_store_that_is_behind,
    only_what_waited_is_lost_with_a_process,
    a_log_in_takes_the_trail_along,
    a_report_that_makes_no_sense_is_refused,
);

const PAGE: &str = "/products/MUG";

async fn call(app: &TestApp, method: Method, path: &str, token: &str, body: Option<&Value>) -> Answer {
    app.call(method, &format!("/api/v1{path}"), Some(token), body).await
}

async fn report(app: &TestApp, token: &str, skus: &[&str]) -> Value {
    let answer = call(app, Method::POST, "/views", token, Some(&json!({"skus": skus}))).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    answer.body
}

async fn history(app: &TestApp, token: &str) -> Value {
    let answer = call(app, Method::GET, "/history", token, None).await;
    assert_eq!(
        (answer.status, answer.header("cache-control")),
        (200, "private, no-store"),
        "{}",
        answer.body
    );
    answer.body
}

/// Returns what is remembered, the oldest first: `MUG`, or `+MUG` where it was put into a cart.
async fn steps(app: &TestApp, token: &str) -> String {
    let history = history(app, token).await;
    let steps = history["steps"].as_array().unwrap().iter().rev();
    let step = |step: &Value| {
        let mark = if step["act"] == "added" { "+" } else { "" };
        format!("{mark}{}", step["sku"].as_str().unwrap())
    };
    steps.map(step).collect::<Vec<_>>().join(" ")
}

async fn remembered(app: &TestApp, token: &str, wanted: &str) {
    eventually(&format!("the trail is {wanted:?}"), async || steps(app, token).await == wanted).await;
}

/// Asks for a page as a visitor's browser with further headers; returns it with its status.
async fn browse(app: &TestApp, token: &str, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let mut request = Client::new().get(app.url(path));
    let mut cookies = format!("cartwright_visitor={token}");
    for (name, value) in headers {
        match *name {
            "cookie" => cookies.push_str(&format!("; {value}")),
            _ => request = request.header(*name, *value),
        }
    }
    let response = request.header("cookie", cookies).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// Waits so long that whatever was noted is written and known.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(900)).await;
}

async fn a_look_is_remembered_and_told(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let token = shopper.token();
    assert!(!app.page(&shopper, PAGE).await.contains("Recently viewed"), "nothing was seen before");
    remembered(&app, token, "MUG").await;
    assert_eq!(
        report(&app, token, &["TEAPOT", "NONE", "LAMP"]).await,
        json!({
            "noted": 2,
            "left_out": [{"sku": "NONE", "because": "unknown_sku", "detail": "no product of this SKU is for sale"}],
        })
    );
    remembered(&app, token, "MUG TEAPOT LAMP").await;
    let mut device: Device = app.join(&shopper).await;
    let reply = device.push(&shopper.topic(), "view", json!({"sku": "V1"})).await;
    assert_eq!((reply.status(), reply.response()), ("ok", &json!({"noted": true})));
    let refused = device.push(&shopper.topic(), "view", json!({"sku": "NONE"})).await;
    assert_eq!((refused.status(), refused.reason()), ("error", "unknown_sku"), "{refused:?}");
    remembered(&app, token, "MUG TEAPOT LAMP V1").await;
    shopper.add("MUG", 1).await.accepted();
    remembered(&app, token, "MUG TEAPOT LAMP V1 +MUG").await;
    // Loaded anew it is one look.
    for _ in 0..2 {
        app.page(&shopper, PAGE).await;
    }
    remembered(&app, token, "MUG TEAPOT LAMP V1 +MUG MUG").await;

    let events = app.events("product_viewed", 6).await;
    let mut told: Vec<(i64, &str, &str)> = events
        .iter()
        .map(|event| {
            assert_eq!((&event["unit"], &event["cart"]), (&events[0]["unit"], &Value::Null));
            let (at, data) = (event["position"].as_i64().unwrap(), &event["data"]);
            (at, data["sku"].as_str().unwrap(), data["source"].as_str().unwrap())
        })
        .collect();
    told.sort_unstable();
    let told: Vec<_> = told.into_iter().map(|(_, sku, source)| (sku, source)).collect();
    let expected = [
        ("MUG", "page"),
        ("TEAPOT", "api"),
        ("LAMP", "api"),
        ("V1", "channel"),
        ("MUG", "page"),
        ("MUG", "page"),
    ];
    assert_eq!(told, expected);

    for path in ["/", "/products/TEAPOT"] {
        let page = app.page(&shopper, path).await;
        let (_, row) = page.split_once("Recently viewed").unwrap_or_else(|| panic!("{path} has no row"));
        let place = |sku: &str| row.find(&format!("href=\"/products/{sku}\""));
        assert!(place("MUG").is_some() && place("MUG") < place("V1") && place("V1") < place("LAMP"), "{row}");
        assert_eq!(place("TEAPOT").is_some(), path == "/", "what one looks at was not seen before");
    }
    let shown = app.page(&shopper, "/history").await;
    assert!(shown.contains("The LAMP") && shown.contains("Put into the cart"), "{shown}");
    let stranger = app.open_cart().await;
    assert_eq!(steps(&app, stranger.token()).await, "");
    let noted = app.metrics().await.value("cartwright_views_total", &[("outcome", "noted")]);
    // The page of the teapot is one more.
    assert_eq!(noted, Some(7.0));
}

async fn nobody_but_shoppers_is_noted(store: Store) {
    let app = TestApp::start(store).await;
    let token = random_token();
    for headers in [
        [("user-agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")],
        [("sec-purpose", "prefetch")],
        [("sec-purpose", "prefetch;prerender")],
        [("purpose", "prefetch")],
        [("cookie", "cartwright_staff=1")],
    ] {
        assert_eq!(browse(&app, &token, PAGE, &headers).await.0, 200, "{headers:?}");
    }
    let peek = Client::new().head(app.url(PAGE)).header("cookie", format!("cartwright_visitor={token}"));
    assert_eq!(peek.send().await.unwrap().status(), 200);
    assert_eq!(browse(&app, &token, "/products/NONE", &[]).await.0, 404);
    let robot =
        Client::new().post(app.url("/api/v1/views")).bearer_auth(&token).header("user-agent", "curl/8.5");
    let answer = Answer::to(robot.json(&json!({"skus": ["MUG"]}))).await.unwrap();
    let left_out = &answer.body["left_out"][0];
    assert_eq!(
        (answer.status, &answer.body["noted"], &left_out["because"]),
        (202, &json!(0), &json!("no_shopper"))
    );
    // Nobody looks at so much in a minute.
    let many = vec!["MUG"; 50];
    let noted: Vec<u64> = [
        report(&app, &token, &many).await,
        report(&app, &token, &many).await,
        report(&app, &token, &many).await,
    ]
    .iter()
    .map(|said| said["noted"].as_u64().unwrap())
    .collect();
    assert_eq!(noted[..2], [50, 50]);
    assert!((20..25).contains(&noted[2]), "{noted:?}");
    settle().await;
    assert_eq!(steps(&app, &token).await, "MUG");
    let noted = noted.iter().sum::<u64>() as usize;
    assert_eq!(app.events("product_viewed", noted).await.len(), noted);
    let metrics = app.metrics().await;
    let counted = |outcome| metrics.value("cartwright_views_total", &[("outcome", outcome)]);
    assert_eq!(counted("no_shopper"), Some(7.0));
    assert!(counted("too_many") >= Some(25.0));
}

async fn who_declines_leaves_no_trace(store: Store) {
    let mut app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let token = shopper.token().to_owned();
    report(&app, &token, &["MUG", "LAMP"]).await;
    remembered(&app, &token, "MUG LAMP").await;
    let off = call(&app, Method::PATCH, "/history", &token, Some(&json!({"kept": false}))).await;
    assert_eq!((off.status, &off.body), (200, &json!({"kept": false, "because": "choice", "steps": []})));
    let said = report(&app, &token, &["TEAPOT"]).await;
    assert_eq!((&said["noted"], &said["left_out"][0]["because"]), (&json!(0), &json!("declined")));
    app.page(&shopper, PAGE).await;
    shopper.add("V2", 1).await.accepted();
    settle().await;
    assert_eq!(steps(&app, &token).await, "");
    assert!(!app.page(&shopper, "/").await.contains("Recently viewed"));
    assert!(app.page(&shopper, "/history").await.contains("as you asked"));
    app.restart().await;
    settle().await;
    assert_eq!(steps(&app, &token).await, "", "a restart remembers the no");
    assert_eq!(app.events("product_viewed", 2).await.len(), 2, "what was told before");
    let on = call(&app, Method::PATCH, "/history", &token, Some(&json!({"kept": true}))).await;
    assert_eq!(on.body, json!({"kept": true, "because": null, "steps": []}));
    report(&app, &token, &["V3"]).await;
    remembered(&app, &token, "V3").await;
    let [declined] = &app.events("history_declined", 1).await[..] else { panic!("it is told once") };
    assert_eq!(declined["data"], json!({"because": "choice"}));
    assert_eq!(app.events("history_allowed", 1).await[0]["unit"], declined["unit"]);
}

async fn a_browser_that_asks_not_to_be_followed_is_not(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let token = shopper.token();
    report(&app, token, &["LAMP"]).await;
    remembered(&app, token, "LAMP").await;
    for signal in [("sec-gpc", "1"), ("dnt", "1")] {
        let (status, page) = browse(&app, token, PAGE, &[signal]).await;
        assert!(status == 200 && !page.contains("Recently viewed"), "{signal:?}");
    }
    assert!(
        browse(&app, token, "/history", &[("sec-gpc", "1")]).await.1.contains("your browser asks us not to")
    );
    eventually("the signal is a no of the visitor", async || history(&app, token).await["kept"] == false)
        .await;
    assert_eq!(history(&app, token).await["because"], "signal");
    // A signal of `0` is none, and a stranger's leaves no trace either.
    assert_eq!(browse(&app, &random_token(), PAGE, &[("dnt", "0")]).await.0, 200);
    let stranger = Client::new().get(app.url(PAGE)).header("sec-gpc", "1").send().await.unwrap();
    assert_eq!(stranger.status(), 200);
    assert_eq!(app.events("product_viewed", 2).await.len(), 2);
    assert_eq!(app.events("history_declined", 1).await.len(), 1, "it is told once");
}

async fn post(app: &TestApp, token: &str, form: &[(&str, &str)]) -> (u16, Vec<String>) {
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let sent = client.post(app.url("/history")).header("cookie", format!("cartwright_visitor={token}"));
    let answer = sent.form(form).send().await.unwrap();
    assert_eq!(answer.headers()[LOCATION], "/history");
    let cookies = answer.headers().get_all("set-cookie").iter();
    (answer.status().as_u16(), cookies.map(|cookie| cookie.to_str().unwrap().to_owned()).collect())
}

async fn a_form_says_no_for_the_browser_too(store: Store) {
    let app = TestApp::start(store).await;
    let token = random_token();
    let (status, cookies) = post(&app, &token, &[("keep", "0")]).await;
    let off =
        cookies.iter().find(|cookie| cookie.starts_with("cartwright_history=off")).expect("a cookie says so");
    assert!(status == 303 && off.contains("HttpOnly") && off.contains("Max-Age=31536000"), "{off}");
    // Whoever uses the browser next said no as well.
    let next = random_token();
    let cookie = [("cookie", "cartwright_history=off")];
    assert_eq!(browse(&app, &next, PAGE, &cookie).await.0, 200);
    eventually("the cookie is a no", async || history(&app, &next).await["because"] == "choice").await;
    let (_, cookies) = post(&app, &token, &[("keep", "1")]).await;
    let gone = cookies.iter().find(|cookie| cookie.starts_with("cartwright_history=")).unwrap();
    assert!(gone.contains("Max-Age=0"), "{gone}");
    browse(&app, &token, PAGE, &[]).await;
    remembered(&app, &token, "MUG").await;
    assert_eq!(app.events("product_viewed", 1).await.len(), 1);
    let foreign = Client::new().post(app.url("/history")).header("origin", "https://elsewhere.example");
    assert_eq!(foreign.form(&[("delete", "1")]).send().await.unwrap().status(), 403);
}

async fn what_is_deleted_stays_away(store: Store) {
    let mut app = TestApp::start(store).await;
    let answer = call(&app, Method::POST, "/users", &random_token(), Some(&ada())).await;
    let ada = token_of(&answer);
    let shopper = app.open_cart_as(&ada).await;
    shopper.add("TEAPOT", 1).await.accepted();
    shopper.check_out("tok_success").await.accepted();
    report(&app, &ada, &["MUG", "LAMP", "V1", "V2"]).await;
    remembered(&app, &ada, "+TEAPOT MUG LAMP V1 V2").await;
    let cookie = |path| app.page(&shopper, path);
    assert!(cookie("/").await.contains("Recommended for you"));

    let answer = call(&app, Method::DELETE, "/history", &ada, None).await;
    assert_eq!(answer.body["deleted"].as_array().unwrap().len(), 5, "{}", answer.body);
    assert_eq!(steps(&app, &ada).await, "");
    let home = app.page(&shopper, "/").await;
    assert!(
        !home.contains("Recommended for you") && !home.contains("Recently viewed"),
        "orders say nothing any more"
    );
    assert_eq!(
        call(&app, Method::GET, "/orders", &ada, None).await.body["orders"].as_array().unwrap().len(),
        1
    );
    let [told] = &app.events("history_deleted", 1).await[..] else { panic!("it is told once") };
    assert_eq!(told["data"]["through_ms"], told["at_ms"]);

    report(&app, &ada, &["V5", "MUG"]).await;
    remembered(&app, &ada, "V5 MUG").await;
    app.restart().await;
    remembered(&app, &ada, "V5 MUG").await;

    // The form says what went.
    let guest = random_token();
    report(&app, &guest, &["MUG", "LAMP", "V1", "V2", "MUG"]).await;
    remembered(&app, &guest, "MUG LAMP V1 V2 MUG").await;
    let (_, cookies) = post(&app, &guest, &[("delete", "1")]).await;
    let notice = cookies.iter().find(|cookie| cookie.starts_with("cartwright_notice=")).unwrap();
    let notice = notice.split(';').next().unwrap();
    let (_, page) = browse(&app, &guest, "/history", &[("cookie", notice)]).await;
    assert!(
        page.contains(
            "Forgotten: that you looked at The MUG, The V2, The V1 and 1 more, and all that came before."
        ),
        "{page}"
    );
    assert!(page.contains("data-forget-pages"), "the browser's copies go too");
}

async fn no_page_waits_for_a_store_that_is_behind(store: Store) {
    const WAITING_MAX: f64 = 10_000.0;
    let app = TestApp::start(store).await;
    let rename = async |from: &str, to: &str| {
        tables::run(app.store_url(), &format!("ALTER TABLE {from} RENAME TO {to}")).await.unwrap();
    };
    rename("histories", "histories_away").await;
    let many = vec!["MUG"; 50];
    let mut full = 0;
    for _ in 0..220 {
        let said = report(&app, &random_token(), &many).await;
        let dropped = said["left_out"].as_array().unwrap();
        assert!(dropped.iter().all(|one| one["because"] == "full"), "{said}");
        full += dropped.len();
    }
    assert_eq!(full, 1_000);
    let began = Instant::now();
    let (status, page) = browse(&app, &random_token(), PAGE, &[]).await;
    assert!(status == 200 && page.contains("The MUG") && began.elapsed() < Duration::from_secs(1));
    let metrics = app.metrics().await;
    let counted = |outcome| metrics.value("cartwright_views_total", &[("outcome", outcome)]).unwrap();
    assert_eq!((counted("noted"), counted("full")), (WAITING_MAX, full as f64 + 1.0));
    rename("histories_away", "histories").await;
    eventually("what waited is written", async || {
        let count = "SELECT CAST(count(*) AS text) FROM outbox WHERE ";
        let kind = if store == Store::Sqlite { "type" } else { "kind" };
        let rows = tables::texts(app.store_url(), &format!("{count}{kind} = 'product_viewed'")).await;
        rows[0][0].parse::<f64>().unwrap() >= WAITING_MAX
    })
    .await;
}

async fn only_what_waited_is_lost_with_a_process(store: Store) {
    let mut app = TestApp::start(store).await;
    let token = random_token();
    report(&app, &token, &["MUG"]).await;
    remembered(&app, &token, "MUG").await;
    report(&app, &token, &["LAMP"]).await;
    app.kill();
    app.restart().await;
    eventually("what was written is known again", async || steps(&app, &token).await.starts_with("MUG"))
        .await;
    let known = steps(&app, &token).await;
    assert!(["MUG", "MUG LAMP"].contains(&known.as_str()), "{known}");
    // Who is told to stop writes what waits.
    report(&app, &token, &["TEAPOT"]).await;
    app.stop().await;
    app.restart().await;
    remembered(&app, &token, &format!("{known} TEAPOT")).await;
}

async fn a_log_in_takes_the_trail_along(store: Store) {
    let app = TestApp::start(store).await;
    let first = random_token();
    report(&app, &first, &["MUG"]).await;
    remembered(&app, &first, "MUG").await;
    let answer = call(&app, Method::POST, "/users", &first, Some(&ada())).await;
    let here = token_of(&answer);
    remembered(&app, &here, "MUG").await;

    let guest = app.open_cart().await;
    report(&app, guest.token(), &["LAMP"]).await;
    guest.add("V1", 1).await.accepted();
    remembered(&app, guest.token(), "LAMP +V1").await;
    let answer = call(&app, Method::POST, "/sessions", guest.token(), Some(&credentials(PASSWORD))).await;
    let there = token_of(&answer);
    remembered(&app, &there, "MUG LAMP +V1").await;
    remembered(&app, &here, "MUG LAMP +V1").await;
    assert_eq!(steps(&app, guest.token()).await, "", "without the log-in the device shows nothing");
    // Who logs in somewhere takes a no along.
    let shy = random_token();
    call(&app, Method::PATCH, "/history", &shy, Some(&json!({"kept": false}))).await;
    let answer = call(&app, Method::POST, "/sessions", &shy, Some(&credentials(PASSWORD))).await;
    assert_eq!(history(&app, &token_of(&answer)).await["because"], "choice");
    assert_eq!(steps(&app, &here).await, "");
}

async fn a_report_that_makes_no_sense_is_refused(store: Store) {
    let app = TestApp::start(store).await;
    let token = random_token();
    let send = async |body: Value| call(&app, Method::POST, "/views", &token, Some(&body)).await;
    send(json!({"skus": []})).await.assert_problem(400, "invalid-request");
    let many = send(json!({"skus": vec!["MUG"; 51]})).await;
    many.assert_problem(400, "invalid-request");
    assert!(many.body["detail"].as_str().unwrap().contains("1 to 50 products, not 51"), "{}", many.body);
    for body in [json!({}), json!({"skus": "MUG"}), json!({"skus": ["MUG"], "unit": "somebody"}), json!([1])]
    {
        assert_eq!(send(body.clone()).await.status, 400, "{body}");
    }
    let odd = json!({"skus": ["", "x".repeat(500), "../../etc"]});
    let odd = send(odd).await;
    assert_eq!((odd.status, &odd.body["noted"]), (202, &json!(0)), "{}", odd.body);
    app.call(Method::POST, "/api/v1/views", None, Some(&json!({"skus": ["MUG"]})))
        .await
        .assert_problem(401, "unauthorized");
    app.call(Method::GET, "/api/v1/history", None, None).await.assert_problem(401, "unauthorized");
    let shopper = app.open_cart().await;
    let (link, _) = crate::shares::share(&shopper, json!({})).await;
    let (mut watcher, _) = crate::shares::watch(&app, &shopper.topic(), &link).await;
    let refused = watcher.push(&shopper.topic(), "view", json!({"sku": "MUG"})).await;
    assert_eq!(refused.status(), "error", "{refused:?}");
    let mut device: Device = app.join(&shopper).await;
    let refused = device.push(&shopper.topic(), "view", json!({})).await;
    assert_eq!((refused.status(), refused.reason()), ("error", "invalid_json"), "{refused:?}");
}

/// Waits until a node shows a trail; returns how long that took.
async fn shown_after(app: &TestApp, shopper: &Shopper, wanted: &str) -> Duration {
    let began = Instant::now();
    while steps(app, shopper.token()).await != wanted {
        assert!(began.elapsed() < Duration::from_secs(10), "{}", steps(app, shopper.token()).await);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_node_knows_within_a_second_what_is_seen_and_forgotten_at_another() {
    let app = TestApp::start(Store::Postgres).await;
    let mut twin = app.twin().await;
    let shopper = app.open_cart().await;
    let (mut wanted, mut times) = (String::new(), vec![]);
    for n in 0..8 {
        let node = if n % 2 == 0 { &app } else { &twin };
        let other = if n % 2 == 0 { &twin } else { &app };
        node.page(&shopper, &format!("/products/V{n}")).await;
        wanted = format!("{wanted} V{n}").trim().to_owned();
        times.push(shown_after(other, &shopper, &wanted).await);
        assert_eq!(steps(node, shopper.token()).await, wanted);
    }
    shopper.add("MUG", 1).await.accepted();
    wanted.push_str(" +MUG");
    times.push(shown_after(&twin, &shopper, &wanted).await);
    // Readers by position wait for a transaction that stays open, such as a backup's; shoppers do not.
    let url = app.store_url().to_owned();
    let backup =
        tokio::spawn(async move { tables::run(&url, "SELECT pg_current_xact_id(), pg_sleep(3)").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    app.page(&shopper, "/products/LAMP").await;
    wanted.push_str(" LAMP");
    times.push(shown_after(&twin, &shopper, &wanted).await);
    assert!(!backup.is_finished());
    println!("a look reached the other node after {times:?}");
    assert!(times.iter().all(|took| *took < Duration::from_secs(1)), "{times:?}");

    assert_eq!(call(&twin, Method::DELETE, "/history", shopper.token(), None).await.status, 200);
    assert_eq!(steps(&twin, shopper.token()).await, "");
    assert!(shown_after(&app, &shopper, "").await < Duration::from_secs(1));
    twin.restart().await;
    settle().await;
    assert_eq!(steps(&twin, shopper.token()).await, "");
    call(&app, Method::PATCH, "/history", shopper.token(), Some(&json!({"kept": false}))).await;
    let page = twin.page(&shopper, PAGE).await;
    assert!(page.contains("The MUG"));
    settle().await;
    assert_eq!(history(&twin, shopper.token()).await["because"], "choice");
    let written = async || app.events_now("product_viewed").len() + twin.events_now("product_viewed").len();
    eventually("nine looks are in the files", async || written().await == 9).await;
}

/// Is a connection with a transaction of its own.
async fn connect(app: &TestApp) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(app.store_url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Writes looks at the place of the client's transaction, as another node would; every thousandth from the 500th on is the unit's,
/// at the product of that number.
fn looks(unit: &str, first: usize, count: usize, at_ms: u64) -> String {
    format!(
        "INSERT INTO outbox (position, id, at_ms, kind, cart, unit, data)
        SELECT (SELECT value FROM settings WHERE name = 'outbox_base')
                + (pg_current_xact_id()::text::bigint << 20) + (1 << 19) + n,
            gen_random_uuid(), {at_ms} + n, 'product_viewed', NULL,
            CASE n % 1000 WHEN 500 THEN '{unit}' ELSE 'other-' || n END,
            '{{\"sku\":\"V' || n / 1000 || '\",\"source\":\"api\"}}'
        FROM generate_series({first}, {first} + {count} - 1) AS n"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_longer_transaction_told_late_is_known_however_much_came_meanwhile() {
    let app = TestApp::start_with(Store::Postgres, Setup { is_alone: true, ..Setup::default() }).await;
    let shopper = app.open_cart().await;
    app.page(&shopper, PAGE).await;
    remembered(&app, shopper.token(), "MUG").await;
    let unit = tables::texts(app.store_url(), "SELECT unit FROM outbox WHERE kind = 'product_viewed'").await;
    let (unit, at_ms) = (&unit[0][0], u64::try_from(web::clock::now_ms()).unwrap());
    // While a backup runs, nobody is told that nothing can appear any more before what has.
    let backup = connect(&app).await;
    backup.batch_execute("BEGIN; SELECT pg_current_xact_id()").await.unwrap();
    let run = async |first| tables::run(app.store_url(), &looks(unit, first, 3_000, at_ms)).await.unwrap();
    run(0).await;
    let late = connect(&app).await;
    late.batch_execute(&format!("BEGIN; {}", looks(unit, 3_500, 1, at_ms))).await.unwrap();
    run(4_000).await;
    // Of more than one reading takes none is lost.
    remembered(&app, shopper.token(), "MUG V0 V1 V2 V4 V5 V6").await;
    late.batch_execute("COMMIT").await.unwrap();
    remembered(&app, shopper.token(), "MUG V0 V1 V2 V3 V4 V5 V6").await;
    backup.batch_execute("COMMIT").await.unwrap();
}
