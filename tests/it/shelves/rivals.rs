//! Who fills a shelf is a flag, and an experiment finds who does so best.

use super::*;

on_each_store!(an_experiment_chooses_who_fills_a_shelf, two_algorithms_share_a_shelf_and_one_wins);

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
