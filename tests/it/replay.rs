//! `cartwright simulate --replay`: the orders of a day in the past, bought again in a running shop.

use std::collections::BTreeMap;

use harness::{Store, TestApp, audit};
use serde_json::{Value, json};

on_each_store!(a_day_of_the_past_is_bought_again, what_cannot_be_replayed_is_refused_with_the_way_out);

const DAY: &str = "2011-12-09";
const ORDERS: &str = "\
order,visitor,sku,name,quantity,price_minor,currency,at
A1,ada,MUG,Mug,2,99,GBP,2011-12-09T08:00:00Z
A1,ada,TEAPOT,Teapot,1,99,GBP,2011-12-09T08:00:00Z
A2,bob,V1,Vase,1,99,GBP,2011-12-09T09:30:00Z
A2,bob,V1,Vase,2,99,GBP,2011-12-09T09:30:00Z
A3,eve,LAMP,Lamp,3,99,GBP,2011-12-09T16:00:00Z
A3,eve,NO-LONGER-SOLD,Relic,1,99,GBP,2011-12-09T16:00:00Z
A4,kim,NO-LONGER-SOLD,Relic,1,99,GBP,2011-12-09T17:00:00Z
A5,kim,POST,Postage,1,99,GBP,2011-12-09T18:00:00Z
C1,ada,MUG,Mug,-2,99,GBP,2011-12-09T19:00:00Z
A6,ada,MUG,Mug,7,99,GBP,2011-12-10T08:00:00Z
";
/// What is bought on the day, and what it costs at the shop's prices of today.
const BOUGHT: [(&[(&str, u64)], i64); 3] =
    [(&[("LAMP", 3)], 3 * 8_900), (&[("MUG", 2), ("TEAPOT", 1)], 2 * 1_250 + 3_400), (&[("V1", 3)], 3 * 501)];

async fn replay(app: &TestApp, file: &str, seed: &str) -> Value {
    let url = app.url("");
    let said = app
        .run(&[
            "simulate",
            "--url",
            &url,
            "--replay",
            file,
            "--day",
            DAY,
            "--skip-sku",
            "POST",
            "--seed",
            seed,
            "--json",
        ])
        .await;
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// Returns the lines of an order's event, by SKU.
fn lines(event: &Value) -> Vec<(&str, u64)> {
    let lines = event["data"]["lines"].as_array().unwrap();
    let lines: BTreeMap<&str, u64> = lines
        .iter()
        .map(|line| (line["sku"].as_str().unwrap(), line["quantity"].as_u64().unwrap()))
        .collect();
    lines.into_iter().collect()
}

async fn a_day_of_the_past_is_bought_again(store: Store) {
    let app = TestApp::start(store).await;
    let file = app.write_file("orders.csv", ORDERS);
    app.run(&["import", "orders", &file, "--skip-sku", "POST"]).await;
    app.events("order_placed", 5).await;
    assert_eq!(audit::stock(&app).await["MUG"].sold, 0, "what was sold in the past is gone already");

    let report = replay(&app, &file, "1").await;
    let expected = json!({
        "rows": 10, "skipped": 1, "capped": 0, "orders": 4, "no_purchase": {"quantity not above 0": 1},
    });
    assert_eq!(report["replay"], expected);
    for (name, wanted) in
        [("seed", 1), ("shoppers", 4), ("carts", 4), ("lines", 4), ("orders", 3), ("empty_carts", 1)]
    {
        assert_eq!(report[name], wanted, "{name} in {report}");
    }
    assert_eq!((&report["refused"], &report["errors"]), (&json!({"unknown_sku": 2}), &json!({})), "{report}");

    let events = app.events("order_placed", 8).await;
    let mut placed: Vec<&Value> = events.iter().filter(|event| event["data"]["source"] == "shop").collect();
    placed.sort_by_key(|event| lines(event));
    assert_eq!(placed.len(), BOUGHT.len(), "{placed:?}");
    for (event, (bought, goods_minor)) in placed.iter().zip(BOUGHT) {
        assert_eq!(lines(event), bought);
        let prices = event["data"]["lines"].as_array().unwrap().iter();
        let goods: i64 = prices
            .map(|line| line["quantity"].as_i64().unwrap() * line["unit_price_minor"].as_i64().unwrap())
            .sum();
        assert_eq!(goods, goods_minor, "prices are the shop's own: {event}");
    }
    let revenue: i64 = placed.iter().map(|event| event["data"]["total_minor"].as_i64().unwrap()).sum();
    assert_eq!(report["revenue_minor"], revenue, "the shop tells shoppers what it tells the events");
    let stock = audit::stock(&app).await;
    let sold = ["MUG", "TEAPOT", "V1", "LAMP"].map(|sku| stock[sku].sold);
    assert_eq!(sold, [2, 1, 3, 3]);
    assert!(stock.values().all(audit::Stock::is_conserved), "{stock:?}");

    // Another seed sends other visitors, who want the same.
    let again = replay(&app, &file, "2").await;
    assert_eq!((&again["orders"], &again["replay"]), (&json!(3), &expected), "{again}");
    assert_eq!(audit::stock(&app).await["LAMP"].sold, 6);
}

async fn what_cannot_be_replayed_is_refused_with_the_way_out(store: Store) {
    let app = TestApp::start(store).await;
    let file = app.write_file("orders.csv", ORDERS);
    let url = app.url("");
    let nobody = format!("http://{}", harness::program::free_address());
    let cases: [(&str, &[&str], &str); 3] = [
        (&url, &["--day", "2012-01-01"], "the file's days are 2011-12-09 to 2011-12-10"),
        (&url, &[], "--day YYYY-MM-DD"),
        (&nobody, &["--day", DAY], &nobody),
    ];
    for (url, more, way_out) in cases {
        let arguments = [&["simulate", "--url", url, "--replay", &file], more].concat();
        let output = app.try_run(&arguments).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(way_out) && !said.contains("panicked"), "{said}");
    }
    assert_eq!(app.metrics().await.sum("cartwright_commands_total", &[("command", "place_order")]), 0.0);
}
