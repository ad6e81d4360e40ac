//! `cartwright import`: bad rows are named, good ones are kept, and twice is as good as once.

use harness::{Answer, Store, TestApp, app::Setup};
use serde_json::json;

on_each_store!(
    bad_rows_are_named_and_good_ones_kept,
    imported_orders_are_counted_once,
    a_file_that_is_no_table_is_refused,
);

const PRODUCTS: &str = "\
sku,name,description,category,price_minor,currency,stock,image
BOWL,Bowl,,table,900,GBP,10,
,Nameless,,table,900,GBP,10,
PLATE,Plate,,table,,GBP,10,
SPOON,Spoon,,table,-5,GBP,10,
FORK,Fork,,table,300,ZZZ,10,
KNIFE,Knife,,table,300,GBP,minus one,
CUP,Cup,,table,300,GBP
TRAY,Tray,,table,2500,GBP,4,
";
/// Rows of the file above, counted from the first below the header.
const BAD_ROWS: [u32; 6] = [2, 3, 4, 5, 6, 7];

async fn empty_shop(store: Store) -> TestApp {
    TestApp::prepare(store, Setup { goods: Vec::new(), ..Setup::default() }).await
}

async fn bad_rows_are_named_and_good_ones_kept(store: Store) {
    let mut app = empty_shop(store).await;
    let file = app.write_file("mixed.csv", PRODUCTS);
    let report = app.write_file("report.csv", "");
    let said = app.run(&["import", "products", &file, "--report", &report]).await;
    assert!(said.contains("8 rows read, 6 bad"), "{said}");
    assert!(said.contains("2 products inserted"), "{said}");
    let named = std::fs::read_to_string(&report).unwrap();
    let rows: Vec<u32> =
        named.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    assert_eq!(rows, BAD_ROWS, "{named}");

    let again = app.run(&["import", "products", &file]).await;
    assert!(again.contains("2 products unchanged"), "{again}");

    app.restart().await;
    let found = Answer::to(reqwest::Client::new().get(app.url("/api/v1/products"))).await.unwrap();
    let skus: Vec<&str> =
        found.body["products"].as_array().unwrap().iter().map(|p| p["sku"].as_str().unwrap()).collect();
    assert_eq!((found.status, skus), (200, vec!["BOWL", "TRAY"]), "{}", found.body);
    // The stock is the imported one, and selling from it is no reason to refuse the same file again.
    app.open_cart().await.add("TRAY", 3).await.accepted();
    let later = app.run(&["import", "products", &file]).await;
    assert!(later.contains("2 products unchanged"), "{later}");
    app.open_cart().await.add("TRAY", 2).await.assert_problem(409, "out-of-stock");
}

async fn imported_orders_are_counted_once(store: Store) {
    let mut app = empty_shop(store).await;
    let products = app.write_file("products.csv", PRODUCTS);
    app.run(&["import", "products", &products]).await;
    let orders = app.write_file(
        "orders.csv",
        "order,visitor,sku,name,quantity,price_minor,currency,at\n\
         A1,ada,BOWL,Bowl,2,900,GBP,2024-03-01T10:00:00Z\n\
         A1,ada,TRAY,Tray,1,2500,GBP,2024-03-01T10:00:00Z\n\
         A2,bob,BOWL,Bowl,0,900,GBP,2024-03-02T10:00:00Z\n\
         A3,bob,BOWL,Bowl,1,900,GBP,yesterday\n\
         A4,eve,BOWL,Bowl,1,900,GBP,2024-03-03T10:00:00Z\n",
    );
    for _ in 0..2 {
        let said = app.run(&["import", "orders", &orders]).await;
        assert!(said.contains("5 rows read, 2 bad"), "{said}");
        for row in ["row 3:", "row 4:"] {
            assert!(said.contains(row), "{said}");
        }
    }
    app.restart().await;
    let events = app.events("order_placed", 2).await;
    assert_eq!(events.len(), 2, "{events:?}");
    let first = events.iter().find(|event| event["data"]["lines"].as_array().unwrap().len() == 2).unwrap();
    assert_eq!((&first["data"]["source"], &first["data"]["total_minor"]), (&json!("import"), &json!(4_300)));
    assert_eq!(first["at_ms"], 1_709_287_200_000_i64, "an event has the order's own time");
}

async fn a_file_that_is_no_table_is_refused(store: Store) {
    let app = empty_shop(store).await;
    let cases = [
        ("no.parquet", "PAR1 and then nothing"),
        ("other.csv", "colour,shape\nred,round\n"),
        ("empty.csv", ""),
    ];
    for (name, text) in cases {
        let file = app.write_file(name, text);
        let output = app.try_run(&["import", "products", &file]).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && !said.trim().is_empty() && !said.contains("panicked"),
            "{name}: {said}"
        );
    }
    let missing = app.try_run(&["import", "products", "/nowhere/at/all.csv"]).await;
    let said = String::from_utf8_lossy(&missing.stderr);
    assert!(!missing.status.success() && said.contains("/nowhere/at/all.csv"), "{said}");
}
