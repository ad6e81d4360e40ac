//! Who saw and clicked what, and what came of it.

use super::*;

on_each_store!(
    what_is_seen_and_clicked_counts_once,
    who_wants_no_history_is_not_followed_over_shelves,
    links_of_shelves_count_without_scripts,
    a_click_is_written_before_what_it_leads_to,
    what_came_of_shelves_is_counted_and_rebuilt_the_same,
);

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
