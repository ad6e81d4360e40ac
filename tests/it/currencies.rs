//! Carts in another currency than the shop's, with more and with fewer decimal places.

use harness::{Answer, Shopper, Store, TestApp, app::Setup, shopper::complete_step};
use reqwest::Client;
use serde_json::{Value, json};

on_each_store!(a_join_opens_a_cart_in_its_currency, money_of_another_currency_does_not_get_in);

const PRODUCTS: &str = r#"sku,name,price_minor,currency,stock,prices
GLASS,Glass,1000,GBP,100,"[{""minor"":2000,""currency"":""JPY""},{""minor"":1900,""currency"":""JPY"",""min_quantity"":10},{""minor"":3120,""currency"":""KWD""}]"
TRAY,Tray,2500,GBP,100,"[{""minor"":4800,""currency"":""JPY""}]"
"#;

/// A fifth off in any currency, and an amount off from a sum on in those that are named.
const PROMOTIONS: &str = r#"[
    {"id": "fifth", "name": "A fifth off", "codes": ["FIFTH"],
     "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 2000}},
    {"id": "sum", "name": "More for more",
     "conditions": {"needs": [{"min_minor": {"GBP": 100000, "JPY": 6000, "KWD": 12000}}]},
     "benefit": {"kind": "fixed", "on": {"all": true}, "off_minor": {"GBP": 500, "JPY": 800, "KWD": 1984}}}
]"#;

const SHIPPING: &str = r#"{"methods": [{"id": "standard", "name": "Post", "zones": [{"name": "Everywhere", "places": [{}],
    "tariffs": {"GBP": {"charge": {"flat": 350}}, "JPY": {"charge": {"flat": 600}, "free_from_minor": 20000},
                "KWD": {"charge": {"flat": 1250}}}}]}]}"#;

const TAXES: &str = r#"{"prices_include_tax": false, "home": {"country": "GB"}, "zones": [
    {"name": "United Kingdom", "places": [{"countries": ["GB"]}],
     "rates": {"standard": [{"name": "VAT", "rate_ppm": 100000}]}}]}"#;

const CARDS: &str = "code,currency,amount\nYENYENYENYENYEN2,JPY,500\nDINARDINARDINAR2,KWD,1.005\nPUNDPUNDPUNDPUND,GBP,10.00\n";

async fn shop(store: Store) -> TestApp {
    let mut app = TestApp::prepare(store, Setup::default()).await;
    let letters = app.data("letters");
    let mail =
        format!("\n[mail]\nsink = \"file:{}\"\nfrom = \"Glass <shop@glass.example>\"\n", letters.display());
    app.configure(Setup::default().config + &mail);
    for (what, name, text) in [
        ("products", "glass.csv", PRODUCTS),
        ("promotions", "promotions.json", PROMOTIONS),
        ("shipping", "shipping.json", SHIPPING),
        ("taxes", "taxes.json", TAXES),
        ("gift-cards", "cards.csv", CARDS),
    ] {
        let file = app.write_file(name, text);
        app.run(&["import", what, &file]).await;
    }
    app.restart().await;
    app
}

async fn open(app: &TestApp, currency: &str) -> Shopper {
    let shopper = app.open_cart_as(&harness::app::random_token()).await;
    // A visitor may have carts in several currencies; the newest is the one that pages show.
    let request = Client::new().post(app.url("/api/v1/carts")).bearer_auth(shopper.token());
    let answer = Answer::to(request.json(&json!({"currency": currency}))).await.unwrap();
    assert_eq!((answer.status, &answer.body["cart"]["currency"]), (201, &json!(currency)));
    shopper.with_cart(answer.body["cart"]["id"].as_str().unwrap())
}

/// Reads the sums of a cart or an order, each a number of minor units.
fn sums(totals: &Value) -> [i64; 4] {
    ["discount_minor", "shipping_minor", "tax_minor", "total_minor"]
        .map(|name| totals[name].as_i64().unwrap_or_else(|| panic!("{name} in {totals}")))
}

async fn a_join_opens_a_cart_in_its_currency(store: Store) {
    let app = shop(store).await;
    let token = harness::app::random_token();
    let mut device = app.device(&token).await;
    let topic = "cart:yen";
    let reply = device.join_with(topic, json!({"currency": "XXX"})).await;
    assert_eq!(reply.status(), "error", "{reply:?}");
    let reply = device.join_with(topic, json!({"currency": "JPY"})).await;
    assert_eq!((reply.status(), &reply.response()["cart"]["currency"]), ("ok", &json!("JPY")), "{reply:?}");
    let reply = device.update_cart(topic, "GLASS", 10).await;
    assert_eq!((reply.status(), &reply.response()["item"]["unit_price_minor"]), ("ok", &json!(1_900)));
    let mut cart =
        device.push(topic, "command", json!({"type": "start_checkout"})).await.response()["cart"].clone();
    while let Some(step) = cart["next_step"].as_str() {
        cart = device.push(topic, "command", complete_step(step)).await.response()["cart"].clone();
    }
    // 19,000 less 800, with the post that is not free yet.
    assert_eq!(sums(&cart["totals"]), [800, 600, 1_880, 20_680], "{}", cart["totals"]);
    let placed = device.push(topic, "command", harness::shopper::place_order("tok_success")).await;
    let cart = &placed.response()["cart"];
    assert_eq!((&cart["status"], &cart["currency"]), (&json!("ordered"), &json!("JPY")), "{placed:?}");
    // Another join goes to the cart that is there, in the currency that it has.
    let again = app.device(&token).await.join_with(topic, json!({"currency": "GBP"})).await;
    assert_eq!(again.response()["cart"]["currency"], "JPY", "{again:?}");
    app.run(&["check"]).await;
}

async fn money_of_another_currency_does_not_get_in(store: Store) {
    let app = shop(store).await;
    let (yen, dinars) = (open(&app, "JPY").await, open(&app, "KWD").await);
    for (shopper, sku) in [(&yen, "MUG"), (&dinars, "TRAY"), (&dinars, "VASE-EUR")] {
        shopper.add(sku, 1).await.assert_problem(422, "currency-mismatch");
    }
    yen.add("TRAY", 1).await.accepted();
    // Its pages speak of yen, too, what is beside the cart included.
    for page in ["/", "/products", "/products/GLASS", "/cart"] {
        let html = app.page(&yen, page).await;
        assert!(
            html.contains("data-currency=\"JPY\" data-sign=\"¥\"") && html.contains("¥"),
            "{page}: {html}"
        );
    }
    let listed = app.page(&yen, "/products").await;
    assert!(listed.contains("¥2,000") && !listed.contains("£10.00"), "{listed}");
    assert!(app.page(&yen, "/products/GLASS").await.contains("¥2,000"));
    for (shopper, code) in
        [(&yen, "DINARDINARDINAR2"), (&yen, "PUNDPUNDPUNDPUND"), (&dinars, "YENYENYENYENYEN2")]
    {
        shopper
            .command(&json!({"type": "redeem_code", "code": code}))
            .await
            .assert_problem(422, "gift-card-currency");
    }
    // What the shop's own currency buys costs what it did.
    let pounds = app.open_cart().await;
    assert_eq!(pounds.add("GLASS", 1).await.accepted()["lines"][0]["unit_price_minor"], 1_000);
}
