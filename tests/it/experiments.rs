//! Who is assigned, exposed and counted, and what a product manager may do about it.

use std::collections::BTreeMap;

use experiments::Experiment;
use harness::{Admin, Shopper, Store, TestApp, admin, app::random_token, patience::eventually, tables};
use serde_json::{Value, json};

on_each_store!(
    a_visitor_gets_the_variation_that_the_definition_says,
    a_unit_is_exposed_once,
    both_workflows_lead_to_an_order,
    a_forced_variation_is_shown_and_never_counted,
    a_cart_keeps_the_workflow_it_was_opened_with,
    a_paused_experiment_assigns_nobody_and_goes_on_as_it_was,
    a_move_says_why_it_is_refused,
    a_start_asks_for_what_must_be_said_before,
    an_aa_experiment_says_so,
    a_stop_comes_before_what_others_change,
    a_shipped_variation_is_everybodys_and_is_never_counted,
    a_later_rollout_replaces_an_earlier_one,
    a_ramp_rises_by_schedule_and_by_hand,
    a_hold_of_a_ramp_begins_and_ends_once_in_the_history,
    what_was_learned_is_found_again,
    every_change_stands_in_the_history_with_who_and_why,
    a_broken_definition_is_refused_and_says_why,
    the_form_says_how_many_visitors_a_lift_takes,
    the_dashboards_are_for_those_who_signed_in,
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
    let mut setup = admin::setup();
    setup.config += config;
    let app = TestApp::start_with(store, setup).await;
    let admin = Admin::sign_in(&app).await;
    let saved = draft(&admin, FIELDS).await;
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

async fn both_workflows_lead_to_an_order(store: Store) {
    let (app, _admin) = start(store).await;
    for (name, cart, checkout, steps) in [
        ("classic", "page", "stepwise", json!(["address", "shipping", "payment", "review"])),
        ("express", "drawer", "single_page", json!(["address", "shipping", "payment"])),
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

/// Sends a move past the buttons of the page, with the fields of the form that is there.
async fn ask(admin: &Admin, asked: &str, reason: &str) -> admin::Page {
    let page = admin.get(&format!("/admin/experiments/{KEY}")).await;
    let html = page.html.replace(&format!("/{KEY}/pause"), &format!("/{KEY}/{asked}"));
    let page = admin::Page { html, ..page };
    admin.submit(&page, &format!("/admin/experiments/{KEY}/{asked}"), &[("reason", reason)]).await
}

async fn a_move_says_why_it_is_refused(store: Store) {
    let (_app, admin) = start(store).await;
    for (asked, status, why) in [
        ("archive", 409, "Experiment is not over: stop it before it is archived."),
        ("resume", 409, "Experiment is running already."),
        ("start", 409, "Experiment is running already."),
    ] {
        let page = ask(&admin, asked, "I want it").await;
        assert_eq!(page.status, status, "{asked}");
        assert!(page.html.contains(why), "{asked}: {}", page.html);
        assert!(page.html.contains("value=\"I want it\""), "what was typed is kept");
    }
    assert_eq!(ask(&admin, "dance", "I want it").await.status, 404);
    for (reason, why) in
        [("  ", "Say why"), (&*"x".repeat(1_001), "The reason has 1001 bytes, the most is 1000")]
    {
        let page = ask(&admin, "stop", reason).await;
        assert_eq!(page.status, 422);
        assert!(page.html.contains(why), "{}", page.html);
    }
    let page = admin.get(&format!("/admin/experiments/{KEY}")).await;
    assert!(page.html.contains("/pause\""), "it still runs");
}

async fn a_start_asks_for_what_must_be_said_before(store: Store) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let admin = Admin::sign_in(&app).await;
    let unsaid = ["hypothesis", "owner", "planned_days"];
    let fields: Vec<_> = FIELDS.iter().copied().filter(|(name, _)| !unsaid.contains(name)).collect();
    let page = draft(&admin, &fields).await;
    let path = format!("/admin/experiments/{KEY}");
    for field in unsaid {
        assert!(page.html.contains(&format!("href=\"{path}/edit#{field}\"")), "{field}: {}", page.html);
    }
    assert!(!page.html.contains("Start the experiment"), "{}", page.html);
    // Who starts it all the same is told why not.
    let html = page.html.replace("action=\"/admin/logout\"", &format!("action=\"{path}/start\""));
    let refused = admin.submit(&admin::Page { html, ..page }, &format!("{path}/start"), &[]).await;
    assert_eq!(refused.status, 409);
    let why = "Experiment cannot start without a hypothesis, an owner and a planned length: say so first";
    assert!(refused.html.contains(why), "{}", refused.html);
    let form = admin.get(&format!("{path}/edit")).await;
    let said: Vec<_> = FIELDS.iter().copied().filter(|(name, _)| unsaid.contains(name)).collect();
    assert_eq!(admin.submit(&form, &path, &said).await.status, 200);
    press(&admin, "start").await;
    // What was said stands.
    let form = admin.get(&format!("{path}/edit")).await;
    let other = [("hypothesis", "It had to come like this."), ("reason", "I see it now")];
    let refused = admin.submit(&form, &path, &other).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.html.contains("Hypothesis cannot change once an experiment has started"),
        "{}",
        refused.html
    );
}

async fn an_aa_experiment_says_so(store: Store) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let admin = Admin::sign_in(&app).await;
    let mut fields: Vec<_> =
        FIELDS.iter().copied().filter(|(name, _)| *name != "variation_2_value").collect();
    fields.extend([("kind", "aa"), ("variation_2_value", "\"classic\"")]);
    let page = draft(&admin, &fields).await;
    assert!(page.html.contains("any difference is chance or a fault"), "{}", page.html);
    press(&admin, "start").await;
    assert_eq!(workflow(&app.open_cart().await).await, "classic");
}

async fn a_shipped_variation_is_everybodys_and_is_never_counted(store: Store) {
    let (app, admin) = start(store).await;
    let page = admin.get(&format!("/admin/experiments/{KEY}")).await;
    let ship = format!("/admin/experiments/{KEY}/ship/express");
    assert_eq!(admin.submit(&page, &ship, &[]).await.status, 422, "a rollout needs a reason");
    press(&admin, "ship/express").await;
    let page = admin.get(&format!("/admin/experiments/{KEY}")).await;
    assert!(
        page.html.contains("is shipped.</strong>") && page.html.contains("Shipped Treatment"),
        "{}",
        page.html
    );
    assert!(admin.get("/admin").await.html.contains("Treatment, to everybody"));
    for _ in 0..8 {
        let shopper = app.open_cart().await;
        assert_eq!(workflow(&shopper).await, "express");
        shopper.add("MUG", 1).await.accepted();
        shopper.check_out("tok_success").await.accepted();
    }
    app.events("order_placed", 8).await;
    assert_eq!(app.events_now("exposure_logged"), Vec::<Value>::new());
    // Another variation may be shipped instead, none that is not there.
    press(&admin, "ship/classic").await;
    assert_eq!(workflow(&app.open_cart().await).await, "classic");
    let page = admin.get(&format!("/admin/experiments/{KEY}")).await;
    let html = page.html.replace("/ship/express", "/ship/teleport");
    let unknown = format!("/admin/experiments/{KEY}/ship/teleport");
    let page = admin.submit(&admin::Page { html, ..page }, &unknown, &[("reason", "why not")]).await;
    assert_eq!(page.status, 409);
    assert!(page.html.contains("the experiment has none of that key"), "{}", page.html);
    press(&admin, "ship/express").await;
    press(&admin, "archive").await;
    assert_eq!(workflow(&app.open_cart().await).await, "classic", "the end takes the rollout back");
}

async fn a_later_rollout_replaces_an_earlier_one(store: Store) {
    let (app, admin) = start(store).await;
    press(&admin, "ship/express").await;
    // The next experiment runs on top of what was shipped, on part of the shoppers.
    let mut fields: Vec<_> = FIELDS.iter().copied().filter(|(name, _)| *name != "key").collect();
    fields.extend([("key", "next"), ("coverage_percent", "0")]);
    assert_eq!(draft(&admin, &fields).await.status, 200);
    let next = async |button: &str, why: &[(&str, &str)]| {
        let page = admin.get("/admin/experiments/next").await;
        admin.submit(&page, &format!("/admin/experiments/next/{button}"), why).await
    };
    assert_eq!(next("start", &[]).await.status, 200);
    assert_eq!(workflow(&app.open_cart().await).await, "express", "who is not included gets the rollout");
    let page = next("ship/classic", &[("reason", "it was better before")]).await;
    assert!(page.html.contains("The variation is shipped"), "{}", page.html);
    assert_eq!(workflow(&app.open_cart().await).await, "classic");
    let page = admin.get(&format!("/admin/experiments/{KEY}")).await;
    assert!(
        page.html.contains("Archived") && page.html.contains("The rollout of next has replaced its own.")
    );
    let page = next("archive", &[("reason", "both were wrong")]).await;
    assert_eq!(page.status, 200);
    assert_eq!(workflow(&app.open_cart().await).await, "classic", "the earlier one does not come back");
}

async fn a_hold_of_a_ramp_begins_and_ends_once_in_the_history(store: Store) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let twin = if store == Store::Postgres { Some(app.twin().await) } else { None };
    let admin = Admin::sign_in(&app).await;
    let mut fields = FIELDS.to_vec();
    fields.extend([("coverage_percent", "50"), ("ramp", "2 h: 100 %")]);
    assert_eq!(draft(&admin, &fields).await.status, 200);
    press(&admin, "start").await;

    // Only one variation reports whom it met.
    let definition = Experiment::parse(&with_coverage(5_000).to_string()).unwrap();
    let met = (0..)
        .map(|n| format!("unit-{n}"))
        .filter(|unit| experiments::assign(&definition, unit).hash_used)
        .filter(|unit| experiments::assign(&definition, unit).variation == 1)
        .map(|unit| json!({"experiment": KEY, "variation": 1, "unit": unit}));
    let met: Vec<Value> = met.take(300).collect();
    let answer = crate::flags::post(&app, "/api/track/sdk-cartwright", &json!({"exposures": met})).await;
    assert_eq!((answer.status, &answer.json()["accepted"]), (200, &json!(300)), "{}", answer.text);

    let path = format!("/admin/experiments/{KEY}");
    let told = async || -> Vec<String> {
        let page = admin.get(&path).await;
        let history = page.html.split("id=\"history\"").nth(1).unwrap().to_owned();
        let entries =
            history.split("Ramp ").skip(1).map(|entry| entry.split(['<', ',']).next().unwrap().to_owned());
        entries.filter(|entry| entry.contains("held")).collect()
    };
    eventually("the hold stands in the history", async || told().await == ["held"]).await;
    let page = admin.get(&path).await;
    assert!(page.html.contains("while the split is not as planned (held since "), "{}", page.html);
    assert!(page.html.contains("The split is not as planned.") && page.html.contains(">by ramp schedule"));
    age(&app, 3 * 60).await;
    tokio::time::sleep(std::time::Duration::from_secs(12)).await;
    assert_eq!(told().await, ["held"], "it is said once, whatever node looks, and no step is taken");

    press(&admin, "ramp/skip").await;
    eventually("its end stands there, too", async || told().await == ["no longer held", "held"]).await;
    assert!(admin.get(&path).await.html.contains("There is no step left to take."));
    drop(twin);
}

async fn what_was_learned_is_found_again(store: Store) {
    let (_app, admin) = start(store).await;
    let path = format!("/admin/experiments/{KEY}");
    let page = admin.get(&path).await;
    assert!(!page.html.contains("/learned\""), "nothing is learned before the end");
    press(&admin, "stop").await;
    let page = admin.get(&path).await;
    let lesson = "Whoever pays by <i>card</i> minds the zebra.\r\nThe others do not.";
    let page = admin.submit(&page, &format!("{path}/learned"), &[("learned", lesson)]).await;
    assert!(page.html.contains("What was learned is saved"), "{}", page.html);
    let page = admin.submit(&page, &format!("{path}/learned"), &[("learned", &"x".repeat(4_001))]).await;
    assert_eq!(page.status, 422);
    assert!(page.html.contains("Learned has 4001 bytes, the most allowed is 4000"), "{}", page.html);
    press(&admin, "archive").await;
    let found = async |query: &str| {
        let page = admin.get(&format!("/admin{query}")).await;
        assert_eq!(page.status, 200, "{query}");
        page.html.contains("zebra.\nThe others do not.")
    };
    assert!(!found("").await, "it has left the list");
    for query in
        ["?q=ZEBRA+card", "?status=archived", "?owner=ada&status=any", "?flag=checkout_workflow&q=lets+more"]
    {
        assert!(found(query).await, "{query}");
    }
    for query in ["?q=zebra+lion", "?q=zebra&status=running", "?owner=bob", "?q=%00%F0%9F%98%80"] {
        assert!(!found(query).await, "{query}");
    }
    assert_eq!(admin.get("/admin?status=asleep").await.status, 400);
}

/// Puts everything that happened to experiments so far back by so many minutes.
async fn age(app: &TestApp, minutes: u32) {
    let by_ms = u64::from(minutes) * 60_000;
    let age = |table: &str| format!("UPDATE {table} SET saved_at_ms = saved_at_ms - {by_ms};");
    tables::run(app.store_url(), &(age("experiments") + &age("experiment_history"))).await.unwrap();
}

async fn a_ramp_rises_by_schedule_and_by_hand(store: Store) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let admin = Admin::sign_in(&app).await;
    let mut fields = FIELDS.to_vec();
    fields.extend([("coverage_percent", "10"), ("ramp", "2 h: 10 %\n3 h: 50 %\n4 h: 75 %\n9 h: 100 %")]);
    assert_eq!(draft(&admin, &fields).await.status, 200);
    let path = format!("/admin/experiments/{KEY}");
    let start = admin.get(&path).await;
    let refused = admin.submit(&start, &format!("{path}/start"), &[]).await;
    assert_eq!(refused.status, 409, "a step that raises nothing is a slip");
    assert!(refused.html.contains("The first step of the ramp covers 1000 basis points"), "{}", refused.html);
    let form = admin.get(&format!("{path}/edit")).await;
    let ramp = [("ramp", "2 h: 20 %\n3 h: 50 %\n4 h: 75 %\n9 h: 100 %")];
    assert_eq!(admin.submit(&form, &path, &ramp).await.status, 200);
    press(&admin, "start").await;
    let coverage = async || {
        let html = admin.get(&path).await.html;
        let covered = html.split("<dt>Coverage</dt><dd>").nth(1).unwrap();
        covered.split('\u{a0}').next().unwrap().to_owned()
    };
    assert_eq!(coverage().await, "10");
    // Four hours later the first step is due, and it is watched for an hour before the second is.
    age(&app, 4 * 60).await;
    eventually("the first step is taken", async || coverage().await == "20").await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(coverage().await, "20", "steps that are late do not come all at once");
    press(&admin, "ramp/raise").await;
    assert_eq!(coverage().await, "50");
    press(&admin, "ramp/skip").await;
    let page = admin.get(&path).await;
    assert!(page.html.contains("Raise to 100\u{a0}% now"), "{}", page.html);
    let history = page.html.split("id=\"history\"").nth(1).unwrap();
    let by: Vec<&str> =
        history.split("\">by ").skip(1).map(|entry| entry.split(',').next().unwrap()).take(3).collect();
    assert_eq!(by, ["ada", "ada", "ramp schedule"]);
    assert!(history.contains("The step to 20 % was due."), "{history}");
    let page = admin.get(&path).await;
    assert_eq!(admin.submit(&page, &format!("{path}/ramp/raise"), &[("reason", " ")]).await.status, 422);
    press(&admin, "pause").await;
    let stale = admin.submit(&page, &format!("{path}/ramp/raise"), &[("reason", "now")]).await;
    assert_eq!(stale.status, 409, "nothing rises while it is paused");
}

async fn a_stop_comes_before_what_others_change(store: Store) {
    let (_app, admin) = start(store).await;
    let path = format!("/admin/experiments/{KEY}");
    let stale = admin.get(&path).await;
    let form = admin.get(&format!("{path}/edit")).await;
    let renamed = [("name", "Another name"), ("reason", "clearer")];
    assert_eq!(admin.submit(&form, &path, &renamed).await.status, 200);
    let page = admin.submit(&stale, &format!("{path}/pause"), &[("reason", "late")]).await;
    assert!(page.html.contains("Somebody else changed the experiment"), "{}", page.html);
    let page = admin.submit(&stale, &format!("{path}/stop"), &[("reason", "it breaks")]).await;
    assert!(page.html.contains("The experiment has stopped"), "{}", page.html);
    assert!(page.html.contains("Another name"), "and nothing of the change is lost");
}

async fn every_change_stands_in_the_history_with_who_and_why(store: Store) {
    let (_app, admin) = start(store).await;
    let path = format!("/admin/experiments/{KEY}");
    let form = admin.get(&format!("{path}/edit")).await;
    let changed = [("name", "Express <b>checkout</b>"), ("coverage_percent", "100")];
    let page = admin.submit(&form, &path, &changed).await;
    assert_eq!(page.status, 422, "a started experiment does not change without a reason");
    assert!(page.html.contains("href=\"#reason\""), "{}", page.html);
    let page = admin.submit(&page, &path, &[("reason", "The old name was \"wrong\".")]).await;
    assert_eq!(page.status, 200, "{}", page.html);
    press(&admin, "pause").await;
    let page = admin.get(&path).await;
    let history = page.html.split("id=\"history\"").nth(1).unwrap();
    let entries: Vec<&str> = history.split("<p><strong>").skip(1).collect();
    let heads: Vec<&str> = entries.iter().map(|entry| entry.split('<').next().unwrap()).collect();
    assert_eq!(heads, ["Paused", "Changed", "Started", "Created, draft"]);
    assert!(entries.iter().all(|entry| entry.contains("by ada, <time")), "{history}");
    assert!(entries[0].contains("the test wants it"));
    let change = admin::unescape(entries[1]);
    assert!(change.contains("The old name was \"wrong\".") && change.contains("Name: "), "{change}");
    assert!(
        change.contains(">Express checkout<") && change.contains(">Express <b>checkout</b><"),
        "{change}"
    );
}

async fn a_broken_definition_is_refused_and_says_why(store: Store) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let admin = Admin::sign_in(&app).await;
    let with = |changes: &[(&'static str, &'static str)]| {
        let mut fields = FIELDS.to_vec();
        fields.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        fields.extend_from_slice(changes);
        fields
    };
    let unknown_step = r#"{"name":"odd","cart":"page","checkout":"stepwise","steps":["address","teleport"]}"#;
    let cases = [
        (with(&[("variation_2_weight_percent", "40")]), "add up"),
        (with(&[("variation_2_weight_percent", "half")]), "weight of variation 2"),
        (with(&[("variation_2_key", "classic")]), "twice"),
        (with(&[("variation_2_value", "{")]), "JSON"),
        (with(&[("variation_2_value", unknown_step)]), "teleport"),
        (with(&[("variation_2_value", "\"teleport\"")]), "teleport"),
        (with(&[("variation_2_value", "\"classic\"")]), "the same value"),
        (with(&[("kind", "aa")]), "another value than the control"),
        (with(&[("planned_days", "a while")]), "whole number of days"),
        (with(&[("planned_days", "400")]), "choose from 1 to 366"),
        (with(&[("flag", "colour")]), "colour"),
        (with(&[("key", "no spaces please")]), "key"),
        (with(&[("key", "")]), "key"),
        (with(&[("coverage_percent", "101")]), "coverage"),
    ];
    let mut statuses = Vec::new();
    for (fields, why) in cases {
        let page = draft(&admin, &fields).await;
        let alert = admin::unescape(page.html.split("role=\"alert\"").nth(1).unwrap_or_default());
        let alert = alert.split("</div>").next().unwrap_or_default().to_lowercase();
        statuses.push(page.status);
        assert!(alert.contains(&why.to_lowercase()), "{why} is not in {alert}");
        assert_eq!(admin.get(&format!("/admin/experiments/{KEY}")).await.status, 404, "nothing was saved");
    }
    // A key is taken once.
    assert_eq!(draft(&admin, FIELDS).await.status, 200);
    let again = draft(&admin, FIELDS).await;
    assert!(again.html.contains("role=\"alert\""), "{}", again.html);
    statuses.push(again.status);
    assert!(statuses.iter().all(|status| *status == 422), "a refused form is a 422: {statuses:?}");
}

async fn the_form_says_how_many_visitors_a_lift_takes(store: Store) {
    let (_app, admin) = start(store).await;
    let asked = "calculator_kind=share&calculator_rate=10&calculator_lift=10&calculator_power=80\
                 &calculator_units_a_day=2000&calculator_looks=once";
    let page = admin.get(&format!("/admin/experiments/new?copy={KEY}&{asked}")).await;
    assert_eq!(page.status, 200, "{}", page.html);
    assert!(
        page.html.contains("into “Planned units” and choose “Once, at the planned units”"),
        "{}",
        page.html
    );
    assert!(page.html.contains("value=\"Express checkout (copy)\""), "the form is still the copy's");
    assert!(page.html.contains("name=\"copy\" value=\"checkout-express\""));
    let wrong = admin.get("/admin/experiments/new?calculator_rate=120&calculator_lift=10").await;
    assert_eq!(wrong.status, 200);
    assert!(wrong.html.contains("The rate must be a number above 0 and below 100 %, such as 3.4."));
    // What has started is planned no more.
    let edit = admin.get(&format!("/admin/experiments/{KEY}/edit?{asked}")).await;
    assert!(!edit.html.contains("Planned units” and choose"), "{}", edit.html);
}

async fn the_dashboards_are_for_those_who_signed_in(store: Store) {
    let (app, admin) = start(store).await;
    let stranger = Admin::stranger(&app);
    for path in ["/admin", "/admin/experiments/new", "/admin/experiments/checkout-express"] {
        let page = stranger.get(path).await;
        assert_eq!(page.path, "/admin/login", "{path}");
        assert!(!page.html.contains("Express checkout"));
        assert_eq!(admin.get(path).await.path, path);
    }
    let refused = stranger.sign_in_with("wrong horse battery").await;
    assert_eq!(stranger.get("/admin").await.path, "/admin/login");
    // A form that another site makes the browser send changes nothing.
    let forged = reqwest::Client::new()
        .post(app.url("/admin/experiments/checkout-express/stop"))
        .send()
        .await
        .unwrap();
    assert_ne!(forged.url().path(), "/admin/experiments/checkout-express");
    let page = admin.get("/admin/experiments/checkout-express").await;
    assert!(page.html.contains("/admin/experiments/checkout-express/stop"), "it still runs");
    assert!((400..500).contains(&refused.status), "a wrong password is a 4xx, not {}", refused.status);
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
