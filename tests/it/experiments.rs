//! Who is assigned, exposed and counted, and what a product manager may do about it.

mod forms;
mod guests;
mod history;
mod moves;
mod ramp;

use std::collections::BTreeMap;

use experiments::Experiment;
use harness::{Admin, Shopper, Store, TestApp, admin, app::random_token, patience::eventually, tables};
use serde_json::{Value, json};

on_each_store!(
    a_visitor_gets_the_variation_that_the_definition_says,
    a_unit_is_exposed_once,
    all_workflows_lead_to_an_order,
    a_forced_variation_is_shown_and_never_counted,
    a_cart_keeps_the_workflow_it_was_opened_with,
    a_paused_experiment_assigns_nobody_and_goes_on_as_it_was,
    orders_are_counted_in_their_variation,
);

pub(crate) const KEY: &str = "checkout-express";
pub(crate) const FIELDS: &[(&str, &str)] = &[
    ("name", "Express checkout"),
    ("key", KEY),
    ("hypothesis", "One page lets more shoppers finish."),
    ("owner", "ada"),
    ("planned_days", "14"),
    ("flag", "checkout_workflow"),
    ("variation_1_key", "classic"),
    ("variation_1_value", "\"classic\""),
    ("variation_2_key", "express"),
    ("variation_2_value", "\"express\""),
];

/// Fills in the form of a new experiment.
pub(crate) async fn draft(admin: &Admin, fields: &[(&str, &str)]) -> admin::Page {
    let form = admin.get("/admin/experiments/new").await;
    assert_eq!(form.status, 200);
    admin.submit(&form, "/admin/experiments", fields).await
}

/// Presses a button of the experiment's page.
pub(crate) async fn press(admin: &Admin, button: &str) {
    let page = admin.get(&format!("/admin/experiments/{KEY}")).await;
    let why: &[_] = if button == "start" { &[] } else { &[("reason", "the test wants it")] };
    let after = admin.submit(&page, &format!("/admin/experiments/{KEY}/{button}"), why).await;
    assert_eq!(after.status, 200, "{}", after.html);
}

/// Starts a shop in which the experiment runs, half of the visitors each.
pub(crate) async fn start(store: Store) -> (TestApp, Admin) {
    start_with(store, "").await
}

/// As [`start`], with more lines of configuration.
pub(crate) async fn start_with(store: Store, config: &str) -> (TestApp, Admin) {
    start_drawn(store, config, FIELDS).await
}

/// As [`start`], with all workflows that are built in as variations.
async fn start_all(store: Store) -> (TestApp, Admin) {
    let third = [
        ("variation_1_weight_percent", "40"),
        ("variation_2_weight_percent", "30"),
        ("variation_3_weight_percent", "30"),
        ("variation_3_key", "guest-first"),
        ("variation_3_value", "\"guest-first\""),
    ];
    start_drawn(store, "", &[FIELDS, &third].concat()).await
}

/// As [`start_with`], with other fields of the form.
pub(crate) async fn start_drawn(store: Store, config: &str, fields: &[(&str, &str)]) -> (TestApp, Admin) {
    let mut setup = admin::setup();
    setup.config += config;
    let app = TestApp::start_with(store, setup).await;
    let admin = Admin::sign_in(&app).await;
    let saved = draft(&admin, fields).await;
    assert_eq!(saved.status, 200, "{}", saved.html);
    press(&admin, "start").await;
    (app, admin)
}

pub(crate) fn definition() -> Experiment {
    Experiment::parse(&with_coverage(10_000).to_string()).unwrap()
}

/// Writes the definition as it runs where so much of all visitors takes part.
fn with_coverage(coverage_bp: u32) -> Value {
    json!({
        "schema_version": 1, "key": KEY, "name": "Express checkout", "flag": "checkout_workflow", "status": "running",
        "coverage_bp": coverage_bp,
        "variations": [
            {"key": "classic", "weight_bp": 5_000, "value": "classic"},
            {"key": "express", "weight_bp": 5_000, "value": "express"},
        ],
    })
}

async fn workflow(shopper: &Shopper) -> String {
    shopper.cart().await["workflow"]["name"].as_str().unwrap().to_owned()
}

/// Opens carts for new visitors until one has the workflow.
pub(crate) async fn open_cart_in(app: &TestApp, wanted: &str) -> Shopper {
    for _ in 0..64 {
        let shopper = app.open_cart().await;
        if workflow(&shopper).await == wanted {
            return shopper;
        }
    }
    panic!("none of 64 visitors got {wanted}")
}

async fn a_visitor_gets_the_variation_that_the_definition_says(store: Store) {
    let (app, _admin) = start(store).await;
    let definition = definition();
    let mut shown = BTreeMap::new();
    for _ in 0..40 {
        let shopper = app.open_cart().await;
        shown.insert(shopper.cart_id().to_owned(), workflow(&shopper).await);
    }
    let mut seen = [0, 0];
    for event in app.events("cart_opened", 40).await {
        let unit = event["unit"].as_str().unwrap();
        let placed = experiments::assign(&definition, unit);
        assert!(placed.hash_used);
        seen[placed.variation] += 1;
        let cart = event["cart"].as_str().unwrap();
        assert_eq!(shown[cart], ["classic", "express"][placed.variation], "{unit}");
    }
    assert!(seen[0] > 0 && seen[1] > 0, "both variations are met: {seen:?}");
}

async fn a_unit_is_exposed_once(store: Store) {
    let (app, _admin) = start(store).await;
    let mut units = 0;
    for token in (0..5).map(|_| random_token()) {
        units += 1;
        for _ in 0..3 {
            let shopper = app.open_cart_as(&token).await;
            shopper.add("MUG", 1).await.accepted();
            shopper.check_out("tok_success").await.accepted();
        }
    }
    // Orders come after exposures in the outbox, so that all exposures are there when the orders are.
    app.events("order_placed", 15).await;
    let exposures = app.events_now("exposure_logged");
    let mut by_unit: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &exposures {
        assert_eq!(event["data"]["experiment"], KEY);
        *by_unit.entry(event["unit"].as_str().unwrap()).or_default() += 1;
    }
    assert_eq!(by_unit.len(), units, "{exposures:?}");
    assert!(by_unit.values().all(|count| *count == 1), "{by_unit:?}");
    let counted = app.metrics().await.sum("cartwright_experiment_exposures_total", &[("experiment", KEY)]);
    assert_eq!(counted, units as f64);
}

async fn all_workflows_lead_to_an_order(store: Store) {
    let (app, _admin) = start_all(store).await;
    for (name, cart, checkout, steps) in [
        ("classic", "page", "stepwise", json!(["address", "shipping", "payment", "review"])),
        ("express", "drawer", "single_page", json!(["address", "shipping", "payment"])),
        ("guest-first", "page", "stepwise", json!(["contact", "address", "shipping", "payment"])),
    ] {
        let shopper = open_cart_in(&app, name).await;
        shopper.add("MUG", 1).await.accepted();
        let workflow = shopper.cart().await["workflow"].clone();
        assert_eq!(workflow, json!({"name": name, "cart": cart, "checkout": checkout, "steps": steps}));
        let ordered = shopper.check_out("tok_success").await.accepted();
        assert_eq!((&ordered["status"], &ordered["completed_steps"]), (&json!("ordered"), &steps), "{name}");
    }
}

async fn a_forced_variation_is_shown_and_never_counted(store: Store) {
    let (app, _admin) = start(store).await;
    for (forced, name) in [("0", "classic"), ("1", "express"), ("1", "express"), ("0", "classic")] {
        let query = format!("{KEY}={forced}");
        let shopper = Shopper::open_forced_cart(app.address(), &random_token(), &query).await;
        assert_eq!(workflow(&shopper).await, name);
        shopper.add("MUG", 1).await.accepted();
        shopper.check_out("tok_success").await.accepted();
    }
    app.events("order_placed", 4).await;
    assert_eq!(app.events_now("exposure_logged"), Vec::<Value>::new());
    let metrics = app.metrics().await;
    for name in ["exposures", "carts", "orders", "revenue_minor"] {
        let name = format!("cartwright_experiment_{name}_total");
        assert_eq!(metrics.sum(&name, &[("experiment", KEY)]), 0.0, "{name}");
    }
}

async fn a_cart_keeps_the_workflow_it_was_opened_with(store: Store) {
    let (app, admin) = start(store).await;
    let shopper = open_cart_in(&app, "express").await;
    shopper.add("MUG", 1).await.accepted();
    press(&admin, "stop").await;
    assert_eq!(workflow(&shopper).await, "express");
    assert_eq!(
        workflow(&app.open_cart_as(shopper.token()).await).await,
        "classic",
        "new carts get the default"
    );
    let ordered = shopper.check_out("tok_success").await.accepted();
    assert_eq!(ordered["completed_steps"], json!(["address", "shipping", "payment"]));
}

async fn a_paused_experiment_assigns_nobody_and_goes_on_as_it_was(store: Store) {
    let (app, admin) = start(store).await;
    let shopper = open_cart_in(&app, "express").await;
    press(&admin, "pause").await;
    assert_eq!(workflow(&shopper).await, "express", "carts keep what they have");
    for _ in 0..8 {
        assert_eq!(workflow(&app.open_cart().await).await, "classic", "the flag answers as without it");
    }
    assert_eq!(workflow(&app.open_cart_as(shopper.token()).await).await, "classic");
    let forced = Shopper::open_forced_cart(app.address(), &random_token(), &format!("{KEY}=1")).await;
    assert_eq!(workflow(&forced).await, "express", "a tester may look at it");
    press(&admin, "resume").await;
    assert_eq!(workflow(&app.open_cart_as(shopper.token()).await).await, "express", "as before the pause");
    press(&admin, "pause").await;
    press(&admin, "stop").await;
    press(&admin, "archive").await;
    assert!(!admin.get("/admin").await.html.contains(KEY), "it has left the list");
    let page = admin.get(&format!("/admin/experiments/{KEY}")).await;
    assert!(page.html.contains("Archived") && page.html.contains("?copy="), "{}", page.html);
}

async fn orders_are_counted_in_their_variation(store: Store) {
    let (app, admin) = start(store).await;
    let shopper = open_cart_in(&app, "express").await;
    shopper.add("TEAPOT", 2).await.accepted();
    shopper.check_out("tok_success").await.accepted();
    let metrics = app.metrics().await;
    let express = [("experiment", KEY), ("variation", "1")];
    assert_eq!(metrics.value("cartwright_experiment_orders_total", &express), Some(1.0));
    assert_eq!(metrics.value("cartwright_experiment_revenue_minor_total", &express), Some(6_800.0));
    let classic = [("experiment", KEY), ("variation", "0")];
    assert_eq!(metrics.value("cartwright_experiment_orders_total", &classic), Some(0.0));
    for step in ["address", "shipping", "payment"] {
        let labels = [express[0], express[1], ("step", step)];
        assert_eq!(metrics.value("cartwright_experiment_checkout_steps_total", &labels), Some(1.0), "{step}");
    }
    // The dashboard's totals come from the roll-ups, which follow the outbox.
    for _ in 0..100 {
        let page = admin.get(&format!("/admin/experiments/{KEY}")).await;
        if page.html.contains("68.00") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the experiment's page does not show the order");
}
