//! From a full cart to an order, in both workflows, and past payments that fail.

use harness::{Answer, Shopper, Store, TestApp, audit, shopper::complete_step};
use serde_json::json;

on_each_store!(
    a_classic_checkout_leads_to_an_order,
    steps_are_done_in_order_and_may_be_corrected,
    a_declined_payment_leaves_the_cart_ready_for_another,
    a_payment_that_timed_out_can_be_tried_again_and_makes_one_order,
    an_ordered_cart_is_closed,
);

in_other_workflows!(
    a_declined_payment_leaves_the_cart_ready_for_another,
    a_payment_that_timed_out_can_be_tried_again_and_makes_one_order,
    an_ordered_cart_is_closed,
);

async fn a_classic_checkout_leads_to_an_order(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    shopper.add("MUG", 2).await.accepted();
    shopper.add("TEAPOT", 1).await.accepted();
    let cart = shopper.command(&json!({"type": "start_checkout"})).await.accepted();
    assert_eq!(cart["workflow"]["name"], "classic");
    assert_eq!(cart["workflow"]["steps"], json!(["address", "shipping", "payment", "review"]));
    assert_eq!((&cart["status"], &cart["next_step"]), (&json!("checkout"), &json!("address")));

    let answer = shopper.check_out("tok_success").await;
    let order = answer.body["order"].clone();
    let cart = answer.accepted();
    assert_eq!(order["total_minor"], 2 * 1_250 + 3_400);
    assert_eq!((&cart["status"], &cart["order_id"]), (&json!("ordered"), &order["id"]));
    assert_eq!(cart["completed_steps"], cart["workflow"]["steps"]);
    let stock = audit::stock(&app).await;
    assert_eq!((stock["MUG"].sold, stock["MUG"].held, stock["TEAPOT"].sold), (2, 0, 1));
    assert!(stock.values().all(audit::Stock::is_conserved), "{stock:?}");
}

async fn steps_are_done_in_order_and_may_be_corrected(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    shopper.add("MUG", 1).await.accepted();
    shopper.command(&complete_step("shipping")).await.assert_problem(409, "step-out-of-order");
    shopper.command(&json!({"type": "start_checkout"})).await.accepted();
    shopper.command(&complete_step("payment")).await.assert_problem(409, "step-out-of-order");
    shopper.command(&complete_step("address")).await.accepted();
    let cart = shopper.command(&complete_step("shipping")).await.accepted();
    assert_eq!(
        (&cart["completed_steps"], &cart["next_step"]),
        (&json!(["address", "shipping"]), &json!("payment"))
    );
    let express = json!({"type": "complete_step", "step": "shipping", "details": {"method": "express"}});
    let cart = shopper.command(&express).await.accepted();
    assert_eq!(cart["next_step"], "payment", "a correction goes no step back");
    let totals = &cart["totals"];
    assert!(totals["shipping_minor"].as_i64().unwrap() > 0, "{totals}");
    assert_eq!(totals["total_minor"], 1_250 + totals["shipping_minor"].as_i64().unwrap());
    let nowhere =
        json!({"type": "complete_step", "step": "shipping", "details": {"method": "carrier pigeon"}});
    let answer = shopper.command(&nowhere).await;
    assert!(matches!((answer.status, answer.problem()), (422, "invalid-details")), "{}", answer.body);
    shopper.place_order("tok_success").await.assert_problem(409, "checkout-incomplete");
}

async fn a_declined_payment_leaves_the_cart_ready_for_another(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    shopper.add("RARE", 2).await.accepted();
    shopper.check_out("tok_decline").await.assert_problem(402, "payment-declined");
    let cart = shopper.cart().await;
    assert_eq!((&cart["status"], &cart["lines"][0]["held"]), (&json!("checkout"), &json!(2)));
    assert_eq!(audit::stock(&app).await["RARE"].sold, 0);
    let answer = shopper.place_order("tok_success").await;
    assert_eq!(answer.accepted()["status"], "ordered");
    assert_eq!(audit::stock(&app).await["RARE"].sold, 2);
}

async fn a_payment_that_timed_out_can_be_tried_again_and_makes_one_order(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    shopper.add("RARE", 1).await.accepted();
    shopper.check_out("tok_timeout").await.assert_problem(503, "payment-timeout");
    assert_eq!(shopper.cart().await["status"], "checkout");

    let retry = json!({"type": "place_order", "payment_token": "tok_success"});
    let first = shopper.command_with_key(&retry, "pay-1").await;
    let again = shopper.command_with_key(&retry, "pay-1").await;
    assert_eq!((first.status, &first.body), (200, &again.body));
    assert_eq!(audit::stock(&app).await["RARE"].sold, 1);
    assert_eq!(app.events("order_placed", 1).await.len(), 1, "one order, though asked for twice");
}

async fn an_ordered_cart_is_closed(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    shopper.add("MUG", 1).await.accepted();
    shopper.check_out("tok_success").await.accepted();
    for command in [
        json!({"type": "add_line", "sku": "MUG", "quantity": 1}),
        json!({"type": "clear"}),
        json!({"type": "start_checkout"}),
        json!({"type": "place_order", "payment_token": "tok_success"}),
    ] {
        shopper.command(&command).await.assert_problem(409, "cart-closed");
    }
    // The visitor goes on shopping in a new cart.
    let next = app.open_cart_as(shopper.token()).await;
    assert_ne!(next.cart_id(), shopper.cart_id());
    assert_confirmed(&app, &shopper).await;
}

/// The confirmation page shows the order to who placed it.
async fn assert_confirmed(app: &TestApp, shopper: &Shopper) {
    let order = shopper.cart().await["order_id"].as_str().unwrap().to_owned();
    let page = reqwest::Client::new().get(app.url(&format!("/orders/{order}"))).bearer_auth(shopper.token());
    assert_eq!(Answer::to(page).await.unwrap().status, 200);
}
