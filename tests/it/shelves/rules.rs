//! The shop's rules: what they decide, who changed them and where they are written.

use super::*;

on_each_store!(
    rules_decide_what_shelves_offer,
    rules_are_kept_with_who_changed_them_and_why,
    rules_are_written_on_a_page,
    a_first_page_without_aisles_repeats_nothing_and_obeys_the_rules,
);

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
