//! Wish lists: kept, shared, and bought from.

use harness::{Answer, Shopper, Store, TestApp, app::random_token};
use reqwest::{Client, Method, redirect::Policy};
use serde_json::{Value, json};

on_each_store!(
    a_list_keeps_what_is_wished_for,
    things_move_between_list_and_cart,
    a_list_is_shared_by_a_link_that_can_be_taken_back,
    pages_keep_lists_without_scripts,
    lists_come_along_at_a_log_in,
);

struct Wisher<'a> {
    app: &'a TestApp,
    token: String,
}

impl<'a> Wisher<'a> {
    fn new(app: &'a TestApp) -> Self {
        Self { app, token: random_token() }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let url = self.app.url(&format!("/api/v1{path}"));
        let request = Client::new().request(method, url).bearer_auth(&self.token);
        Answer::to(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
        .unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(body)).await
    }

    async fn open(&self, name: &str) -> String {
        let opened = self.post("/lists", json!({"name": name})).await;
        assert_eq!(opened.status, 201, "{}", opened.body);
        opened.body["id"].as_str().unwrap().to_owned()
    }
}

fn skus(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["sku"].as_str().unwrap()).collect()
}

async fn a_list_keeps_what_is_wished_for(store: Store) {
    let app = TestApp::start(store).await;
    let ann = Wisher::new(&app);
    let id = ann.open("Birthday").await;
    let items = format!("/lists/{id}/items");
    let wish =
        json!({"sku": "MUG", "quantity": 2, "note": "the blue one", "properties": {"engraving": "Ada"}});
    let list = ann.post(&items, wish).await.body;
    assert_eq!((&list["items"][0]["quantity"], &list["items"][0]["name"]), (&json!(2), &json!("The MUG")));
    ann.post(&items, json!({"sku": "MUG"})).await;
    let again = ann.post(&items, json!({"sku": "MUG", "quantity": 5})).await.body;
    assert_eq!(
        (skus(&again).len(), &again["items"][1]["quantity"]),
        (2, &json!(5)),
        "once a product and properties"
    );
    ann.post(&items, json!({"sku": "NOTHING"})).await.assert_problem(422, "unknown-sku");
    ann.post(&items, json!({"sku": "MUG", "quantity": 0})).await.assert_problem(422, "invalid-quantity");
    ann.post("/lists", json!({"name": " "})).await.assert_problem(422, "invalid-details");

    let renamed = ann.ask(Method::PATCH, &format!("/lists/{id}"), Some(json!({"name": "My birthday"}))).await;
    assert_eq!(renamed.body["name"], "My birthday");
    let item = again["items"][0]["id"].as_str().unwrap();
    let left = ann.ask(Method::DELETE, &format!("{items}/{item}"), None).await.body;
    assert_eq!(skus(&left), ["MUG"]);

    // Somebody else's list looks like none.
    let eve = Wisher::new(&app);
    for (method, path) in
        [(Method::GET, ""), (Method::DELETE, ""), (Method::POST, "/to-cart"), (Method::POST, "/share")]
    {
        eve.ask(method, &format!("/lists/{id}{path}"), None).await.assert_problem(404, "unknown-list");
    }
    assert_eq!(eve.ask(Method::GET, "/lists", None).await.body["lists"], json!([]));
    for n in 1..20 {
        ann.open(&format!("List {n}")).await;
    }
    ann.post("/lists", json!({"name": "One more"})).await.assert_problem(409, "too-many-lists");
    assert_eq!(ann.ask(Method::DELETE, &format!("/lists/{id}"), None).await.status, 204);
    ann.ask(Method::GET, &format!("/lists/{id}"), None).await.assert_problem(404, "unknown-list");
    assert_eq!(ann.ask(Method::GET, "/lists", None).await.body["lists"].as_array().unwrap().len(), 19);
}

async fn things_move_between_list_and_cart(store: Store) {
    let app = TestApp::start(store).await;
    let ann = Wisher::new(&app);
    let id = ann.open("Later").await;
    for (sku, quantity) in [("MUG", 2), ("RARE", 5), ("TEAPOT", 1)] {
        ann.post(&format!("/lists/{id}/items"), json!({"sku": sku, "quantity": quantity})).await;
    }
    let to_cart = format!("/lists/{id}/to-cart");
    ann.post(&to_cart, json!({"items": ["VASE"]})).await.assert_problem(404, "item-not-found");
    let kept = ann.post(&to_cart, json!({"items": ["MUG"], "keep": true})).await;
    assert_eq!((kept.status, &kept.body["lines"][0]["outcome"]), (200, &json!("added")), "{}", kept.body);
    let moved = ann.post(&to_cart, json!({"items": ["RARE", "MUG"]})).await.body;
    assert_eq!((&moved["lines"][0]["added"], &moved["lines"][0]["wanted"]), (&json!(3), &json!(5)));
    assert_eq!(moved["cart"]["totals"]["items"], 7);
    let list = ann.ask(Method::GET, &format!("/lists/{id}"), None).await.body;
    assert_eq!(skus(&list), ["TEAPOT"], "what went into the cart came off the list");

    let cart = moved["cart"]["id"].as_str().unwrap();
    let from_cart = format!("/lists/{id}/from-cart");
    let list = ann.post(&from_cart, json!({"cart": cart, "line": "RARE"})).await.body;
    assert_eq!((skus(&list), &list["items"][1]["quantity"]), (vec!["TEAPOT", "RARE"], &json!(3)));
    ann.post(&from_cart, json!({"cart": cart, "line": "RARE"})).await.assert_problem(422, "line-not-found");
    let eve = app.open_cart().await;
    ann.post(&from_cart, json!({"cart": eve.cart_id(), "line": "MUG"}))
        .await
        .assert_problem(403, "not-owner");
    // The pieces are everybody's again.
    eve.add("RARE", 3).await.accepted();
}

async fn a_list_is_shared_by_a_link_that_can_be_taken_back(store: Store) {
    let app = TestApp::start(store).await;
    let ann = Wisher::new(&app);
    let id = ann.open("Wedding").await;
    ann.post(&format!("/lists/{id}/items"), json!({"sku": "MUG", "quantity": 2, "note": "two, please"}))
        .await;
    let share = format!("/lists/{id}/share");
    let first = ann.ask(Method::POST, &share, None).await;
    assert_eq!(first.status, 201);
    let token = first.body["token"].as_str().unwrap().to_owned();
    assert!(first.body["url"].as_str().unwrap().ends_with(&format!("/lists/shared/{token}")));
    let read = async |token: &str| {
        Answer::to(Client::new().get(app.url(&format!("/api/v1/shared-lists/{token}")))).await.unwrap()
    };
    let seen = read(&token).await.body;
    assert_eq!((&seen["name"], &seen["items"][0]["note"]), (&json!("Wedding"), &json!("two, please")));
    assert!(seen.get("id").is_none() && seen.get("owner").is_none(), "whose it is stays theirs");

    let bob = Wisher::new(&app);
    let bought = bob.post(&format!("/shared-lists/{token}/to-cart"), json!({})).await;
    assert_eq!((bought.status, &bought.body["cart"]["totals"]["items"]), (200, &json!(2)), "{}", bought.body);
    let page = Shopper::open_cart(app.address(), &bob.token).await;
    let page = app.page(&page, &format!("/lists/shared/{token}")).await;
    assert!(page.contains("The MUG") && page.contains("two, please") && !page.contains("Delete the list"));
    assert_eq!(ann.ask(Method::GET, &format!("/lists/{id}"), None).await.body["items"][0]["quantity"], 2);

    let second = ann.ask(Method::POST, &share, None).await.body["token"].as_str().unwrap().to_owned();
    read(&token).await.assert_problem(404, "unknown-list");
    assert_eq!(read(&second).await.status, 200);
    assert_eq!(ann.ask(Method::DELETE, &share, None).await.status, 204);
    read(&second).await.assert_problem(404, "unknown-list");
}

async fn pages_keep_lists_without_scripts(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    shopper.add("TEAPOT", 2).await.accepted();
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let send = async |path: &str, form: &[(&str, &str)]| {
        let cookie = format!("cartwright_visitor={}", shopper.token());
        let answer = client.post(app.url(path)).header("cookie", cookie).form(form).send().await.unwrap();
        assert_eq!(answer.status(), 303, "{path}");
        answer.headers()["location"].to_str().unwrap().to_owned()
    };
    assert!(app.page(&shopper, "/products/MUG").await.contains("action=\"/lists/items\""));
    assert_eq!(send("/lists/items", &[("sku", "MUG"), ("list", "")]).await, "/products/MUG");
    let page = app.page(&shopper, "/lists").await;
    assert!(page.contains("Wish list") && page.contains("1 thing"), "{page}");
    let at = page.find("/lists/0").expect("a link to the list");
    let list: String = page[at..].chars().take_while(|c| *c != '"').collect();
    send("/cart/lines/TEAPOT", &[("list", "1")]).await;
    assert_eq!(shopper.quantity("TEAPOT").await, 0);
    let page = app.page(&shopper, &list).await;
    assert!(page.contains("The MUG") && page.contains("The TEAPOT"), "{page}");
    send(&list, &[("item", "MUG"), ("quantity", "4"), ("note", "four")]).await;
    assert!(app.page(&shopper, &list).await.contains("value=\"four\""));
    send(&list, &[("cart", "1"), ("item", "MUG")]).await;
    assert_eq!(shopper.quantity("MUG").await, 4);
    send(&list, &[("name", "For the kitchen")]).await;
    send(&list, &[("share", "1")]).await;
    let page = app.page(&shopper, &list).await;
    assert!(
        page.contains("For the kitchen") && page.contains("Take the link back") && !page.contains("The MUG")
    );
    assert_eq!(send(&list, &[("delete", "1")]).await, "/lists");
    assert!(!app.page(&shopper, "/lists").await.contains("For the kitchen"));
}

async fn lists_come_along_at_a_log_in(store: Store) {
    let app = TestApp::start(store).await;
    let ann = Wisher::new(&app);
    let id = ann.open("Birthday").await;
    let account = json!({"email": "ann@example.org", "password": "seven geese over Bath", "name": "Ann"});
    let entered = ann.post("/users", account).await;
    assert_eq!(entered.status, 201, "{}", entered.body);
    let token = entered.body["visitor_token"].as_str().unwrap().to_owned();
    let user = Wisher { app: &app, token };
    let lists = user.ask(Method::GET, "/lists", None).await.body;
    assert_eq!(lists["lists"][0]["id"], id, "{lists}");
    assert_eq!(ann.ask(Method::GET, "/lists", None).await.body["lists"], json!([]));
}
