//! The whole loop: what shoppers buy becomes what later shoppers are shown.

use std::{fs, time::Duration};

use harness::{
    Admin, Answer, Shopper, Store, TestApp,
    admin::{self, unescape},
    app::Setup,
    patience::eventually,
};

on_each_store!(
    orders_become_recommendations,
    what_customers_came_back_for_is_recommended_to_others,
    what_is_popular_in_the_same_category_comes_before_other_products,
    a_model_is_taken_back_and_the_server_follows,
    broken_event_files_and_models_are_survived,
    what_is_wrong_is_told_on_the_dashboard,
);

/// Lets a new shopper order products.
pub(crate) async fn buy(app: &TestApp, skus: &[&str]) {
    let shopper = app.open_cart().await;
    for sku in skus {
        shopper.add(sku, 1).await.accepted();
    }
    shopper.check_out("tok_success").await.accepted();
}

/// Sells mugs with teapots, and lamps with vases of the first kind, so often that nobody could miss it.
async fn sell(app: &TestApp) {
    for _ in 0..8 {
        buy(app, &["MUG", "TEAPOT"]).await;
        buy(app, &["LAMP", "V0"]).await;
    }
    app.events("order_placed", 16).await;
}

async fn suggested(app: &TestApp, query: &str, shopper: Option<&Shopper>) -> Vec<serde_json::Value> {
    let mut request = reqwest::Client::new().get(app.url(&format!("/api/v1/recommendations?{query}")));
    if let Some(shopper) = shopper {
        request = request.bearer_auth(shopper.token());
    }
    let answer = Answer::to(request).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["recommendations"].as_array().unwrap().clone()
}

async fn recommended(app: &TestApp, query: &str, shopper: Option<&Shopper>) -> Vec<String> {
    let all = suggested(app, query, shopper).await;
    all.iter().map(|one| one["sku"].as_str().unwrap().to_owned()).collect()
}

pub(crate) async fn swaps(app: &TestApp) -> f64 {
    app.metrics().await.sum("cartwright_model_swaps_total", &[])
}

/// Waits until the server has taken one more model into service.
pub(crate) async fn swapped(app: &TestApp, before: f64) {
    for _ in 0..150 {
        if swaps(app).await > before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no model came into service:\n{}", app.node().log_tail());
}

async fn orders_become_recommendations(store: Store) {
    let app = TestApp::start(store).await;
    sell(&app).await;
    let before = swaps(&app).await;
    app.run(&["train"]).await;
    swapped(&app, before).await;

    assert_eq!(recommended(&app, "sku=MUG", None).await[0], "TEAPOT");
    assert_eq!(recommended(&app, "sku=V0", None).await[0], "LAMP");
    let page = reqwest::get(app.url("/products/MUG")).await.unwrap().text().await.unwrap();
    assert!(
        unescape(&page).contains("href=\"/products/TEAPOT?from=bought_together.1.learnt."),
        "the product page shows what is bought together"
    );

    let many = format!("viewed={}", vec!["MUG"; 51].join(","));
    for (query, words) in [("viewed=MUG&sku=MUG", "not two of them"), (&*many, "51 products, the most is 50")]
    {
        let answer =
            Answer::to(reqwest::Client::new().get(app.url(&format!("/api/v1/recommendations?{query}"))));
        let answer = answer.await.unwrap();
        assert!(answer.status == 400 && answer.body.to_string().contains(words), "{}", answer.body);
    }

    let shopper = app.open_cart().await;
    shopper.add("MUG", 1).await.accepted();
    let beside_cart = format!("cart={}", shopper.cart_id());
    assert_eq!(recommended(&app, &beside_cart, Some(&shopper)).await[0], "TEAPOT");
    shopper.add("TEAPOT", 1).await.accepted();
    let found = recommended(&app, &beside_cart, Some(&shopper)).await;
    assert!(!found.contains(&"TEAPOT".to_owned()) && !found.contains(&"MUG".to_owned()), "{found:?}");
    for query in ["", "sku=MUG", &beside_cart] {
        let found = recommended(&app, query, Some(&shopper)).await;
        assert!(!found.contains(&"GONE".to_owned()), "what is sold out is not shown: {found:?}");
    }
}

async fn what_customers_came_back_for_is_recommended_to_others(store: Store) {
    let mut app = TestApp::prepare(store, Setup::default()).await;
    let mut orders = "order,visitor,sku,quantity,price,currency,at\n".to_owned();
    for n in 1..=6 {
        orders += &format!("m{n},{n},MUG,1,5,EUR,2026-01-0{n}\nl{n},{n},LAMP,1,5,EUR,2026-02-0{n}\n");
    }
    // Who comes back for something else, and whoever does not come back.
    orders += "m7,7,MUG,1,5,EUR,2026-01-07\nv7,7,V1,1,5,EUR,2026-02-07\nm8,8,MUG,1,5,EUR,2026-01-08\n";
    let file = app.write_file("orders.csv", &orders);
    app.run(&["import", "orders", &file]).await;
    app.restart().await;
    app.events("order_placed", 15).await;
    let before = swaps(&app).await;
    app.run(&["train"]).await;
    swapped(&app, before).await;

    let bought = async |sku: &str| {
        let shopper = app.open_cart().await;
        shopper.add(sku, 1).await.accepted();
        shopper.check_out("tok_success").await.accepted();
        suggested(&app, "", Some(&shopper)).await.remove(0)
    };
    let after_mug = bought("MUG").await;
    assert_eq!(
        (&after_mug["sku"], &after_mug["reason"], &after_mug["because"]),
        (
            &"LAMP".into(),
            &"bought_after".into(),
            &"Of 7 who bought The MUG and came back, 6 bought this".into()
        )
    );
    assert_ne!(bought("LAMP").await["reason"], "bought_after", "nobody came back for a mug");
}

async fn what_is_popular_in_the_same_category_comes_before_other_products(store: Store) {
    let mut app = TestApp::prepare(store, Setup::default()).await;
    let products = "sku,name,category,price_minor,currency,stock\nSALT,Salt,larder,90,GBP,99\nTEA,Tea,larder,90,GBP,99\n\
                    COFFEE,Coffee,larder,90,GBP,99\nRICE,Rice,larder,90,GBP,99\n";
    let file = app.write_file("larder.csv", products);
    app.run(&["import", "products", &file]).await;
    app.restart().await;
    let found = recommended(&app, "sku=SALT&limit=4", None).await;
    assert_eq!(found[..3], ["COFFEE", "RICE", "TEA"], "before there is a model, the catalogue's order");
    assert!(found.len() == 4 && found[3] != "SALT", "{found:?}");

    for sku in ["MUG", "MUG", "MUG", "TEA", "TEA", "COFFEE"] {
        buy(&app, &[sku]).await;
    }
    app.events("order_placed", 6).await;
    let before = swaps(&app).await;
    app.run(&["train"]).await;
    swapped(&app, before).await;
    let all = suggested(&app, "sku=SALT&limit=3", None).await;
    let said: Vec<&str> = all.iter().map(|one| one["because"].as_str().unwrap()).collect();
    assert_eq!(
        said,
        ["Same category, bought in 2 orders", "Same category, bought in one order", "Bought in 3 orders"]
    );
    assert_eq!(
        (&all[0]["sku"], &all[0]["reason"], &all[2]["sku"]),
        (&"TEA".into(), &"popular_alike".into(), &"MUG".into())
    );
    assert_eq!(recommended(&app, "category=larder&limit=9", None).await, ["TEA", "COFFEE", "RICE", "SALT"]);
    for (query, words) in
        [("category=cellar", "no category \"cellar\""), ("category=larder&sku=TEA", "not two of them")]
    {
        let asked = reqwest::Client::new().get(app.url(&format!("/api/v1/recommendations?{query}")));
        let answer = Answer::to(asked).await.unwrap();
        assert!(
            answer.status == 400 && answer.body["detail"].as_str().unwrap().contains(words),
            "{}",
            answer.body
        );
    }
}

async fn a_model_is_taken_back_and_the_server_follows(store: Store) {
    let app = TestApp::start(store).await;
    let model = async |arguments: &[&str]| app.run(&[&["model"], arguments].concat()).await;
    let json = async |arguments: &[&str]| -> serde_json::Value {
        serde_json::from_str(&model(&[arguments, &["--json"]].concat()).await).unwrap()
    };
    sell(&app).await;
    for (pair, orders) in [(["MUG", "TEAPOT"], 24), (["MUG", "LAMP"], 32)] {
        let before = swaps(&app).await;
        for _ in 0..8 {
            buy(&app, &pair).await;
        }
        app.events("order_placed", orders).await;
        app.run(&["train"]).await;
        swapped(&app, before).await;
    }
    let listed = json(&["list"]).await;
    let ids: Vec<&str> = listed.as_array().unwrap().iter().map(|kept| kept["id"].as_str().unwrap()).collect();
    assert_eq!(
        (ids.len(), &listed[0]["is_current"], &listed[1]["is_current"]),
        (2, &false.into(), &true.into())
    );
    assert_eq!(listed[1]["about"]["orders"], 32);
    let compared = model(&["compare", ids[0]]).await;
    assert!(
        compared.contains(&format!("{} would go into service in place of {}", ids[0], ids[1])),
        "{compared}"
    );

    let before = swaps(&app).await;
    assert_eq!(model(&["rollback"]).await, format!("model {} is in service again\n", ids[0]));
    swapped(&app, before).await;
    assert_eq!(json(&["show"]).await["id"], ids[0]);
    let because = suggested(&app, "sku=MUG", None).await[0]["because"].clone();
    assert_eq!(because, "Bought together with The MUG in 16 of its 16 orders");
    assert!(!app.try_run(&["model", "rollback"]).await.status.success(), "there was none before it");

    let before = swaps(&app).await;
    model(&["promote", &ids[1][..5]]).await;
    swapped(&app, before).await;
    let because = suggested(&app, "sku=MUG", None).await[0]["because"].clone();
    assert_eq!(because, "Bought together with The MUG in 16 of its 24 orders");
}

async fn broken_event_files_and_models_are_survived(store: Store) {
    let mut app = TestApp::start(store).await;
    sell(&app).await;
    let before = swaps(&app).await;
    app.run(&["train"]).await;
    swapped(&app, before).await;

    // A model that is no model is left out, and the one in service stays, also for as long as there is no other.
    let model = app.data("model/current.model");
    let good = fs::read(&model).unwrap();
    for bad in [&b"not a model"[..], &good[..good.len() / 2], &[]] {
        fs::write(&model, bad).unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(recommended(&app, "sku=MUG", None).await[0], "TEAPOT");
    }
    app.restart().await;
    assert_eq!(recommended(&app, "sku=MUG", None).await[0], "TEAPOT", "the model that was kept stands in");

    // A torn last line is what a crash leaves; the next training reads the rest.
    let events = fs::read_dir(app.data("events")).unwrap().map(|file| file.unwrap().path()).max().unwrap();
    let mut torn = fs::read(&events).unwrap();
    torn.extend_from_slice(br#"{"position":99999,"id":"torn","at_ms":17"#);
    fs::write(&events, torn).unwrap();
    let before = swaps(&app).await;
    app.run(&["train"]).await;
    swapped(&app, before).await;
    assert_eq!(recommended(&app, "sku=MUG", None).await[0], "TEAPOT");

    // A file of a version that nobody knows is refused by name.
    fs::write(app.data("events/events-v9-00000000000000000001.jsonl"), "{}\n").unwrap();
    let output = app.try_run(&["train"]).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("events-v9-"), "{said}");
}

async fn what_is_wrong_is_told_on_the_dashboard(store: Store) {
    let mut app = TestApp::start_with(store, admin::setup()).await;
    let admin = Admin::sign_in(&app).await;
    let text = async || admin.get("/admin/shelves").await.text();
    let says = async |words: &[&str]| {
        let page = text().await;
        words.iter().for_each(|words| assert!(page.contains(words), "{words}: {page}"));
        page
    };
    says(&["No model answers", "nobody has trained yet"]).await;
    assert!(!app.try_run(&["train"]).await.status.success());
    says(&[
        "The last training",
        "There was nothing to learn from",
        "Why: no orders and no views in",
        "No model answers",
    ])
    .await;

    let broken = app.data("events/events-v1-00000000000000000000.jsonl");
    let future = r#"{"position":0,"id":"far","at_ms":4070908800000,"type":"product_viewed","cart":null,"unit":"v","data":{"sku":"MUG"}}"#;
    sell(&app).await;
    fs::write(&broken, format!("{{\n{future}\n")).unwrap();
    let before = swaps(&app).await;
    let output = app.try_run(&["train"]).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && said.contains(".jsonl:1 EOF") && said.contains("is in the future"),
        "{said}"
    );
    swapped(&app, before).await;
    let page = says(&[
        "went into service",
        "2 broken lines passed over",
        "2 warnings",
        ".jsonl:1 EOF",
        "at_ms 4070908800000",
    ])
    .await;
    assert!(!page.contains("No model answers") && !page.contains("The model file"), "{page}");

    let model = app.data("model/current.model");
    fs::write(&model, "torn").unwrap();
    eventually("the torn file is told of", async || text().await.contains("The model file is left out"))
        .await;
    let page = says(&["The model that was in service before answers still."]).await;
    assert!(!page.contains("A later model waits"), "{page}");
    app.restart().await;
    let admin = Admin::sign_in(&app).await;
    let page = admin.get("/admin/shelves").await.text();
    for words in ["The model file is left out", "the newest good one that is kept, answers in its place."] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(recommended(&app, "sku=MUG", None).await[0], "TEAPOT");
    assert!(app.node().log_tail().contains("the model file is left out"), "{}", app.node().log_tail());

    // What the server trains by itself says the same in its log.
    fs::write(&broken, format!("{{\n{future}\n{{\"position\":\n")).unwrap();
    let mut setup = admin::setup();
    setup.config += "\n[recommender]\ntrain_every_minutes = 1\n";
    app.restart_with(setup).await;
    let log = || app.node().log_tail();
    eventually("the training's reasons are in the log", async || log().contains("jsonl:3 EOF")).await;
    assert!(log().contains("the training says"), "{}", log());
}
