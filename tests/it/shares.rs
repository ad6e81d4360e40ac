//! Carts shared by a link: read, changed and watched by whoever has it, until its owner takes it back.

use harness::{Answer, Device, Frame, Shopper, Store, TestApp, app::random_token};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::users::{PASSWORD, ada, credentials, token_of};

on_each_store!(
    a_link_shows_the_cart_and_nothing_of_its_owner,
    a_link_that_lets_change_keeps_the_owners_rules,
    only_the_owner_sees_to_the_links,
    who_watches_by_a_link_sees_changes_until_it_is_taken_back,
    a_link_ends_with_its_time,
    a_key_has_one_effect_and_a_stale_version_none,
    what_is_shared_can_be_put_into_ones_own_cart,
    a_link_goes_on_with_its_cart_and_not_into_another,
);

/// Makes a link to a shopper's cart; returns its token and id.
pub async fn share(owner: &Shopper, wish: Value) -> (String, String) {
    let made = owner.request("POST", "/shares", Some(wish)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made.body["token"]), text(&made.body["share"]["id"]))
}

/// Asks as somebody of whom nothing is known but the link.
async fn ask(app: &TestApp, method: Method, path: &str, body: Option<Value>) -> Answer {
    let request = Client::new().request(method, app.url(&format!("/api/v1/shared-carts/{path}")));
    Answer::to(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
    .unwrap()
}

async fn read(app: &TestApp, token: &str) -> Answer {
    ask(app, Method::GET, token, None).await
}

async fn command(app: &TestApp, token: &str, command: Value) -> Answer {
    ask(app, Method::POST, &format!("{token}/commands"), Some(command)).await
}

async fn a_link_shows_the_cart_and_nothing_of_its_owner(store: Store) {
    let app = TestApp::start(store).await;
    let ann = app.open_cart().await;
    for (sku, quantity) in [("MUG", 2), ("TEAPOT", 1)] {
        ann.add(sku, quantity).await.accepted();
    }
    ann.command(&json!({"type": "save_line", "line": "TEAPOT"})).await.accepted();
    ann.command(&json!({"type": "set_note", "text": "the key is under the mat"})).await.accepted();
    ann.command(&json!({"type": "start_checkout"})).await.accepted();
    let address = json!({"email": "ann@example.org", "name": "Ann Lee", "street": "1 Quiet Lane",
        "city": "Bath", "postcode": "BA1 1AA", "country": "GB"});
    let step = json!({"type": "complete_step", "step": "address", "details": address});
    ann.command(&step).await.accepted();
    let (token, _) = share(&ann, json!({"name": "Ben"})).await;
    let seen = read(&app, &token).await;
    assert_eq!((seen.status, &seen.body["editable"]), (200, &json!(false)), "{}", seen.body);
    let cart = &seen.body["cart"];
    assert_eq!((&cart["lines"][0]["sku"], &cart["lines"][0]["quantity"]), (&json!("MUG"), &json!(2)));
    assert_eq!(seen.header("etag"), format!("\"{}\"", cart["version"]));
    for (member, left_out) in [
        ("saved", json!([])),
        ("note", json!("")),
        ("completed_steps", json!([])),
        ("next_step", Value::Null),
        ("shipping_method", Value::Null),
    ] {
        assert_eq!(cart[member], left_out, "{member}");
    }
    let text = seen.body.to_string();
    for secret in ["ann@", "Ann Lee", "Quiet Lane", "Bath", "BA1", "under the mat", "TEAPOT"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let add = json!({"type": "add_line", "sku": "MUG", "quantity": 1});
    command(&app, &token, add).await.assert_problem(403, "share-read-only");
    read(&app, &"0".repeat(64)).await.assert_problem(404, "unknown-share");
}

async fn a_link_that_lets_change_keeps_the_owners_rules(store: Store) {
    let app = TestApp::start(store).await;
    let ann = app.open_cart().await;
    ann.add("MUG", 1).await.accepted();
    let (token, _) = share(&ann, json!({"editable": true})).await;
    let add = |sku: &str, quantity: u32| json!({"type": "add_line", "sku": sku, "quantity": quantity});
    let changed = command(&app, &token, add("TEAPOT", 2)).await;
    assert_eq!((changed.status, &changed.body["item"]["sku"]), (200, &json!("TEAPOT")), "{}", changed.body);
    command(&app, &token, json!({"type": "batch", "commands": [add("MUG", 1), add("MUG", 1)]}))
        .await
        .accepted();
    assert_eq!((ann.quantity("MUG").await, ann.quantity("TEAPOT").await), (3, 2));
    command(&app, &token, add("RARE", 4)).await.assert_problem(409, "out-of-stock");
    command(&app, &token, add("NOTHING", 1)).await.assert_problem(422, "unknown-sku");
    for owners in [
        json!({"type": "start_checkout"}),
        json!({"type": "set_note", "text": "mine"}),
        json!({"type": "save_line", "line": "MUG"}),
        json!({"type": "accept_prices"}),
        json!({"type": "apply_gift_card", "code": "ABCD-EFGH-2345-6789"}),
        json!({"type": "use_store_credit", "on": true}),
        json!({"type": "place_order", "payment_token": "tok_success"}),
        json!({"type": "batch", "commands": [add("MUG", 1), {"type": "set_note", "text": "mine"}]}),
    ] {
        command(&app, &token, owners).await.assert_problem(403, "owner-only");
    }
    assert_eq!(ann.quantity("MUG").await, 3, "a batch is done whole or not at all");
}

async fn only_the_owner_sees_to_the_links(store: Store) {
    let app = TestApp::start(store).await;
    let ann = app.open_cart().await;
    let (token, id) = share(&ann, json!({"name": " the party ", "editable": true})).await;
    let listed = ann.request("GET", "/shares", None).await;
    let shares = &listed.body["shares"];
    assert_eq!((&shares[0]["id"], &shares[0]["name"]), (&json!(id), &json!("the party")), "{shares}");
    assert!(!listed.body.to_string().contains(&token), "the token is told once");
    let eve = ann.impostor(&random_token());
    for (method, path) in
        [("POST", "/shares".into()), ("GET", "/shares".into()), ("DELETE", format!("/shares/{id}"))]
    {
        eve.request(method, &path, None).await.assert_problem(403, "not-owner");
    }
    for wrong in
        [json!({"expires_in_s": 0}), json!({"name": "x".repeat(81)}), json!({"expires_in_s": 40_000_000})]
    {
        ann.request("POST", "/shares", Some(wrong)).await.assert_problem(400, "invalid-request");
    }
    for _ in 1..20 {
        share(&ann, json!({})).await;
    }
    ann.request("POST", "/shares", None).await.assert_problem(409, "too-many-shares");
    assert_eq!(ann.request("DELETE", &format!("/shares/{id}"), None).await.status, 204);
    ann.request("DELETE", &format!("/shares/{id}"), None).await.assert_problem(404, "unknown-share");
    read(&app, &token).await.assert_problem(404, "unknown-share");
    command(&app, &token, json!({"type": "clear"})).await.assert_problem(404, "unknown-share");
    share(&ann, json!({})).await;
}

/// Joins the cart of a link on a device of somebody else.
pub async fn watch(app: &TestApp, topic: &str, token: &str) -> (Device, Frame) {
    let mut device = app.device(&random_token()).await;
    let joined = device.join_with(topic, json!({"share": token})).await;
    (device, joined)
}

async fn who_watches_by_a_link_sees_changes_until_it_is_taken_back(store: Store) {
    let app = TestApp::start(store).await;
    let ann = app.open_cart().await;
    let (reader, id) = share(&ann, json!({})).await;
    let (editor, _) = share(&ann, json!({"editable": true})).await;
    let (mut ben, joined) = watch(&app, &ann.topic(), &reader).await;
    assert_eq!(joined.status(), "ok", "{joined:?}");
    let (mut cleo, joined) = watch(&app, &ann.topic(), &editor).await;
    assert_eq!(joined.status(), "ok", "{joined:?}");
    ann.command(&json!({"type": "set_note", "text": "under the mat"})).await.accepted();
    let version = ann.add("MUG", 1).await.accepted()["version"].as_u64().unwrap();
    for device in [&mut ben, &mut cleo] {
        let told = device.cart_at(version).await;
        assert_eq!(
            (&told.payload["item"]["sku"], &told.payload["cart"]["note"]),
            (&json!("MUG"), &json!("")),
            "{told:?}"
        );
    }
    assert_eq!(ben.update_cart(&ann.topic(), "MUG", 3).await.reason(), "share_read_only");
    let changed = cleo.update_cart(&ann.topic(), "MUG", 5).await;
    assert_eq!((changed.status(), &changed.response()["cart"]["note"]), ("ok", &json!("")), "{changed:?}");
    ben.cart_at(changed.response()["version"].as_u64().unwrap()).await;
    let order = json!({"type": "place_order", "payment_token": "tok_success"});
    assert_eq!(cleo.push(&ann.topic(), "command", order).await.reason(), "owner_only");

    assert_eq!(ann.request("DELETE", &format!("/shares/{id}"), None).await.status, 204);
    ben.next_where(|frame| frame.event == "share_ended").await;
    ben.next_where(|frame| frame.event == "phx_close").await;
    ben.forget_waiting();
    let version = ann.add("TEAPOT", 1).await.accepted()["version"].as_u64().unwrap();
    cleo.cart_at(version).await;
    let after = ben.frames_until_heartbeat().await;
    assert!(after.is_empty(), "who is shut out is told nothing more: {after:?}");
    assert_eq!(ben.join_with(&ann.topic(), json!({"share": reader})).await.reason(), "unknown_share");
    let other = app.open_cart().await;
    assert_eq!(ben.join_with(&other.topic(), json!({"share": editor})).await.reason(), "unknown_share");
    assert_eq!(ben.join(&ann.topic()).await.reason(), "not_owner");
}

async fn a_link_ends_with_its_time(store: Store) {
    let app = TestApp::start(store).await;
    let ann = app.open_cart().await;
    let (token, _) = share(&ann, json!({"expires_in_s": 2, "editable": true})).await;
    let (mut ben, joined) = watch(&app, &ann.topic(), &token).await;
    assert_eq!(joined.status(), "ok", "{joined:?}");
    while read(&app, &token).await.status == 200 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    read(&app, &token).await.assert_problem(404, "unknown-share");
    assert_eq!(ben.update_cart(&ann.topic(), "MUG", 1).await.reason(), "unknown_share");
    ann.add("MUG", 1).await.accepted();
    ben.next_where(|frame| frame.event == "share_ended").await;
    assert_eq!(ann.request("GET", "/shares", None).await.body["shares"], json!([]));
}

async fn a_key_has_one_effect_and_a_stale_version_none(store: Store) {
    let app = TestApp::start(store).await;
    let ann = app.open_cart().await;
    let (token, _) = share(&ann, json!({"editable": true})).await;
    let (other, _) = share(&ann, json!({"editable": true})).await;
    let add = json!({"type": "add_line", "sku": "MUG", "quantity": 1});
    let send = async |token: &str, header: (&str, &str), body: &Value| {
        let url = app.url(&format!("/api/v1/shared-carts/{token}/commands"));
        Answer::to(Client::new().post(url).header(header.0, header.1).json(body)).await.unwrap()
    };
    let first = send(&token, ("Idempotency-Key", "k"), &add).await;
    let again = send(&token, ("Idempotency-Key", "k"), &add).await;
    assert_eq!((first.status, &first.body), (200, &again.body));
    send(&other, ("Idempotency-Key", "k"), &add).await.accepted();
    ann.command_with_key(&add, "k").await.accepted();
    assert_eq!(ann.quantity("MUG").await, 3, "each who takes part has keys of their own");
    let clear = json!({"type": "clear"});
    send(&token, ("Idempotency-Key", "k"), &clear).await.assert_problem(422, "idempotency-mismatch");
    send(&token, ("If-Match", first.header("etag")), &clear).await.assert_problem(412, "stale-version");
    let newest = read(&app, &token).await;
    send(&token, ("If-Match", newest.header("etag")), &clear).await.accepted();
    assert_eq!(ann.quantity("MUG").await, 0);
}

async fn what_is_shared_can_be_put_into_ones_own_cart(store: Store) {
    let app = TestApp::start(store).await;
    let ann = app.open_cart().await;
    ann.add("MUG", 2).await.accepted();
    ann.add("RARE", 2).await.accepted();
    let (token, _) = share(&ann, json!({})).await;
    let ben = random_token();
    let path = format!("/api/v1/shared-carts/{token}/to-cart");
    let filled = app.call(Method::POST, &path, Some(&ben), None).await;
    assert_eq!(filled.status, 200, "{}", filled.body);
    let lines = &filled.body["lines"];
    assert_eq!((&lines[0]["outcome"], &lines[0]["added"]), (&json!("added"), &json!(2)));
    assert_eq!((&lines[1]["outcome"], &lines[1]["added"]), (&json!("adjusted"), &json!(1)), "{lines}");
    assert_ne!(filled.body["cart"]["id"], ann.cart_id());
    assert_eq!(ann.quantity("MUG").await, 2, "what is copied stays");
    let own = app.call(Method::POST, &path, Some(ann.token()), None).await;
    assert_eq!(
        (own.status, &own.body["lines"], &own.body["cart"]["id"]),
        (200, &json!([]), &json!(ann.cart_id()))
    );
    assert_eq!(ann.quantity("MUG").await, 2, "and is not put in twice");
}

async fn a_link_goes_on_with_its_cart_and_not_into_another(store: Store) {
    let app = TestApp::start(store).await;
    let guest = app.open_cart().await;
    guest.add("MUG", 1).await.accepted();
    let (token, _) = share(&guest, json!({"editable": true})).await;
    let account = app.call(Method::POST, "/api/v1/users", Some(guest.token()), Some(&ada())).await;
    assert_eq!(account.status, 201, "{}", account.body);
    let user = token_of(&account);
    assert_eq!(read(&app, &token).await.status, 200, "the cart is the user's now, and still shared");
    let own = guest.impostor(&user);
    assert_eq!(own.request("GET", "/shares", None).await.body["shares"].as_array().unwrap().len(), 1);

    // A second guest logs in: what they had goes into the user's cart, and their link does not lead there.
    let second = app.open_cart().await;
    second.add("TEAPOT", 1).await.accepted();
    let (lost, _) = share(&second, json!({"editable": true})).await;
    let (mut ben, joined) = watch(&app, &second.topic(), &lost).await;
    assert_eq!(joined.status(), "ok", "{joined:?}");
    let credentials = credentials(PASSWORD);
    let entered = app.call(Method::POST, "/api/v1/sessions", Some(second.token()), Some(&credentials)).await;
    assert_eq!(entered.status, 201, "{}", entered.body);
    ben.next_where(|frame| frame.event == "share_ended").await;
    read(&app, &lost).await.assert_problem(404, "unknown-share");
    command(&app, &lost, json!({"type": "clear"})).await.assert_problem(404, "unknown-share");
    let seen = read(&app, &token).await;
    assert_eq!(seen.body["cart"]["lines"].as_array().unwrap().len(), 2, "{}", seen.body);
}
