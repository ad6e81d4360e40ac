//! Lines that properties keep apart, batches, what waits for later, and the note.

use harness::{Store, TestApp, audit};
use serde_json::{Value, json};

on_each_store!(
    properties_keep_lines_apart,
    a_batch_is_done_whole_or_not_at_all,
    a_line_waits_for_later,
    a_note_goes_with_the_order,
);

fn engraved(text: &str) -> Value {
    json!({"type": "add_line", "sku": "MUG", "quantity": 1, "properties": {"engraving": text}})
}

fn quantities(cart: &Value) -> Vec<(&str, u64)> {
    let lines = cart["lines"].as_array().unwrap();
    lines.iter().map(|l| (l["id"].as_str().unwrap(), l["quantity"].as_u64().unwrap())).collect()
}

async fn properties_keep_lines_apart(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let mut device = app.join(&shopper).await;
    shopper.add("MUG", 1).await.accepted();
    for text in ["Ada", "Eve", "Ada"] {
        shopper.command(&engraved(text)).await.accepted();
    }
    let cart = shopper.cart().await;
    let [plain, ada, eve] = &quantities(&cart)[..] else { panic!("{cart}") };
    assert_eq!((plain, ada.1, eve.1), (&("MUG", 1), 2, 1));
    assert_eq!(cart["lines"][1]["properties"], json!({"engraving": "Ada"}));

    // Another device sees and changes the line by its id.
    let seen = device.cart_at(cart["version"].as_u64().unwrap()).await;
    assert_eq!(seen.payload["cart"], cart);
    assert_eq!(seen.payload["item"]["id"], ada.0);
    let update = json!({"item": {"line": eve.0, "quantity": 3}});
    let reply = device.push(&shopper.topic(), "update_cart", update).await;
    assert_eq!((reply.status(), &reply.response()["item"]["quantity"]), ("ok", &json!(3)));
    shopper.command(&json!({"type": "remove_line", "line": ada.0})).await.accepted();
    assert_eq!(quantities(&shopper.cart().await), [*plain, (eve.0, 3)]);
    assert_eq!(audit::stock(&app).await["MUG"].held, 4);

    for (bad, status, problem) in [
        (json!({"type": "remove_line", "line": ada.0}), 422, "line-not-found"),
        (json!({"type": "set_quantity", "line": ada.0, "quantity": 1}), 422, "line-not-found"),
        (json!({"type": "remove_line"}), 400, "invalid-request"),
        (json!({"type": "remove_line", "line": "MUG", "sku": "MUG"}), 400, "invalid-request"),
        (engraved(&"x".repeat(501)), 422, "invalid-details"),
        (json!({"type": "add_line", "sku": "MUG", "properties": {"": "x"}}), 422, "invalid-details"),
        (json!({"type": "add_line", "sku": "MUG", "properties": {"a": 1}}), 400, "invalid-json"),
    ] {
        shopper.command(&bad).await.assert_problem(status, problem);
    }
    let ordered = shopper.check_out("tok_success").await;
    assert_eq!(ordered.body["order"]["lines"][1]["properties"], json!({"engraving": "Eve"}));
}

async fn a_batch_is_done_whole_or_not_at_all(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    let batch = |commands: Value| json!({"type": "batch", "commands": commands});
    let add = |sku: &str, quantity: u32| json!({"type": "add_line", "sku": sku, "quantity": quantity});
    let filled = batch(json!([add("MUG", 2), add("TEAPOT", 1), engraved("Ada")]));
    let cart = shopper.command_with_key(&filled, "fill").await.accepted();
    assert_eq!(quantities(&cart).len(), 3);
    assert_eq!(
        shopper.command_with_key(&filled, "fill").await.accepted(),
        cart,
        "asked again, answered again"
    );

    // Three pieces of it are there: the second command asks for one too many, so the first is not done either.
    let refused = shopper.command(&batch(json!([add("RARE", 2), add("RARE", 2)]))).await;
    refused.assert_problem(409, "out-of-stock");
    assert!(
        refused.body["detail"].as_str().unwrap().starts_with("command 1 of the batch"),
        "{}",
        refused.body
    );
    for (commands, status, problem) in [
        (json!([batch(json!([]))]), 400, "invalid-request"),
        (json!([{"type": "place_order", "payment_token": "tok_success"}]), 400, "invalid-request"),
        (json!(vec![add("MUG", 1); 101]), 400, "invalid-request"),
        (json!([add("MUG", 1), {"type": "teleport"}]), 400, "invalid-json"),
        (json!([add("MUG", 1), add("NO-SUCH-THING", 1)]), 422, "unknown-sku"),
    ] {
        shopper.command(&batch(commands)).await.assert_problem(status, problem);
    }
    assert_eq!(shopper.cart().await, cart);
    assert_eq!(audit::stock(&app).await["RARE"].held, 0);
}

async fn a_line_waits_for_later(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    shopper.add("RARE", 3).await.accepted();
    let on_line = |kind: &str| json!({"type": kind, "line": "RARE"});
    let cart = shopper.command(&on_line("save_line")).await.accepted();
    assert_eq!((&cart["lines"], &cart["saved"][0]["quantity"]), (&json!([]), &json!(3)));
    assert_eq!(cart["totals"]["total_minor"], 0);

    // What waits holds nothing: somebody else may have it.
    let other = app.open_cart().await;
    other.add("RARE", 1).await.accepted();
    shopper.command(&on_line("restore_line")).await.assert_problem(409, "out-of-stock");
    other.command(&json!({"type": "clear"})).await.accepted();
    let cart = shopper.command(&on_line("restore_line")).await.accepted();
    assert_eq!((quantities(&cart), &cart["saved"]), (vec![("RARE", 3)], &json!([])));
    shopper.command(&on_line("drop_saved_line")).await.assert_problem(422, "line-not-found");
}

async fn a_note_goes_with_the_order(store: Store) {
    let app = TestApp::start(store).await;
    let shopper = app.open_cart().await;
    shopper.add("MUG", 1).await.accepted();
    let note = |text: &str| json!({"type": "set_note", "text": text});
    assert_eq!(shopper.command(&note(" Ring twice ")).await.accepted()["note"], "Ring twice");
    shopper.command(&note(&"x".repeat(2_001))).await.assert_problem(422, "invalid-details");
    let ordered = shopper.check_out("tok_success").await;
    assert_eq!(ordered.body["order"]["note"], "Ring twice");
    // What a shopper writes never leaves the store for the event files.
    app.events("order_placed", 1).await;
    assert_eq!(app.events_now("note_set")[0]["data"], json!({}));
}
