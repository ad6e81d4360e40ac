//! The shelves: the shop's rules, who saw and clicked what, and what came of it.

use std::collections::{BTreeMap, BTreeSet};

use harness::{
    Admin, Answer, Shopper, Store, TestApp,
    admin::{self, api, unescape},
    app::Setup,
    catalogue::{csv, many, standard},
    patience::eventually,
};
use serde_json::{Value, json};

on_each_store!(
    rules_decide_what_shelves_offer,
    what_lies_in_an_open_cart_is_offered_nowhere,
    what_was_bought_many_orders_ago_is_not_offered_again,
    rules_are_kept_with_who_changed_them_and_why,
    rules_are_written_on_a_page,
    a_set_is_added_at_once_or_not_at_all,
    what_is_seen_and_clicked_counts_once,
    who_wants_no_history_is_not_followed_over_shelves,
    links_of_shelves_count_without_scripts,
    a_click_is_written_before_what_it_leads_to,
    what_came_of_shelves_is_counted_and_rebuilt_the_same,
    an_experiment_chooses_who_fills_a_shelf,
    two_algorithms_share_a_shelf_and_one_wins,
    what_was_answered_before_is_never_out_of_date,
    an_algorithm_that_is_late_is_done_without,
    a_trail_names_products_with_commas,
    a_first_page_without_aisles_repeats_nothing_and_obeys_the_rules,
);

/// Returns a set-up whose shelves wait so long.
fn with_deadline_ms(ms: u32) -> Setup {
    let mut setup = admin::setup();
    setup.config = setup.config.replace("deadline_ms = 2000", &format!("deadline_ms = {ms}"));
    setup
}

async fn shop(store: Store) -> TestApp {
    TestApp::start_with(store, admin::setup()).await
}

async fn recommended(app: &TestApp, query: &str, token: Option<&str>) -> Value {
    let mut request = reqwest::Client::new().get(app.url(&format!("/api/v1/recommendations?{query}")));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = Answer::to(request).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn skus(app: &TestApp, query: &str, token: Option<&str>) -> Vec<String> {
    let body = recommended(app, query, token).await;
    let all = body["recommendations"].as_array().unwrap();
    all.iter().map(|one| one["sku"].as_str().unwrap().to_owned()).collect()
}

/// Saves rules over those of a revision.
async fn save(app: &TestApp, revision: u64, rules: Value) -> Answer {
    let body = json!({"revision": revision, "reason": "a test", "rules": rules});
    api(app, "PUT", "/shelf-rules", Some(&body)).await
}

async fn rules_decide_what_shelves_offer(store: Store) {
    let app = shop(store).await;
    let before = skus(&app, "limit=4", None).await;
    assert_eq!(before.len(), 4);
    assert!(!before.contains(&"V7".to_owned()), "{before:?}");
    let rules = json!([
        {"id": "top", "type": "pin", "skus": ["V7"], "place": 2},
        {"id": "gone", "type": "pin", "skus": ["GONE"], "place": 1},
        {"id": "not", "type": "exclude", "skus": [before[0]]},
        {"id": "once", "type": "once", "skus": ["V6", "V7"]},
        {"id": "elsewhere", "type": "exclude", "skus": ["V7"], "shelves": ["also_viewed"]}
    ]);
    assert_eq!(save(&app, 0, rules).await.status, 200);
    let after = skus(&app, "limit=4", None).await;
    assert_eq!(
        (after.len(), after[0].as_str(), after[1].as_str()),
        (4, before[1].as_str(), "V7"),
        "{after:?}"
    );
    assert!(!after.contains(&before[0]) && !after.contains(&"GONE".to_owned()), "{after:?}");
    let body = recommended(&app, "limit=4", None).await;
    assert_eq!(body["recommendations"][1]["reason"], "pinned");
    // Neither what the page is about, nor what is in the cart.
    assert!(!skus(&app, "sku=V7", None).await.contains(&"V7".to_owned()));
    let shopper = app.open_cart().await;
    shopper.add("V7", 1).await.accepted();
    let beside = format!("cart={}&limit=50", shopper.cart_id());
    let found = skus(&app, &beside, Some(shopper.token())).await;
    assert!(!found.contains(&"V7".to_owned()) && found.contains(&"V5".to_owned()), "{found:?}");
    // What is offered once is never offered again to whoever bought it.
    assert_eq!(shopper.check_out("tok_success").await.status, 200);
    assert!(!skus(&app, "sku=MUG&limit=50", Some(shopper.token())).await.contains(&"V7".to_owned()));
    assert!(skus(&app, "sku=MUG&limit=50", None).await.contains(&"V7".to_owned()));
    let page = app.page(&shopper, "/products/MUG").await;
    assert!(!page.contains("/products/V7?"), "{page}");
}

/// Returns what stands on the shelves of a page.
async fn on_shelves(app: &TestApp, shopper: &Shopper, path: &str) -> BTreeSet<String> {
    let html = app.page(shopper, path).await;
    let skus = html.split("data-spot=\"").skip(1).map(|rest| {
        let sku = rest.split("data-sku=\"").nth(1).unwrap();
        sku.split('"').next().unwrap().to_owned()
    });
    skus.collect()
}

async fn what_lies_in_an_open_cart_is_offered_nowhere(store: Store) {
    let app = shop(store).await;
    let rules = json!([
        {"id": "top", "type": "pin", "skus": ["V7"], "place": 1},
        {"id": "next", "type": "pin", "skus": ["V6"], "place": 2}
    ]);
    assert_eq!(save(&app, 0, rules).await.status, 200);
    let (ann, bob) = (app.open_cart().await, app.open_cart().await);
    let offers = |offered: &BTreeSet<String>| ["V6", "V7"].map(|sku| offered.contains(sku));
    for path in ["/", "/products/MUG"] {
        assert_eq!(offers(&on_shelves(&app, &ann, path).await), [true, true], "{path}");
    }
    // What others asked is answered again: until it is kept, its stock must be known.
    let asked = ["sku=MUG&limit=50", "viewed=LAMP&limit=50", "category=home&limit=50", "limit=50"];
    let answers = async |token: Option<&str>| {
        let mut all = vec![];
        for query in asked {
            all.push(offers(&skus(&app, query, token).await.into_iter().collect()));
        }
        all
    };
    answers(Some(bob.token())).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    for _ in 0..2 {
        assert_eq!(answers(Some(bob.token())).await, [[true, true]; 4]);
    }

    ann.add("V7", 1).await.accepted();
    for path in ["/", "/products/MUG"] {
        let offered = on_shelves(&app, &ann, path).await;
        assert_eq!(offers(&offered), [true, false], "{path}: {offered:?}");
    }
    for _ in 0..2 {
        assert_eq!(answers(Some(ann.token())).await, [[true, false]; 4]);
        assert_eq!(answers(Some(bob.token())).await, [[true, true]; 4], "their carts are their own");
        assert_eq!(answers(None).await, [[true, true]; 4]);
    }

    // An order's page knows the next cart.
    let order = ann.check_out("tok_success").await.body["order"]["id"].as_str().unwrap().to_owned();
    let next = app.open_cart_as(ann.token()).await;
    let page = format!("/orders/{order}");
    assert_eq!(offers(&on_shelves(&app, &next, &page).await), [true, false], "it was just bought");
    next.add("V6", 1).await.accepted();
    assert_eq!(offers(&on_shelves(&app, &next, &page).await), [false, false]);
}

async fn what_was_bought_many_orders_ago_is_not_offered_again(store: Store) {
    let app = shop(store).await;
    let rules = json!([{"id": "once", "type": "once", "skus": ["V6", "V7"]}]);
    assert_eq!(save(&app, 0, rules).await.status, 200);
    let shopper = app.open_cart().await;
    let token = Some(shopper.token());
    for n in 0..22 {
        let cart = app.open_cart_as(shopper.token()).await;
        cart.add(if n == 0 { "V7" } else { "MUG" }, 1).await.accepted();
        assert_eq!(cart.check_out("tok_success").await.status, 200);
    }
    let found = skus(&app, "sku=LAMP&limit=50", token).await;
    assert!(found.contains(&"V6".to_owned()) && !found.contains(&"V7".to_owned()), "{found:?}");
    assert!(!on_shelves(&app, &shopper, "/").await.contains("V7"));
    assert!(skus(&app, "sku=LAMP&limit=50", None).await.contains(&"V7".to_owned()));
}

/// Holds a table so that nobody can read it, until the connection is dropped.
async fn lock(app: &TestApp, table: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(app.store_url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let locked = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
    client.batch_execute(&locked).await.unwrap();
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_stalls_delays_no_page_for_its_shelves() {
    let setup = Setup { is_alone: true, ..with_deadline_ms(100) };
    let app = TestApp::start_with(Store::Postgres, setup).await;
    let shopper = app.open_cart().await;
    shopper.add("MUG", 1).await.accepted();
    assert_eq!(shopper.check_out("tok_success").await.status, 200);
    let first_page = async || {
        let asked = std::time::Instant::now();
        let page = app.page(&shopper, "/").await;
        assert!(asked.elapsed() < SOON, "the page took {:?}", asked.elapsed());
        page
    };
    eventually("orders say what to recommend", async || first_page().await.contains("Recommended for you"))
        .await;
    let orders = lock(&app, "orders").await;
    for _ in 0..6 {
        assert!(first_page().await.contains("Popular now"), "what many buy stands in");
    }
    let asked = std::time::Instant::now();
    assert_eq!(skus(&app, "limit=3", Some(shopper.token())).await.len(), 3);
    assert!(asked.elapsed() < SOON, "the API took {:?}", asked.elapsed());
    drop(orders);
    eventually("orders say it again", async || first_page().await.contains("Recommended for you")).await;

    // Nobody asked for the stock of all of these yet.
    let _stock = lock(&app, "stock").await;
    let asked = std::time::Instant::now();
    let body = recommended(&app, "sku=MUG&limit=50", None).await;
    assert!(asked.elapsed() < SOON, "the API took {:?}", asked.elapsed());
    let all = body["recommendations"].as_array().unwrap();
    assert!(all.len() > 6 && all.iter().all(|one| one["available"].is_null()), "{body}");
    let slow = app.metrics().await.value("cartwright_shelf_fallbacks_total", &[("why", "slow")]);
    assert!(slow.unwrap() >= 8.0, "{slow:?}");
}

/// The store ends what waits for a lock after four seconds: what is faster has not waited for it.
const SOON: std::time::Duration = std::time::Duration::from_secs(3);

async fn a_first_page_without_aisles_repeats_nothing_and_obeys_the_rules(store: Store) {
    let app = shop(store).await;
    let goods = csv(&[standard(), many("N", 12, 10)].concat()).replace(",home,", ",,");
    let file = app.write_file("goods.csv", &goods);
    app.run(&["import", "products", &file]).await;
    let shopper = app.open_cart().await;
    let cards = async || {
        let page = unescape(&app.page(&shopper, "/").await);
        let (counter, shelf) = page.split_once("class=\"shelf\"").unwrap();
        [counter, shelf].map(|part| {
            let links = part.split("card-link\" href=\"/products/").skip(1);
            links.map(|link| link.split(['"', '?']).next().unwrap().to_owned()).collect::<BTreeSet<_>>()
        })
    };
    eventually("all goods without an aisle", async || app.page(&shopper, "/").await.contains("26 things"))
        .await;
    let [counter, shelf] = cards().await;
    assert_eq!((counter.len(), shelf.len()), (8, 6));
    assert!(counter.is_disjoint(&shelf), "{counter:?} {shelf:?}");
    let [one, other] = [&counter, &shelf].map(|cards| cards.first().unwrap().clone());
    let rules = json!([{"id": "no-goods", "type": "exclude", "skus": [one, other]}]);
    assert_eq!(save(&app, 0, rules).await.status, 200);
    let [counter, shelf] = cards().await;
    for excluded in [&one, &other] {
        assert!(!counter.contains(excluded) && !shelf.contains(excluded), "{counter:?} {shelf:?}");
    }
}

async fn rules_are_kept_with_who_changed_them_and_why(store: Store) {
    let app = shop(store).await;
    let rule = |most: u32| json!([{"id": "mix", "type": "spread", "most": most}]);
    let saved = save(&app, 0, rule(2)).await;
    assert_eq!((saved.status, &saved.body["rules"]), (200, &rule(2)));
    save(&app, 0, rule(3)).await.assert_problem(409, "shelf-rules-changed");
    for (rules, words) in [
        (rule(0), "rule \"mix\": most must be 1 to 20"),
        (json!([{"id": "x", "type": "exclude", "skus": ["NONE"]}]), "the catalogue has no product \"NONE\""),
        (json!({}), "the rules are a JSON array"),
    ] {
        let refused = save(&app, 1, rules).await;
        refused.assert_problem(422, "invalid-shelf-rules");
        assert!(refused.body["detail"].as_str().unwrap().contains(words), "{}", refused.body);
    }
    assert_eq!(save(&app, 1, json!([])).await.status, 200);
    let read = api(&app, "GET", "/shelf-rules", None).await.body;
    assert_eq!((&read["revision"], &read["rules"]), (&json!(2), &json!([])));
    let changes = read["changes"].as_array().unwrap();
    assert_eq!(changes[1]["rules"], rule(2));
    assert_eq!((&changes[1]["by"], &changes[1]["reason"]), (&json!("ada"), &json!("a test")));
    let stranger = reqwest::get(app.url("/api/v1/admin/shelf-rules")).await.unwrap();
    assert_eq!(stranger.status(), 401);
}

async fn rules_are_written_on_a_page(store: Store) {
    const PATH: &str = "/admin/shelves/rules";
    const RULE: &str = "/admin/shelves/rules/rule";
    let app = shop(store).await;
    let admin = Admin::sign_in(&app).await;
    let page = admin.get(PATH).await;
    assert!(page.text().contains("No rules yet"), "{}", page.text());
    let pin = [("id", "top"), ("type", "pin"), ("skus", "V7"), ("place", "0"), ("reason", "it is new")];
    let refused = admin.submit(&page, RULE, &pin).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("place must be 1 to 20."), "{}", refused.text());
    let saved = admin.submit(&refused, RULE, &[("place", "1"), ("shelf.popular", "1")]).await;
    assert_eq!(saved.status, 200);
    for words in ["Pages obey the rules", "Puts V7 at place 1", "In force", "it is new"] {
        assert!(saved.text().contains(words), "{words}: {}", saved.text());
    }
    assert_eq!(skus(&app, "limit=3", None).await[0], "V7");
    // Who looked before that does not write over it.
    let late = admin.submit(&page, "/admin/shelves/rules/all", &[("rules", "[]"), ("reason", "no")]).await;
    assert_eq!(late.status, 409);
    let form = admin.get(&format!("{PATH}?rule=top")).await;
    assert!(form.html.contains("name=\"place\" value=\"1\""), "{}", form.html);
    let removed = admin.submit(&form, "/admin/shelves/rules/remove", &[("reason", "old")]).await;
    assert!(removed.text().contains("No rules yet"), "{}", removed.text());
    assert_ne!(skus(&app, "limit=3", None).await[0], "V7");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_obeys_new_rules_within_seconds() {
    let app = shop(Store::Postgres).await;
    let twin = app.twin().await;
    let rules = json!([{"id": "top", "type": "pin", "skus": ["V7"], "place": 1}]);
    assert_eq!(save(&app, 0, rules).await.status, 200);
    eventually("the other node has heard of it", async || skus(&twin, "limit=3", None).await[0] == "V7")
        .await;
}

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

/// Tells of shelves as a program does for its visitor.
async fn tell(app: &TestApp, token: &str, report: Value) -> Value {
    let request =
        reqwest::Client::new().post(app.url("/api/v1/shelf-events")).bearer_auth(token).json(&report);
    let answer = Answer::to(request).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// Returns what a report says of recommendations.
fn places(body: &Value) -> Vec<Value> {
    let all = body["recommendations"].as_array().unwrap();
    all.iter().map(|one| json!({"sku": one["sku"], "from": one["from"]})).collect()
}

async fn what_is_seen_and_clicked_counts_once(store: Store) {
    let app = shop(store).await;
    let (ann, bob) = (app.open_cart().await, app.open_cart().await);
    let body = recommended(&app, "sku=MUG&limit=3", Some(ann.token())).await;
    assert_eq!(body["shelf"], "bought_together");
    let places = places(&body);
    assert!(places[2]["from"].as_str().unwrap().starts_with("bought_together.3.learnt."), "{body}");
    assert!(
        recommended(&app, "limit=3", None).await["recommendations"][0]["from"].is_null(),
        "nobody is there"
    );
    let seen = json!({"shown": places, "clicked": [places[1]]});
    for _ in 0..2 {
        assert_eq!(tell(&app, ann.token(), seen.clone()).await, json!({"accepted": 2, "refused": []}));
    }
    let theirs = tell(&app, bob.token(), json!({"clicked": [places[0]]})).await;
    assert_eq!(
        (&theirs["accepted"], &theirs["refused"][0]["why"]),
        (&json!(0), &json!("it was shown to somebody else"))
    );
    for (sku, from, words) in [
        ("MUG", "bought_together.1", "pass on `from` as it came"),
        ("NONE", places[0]["from"].as_str().unwrap(), "there is no product \"NONE\""),
    ] {
        let refused = tell(&app, ann.token(), json!({"shown": [{"sku": sku, "from": from}]})).await;
        assert!(refused["refused"][0]["why"].as_str().unwrap().contains(words), "{refused}");
    }
    let many = json!({"shown": vec![places[0].clone(); 101]});
    let request =
        reqwest::Client::new().post(app.url("/api/v1/shelf-events")).bearer_auth(ann.token()).json(&many);
    assert_eq!(Answer::to(request).await.unwrap().status, 400);

    let shown = app.events("shelf_shown", 1).await;
    let data = &shown[0]["data"];
    assert_eq!((&data["shelf"], &data["algorithm"]), (&json!("bought_together"), &json!("learnt")), "{data}");
    assert_eq!(data["items"][1], json!({"sku": places[1]["sku"], "place": 2, "algorithm": "learnt"}));
    let clicked = app.events("shelf_clicked", 1).await;
    assert_eq!((&clicked[0]["data"]["sku"], &clicked[0]["data"]["place"]), (&places[1]["sku"], &json!(2)));
    assert_eq!(app.events_now("shelf_shown").len() + app.events_now("shelf_clicked").len(), 2, "each once");
    let metrics = app.metrics().await;
    assert_eq!(metrics.value("cartwright_shelf_events_total", &[("outcome", "written")]), Some(2.0));
}

async fn who_wants_no_history_is_not_followed_over_shelves(store: Store) {
    let app = shop(store).await;
    let (shy, ann) = (app.open_cart().await, app.open_cart().await);
    let report = async |shopper: &Shopper| {
        let places = places(&recommended(&app, "sku=MUG&limit=2", Some(shopper.token())).await);
        json!({"shown": places, "clicked": [places[0]]})
    };
    let told = report(&shy).await;
    let wish = reqwest::Client::new().patch(app.url("/api/v1/history")).bearer_auth(shy.token());
    assert_eq!(Answer::to(wish.json(&json!({"kept": false}))).await.unwrap().status, 200);
    tell(&app, shy.token(), told.clone()).await;
    let by_signal = reqwest::Client::new().post(app.url("/api/v1/shelf-events")).bearer_auth(ann.token());
    let told = report(&ann).await;
    let answer = Answer::to(by_signal.header("sec-gpc", "1").json(&told)).await.unwrap();
    assert_eq!((answer.status, &answer.body["accepted"]), (200, &json!(0)));
    let bob = app.open_cart().await;
    tell(&app, bob.token(), report(&bob).await).await;
    app.events("shelf_clicked", 1).await;
    assert_eq!((app.events_now("shelf_shown").len(), app.events_now("shelf_clicked").len()), (1, 1));
}

async fn links_of_shelves_count_without_scripts(store: Store) {
    let app = shop(store).await;
    let browser = |agent: &str| {
        reqwest::Client::builder().cookie_store(true).user_agent(agent.to_owned()).build().unwrap()
    };
    let robot = browser("Mozilla/5.0 (compatible; Googlebot/2.1)");
    let http = browser("Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0");
    let text = async |http: &reqwest::Client, path: &str| {
        http.get(app.url(path)).send().await.unwrap().text().await.unwrap()
    };
    let first = |html: &str| {
        let shelf = html.split("class=\"shelf\"").nth(1).unwrap().to_owned();
        unescape(shelf.split("card-link\" href=\"").nth(1).unwrap().split('"').next().unwrap())
    };
    let link = first(&text(&robot, "/").await);
    assert!(text(&robot, &link).await.contains("<h1>"), "a robot gets its page");
    let link = first(&text(&http, "/").await);
    for _ in 0..2 {
        let page = unescape(&text(&http, &link).await);
        assert!(
            page.contains("rel=\"canonical\" href=\"/products/"),
            "search engines know the page by one address"
        );
    }
    // Who gets the link from somebody else did not click on the shelf.
    text(&browser("Mozilla/5.0"), &link).await;
    text(&http, "/products/MUG?from=nonsense").await;
    add_from_shelf(&app, &http).await;
    let clicked = app.events("shelf_clicked", 2).await;
    let shelves: BTreeSet<_> = clicked.iter().map(|event| event["data"]["shelf"].as_str().unwrap()).collect();
    assert_eq!(
        shelves,
        ["bought_together", "popular"].into(),
        "the link once, and what was added from its card"
    );
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(app.events_now("shelf_clicked").len(), 2);
}

/// Adds what stands first on a product's shelf, by the card's form.
async fn add_from_shelf(app: &TestApp, http: &reqwest::Client) {
    let html = http.get(app.url("/products/MUG")).send().await.unwrap().text().await.unwrap();
    let from = html.split("name=\"from\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let sku =
        html.split(&format!("data-spot=\"{from}\" data-sku=\"")).nth(1).unwrap().split('"').next().unwrap();
    let fields = [("sku", sku), ("quantity", "1"), ("from", from)];
    let add = http.post(app.url("/cart/lines")).header("Origin", app.url("")).form(&fields);
    assert!(add.send().await.unwrap().status().is_success());
}

async fn a_click_is_written_before_what_it_leads_to(store: Store) {
    const SHOPPERS: usize = 12;
    let app = shop(store).await;
    for _ in 0..SHOPPERS {
        let browser = reqwest::Client::builder().cookie_store(true).user_agent("Mozilla/5.0 Firefox/130.0");
        add_from_shelf(&app, &browser.build().unwrap()).await;
    }
    let positions = async |kind: &str| -> BTreeMap<String, u64> {
        let events = app.events(kind, SHOPPERS).await;
        events.iter().map(|e| (e["unit"].to_string(), e["position"].as_u64().unwrap())).collect()
    };
    let (clicked, added) = (positions("shelf_clicked").await, positions("line_added").await);
    assert_eq!((clicked.len(), added.len()), (SHOPPERS, SHOPPERS));
    assert!(clicked.iter().all(|(unit, at)| *at < added[unit]), "{clicked:?} {added:?}");
}

/// Reads the page of the shelves until it says something.
async fn page_says(admin: &Admin, words: &str) -> String {
    eventually(words, async || admin.get("/admin/shelves?days=7").await.text().contains(words)).await;
    admin.get("/admin/shelves?days=7").await.text()
}

async fn what_came_of_shelves_is_counted_and_rebuilt_the_same(store: Store) {
    let app = shop(store).await;
    let admin = Admin::sign_in(&app).await;
    assert!(admin.get("/admin/shelves").await.text().contains("Nobody saw a shelf yet"));
    let shopper = app.open_cart().await;
    let body = recommended(&app, "sku=MUG&limit=4", Some(shopper.token())).await;
    let all = places(&body);
    tell(&app, shopper.token(), json!({"shown": all, "clicked": [all[0], all[1]]})).await;
    app.events("shelf_clicked", 2).await;
    for place in &all[..3] {
        shopper.add(place["sku"].as_str().unwrap(), 2).await.accepted();
    }
    assert_eq!(shopper.check_out("tok_success").await.status, 200);
    let price = |n: usize| body["recommendations"][n]["price_minor"].as_i64().unwrap();
    let paid = 2 * (price(0) + price(1));
    let text = page_says(&admin, &format!("£{}.{:02}", paid / 100, paid % 100)).await;
    for words in ["Bought together learnt", "4 in 1 showings", "50.00", "100.00"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let store = web::store::connect(app.store_url(), 2).await.unwrap();
    let counts = async || store.shelf_counts(0, i64::MAX).await.unwrap();
    let before = counts().await;
    store.reset_shelf_counts().await.unwrap();
    eventually("the counts are made again", async || counts().await == before).await;
}

/// Starts an experiment on the shelf of a product's page: half of the visitors see what is popular there.
async fn start_experiment(app: &TestApp) {
    let admin = Admin::sign_in(app).await;
    let ours = ["flag", "variation_1_value", "variation_2_value"];
    let mut fields: Vec<(&str, &str)> =
        crate::experiments::FIELDS.iter().copied().filter(|(name, _)| !ours.contains(name)).collect();
    fields.extend([
        ("flag", "shelf_bought_together"),
        ("variation_1_value", "\"pairs\""),
        ("variation_2_value", "\"popular\""),
    ]);
    let saved = crate::experiments::draft(&admin, &fields).await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    crate::experiments::press(&admin, "start").await;
}

async fn an_experiment_chooses_who_fills_a_shelf(store: Store) {
    let app = shop(store).await;
    start_experiment(&app).await;
    let mut seen = BTreeSet::new();
    for _ in 0..40 {
        let token = harness::app::random_token();
        let body = recommended(&app, "sku=MUG&limit=2", Some(&token)).await;
        let from = body["recommendations"][0]["from"].as_str().unwrap().to_owned();
        seen.insert(from.split('.').nth(2).unwrap().to_owned());
        let again = recommended(&app, "sku=MUG&limit=2", Some(&token)).await;
        let again = again["recommendations"][0]["from"].as_str().unwrap().to_owned();
        assert_eq!(from.split('.').nth(2), again.split('.').nth(2), "a visitor keeps to one");
        if seen.len() == 2 {
            break;
        }
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["pairs", "popular"]);
    let exposed = app.events("exposure_logged", 2).await;
    assert!(exposed.iter().all(|event| event["data"]["experiment"] == crate::experiments::KEY));
}

async fn two_algorithms_share_a_shelf_and_one_wins(store: Store) {
    let mut setup = admin::setup();
    setup.config = setup.config.replace("[shelves]\n", "[shelves]\npopular = \"pairs~popular\"\n");
    let app = TestApp::start_with(store, setup).await;
    let admin = Admin::sign_in(&app).await;
    for _ in 0..3 {
        let token = harness::app::random_token();
        let body = recommended(&app, "limit=4", Some(&token)).await;
        assert_eq!(body["shelf"], "recommended", "a visitor has a history, if an empty one");
        let popular = app.page(&app.open_cart_as(&token).await, "/").await;
        let spots: Vec<String> = popular
            .split("data-spot=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next().map(str::to_owned))
            .filter(|spot| spot.starts_with("popular."))
            .collect();
        assert_eq!(spots.len(), 6, "{popular}");
        let of = |name: &str| spots.iter().filter(|spot| spot.split('.').nth(2) == Some(name)).count();
        assert_eq!((of("pairs~popular"), of("popular~pairs")), (3, 3), "each chooses as often: {spots:?}");
        let sku = |spot: &String| {
            let rest = popular.split(&format!("data-spot=\"{spot}\" data-sku=\"")).nth(1).unwrap();
            rest.split('"').next().unwrap().to_owned()
        };
        let shown: Vec<Value> = spots.iter().map(|spot| json!({"sku": sku(spot), "from": spot})).collect();
        let liked =
            shown.iter().find(|place| place["from"].as_str().unwrap().contains("pairs~")).unwrap().clone();
        tell(&app, &token, json!({"shown": shown, "clicked": [liked]})).await;
    }
    let text = page_says(&admin, "Popular pairs against popular 3 3 0 0").await;
    assert!(text.contains("no difference shown"), "three showings are few: {text}");
}

/// Returns what is said of one product among what goes with the mug.
async fn told(app: &TestApp, sku: &str, token: Option<&str>) -> Value {
    let body = recommended(app, "sku=MUG&limit=50", token).await;
    let all = body["recommendations"].as_array().unwrap();
    all.iter().find(|one| one["sku"] == sku).cloned().unwrap_or_default()
}

async fn what_was_answered_before_is_never_out_of_date(store: Store) {
    let app = shop(store).await;
    let until_ms = now_ms() + 15_000;
    let file = app.write_file(
        "sale.csv",
        &format!(
            "sku,name,price_minor,currency,stock,prices\nSALE,Jug,900,GBP,5,\"[{{\"\"minor\"\":500,\"\"currency\"\":\"\"GBP\"\",\"\"until_ms\"\":{until_ms}}}]\"\n"
        ),
    );
    app.run(&["import", "products", &file]).await;
    eventually("it is for sale", async || told(&app, "SALE", None).await["sku"] == "SALE").await;
    let (mut cheap, mut dear) = (0, 0);
    while dear < 3 {
        let asked_ms = now_ms();
        let price = told(&app, "SALE", None).await["price_minor"].clone();
        match price.as_i64() {
            Some(500) if asked_ms < until_ms => cheap += 1,
            Some(900) if now_ms() >= until_ms => dear += 1,
            other => panic!("{other:?} {} ms after the price ended", now_ms() - until_ms),
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(cheap > 3, "it was asked before, too: {cheap}");

    // Who asks the same is shown the same, each in a showing of their own.
    let tokens = ["one", "another"].map(|name| format!("{name}-{}", harness::app::random_token()));
    for token in tokens.iter().chain(&tokens) {
        let body = recommended(&app, "sku=MUG&limit=3", Some(token)).await;
        assert_eq!(tell(&app, token, json!({"clicked": places(&body)})).await["accepted"], 3, "{body}");
        assert!(told(&app, "SALE", None).await["from"].is_null());
    }

    let shopper = app.open_cart().await;
    shopper.add("SALE", 2).await.accepted();
    eventually("pieces are held", async || told(&app, "SALE", None).await["available"] == 3).await;
    shopper.add("SALE", 3).await.accepted();
    eventually("it is sold out", async || told(&app, "SALE", None).await.is_null()).await;
    assert!(!told(&app, "V5", None).await.is_null());
    let rules = json!([{"id": "not", "type": "exclude", "skus": ["V5"]}]);
    assert_eq!(save(&app, 0, rules).await.status, 200);
    assert!(told(&app, "V5", None).await.is_null(), "a rule holds at once");
}

/// Returns the clock's reading, in Unix milliseconds.
pub fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_millis()).unwrap()
}

async fn an_algorithm_that_is_late_is_done_without(store: Store) {
    let app = TestApp::start_with(store, with_deadline_ms(0)).await;
    assert_eq!(skus(&app, "sku=MUG&limit=3", None).await.len(), 3);
    let found = skus(&app, "sku=MUG&limit=50", None).await;
    assert!(!found.contains(&"GONE".to_owned()) && !found.contains(&"MUG".to_owned()), "{found:?}");
    let metrics = app.metrics().await;
    assert_eq!(metrics.value("cartwright_shelf_fallbacks_total", &[("why", "late")]), Some(2.0));
}

async fn a_trail_names_products_with_commas(store: Store) {
    let mut setup = admin::setup();
    let mug = setup.goods.iter().find(|goods| goods.sku == "MUG").unwrap().clone();
    setup.goods.push(harness::catalogue::Goods { sku: "MUG,BLUE".to_owned(), ..mug });
    let app = TestApp::start_with(store, setup).await;
    let all = ["MUG", "LAMP", "MUG,BLUE"];
    // What is on screen, the last of the trail, is not offered.
    for (query, last) in [
        ("viewed=MUG&viewed=LAMP", "LAMP"),
        ("viewed=LAMP&viewed=TEAPOT,MUG", "MUG"),
        ("viewed=TEAPOT%2CLAMP", "LAMP"),
        ("viewed=LAMP,MUG%2CBLUE", "MUG,BLUE"),
        ("viewed=LAMP&viewed=MUG%2CBLUE", "MUG,BLUE"),
        ("viewed=MUG%2CBLUE,LAMP,", "LAMP"),
    ] {
        let found = skus(&app, &format!("{query}&limit=50"), None).await;
        let missing: Vec<_> = all.into_iter().filter(|sku| !found.contains(&(*sku).to_owned())).collect();
        assert_eq!(missing, [last], "{query}");
    }
    let many = vec!["viewed=MUG"; 51].join("&");
    for (query, words) in [(many.as_str(), "51 products, the most is 50"), ("viewed=MUG&vewed=LAMP", "vewed")]
    {
        let request = reqwest::Client::new().get(app.url(&format!("/api/v1/recommendations?{query}")));
        let answer = Answer::to(request).await.unwrap();
        assert!(answer.status == 400 && answer.body.to_string().contains(words), "{}", answer.body);
    }
}
