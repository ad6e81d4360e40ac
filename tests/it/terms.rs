//! The terms of a shop: what prices, taxes and shipping make of a cart.

use std::collections::BTreeSet;

use harness::{
    Answer, Shopper, Store, TestApp, admin, app::Setup, patience::eventually, shopper::complete_step,
};
use serde_json::{Value, json};

use crate::{codes::shown, shelves::now_ms};

on_each_store!(
    taxes_are_assessed_where_the_order_goes,
    ways_to_travel_are_those_of_the_shop,
    an_address_that_nothing_goes_to_is_refused_at_its_country,
    prices_and_limits_go_with_the_quantity,
    a_changed_price_is_told_and_accepted,
    a_cart_that_is_read_again_is_never_out_of_date,
    promotions_are_applied_explained_and_ordered,
    each_promotion_says_why_it_did_not_apply,
    only_so_many_pieces_are_sold_of_a_line_and_an_order,
    broken_terms_change_nothing,
);

in_other_workflows!(
    a_changed_price_is_told_and_accepted,
    promotions_are_applied_explained_and_ordered,
    only_so_many_pieces_are_sold_of_a_line_and_an_order,
);

/// 20 % in the United Kingdom, 8.875 % in New York, and nothing on books in either.
const TAXES: &str = r#"{
    "prices_include_tax": false,
    "home": {"country": "GB"},
    "zones": [
        {"name": "United Kingdom", "places": [{"countries": ["GB"]}],
         "rates": {"standard": [{"name": "VAT", "rate_ppm": 200000}], "books": [{"name": "VAT", "rate_ppm": 0}]}},
        {"name": "New York", "places": [{"countries": ["US"], "regions": ["NY"]}],
         "rates": {"standard": [{"name": "State", "rate_ppm": 40000}, {"name": "City", "rate_ppm": 48750}]}}
    ]
}"#;

const SHIPPING: &str = r#"{
    "methods": [
        {"id": "post", "name": "Post", "zones": [{"name": "Home", "places": [{"countries": ["GB"]}],
         "tariffs": {"GBP": {"charge": {"flat": 350}, "free_from_minor": 5000}}, "days": {"from": 2, "to": 3}}]},
        {"id": "freight", "name": "Freight", "zones": [{"name": "Everywhere", "places": [{}],
         "any_currency": {"charge": {"by_weight": [{"from": 0, "minor": 900}, {"from": 1000, "minor": 2500}]}}}]}
    ]
}"#;

const PRODUCTS: &str = r#"sku,name,price_minor,currency,stock,weight_g,tax_category,prices,min_quantity,step_quantity,digital
KETTLE,Kettle,4000,GBP,100,800,,,,,
ATLAS,Atlas,2500,GBP,100,1200,books,,,,
EGGS,Eggs,50,GBP,1000,60,,"[{""minor"":40,""currency"":""GBP"",""min_quantity"":12}]",6,6,
SONG,Song,99,GBP,,,,,,,yes
"#;

async fn shop(store: Store, config: &str) -> TestApp {
    let setup = Setup { config: config.to_owned(), ..Setup::default() };
    let app = TestApp::start_with(store, setup).await;
    import(&app, "products", "more.csv", PRODUCTS).await;
    app
}

async fn import(app: &TestApp, what: &str, name: &str, text: &str) {
    let file = app.write_file(name, text);
    app.run(&["import", what, &file]).await;
}

fn address(country: &str, region: &str) -> Value {
    let mut command = complete_step("address");
    command["details"]["country"] = json!(country);
    command["details"]["region"] = json!(region);
    command
}

async fn taxes_are_assessed_where_the_order_goes(store: Store) {
    let app = shop(store, "").await;
    import(&app, "taxes", "taxes.json", TAXES).await;
    let shopper = app.open_cart().await;
    eventually("the products are for sale", async || shopper.add("KETTLE", 1).await.status == 200).await;
    eventually("the taxes hold", async || shopper.cart().await["totals"]["tax_minor"] == 800).await;
    let cart = shopper.add("ATLAS", 1).await.accepted();
    assert_eq!(cart["tax"]["estimated"], true, "nobody said yet where it goes");
    shopper.command(&json!({"type": "start_checkout"})).await.accepted();

    let totals = async |country: &str, region: &str| {
        let cart = shopper.command(&address(country, region)).await.accepted();
        let t = &cart["totals"];
        (t["tax_minor"].as_i64().unwrap(), t["total_minor"].as_i64().unwrap(), cart["tax"]["rates"].clone())
    };
    // 20 % of 4,000; books are zero-rated.
    assert_eq!((800, 7_300), {
        let t = totals("GB", "").await;
        (t.0, t.1)
    });
    // 8.875 % of 6,500 is 576.875: New York lists no rate for books, so the standard one holds.
    let (tax, total, rates) = totals("US", "NY").await;
    assert_eq!((tax, total), (577, 7_077));
    assert_eq!(rates[0]["components"][0]["name"], "State");
    assert_eq!((0, 6_500), {
        let t = totals("US", "CA").await;
        (t.0, t.1)
    });
    shopper.command(&address("US", "New York")).await.assert_problem(422, "invalid-details");

    totals("US", "NY").await;
    let order = shopper.check_out("tok_success").await.body["order"].clone();
    assert_eq!((&order["tax_minor"], &order["total_minor"]), (&json!(577), &json!(7_077)));
    // What the order cost is settled, whatever the law says later.
    import(&app, "taxes", "taxes.json", r#"{"prices_include_tax": false, "zones": []}"#).await;
    let other = app.open_cart().await;
    eventually("taxes are gone", async || {
        other.add("KETTLE", 1).await.accepted()["totals"]["tax_minor"] == 0
    })
    .await;
    assert_eq!(shopper.cart().await["totals"]["tax_minor"], 577);
}

async fn ways_to_travel_are_those_of_the_shop(store: Store) {
    let app = shop(store, "").await;
    import(&app, "shipping", "shipping.json", SHIPPING).await;
    let shopper = app.open_cart().await;
    eventually("the products are for sale", async || shopper.add("KETTLE", 1).await.status == 200).await;
    let offered = async || {
        let cart = shopper.cart().await;
        let offered = cart["shipping"]["offered"].as_array().unwrap().clone();
        offered
            .iter()
            .map(|o| (o["method"].as_str().unwrap().to_owned(), o["minor"].as_i64().unwrap()))
            .collect::<Vec<_>>()
    };
    let pairs = |all: &[(&str, i64)]| all.iter().map(|(m, n)| ((*m).to_owned(), *n)).collect::<Vec<_>>();
    shopper.command(&json!({"type": "start_checkout"})).await.accepted();
    shopper.command(&address("GB", "")).await.accepted();
    eventually("the methods hold", async || offered().await == pairs(&[("post", 350), ("freight", 900)]))
        .await;
    // Nobody has chosen yet: the page counts the way in that it would take, and free is only what is free.
    for path in ["/checkout/address", "/checkout/shipping"] {
        let page = app.page(&shopper, path).await;
        for sum in
            ["data-total=\"shipping_minor\" data-free=\"Free\">£3.50<", "data-total=\"total_minor\">£43.50<"]
        {
            assert!(page.contains(sum), "{path} lacks {sum}: {page}");
        }
    }
    shopper.add("ATLAS", 1).await.accepted();
    assert_eq!(offered().await, pairs(&[("post", 0), ("freight", 2_500)]), "free from 50 pounds; heavier");
    let cart = shopper.command(&address("FR", "")).await.accepted();
    assert_eq!(offered().await, pairs(&[("freight", 2_500)]));
    assert_eq!(cart["shipping"]["refused"][0]["detail"], "Post does not go to FR SW1Y 4JH");

    let choose =
        |method: &str| json!({"type": "complete_step", "step": "shipping", "details": {"method": method}});
    let refused = shopper.command(&choose("post")).await;
    refused.assert_problem(422, "invalid-details");
    assert_eq!(refused.body["fields"][0]["field"], "method");
    let cart = shopper.command(&choose("freight")).await.accepted();
    assert_eq!(cart["totals"]["total_minor"], 6_500 + 2_500);

    // A cart of downloads travels by wire.
    let listener = app.open_cart().await;
    let cart = listener.add("SONG", 1).await.accepted();
    assert_eq!(cart["shipping"]["needed"], false);
    listener.command(&json!({"type": "start_checkout"})).await.accepted();
    listener.command(&address("GB", "")).await.accepted();
    listener.command(&json!({"type": "complete_step", "step": "shipping"})).await.accepted();
}

async fn an_address_that_nothing_goes_to_is_refused_at_its_country(store: Store) {
    let (mut app, _admin) = crate::experiments::start(store).await;
    let home = SHIPPING.replace("[{}]", r#"[{"countries": ["GB", "IE"]}]"#);
    import(&app, "shipping", "shipping.json", &home).await;
    app.restart().await;
    let mut away = address("FR", "");
    for (workflow, path) in [("0", "/checkout/address"), ("1", "/checkout/express")] {
        let token = harness::app::random_token();
        let forced = format!("checkout-express={workflow}");
        let shopper = Shopper::open_forced_cart(app.address(), &token, &forced).await;
        shopper.add("MUG", 1).await.accepted();
        let cart = shopper.command(&json!({"type": "start_checkout"})).await.accepted();
        let refused = shopper.command(&away).await;
        refused.assert_problem(422, "address-not-served");
        assert_eq!(refused.body["fields"][0]["field"], "country", "{}", refused.body);
        let said = "the shop does not send to FR SW1Y 4JH; give an address elsewhere";
        assert_eq!(refused.body["detail"], said);

        let topic = format!("cart:{}", cart["id"].as_str().unwrap());
        let mut device = app.device(&token).await;
        device.join(&topic).await;
        let answer = device.push(&topic, "command", away.clone()).await;
        assert_eq!((answer.reason(), &answer.response()["detail"]), ("address_not_served", &json!(said)));

        let form = |country| {
            let details = away["details"].as_object().unwrap().iter();
            let mut form: Vec<_> =
                details.map(|(name, text)| (name.as_str(), text.as_str().unwrap())).collect();
            form.retain(|(name, _)| *name != "country");
            form.extend([("country", country), ("method", "post"), ("payment_token", "tok_success")]);
            form
        };
        let (status, page) = shown(&app, &token, path, &form("FR")).await;
        assert_eq!(status, 422, "{page}");
        let field = page.split("id=\"country\"").nth(1).unwrap().split("</select>").next().unwrap();
        assert!(
            field.contains("aria-invalid=\"true\"") && field.contains("value=\"FR\" selected"),
            "{field}"
        );
        assert!(page.contains("<a href=\"#country\">Country is one that the shop does not send to</a>"));
        assert!(page.contains("value=\"12 St James"), "what was typed is kept");
        let mut mended = form("GB");
        mended.push(("step", "address"));
        assert_eq!(shown(&app, &token, path, &mended).await.0, 303);
    }
    // What does not travel may be billed anywhere.
    import(&app, "products", "more.csv", PRODUCTS).await;
    let listener = app.open_cart().await;
    eventually("the song is for sale", async || listener.add("SONG", 1).await.status == 200).await;
    listener.command(&json!({"type": "start_checkout"})).await.accepted();
    away["details"].as_object_mut().unwrap().retain(|name, _| ["email", "country"].contains(&name.as_str()));
    listener.command(&away).await.accepted();
}

async fn prices_and_limits_go_with_the_quantity(store: Store) {
    let app = shop(store, "").await;
    let shopper = app.open_cart().await;
    eventually("the products are for sale", async || shopper.add("KETTLE", 1).await.status == 200).await;
    let refused = shopper.add("EGGS", 4).await;
    refused.assert_problem(422, "quantity-limit");
    assert_eq!(refused.body["detail"], "EGGS: at least 6 pieces are sold at once, not 4");
    let eggs = |cart: &Value| {
        let line = cart["lines"].as_array().unwrap().iter().find(|l| l["sku"] == "EGGS").unwrap().clone();
        (line["unit_price_minor"].as_i64().unwrap(), line["total_minor"].as_i64().unwrap())
    };
    assert_eq!(eggs(&shopper.add("EGGS", 6).await.accepted()), (50, 300));
    assert_eq!(eggs(&shopper.add("EGGS", 6).await.accepted()), (40, 480));
    let cart = shopper.cart().await;
    let line = |sku: &str| cart["lines"].as_array().unwrap().iter().find(|l| l["sku"] == sku).unwrap();
    assert_eq!(line("EGGS")["price"], json!({"reason": "tier", "detail": "from 12 pieces on"}));
    assert_eq!(line("KETTLE").get("price"), None, "the product's own price needs no reason");
    let page = app.page(&shopper, "/cart").await;
    assert!(page.contains("£0.40</span> each<span data-why>, from 12 pieces on</span>"), "{page}");
    let set = |quantity: u32| json!({"type": "set_quantity", "sku": "EGGS", "quantity": quantity});
    assert_eq!(eggs(&shopper.command(&set(6)).await.accepted()), (50, 300));
    shopper.command(&set(8)).await.assert_problem(422, "quantity-limit");
    shopper.command(&set(12)).await.accepted();
    let order = shopper.check_out("tok_success").await.body["order"].clone();
    let bought = order["lines"].as_array().unwrap().iter().find(|l| l["sku"] == "EGGS").unwrap();
    assert_eq!(bought["price"], json!({"reason": "tier", "detail": "from 12 pieces on"}));
    let receipt = app.page(&shopper, &format!("/orders/{}", order["id"].as_str().unwrap())).await;
    assert!(receipt.contains("£0.40 each, from 12 pieces on</small>"), "{receipt}");
}

async fn a_changed_price_is_told_and_accepted(store: Store) {
    let app = shop(store, "\n[shop]\nprice_policy = \"tell\"\n").await;
    let shopper = app.open_cart().await;
    eventually("the products are for sale", async || shopper.add("KETTLE", 1).await.status == 200).await;
    import(&app, "products", "dearer.csv", "sku,name,price_minor,currency\nKETTLE,Kettle,4400,GBP\n").await;
    eventually("the price has changed", async || shopper.cart().await["totals"]["total_minor"] == 4_400)
        .await;
    assert_eq!(shopper.cart().await["lines"][0]["was_minor"], 4_000);
    shopper.check_out("tok_success").await.assert_problem(409, "price-changed");
    let cart = shopper.command(&json!({"type": "accept_prices"})).await.accepted();
    assert_eq!(cart["lines"][0].get("was_minor"), None);
    assert_eq!(shopper.place_order("tok_success").await.body["order"]["total_minor"], 4_400);
}

async fn a_cart_that_is_read_again_is_never_out_of_date(store: Store) {
    let app = shop(store, "\n[shop]\nprice_policy = \"follow\"\n").await;
    let (from_ms, until_ms) = (now_ms() + 12_000, now_ms() + 16_000);
    let price = format!(
        r#""[{{""minor"":500,""currency"":""GBP"",""from_ms"":{from_ms},""until_ms"":{until_ms}}}]""#
    );
    let sale = format!("sku,name,price_minor,currency,stock,prices\nSALE,Jug,900,GBP,5,{price}\n");
    import(&app, "products", "sale.csv", &sale).await;
    // Half of the sale's time, what is left of its price is halved again.
    let half_ms = (from_ms + until_ms) / 2;
    let half = json!([{"id": "half", "name": "Half", "conditions": {"from_ms": half_ms},
        "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 5000}}]);
    import(&app, "promotions", "half.json", &half.to_string()).await;
    let shopper = app.open_cart().await;
    eventually("the jug is for sale", async || shopper.add("SALE", 1).await.status == 200).await;
    let right = |at_ms: i64| match at_ms {
        _ if at_ms < from_ms => 900,
        _ if at_ms < half_ms => 500,
        _ if at_ms < until_ms => 250,
        _ => 450,
    };
    let mut seen = BTreeSet::new();
    while seen.len() < 4 {
        let before_ms = now_ms();
        let total = shopper.cart().await["totals"]["total_minor"].as_i64().unwrap();
        let after_ms = now_ms();
        assert!([right(before_ms), right(after_ms)].contains(&total), "{total} at {before_ms} to {after_ms}");
        seen.insert(total);
        assert!(after_ms < until_ms + 10_000, "only {seen:?} was seen");
    }
    assert_eq!(shopper.add("SALE", 1).await.accepted()["totals"], shopper.cart().await["totals"]);
}

const PROMOTIONS: &str = r#"[
    {"id": "summer", "name": "Summer sale", "codes": ["SUMMER"],
     "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}},
    {"id": "delivery", "name": "Free delivery", "conditions": {"needs": [{"min_minor": {"GBP": 5000}}]},
     "benefit": {"kind": "free_shipping"}}
]"#;

/// Promotions of which the cart itself says nothing.
const SILENT: &str = r#"[
    {"id": "first", "name": "Ten per cent", "priority": 9, "stacking": {"mode": "last"},
     "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}},
    {"id": "second", "name": "Five per cent", "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 500}},
    {"id": "spring", "name": "Spring sale", "conditions": {"until_ms": 1000},
     "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 500}},
    {"id": "paused", "name": "Resting", "paused": true, "benefit": {"kind": "free_shipping"}},
    {"id": "secret", "name": "For friends", "codes": ["FRIENDS"], "benefit": {"kind": "free_shipping"}}
]"#;

async fn each_promotion_says_why_it_did_not_apply(store: Store) {
    let app = TestApp::start_with(store, admin::setup()).await;
    import(&app, "promotions", "silent.json", SILENT).await;
    let shopper = app.open_cart().await;
    let cart = shopper.add("TEAPOT", 1).await.accepted();
    let path = format!("/carts/{}/explain", shopper.cart_id());
    let told = |answer: &Answer| -> Vec<(String, String)> {
        let promotions = answer.body["promotions"].as_array().unwrap().iter();
        let reason = |p: &Value| p["reason"].as_str().unwrap_or("applied").to_owned();
        let mut told: Vec<_> =
            promotions.map(|p| (p["id"].as_str().unwrap().to_owned(), reason(p))).collect();
        told.sort();
        told
    };
    let pairs = |all: &[(&str, &str)]| -> Vec<(String, String)> {
        all.iter().map(|(id, reason)| ((*id).to_owned(), (*reason).to_owned())).collect()
    };
    let public = [("first", "applied"), ("second", "excluded"), ("spring", "ended")];
    eventually("the promotions hold", async || {
        told(&shopper.request("GET", "/explain", None).await) == pairs(&public)
    })
    .await;
    let answer = shopper.request("GET", "/explain", None).await;
    assert_eq!((&answer.body["cart"], &answer.body["version"]), (&cart["id"], &cart["version"]));
    let text = answer.body.to_string();
    assert!(!text.contains("friends") && !text.contains("FRIENDS") && !text.contains("Resting"), "{text}");
    let sentences: Vec<_> =
        answer.body["promotions"].as_array().unwrap().iter().map(|p| &p["detail"]).collect();
    assert!(sentences.iter().all(|s| s.as_str().is_some_and(|s| s.contains(": "))), "{sentences:?}");
    let of_cart = shopper.cart().await["promotions"].clone();
    assert_eq!(
        of_cart.as_array().map(Vec::len),
        Some(1),
        "the cart itself tells what it told before: {of_cart}"
    );

    let stranger = app.open_cart().await;
    let asked = shopper.impostor(stranger.token()).request("GET", "/explain", None).await;
    asked.assert_problem(403, "not-owner");
    let all =
        [public[0], ("paused", "paused"), ("second", "excluded"), ("secret", "code_missing"), public[2]];
    let inspected = admin::api(&app, "GET", &path, None).await;
    assert_eq!((inspected.status, told(&inspected)), (200, pairs(&all)));
    admin::api(&app, "GET", "/carts/nowhere/explain", None).await.assert_problem(404, "unknown-cart");

    shopper.command(&json!({"type": "apply_code", "code": "FRIENDS"})).await.accepted();
    let typed = told(&shopper.request("GET", "/explain", None).await);
    assert_eq!(typed[2].0, "secret", "whoever typed the code is told of it: {typed:?}");
}

const LIMITED: &str = "sku,name,price_minor,currency,stock,min_quantity,step_quantity,max_quantity,max_line_quantity\n\
    PAIR,Pair,100,GBP,100,2,2,8,6\nONE,One,100,GBP,100,,,,\n";

async fn only_so_many_pieces_are_sold_of_a_line_and_an_order(store: Store) {
    let app = TestApp::start(store).await;
    import(&app, "products", "limited.csv", LIMITED).await;
    let shopper = app.open_cart().await;
    eventually("the products are for sale", async || shopper.add("PAIR", 2).await.status == 200).await;
    let refused = async |command: Value| {
        let answer = shopper.command(&command).await;
        assert_eq!((answer.status, answer.problem()), (422, "quantity-limit"), "{}", answer.body);
        assert!(answer.body["mend"].is_string());
        answer.body["detail"].as_str().unwrap().to_owned()
    };
    let set = |quantity: u32| json!({"type": "set_quantity", "sku": "PAIR", "quantity": quantity});
    let engraved = |n: u32| json!({"type": "add_line", "sku": "PAIR", "quantity": n, "properties": {"engraving": "Ada"}});
    assert_eq!(refused(set(8)).await, "PAIR: at most 6 pieces are sold at once, not 8");
    shopper.command(&set(6)).await.accepted();
    assert_eq!(refused(engraved(4)).await, "PAIR: an order may hold 8 pieces, not 10");
    shopper.command(&engraved(2)).await.accepted();
    shopper.add("ONE", 3).await.accepted();
    let url = app.url("/api/v1/products/PAIR");
    let product: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    let limits = json!({"min": 2, "step": 2, "max_per_line": 6, "max_per_order": 8});
    assert_eq!(product["limits"], limits);

    // The shop sells fewer by the time of the order.
    let today = "sku,name,price_minor,currency,max_line_quantity\nONE,One,100,GBP,2\n";
    import(&app, "products", "today.csv", today).await;
    eventually("the new limit holds", async || {
        let url = app.url("/api/v1/products/ONE");
        let product: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        product["limits"]["max_per_line"] == 2
    })
    .await;
    let answer = shopper.check_out("tok_success").await;
    assert_eq!((answer.status, answer.problem()), (422, "quantity-limit"), "{}", answer.body);
    assert_eq!(answer.body["detail"], "ONE: at most 2 pieces are sold at once, not 3");
    shopper.command(&json!({"type": "set_quantity", "sku": "ONE", "quantity": 2})).await.accepted();
    let answer = shopper.place_order("tok_success").await;
    assert_eq!(answer.accepted()["status"], "ordered");
}

async fn promotions_are_applied_explained_and_ordered(store: Store) {
    let app = shop(store, "").await;
    import(&app, "promotions", "promotions.json", PROMOTIONS).await;
    let shopper = app.open_cart().await;
    let mut device = app.join(&shopper).await;
    let code = |kind: &str, code: &str| json!({"type": kind, "code": code});
    shopper.command(&code("apply_code", "no such code")).await.assert_problem(422, "unknown-code");
    eventually("the promotions hold", async || {
        shopper.command(&code("apply_code", "summer")).await.status == 200
    })
    .await;
    shopper.command(&code("apply_code", "WINTER")).await.assert_problem(422, "unknown-code");
    let cart = shopper.add("TEAPOT", 1).await.accepted();
    assert_eq!(
        (&cart["totals"]["discount_minor"], &cart["totals"]["total_minor"]),
        (&json!(340), &json!(3_060))
    );
    assert_eq!(cart["promotions"][0]["detail"], "Summer sale: 3.40 GBP off");
    assert_eq!(cart["promotions"][1]["detail"], "Free delivery: spend 19.40 GBP more");
    let seen = device.cart_at(cart["version"].as_u64().unwrap()).await;
    assert_eq!(seen.payload["cart"], cart, "other devices see the same sums");

    let cart = shopper.add("TEAPOT", 1).await.accepted();
    assert_eq!(cart["promotions"][1]["applied"], true);
    assert_eq!(cart["shipping"]["offered"][1]["minor"], 0, "express is free too");
    let cart = shopper.command(&code("remove_code", "summer")).await.accepted();
    assert_eq!(cart["totals"]["discount_minor"], 0);
    shopper.command(&code("apply_code", "summer")).await.accepted();
    let order = shopper.check_out("tok_success").await.body["order"].clone();
    assert_eq!((&order["total_minor"], &order["lines"][0]["discount_minor"]), (&json!(6_120), &json!(680)));
}

async fn broken_terms_change_nothing(store: Store) {
    let app = TestApp::start(store).await;
    for (what, text, message) in [
        ("taxes", "{", "EOF while parsing"),
        ("taxes", r#"{"prices_include_tax": true, "zones": [], "colour": 1}"#, "unknown field `colour`"),
        (
            "taxes",
            r#"{"prices_include_tax": true, "zones": [{"name": "", "places": [{}], "rates": {}}]}"#,
            "zones[0].name",
        ),
        (
            "promotions",
            r#"[{"id": "a", "name": "A", "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 10001}}]"#,
            "promotions[0].benefit.off_bp",
        ),
        ("shipping", r#"{"methods": [{"id": "a", "name": "A", "zones": []}]}"#, "methods[0].zones is empty"),
    ] {
        let file = app.write_file("terms.json", text);
        let output = app.try_run(&["import", what, &file]).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(message), "{text}: {said}");
        assert!(said.contains("nothing was changed"), "{said}");
    }
    let cart = app.open_cart().await.add("MUG", 1).await.accepted();
    assert_eq!(cart["shipping"]["offered"][0]["method"], "standard");
}
