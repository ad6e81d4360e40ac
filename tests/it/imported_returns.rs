//! What came back of imported orders: rows of negative quantity take their pieces from the orders before them.

use std::collections::BTreeMap;

use harness::{Store, TestApp, app::Setup};
use serde_json::Value;

on_each_store!(what_came_back_is_taken_from_the_order_that_it_was_bought_with,);

async fn what_came_back_is_taken_from_the_order_that_it_was_bought_with(store: Store) {
    let app = TestApp::prepare(store, Setup { goods: Vec::new(), ..Setup::default() }).await;
    // As a till exports them: a return is an order of its own, and may stand anywhere.
    let file = app.write_file(
        "orders.csv",
        "order,visitor,sku,name,quantity,price_minor,currency,at\n\
         C9,ada,BOWL,Bowl,-2,900,GBP,2024-03-05T10:00:00Z\n\
         A1,ada,BOWL,Bowl,3,900,GBP,2024-03-01T10:00:00Z\n\
         A1,ada,TRAY,Tray,1,2500,GBP,2024-03-01T10:00:00Z\n\
         A2,ada,BOWL,Bowl,1,900,GBP,2024-03-02T10:00:00Z\n\
         A2,ada,TRAY,Tray,1,2500,GBP,2024-03-02T10:00:00Z\n\
         A3,ada,BOWL,Bowl,7,900,GBP,2024-03-09T10:00:00Z\n\
         A4,bob,BOWL,Bowl,1,900,GBP,2024-03-01T10:00:00Z\n\
         C8,bob,BOWL,Bowl,-4,900,GBP,2024-03-03T10:00:00Z\n\
         A5,,BOWL,Bowl,2,900,GBP,2024-03-01T10:00:00Z\n\
         A5,,BOWL,Bowl,-1,900,GBP,2024-03-01T10:00:00Z\n\
         C7,,BOWL,Bowl,-1,900,GBP,2024-03-08T10:00:00Z\n\
         C6,eve,TRAY,Tray,-1,2500,GBP,2024-03-08T10:00:00Z\n",
    );
    for _ in 0..2 {
        let said = app.run(&["import", "orders", &file]).await;
        assert!(said.contains("12 rows read, 0 bad"), "{said}");
        for count in [
            "2 returns taken from orders",
            "3 returns of more than the file's orders hold",
            "1 orders that came back whole",
        ] {
            assert!(said.contains(count), "{count}: {said}");
        }
    }
    let mut app = app;
    app.restart().await;
    let events = app.events("order_placed", 4).await;
    let held = |event: &Value| -> Vec<String> {
        let lines = event["data"]["lines"].as_array().unwrap();
        lines.iter().map(|line| format!("{} {}", line["sku"].as_str().unwrap(), line["quantity"])).collect()
    };
    let orders: BTreeMap<&str, (Vec<String>, &Value)> = events
        .iter()
        .map(|event| {
            (event["data"]["order_id"].as_str().unwrap(), (held(event), &event["data"]["total_minor"]))
        })
        .collect();
    let told: Vec<String> =
        orders.iter().map(|(id, (lines, total))| format!("{id}: {} for {total}", lines.join(", "))).collect();
    assert_eq!(
        told,
        // The latest before the return first, and nothing of what was bought after it.
        ["A1: BOWL 2, TRAY 1 for 4300", "A2: TRAY 1 for 2500", "A3: BOWL 7 for 6300", "A5: BOWL 1 for 900"]
    );
}
