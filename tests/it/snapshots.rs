//! A cart in its owner's keeping: sealed, taken back line by line, and of no use to anybody else.

use harness::{Shopper, Store, TestApp, app::Setup, audit, catalogue::Goods, shopper::Answer};
use reqwest::Client;
use serde_json::{Value, json};

use crate::session::{NEW, OLD, with_keys};

on_each_store!(
    a_cart_that_the_shop_lost_comes_back,
    each_line_is_asked_of_todays_catalogue,
    what_the_shop_knows_counts_more,
    two_tabs_bring_it_back_once,
    what_was_bought_is_not_filled_again,
    only_what_the_shop_sealed_is_taken,
    answers_and_channels_carry_snapshots_on_request,
    a_full_cart_comes_back_whole,
);

async fn take(shopper: &Shopper) -> Value {
    let answer = shopper.request("GET", "/snapshot", None).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn restore(shopper: &Shopper, snapshot: &Value) -> Answer {
    shopper.request("POST", "/restore", Some(json!({"snapshot": snapshot}))).await
}

/// Returns a shop with the same keys and catalogue, and with an empty store: what the other knew is lost.
async fn another(store: Store) -> TestApp {
    TestApp::start_with(store, with_keys(&[NEW])).await
}

fn outcomes(body: &Value) -> Vec<(&str, &str, u64, Vec<&str>)> {
    let lines = body["lines"].as_array().unwrap().iter();
    lines
        .map(|l| {
            let reasons = l["reasons"].as_array().into_iter().flatten();
            (
                l["id"].as_str().unwrap().split('~').next().unwrap(),
                l["outcome"].as_str().unwrap(),
                l["quantity"].as_u64().unwrap(),
                reasons.map(|r| r["reason"].as_str().unwrap()).collect(),
            )
        })
        .collect()
}

async fn a_cart_that_the_shop_lost_comes_back(store: Store) {
    let app = another(store).await;
    let shopper = app.open_cart_as("ada").await;
    shopper.add("MUG", 2).await.accepted();
    let engraved =
        json!({"type": "add_line", "sku": "MUG", "quantity": 1, "properties": {"engraving": "Ada"}});
    shopper.command(&engraved).await.accepted();
    let cart = shopper.command(&json!({"type": "set_note", "text": "Ring twice"})).await.accepted();
    let taken = take(&shopper).await;
    assert_eq!(taken["cart"], cart, "the readable part is the cart");
    let days =
        (taken["expires_at_ms"].as_i64().unwrap() - taken["taken_at_ms"].as_i64().unwrap()) / 86_400_000;
    assert_eq!(days, 90);
    let sealed = taken["snapshot"].as_str().unwrap();
    assert!(!sealed.contains("MUG") && !sealed.contains("Ring"), "{sealed}");

    let lost = another(store).await;
    let shopper = shopper.on(lost.address());
    shopper.get().await.assert_problem(404, "unknown-cart");
    let restored = restore(&shopper, &taken["snapshot"]).await;
    assert_eq!((restored.status, &restored.body["applied"]), (200, &json!(true)), "{}", restored.body);
    assert_eq!(
        outcomes(&restored.body),
        [("MUG", "restored", 2, vec![]), ("MUG", "restored", 1, vec![])],
        "{}",
        restored.body
    );
    let again = shopper.cart().await;
    assert_eq!((&again, &again["id"]), (&restored.body["cart"], &cart["id"]));
    for part in ["lines", "note", "totals"] {
        assert_eq!(again[part], cart[part]);
    }
    assert_eq!(audit::stock(&lost).await["MUG"].held, 3, "the pieces are held again");
    // The answer carries the next snapshot.
    let answer = restore(&shopper, &restored.body["snapshot"]).await;
    assert_eq!((answer.status, &answer.body["applied"]), (200, &json!(false)));
}

fn goods(rows: &[(&str, i64, i64)]) -> Setup {
    let mut setup = with_keys(&[NEW]);
    setup.goods = rows.iter().map(|(sku, price, stock)| good(sku, *price, *stock)).collect();
    setup
}

fn good(sku: &str, price_minor: i64, stock: i64) -> Goods {
    Goods { sku: sku.to_owned(), price_minor, currency: "GBP", stock }
}

async fn each_line_is_asked_of_todays_catalogue(store: Store) {
    let yesterday =
        [("SAME", 100, 9), ("DEARER", 100, 9), ("FEW", 100, 9), ("NONE", 100, 9), ("GONE", 100, 9)];
    let app = TestApp::start_with(store, goods(&yesterday)).await;
    let shopper = app.open_cart_as("ada").await;
    for (sku, ..) in yesterday {
        shopper.add(sku, 4).await.accepted();
    }
    shopper
        .command(&json!({"type": "apply_code", "code": "NO-SUCH"}))
        .await
        .assert_problem(422, "unknown-code");
    let taken = take(&shopper).await;

    let today = [("SAME", 100, 9), ("DEARER", 120, 9), ("FEW", 100, 3), ("NONE", 100, 0)];
    let today = TestApp::start_with(store, goods(&today)).await;
    let shopper = shopper.on(today.address());
    let restored = restore(&shopper, &taken["snapshot"]).await;
    assert_eq!(
        outcomes(&restored.body),
        [
            ("SAME", "restored", 4, vec![]),
            ("DEARER", "adjusted", 4, vec!["price_changed"]),
            ("FEW", "adjusted", 3, vec!["out_of_stock"]),
            ("NONE", "refused", 0, vec!["out_of_stock"]),
            ("GONE", "refused", 0, vec!["unknown_sku"]),
        ],
        "{}",
        restored.body
    );
    let dearer = &restored.body["lines"][1];
    assert_eq!((&dearer["was_minor"], &dearer["unit_price_minor"]), (&json!(100), &json!(120)));
    assert_eq!(restored.body["cart"]["totals"]["total_minor"], 4 * 100 + 4 * 120 + 3 * 100);
}

async fn what_the_shop_knows_counts_more(store: Store) {
    let app = another(store).await;
    let shopper = app.open_cart_as("ada").await;
    shopper.add("MUG", 2).await.accepted();
    let taken = take(&shopper).await;
    let cart = shopper.command(&json!({"type": "clear"})).await.accepted();
    // The shopper took the mugs out since: an older snapshot does not put them back.
    let answer = restore(&shopper, &taken["snapshot"]).await;
    assert_eq!((answer.status, &answer.body["applied"], &answer.body["cart"]), (200, &json!(false), &cart));

    // Into another cart of the visitor it goes, and only what that lacks.
    let other = app.open_cart_as("ada").await;
    other.add("MUG", 1).await.accepted();
    let answer = restore(&other, &taken["snapshot"]).await;
    assert_eq!(outcomes(&answer.body), [("MUG", "restored", 2, vec![])]);
    let answer = restore(&other, &taken["snapshot"]).await;
    assert_eq!(outcomes(&answer.body), [("MUG", "kept", 2, vec![])]);
}

async fn two_tabs_bring_it_back_once(store: Store) {
    let app = another(store).await;
    let shopper = app.open_cart_as("ada").await;
    for sku in ["MUG", "TEAPOT"] {
        shopper.add(sku, 2).await.accepted();
    }
    let taken = take(&shopper).await;
    let lost = another(store).await;
    let tabs = [shopper.on(lost.address()), shopper.on(lost.address()), shopper.on(lost.address())];
    let answers =
        futures_util::future::join_all(tabs.iter().map(|tab| restore(tab, &taken["snapshot"]))).await;
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert_eq!(tabs[0].cart().await["totals"], taken["cart"]["totals"]);
}

async fn what_was_bought_is_not_filled_again(store: Store) {
    let app = another(store).await;
    let shopper = app.open_cart_as("ada").await;
    shopper.add("MUG", 2).await.accepted();
    let taken = take(&shopper).await;
    shopper.check_out("tok_success").await.accepted();
    restore(&shopper, &taken["snapshot"]).await.assert_problem(409, "cart-closed");
    let other = app.open_cart_as("ada").await;
    restore(&other, &taken["snapshot"]).await.assert_problem(409, "cart-closed");
    assert_eq!(other.cart().await["lines"], json!([]));
}

async fn only_what_the_shop_sealed_is_taken(store: Store) {
    let mut app = TestApp::start_with(store, with_keys(&[OLD])).await;
    let shopper = app.open_cart_as("ada").await;
    shopper.add("MUG", 2).await.accepted();
    let taken = take(&shopper).await["snapshot"].as_str().unwrap().to_owned();
    let stranger = app.open_cart_as("eve").await;
    let theirs = take(&stranger).await["snapshot"].as_str().unwrap().to_owned();
    let name = |text: &str| text.split('.').nth(1).unwrap().to_owned();

    restore(&stranger, &json!(taken)).await.assert_problem(403, "snapshot-foreign");
    let renamed = taken.replace(&name(&taken), &name(&theirs));
    restore(&stranger, &json!(renamed)).await.assert_problem(422, "snapshot-forged");
    let end = if taken.ends_with('A') { "B" } else { "A" };
    let flipped = format!("{}{end}A", &taken[..taken.len() - 2]);
    restore(&shopper, &json!(flipped)).await.assert_problem(422, "snapshot-forged");
    let cut = &taken[..taken.len() - 8];
    restore(&shopper, &json!(cut)).await.assert_problem(422, "snapshot-forged");
    let later = format!("9{}", &taken[1..]);
    restore(&shopper, &json!(later)).await.assert_problem(422, "snapshot-unknown-version");
    for bad in ["", "1", "hello", "1.x.y.z", "1.2025.AAAA"] {
        let answer = restore(&shopper, &json!(bad)).await;
        assert!(
            matches!(answer.problem(), "snapshot-malformed" | "snapshot-foreign"),
            "{bad} {}",
            answer.body
        );
    }
    restore(&shopper, &json!("x".repeat(300_000))).await.assert_problem(413, "body-too-large");
    restore(&shopper, &json!(7)).await.assert_problem(400, "invalid-json");
    shopper.impostor("eve").request("GET", "/snapshot", None).await.assert_problem(403, "not-owner");
    // A cookie of the shop is no snapshot: it was sealed for something else.
    let page = Client::new().get(app.url("/")).send().await.unwrap();
    let cookie = page.headers()["set-cookie"].to_str().unwrap().split(['=', ';']).nth(1).unwrap().to_owned();
    let (_, sealed) = cookie.split_once('.').unwrap();
    let disguised = format!("1.{}.{sealed}", name(&taken));
    restore(&shopper, &json!(disguised)).await.assert_problem(422, "snapshot-forged");

    // The key is changed: what the old one sealed is still taken, until it is gone.
    app.restart_with(with_keys(&[NEW, OLD])).await;
    let shopper = shopper.on(app.address());
    assert_eq!(restore(&shopper, &json!(taken)).await.status, 200);
    let newer = take(&shopper).await["snapshot"].as_str().unwrap().to_owned();
    assert!(newer.contains(".2026."), "{newer}");
    app.restart_with(with_keys(&[NEW])).await;
    let shopper = shopper.on(app.address());
    restore(&shopper, &json!(taken)).await.assert_problem(422, "snapshot-unknown-key");
    assert_eq!(restore(&shopper, &json!(newer)).await.status, 200);

    let mut impatient = with_keys(&[NEW]);
    impatient.config.push_str("snapshot_days = 0\n");
    app.restart_with(impatient).await;
    let shopper = shopper.on(app.address());
    restore(&shopper, &json!(newer)).await.assert_problem(422, "snapshot-expired");
}

async fn answers_and_channels_carry_snapshots_on_request(store: Store) {
    let app = another(store).await;
    let shopper = app.open_cart_as("ada").await;
    let add = json!({"type": "add_line", "sku": "MUG", "quantity": 1});
    let plain = shopper.command(&add).await;
    assert!(plain.body.get("snapshot").is_none(), "{}", plain.body);
    let answer = shopper.request("POST", "/commands?snapshot=true", Some(add)).await;
    let told = answer.body["snapshot"].clone();
    assert_eq!(restore(&shopper, &told).await.body["applied"], false);

    let mut device = app.device("ada").await;
    let joined = device.join_with(&shopper.topic(), json!({"snapshot": true})).await;
    assert_eq!(restore(&shopper, &joined.response()["snapshot"]).await.status, 200);
    shopper.add("TEAPOT", 1).await.accepted();
    let seen = device.cart_at(shopper.cart().await["version"].as_u64().unwrap()).await;
    let lost = another(store).await;
    let elsewhere = shopper.on(lost.address());
    let restored = restore(&elsewhere, &seen.payload["snapshot"]).await;
    assert_eq!(outcomes(&restored.body).len(), 2, "{}", restored.body);
    let mut silent = app.join(&shopper).await;
    shopper.add("MUG", 1).await.accepted();
    let seen = silent.cart_at(shopper.cart().await["version"].as_u64().unwrap()).await;
    assert!(seen.payload.get("snapshot").is_none());
}

async fn a_full_cart_comes_back_whole(store: Store) {
    let goods = || {
        let mut setup = with_keys(&[NEW]);
        setup.goods = (0..250).map(|n| good(&format!("SKU-{n:03}"), 100 + n, 5)).collect();
        setup
    };
    let app = TestApp::start_with(store, goods()).await;
    let shopper = app.open_cart_as("ada").await;
    for from in [0, 100, 200] {
        let commands: Vec<Value> = (from..(from + 100).min(250))
            .map(|n| json!({"type": "add_line", "sku": format!("SKU-{n:03}"), "quantity": 1 + n % 3}))
            .collect();
        shopper.command(&json!({"type": "batch", "commands": commands})).await.accepted();
    }
    let taken = take(&shopper).await;
    let lost = TestApp::start_with(store, goods()).await;
    // Another shopper was quicker with two of them.
    let rival = lost.open_cart().await;
    rival.add("SKU-002", 5).await.accepted();
    rival.add("SKU-005", 3).await.accepted();
    let shopper = shopper.on(lost.address());
    let restored = restore(&shopper, &taken["snapshot"]).await;
    let outcomes = outcomes(&restored.body);
    assert_eq!(outcomes[2], ("SKU-002", "refused", 0, vec!["out_of_stock"]));
    assert_eq!(outcomes[5], ("SKU-005", "adjusted", 2, vec!["out_of_stock"]));
    assert_eq!(outcomes.iter().filter(|o| o.1 == "restored").count(), 248);
}
