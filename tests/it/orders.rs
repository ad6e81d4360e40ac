//! Orders after they were placed: cancelled, refunded, sent off, listed and looked up.

use std::time::Duration;

use harness::{Admin, Answer, Shopper, Store, TestApp, admin, audit, patience::eventually};
use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};

on_each_store!(
    a_shopper_cancels_an_order_and_everything_comes_back,
    the_shop_refunds_parts_that_add_up_to_what_was_paid,
    an_order_that_was_sent_off_is_not_cancelled,
    a_visitor_pages_through_their_orders,
    a_guest_finds_an_order_by_its_number_and_address,
    the_shops_people_find_and_change_orders_on_pages,
);

/// Returns what was taken and what was given back of all payments of a cart.
fn money(app: &TestApp, shopper: &Shopper) -> (i64, i64) {
    let db = rusqlite::Connection::open(app.data("sandbox-payments.db")).unwrap();
    db.busy_timeout(Duration::from_secs(10)).unwrap();
    let sql = "SELECT sum(captured_minor), sum(refunded_minor) FROM payments WHERE cart = ?1 AND state <> 'authorised'";
    db.query_row(sql, [shopper.cart_id()], |row| {
        Ok((row.get::<_, Option<i64>>(0)?.unwrap_or(0), row.get::<_, Option<i64>>(1)?.unwrap_or(0)))
    })
    .unwrap()
}

async fn buy(app: &TestApp, sku: &str, pieces: u32) -> (Shopper, String) {
    let shopper = app.open_cart().await;
    shopper.add(sku, pieces.into()).await.accepted();
    let answer = shopper.check_out("tok_success").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    (shopper, answer.body["order"]["id"].as_str().unwrap().to_owned())
}

async fn get(app: &TestApp, path: &str, token: &str) -> Answer {
    Answer::to(Client::new().get(app.url(path)).bearer_auth(token)).await.unwrap()
}

async fn post(app: &TestApp, path: &str, token: &str) -> Answer {
    Answer::to(Client::new().post(app.url(path)).bearer_auth(token).header("Idempotency-Key", "once"))
        .await
        .unwrap()
}

async fn as_admin(app: &TestApp, path: &str, body: &Value) -> Answer {
    let request = Client::new().post(app.url(path)).basic_auth(admin::USER, Some(admin::PASSWORD)).json(body);
    Answer::to(request).await.unwrap()
}

async fn a_shopper_cancels_an_order_and_everything_comes_back(store: Store) {
    let app = TestApp::start(store).await;
    let (shopper, order) = buy(&app, "RARE", 2).await;
    assert_eq!(audit::stock(&app).await["RARE"].sold, 2);
    let path = format!("/api/v1/orders/{order}/cancel");
    let stranger = app.open_cart().await;
    post(&app, &path, stranger.token()).await.assert_problem(404, "unknown-order");
    for _ in 0..2 {
        let answer = post(&app, &path, shopper.token()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let (status, payment) = (&answer.body["status"], &answer.body["payment_status"]);
        assert_eq!((status, payment), (&json!("cancelled"), &json!("refunded")));
    }
    let read = get(&app, &format!("/api/v1/orders/{order}"), shopper.token()).await.body;
    assert_eq!(
        (&read["status"], &read["refunds"][0]["lines"][0]["restocked"]),
        (&json!("cancelled"), &json!(2))
    );
    let stock = audit::stock(&app).await["RARE"];
    assert_eq!((stock.sold, stock.available, stock.is_conserved()), (0, stock.supplied, true));
    eventually("no money is kept", async || {
        let (taken, given_back) = money(&app, &shopper);
        taken == given_back
    })
    .await;
    assert_eq!(app.events("order_cancelled", 1).await.len(), 1);
    eventually("nothing is left to be settled", async || app.try_run(&["check"]).await.status.success())
        .await;
    // What came back is for sale.
    buy(&app, "RARE", 3).await;
}

async fn the_shop_refunds_parts_that_add_up_to_what_was_paid(store: Store) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let (shopper, order) = buy(&app, "MUG", 3).await;
    let path = format!("/api/v1/admin/orders/{order}/refund");
    let anybody = Client::new().post(app.url(&path)).json(&json!({"shipping": true}));
    Answer::to(anybody).await.unwrap().assert_problem(401, "not-admin");
    let wrong = Client::new().post(app.url(&path)).basic_auth(admin::USER, Some("wrong")).json(&json!({}));
    Answer::to(wrong).await.unwrap().assert_problem(401, "not-admin");

    let one = as_admin(&app, &path, &json!({"lines": [{"line": "MUG", "quantity": 1}]})).await;
    assert_eq!(
        (one.status, &one.body["payment_status"]),
        (200, &json!("partially_refunded")),
        "{}",
        one.body
    );
    assert_eq!(one.body["refunds"][0]["amount_minor"], 1_250);
    let broken = json!({"lines": [{"line": "MUG", "quantity": 1}], "restock": false});
    assert_eq!(as_admin(&app, &path, &broken).await.body["refunds"][1]["lines"][0]["restocked"], 0);
    let stock = audit::stock(&app).await["MUG"];
    assert_eq!((stock.sold, stock.is_conserved()), (2, true), "one of two came back to the shelf");
    let too_many = json!({"lines": [{"line": "MUG", "quantity": 2}]});
    as_admin(&app, &path, &too_many).await.assert_problem(422, "invalid-details");
    as_admin(&app, &path, &json!({"amount_minor": 1_251})).await.assert_problem(409, "refund-too-large");
    as_admin(&app, &path, &json!({})).await.assert_problem(422, "invalid-details");
    as_admin(&app, &path, &json!({"lines": [{"line": "TEAPOT", "quantity": 1}]}))
        .await
        .assert_problem(422, "line-not-found");
    let kindness = as_admin(&app, &path, &json!({"amount_minor": 1_250})).await;
    assert_eq!(kindness.body["payment_status"], "refunded");
    as_admin(&app, &path, &json!({"amount_minor": 1})).await.assert_problem(409, "refund-too-large");
    eventually("all of it is given back", async || money(&app, &shopper) == (3_750, 3_750)).await;
    assert_eq!(app.events("order_refunded", 3).await.len(), 3);
    eventually("nothing is left to be settled", async || app.try_run(&["check"]).await.status.success())
        .await;
}

async fn an_order_that_was_sent_off_is_not_cancelled(store: Store) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let (shopper, order) = buy(&app, "MUG", 1).await;
    for _ in 0..2 {
        let sent = as_admin(&app, &format!("/api/v1/admin/orders/{order}/fulfil"), &json!({})).await;
        assert_eq!((sent.status, &sent.body["status"]), (200, &json!("fulfilled")));
    }
    let cancel = format!("/api/v1/orders/{order}/cancel");
    post(&app, &cancel, shopper.token()).await.assert_problem(409, "order-state");
    as_admin(&app, &format!("/api/v1/admin/orders/{order}/cancel"), &json!({}))
        .await
        .assert_problem(409, "order-state");
    as_admin(&app, "/api/v1/admin/orders/o1/fulfil", &json!({})).await.assert_problem(404, "unknown-order");
    assert_eq!(app.events("order_fulfilled", 1).await.len(), 1);
}

async fn a_visitor_pages_through_their_orders(store: Store) {
    let app = TestApp::start(store).await;
    let (first, order) = buy(&app, "MUG", 1).await;
    let mut placed = vec![order];
    for _ in 0..4 {
        let next = app.open_cart_as(first.token()).await;
        next.add("MUG", 1).await.accepted();
        placed.push(next.check_out("tok_success").await.body["order"]["id"].as_str().unwrap().to_owned());
    }
    buy(&app, "MUG", 1).await;
    let (mut seen, mut path) = (vec![], "/api/v1/orders?limit=2".to_owned());
    loop {
        let page = get(&app, &path, first.token()).await;
        assert_eq!(page.status, 200, "{}", page.body);
        seen.extend(
            page.body["orders"].as_array().unwrap().iter().map(|o| o["id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page.body["next_cursor"].as_str() else { break };
        assert!(page.header("link").contains(cursor));
        path = format!("/api/v1/orders?limit=2&cursor={cursor}");
    }
    placed.reverse();
    assert_eq!(seen, placed, "the newest first, each once, nobody else's");
    get(&app, "/api/v1/orders?cursor=x", first.token()).await.assert_problem(400, "invalid-cursor");
    let html = Client::new().get(app.url("/orders")).bearer_auth(first.token()).send().await.unwrap();
    let html = html.text().await.unwrap();
    assert!(placed.iter().all(|id| html.contains(id)), "{html}");
    let html = Client::new().get(app.url(&format!("/orders/{}", placed[0]))).bearer_auth(first.token());
    let html = html.send().await.unwrap().text().await.unwrap();
    assert!(html.contains("Being packed") && html.contains("Cancel the order"), "{html}");
    // The button works without scripts.
    let http = Client::builder().redirect(Policy::none()).build().unwrap();
    let cancel = http.post(app.url(&format!("/orders/{}/cancel", placed[0]))).bearer_auth(first.token());
    assert_eq!(cancel.form(&[("x", "y")]).send().await.unwrap().status(), 303);
    assert_eq!(
        get(&app, &format!("/api/v1/orders/{}", placed[0]), first.token()).await.body["status"],
        "cancelled"
    );
}

async fn a_guest_finds_an_order_by_its_number_and_address(store: Store) {
    let app = TestApp::start(store).await;
    let (_, order) = buy(&app, "MUG", 1).await;
    let look = async |order: &str, email: &str| {
        let body = json!({"order": order, "email": email});
        Answer::to(Client::new().post(app.url("/api/v1/orders/lookup")).json(&body)).await.unwrap()
    };
    let found = look(&order, " Ada@Example.org ").await;
    assert_eq!((found.status, &found.body["id"]), (200, &json!(order)), "{}", found.body);
    let (unknown, mismatch) = (look("o0000", "ada@example.org").await, look(&order, "eve@example.org").await);
    assert_eq!(
        (unknown.status, &unknown.body),
        (404, &mismatch.body),
        "nobody learns which of both is wrong"
    );
    look(&order, "").await.assert_problem(404, "unknown-order");

    let form = [("order", order.as_str()), ("email", "ada@example.org")];
    let page = Client::new().post(app.url("/orders/lookup")).form(&form).send().await.unwrap();
    let html = page.text().await.unwrap();
    assert!(html.contains(&order) && html.contains("Being packed") && !html.contains("St James"), "{html}");

    // Whoever guesses is held up, and so is the order that is guessed at.
    let mut last = 0;
    for n in 0..20 {
        last = look(&order, &format!("guess-{n}@example.org")).await.status;
    }
    assert_eq!(last, 429);
    look(&order, "ada@example.org").await.assert_problem(429, "too-many-tries");
}

async fn the_shops_people_find_and_change_orders_on_pages(store: Store) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let (_, order) = buy(&app, "MUG", 2).await;
    let (_, other) = buy(&app, "TEAPOT", 1).await;
    let admin = Admin::sign_in(&app).await;
    let all = admin.get("/admin/orders").await;
    assert!(all.html.contains(&order) && all.html.contains(&other), "{}", all.html);
    let found = admin.get(&format!("/admin/orders?q={other}&status=placed")).await;
    assert!(!found.html.contains(&order) && found.html.contains(&other), "{}", found.html);
    let by_email = admin.get("/admin/orders?q=ADA%40example.org").await;
    assert!(by_email.html.contains(&order) && by_email.html.contains(&other), "{}", by_email.html);
    let nothing = admin.get("/admin/orders?status=cancelled").await;
    assert!(nothing.html.contains("No orders"), "{}", nothing.html);

    let page = admin.get(&format!("/admin/orders/{order}")).await;
    let refund = format!("/admin/orders/{order}/refund");
    let after = admin.submit(&page, &refund, &[("line:MUG", "1")]).await;
    assert!(after.html.contains("£12.50") && after.html.contains("paid back in part"), "{}", after.html);
    let again = admin.submit(&page, &refund, &[("line:MUG", "1")]).await;
    assert!(again.html.contains("<dt>Paid back</dt><dd>£12.50"), "sent twice, it pays once: {}", again.html);
    let changed = admin.submit(&page, &refund, &[("amount", "1.50")]).await;
    assert!(changed.html.contains("This form was sent before"), "{}", changed.html);
    let wrong = admin.submit(&after, &refund, &[("amount", "much")]).await;
    assert!(wrong.html.contains("Name pieces, shipping or an amount"), "{}", wrong.html);
    let after = admin.submit(&wrong, &refund, &[("amount", "1.50")]).await;
    assert!(after.html.contains("<dt>Paid back</dt><dd>£14.00"), "{}", after.html);
    let after = admin.submit(&after, &format!("/admin/orders/{order}/cancel"), &[]).await;
    assert!(after.html.contains("Cancelled") && after.html.contains("paid back"), "{}", after.html);
    let page = admin.get(&format!("/admin/orders/{other}")).await;
    let after = admin.submit(&page, &format!("/admin/orders/{other}/fulfil"), &[]).await;
    assert!(after.html.contains("Sent off"), "{}", after.html);
    let forged =
        Client::new().post(app.url(&format!("/admin/orders/{other}/refund"))).form(&[("shipping", "1")]);
    let forged = forged.send().await.unwrap();
    assert!(forged.url().path().starts_with("/admin/login"), "{}", forged.url());
}
