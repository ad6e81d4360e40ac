//! What is sent by wire: nothing of it travels, so nobody asks where to and how.

use harness::{Shopper, Store, TestApp, app::Setup, letters};
use serde_json::{Value, json};

on_each_store!(
    a_download_asks_for_no_parcel_and_comes_with_its_note,
    an_express_checkout_of_a_download_is_shorter_still,
    a_parcel_beside_a_download_asks_for_its_address,
);

const PRODUCTS: &str = "\
sku,name,price_minor,currency,stock,digital,delivery_note,tax_category
SONG,Song,1000,GBP,,yes,\"Fetch it at https://songs.example/1 <at once>\",
KETTLE,Kettle,4000,GBP,10,,,
";

const TAXES: &str = r#"{
    "prices_include_tax": false, "home": {"country": "GB"},
    "zones": [
        {"name": "United Kingdom", "places": [{"countries": ["GB"]}],
         "rates": {"standard": [{"name": "VAT", "rate_ppm": 200000}]}},
        {"name": "New York", "places": [{"countries": ["US"], "regions": ["NY"]}],
         "rates": {"standard": [{"name": "Sales tax", "rate_ppm": 88750}]}}
    ]
}"#;

async fn shop(store: Store, config: &str) -> TestApp {
    let setup = Setup { config: config.to_owned(), ..Setup::default() };
    let mut app = TestApp::prepare(store, setup).await;
    import(&app).await;
    app.restart().await;
    app
}

async fn import(app: &TestApp) {
    for (what, name, text) in [("products", "songs.csv", PRODUCTS), ("taxes", "taxes.json", TAXES)] {
        let file = app.write_file(name, text);
        app.run(&["import", what, &file]).await;
    }
}

fn bill(country: &str, region: &str) -> Value {
    let details = json!({"email": "ada@example.org", "country": country, "region": region});
    json!({"type": "complete_step", "step": "address", "details": details})
}

fn start() -> Value {
    json!({"type": "start_checkout"})
}

/// Says which steps are left, one after the other, and takes them.
async fn steps(shopper: &Shopper, mut cart: Value) -> Vec<String> {
    let mut steps = vec![];
    while let Some(step) = cart["next_step"].as_str().map(ToOwned::to_owned) {
        let command = match step.as_str() {
            "address" => bill("US", "NY"),
            other => harness::shopper::complete_step(other),
        };
        cart = shopper.command(&command).await.accepted();
        steps.push(step);
    }
    steps
}

/// Buys two songs, in a workflow whose first page is there, and returns the order.
async fn buy(app: &TestApp, shopper: &Shopper, page: &str, wanted: &[&str]) -> Value {
    let cart = shopper.add("SONG", 2).await.accepted();
    assert_eq!(cart["lines"][0]["digital"], true);
    let cart = shopper.command(&start()).await.accepted();
    let page = app.page(shopper, page).await;
    for (field, is_asked) in [
        ("email", true),
        ("country", true),
        ("region", true),
        ("street", false),
        ("postcode", false),
        ("method", false),
    ] {
        assert_eq!(page.contains(&format!("name=\"{field}\"")), is_asked, "{field} in {page}");
    }
    let refused = shopper.command(&bill("US", "")).await;
    refused.assert_problem(422, "invalid-details");
    assert_eq!(refused.body["fields"][0]["field"], "region", "{}", refused.body);
    assert_eq!(steps(shopper, cart).await, wanted);
    let order = shopper.place_order("tok_success").await.body["order"].clone();
    // 8.875 % of 20.00 is 1.775.
    assert_eq!((&order["total_minor"], &order["shipping_method"]), (&json!(2_178), &Value::Null));
    assert_eq!(order["lines"][0]["delivery_note"], "Fetch it at https://songs.example/1 <at once>");
    let page = app.page(shopper, &format!("/orders/{}", order["id"].as_str().unwrap())).await;
    assert!(page.contains("songs.example/1 &lt;at once&gt;"), "{page}");
    assert!(page.contains("United States"), "where the bill goes");
    order
}

async fn a_download_asks_for_no_parcel_and_comes_with_its_note(store: Store) {
    let folder = harness::reaper::folder("notes");
    let mail =
        format!("[mail]\nsink = \"file:{}\"\nfrom = \"Songs <songs@songs.example>\"\n", folder.display());
    let app = shop(store, &mail).await;
    let product = reqwest::get(app.url("/api/v1/products/SONG")).await.unwrap();
    let product: Value = product.json().await.unwrap();
    assert_eq!((&product["digital"], &product["available"]), (&json!(true), &Value::Null));
    assert!(!product.to_string().contains("songs.example"), "who has not bought it is not told");
    buy(&app, &app.open_cart().await, "/checkout/address", &["address", "payment", "review"]).await;
    let letter = letters::in_folder(&folder, 1).await.remove(0);
    assert!(letter.text.contains("Thank you. Your order"), "nobody gave a name: {}", letter.text);
    assert!(letter.text.contains("Song:\nFetch it at https://songs.example/1 <at once>"), "{}", letter.text);
}

async fn an_express_checkout_of_a_download_is_shorter_still(store: Store) {
    let (mut app, _admin) = crate::experiments::start(store).await;
    import(&app).await;
    app.restart().await;
    let token = harness::app::random_token();
    let shopper = Shopper::open_forced_cart(app.address(), &token, "checkout-express=1").await;
    buy(&app, &shopper, "/checkout", &["address", "payment"]).await;
}

async fn a_parcel_beside_a_download_asks_for_its_address(store: Store) {
    let app = shop(store, "").await;
    let shopper = app.open_cart().await;
    shopper.add("SONG", 1).await.accepted();
    shopper.command(&start()).await.accepted();
    // A client that goes through all steps may.
    shopper.command(&bill("GB", "")).await.accepted();
    shopper.command(&harness::shopper::complete_step("shipping")).await.accepted();
    let cart = shopper.command(&harness::shopper::complete_step("payment")).await.accepted();
    assert!(!cart["completed_steps"].as_array().unwrap().contains(&json!("shipping")));

    let cart = shopper.add("KETTLE", 1).await.accepted();
    assert_eq!(cart["next_step"], "address", "a parcel needs more than a bill");
    let refused = shopper.command(&bill("GB", "")).await;
    let fields: Vec<_> =
        refused.body["fields"].as_array().unwrap().iter().map(|e| e["field"].clone()).collect();
    assert_eq!(fields, ["name", "street", "city", "postcode"]);
    let cart = shopper.command(&harness::shopper::complete_step("address")).await.accepted();
    assert_eq!(cart["next_step"], "shipping");
    let cart = shopper.command(&json!({"type": "remove_line", "line": "KETTLE"})).await.accepted();
    assert_ne!(cart["next_step"], "shipping", "only the song is left");
    assert_eq!(shopper.check_out("tok_success").await.status, 200);
}
