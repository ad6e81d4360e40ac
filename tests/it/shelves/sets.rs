//! What is bought together is added together.

use super::*;

on_each_store!(a_set_is_added_at_once_or_not_at_all);

/// Pins what a product page without a model would not know to belong together.
async fn pin_set(app: &TestApp, skus: &[&str]) {
    let pin = |(n, sku): (usize, &&str)| json!({"id": format!("set-{n}"), "type": "pin", "skus": [sku], "place": n + 1, "shelves": ["bought_together"]});
    let rules = Value::from_iter(skus.iter().enumerate().map(pin));
    assert_eq!(save(app, 0, rules).await.status, 200);
}

/// Sends the form of a set as a browser without scripts does; returns where it leads.
async fn add_set(app: &TestApp, http: &reqwest::Client, skus: &[&str]) -> String {
    let fields: Vec<(&str, &str)> = skus.iter().map(|sku| ("sku", *sku)).collect();
    let request = http.post(app.url("/cart/sets")).header("Origin", app.url("")).form(&fields);
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    answer.url().path().to_owned()
}

async fn a_set_is_added_at_once_or_not_at_all(store: Store) {
    let app = shop(store).await;
    let http = reqwest::Client::builder().cookie_store(true).build().unwrap();
    let page = async |path: &str| http.get(app.url(path)).send().await.unwrap().text().await.unwrap();
    assert!(!page("/products/MUG").await.contains("/cart/sets"), "what only fills the shelf up is no set");
    pin_set(&app, &["TEAPOT", "VASE-EUR", "V0", "V1"]).await;
    let html = page("/products/MUG").await;
    let set = html.split("action=\"/cart/sets\"").nth(1).unwrap().split("</form>").next().unwrap().to_owned();
    let skus: Vec<&str> =
        set.split("name=\"sku\" value=\"").skip(1).map(|s| s.split('"').next().unwrap()).collect();
    assert_eq!(skus, ["MUG", "TEAPOT", "V0"], "what is sold in another currency is none of it");
    for words in ["£51.50", "Add all three to the cart"] {
        assert!(set.contains(words), "{words}: {set}");
    }
    assert_eq!(add_set(&app, &http, &skus).await, "/cart");
    let cart = page("/cart").await;
    for sku in &skus {
        assert!(cart.contains(&format!("The {sku}")), "{cart}");
    }
    // One that cannot be had keeps the others out.
    assert_eq!(add_set(&app, &http, &["V5", "GONE"]).await, "/products/V5");
    let refused = page("/products/V5").await;
    assert!(!page("/cart").await.contains("The V5</a>"), "{refused}");
    assert!(
        !page("/products/GONE").await.contains("/cart/sets"),
        "what is sold out is not offered with others"
    );
}
