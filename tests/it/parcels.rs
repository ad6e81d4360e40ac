//! Orders that leave in several parcels: which pieces went in which, what waits, and what is given back of the rest.

use harness::{Admin, Answer, Shopper, Store, TestApp, admin, audit, letters, patience::eventually};
use reqwest::Client;
use serde_json::{Value, json};

on_each_store!(
    an_order_of_two_locations_leaves_in_parcels_that_are_told,
    the_rest_of_an_order_is_cancelled_by_its_shopper,
    what_one_location_cannot_send_another_one_does,
    a_slip_in_how_a_parcel_is_followed_is_put_right,
    a_parcel_that_makes_no_sense_is_refused_and_one_that_is_sent_twice_is_one,
);

const PRODUCTS: &str = "\
sku,name,price_minor,currency,stock,bundle
CUP,Cup,1000,GBP,9,
TEA,Tea,500,GBP,0,
SET,Tea for one,1400,GBP,,CUP=1; TEA=1
";

const LOCATIONS: &str =
    r#"{"locations": [{"id": "main", "name": "Leeds"}, {"id": "north", "name": "Aberdeen"}]}"#;

/// Opens a shop that keeps its cups in Leeds and its tea in Aberdeen.
async fn shop(store: Store) -> TestApp {
    let mut app = TestApp::prepare(store, admin::setup()).await;
    let mail = app.data("letters");
    app.configure(format!("{}\n[mail]\nsink = \"file:{}\"\n", admin::setup().config, mail.display()));
    for (what, name, text) in [
        ("products", "tea.csv", PRODUCTS),
        ("stock", "stock.csv", "sku,location,stock\nTEA,north,9\nCUP,north,2\n"),
        ("locations", "locations.json", LOCATIONS),
    ] {
        let file = app.write_file(name, text);
        app.run(&["import", what, &file]).await;
    }
    app.restart().await;
    app
}

async fn buy(app: &TestApp, lines: &[(&str, u32)]) -> (Shopper, Value) {
    let shopper = app.open_cart().await;
    for (sku, pieces) in lines {
        shopper.add(sku, (*pieces).into()).await.accepted();
    }
    let answer = shopper.check_out("tok_success").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    (shopper, answer.body["order"].clone())
}

async fn send(app: &TestApp, order: &Value, parcel: &Value) -> Answer {
    change(app, order, "fulfil", parcel).await
}

async fn change(app: &TestApp, order: &Value, what: &str, body: &Value) -> Answer {
    let path = format!("/api/v1/admin/orders/{}/{what}", id(order));
    let request =
        Client::new().post(app.url(&path)).basic_auth(admin::USER, Some(admin::PASSWORD)).json(body);
    Answer::to(request).await.unwrap()
}

async fn cancel(app: &TestApp, shopper: &Shopper, order: &Value) -> Answer {
    let request = Client::new().post(app.url(&format!("/api/v1/orders/{}/cancel", id(order))));
    Answer::to(request.bearer_auth(shopper.token())).await.unwrap()
}

fn id(order: &Value) -> &str {
    order["id"].as_str().unwrap()
}

async fn an_order_of_two_locations_leaves_in_parcels_that_are_told(store: Store) {
    let app = shop(store).await;
    let (shopper, order) = buy(&app, &[("SET", 2)]).await;
    let cups = |pieces: u32| json!({"line": "SET", "sku": "CUP", "location": "main", "pieces": pieces});
    let tea = json!({"line": "SET", "sku": "TEA", "location": "north", "pieces": 2});
    assert_eq!(order["to_send"], json!([cups(2), tea]));

    // Aberdeen sends all that it has; a set of which parts wait is neither sent nor to be cancelled.
    let tracking = json!({"carrier": "Royal Mail", "number": "AB1", "url": "https://post.example/AB1"});
    let sent = send(&app, &order, &json!({"location": "north", "tracking": tracking})).await.body;
    assert_eq!((&sent["status"], &sent["to_send"]), (&json!("placed"), &json!([cups(2)])), "{sent}");
    let parcel = &sent["parcels"][0];
    let contents = json!([{"line": "SET", "sku": "TEA", "pieces": 2}]);
    assert_eq!((&parcel["number"], &parcel["location"]), (&json!(1), &json!("north")));
    assert_eq!((&parcel["contents"], &parcel["tracking"]), (&contents, &tracking));
    let refused = cancel(&app, &shopper, &order).await;
    assert!(refused.body["detail"].as_str().unwrap().contains("completes sets"), "{}", refused.body);
    refused.assert_problem(409, "order-state");

    let page = app.page(&shopper, &format!("/orders/{}", id(&order))).await;
    for part in [
        "Part of it is on its way",
        "from Aberdeen</dt><dd>2 × Tea",
        "Royal Mail AB1</a>",
        "Still to come from Leeds</dt><dd>2 × Cup",
        "On its way in part",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let form = [("order", id(&order)), ("email", "ada@example.org")];
    let found = Client::new().post(app.url("/orders/lookup")).form(&form).send().await.unwrap();
    let found = found.text().await.unwrap();
    assert!(found.contains("Still to come from Leeds") && found.contains("Royal Mail AB1</a>"), "{found}");
    let told = letters::in_folder(&app.data("letters"), 2).await;
    let letter = told.iter().find(|letter| letter.header("Subject").starts_with("A parcel of your order"));
    let text = &letter.expect("a letter about the parcel").text;
    for part in [
        "from Aberdeen:\n    2 × Tea\n    Royal Mail AB1\n    https://post.example/AB1\n",
        "Still to come from Leeds:\n    2 × Cup\n",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }

    // The shop's people send the cups, one by one.
    let people = Admin::sign_in(&app).await;
    let page = people.get(&format!("/admin/orders/{}", id(&order))).await;
    assert!(
        page.html.contains("Sent in part") && page.html.contains("To be sent from Leeds"),
        "{}",
        page.html
    );
    let fulfil = format!("/admin/orders/{}/fulfil", id(&order));
    let none = people.submit(&page, &fulfil, &[("piece:0.0", "0")]).await;
    assert!(none.html.contains("Name pieces that are there"), "{}", none.html);
    let one = people.submit(&page, &fulfil, &[("piece:0.0", "1"), ("number", "L7")]).await;
    assert!(one.html.contains("Noted: it was sent off") && one.html.contains("L7"), "{}", one.html);
    let again = people.submit(&page, &fulfil, &[("piece:0.0", "1"), ("number", "L7")]).await;
    assert!(again.html.contains("Sent in part"), "the same form sends one parcel: {}", again.html);
    let all = people.submit(&again, &fulfil, &[]).await;
    assert!(all.html.contains("Sent off") && !all.html.contains("To be sent"), "{}", all.html);

    let events = app.events("parcel_sent", 3).await;
    let first = events.iter().map(|event| &event["data"]).find(|data| data["number"] == 1).unwrap();
    let bundled = json!([{"sku": "TEA", "pieces": 2, "bundle": "SET"}]);
    assert_eq!((&first["location"], &first["contents"]), (&json!("north"), &bundled), "{first}");
    assert_eq!(first["tracking"], tracking);
    assert_eq!(app.events("order_fulfilled", 1).await.len(), 1);
    let told = letters::in_folder(&app.data("letters"), 4).await;
    assert!(told.iter().any(|letter| letter.text.contains("With it, all of your order is on its way.")));
    app.run(&["check"]).await;
}

async fn the_rest_of_an_order_is_cancelled_by_its_shopper(store: Store) {
    let app = shop(store).await;
    let (shopper, order) = buy(&app, &[("CUP", 3), ("TEA", 1)]).await;
    let sent = send(&app, &order, &json!({"lines": [{"line": "CUP", "pieces": 1}]})).await;
    assert_eq!((sent.status, &sent.body["status"]), (200, &json!("placed")), "{}", sent.body);
    // The cup arrived broken; another one is on its way to be sent.
    let broken = json!({"lines": [{"line": "CUP", "quantity": 1}], "restock": false, "sent": true});
    let refunded = change(&app, &order, "refund", &broken).await.body;
    assert_eq!(refunded["to_send"].as_array().map(Vec::len), Some(2), "{refunded}");
    assert_eq!(refunded["to_send"][0]["pieces"], 2);
    let page = app.page(&shopper, &format!("/orders/{}", id(&order))).await;
    assert!(page.contains("Cancel what was not sent yet"), "{page}");
    let cancelled = cancel(&app, &shopper, &order).await.body;
    assert_eq!(
        (&cancelled["status"], &cancelled["payment_status"], &cancelled["to_send"]),
        (&json!("fulfilled"), &json!("refunded"), &Value::Null),
        "{cancelled}"
    );
    assert_eq!(cancelled["refunds"][1]["amount_minor"], 2_500);
    let stock = audit::stock(&app).await;
    assert_eq!((stock["CUP"].sold, stock["TEA@north"].sold), (1, 0), "what was sent stays sold");
    eventually("nothing is left to be settled", async || app.try_run(&["check"]).await.status.success())
        .await;
}

async fn what_one_location_cannot_send_another_one_does(store: Store) {
    let app = shop(store).await;
    let (shopper, order) = buy(&app, &[("SET", 3)]).await;
    let waits = |sku: &str, at: &str, pieces: u32| json!({"line": "SET", "sku": sku, "location": at, "pieces": pieces});
    assert_eq!(order["to_send"], json!([waits("CUP", "main", 3), waits("TEA", "north", 3)]));

    // Aberdeen has two cups only: all three stay, until fewer are moved. A key moves them once.
    let all = change(&app, &order, "relocate", &json!({"from": "main", "to": "north"})).await;
    assert_eq!(all.body["detail"], "CUP has 2 left, 3 more are wanted");
    all.assert_problem(409, "out-of-stock");
    let two = json!({"from": "main", "to": "north", "lines": [{"line": "SET", "sku": "CUP", "pieces": 2}]});
    for _ in 0..2 {
        let path = format!("/api/v1/admin/orders/{}/relocate", id(&order));
        let request = Client::new().post(app.url(&path)).basic_auth(admin::USER, Some(admin::PASSWORD));
        let moved = Answer::to(request.header("Idempotency-Key", "two").json(&two)).await.unwrap();
        let due = json!([waits("CUP", "main", 1), waits("CUP", "north", 2), waits("TEA", "north", 3)]);
        assert_eq!((moved.status, &moved.body["to_send"]), (200, &due), "{}", moved.body);
    }
    let stock = audit::stock(&app).await;
    let level = |at: &str| (stock[at].available, stock[at].sold);
    assert_eq!((level("CUP"), level("CUP@north"), level("TEA@north")), ((8, 1), (0, 2), (6, 3)));
    app.run(&["check"]).await;
    for (body, status, problem, field) in [
        (json!({"from": "main", "to": "main"}), 422, "invalid-details", "to"),
        (json!({"from": "main", "to": "south"}), 422, "invalid-details", "to"),
        (json!({"from": "south", "to": "main"}), 422, "invalid-details", "from"),
        (
            json!({"from": "main", "to": "north", "lines": [{"line": "SET", "sku": "TEA", "pieces": 1}]}),
            422,
            "invalid-details",
            "lines",
        ),
        (
            json!({"from": "main", "to": "north", "lines": [{"line": "POT", "pieces": 1}]}),
            422,
            "line-not-found",
            "",
        ),
        (json!({"from": "main", "to": "no where"}), 400, "invalid-request", ""),
        (json!({"from": "main"}), 400, "invalid-json", ""),
    ] {
        let refused = change(&app, &order, "relocate", &body).await;
        if !field.is_empty() {
            assert_eq!(refused.body["fields"][0]["field"], field, "{body}: {}", refused.body);
        }
        refused.assert_problem(status, problem);
    }
    let page = app.page(&shopper, &format!("/orders/{}", id(&order))).await;
    for part in ["From Leeds</dt><dd>1 × Cup", "From Aberdeen</dt><dd>2 × Cup"] {
        assert!(page.contains(part), "{part} in {page}");
    }

    // The shop's people move them by a form of what is to be sent.
    let people = Admin::sign_in(&app).await;
    let form = format!("/admin/orders/{}/relocate", id(&order));
    let page = people.get(&format!("/admin/orders/{}", id(&order))).await;
    let refused = people.submit(&page, &form, &[("to", "north")]).await;
    assert!(refused.html.contains("has too few of the pieces"), "{}", refused.html);
    let back = [("location", "north"), ("to", "main"), ("piece:0.0", "2")];
    let moved = people.submit(&refused, &form, &back).await;
    assert!(moved.html.contains("The pieces wait there from now on"), "{}", moved.html);

    let events = app.events("order_relocated", 2).await;
    let cups = json!([{"sku": "CUP", "pieces": 2, "bundle": "SET"}]);
    for (from, to) in [("main", "north"), ("north", "main")] {
        let told = events.iter().map(|event| &event["data"]).find(|data| data["from"] == from);
        let told = told.expect("each move is told");
        assert_eq!((&told["to"], &told["contents"]), (&to.into(), &cups));
    }
    // What is given back goes to the shelves that sold it last.
    change(&app, &order, "relocate", &two).await;
    assert_eq!(cancel(&app, &shopper, &order).await.body["status"], "cancelled");
    let stock = audit::stock(&app).await;
    let level = |at: &str| (stock[at].available, stock[at].sold);
    assert_eq!((level("CUP"), level("CUP@north"), level("TEA@north")), ((9, 0), (2, 0), (9, 0)));
    eventually("nothing is left to be settled", async || app.try_run(&["check"]).await.status.success())
        .await;
}

async fn correct(app: &TestApp, order: &Value, number: &str, body: &Value) -> Answer {
    let path = format!("/api/v1/admin/orders/{}/parcels/{number}", id(order));
    let request = Client::new().patch(app.url(&path)).basic_auth(admin::USER, Some(admin::PASSWORD));
    Answer::to(request.header("Idempotency-Key", format!("{number} {body}")).json(body)).await.unwrap()
}

async fn a_slip_in_how_a_parcel_is_followed_is_put_right(store: Store) {
    let app = shop(store).await;
    let (shopper, order) = buy(&app, &[("CUP", 1)]).await;
    let slip = json!({"carrier": "Royal Mail", "number": "AB1", "url": "https://post.example/AB1"});
    assert_eq!(send(&app, &order, &json!({"tracking": slip})).await.body["status"], "fulfilled");
    letters::in_folder(&app.data("letters"), 2).await;

    // What is not named stays; said twice, it is told once.
    let right = json!({"carrier": "Royal Mail", "number": "AB2", "url": "https://post.example/AB2"});
    let change = json!({"tracking": {"number": "AB2", "url": "https://post.example/AB2"}});
    for _ in 0..2 {
        let changed = correct(&app, &order, "1", &change).await;
        assert_eq!((changed.status, &changed.body["parcels"][0]["tracking"]), (200, &right));
    }
    let page = app.page(&shopper, &format!("/orders/{}", id(&order))).await;
    assert!(page.contains("post.example/AB2\"") && page.contains("Royal Mail AB2</a>"), "{page}");
    assert!(!page.contains("AB1"), "{page}");
    let told = letters::in_folder(&app.data("letters"), 3).await;
    let subject = format!("How to follow your order {}", id(&order));
    let letter = told.iter().find(|letter| letter.header("Subject") == subject).expect("a letter");
    assert!(
        letter.text.contains("1 × Cup\n    Royal Mail AB2\n    https://post.example/AB2\n"),
        "{}",
        letter.text
    );

    // Another name for the carrier leads nobody elsewhere: the event tells it, and no letter.
    let renamed = json!({"tracking": {"carrier": "Royal Mail Tracked 24"}});
    correct(&app, &order, "1", &renamed).await;
    for (body, number, status, problem, field) in [
        (json!({"tracking": {"url": "javascript:alert(1)"}}), "1", 422, "invalid-details", "tracking.url"),
        (json!({"tracking": {"number": "A\nB"}}), "1", 422, "invalid-details", "tracking.number"),
        (change.clone(), "2", 404, "parcel-not-found", ""),
        (change.clone(), "first", 404, "parcel-not-found", ""),
        (json!({}), "1", 400, "invalid-json", ""),
        (json!({"tracking": {"name": "AB3"}}), "1", 400, "invalid-json", ""),
    ] {
        let refused = correct(&app, &order, number, &body).await;
        if !field.is_empty() {
            assert_eq!(refused.body["fields"][0]["field"], field, "{body}: {}", refused.body);
        }
        refused.assert_problem(status, problem);
    }

    // The shop's people do it on their page.
    let people = Admin::sign_in(&app).await;
    let page = people.get(&format!("/admin/orders/{}", id(&order))).await;
    let form = format!("/admin/orders/{}/correct", id(&order));
    let refused = people.submit(&page, &form, &[("url", "post")]).await;
    assert!(refused.html.contains("the web address begins with https:"), "{}", refused.html);
    let page = people.get(&format!("/admin/orders/{}", id(&order))).await;
    let saved = people.submit(&page, &form, &[("number", "AB3")]).await;
    assert!(
        saved.html.contains("It is followed as you say") && saved.html.contains("Tracked 24 AB3</a>"),
        "{}",
        saved.html
    );
    // A letter tells what holds when it is written, so the next change waits for it.
    letters::in_folder(&app.data("letters"), 4).await;
    let nothing = json!({"tracking": {"carrier": null, "number": null, "url": null}});
    let bare = correct(&app, &order, "1", &nothing).await;
    assert_eq!(bare.body["parcels"][0]["tracking"], Value::Null);

    let events = app.events("parcel_corrected", 4).await;
    let told = |event: &Value| ["before", "tracking"].map(|when| event["data"][when]["number"].clone());
    let told: Vec<_> = events.iter().map(told).collect();
    for numbers in [["AB1", "AB2"], ["AB2", "AB2"], ["AB2", "AB3"]].map(|pair| pair.map(Value::from)) {
        assert!(told.contains(&numbers), "{numbers:?} in {told:?}");
    }
    assert!(told.contains(&["AB3".into(), Value::Null]), "{told:?}");
    let told = letters::in_folder(&app.data("letters"), 4).await;
    assert_eq!(told.len(), 4, "a new number is told, a new name and none at all are not");
    app.run(&["check"]).await;
}

async fn a_parcel_that_makes_no_sense_is_refused_and_one_that_is_sent_twice_is_one(store: Store) {
    let app = shop(store).await;
    let (_, order) = buy(&app, &[("CUP", 2), ("TEA", 1)]).await;
    for (parcel, status, problem, field) in [
        (json!({"location": "south"}), 422, "invalid-details", "location"),
        (json!({"location": "no where"}), 400, "invalid-request", ""),
        (json!({"tracking": {"number": "AB1"}}), 422, "invalid-details", "location"),
        (
            json!({"location": "main", "tracking": {"url": "javascript:alert(1)"}}),
            422,
            "invalid-details",
            "tracking.url",
        ),
        (json!({"lines": [{"line": "CUP", "pieces": 3}]}), 422, "invalid-details", "lines"),
        (json!({"lines": [{"line": "CUP", "sku": "TEA", "pieces": 1}]}), 422, "invalid-details", "lines"),
        (
            json!({"location": "north", "lines": [{"line": "CUP", "pieces": 1}]}),
            422,
            "invalid-details",
            "lines",
        ),
        (json!({"lines": [{"line": "POT", "pieces": 1}]}), 422, "line-not-found", ""),
        (json!({"parcel": 1}), 400, "invalid-json", ""),
    ] {
        let refused = send(&app, &order, &parcel).await;
        if !field.is_empty() {
            assert_eq!(refused.body["fields"][0]["field"], field, "{parcel}: {}", refused.body);
        }
        refused.assert_problem(status, problem);
    }
    let path = format!("/api/v1/admin/orders/{}/fulfil", id(&order));
    for _ in 0..2 {
        let request = Client::new().post(app.url(&path)).basic_auth(admin::USER, Some(admin::PASSWORD));
        let request =
            request.header("Idempotency-Key", "one").json(&json!({"lines": [{"line": "CUP", "pieces": 1}]}));
        let sent = Answer::to(request).await.unwrap().body;
        assert_eq!(
            (&sent["parcels"].as_array().unwrap().len(), &sent["to_send"][0]["pieces"]),
            (&1, &json!(1)),
            "{sent}"
        );
    }
    // Without a body, each location sends the rest of its own.
    let request = Client::new().post(app.url(&path)).basic_auth(admin::USER, Some(admin::PASSWORD));
    let sent = Answer::to(request).await.unwrap().body;
    let from: Vec<_> = sent["parcels"].as_array().unwrap().iter().map(|p| p["location"].as_str()).collect();
    assert_eq!((from, &sent["status"]), (vec![None, None, Some("north")], &json!("fulfilled")), "{sent}");
    app.run(&["check"]).await;
}
