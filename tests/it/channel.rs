//! Phoenix Channels V2 on a raw websocket, as the protocol's own server answers.

use std::time::Duration;

use harness::{Device, Store, TestApp, app::random_token, device::Ended, tables};
use serde_json::{Value, json};

on_each_store!(
    upgrades_are_granted_or_refused,
    a_heartbeat_is_answered,
    a_join_shows_the_cart_and_a_stranger_is_refused,
    joining_a_cart_that_nobody_opened_opens_it,
    a_change_reaches_every_other_device,
    a_second_join_closes_the_first,
    leaving_is_answered_and_closes,
    unmatched_topics_and_events_are_answered,
    stale_messages_are_ignored,
    a_push_without_reference_gets_no_reply,
    a_push_that_is_sent_twice_is_done_once,
    the_hundred_and_first_channel_is_refused,
    a_stopping_server_says_so,
    a_channel_that_breaks_down_says_so_and_its_neighbours_live_on,
);

async fn upgrades_are_granted_or_refused(store: Store) {
    let app = TestApp::start(store).await;
    let own_origin = app.url("");
    let good = "/socket/websocket?vsn=2.0.0&userToken=123";
    let cases: &[(&str, Option<&str>, Option<u16>)] = &[
        (good, None, None),
        (good, Some(&own_origin), None),
        (good, Some("http://evil.example"), Some(403)),
        (good, Some("null"), Some(403)),
        ("/socket/websocket?vsn=9.0.0&userToken=123", None, Some(403)),
        ("/socket/websocket?vsn=two&userToken=123", None, Some(403)),
        ("/socket/websocket?vsn=&userToken=123", None, Some(403)),
    ];
    for (path, origin, refused) in cases {
        let headers: Vec<(&'static str, &str)> = origin.iter().map(|origin| ("origin", *origin)).collect();
        let status = Device::try_connect(app.address(), path, &headers).await.err();
        assert_eq!(status, *refused, "{path} from {origin:?}");
    }
    let not_a_get = reqwest::Client::new().post(app.url(good)).send().await.unwrap();
    assert_eq!(not_a_get.status(), 400);

    // The token may travel as a subprotocol: phoenix, base64url.bearer.phx.<token>.
    let shopper = app.open_cart_as("123").await;
    let protocols = "phoenix, base64url.bearer.phx.MTIz";
    let path = "/socket/websocket?vsn=2.0.0";
    let headers = [("sec-websocket-protocol", protocols)];
    let (mut device, upgrade) = Device::try_connect(app.address(), path, &headers).await.unwrap();
    assert_eq!(upgrade.headers()["sec-websocket-protocol"], "phoenix");
    assert_eq!(device.join(&shopper.topic()).await.status(), "ok");
}

async fn a_heartbeat_is_answered(store: Store) {
    let app = TestApp::start(store).await;
    let mut device = app.device("123").await;
    device.send(json!([null, "17", "phoenix", "heartbeat", {}])).await;
    let reply = device.reply_to("17").await;
    assert_eq!(
        reply.to_json(),
        json!([null, "17", "phoenix", "phx_reply", {"status": "ok", "response": {}}])
    );
}

async fn a_join_shows_the_cart_and_a_stranger_is_refused(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    shopper.add("MUG", 2).await.accepted();
    let cart = shopper.cart().await;

    let mut device = app.device(shopper.token()).await;
    device.send(json!(["j1", "r1", shopper.topic(), "phx_join", {}])).await;
    let reply = device.reply_to("r1").await;
    assert_eq!(reply.join_ref, "j1");
    assert_eq!(reply.topic, shopper.topic());
    assert_eq!(
        reply.payload,
        json!({"status": "ok", "response": {"cart": cart, "version": cart["version"]}})
    );

    let mut stranger = app.device(&random_token()).await;
    for _ in 0..2 {
        let reply = stranger.join(&shopper.topic()).await;
        assert_eq!((reply.status(), reply.reason()), ("error", "not_owner"), "{reply:?}");
    }
    let reply = stranger.update_cart(&shopper.topic(), "MUG", 9).await;
    assert_eq!(reply.status(), "error", "{reply:?}");
    assert_eq!(shopper.cart().await, cart);
}

async fn joining_a_cart_that_nobody_opened_opens_it(store: Store) {
    let app = TestApp::start(store).await;
    let mut device = app.device("123").await;
    let reply = device.join("cart:123").await;
    assert_eq!(reply.status(), "ok", "{reply:?}");
    assert_eq!(reply.response()["cart"]["id"], "123");
    assert_eq!(reply.response()["cart"]["lines"], json!([]));
    let mut stranger = app.device("124").await;
    assert_eq!(stranger.join("cart:123").await.reason(), "not_owner");
}

async fn a_change_reaches_every_other_device(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let topic = shopper.topic();
    let mut phone = app.join(&shopper).await;
    let mut laptop = app.join(&shopper).await;

    let reply = phone.update_cart(&topic, "MUG", 3).await;
    assert_eq!(reply.status(), "ok", "{reply:?}");
    let answer = reply.response();
    assert_eq!((&answer["item"]["sku"], &answer["item"]["quantity"]), (&json!("MUG"), &json!(3)));
    let version = answer["version"].as_u64().unwrap();
    assert_eq!(answer["cart"], shopper.cart().await);

    let seen = laptop.cart_at(version).await;
    assert_eq!((&seen.join_ref, &seen.reference, &seen.topic), (&Value::Null, &Value::Null, &topic));
    assert_eq!(seen.payload, json!({"item": answer["item"], "cart": answer["cart"], "version": version}));

    // What is sent over HTTP is seen as well, and a line that is taken out has quantity 0.
    shopper.command(&json!({"type": "remove_line", "sku": "MUG"})).await.accepted();
    for device in [&mut phone, &mut laptop] {
        let seen = device.cart_at(version + 1).await;
        assert_eq!(
            (&seen.payload["item"]["sku"], &seen.payload["item"]["quantity"]),
            (&json!("MUG"), &json!(0))
        );
        assert_eq!(seen.payload["cart"]["lines"], json!([]));
    }
    phone.update_cart(&topic, "TEAPOT", 2).await;
    let reply = phone.update_cart(&topic, "TEAPOT", 0).await;
    assert_eq!((reply.status(), &reply.response()["cart"]["lines"]), ("ok", &json!([])));
}

async fn a_second_join_closes_the_first(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let topic = shopper.topic();
    let mut device = app.device(shopper.token()).await;
    device.send(json!(["1", "1", topic, "phx_join", {}])).await;
    device.reply_to("1").await;
    device.send(json!(["2", "2", topic, "phx_join", {}])).await;
    let reply = device.reply_to("2").await;
    assert_eq!((reply.status(), &reply.join_ref), ("ok", &json!("2")));
    let before: Vec<Value> =
        device.frames_until_heartbeat().await.iter().map(|frame| frame.to_json()).collect();
    assert_eq!(before, [json!(["1", "1", topic, "phx_close", {}])]);
    // The second join is alive: a change is broadcast once.
    let version = shopper.add("MUG", 1).await.accepted()["version"].as_u64().unwrap();
    device.cart_at(version).await;
    let more = device.frames_until_heartbeat().await;
    assert!(more.iter().all(|frame| frame.event != "cart_updated"), "{more:?}");
}

async fn leaving_is_answered_and_closes(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let topic = shopper.topic();
    let mut device = app.device(shopper.token()).await;
    for leave_with in [json!("7"), Value::Null] {
        device.send(json!(["7", "7", topic, "phx_join", {}])).await;
        device.reply_to("7").await;
        device.send(json!(["6", "8", topic, "phx_leave", {}])).await;
        assert_eq!(device.frames_until_heartbeat().await, [], "a leave with a stale join_ref is ignored");
        device.send(json!([leave_with, "9", topic, "phx_leave", {}])).await;
        let reply = device.reply_to("9").await;
        assert_eq!(reply.payload, json!({"status": "ok", "response": {}}));
        let close = device.next_where(|frame| frame.event == "phx_close").await;
        assert_eq!(close.to_json(), json!(["7", "7", topic, "phx_close", {}]));
        shopper.add("MUG", 1).await.accepted();
        assert_eq!(device.frames_until_heartbeat().await, [], "who left hears nothing");
    }
    device.send(json!([null, "10", topic, "phx_leave", {}])).await;
    assert_eq!(device.reply_to("10").await.status(), "ok", "leaving what is not joined is answered");
}

async fn unmatched_topics_and_events_are_answered(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let mut device = app.device(shopper.token()).await;
    let unmatched = json!({"status": "error", "response": {"reason": "unmatched topic"}});
    for (topic, event) in [
        (shopper.topic(), "update_cart"),
        ("room:lobby".to_owned(), "phx_join"),
        ("cart".to_owned(), "phx_join"),
        ("phoenix".to_owned(), "nonsense"),
    ] {
        device.send(json!([null, "5", topic, event, {}])).await;
        let reply = device.reply_to("5").await;
        assert_eq!(reply.to_json(), json!([null, "5", topic, "phx_reply", unmatched]), "{topic} {event}");
    }
}

async fn stale_messages_are_ignored(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let topic = shopper.topic();
    let mut device = app.device(shopper.token()).await;
    for join_ref in ["1", "2"] {
        device.send(json!([join_ref, join_ref, topic, "phx_join", {}])).await;
        device.reply_to(join_ref).await;
    }
    device.forget_waiting();
    let item = json!({"item": {"sku": "MUG", "quantity": 1}});
    device.send(json!(["1", "3", topic, "update_cart", item])).await;
    let frames = device.frames_until_heartbeat().await;
    assert!(frames.iter().all(|frame| frame.event == "phx_close"), "{frames:?}");
    assert_eq!(shopper.quantity("MUG").await, 0);
    for join_ref in [json!("2"), Value::Null] {
        device.send(json!([join_ref, "4", topic, "update_cart", item])).await;
        assert_eq!(device.reply_to("4").await.status(), "ok", "join_ref {join_ref}");
    }
}

async fn a_push_without_reference_gets_no_reply(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let mut device = app.join(&shopper).await;
    let mut other = app.join(&shopper).await;
    let item = json!({"item": {"sku": "MUG", "quantity": 1}});
    device
        .send(json!([null, null, shopper.topic(), "update_cart", {"item": {"sku": "MUG", "quantity": -1}}]))
        .await;
    device.send(json!([null, null, shopper.topic(), "update_cart", item])).await;
    other.cart_at(1).await;
    assert_eq!(shopper.quantity("MUG").await, 1);
    let frames = device.frames_until_heartbeat().await;
    assert!(frames.iter().all(|frame| frame.event == "cart_updated"), "{frames:?}");
}

async fn a_push_that_is_sent_twice_is_done_once(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let mut device = app.join(&shopper).await;
    let topic = shopper.topic();
    let add = |key: &str, quantity: u64| json!({"type": "add_line", "sku": "MUG", "quantity": quantity, "idempotency_key": key});
    let first = device.push(&topic, "command", add("k1", 2)).await;
    assert_eq!(first.status(), "ok", "{first:?}");
    // Another connection of the same device sends what it was not answered.
    let mut again = app.join(&shopper).await;
    let second = again.push(&topic, "command", add("k1", 2)).await;
    assert_eq!(second.payload["response"], first.payload["response"]);
    assert_eq!(shopper.quantity("MUG").await, 2);
    let other = again.push(&topic, "command", add("k1", 3)).await;
    assert_eq!(other.payload["response"]["reason"], "idempotency_mismatch", "{other:?}");
    assert_eq!(again.push(&topic, "command", add("k2", 1)).await.status(), "ok");
    assert_eq!(shopper.quantity("MUG").await, 3);

    let stale = json!({"item": {"sku": "MUG", "quantity": 9}, "if_version": 1});
    let refused = again.push(&topic, "update_cart", stale).await;
    assert_eq!(refused.payload["response"]["reason"], "stale_version", "{refused:?}");
    let version = shopper.cart().await["version"].clone();
    let known = json!({"item": {"sku": "MUG", "quantity": 9}, "if_version": version});
    assert_eq!(again.push(&topic, "update_cart", known).await.status(), "ok");
    let wrong = again.push(&topic, "command", json!({"type": "clear", "idempotency_key": ""})).await;
    assert_eq!(wrong.payload["response"]["reason"], "invalid_request", "{wrong:?}");
    assert_eq!(shopper.quantity("MUG").await, 9);
}

async fn the_hundred_and_first_channel_is_refused(store: Store) {
    let app = TestApp::start(store).await;
    let mut device = app.device("123").await;
    for n in 0..100 {
        let reply = device.join(&format!("cart:many-{n}")).await;
        assert_eq!(reply.status(), "ok", "{reply:?}");
    }
    let reply = device.join("cart:many-100").await;
    assert_eq!((reply.status(), reply.reason()), ("error", "too many channels joined"));
    assert_eq!(device.push("cart:many-0", "phx_leave", json!({})).await.status(), "ok");
    assert_eq!(device.join("cart:many-100").await.status(), "ok", "a place is free again");
}

async fn a_stopping_server_says_so(store: Store) {
    let mut app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let mut device = app.join(&shopper).await;
    app.node().ask_to_stop();
    assert_eq!(device.ended_within(Duration::from_secs(10)).await, Ended::Closed(1012));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiet_client_is_closed_and_one_with_a_heartbeat_is_not() {
    let app = TestApp::start(Store::Sqlite).await;
    let mut quiet = app.device("123").await;
    let mut alive = app.device("123").await;
    let keep_alive = async {
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_secs(20)).await;
            alive.frames_until_heartbeat().await;
        }
    };
    let (ended, ()) = tokio::join!(quiet.ended_within(Duration::from_secs(75)), keep_alive);
    assert!(matches!(ended, Ended::Closed(_) | Ended::Broken));
}

async fn a_channel_that_breaks_down_says_so_and_its_neighbours_live_on(store: Store) {
    let app = TestApp::start(store).await;
    let (broken, sound) = (app.open_cart_as("123").await, app.open_cart_as("123").await);
    let mut device = app.device("123").await;
    device.send(json!(["j1", "r1", broken.topic(), "phx_join", {}])).await;
    assert_eq!(device.reply_to("r1").await.status(), "ok");
    assert_eq!(device.join(&sound.topic()).await.status(), "ok");

    let statement =
        format!("UPDATE carts SET version = version + 1, state = '{{}}' WHERE id = '{}'", broken.cart_id());
    tables::run(app.store_url(), &statement).await.unwrap();
    device
        .send(json!(["j1", "r2", broken.topic(), "update_cart", {"item": {"sku": "MUG", "quantity": 1}}]))
        .await;
    assert_eq!(
        device.next_where(|frame| frame.event == "phx_error").await.to_json(),
        json!(["j1", "j1", broken.topic(), "phx_error", {"reason": "channel_crash"}])
    );
    let reply = device.reply_to("r2").await;
    assert_eq!((reply.status(), reply.reason()), ("error", "unreadable_cart"));

    // Its own back-off brings the client here again and again; the cart stays as it is until somebody mends it.
    device.send(json!(["j2", "r3", broken.topic(), "phx_join", {}])).await;
    assert_eq!(device.reply_to("r3").await.reason(), "unreadable_cart");
    assert_eq!(device.update_cart(&sound.topic(), "MUG", 2).await.status(), "ok");
    assert_eq!(sound.cart().await["lines"][0]["quantity"], 2);
}
