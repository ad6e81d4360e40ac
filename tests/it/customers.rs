//! What a customer's group, the channel of a cart and earlier orders make of its price, through every door.

use harness::{Admin, Shopper, Store, TestApp, admin, patience::eventually, shopper::complete_step};
use reqwest::Method;
use serde_json::{Value, json};

use crate::users::{PASSWORD, credentials, sign_up, token_of};

on_each_store!(
    a_customer_of_a_group_pays_its_prices_at_once,
    a_guest_who_logs_in_pays_as_who_they_are,
    a_group_is_exempt_from_tax_and_has_its_own_way_to_travel,
    promotions_are_for_channels_and_first_orders,
    the_shops_people_say_who_belongs_to_a_group,
);

const PRODUCTS: &str = r#"sku,name,price_minor,currency,stock,prices
BOWL,Bowl,1000,GBP,100,"[{""minor"":800,""currency"":""GBP"",""group"":""trade""},{""minor"":1200,""currency"":""EUR""}]"
"#;

async fn shop(store: Store) -> TestApp {
    let app = TestApp::start_with(store, admin::setup()).await;
    import(&app, "products", "bowl.csv", PRODUCTS).await;
    eventually("the bowl is for sale", async || {
        app.call(Method::GET, "/api/v1/products/BOWL", None, None).await.status == 200
    })
    .await;
    app
}

async fn import(app: &TestApp, what: &str, name: &str, text: &str) {
    let file = app.write_file(name, text);
    app.run(&["import", what, &file]).await;
}

/// Finds a customer's id by the address that they log in with, as the shop's people do.
async fn id_of(admin: &Admin, email: &str) -> String {
    let page = admin.get(&format!("/admin/customers?q={}", email.replace('@', "%40"))).await;
    page.path.strip_prefix("/admin/customers/").unwrap_or_else(|| panic!("{}", page.html)).to_owned()
}

async fn put_group(app: &TestApp, customer: &str, group: Value) {
    let path = format!("/customers/{customer}/group");
    let said = admin::api(app, "PUT", &path, Some(&json!({"group": group}))).await;
    assert_eq!((said.status, &said.body["group"]), (200, &group), "{}", said.body);
}

fn price(cart: &Value) -> (i64, i64) {
    let line = &cart["lines"][0];
    (line["unit_price_minor"].as_i64().unwrap(), cart["totals"]["subtotal_minor"].as_i64().unwrap())
}

async fn a_customer_of_a_group_pays_its_prices_at_once(store: Store) {
    let app = shop(store).await;
    let admin = Admin::sign_in(&app).await;
    let token = sign_up(&app).await;
    let shopper = app.open_cart_as(&token).await;
    let second = app.open_cart_as(&token).await;
    for cart in [&shopper, &second] {
        assert_eq!(price(&cart.add("BOWL", 2).await.accepted()), (1_000, 2_000));
    }
    let mut device = app.join(&shopper).await;
    let id = id_of(&admin, "ada@example.org").await;
    put_group(&app, &id, json!("trade")).await;
    // The policy holds prices: what changed is not the price but who asks.
    for cart in [&shopper, &second] {
        let now = cart.cart().await;
        assert_eq!((price(&now), &now["customer_group"]), ((800, 1_600), &json!("trade")));
    }
    device.next_where(|frame| frame.event == "cart_updated").await;
    let shown = app.call(Method::GET, "/api/v1/products/BOWL", Some(&token), None).await.body;
    assert_eq!(
        shown["price"]["why"]["kind"].as_str().or(shown["price"]["reason"].as_str()),
        Some("group"),
        "{shown}"
    );
    let found = app.call(Method::GET, "/api/v1/products?q=bowl", Some(&token), None).await.body;
    assert!(found.to_string().contains("800"), "{found}");
    let anybody = app.call(Method::GET, "/api/v1/products/BOWL", None, None).await.body;
    assert!(anybody.to_string().contains("1000") && !anybody.to_string().contains("\"group\""), "{anybody}");
    let fresh = app.open_cart_as(&token).await;
    assert_eq!(price(&fresh.add("BOWL", 1).await.accepted()).0, 800);
    let order = fresh.check_out("tok_success").await;
    assert_eq!(order.body["order"]["total_minor"], 800, "{}", order.body);
    put_group(&app, &id, Value::Null).await;
    assert_eq!(price(&shopper.cart().await), (1_000, 2_000));
    app.run(&["check"]).await;
}

async fn a_guest_who_logs_in_pays_as_who_they_are(store: Store) {
    let app = shop(store).await;
    let admin = Admin::sign_in(&app).await;
    let here = sign_up(&app).await;
    put_group(&app, &id_of(&admin, "ada@example.org").await, json!("trade")).await;
    let log_in = async |guest: &Shopper| {
        let path = "/api/v1/sessions";
        let answer = app.call(Method::POST, path, Some(guest.token()), Some(&credentials(PASSWORD))).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let (token, cart) = (token_of(&answer), answer.body["cart"].as_str().unwrap().to_owned());
        app.call(Method::GET, &format!("/api/v1/carts/{cart}"), Some(&token), None).await.body
    };
    // The guest's cart becomes the user's.
    let guest = app.open_cart().await;
    assert_eq!(price(&guest.add("BOWL", 1).await.accepted()), (1_000, 1_000));
    assert_eq!(price(&log_in(&guest).await), (800, 800));
    // Another guest's goes into it.
    let guest = app.open_cart().await;
    guest.add("BOWL", 2).await.accepted();
    assert_eq!(price(&log_in(&guest).await), (800, 2_400));
    drop(here);
    app.run(&["check"]).await;
}

const TAXES: &str = r#"{"prices_include_tax": false, "home": {"country": "GB"},
    "zones": [{"name": "United Kingdom", "places": [{"countries": ["GB"]}], "exempt_groups": ["trade"],
        "rates": {"standard": [{"name": "VAT", "rate_ppm": 200000}]}}]}"#;

const SHIPPING: &str = r#"{"methods": [
    {"id": "post", "name": "Post", "zones": [{"name": "Everywhere", "places": [{}],
        "any_currency": {"charge": {"flat": 350}}}]},
    {"id": "pallet", "name": "Pallet", "conditions": {"groups": ["trade"]}, "zones": [{"name": "Everywhere", "places": [{}],
        "any_currency": {"charge": {"flat": 0}}}]}]}"#;

async fn a_group_is_exempt_from_tax_and_has_its_own_way_to_travel(store: Store) {
    let app = shop(store).await;
    import(&app, "taxes", "taxes.json", TAXES).await;
    import(&app, "shipping", "shipping.json", SHIPPING).await;
    let admin = Admin::sign_in(&app).await;
    let shopper = app.open_cart_as(&sign_up(&app).await).await;
    shopper.add("BOWL", 1).await.accepted();
    shopper.command(&json!({"type": "start_checkout"})).await.accepted();
    shopper.command(&complete_step("address")).await.accepted();
    let offered = |cart: &Value| -> Vec<String> {
        let offers = cart["shipping"]["offered"].as_array().unwrap().iter();
        offers.map(|offer| offer["method"].as_str().unwrap().to_owned()).collect()
    };
    eventually("the terms hold", async || shopper.cart().await["totals"]["tax_minor"] == 200).await;
    assert_eq!(offered(&shopper.cart().await), ["post"]);
    put_group(&app, &id_of(&admin, "ada@example.org").await, json!("trade")).await;
    let cart = shopper.cart().await;
    assert_eq!(
        (offered(&cart), &cart["totals"]["tax_minor"]),
        (vec!["post".into(), "pallet".into()], &json!(0))
    );
}

const PROMOTIONS: &str = r#"[
    {"id": "app", "name": "In the app", "conditions": {"channels": ["app"]},
     "benefit": {"kind": "fixed", "on": {"all": true}, "off_minor": {"GBP": 100}}},
    {"id": "first", "name": "First order", "conditions": {"max_orders_before": 0},
     "benefit": {"kind": "fixed", "on": {"all": true}, "off_minor": {"GBP": 30}}},
    {"id": "loyal", "name": "Thank you", "conditions": {"min_orders_before": 1},
     "benefit": {"kind": "fixed", "on": {"all": true}, "off_minor": {"GBP": 7}}}]"#;

async fn promotions_are_for_channels_and_first_orders(store: Store) {
    let app = shop(store).await;
    let token = sign_up(&app).await;
    let open = async |body: Value| {
        let answer = app.call(Method::POST, "/api/v1/carts", Some(&token), Some(&body)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["cart"].clone()
    };
    let discount = async |cart: &Value| {
        let path = format!("/api/v1/carts/{}", cart["id"].as_str().unwrap());
        let add = json!({"type": "add_line", "sku": "BOWL", "quantity": 1});
        app.call(Method::POST, &format!("{path}/commands"), Some(&token), Some(&add)).await.accepted()["totals"]
            ["discount_minor"]
            .as_i64()
            .unwrap()
    };
    // An order from before anybody asked counts as well.
    let before = app.open_cart_as(&token).await;
    import(&app, "promotions", "promotions.json", PROMOTIONS).await;
    eventually("the promotions hold", async || {
        before.add("BOWL", 1).await.accepted()["totals"]["discount_minor"] == 30
    })
    .await;
    let shown = open(json!({"channel": "app"})).await;
    assert_eq!(shown["channel"], "app");
    assert_eq!(discount(&shown).await, 130);
    assert_eq!(discount(&open(json!({"channel": "till"})).await).await, 30);
    let refused =
        app.call(Method::POST, "/api/v1/carts", Some(&token), Some(&json!({"channel": "a b"}))).await;
    refused.assert_problem(400, "invalid-request");
    // A join opens one too, in its channel and its currency.
    let mut device = app.device(&token).await;
    let reply = device.join_with("cart:of-the-app", json!({"channel": "app", "currency": "EUR"})).await;
    assert_eq!(reply.status(), "ok", "{reply:?}");
    let joined = app.call(Method::GET, "/api/v1/carts/of-the-app", Some(&token), None).await.body;
    assert_eq!((&joined["channel"], &joined["currency"]), (&json!("app"), &json!("EUR")));

    let first = app.open_cart_as(&token).await;
    first.add("BOWL", 1).await.accepted();
    let placed = first.check_out("tok_success").await;
    assert_eq!(placed.body["order"]["total_minor"], 970, "{}", placed.body);
    let second = app.open_cart_as(&token).await;
    assert_eq!(second.add("BOWL", 1).await.accepted()["totals"]["discount_minor"], 7, "thanks for the first");
    // One that is cancelled counts no more.
    let order = placed.body["order"]["id"].as_str().unwrap();
    let path = format!("/api/v1/orders/{order}/cancel");
    assert_eq!(app.call(Method::POST, &path, Some(&token), None).await.status, 200);
    assert_eq!(second.add("BOWL", 1).await.accepted()["totals"]["discount_minor"], 30, "the first again");
    app.run(&["check"]).await;
}

async fn the_shops_people_say_who_belongs_to_a_group(store: Store) {
    let app = shop(store).await;
    let admin = Admin::sign_in(&app).await;
    let shopper = app.open_cart_as(&sign_up(&app).await).await;
    shopper.add("BOWL", 1).await.accepted();
    let id = id_of(&admin, "ada@example.org").await;
    let (path, form) = (format!("/admin/customers/{id}"), format!("/admin/customers/{id}/group"));
    let page = admin.get(&path).await;
    assert!(page.text().contains("ada@example.org"), "{}", page.html);
    let wrong = admin.submit(&page, &form, &[("group", "our trade")]).await;
    assert_eq!(wrong.status, 422, "{}", wrong.html);
    assert!(wrong.html.contains("value=\"our trade\""), "what was typed stays");
    let done = admin.submit(&page, &form, &[("group", "trade")]).await;
    assert!(done.html.contains("value=\"trade\"") && done.text().contains("priced anew"), "{}", done.html);
    assert_eq!(price(&shopper.cart().await).0, 800);
    let none = admin.submit(&done, &form, &[("group", "")]).await;
    assert!(none.html.contains("name=\"group\" value=\"\""), "{}", none.html);
    // A guest has no account, and no group.
    let guest = app.open_cart().await;
    guest.add("BOWL", 1).await.accepted();
    let placed = guest.check_out("tok_success").await.body;
    let order = placed["order"]["id"].as_str().unwrap();
    let page = admin.get(&format!("/admin/customers?q={order}")).await;
    assert!(!page.html.contains("/group\""), "{}", page.html);
    let unknown = admin::api(&app, "PUT", "/customers/nobody/group", Some(&json!({"group": "trade"}))).await;
    unknown.assert_problem(404, "unknown-customer");
    for bad in [json!({}), json!({"group": 7}), json!({"group": "a b"}), json!({"groups": "trade"})] {
        let refused = admin::api(&app, "PUT", &format!("/customers/{id}/group"), Some(&bad)).await;
        assert!((400..500).contains(&refused.status), "{bad}: {}", refused.body);
    }
    let unread = admin::api(&app, "GET", "/customers/nobody", None).await;
    unread.assert_problem(404, "unknown-customer");
    let forged = app.call(Method::PUT, &format!("/api/v1/admin/customers/{id}/group"), None, None).await;
    assert_eq!(forged.status, 401);
}
