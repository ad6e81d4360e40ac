//! Buying again what an order had.

use harness::{Shopper, Store, TestApp, shopper::Answer};
use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};

on_each_store!(an_order_is_bought_again, what_changed_since_is_told_line_by_line, a_page_buys_an_order_again);

async fn ordered(app: &TestApp) -> (Shopper, String) {
    let shopper = app.open_cart().await;
    let engraved =
        json!({"type": "add_line", "sku": "MUG", "quantity": 2, "properties": {"engraving": "Ada"}});
    shopper.command(&engraved).await.accepted();
    shopper.add("RARE", 2).await.accepted();
    let answer = shopper.check_out("tok_success").await;
    let id = answer.body["order"]["id"].as_str().unwrap().to_owned();
    (shopper, id)
}

async fn reorder(app: &TestApp, token: &str, id: &str, key: &str, body: &Value) -> Answer {
    let url = app.url(&format!("/api/v1/orders/{id}/reorder"));
    let request = Client::new().post(url).bearer_auth(token).header("Idempotency-Key", key).json(body);
    Answer::to(request).await.unwrap()
}

fn quantities(body: &Value) -> Vec<u64> {
    let lines = body["cart"]["lines"].as_array().unwrap();
    lines.iter().map(|line| line["quantity"].as_u64().unwrap()).collect()
}

async fn an_order_is_bought_again(store: Store) {
    let app = TestApp::start(store).await;
    let (shopper, id) = ordered(&app).await;
    let post = async |key: &str| reorder(&app, shopper.token(), &id, key, &json!({})).await;
    let stranger = app.open_cart().await;
    reorder(&app, stranger.token(), &id, "a", &json!({})).await.assert_problem(404, "unknown-order");

    let again = post("a").await;
    assert_eq!(again.status, 200, "{}", again.body);
    assert_ne!(again.body["cart"]["id"], shopper.cart_id(), "the cart that became the order is closed");
    assert_eq!(again.header("etag"), format!("\"{}\"", again.body["version"]));
    let line = |n: usize| &again.body["lines"][n];
    let engraving = json!({"engraving": "Ada"});
    assert_eq!((&line(0)["outcome"], &line(0)["properties"]), (&json!("added"), &engraving));
    assert_eq!((&line(0)["added"], line(0).get("reasons")), (&json!(2), None));
    // One of three rare things is left.
    assert_eq!((&line(1)["wanted"], &line(1)["added"]), (&json!(2), &json!(1)));
    assert_eq!(
        (&line(1)["outcome"], &line(1)["reasons"][0]["reason"]),
        (&json!("adjusted"), &json!("out_of_stock"))
    );
    assert_eq!(quantities(&again.body), [2, 1]);

    // The same key adds nothing more and says the same; another key adds what can be had.
    let same = post("a").await;
    assert_eq!((&same.body["lines"], &same.body["cart"]), (&again.body["lines"], &again.body["cart"]));
    let more = post("b").await;
    assert_eq!((quantities(&more.body), &more.body["lines"][1]["outcome"]), (vec![4, 1], &json!("refused")));

    // Into a cart that is named, its owner's.
    let own = app.open_cart_as(shopper.token()).await;
    let named = reorder(&app, shopper.token(), &id, "c", &json!({"cart": own.cart_id()})).await;
    assert_eq!((named.status, &named.body["cart"]["id"]), (200, &json!(own.cart_id())));
    let foreign = json!({"cart": stranger.cart_id()});
    reorder(&app, shopper.token(), &id, "d", &foreign).await.assert_problem(403, "not-owner");
    let closed = json!({"cart": shopper.cart_id()});
    reorder(&app, shopper.token(), &id, "e", &closed).await.assert_problem(409, "cart-closed");
    assert!(app.try_run(&["check"]).await.status.success(), "every piece has its place");
}

async fn what_changed_since_is_told_line_by_line(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    for sku in ["MUG", "TEAPOT", "RARE"] {
        shopper.add(sku, 1).await.accepted();
    }
    let answer = shopper.check_out("tok_success").await;
    let id = answer.body["order"]["id"].as_str().unwrap().to_owned();
    let price = |sku: &str| {
        let lines = answer.body["order"]["lines"].as_array().unwrap();
        lines.iter().find(|l| l["sku"] == sku).unwrap()["unit_price_minor"].as_i64().unwrap()
    };
    let csv = format!(
        "sku,name,price,currency,stock,hidden\nMUG,Mug,{},GBP,100,0\nTEAPOT,Teapot,{},GBP,100,0\nRARE,Rare,1.00,GBP,3,1\n",
        (price("MUG") + 100) as f64 / 100.0,
        (price("TEAPOT") - 100) as f64 / 100.0,
    );
    app.run(&["import", "products", &app.write_file("new.csv", &csv)]).await;
    let told = async || {
        let body = reorder(&app, shopper.token(), &id, &harness::app::random_token(), &json!({})).await.body;
        let lines = body["lines"].as_array().unwrap().clone();
        lines.iter().map(|l| l["reasons"][0]["reason"].as_str().unwrap_or("").to_owned()).collect::<Vec<_>>()
    };
    for _ in 0..100 {
        if told().await == ["dearer", "cheaper", "unknown_sku"] {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(told().await, ["dearer", "cheaper", "unknown_sku"]);
}

async fn a_page_buys_an_order_again(store: Store) {
    let app = TestApp::start(store).await;
    let (shopper, id) = ordered(&app).await;
    let again = format!("/orders/{id}/again");
    for page in ["/orders".to_owned(), format!("/orders/{id}")] {
        assert!(app.page(&shopper, &page).await.contains(&again), "{page}");
    }
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let mut cookie = format!("cartwright_visitor={}", shopper.token());
    let form: [(&str, &str); 0] = [];
    let request = client.post(app.url(&again)).header("cookie", &cookie).form(&form);
    let answer = request.send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()), (303, "/cart"));
    for set in answer.headers().get_all("set-cookie") {
        let set = set.to_str().unwrap().split(';').next().unwrap();
        if set.starts_with("cartwright_notice=") {
            cookie = format!("{cookie}; {set}");
        }
    }
    let cart = client.get(app.url("/cart")).header("cookie", &cookie).send().await.unwrap();
    let text = cart.text().await.unwrap();
    assert!(text.contains("only 1 of 2"), "{text}");
}
