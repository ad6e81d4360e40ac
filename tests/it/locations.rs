//! Several locations: which of them send what, and that together they sell each piece once.

use harness::{Admin, Shopper, Store, TestApp, admin, audit, letters, patience::eventually};
use serde_json::json;
use tokio::task::JoinSet;

on_each_store!(
    two_hundred_buyers_get_the_fifty_pieces_of_three_locations,
    pieces_come_from_where_the_parcel_may_be_sent_and_go_back_there,
);

/// Fifty pieces in three locations.
const PIECES: [(&str, i64); 3] = [("LAMP", 20), ("LAMP@north", 17), ("LAMP@south", 13)];

async fn shop(store: Store, locations: &str) -> TestApp {
    let mut app = TestApp::prepare(store, admin::setup()).await;
    let mail = app.data("letters");
    app.configure(format!("{}\n[mail]\nsink = \"file:{}\"\n", admin::setup().config, mail.display()));
    let stock = "sku,location,stock\nLAMP,main,20\nLAMP,north,17\nLAMP,south,13\nMUG,north,1\n";
    for (what, name, text) in [("stock", "stock.csv", stock), ("locations", "locations.json", locations)] {
        let file = app.write_file(name, text);
        app.run(&["import", what, &file]).await;
    }
    app.restart().await;
    app
}

const EVERYWHERE: &str = r#"{"rule": "priority", "locations": [
    {"id": "main", "name": "Leeds"}, {"id": "north", "name": "Aberdeen"}, {"id": "south", "name": "Bath"}]}"#;

async fn buy(shopper: Shopper) -> bool {
    let added = shopper.add("LAMP", 1).await;
    let last = if added.status == 200 { shopper.check_out("tok_success").await } else { added };
    if last.status != 200 {
        last.assert_problem(409, "out-of-stock");
    }
    last.status == 200
}

async fn rush(app: &TestApp, addresses: &[std::net::SocketAddr]) {
    let mut buying = JoinSet::new();
    for n in 0..200_usize {
        let shopper = app.open_cart().await.on(addresses[n % addresses.len()]);
        buying.spawn(buy(shopper));
    }
    let sold = buying.join_all().await.into_iter().filter(|is_sold| *is_sold).count();
    assert_eq!(sold, 50);
    let stock = audit::stock(app).await;
    for (place, pieces) in PIECES {
        let level = stock[place];
        assert_eq!(
            (level.supplied, level.available, level.held, level.sold),
            (pieces, 0, 0, pieces),
            "{place}"
        );
    }
    app.run(&["check"]).await;
}

async fn two_hundred_buyers_get_the_fifty_pieces_of_three_locations(store: Store) {
    let app = shop(store, EVERYWHERE).await;
    rush(&app, &[app.address()]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_sell_the_fifty_pieces_of_three_locations() {
    let app = shop(Store::Postgres, EVERYWHERE).await;
    let twin = app.twin().await;
    rush(&app, &[app.address(), twin.address()]).await;
}

async fn held(app: &TestApp) -> [i64; 3] {
    let stock = audit::stock(app).await;
    PIECES.map(|(place, _)| stock[place].held)
}

async fn pieces_come_from_where_the_parcel_may_be_sent_and_go_back_there(store: Store) {
    // The main location sends to France only.
    let locations = r#"{"rule": "fewest_parcels", "locations": [
        {"id": "main", "name": "Calais", "places": [{"countries": ["FR"]}]},
        {"id": "north", "name": "Aberdeen"}, {"id": "south", "name": "Bath"}]}"#;
    let app = shop(store, locations).await;
    let shopper = app.open_cart().await;
    shopper.add("LAMP", 3).await.accepted();
    assert_eq!(held(&app).await, [3, 0, 0], "nobody knows yet where it goes");
    shopper.command(&json!({"type": "start_checkout"})).await.accepted();
    shopper.command(&harness::shopper::complete_step("address")).await.accepted();
    assert_eq!(held(&app).await, [0, 3, 0], "the address is in Britain");
    shopper.add("LAMP", 17).await.accepted();
    assert_eq!(held(&app).await, [0, 17, 3], "Aberdeen has no more");
    shopper.add("LAMP", 11).await.assert_problem(409, "out-of-stock");
    shopper.command(&json!({"type": "set_quantity", "line": "LAMP", "quantity": 13})).await.accepted();
    assert_eq!(held(&app).await, [0, 13, 0], "what came last goes back first");
    app.run(&["check"]).await;

    let order = shopper.check_out("tok_success").await.body["order"].clone();
    let sent = json!([{"sku": "LAMP", "location": "north", "pieces": 13}]);
    assert_eq!(order["lines"][0]["sent_from"], sent);
    let id = order["id"].as_str().unwrap();
    let page = app.page(&shopper, &format!("/orders/{id}")).await;
    assert!(page.contains("<dt>From Aberdeen</dt><dd>13 × The LAMP"), "{page}");
    let form = [("order", id), ("email", "ada@example.org")];
    let found = reqwest::Client::new().post(app.url("/orders/lookup")).form(&form).send().await.unwrap();
    let found = found.text().await.unwrap();
    assert!(found.contains("<dt>From Aberdeen</dt><dd>13 × The LAMP"), "{found}");
    let admin = Admin::sign_in(&app).await.get(&format!("/admin/orders/{id}")).await;
    let is_there = |words: &str| admin.html.contains(words);
    assert!(is_there("To be sent from Aberdeen") && !is_there("To be sent from Calais"), "{}", admin.html);
    assert!(is_there(r#"value="13" aria-label="Pieces of The LAMP in the parcel""#), "{}", admin.html);
    assert!(is_there(">Bath</option>") && !is_there(">Calais</option>"), "{}", admin.html);
    let alone = locations.replace(r#""Bath"}"#, r#""Bath", "places": [{"countries": ["FR"]}]}"#);
    app.run(&["import", "locations", &app.write_file("alone.json", &alone)]).await;
    let people = Admin::sign_in(&app).await;
    eventually("no other location is offered", async || {
        let page = people.get(&format!("/admin/orders/{id}")).await.html;
        page.contains("No other location sends where the order goes") && !page.contains("</option>")
    })
    .await;
    let letters = letters::in_folder(&app.data("letters"), 1).await;
    assert!(letters[0].text.contains("From Aberdeen:\n    13 × The LAMP"), "{}", letters[0].text);
    app.run(&["check"]).await;
    let sold = async || {
        let stock = audit::stock(&app).await;
        PIECES.map(|(place, _)| stock[place].sold)
    };
    assert_eq!(sold().await, [0, 13, 0]);
    let cancel = format!("/api/v1/orders/{}/cancel", order["id"].as_str().unwrap());
    let cancel = reqwest::Client::new().post(app.url(&cancel));
    let cancel = cancel.bearer_auth(shopper.token()).header("Idempotency-Key", "once");
    assert_eq!(cancel.send().await.unwrap().status(), 200);
    assert_eq!(sold().await, [0, 0, 0]);
    app.run(&["check"]).await;
}
