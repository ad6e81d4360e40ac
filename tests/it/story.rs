//! The story of one change of algorithm: a flag with two variations, what shoppers did, a verdict, and what everybody is shown then.

use experiments::ArmSums;
use harness::{Admin, Answer, Store, TestApp, admin, patience::eventually};
use serde_json::{Value, json};

use crate::{
    experiments::{FIELDS, draft},
    whole_loop::{buy, swapped, swaps},
};

on_each_store!(a_change_of_algorithm_is_decided_by_what_its_shelf_led_to);

const KEY: &str = "mugs-together";
const PAGE: &str = "/admin/experiments/mugs-together";
const VISITORS: usize = 440;
/// The usual metrics of shelves, in the order in which the experiment counts them: the one that decides comes first.
const METRICS: [&str; 5] =
    ["shelf_adds", "shelf_clicks", "shelf_click_rate", "shelf_orders", "shelf_revenue"];

/// A shop in which lamps sell most, and mugs with teapots, and a model that has learnt so.
async fn taught(store: Store) -> TestApp {
    let app = TestApp::start_with(store, admin::setup()).await;
    for n in 0..8 {
        buy(&app, if n < 6 { &["MUG", "TEAPOT", "V1"] } else { &["MUG", "TEAPOT"] }).await;
        buy(&app, &["LAMP", "V0"]).await;
    }
    for _ in 0..4 {
        buy(&app, &["LAMP", "V0"]).await;
    }
    app.events("order_placed", 20).await;
    let before = swaps(&app).await;
    app.run(&["train"]).await;
    swapped(&app, before).await;
    app
}

/// Starts the experiment in its form: who fills the shelf on the pages of products.
async fn start(admin: &Admin) {
    let ours = [
        ("name", "Mugs with what goes with them"),
        ("key", KEY),
        ("hypothesis", "What was bought together tempts more than what sells most."),
        ("flag", "shelf_bought_together"),
        ("variation_1_key", "popular"),
        ("variation_1_value", "\"popular\""),
        ("variation_2_key", "pairs"),
        ("variation_2_value", "\"pairs\""),
        ("primary_metric", METRICS[0]),
    ];
    let drafted = draft(admin, &[FIELDS, &ours].concat()).await;
    assert_eq!(drafted.status, 200, "{}", drafted.text());
    let page = admin.get(PAGE).await;
    assert_eq!(admin.submit(&page, &format!("{PAGE}/start"), &[]).await.status, 200);
}

/// What a visitor sees beside a mug, as programs get it; each with its `from`.
async fn beside_mug(app: &TestApp, token: &str) -> Vec<Value> {
    let request = reqwest::Client::new().get(app.url("/api/v1/recommendations?sku=MUG&limit=2"));
    let answer = Answer::to(request.bearer_auth(token)).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["recommendations"].as_array().unwrap().clone()
}

fn algorithm(place: &Value) -> &str {
    place["from"].as_str().unwrap().split('.').nth(2).unwrap()
}

/// Counts what visitors did, for each metric of [`METRICS`]: both numbers of a ratio.
type Book = [[i128; 2]; 5];

/// A visitor sees the shelf. Of three who see a teapot beside the mug two click on it; of those who see something else every
/// eighth clicks on that. Returns what was clicked on.
async fn visit(app: &TestApp, n: usize, book: &mut [Book; 2]) -> Option<Value> {
    let token = token(n);
    let shelf = beside_mug(app, &token).await;
    let teapot = shelf.iter().find(|place| place["sku"] == "TEAPOT");
    let tempting = teapot
        .filter(|_| !n.is_multiple_of(3))
        .or(shelf.first().filter(|_| teapot.is_none() && n.is_multiple_of(8)));
    let place = |place: &Value| json!({"sku": place["sku"], "from": place["from"]});
    let report = json!({
        "shown": shelf.iter().map(place).collect::<Vec<_>>(),
        "clicked": tempting.map(place).into_iter().collect::<Vec<_>>(),
    });
    let told = app.call(reqwest::Method::POST, "/api/v1/shelf-events", Some(&token), Some(&report)).await;
    assert_eq!(told.body["refused"], json!([]), "{}", told.body);
    let book = &mut book[usize::from(algorithm(&shelf[0]) == "pairs")];
    book[2][1] += 1;
    if tempting.is_some() {
        (book[1][0], book[2][0]) = (book[1][0] + 1, book[2][0] + 1);
    }
    tempting.cloned()
}

fn token(n: usize) -> String {
    format!("story-visitor-{n}")
}

/// A visitor puts into the cart what they clicked on; some order it, with something else.
async fn take(app: &TestApp, n: usize, tempting: &Value, book: &mut [Book; 2]) {
    let book = &mut book[usize::from(algorithm(tempting) == "pairs")];
    let shopper = app.open_cart_as(&token(n)).await;
    shopper.add(tempting["sku"].as_str().unwrap(), 1).await.accepted();
    book[0][0] += 1;
    if n % 9 == 1 {
        shopper.add("V7", 1).await.accepted();
        shopper.check_out("tok_success").await.accepted();
        book[3][0] += 1;
        book[4][0] += i128::from(tempting["price_minor"].as_i64().unwrap());
    }
}

/// What the experiment has counted of its whole arms.
async fn counted(app: &TestApp) -> [Book; 2] {
    let store = web::store::connect(app.store_url(), 2).await.unwrap();
    let rolled = store.arms(KEY).await.unwrap();
    let metrics: Vec<Value> =
        rolled.experiments.first().map_or(vec![], |row| serde_json::from_str(&row.metrics).unwrap());
    let mut book = [Book::default(); 2];
    for arm in rolled.arms.iter().filter(|arm| arm.segment.is_empty()) {
        let sums = ArmSums::parse(&arm.sums).unwrap();
        for (key, counts) in METRICS.iter().zip(&mut book[arm.variation as usize]) {
            let index = metrics.iter().position(|metric| metric["key"] == *key).unwrap();
            *counts = [sums.metric(index).total(), sums.metric(index).weight()];
        }
    }
    book
}

async fn a_change_of_algorithm_is_decided_by_what_its_shelf_led_to(store: Store) {
    let mut app = taught(store).await;
    let admin = Admin::sign_in(&app).await;
    start(&admin).await;
    let mut book = [Book::default(); 2];
    let mut tempted = vec![];
    for n in 0..VISITORS {
        tempted.extend(visit(&app, n, &mut book).await.map(|tempting| (n, tempting)));
    }
    app.events("shelf_clicked", tempted.len()).await;
    for (n, tempting) in &tempted {
        take(&app, *n, tempting, &mut book).await;
    }
    eventually("all is counted as it happened", async || counted(&app).await == book).await;

    let page = admin.get(PAGE).await.text();
    for words in [
        "Treatment is better: adds from shelves per visitor",
        "You can stop and ship it.",
        "Revenue from shelves per visitor",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let shelves = admin.get("/admin/shelves?days=7").await.text();
    assert!(
        shelves.contains("Bought together pairs") && shelves.contains("Bought together popular"),
        "{shelves}"
    );

    // Made again from the first event on, the numbers are the same.
    app.stop().await;
    web::store::connect(app.store_url(), 2).await.unwrap().reset_roll_ups().await.unwrap();
    app.restart().await;
    eventually("the roll-ups are made again", async || counted(&app).await == book).await;

    let admin = Admin::sign_in(&app).await;
    let page = admin.get(PAGE).await;
    let shipped = admin.submit(&page, &format!("{PAGE}/ship/pairs"), &[("reason", "it is better")]).await;
    assert!(shipped.text().contains("is shipped."), "{}", shipped.text());
    for n in 0..8 {
        let shelf = beside_mug(&app, &format!("later-visitor-{n}")).await;
        assert_eq!((algorithm(&shelf[0]), &shelf[0]["sku"]), ("pairs", &json!("TEAPOT")));
        assert_eq!(shelf[0]["because"], "Bought together with The MUG in 8 of its 8 orders");
    }
}
