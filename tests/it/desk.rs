//! The topic of the shop: what the API answers, asked over a channel.

use harness::{Answer, Device, Frame, Shopper, Store, TestApp, app::Setup};
use reqwest::Client;
use serde_json::{Value, json};

on_each_store!(
    a_device_buys_again_what_an_order_had,
    a_device_keeps_wish_lists,
    a_device_searches_explains_and_shares,
    what_is_refused_is_told_as_a_problem_document_tells_it,
    what_is_asked_counts_as_requests_do,
    the_desk_is_joined_and_left,
);

async fn at_desk(app: &TestApp, token: &str) -> Device {
    let mut device = app.device(token).await;
    assert_eq!(device.join("shop").await.status(), "ok");
    device
}

async fn ask(device: &mut Device, operation: &str, payload: Value) -> Frame {
    device.push("shop", operation, payload).await
}

async fn told(device: &mut Device, operation: &str, payload: Value) -> Value {
    let frame = ask(device, operation, payload).await;
    assert_eq!(frame.status(), "ok", "{operation}: {frame:?}");
    frame.response().clone()
}

async fn over_http(app: &TestApp, shopper: &Shopper, path: &str) -> Value {
    let url = app.url(&format!("/api/v1{path}"));
    Answer::to(Client::new().get(url).bearer_auth(shopper.token())).await.unwrap().body
}

async fn a_device_buys_again_what_an_order_had(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    shopper.add("MUG", 2).await.accepted();
    let order = shopper.check_out("tok_success").await.body["order"]["id"].clone();
    let mut device = at_desk(&app, shopper.token()).await;
    let orders = told(&mut device, "listOrders", json!({"limit": 1})).await;
    assert_eq!((&orders["orders"][0]["id"], &orders["next_cursor"]), (&order, &Value::Null));
    let path = format!("/orders/{}", order.as_str().unwrap());
    assert_eq!(
        told(&mut device, "readOrder", json!({"id": order})).await,
        over_http(&app, &shopper, &path).await
    );

    let again = json!({"id": order, "idempotency_key": "k1"});
    let filled = told(&mut device, "reorder", again.clone()).await;
    assert_eq!(
        (&filled["lines"][0]["outcome"], &filled["cart"]["lines"][0]["quantity"]),
        (&json!("added"), &json!(2))
    );
    let same = told(&mut device, "reorder", again).await;
    assert_eq!(same["cart"], filled["cart"], "the same key adds nothing twice");
    let other = json!({"id": order, "idempotency_key": "k1", "body": {"cart": filled["cart"]["id"]}});
    assert_eq!(ask(&mut device, "reorder", other).await.reason(), "idempotency_mismatch");

    // The cart's own topic hears of what is done at the desk.
    let topic = format!("cart:{}", filled["cart"]["id"].as_str().unwrap());
    assert_eq!(device.join(&topic).await.status(), "ok");
    let more = told(&mut device, "reorder", json!({"id": order, "idempotency_key": "k2"})).await;
    assert_eq!(device.cart_at(more["version"].as_u64().unwrap()).await.payload["cart"], more["cart"]);

    let mut stranger = at_desk(&app, "a-stranger-who-guesses-numbers").await;
    for operation in ["readOrder", "cancelOrder", "reorder"] {
        let refused = ask(&mut stranger, operation, json!({"id": order})).await;
        assert_eq!((refused.status(), refused.reason()), ("error", "unknown_order"), "{operation}");
    }
    let cancelled = told(&mut device, "cancelOrder", json!({"id": order})).await;
    assert_eq!(cancelled, over_http(&app, &shopper, &path).await);
    assert_eq!(cancelled["status"], "cancelled", "{cancelled}");
}

async fn a_device_keeps_wish_lists(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let mut device = at_desk(&app, shopper.token()).await;
    let list = told(&mut device, "openWishList", json!({"body": {"name": "Birthday"}})).await;
    let id = &list["id"];
    let put = json!({"id": id, "body": {"sku": "MUG", "quantity": 2}});
    let item = told(&mut device, "putWish", put).await["items"][0]["id"].clone();
    let named = told(&mut device, "renameWishList", json!({"id": id, "body": {"name": "Ada's"}})).await;
    assert_eq!(named["name"], "Ada's");
    let path = format!("/lists/{}", id.as_str().unwrap());
    assert_eq!(
        told(&mut device, "readWishList", json!({"id": id})).await,
        over_http(&app, &shopper, &path).await
    );
    assert_eq!(
        told(&mut device, "listWishLists", json!({})).await,
        over_http(&app, &shopper, "/lists").await
    );

    let link = told(&mut device, "shareWishList", json!({"id": id})).await;
    let mut friend = at_desk(&app, "a-friend-with-a-link").await;
    let shared = json!({"token": link["token"]});
    assert_eq!(told(&mut friend, "readSharedWishList", shared.clone()).await["name"], "Ada's");
    let filled = told(&mut friend, "sharedWishesIntoCart", shared.clone()).await;
    assert_eq!(filled["cart"]["lines"][0]["quantity"], 2);
    assert_eq!(ask(&mut friend, "readWishList", json!({"id": id})).await.reason(), "unknown_list");
    assert_eq!(told(&mut device, "unshareWishList", json!({"id": id})).await, json!({}));
    assert_eq!(ask(&mut friend, "readSharedWishList", shared).await.reason(), "unknown_list");

    let into = json!({"id": id, "body": {"cart": shopper.cart_id()}});
    let filled = told(&mut device, "wishesIntoCart", into).await;
    assert_eq!(filled["cart"], shopper.cart().await);
    let line = &filled["cart"]["lines"][0]["id"];
    let back = json!({"id": id, "body": {"cart": shopper.cart_id(), "line": line}});
    assert_eq!(told(&mut device, "lineOntoWishList", back).await["items"][0]["sku"], "MUG");
    assert_eq!(shopper.cart().await["lines"], json!([]));
    let taken = told(&mut device, "takeWish", json!({"id": id, "item": item})).await;
    assert_eq!(taken["items"], json!([]));
    assert_eq!(told(&mut device, "deleteWishList", json!({"id": id})).await, json!({}));
    assert_eq!(ask(&mut device, "readWishList", json!({"id": id})).await.reason(), "unknown_list");
}

async fn a_device_searches_explains_and_shares(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    shopper.add("MUG", 1).await.accepted();
    let mut device = at_desk(&app, shopper.token()).await;
    let found = told(&mut device, "searchProducts", json!({"q": "mug", "limit": 1})).await;
    assert_eq!(found, over_http(&app, &shopper, "/products?q=mug&limit=1").await);
    assert_eq!(found["products"].as_array().map(Vec::len), Some(1), "{found}");
    let narrowed = json!({"option.colour": ["blue", "red"], "in_stock": true});
    let path = "/products?in_stock=true&option.colour=blue&option.colour=red";
    assert_eq!(told(&mut device, "searchProducts", narrowed).await, over_http(&app, &shopper, path).await);
    let unknown = ask(&mut device, "searchProducts", json!({"colour": "blue"})).await;
    assert_eq!(unknown.reason(), "invalid_request", "{unknown:?}");
    let path = format!("/carts/{}/explain", shopper.cart_id());
    let explained = told(&mut device, "explainCart", json!({"id": shopper.cart_id()})).await;
    assert_eq!(explained, over_http(&app, &shopper, &path).await);

    let ask_for = json!({"sku": "MUG", "email": "ada@example.org"});
    let request = Client::new().post(app.url("/api/v1/stock-requests")).json(&ask_for);
    let document = Answer::to(request).await.unwrap().body;
    let refused = ask(&mut device, "requestStock", json!({"body": ask_for})).await;
    assert_eq!(refused.reason(), document["code"], "{refused:?}");

    let link = told(&mut device, "shareCart", json!({"id": shopper.cart_id(), "body": {}})).await;
    let mut friend = at_desk(&app, "a-friend-with-a-link").await;
    let seen = told(&mut friend, "readSharedCart", json!({"token": link["token"]})).await;
    assert_eq!(seen["cart"]["lines"][0]["sku"], "MUG", "{seen}");
    assert_eq!(ask(&mut friend, "readCart", json!({"id": shopper.cart_id()})).await.reason(), "not_owner");
}

async fn what_is_refused_is_told_as_a_problem_document_tells_it(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let mut device = at_desk(&app, shopper.token()).await;
    let stale = json!({"id": shopper.cart_id(), "if_version": 99, "body": {"type": "clear"}});
    assert_eq!(ask(&mut device, "commandCart", stale).await.reason(), "stale_version");
    let body = json!({"name": ""});
    let answer = Client::new().post(app.url("/api/v1/lists")).bearer_auth(shopper.token()).json(&body);
    let document = Answer::to(answer).await.unwrap().body;
    let refused = ask(&mut device, "openWishList", json!({"body": body})).await;
    assert_eq!(refused.status(), "error");
    assert_eq!(refused.reason(), document["code"]);
    for member in ["detail", "mend", "fields"] {
        assert_eq!(refused.response()[member], document[member], "{member}");
    }
    // Neither what is the shop's people's, nor what says who somebody is, nor what no operation is called.
    for operation in ["findOrders", "fulfilOrder", "logIn", "signUp", "tellOfPayment", "update_cart", ""] {
        let refused = ask(&mut device, operation, json!({})).await;
        assert_eq!(refused.reason(), "invalid_request", "{operation}: {refused:?}");
    }
}

async fn what_is_asked_counts_as_requests_do(store: Store) {
    let config =
        "[payment]\ntimeout_ms = 300\n[limits]\nloopback = true\nvisitor_requests = 3\nseconds = 60\n";
    let setup = Setup { config: config.to_owned(), ..Setup::default() };
    let app = TestApp::start_with(store, setup).await;
    let mut device = at_desk(&app, "a-visitor-in-a-hurry").await;
    for _ in 0..3 {
        told(&mut device, "listWishLists", json!({})).await;
    }
    let refused = ask(&mut device, "listWishLists", json!({})).await;
    assert_eq!(refused.reason(), "too_many_requests", "{refused:?}");
    assert!(refused.response()["retry_after_s"].as_u64() > Some(0), "{refused:?}");
    let request = Client::new().get(app.url("/api/v1/lists")).bearer_auth("a-visitor-in-a-hurry");
    assert_eq!(Answer::to(request).await.unwrap().status, 429, "both doors count as one");
}

async fn the_desk_is_joined_and_left(store: Store) {
    let app = TestApp::start(store).await;
    let mut device = app.device("123").await;
    let early = ask(&mut device, "listWishLists", json!({})).await;
    assert_eq!((early.status(), early.reason()), ("error", "unmatched topic"));
    device.send(json!(["1", "1", "shop", "phx_join", {}])).await;
    assert_eq!(device.reply_to("1").await.status(), "ok");
    device.send(json!(["2", "2", "shop", "phx_join", {}])).await;
    assert_eq!(device.reply_to("2").await.status(), "ok");
    let before: Vec<Value> = device.frames_until_heartbeat().await.iter().map(Frame::to_json).collect();
    assert_eq!(before, [json!(["1", "1", "shop", "phx_close", {}])]);
    // What belongs to an earlier join is ignored, and what wants no reply gets none.
    device.send(json!(["1", "3", "shop", "listWishLists", {}])).await;
    device.send(json!([null, null, "shop", "openWishList", {"body": {"name": "Quiet"}}])).await;
    assert_eq!(device.frames_until_heartbeat().await, []);
    assert_eq!(told(&mut device, "listWishLists", json!({})).await["lists"][0]["name"], "Quiet");
    device.send(json!(["2", "5", "shop", "phx_leave", {}])).await;
    assert_eq!(device.reply_to("5").await.status(), "ok");
    assert_eq!(ask(&mut device, "listWishLists", json!({})).await.reason(), "unmatched topic");
}
