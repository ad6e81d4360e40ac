//! What happens when two things happen at once: four tests that well-known shops fail.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use harness::{Answer, Shopper, Store, TestApp, audit, catalogue};
use serde_json::{Value, json};
use tokio::task::JoinSet;

on_each_store!(
    a_cart_is_filled_changed_and_emptied,
    every_acknowledged_add_is_in_the_cart,
    simultaneous_first_adds_make_one_line,
    exactly_as_many_buyers_are_served_as_there_are_pieces,
    a_released_hold_is_for_sale_again,
    carts_survive_a_restart,
);

async fn a_cart_is_filled_changed_and_emptied(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let empty = shopper.cart().await;
    assert_eq!((&empty["status"], &empty["lines"]), (&json!("open"), &json!([])));

    let answer = shopper.add("MUG", 2).await;
    assert_eq!(answer.body["item"]["sku"], "MUG");
    let cart = answer.accepted();
    assert_eq!(cart["currency"], "GBP");
    let line = &cart["lines"][0];
    for (member, expected) in
        [("quantity", 2), ("unit_price_minor", 1_250), ("total_minor", 2_500), ("held", 2)]
    {
        assert_eq!(line[member], expected, "{member} in {line}");
    }
    assert_eq!(
        cart["totals"],
        json!({
            "items": 2, "subtotal_minor": 2_500, "discount_minor": 0, "shipping_minor": 0,
            "tax_minor": 0, "tax_added_minor": 0, "total_minor": 2_500,
        })
    );

    shopper.add("TEAPOT", 1).await.accepted();
    let cart =
        shopper.command(&json!({"type": "set_quantity", "sku": "MUG", "quantity": 5})).await.accepted();
    assert_eq!(cart["totals"]["total_minor"], 5 * 1_250 + 3_400);
    let cart = shopper.command(&json!({"type": "remove_line", "sku": "TEAPOT"})).await.accepted();
    assert_eq!(skus(&cart), ["MUG"]);
    let version = cart["version"].as_u64().unwrap();

    let answer = shopper.get().await;
    assert_eq!(answer.header("etag"), format!("\"{version}\""));
    assert_eq!(answer.body, cart);

    let cart = shopper.command(&json!({"type": "clear"})).await.accepted();
    assert_eq!(cart["lines"], json!([]));
    assert!(cart["version"].as_u64().unwrap() > version);
    let stock = audit::stock(&app).await;
    assert!(stock.values().all(|stock| stock.is_conserved() && stock.held == 0), "{stock:?}");
}

async fn every_acknowledged_add_is_in_the_cart(store: Store) {
    let app = TestApp::start(store).await;
    for (connections, adds) in [(2, 50), (8, 25), (64, 5)] {
        let shopper = app.open_cart().await;
        let mut tasks = JoinSet::new();
        for connection in 0..connections {
            let shopper = shopper.on(app.address());
            tasks.spawn(async move {
                let mut acknowledged = Vec::new();
                for n in 0..adds {
                    let sku = format!("V{}", (connection + n) % catalogue::VARIANTS);
                    shopper.add(&sku, 1).await.accepted();
                    acknowledged.push(sku);
                }
                acknowledged
            });
        }
        let acknowledged: Vec<String> = tasks.join_all().await.concat();
        assert_eq!(acknowledged.len(), connections * adds);
        let cart = shopper.cart().await;
        let lines = cart["lines"].as_array().unwrap();
        let found: BTreeMap<&str, usize> = lines
            .iter()
            .map(|line| (line["sku"].as_str().unwrap(), line["quantity"].as_u64().unwrap() as usize))
            .collect();
        let mut expected: BTreeMap<&str, usize> = BTreeMap::new();
        for sku in &acknowledged {
            *expected.entry(sku).or_default() += 1;
        }
        assert_eq!(found, expected, "{connections} connections with {adds} adds each");
        assert_eq!(lines.len(), expected.len(), "one line a variant");
    }
}

async fn simultaneous_first_adds_make_one_line(store: Store) {
    let app = TestApp::start(store).await;
    for round in 0..30 {
        let shopper = app.open_cart().await;
        let other = shopper.on(app.address());
        // Both connections are open before the race, so that the two adds leave together.
        tokio::join!(shopper.cart(), other.cart());
        let (one, two) = tokio::join!(shopper.add("V0", 1), other.add("V0", 1));
        one.accepted();
        two.accepted();
        let cart = shopper.cart().await;
        assert_eq!(skus(&cart), ["V0"], "round {round}");
        assert_eq!(cart["lines"][0]["quantity"], 2, "round {round}");
    }
}

async fn exactly_as_many_buyers_are_served_as_there_are_pieces(store: Store) {
    const BUYERS: usize = 200;
    let app = TestApp::start(store).await;
    let mut shoppers = Vec::new();
    for _ in 0..BUYERS {
        shoppers.push(app.open_cart().await);
    }
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for shopper in shoppers {
        tasks.spawn(async move { buy_lamp(&shopper).await });
    }
    let answers = tasks.join_all().await;
    println!("{store}: {BUYERS} buyers of {} pieces took {:?}", catalogue::LAMP_STOCK, begun.elapsed());

    let (served, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(served.len() as i64, catalogue::LAMP_STOCK);
    let orders: BTreeSet<&str> =
        served.iter().map(|answer| answer.body["order"]["id"].as_str().unwrap()).collect();
    assert_eq!(orders.len(), served.len(), "each buyer has an order of their own");
    for answer in refused {
        answer.assert_problem(409, "out-of-stock");
        assert!(answer.body["detail"].as_str().unwrap().contains("LAMP"), "{}", answer.body);
    }
    let lamp = audit::stock(&app).await["LAMP"];
    assert!(lamp.is_conserved(), "{lamp:?}");
    assert_eq!((lamp.available, lamp.held, lamp.sold), (0, 0, catalogue::LAMP_STOCK));
}

async fn buy_lamp(shopper: &Shopper) -> Answer {
    let added = shopper.add("LAMP", 1).await;
    if added.status == 200 { shopper.check_out("tok_success").await } else { added }
}

async fn a_released_hold_is_for_sale_again(store: Store) {
    let app = TestApp::start(store).await;
    let (first, second) = (app.open_cart().await, app.open_cart().await);
    first.add("RARE", 3).await.accepted();
    second.add("RARE", 1).await.assert_problem(409, "out-of-stock");
    first.command(&json!({"type": "set_quantity", "sku": "RARE", "quantity": 2})).await.accepted();
    second.add("RARE", 1).await.accepted();
    second.add("RARE", 1).await.assert_problem(409, "out-of-stock");
    first.command(&json!({"type": "clear"})).await.accepted();
    second.add("RARE", 2).await.accepted();
    assert_eq!(second.quantity("RARE").await, 3);
}

async fn carts_survive_a_restart(store: Store) {
    let mut app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    shopper.add("MUG", 3).await.accepted();
    let before = shopper.cart().await;
    app.stop().await;
    app.restart().await;
    let shopper = shopper.on(app.address());
    assert_eq!(shopper.cart().await, before);
    assert_eq!(shopper.add("MUG", 1).await.accepted()["lines"][0]["quantity"], 4);
}

fn skus(cart: &Value) -> Vec<&str> {
    cart["lines"].as_array().unwrap().iter().map(|line| line["sku"].as_str().unwrap()).collect()
}
