//! The shelves: what they offer, beside the shop's rules, who saw and clicked what, and what came of it.

mod journal;
mod rivals;
mod rules;
mod sets;

use std::collections::{BTreeMap, BTreeSet};

use harness::{
    Admin, Answer, Shopper, Store, TestApp,
    admin::{self, api, unescape},
    app::Setup,
    catalogue::{csv, many, standard},
    patience::eventually,
};
use serde_json::{Value, json};

on_each_store!(
    what_lies_in_an_open_cart_is_offered_nowhere,
    what_was_bought_many_orders_ago_is_not_offered_again,
    what_was_answered_before_is_never_out_of_date,
    an_algorithm_that_is_late_is_done_without,
    a_trail_names_products_with_commas,
);

/// Returns a set-up whose shelves wait so long.
fn with_deadline_ms(ms: u32) -> Setup {
    let mut setup = admin::setup();
    setup.config = setup.config.replace("deadline_ms = 2000", &format!("deadline_ms = {ms}"));
    setup
}

async fn shop(store: Store) -> TestApp {
    TestApp::start_with(store, admin::setup()).await
}

async fn recommended(app: &TestApp, query: &str, token: Option<&str>) -> Value {
    let mut request = reqwest::Client::new().get(app.url(&format!("/api/v1/recommendations?{query}")));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = Answer::to(request).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn skus(app: &TestApp, query: &str, token: Option<&str>) -> Vec<String> {
    let body = recommended(app, query, token).await;
    let all = body["recommendations"].as_array().unwrap();
    all.iter().map(|one| one["sku"].as_str().unwrap().to_owned()).collect()
}

/// Saves rules over those of a revision.
async fn save(app: &TestApp, revision: u64, rules: Value) -> Answer {
    let body = json!({"revision": revision, "reason": "a test", "rules": rules});
    api(app, "PUT", "/shelf-rules", Some(&body)).await
}

/// Tells of shelves as a program does for its visitor.
async fn tell(app: &TestApp, token: &str, report: Value) -> Value {
    let request =
        reqwest::Client::new().post(app.url("/api/v1/shelf-events")).bearer_auth(token).json(&report);
    let answer = Answer::to(request).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// Returns what a report says of recommendations.
fn places(body: &Value) -> Vec<Value> {
    let all = body["recommendations"].as_array().unwrap();
    all.iter().map(|one| json!({"sku": one["sku"], "from": one["from"]})).collect()
}

/// Reads the page of the shelves until it says something.
async fn page_says(admin: &Admin, words: &str) -> String {
    eventually(words, async || admin.get("/admin/shelves?days=7").await.text().contains(words)).await;
    admin.get("/admin/shelves?days=7").await.text()
}

/// Returns what stands on the shelves of a page.
async fn on_shelves(app: &TestApp, shopper: &Shopper, path: &str) -> BTreeSet<String> {
    let html = app.page(shopper, path).await;
    let skus = html.split("data-spot=\"").skip(1).map(|rest| {
        let sku = rest.split("data-sku=\"").nth(1).unwrap();
        sku.split('"').next().unwrap().to_owned()
    });
    skus.collect()
}

async fn what_lies_in_an_open_cart_is_offered_nowhere(store: Store) {
    let app = shop(store).await;
    let rules = json!([
        {"id": "top", "type": "pin", "skus": ["V7"], "place": 1},
        {"id": "next", "type": "pin", "skus": ["V6"], "place": 2}
    ]);
    assert_eq!(save(&app, 0, rules).await.status, 200);
    let (ann, bob) = (app.open_cart().await, app.open_cart().await);
    let offers = |offered: &BTreeSet<String>| ["V6", "V7"].map(|sku| offered.contains(sku));
    for path in ["/", "/products/MUG"] {
        assert_eq!(offers(&on_shelves(&app, &ann, path).await), [true, true], "{path}");
    }
    // What others asked is answered again: until it is kept, its stock must be known.
    let asked = ["sku=MUG&limit=50", "viewed=LAMP&limit=50", "category=home&limit=50", "limit=50"];
    let answers = async |token: Option<&str>| {
        let mut all = vec![];
        for query in asked {
            all.push(offers(&skus(&app, query, token).await.into_iter().collect()));
        }
        all
    };
    answers(Some(bob.token())).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    for _ in 0..2 {
        assert_eq!(answers(Some(bob.token())).await, [[true, true]; 4]);
    }

    ann.add("V7", 1).await.accepted();
    for path in ["/", "/products/MUG"] {
        let offered = on_shelves(&app, &ann, path).await;
        assert_eq!(offers(&offered), [true, false], "{path}: {offered:?}");
    }
    for _ in 0..2 {
        assert_eq!(answers(Some(ann.token())).await, [[true, false]; 4]);
        assert_eq!(answers(Some(bob.token())).await, [[true, true]; 4], "their carts are their own");
        assert_eq!(answers(None).await, [[true, true]; 4]);
    }

    // An order's page knows the next cart.
    let order = ann.check_out("tok_success").await.body["order"]["id"].as_str().unwrap().to_owned();
    let next = app.open_cart_as(ann.token()).await;
    let page = format!("/orders/{order}");
    assert_eq!(offers(&on_shelves(&app, &next, &page).await), [true, false], "it was just bought");
    next.add("V6", 1).await.accepted();
    assert_eq!(offers(&on_shelves(&app, &next, &page).await), [false, false]);
}

async fn what_was_bought_many_orders_ago_is_not_offered_again(store: Store) {
    let app = shop(store).await;
    let rules = json!([{"id": "once", "type": "once", "skus": ["V6", "V7"]}]);
    assert_eq!(save(&app, 0, rules).await.status, 200);
    let shopper = app.open_cart().await;
    let token = Some(shopper.token());
    for n in 0..22 {
        let cart = app.open_cart_as(shopper.token()).await;
        cart.add(if n == 0 { "V7" } else { "MUG" }, 1).await.accepted();
        assert_eq!(cart.check_out("tok_success").await.status, 200);
    }
    let found = skus(&app, "sku=LAMP&limit=50", token).await;
    assert!(found.contains(&"V6".to_owned()) && !found.contains(&"V7".to_owned()), "{found:?}");
    assert!(!on_shelves(&app, &shopper, "/").await.contains("V7"));
    assert!(skus(&app, "sku=LAMP&limit=50", None).await.contains(&"V7".to_owned()));
}

/// Holds a table so that nobody can read it, until the connection is dropped.
async fn lock(app: &TestApp, table: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(app.store_url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let locked = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
    client.batch_execute(&locked).await.unwrap();
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_stalls_delays_no_page_for_its_shelves() {
    let setup = Setup { is_alone: true, ..with_deadline_ms(100) };
    let app = TestApp::start_with(Store::Postgres, setup).await;
    let shopper = app.open_cart().await;
    shopper.add("MUG", 1).await.accepted();
    assert_eq!(shopper.check_out("tok_success").await.status, 200);
    let first_page = async || {
        let asked = std::time::Instant::now();
        let page = app.page(&shopper, "/").await;
        assert!(asked.elapsed() < SOON, "the page took {:?}", asked.elapsed());
        page
    };
    eventually("orders say what to recommend", async || first_page().await.contains("Recommended for you"))
        .await;
    let orders = lock(&app, "orders").await;
    for _ in 0..6 {
        assert!(first_page().await.contains("Popular now"), "what many buy stands in");
    }
    let asked = std::time::Instant::now();
    assert_eq!(skus(&app, "limit=3", Some(shopper.token())).await.len(), 3);
    assert!(asked.elapsed() < SOON, "the API took {:?}", asked.elapsed());
    drop(orders);
    eventually("orders say it again", async || first_page().await.contains("Recommended for you")).await;

    // Nobody asked for the stock of all of these yet.
    let _stock = lock(&app, "stock").await;
    let asked = std::time::Instant::now();
    let body = recommended(&app, "sku=MUG&limit=50", None).await;
    assert!(asked.elapsed() < SOON, "the API took {:?}", asked.elapsed());
    let all = body["recommendations"].as_array().unwrap();
    assert!(all.len() > 6 && all.iter().all(|one| one["available"].is_null()), "{body}");
    let slow = app.metrics().await.value("cartwright_shelf_fallbacks_total", &[("why", "slow")]);
    assert!(slow.unwrap() >= 8.0, "{slow:?}");
}

/// The store ends what waits for a lock after four seconds: what is faster has not waited for it.
const SOON: std::time::Duration = std::time::Duration::from_secs(3);

/// Returns what is said of one product among what goes with the mug.
async fn told(app: &TestApp, sku: &str, token: Option<&str>) -> Value {
    let body = recommended(app, "sku=MUG&limit=50", token).await;
    let all = body["recommendations"].as_array().unwrap();
    all.iter().find(|one| one["sku"] == sku).cloned().unwrap_or_default()
}

async fn what_was_answered_before_is_never_out_of_date(store: Store) {
    let app = shop(store).await;
    let until_ms = now_ms() + 15_000;
    let file = app.write_file(
        "sale.csv",
        &format!(
            "sku,name,price_minor,currency,stock,prices\nSALE,Jug,900,GBP,5,\"[{{\"\"minor\"\":500,\"\"currency\"\":\"\"GBP\"\",\"\"until_ms\"\":{until_ms}}}]\"\n"
        ),
    );
    app.run(&["import", "products", &file]).await;
    eventually("it is for sale", async || told(&app, "SALE", None).await["sku"] == "SALE").await;
    let (mut cheap, mut dear) = (0, 0);
    while dear < 3 {
        let asked_ms = now_ms();
        let price = told(&app, "SALE", None).await["price_minor"].clone();
        match price.as_i64() {
            Some(500) if asked_ms < until_ms => cheap += 1,
            Some(900) if now_ms() >= until_ms => dear += 1,
            other => panic!("{other:?} {} ms after the price ended", now_ms() - until_ms),
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(cheap > 3, "it was asked before, too: {cheap}");

    // Who asks the same is shown the same, each in a showing of their own.
    let tokens = ["one", "another"].map(|name| format!("{name}-{}", harness::app::random_token()));
    for token in tokens.iter().chain(&tokens) {
        let body = recommended(&app, "sku=MUG&limit=3", Some(token)).await;
        assert_eq!(tell(&app, token, json!({"clicked": places(&body)})).await["accepted"], 3, "{body}");
        assert!(told(&app, "SALE", None).await["from"].is_null());
    }

    let shopper = app.open_cart().await;
    shopper.add("SALE", 2).await.accepted();
    eventually("pieces are held", async || told(&app, "SALE", None).await["available"] == 3).await;
    shopper.add("SALE", 3).await.accepted();
    eventually("it is sold out", async || told(&app, "SALE", None).await.is_null()).await;
    assert!(!told(&app, "V5", None).await.is_null());
    let rules = json!([{"id": "not", "type": "exclude", "skus": ["V5"]}]);
    assert_eq!(save(&app, 0, rules).await.status, 200);
    assert!(told(&app, "V5", None).await.is_null(), "a rule holds at once");
}

/// Returns the clock's reading, in Unix milliseconds.
pub fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_millis()).unwrap()
}

async fn an_algorithm_that_is_late_is_done_without(store: Store) {
    let app = TestApp::start_with(store, with_deadline_ms(0)).await;
    assert_eq!(skus(&app, "sku=MUG&limit=3", None).await.len(), 3);
    let found = skus(&app, "sku=MUG&limit=50", None).await;
    assert!(!found.contains(&"GONE".to_owned()) && !found.contains(&"MUG".to_owned()), "{found:?}");
    let metrics = app.metrics().await;
    assert_eq!(metrics.value("cartwright_shelf_fallbacks_total", &[("why", "late")]), Some(2.0));
}

async fn a_trail_names_products_with_commas(store: Store) {
    let mut setup = admin::setup();
    let mug = setup.goods.iter().find(|goods| goods.sku == "MUG").unwrap().clone();
    setup.goods.push(harness::catalogue::Goods { sku: "MUG,BLUE".to_owned(), ..mug });
    let app = TestApp::start_with(store, setup).await;
    let all = ["MUG", "LAMP", "MUG,BLUE"];
    // What is on screen, the last of the trail, is not offered.
    for (query, last) in [
        ("viewed=MUG&viewed=LAMP", "LAMP"),
        ("viewed=LAMP&viewed=TEAPOT,MUG", "MUG"),
        ("viewed=TEAPOT%2CLAMP", "LAMP"),
        ("viewed=LAMP,MUG%2CBLUE", "MUG,BLUE"),
        ("viewed=LAMP&viewed=MUG%2CBLUE", "MUG,BLUE"),
        ("viewed=MUG%2CBLUE,LAMP,", "LAMP"),
    ] {
        let found = skus(&app, &format!("{query}&limit=50"), None).await;
        let missing: Vec<_> = all.into_iter().filter(|sku| !found.contains(&(*sku).to_owned())).collect();
        assert_eq!(missing, [last], "{query}");
    }
    let many = vec!["viewed=MUG"; 51].join("&");
    for (query, words) in [(many.as_str(), "51 products, the most is 50"), ("viewed=MUG&vewed=LAMP", "vewed")]
    {
        let request = reqwest::Client::new().get(app.url(&format!("/api/v1/recommendations?{query}")));
        let answer = Answer::to(request).await.unwrap();
        assert!(answer.status == 400 && answer.body.to_string().contains(words), "{}", answer.body);
    }
}
