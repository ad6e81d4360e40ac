//! Frames that no client would send: they get an error reply or end their own connection, and change nothing.

use std::time::Duration;

use harness::{Device, Store, TestApp, device::Ended};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

on_each_store!(
    bad_payloads_get_an_error_reply,
    a_refusal_says_as_much_as_over_http,
    broken_frames_harm_nobody_else,
    a_frame_above_the_limit_ends_its_connection_only,
);

async fn bad_payloads_get_an_error_reply(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    shopper.add("MUG", 2).await.accepted();
    let before = shopper.cart().await;
    let topic = shopper.topic();
    let mut device = app.join(&shopper).await;
    let cases = [
        ("update_cart", json!({"item": {"sku": "NO-SUCH-THING", "quantity": 1}}), Some("unknown_sku")),
        ("update_cart", json!({"item": {"sku": "MUG", "quantity": -1}}), Some("invalid_quantity")),
        ("update_cart", json!({"item": {"sku": "MUG", "quantity": 10_000}}), Some("invalid_quantity")),
        ("update_cart", json!({"item": {"sku": "RARE", "quantity": 4}}), Some("out_of_stock")),
        ("update_cart", json!({"item": {"sku": "VASE-EUR", "quantity": 1}}), Some("currency_mismatch")),
        ("update_cart", json!({"item": {"sku": "TEAPOT", "quantity": 0}}), Some("line_not_found")),
        ("update_cart", json!({"item": {"sku": "MUG", "quantity": "two"}}), None),
        ("update_cart", json!({"item": {"quantity": 1}}), None),
        ("update_cart", json!({"item": null}), None),
        ("update_cart", json!({}), None),
        ("update_cart", json!([]), None),
        ("update_cart", json!(null), None),
        ("no_such_event", json!({}), None),
    ];
    for (event, payload, reason) in cases {
        let reply = device.push(&topic, event, payload.clone()).await;
        assert_eq!(reply.status(), "error", "{event} {payload}: {reply:?}");
        assert!(!reply.reason().is_empty(), "{event} {payload}: {reply:?}");
        if let Some(reason) = reason {
            assert_eq!(reply.reason(), reason, "{event} {payload}");
            assert!(reply.response()["detail"].is_string(), "{reply:?}");
            assert!(reply.response()["mend"].is_string(), "{reply:?}");
        }
        assert_eq!(shopper.cart().await, before, "{event} {payload} changed the cart");
    }
}

async fn a_refusal_says_as_much_as_over_http(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    shopper.add("MUG", 1).await.accepted();
    shopper.command(&json!({"type": "start_checkout"})).await.accepted();
    let mut device = app.join(&shopper).await;
    let details = json!({"email": "ada", "country": "GB", "name": "Ada"});
    for command in [
        json!({"type": "complete_step", "step": "address", "details": details}),
        json!({"type": "complete_step", "step": "review"}),
        json!({"type": "apply_code", "code": "NOTHING"}),
    ] {
        let over_http = shopper.command(&command).await.body;
        let reply = device.push(&shopper.topic(), "command", command.clone()).await;
        assert_eq!(reply.status(), "error", "{reply:?}");
        let said = reply.response();
        assert_eq!(said["reason"], over_http["code"], "{reply:?}");
        for member in ["detail", "mend", "fields"] {
            assert_eq!(said[member], over_http[member], "{command}: {member}");
        }
        assert!(said["mend"].is_string(), "{reply:?}");
        assert_eq!(said["fields"].is_array(), said["reason"] == "invalid_details", "{reply:?}");
    }
}

/// Sends a message on a connection of its own and asserts it was answered by an error reply or a close frame.
async fn assert_refused(app: &TestApp, token: &str, message: Message) {
    let mut device: Device = app.device(token).await;
    device.send_raw(message.clone()).await;
    let answered = tokio::time::timeout(Duration::from_secs(5), async {
        match device.ended_within(Duration::from_secs(1)).await {
            Ended::Closed(code) => assert_ne!(code, 1000, "1000 tells the client not to come back"),
            Ended::Broken => panic!("the connection broke without a word at {message:?}"),
        }
    });
    answered.await.unwrap_or_else(|_| panic!("{message:?} was not answered"));
}

async fn broken_frames_harm_nobody_else(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    shopper.add("MUG", 2).await.accepted();
    let before = shopper.cart().await;
    let mut bystander = app.join(&shopper).await;
    let topic = shopper.topic();
    let texts = [
        String::new(),
        "hello".into(),
        "{}".into(),
        "null".into(),
        "[]".into(),
        r#"["1","2","cart:1"]"#.into(),
        r#"["1","2",3,"phx_join",{}]"#.into(),
        r#"["1","2","cart:1",null,{}]"#.into(),
        format!(r#"["1","2","{topic}","phx_join",{{}},"more"]"#),
        format!(r#"["1","2","{topic}","phx_join",{{}}"#),
        "[".repeat(10_000),
    ];
    for text in texts {
        assert_refused(&app, shopper.token(), Message::text(text)).await;
    }
    for bytes in [vec![], vec![0], vec![0, 255, 255, 255, 255], vec![9, 1, 1, 1, 1], vec![0; 300]] {
        assert_refused(&app, shopper.token(), Message::binary(bytes)).await;
    }
    assert_eq!(shopper.cart().await, before);
    let version = shopper.add("MUG", 1).await.accepted()["version"].as_u64().unwrap();
    bystander.cart_at(version).await;
}

async fn a_frame_above_the_limit_ends_its_connection_only(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let mut bystander = app.join(&shopper).await;
    let mut device = app.join(&shopper).await;
    let padding = "x".repeat(4 * 1024 * 1024);
    device
        .send(json!([null, "9", shopper.topic(), "update_cart", {"item": {"sku": padding, "quantity": 1}}]))
        .await;
    let ended = device.ended_within(Duration::from_secs(10)).await;
    assert!(matches!(ended, Ended::Broken | Ended::Closed(1002 | 1007..=1009)), "{ended:?}");
    let version = shopper.add("MUG", 1).await.accepted()["version"].as_u64().unwrap();
    bystander.cart_at(version).await;
}
