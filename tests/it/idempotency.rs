//! A retried command has one effect and the same answer.

use harness::{Store, TestApp};
use serde_json::json;
use tokio::task::JoinSet;

on_each_store!(
    a_retry_has_one_effect_and_the_same_answer,
    simultaneous_retries_have_one_effect,
    a_refusal_is_not_remembered_as_an_effect,
    a_key_is_one_visitors_own,
);

async fn a_retry_has_one_effect_and_the_same_answer(store: Store) {
    let mut app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let add = json!({"type": "add_line", "sku": "MUG", "quantity": 2});
    let first = shopper.command_with_key(&add, "order-1/line-1").await;
    let again = shopper.command_with_key(&add, "order-1/line-1").await;
    assert_eq!((first.status, &first.body), (200, &again.body));
    assert_eq!(shopper.quantity("MUG").await, 2);

    shopper.add("TEAPOT", 1).await.accepted();
    app.restart().await;
    let shopper = shopper.on(app.address());
    let after_kill = shopper.command_with_key(&add, "order-1/line-1").await;
    assert_eq!((after_kill.status, &after_kill.body), (200, &first.body), "the answer outlives the process");
    assert_eq!(shopper.quantity("MUG").await, 2);

    let other = json!({"type": "add_line", "sku": "MUG", "quantity": 3});
    shopper.command_with_key(&other, "order-1/line-1").await.assert_problem(422, "idempotency-mismatch");
    assert_eq!(shopper.quantity("MUG").await, 2);
}

async fn simultaneous_retries_have_one_effect(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let shopper = shopper.on(app.address());
        tasks.spawn(async move {
            let add = json!({"type": "add_line", "sku": "MUG", "quantity": 1});
            shopper.command_with_key(&add, "same").await
        });
    }
    let answers = tasks.join_all().await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (200, &answers[0].body));
    }
    assert_eq!(shopper.quantity("MUG").await, 1);
}

async fn a_refusal_is_not_remembered_as_an_effect(store: Store) {
    let app = TestApp::start(store).await;
    let (first, second) = (app.open_cart().await, app.open_cart().await);
    first.add("RARE", 3).await.accepted();
    let add = json!({"type": "add_line", "sku": "RARE", "quantity": 1});
    second.command_with_key(&add, "want").await.assert_problem(409, "out-of-stock");
    assert_eq!(second.quantity("RARE").await, 0);
}

async fn a_key_is_one_visitors_own(store: Store) {
    let app = TestApp::start(store).await;
    let (first, second) = (app.open_cart().await, app.open_cart().await);
    let add = json!({"type": "add_line", "sku": "MUG", "quantity": 1});
    for shopper in [&first, &second] {
        let answer = shopper.command_with_key(&add, "1").await;
        assert_eq!(answer.accepted()["id"], shopper.cart_id());
        assert_eq!(shopper.quantity("MUG").await, 1);
    }
}
