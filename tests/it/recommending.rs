//! Shelves from end to end: which are where, what is never on them, what new products get, and how soon a look changes them.

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use harness::{
    Admin, Answer, Store, TestApp,
    admin::{self, unescape},
    app::{Setup, random_token},
    patience::eventually,
};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::whole_loop::{swapped, swaps};

on_each_store!(
    what_others_looked_at_is_on_pages_and_over_the_api,
    what_is_hidden_or_unknown_to_the_catalogue_is_on_no_shelf,
    a_new_product_is_suggested_by_its_name_and_where_a_shelf_explores,
    an_algorithm_with_parameters_is_another_one_in_an_experiment,
    a_look_changes_recommendations_within_a_second,
    a_model_of_one_event_answers,
    a_model_of_a_newer_version_is_left_out,
    a_model_that_knows_a_deleted_history_comes_back_only_where_that_is_said,
);

async fn answer(app: &TestApp, query: &str, token: Option<&str>) -> Answer {
    let mut request = Client::new().get(app.url(&format!("/api/v1/recommendations?{query}")));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    Answer::to(request).await.unwrap()
}

async fn recommended(app: &TestApp, query: &str, token: Option<&str>) -> Value {
    let answer = answer(app, query, token).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    answer.body
}

fn skus(body: &Value) -> Vec<&str> {
    body["recommendations"].as_array().unwrap().iter().map(|one| one["sku"].as_str().unwrap()).collect()
}

async fn train(app: &TestApp) {
    let before = swaps(app).await;
    app.run(&["train"]).await;
    swapped(app, before).await;
}

async fn view(app: &TestApp, token: &str, skus: &[&str]) {
    let body = json!({"skus": skus});
    let answer = app.call(Method::POST, "/api/v1/views", Some(token), Some(&body)).await;
    assert_eq!((answer.status, &answer.body["noted"]), (202, &json!(skus.len())), "{}", answer.body);
}

/// Lets four visitors look at each walk.
async fn look(app: &TestApp, walks: &[&[&str]]) {
    let mut looks = 0;
    for walk in walks {
        for _ in 0..4 {
            view(app, &random_token(), walk).await;
            looks += walk.len();
        }
    }
    app.events("product_viewed", looks).await;
}

/// Returns the products under a heading of a page, in their order.
fn under(page: &str, heading: &str) -> Vec<String> {
    let page = unescape(page);
    let Some((_, rest)) = page.split_once(heading) else { return vec![] };
    let shelf = rest.split("</section>").next().unwrap();
    let skus = shelf.split("data-spot=\"").skip(1).map(|card| {
        let sku = card.split("data-sku=\"").nth(1).unwrap();
        sku.split('"').next().unwrap().to_owned()
    });
    skus.collect()
}

async fn what_others_looked_at_is_on_pages_and_over_the_api(store: Store) {
    let app = TestApp::start(store).await;
    look(&app, &[&["MUG", "LAMP", "TEAPOT"], &["V1", "V2", "V3"]]).await;
    // What is bought fills up the page's first shelf; what stands there is not repeated.
    crate::whole_loop::buy(&app, &["V0", "V4", "V5", "V6", "V7", "RARE"]).await;
    app.events("order_placed", 1).await;
    train(&app).await;

    for query in ["shelf=also_viewed&sku=MUG", "shelf=also_viewed&viewed=MUG"] {
        let body = recommended(&app, query, None).await;
        assert_eq!(body["shelf"], "also_viewed", "{query}");
        assert_eq!(skus(&body)[..2].iter().copied().collect::<BTreeSet<_>>(), ["LAMP", "TEAPOT"].into());
        let first = &body["recommendations"][0];
        assert_eq!(first["reason"], "viewed_together");
        assert_eq!(first["because"], "In 4 of 4 visits to The MUG this was looked at too");
    }
    let body = recommended(&app, "viewed=V1,V2", None).await;
    assert_eq!((&body["shelf"], skus(&body)[0]), (&json!("continue"), "V3"), "{body}");
    assert_eq!(recommended(&app, "shelf=continue&viewed=V1,V2", None).await["shelf"], "continue");
    for (query, words) in [
        (
            "shelf=popular&sku=MUG",
            "answered by the shelf bought_together, not popular; also_viewed needs a sku",
        ),
        ("shelf=also_viewed", "answered by the shelf popular, not also_viewed"),
        ("shelf=shop_window&sku=MUG", "unknown variant `shop_window`"),
    ] {
        let refused = answer(&app, query, None).await;
        assert!(refused.status == 400 && refused.body.to_string().contains(words), "{}", refused.body);
    }

    // What one has looked at weighs in, on pages as over the API; another's answer is not repeated.
    let shopper = app.open_cart().await;
    let page = app.page(&shopper, "/products/MUG").await;
    assert_eq!(
        under(&page, "People also viewed").into_iter().collect::<BTreeSet<_>>(),
        ["LAMP", "TEAPOT"].map(String::from).into()
    );
    eventually("the look is known", async || {
        under(&app.page(&shopper, "/").await, "Where you left off").contains(&"LAMP".to_owned())
    })
    .await;
    assert!(!under(&app.page(&shopper, "/").await, "Where you left off").contains(&"MUG".to_owned()));
    let stranger = random_token();
    let theirs = |body: &Value| skus(body).contains(&"LAMP");
    for _ in 0..2 {
        let query = "shelf=also_viewed&sku=V1&limit=3";
        assert!(theirs(&recommended(&app, query, Some(shopper.token())).await));
        assert_eq!(skus(&recommended(&app, query, Some(&stranger)).await)[..2], ["V2", "V3"]);
    }
}

async fn what_is_hidden_or_unknown_to_the_catalogue_is_on_no_shelf(store: Store) {
    let mut app = TestApp::prepare(store, Setup::default()).await;
    // A shop's old orders name what it sells no longer, and what it sells but does not show.
    let mut orders = "order,visitor,sku,quantity,price,currency,at\n".to_owned();
    for n in 1..=9 {
        for sku in ["MUG", "GHOST", "SECRET", "TEAPOT"] {
            orders += &format!("o{n},{n},{sku},1,5,GBP,2026-01-0{n}\n");
        }
    }
    let products = "sku,name,category,price_minor,currency,stock,hidden\nSECRET,Secret,home,500,GBP,90,1\n";
    let (orders, products) = (app.write_file("orders.csv", &orders), app.write_file("more.csv", products));
    app.run(&["import", "products", &products]).await;
    app.run(&["import", "orders", &orders]).await;
    app.restart().await;
    app.events("order_placed", 9).await;
    train(&app).await;
    let model: Value = serde_json::from_str(&app.run(&["model", "show", "--json"]).await).unwrap();
    assert_eq!(model["about"]["orders"], 9);
    let shopper = app.open_cart().await;
    shopper.add("MUG", 1).await.accepted();
    let beside = format!("cart={}&limit=50", shopper.cart_id());
    for query in ["sku=MUG&limit=50", "viewed=MUG&limit=50", "category=home&limit=50", "limit=50", &beside] {
        let body = recommended(&app, query, Some(shopper.token())).await;
        let found = skus(&body);
        assert!(
            found.contains(&"TEAPOT") && !found.contains(&"GHOST") && !found.contains(&"SECRET"),
            "{body}"
        );
    }
    assert_eq!(skus(&recommended(&app, "sku=MUG", None).await)[0], "TEAPOT", "what is left is in its order");
    for path in ["/", "/products/MUG", "/cart"] {
        let page = app.page(&shopper, path).await;
        assert!(!page.contains("/products/GHOST") && !page.contains("/products/SECRET"), "{path}");
    }
    // What was bought of it long ago still says what goes with it.
    let body = recommended(&app, "viewed=GHOST&limit=3", None).await;
    assert!(!skus(&body).contains(&"GHOST"), "{body}");
}

async fn a_new_product_is_suggested_by_its_name_and_where_a_shelf_explores(store: Store) {
    let mut app = TestApp::prepare(store, Setup::default()).await;
    let mut products = "sku,name,category,price_minor,currency,stock\n".to_owned();
    for (sku, name) in [
        ("JAR1", "Red glass candle jar"),
        ("JAR2", "Blue glass candle jar"),
        ("JAR3", "Green glass candle jar"),
        ("BAG1", "Cotton shopping bag"),
        ("BAG2", "Linen shopping bag"),
        ("NEW", "Yellow glass candle jar"),
    ] {
        products += &format!("{sku},{name},gifts,900,GBP,99\n");
    }
    let mut orders = "order,visitor,sku,quantity,price,currency,at\n".to_owned();
    for n in 0..120 {
        let pairs = [["JAR1", "JAR2"], ["BAG1", "BAG2"], ["JAR2", "JAR3"], ["JAR1", "JAR3"]];
        for sku in pairs[n % 4] {
            orders += &format!("o{n},{n},{sku},1,9,GBP,2026-{:02}-{:02}\n", 1 + n / 28, 1 + n % 28);
        }
    }
    let (products, orders) = (app.write_file("more.csv", &products), app.write_file("orders.csv", &orders));
    app.run(&["import", "products", &products]).await;
    app.run(&["import", "orders", &orders]).await;
    app.restart().await;
    app.events("order_placed", 120).await;
    train(&app).await;
    // Nobody has bought it, yet it is said to go with jars, before all else that nobody has bought.
    let body = recommended(&app, "sku=JAR1&limit=50", None).await;
    let found = skus(&body);
    let place = |sku: &str| found.iter().position(|other| *other == sku);
    assert_eq!(body["recommendations"][place("NEW").unwrap()]["reason"], "similar_baskets", "{body}");
    let is_behind = |sku| place(sku).is_none_or(|other| place("NEW") < Some(other));
    assert!(["LAMP", "V0", "TEAPOT"].into_iter().all(is_behind), "{found:?}");

    let mut setup = Setup::default();
    let exploring = "[shelves]\nbought_together = \"learnt:spread=20,explore=50\"\n";
    setup.config = setup.config.replace("[shelves]\n", exploring);
    app.restart_with(setup).await;
    let body = recommended(&app, "sku=JAR1&limit=4", None).await;
    let reasons: Vec<&str> = body["recommendations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["reason"].as_str().unwrap())
        .collect();
    assert_eq!((reasons[1], reasons[3]), ("new", "new"), "each second place: {body}");
    let second = &body["recommendations"][1];
    assert_eq!(
        (&second["sku"], &second["because"]),
        (&json!("NEW"), &json!("New in our range")),
        "of its kind first"
    );
    let page = Client::new().get(app.url("/products/JAR1")).send().await.unwrap().text().await.unwrap();
    let set = page.split("action=\"/cart/sets\"").nth(1).map(|set| set.split("</form>").next().unwrap());
    assert!(set.is_none_or(|set| !set.contains("value=\"NEW\"")), "what is tried is no part of a set");
}

async fn an_algorithm_with_parameters_is_another_one_in_an_experiment(store: Store) {
    let mut app = TestApp::prepare(store, admin::setup()).await;
    // Three orders hold a mug with a lamp, nine a mug with a teapot.
    let mut orders = "order,visitor,sku,quantity,price,currency,at\n".to_owned();
    for n in 0..12 {
        for sku in ["MUG", if n < 3 { "LAMP" } else { "TEAPOT" }] {
            orders += &format!("o{n},{n},{sku},1,5,GBP,2026-01-{:02}\n", n + 1);
        }
    }
    let file = app.write_file("orders.csv", &orders);
    app.run(&["import", "orders", &file]).await;
    app.restart().await;
    app.events("order_placed", 12).await;
    train(&app).await;

    let admin = Admin::sign_in(&app).await;
    let ours = ["flag", "variation_1_value", "variation_2_value"];
    let others = crate::experiments::FIELDS.iter().copied().filter(|(name, _)| !ours.contains(name));
    let fields = |second: &'static str| -> Vec<(&str, &str)> {
        let values = [
            ("flag", "shelf_bought_together"),
            ("variation_1_value", "\"pairs\""),
            ("variation_2_value", second),
        ];
        others.clone().chain(values).collect()
    };
    for (value, words) in [
        ("\"pairs:min_support=none\"", "min_support=none is no whole number from 1 to 1000"),
        ("\"pairs:depth=3\"", "there is no parameter \"depth\"; the parameters are min_support, session"),
        ("\"learnt:session=90\"", "only the shelf recommended asks, not bought_together"),
    ] {
        let page = crate::experiments::draft(&admin, &fields(value)).await;
        assert!(unescape(&page.html).contains(words), "{words}: {}", page.text());
    }
    let saved = crate::experiments::draft(&admin, &fields("\"pairs:min_support=5\"")).await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    crate::experiments::press(&admin, "start").await;

    let mut seen = BTreeSet::new();
    for _ in 0..60 {
        let token = random_token();
        let body = recommended(&app, "sku=MUG&limit=50", Some(&token)).await;
        let from = body["recommendations"][0]["from"].as_str().unwrap().to_owned();
        let algorithm = from.split('.').nth(2).unwrap().to_owned();
        let reason = |sku: &str| {
            let all = body["recommendations"].as_array().unwrap();
            all.iter().find(|one| one["sku"] == sku).unwrap()["reason"].as_str().unwrap().to_owned()
        };
        let lamp = if algorithm == "pairs" { "bought_together" } else { "popular_alike" };
        assert_eq!(
            (reason("TEAPOT").as_str(), reason("LAMP").as_str()),
            ("bought_together", lamp),
            "{algorithm}"
        );
        if seen.insert(algorithm) {
            let told = json!({"shown": [{"sku": "TEAPOT", "from": from}], "clicked": [{"sku": "TEAPOT", "from": from}]});
            let heard = app.call(Method::POST, "/api/v1/shelf-events", Some(&token), Some(&told)).await;
            assert_eq!(heard.body, json!({"accepted": 2, "refused": []}));
            let link = Client::new().get(app.url(&format!("/products/TEAPOT?from={from}"))).send().await;
            assert_eq!(link.unwrap().status(), 200);
        }
        if seen.len() == 2 {
            break;
        }
    }
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), ["pairs", "pairs:min_support=5"]);
    let shown = app.events("shelf_shown", 2).await;
    let told: BTreeSet<&str> =
        shown.iter().map(|event| event["data"]["algorithm"].as_str().unwrap()).collect();
    assert_eq!(told, ["pairs", "pairs:min_support=5"].into());
    for row in ["Bought together pairs 1", "Bought together pairs:min_support=5 1"] {
        eventually(row, async || admin.get("/admin/shelves?days=7").await.text().contains(row)).await;
    }
}

/// Waits until what is recommended to a visitor begins with a product, and returns how long that took.
async fn begins_with(app: &TestApp, token: &str, sku: &str) -> Duration {
    let begun = Instant::now();
    eventually(&format!("{sku} comes first"), async || {
        skus(&recommended(app, "limit=3", Some(token)).await)[0] == sku
    })
    .await;
    begun.elapsed()
}

async fn a_look_changes_recommendations_within_a_second(store: Store) {
    let app = TestApp::start(store).await;
    let twin = if store == Store::Postgres { Some(app.twin().await) } else { None };
    look(&app, &[&["MUG", "LAMP"], &["V1", "V2"]]).await;
    train(&app).await;
    if let Some(twin) = &twin {
        // Each process has its own folder; the model is copied as a shop's volume would be.
        fs::create_dir_all(twin.data("model")).unwrap();
        if !twin.data("model/current.model").exists() {
            fs::copy(app.data("model/current.model"), twin.data("model/current.model")).unwrap();
        }
        eventually("both have the model", async || swaps(twin).await > 0.0).await;
    }
    let token = random_token();
    for (seen, next) in [("MUG", "LAMP"), ("V1", "V2"), ("LAMP", "MUG")] {
        view(&app, &token, &[seen]).await;
        let mut took = vec![begins_with(&app, &token, next).await];
        if let Some(twin) = &twin {
            took.push(begins_with(twin, &token, next).await);
        }
        assert!(took.iter().all(|took| took.as_millis() < 1_000), "after {seen}: {took:?}");
    }
}

async fn a_model_of_one_event_answers(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    shopper.add("V7", 1).await.accepted();
    shopper.check_out("tok_success").await.accepted();
    app.events("order_placed", 1).await;
    let said = app.run(&["train"]).await;
    assert!(said.contains("1 orders") && said.contains("is in service"), "{said}");
    eventually("the order is known", async || skus(&recommended(&app, "limit=1", None).await) == ["V7"])
        .await;
    let body = recommended(&app, "limit=2", None).await;
    let reasons = [0, 1].map(|n| body["recommendations"][n]["because"].as_str().unwrap().to_owned());
    assert_eq!(reasons, ["Bought in one order", "From our range"]);
    for query in ["sku=V7", "viewed=V7,MUG", "shelf=also_viewed&sku=V7", "category=home"] {
        assert!(
            !recommended(&app, query, None).await["recommendations"].as_array().unwrap().is_empty(),
            "{query}"
        );
    }
    assert_eq!(skus(&recommended(&app, "sku=MUG", None).await)[0], "V7");
}

async fn a_model_of_a_newer_version_is_left_out(store: Store) {
    let mut app = TestApp::start_with(store, admin::setup()).await;
    crate::whole_loop::buy(&app, &["MUG", "TEAPOT"]).await;
    crate::whole_loop::buy(&app, &["MUG", "TEAPOT"]).await;
    app.events("order_placed", 2).await;
    train(&app).await;
    let file = app.data("model/current.model");
    let mut newer = fs::read(&file).unwrap();
    newer[8] += 1;
    fs::write(&file, newer).unwrap();
    let admin = Admin::sign_in(&app).await;
    let words = "this program reads version";
    eventually("it is told", async || admin.get("/admin/shelves").await.text().contains(words)).await;
    eventually("so does the log", async || app.node().log_tail().contains(words)).await;
    assert_eq!(skus(&recommended(&app, "sku=MUG", None).await)[0], "TEAPOT", "the one before goes on");
    app.restart().await;
    assert_eq!(
        skus(&recommended(&app, "sku=MUG", None).await)[0],
        "TEAPOT",
        "the one that was kept stands in"
    );
}

async fn a_model_that_knows_a_deleted_history_comes_back_only_where_that_is_said(store: Store) {
    let app = TestApp::start(store).await;
    let shy = app.open_cart().await;
    for (n, shopper) in [(1, shy.clone()), (2, app.open_cart_as(shy.token()).await)] {
        for sku in ["V6", "V7"] {
            shopper.add(sku, 1).await.accepted();
        }
        shopper.check_out("tok_success").await.accepted();
        app.events("order_placed", n).await;
    }
    train(&app).await;
    let beside =
        async || recommended(&app, "sku=V6&limit=1", None).await["recommendations"][0]["reason"].clone();
    assert_eq!(beside().await, "bought_together");

    let deleted = app.call(Method::DELETE, "/api/v1/history", Some(shy.token()), None).await;
    assert!(deleted.status < 300, "{}", deleted.body);
    app.events("history_deleted", 1).await;
    crate::whole_loop::buy(&app, &["MUG", "TEAPOT"]).await;
    app.events("order_placed", 3).await;
    let before = swaps(&app).await;
    app.run(&["train", "--promote-anyway"]).await;
    swapped(&app, before).await;
    assert_ne!(beside().await, "bought_together", "the model is free of what was deleted");
    assert!(app.run(&["model", "show"]).await.contains("free of    histories deleted until 20"));

    let listed: Value = serde_json::from_str(&app.run(&["model", "list", "--json"]).await).unwrap();
    let first = listed[0]["id"].as_str().unwrap();
    for back in [vec!["model", "rollback"], vec!["model", "promote", first]] {
        let output = app.try_run(&back).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && said.contains("was learnt before a shopper's history was deleted"),
            "{back:?}: {said}"
        );
    }
    let before = swaps(&app).await;
    app.run(&["model", "rollback", "--even-with-deleted-histories"]).await;
    swapped(&app, before).await;
    assert_eq!(beside().await, "bought_together", "as was asked");
}
