//! The catalogue's search over HTTP: the API and the storefront's pages.

use harness::{Store, TestApp, shopper::Answer};
use serde_json::{Value, json};

on_each_store!(
    a_catalogue_is_searched_narrowed_and_paged,
    a_product_tells_its_variants_and_why_it_costs_what_it_costs,
    what_sells_comes_first,
    pages_narrow_by_links_alone,
    bad_questions_are_refused,
);

const PRODUCTS: &str = r#"sku,name,category,price_minor,currency,stock,family,options,attributes,prices
POPPY-S,Poppy Mug,Kitchen,1250,GBP,10,POPPY,Size=Small,material=stoneware,
POPPY-L,Poppy Mug,Kitchen,1650,GBP,0,POPPY,Size=Large,material=stoneware,"[{""minor"":1500,""currency"":""GBP"",""min_quantity"":6},{""minor"":1900,""currency"":""EUR""}]"
LANTERN,Stable Lantern,Garden,4500,GBP,10,,,material=tin,
TROWEL,Garden Trowel,Garden,1150,GBP,10,,,material=steel,
"#;

async fn shop(store: Store) -> TestApp {
    let app = TestApp::start(store).await;
    let file = app.write_file("more.csv", PRODUCTS);
    app.run(&["import", "products", &file]).await;
    // What is sold out is looked for apart from the catalogue, as often as that takes little time.
    for _ in 0..200 {
        let is_for_sale = get(&app, "/api/v1/products?q=trowel").await["total"] == 1;
        if is_for_sale
            && get(&app, "/api/v1/products?q=poppy&in_stock=true").await["products"][0]["sku"] == "POPPY-S"
        {
            return app;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the products are not for sale within ten seconds");
}

async fn get(app: &TestApp, path: &str) -> Value {
    let answer = Answer::to(reqwest::Client::new().get(app.url(path))).await.unwrap();
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

async fn page(app: &TestApp, path: &str) -> String {
    let response = reqwest::get(app.url(path)).await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response.text().await.unwrap().replace("&amp;", "&")
}

fn skus(found: &Value) -> Vec<&str> {
    found["products"].as_array().unwrap().iter().map(|p| p["sku"].as_str().unwrap()).collect()
}

async fn a_catalogue_is_searched_narrowed_and_paged(store: Store) {
    let app = shop(store).await;
    let found = get(&app, "/api/v1/products?q=popy%20mugs").await;
    assert_eq!(skus(&found), ["POPPY-S"], "the variant that is there stands for its family");
    assert_eq!(found["did_you_mean"], "poppy mugs");
    let hit = &found["products"][0];
    assert_eq!(hit["options"], json!({"Size": "Small"}));
    let variants = hit["variants"].as_array().unwrap();
    assert_eq!(variants.iter().map(|v| v["available"].as_i64().unwrap()).collect::<Vec<_>>(), [0, 10]);

    let found = get(&app, "/api/v1/products?q=garden&attribute.Material=tin").await;
    assert_eq!(skus(&found), ["LANTERN"]);
    let facet = |found: &Value, name: &str| {
        let facets = found["facets"].as_array().unwrap().iter();
        facets.clone().find(|f| f["name"] == name).map(|f| f["values"].clone()).unwrap_or_default()
    };
    assert_eq!(
        facet(&found, "attribute.material"),
        json!([{"value": "steel", "count": 1}, {"value": "tin", "count": 1, "selected": true}])
    );
    assert_eq!(facet(&found, "category"), json!([{"value": "Garden", "count": 1}]));
    let found = get(&app, "/api/v1/products?q=garden&price=1000..1200&in_stock=true&sort=price").await;
    assert_eq!(skus(&found), ["TROWEL"]);

    // A shop of thirteen families and one product in another currency, in pages of four.
    let (mut seen, mut cursor, mut pages) = (vec![], String::new(), 0);
    loop {
        let found = get(&app, &format!("/api/v1/products?sort=-price&limit=4{cursor}")).await;
        assert_eq!(found["total"], 17);
        seen.extend(skus(&found).iter().map(|s| (*s).to_owned()));
        pages += 1;
        match found["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((pages, seen.len()), (5, 17), "{seen:?}");
    assert_eq!(seen[16], "VASE-EUR", "what has no price in the shop's currency stands behind");
    assert_eq!(&seen[..3], ["RARE", "LAMP", "LANTERN"], "{seen:?}");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 17);

    let euros = get(&app, "/api/v1/products?currency=EUR&sort=price").await;
    assert_eq!(skus(&euros), ["VASE-EUR", "POPPY-L"]);
    assert_eq!(
        (&euros["products"][1]["price_minor"], &euros["products"][1]["currency"]),
        (&json!(1900), &json!("EUR"))
    );
}

async fn a_product_tells_its_variants_and_why_it_costs_what_it_costs(store: Store) {
    let app = shop(store).await;
    let mug = get(&app, "/api/v1/products/POPPY-L").await;
    assert_eq!(
        mug["price"],
        json!({"minor": 1650, "currency": "GBP", "reason": "base", "detail": "the product's own price"})
    );
    assert_eq!(mug["price_steps"][1]["min_quantity"], 6);
    assert_eq!(mug["price_steps"][1]["detail"], "from 6 pieces on");
    assert_eq!(mug["attributes"], json!({"material": "stoneware"}));
    let sizes = mug["variants"].as_array().unwrap().iter().map(|v| v["options"]["Size"].as_str().unwrap());
    assert_eq!(sizes.collect::<Vec<_>>(), ["Large", "Small"]);
    let mug = get(&app, "/api/v1/products/POPPY-L?currency=EUR").await;
    assert_eq!((&mug["price"]["minor"], &mug["price"]["reason"]), (&json!(1900), &json!("listed")));
    let plain = get(&app, "/api/v1/products/LANTERN").await;
    assert!(plain.get("variants").is_none() && plain.get("price_steps").is_none(), "{plain}");
}

async fn what_sells_comes_first(store: Store) {
    let app = shop(store).await;
    assert_eq!(skus(&get(&app, "/api/v1/products?q=garden").await)[..1], ["TROWEL"], "its name has the word");
    let shopper = app.open_cart().await;
    shopper.add("LANTERN", 3).await.accepted();
    shopper.check_out("tok_success").await.accepted();
    for n in 0.. {
        if skus(&get(&app, "/api/v1/products?sort=sales&limit=1").await) == ["LANTERN"] {
            break;
        }
        assert!(n < 200, "not within ten seconds");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(skus(&get(&app, "/api/v1/products?q=garden&sort=sales").await), ["LANTERN", "TROWEL"]);
    assert_eq!(
        skus(&get(&app, "/api/v1/products?limit=1").await),
        ["LANTERN"],
        "and so when nothing is asked"
    );
}

async fn pages_narrow_by_links_alone(store: Store) {
    let app = shop(store).await;
    let list = page(&app, "/products?q=popy+mug").await;
    assert!(list.contains("Did you mean") && list.contains("href=\"/products?q=poppy%20mug\""), "{list}");
    assert!(list.contains("from</small> £12.50") && list.contains("2 to choose from"), "{list}");
    let list = page(&app, "/products?category=Garden").await;
    assert!(list.contains("\"/products?category=Garden&attribute.material=tin\""), "{list}");
    let list = page(&app, "/products?category=Garden&attribute.material=tin&sort=price&bogus=1").await;
    assert!(list.contains("1 product") && list.contains("Stable Lantern") && !list.contains("Garden Trowel"));
    let list = page(&app, "/products?q=lantern&in_stock=true&option.Size=Small").await;
    assert!(list.contains("Nothing here has all that is chosen"), "{list}");
    let mug = page(&app, "/products/POPPY-S").await;
    assert!(
        mug.contains("POPPY-L") && mug.contains("sold out") && mug.contains("aria-current=\"true\">Small"),
        "{mug}"
    );
    let mug = page(&app, "/products/POPPY-L").await;
    assert!(mug.contains("6 or more: <b>£15.00</b> each"), "{mug}");
}

async fn bad_questions_are_refused(store: Store) {
    let app = TestApp::start(store).await;
    let cursor =
        get(&app, "/api/v1/products?limit=1&sort=name").await["next_cursor"].as_str().unwrap().to_owned();
    for query in [
        "limit=0",
        "limit=101",
        "limit=many",
        "offset=5",
        "price=5",
        "price=9..1",
        "sort=colour",
        "in_stock=perhaps",
        "cursor=AAAA",
        "currency=POUNDS",
        &format!("cursor={cursor}"),
        &format!("q={}", "x".repeat(201)),
        &"category=x&".repeat(60).replace("x&", &format!("{}&", "x".repeat(201))),
        "q=%ff",
    ] {
        let url = app.url(&format!("/api/v1/products?{query}"));
        let answer = Answer::to(reqwest::Client::new().get(url)).await.unwrap();
        if query == "q=%ff" {
            assert!(answer.status < 500, "{}", answer.status);
            continue;
        }
        let kind = if query.starts_with("cursor=") { "invalid-cursor" } else { "invalid-request" };
        answer.assert_problem(400, kind);
    }
    for query in ["q=%22%27%3B--", "q=*%3A%26%7C!", "q=%00", "option.=x", "q=NEAR("] {
        let url = app.url(&format!("/api/v1/products?{query}"));
        assert!(reqwest::get(url).await.unwrap().status().as_u16() < 500, "{query}");
        let url = app.url(&format!("/products?{query}"));
        assert!(reqwest::get(url).await.unwrap().status().as_u16() < 500, "{query}");
    }
}
