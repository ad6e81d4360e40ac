//! What the shop's people do with the stock of locations, over the API and on pages.

use harness::{
    Admin, Answer, Store, TestApp,
    admin::{self, api},
    audit,
};
use reqwest::Client;
use serde_json::{Value, json};

use super::stock::{questions, run_sql};

on_each_store!(
    the_shops_people_set_adjust_and_move_stock,
    what_is_refused_changes_nothing,
    stock_is_found_by_words_and_by_what_is_left,
    stock_is_changed_on_pages_once_a_form,
);

const LOCATIONS: &str = r#"{"rule": "priority", "locations": [
    {"id": "main", "name": "Leeds"}, {"id": "north", "name": "Aberdeen"}]}"#;
const PRODUCTS: &str = "sku,name,price_minor,currency,stock,policy,bundle,safety_stock\n\
    A/B 1,Copper kettle,4000,GBP,9,,,\nSET,Tea set,5000,GBP,,,MUG=1,\nCLUB,Club,900,GBP,,untracked,,\n";

async fn shop(store: Store) -> TestApp {
    let mut app = TestApp::prepare(store, admin::setup()).await;
    for (what, name, text) in [("locations", "locations.json", LOCATIONS), ("products", "more.csv", PRODUCTS)]
    {
        let file = app.write_file(name, text);
        app.run(&["import", what, &file]).await;
    }
    app.restart().await;
    app
}

/// Asks for a change under a key.
async fn change(app: &TestApp, sku: &str, change: &Value, key: &str) -> Answer {
    let request = Client::new()
        .post(app.url(&format!("/api/v1/admin/stock/{sku}/changes")))
        .basic_auth(admin::USER, Some(admin::PASSWORD))
        .header("Idempotency-Key", key)
        .json(change);
    Answer::to(request).await.unwrap()
}

/// Makes a change; returns what its locations had after it.
async fn made(app: &TestApp, sku: &str, asked: &Value, key: &str) -> Vec<(String, [i64; 4])> {
    let answer = change(app, sku, asked, key).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    levels(&answer.body)
}

/// Returns location, pieces on hand, held, kept back and available.
fn levels(body: &Value) -> Vec<(String, [i64; 4])> {
    let pieces = |level: &Value| {
        ["on_hand", "held", "safety_stock", "available"].map(|name| level[name].as_i64().unwrap())
    };
    let level = |level: &Value| (level["location"].as_str().unwrap().to_owned(), pieces(level));
    body["locations"].as_array().unwrap().iter().map(level).collect()
}

async fn stock(app: &TestApp, sku: &str) -> Vec<(String, [i64; 4])> {
    let read = api(app, "GET", &format!("/stock/{sku}"), None).await;
    assert_eq!(read.status, 200, "{}", read.body);
    levels(&read.body)
}

fn at(location: &str, pieces: [i64; 4]) -> (String, [i64; 4]) {
    (location.to_owned(), pieces)
}

async fn the_shops_people_set_adjust_and_move_stock(store: Store) {
    let app = shop(store).await;
    let (ann, bob) = (app.open_cart().await, app.open_cart().await);
    ann.add("MUG", 3).await.accepted();
    bob.add("MUG", 2).await.accepted();
    assert_eq!(bob.check_out("tok_success").await.status, 200);
    assert_eq!(stock(&app, "MUG").await, [at("main", [998, 3, 0, 995])], "two are sold");

    let counted = json!({"type": "set", "on_hand": 10, "safety_stock": 1, "reason": "stocktaking"});
    assert_eq!(made(&app, "MUG", &counted, "k1").await, [at("main", [10, 3, 1, 6])]);
    let broken = json!({"type": "adjust", "pieces": -2, "reason": "broken"});
    for _ in 0..2 {
        let adjusted = made(&app, "MUG", &broken, "k2").await;
        assert_eq!(adjusted, [at("main", [8, 3, 1, 4])], "once, with the same answer");
    }
    change(&app, "MUG", &counted, "k2").await.assert_problem(422, "idempotency-mismatch");
    let go = json!({"type": "move", "from": "main", "to": "north", "pieces": 4});
    assert_eq!(made(&app, "MUG", &go, "k3").await, [at("main", [4, 3, 1, 0]), at("north", [4, 0, 0, 4])]);
    assert_eq!(made(&app, "MUG", &broken, "k2").await, [at("main", [8, 3, 1, 4])], "as it was then");
    let same = json!({"type": "set", "location": "north", "on_hand": 4});
    assert_eq!(made(&app, "MUG", &same, "k4").await, [at("north", [4, 0, 0, 4])]);

    // Buyers get what is there now, and no more.
    ann.add("MUG", 5).await.assert_problem(409, "out-of-stock");
    ann.add("MUG", 4).await.accepted();
    assert_eq!(ann.check_out("tok_success").await.status, 200);
    assert_eq!(stock(&app, "MUG").await, [at("main", [1, 0, 1, 0]), at("north", [0, 0, 0, 0])]);
    assert_eq!(run_sql(&app, &questions(store)).await, "", "every piece is accounted for");
    app.run(&["check"]).await;

    let read = api(&app, "GET", "/stock/MUG", None).await.body;
    let changes = read["changes"].as_array().unwrap();
    let said: Vec<_> = changes.iter().map(|c| [&c["type"], &c["pieces"], &c["reason"], &c["by"]]).collect();
    let none = Value::Null;
    assert_eq!(
        said,
        [
            [&json!("set"), &none, &json!(""), &json!("ada")],
            [&json!("move"), &json!(4), &json!(""), &json!("ada")],
            [&json!("adjust"), &json!(-2), &json!("broken"), &json!("ada")],
            [&json!("set"), &none, &json!("stocktaking"), &json!("ada")],
        ]
    );
    // An event for each change that changed something.
    let events = app.events("stock_changed", 3).await;
    assert_eq!(events.len(), 3, "{events:?}");
    let adjusted = events.iter().find(|e| e["data"]["change"]["act"] == "adjust").unwrap();
    assert_eq!(levels(&adjusted["data"]), [at("main", [8, 3, 1, 4])]);
    assert_eq!((&adjusted["data"]["sku"], &adjusted["cart"]), (&json!("MUG"), &none));
    assert!(!adjusted.to_string().contains("broken"), "what people write stays in the store");
}

async fn what_is_refused_changes_nothing(store: Store) {
    let app = shop(store).await;
    let ann = app.open_cart().await;
    ann.add("RARE", 2).await.accepted();
    for (sku, asked, status, problem) in [
        ("RARE", json!({"type": "set", "on_hand": 1}), 409, "stock-too-low"),
        ("RARE", json!({"type": "adjust", "pieces": -2, "reason": "lost"}), 409, "stock-too-low"),
        ("RARE", json!({"type": "move", "from": "main", "to": "north", "pieces": 2}), 409, "out-of-stock"),
        ("RARE", json!({"type": "move", "from": "main", "to": "main", "pieces": 1}), 422, "invalid-details"),
        ("RARE", json!({"type": "move", "from": "main", "to": "mars", "pieces": 1}), 422, "unknown-location"),
        ("RARE", json!({"type": "set", "location": "mars", "on_hand": 1}), 422, "unknown-location"),
        ("RARE", json!({"type": "set"}), 422, "invalid-details"),
        ("RARE", json!({"type": "set", "on_hand": -1}), 422, "invalid-details"),
        ("RARE", json!({"type": "adjust", "pieces": 0, "reason": "no"}), 422, "invalid-details"),
        ("RARE", json!({"type": "adjust", "pieces": i64::MIN, "reason": "no"}), 422, "invalid-details"),
        ("RARE", json!({"type": "adjust", "pieces": 1, "reason": " "}), 422, "invalid-details"),
        (
            "RARE",
            json!({"type": "adjust", "pieces": 1_000_000_000_000_i64, "reason": "?"}),
            422,
            "invalid-details",
        ),
        ("RARE", json!({"type": "adjust", "pieces": 1.5, "reason": "no"}), 400, "invalid-json"),
        ("RARE", json!({"type": "burn", "pieces": 1}), 400, "invalid-json"),
        ("NONE", json!({"type": "set", "on_hand": 1}), 404, "unknown-product"),
        ("SET", json!({"type": "set", "on_hand": 1}), 409, "stock-not-kept"),
        ("CLUB", json!({"type": "set", "on_hand": 1}), 409, "stock-not-kept"),
    ] {
        let answer = change(&app, sku, &asked, &asked.to_string()).await;
        assert_eq!((answer.status, answer.problem()), (status, problem), "{asked}: {}", answer.body);
    }
    let fraction = json!({"type": "adjust", "pieces": 1.5, "reason": "no"});
    let said = change(&app, "RARE", &fraction, "k").await.body["detail"].to_string();
    assert!(said.contains("`pieces` must be a whole number") && said.contains("it is 1.5"), "{said}");
    assert_eq!(stock(&app, "RARE").await, [at("main", [3, 2, 0, 1])]);
    assert_eq!(api(&app, "GET", "/stock/RARE", None).await.body["changes"], json!([]));
    let stranger = Client::new().get(app.url("/api/v1/admin/stock")).send().await.unwrap();
    assert_eq!(stranger.status(), 401);
    app.run(&["check"]).await;
}

async fn stock_is_found_by_words_and_by_what_is_left(store: Store) {
    let app = shop(store).await;
    let skus = async |query: &str| {
        let (mut found, mut cursor) = (vec![], String::new());
        loop {
            let page = api(&app, "GET", &format!("/stock?limit=2&{query}{cursor}"), None).await;
            assert_eq!(page.status, 200, "{}", page.body);
            let products = page.body["products"].as_array().unwrap();
            found.extend(products.iter().map(|product| product["sku"].as_str().unwrap().to_owned()));
            match page.body["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found.join(" "),
            }
        }
    };
    let all = skus("").await;
    assert_eq!(all, "A/B 1 GONE LAMP MUG RARE TEAPOT V0 V1 V2 V3 V4 V5 V6 V7 VASE-EUR");
    assert_eq!(skus("q=kettle+COPPER").await, "A/B 1");
    assert_eq!(skus("q=a%2Fb").await, "A/B 1");
    assert_eq!(skus("q=nothing").await, "");
    assert_eq!(skus("low=0").await, "GONE");
    assert_eq!(skus("low=50").await, "A/B 1 GONE LAMP RARE");
    assert_eq!(skus("low=50&q=a").await, "A/B 1 LAMP RARE");
    // Both locations of a product stand beside each other, and one that runs low is enough.
    made(&app, "MUG", &json!({"type": "set", "location": "north", "on_hand": 2}), "k").await;
    assert_eq!(skus("low=2").await, "GONE MUG");
    assert_eq!(stock(&app, "A%2FB%201").await, [at("main", [9, 0, 0, 9])]);
    for bad in ["low=-1", "low=few", "limit=0", "limit=101"] {
        api(&app, "GET", &format!("/stock?{bad}"), None).await.assert_problem(400, "invalid-request");
    }
    api(&app, "GET", "/stock?cursor=x", None).await.assert_problem(400, "invalid-cursor");
}

async fn stock_is_changed_on_pages_once_a_form(store: Store) {
    let app = shop(store).await;
    let admin = Admin::sign_in(&app).await;
    let list = admin.get("/admin/stock?q=kettle").await;
    assert!(list.html.contains("Copper kettle") && !list.html.contains("LAMP"), "{}", list.html);
    assert!(list.html.contains("href=\"/admin/stock/A%2FB%201\"") || list.html.contains("A%2FB%201"));
    assert!(admin.get("/admin/stock?low=0").await.html.contains("GONE"));
    assert!(admin.get("/admin/stock?q=zzz").await.html.contains("No stock"));

    let path = "/admin/stock/A%2FB%201";
    let page = admin.get(path).await;
    let delivered = [("pieces", "5"), ("reason", "<b>delivered</b>")];
    for _ in 0..2 {
        let adjusted = admin.submit(&page, &format!("{path}/adjust"), &delivered).await;
        assert_eq!(adjusted.status, 200, "{}", adjusted.html);
        assert!(adjusted.html.contains("The stock is adjusted"), "{}", adjusted.html);
        assert_eq!(adjusted.html.matches("5 came to Leeds").count(), 1, "a form works once");
        assert!(adjusted.html.contains("&lt;b&gt;delivered"), "{}", adjusted.html);
    }
    let page = admin.get(path).await;
    let set = [("on_hand", "20"), ("safety_stock", "3"), ("reason", "")];
    let set = admin.submit(&page, &format!("{path}/set"), &set).await;
    assert!(set.html.contains("Leeds: 20 on hand, 3 kept back"), "{}", set.html);
    let moved = admin.submit(&set, &format!("{path}/move"), &[("pieces", "8")]).await;
    assert!(moved.html.contains("8 moved from Leeds to Aberdeen"), "{}", moved.html);
    let refused = admin.submit(&moved, &format!("{path}/move"), &[("pieces", "80")]).await;
    assert_eq!(refused.status, 409);
    assert!(refused.html.contains("only 12 pieces can leave that location"), "{}", refused.html);
    assert!(refused.html.contains("value=\"80\""), "what was typed stays");
    let refused = admin.submit(&moved, &format!("{path}/adjust"), &[("pieces", "two")]).await;
    assert!(refused.status == 400 && refused.html.contains("no whole number"), "{}", refused.html);
    let stock = audit::stock(&app).await;
    assert_eq!((stock["A/B 1"].supplied, stock["A/B 1@north"].supplied), (12, 8));
    assert_eq!(admin.get("/admin/stock/NONE").await.status, 404);
    assert_eq!(Admin::stranger(&app).get("/admin/stock").await.path, "/admin/login");
    app.run(&["check"]).await;
}
