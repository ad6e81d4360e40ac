//! What experiments are judged by, and who is counted: metrics, roll-ups, robots, people on two devices.

use experiments::definition::METRICS_MAX;
use harness::{Admin, Store, TestApp, admin, app::random_token, patience::eventually, tables};
use serde_json::{Value, json};

use crate::experiments::{FIELDS, KEY, draft, open_cart_in, press, start};

on_each_store!(
    who_does_not_count_is_told_apart,
    what_pages_measure_is_a_metric,
    roll_ups_made_again_are_the_same,
    a_metric_of_ones_own_decides,
    a_forgotten_metric_is_counted_from_the_first_visitor_on,
    no_more_metrics_are_added_than_a_copy_may_have,
    a_metric_is_defined_in_a_form,
    whoever_saves_metrics_has_seen_what_others_saved,
);

/// Waits until the experiment's page says something.
async fn told(admin: &Admin, words: &str) {
    eventually(words, async || admin.get(&format!("/admin/experiments/{KEY}")).await.text().contains(words))
        .await;
}

async fn who_does_not_count_is_told_apart(store: Store) {
    let (app, admin) = start(store).await;
    let first = open_cart_in(&app, "classic").await;
    let open = |token: String, header: &'static str, value: &'static str| {
        let request =
            reqwest::Client::new().post(app.url("/api/v1/carts")).bearer_auth(token).header(header, value);
        async move { assert_eq!(request.send().await.unwrap().status(), 201) }
    };
    open(random_token(), "user-agent", "Mozilla/5.0 (compatible; Googlebot/2.1)").await;
    open(random_token(), "cookie", "cartwright_staff=1").await;
    told(&admin, "− Robots 1").await;
    told(&admin, "− Staff 1").await;
    let metrics = app.metrics().await;
    let of = |variation: &'static str| {
        let labels = [("experiment", KEY), ("variation", variation)];
        metrics.value("cartwright_experiment_exposures_total", &labels).unwrap_or(0.0)
    };
    let units = app.events("exposure_logged", 3).await.len() as f64;
    assert_eq!(of("0") + of("1"), units - 2.0);

    // One person: signed up here, logged in where another variation had been met.
    let ada = json!({"email": "ada@example.org", "password": "seven geese over Bath", "name": "Ada"});
    let up = app.call(reqwest::Method::POST, "/api/v1/users", Some(first.token()), Some(&ada)).await;
    assert_eq!(up.status, 201, "{}", up.body);
    let second = open_cart_in(&app, "express").await;
    let entry =
        json!({"email": "ada@example.org", "password": "seven geese over Bath", "device": "telephone"});
    let logged_in =
        app.call(reqwest::Method::POST, "/api/v1/sessions", Some(second.token()), Some(&entry)).await;
    assert_eq!(logged_in.status, 201, "{}", logged_in.body);
    told(&admin, "− Crossed over 2").await;
}

async fn what_pages_measure_is_a_metric(store: Store) {
    let (app, admin) = start(store).await;
    let shopper = app.open_cart().await;
    let send = async |body: &str| {
        let request = reqwest::Client::new().post(app.url("/measured")).bearer_auth(shopper.token());
        request
            .header("content-type", "text/plain")
            .body(body.to_owned())
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    for ms in [120, 240, 360] {
        assert_eq!(send(&json!({"path": "/products", "ms": ms, "failed": ms == 360}).to_string()).await, 204);
    }
    assert_eq!(send("{").await, 400);
    assert_eq!(send(r#"{"path": "/", "ms": -1}"#).await, 400);
    let page = app.page(&shopper, "/products").await;
    assert!(page.contains("data-measures"), "pages are asked to measure");
    told(&admin, "Page latency").await;
    let events = app.events("event_tracked", 4).await;
    let failed = events.iter().filter(|event| event["data"]["name"] == "page_failed").count();
    assert_eq!(failed, 1, "{events:?}");
    // A third of the pages failed. The 90 % point of three lies between the last two, to the width of a bucket.
    told(&admin, "0.333").await;
    told(&admin, "338 ms").await;
    press(&admin, "stop").await;
    assert_eq!(send(r#"{"path": "/", "ms": 10}"#).await, 204);
    assert_eq!(app.events_now("event_tracked").len(), 4, "nothing is kept while nothing runs");
}

async fn roll_ups_made_again_are_the_same(store: Store) {
    let (mut app, admin) = start(store).await;
    for nth in 0..12 {
        let shopper = app.open_cart().await;
        if nth % 3 == 0 {
            shopper.add("TEAPOT", 1).await.accepted();
            shopper.check_out("tok_success").await.accepted();
        }
    }
    let rows = async |app: &TestApp| {
        let store = web::store::connect(app.store_url(), 2).await.unwrap();
        (store.rolled_up().await.unwrap(), store.looks(KEY).await.unwrap())
    };
    let logged = [app.events("order_placed", 4).await, app.events("exposure_logged", 12).await].concat();
    let newest = logged.iter().filter_map(|event| event["position"].as_u64()).max().unwrap();
    let reached = async |app: &TestApp| {
        let store = web::store::connect(app.store_url(), 2).await.unwrap();
        eventually("the roll-ups follow", async || store.cursor("rollups").await.unwrap() >= newest).await;
    };
    reached(&app).await;
    let before = rows(&app).await;
    assert!(before.0.arms.len() > 2, "{before:?}");
    app.stop().await;
    web::store::connect(app.store_url(), 2).await.unwrap().reset_roll_ups().await.unwrap();
    app.restart().await;
    reached(&app).await;
    assert_eq!(rows(&app).await, before);
    drop(admin);
}

async fn a_metric_of_ones_own_decides(store: Store) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let admin = Admin::sign_in(&app).await;
    let form = admin.get("/admin/metrics").await;
    let saved = async |text: &str| admin.submit(&form, "/admin/metrics", &[("metrics", text)]).await;
    let wrong = saved(r#"[{"key": "pots", "measure": {"kind": "median"}}]"#).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("metric 1: metric cannot be read: unknown variant"), "{}", wrong.text());
    let metric = r#"[{"key": "pots", "name": "Pots added", "measure": {"kind": "mean", "property": "quantity",
        "event": {"type": "line_added", "where": [{"property": "sku", "is": "TEAPOT"}]}}}]"#;
    let right = saved(metric).await;
    assert_eq!((right.status, right.text().contains("Pots added")), (200, true), "{}", right.text());

    let with = |metric: &'static str| {
        let mut fields = FIELDS.to_vec();
        fields.push(("primary_metric", metric));
        fields.push(("guardrails", "order_value 5 %"));
        fields
    };
    let unknown = draft(&admin, &with("luck")).await;
    assert!(
        unknown.status == 422 && unknown.text().contains("There is no metric “luck”"),
        "{}",
        unknown.text()
    );
    assert_eq!(draft(&admin, &with("pots")).await.status, 200);
    let without = saved("[]").await;
    assert!(without.status == 422 && without.text().contains("is judged by"), "{}", without.text());
    press(&admin, "start").await;
    for pots in [2, 5] {
        app.open_cart().await.add("TEAPOT", pots).await.accepted();
    }
    app.open_cart().await.add("MUG", 9).await.accepted();
    told(&admin, "Decided by Pots added").await;
    eventually("seven pots are counted", async || {
        let store = web::store::connect(app.store_url(), 2).await.unwrap();
        let arms = store.arms(KEY).await.unwrap().arms;
        let sums = arms.iter().filter(|arm| arm.segment.is_empty());
        let total: i128 =
            sums.map(|arm| experiments::ArmSums::parse(&arm.sums).unwrap().metric(0).total()).sum();
        total == 7
    })
    .await;
    an_edit_changes_nothing_that_has_begun(app, &admin, metric).await;
}

/// Edits a metric that a running experiment is judged by, and makes the roll-ups again.
async fn an_edit_changes_nothing_that_has_begun(mut app: TestApp, admin: &Admin, metric: &str) {
    let logged = app.events("line_added", 3).await;
    let newest = logged.iter().filter_map(|event| event["position"].as_u64()).max().unwrap();
    let rolled = async |app: &TestApp| {
        let store = web::store::connect(app.store_url(), 2).await.unwrap();
        eventually("the roll-ups follow", async || store.cursor("rollups").await.unwrap() >= newest).await;
        (store.rolled_up().await.unwrap(), store.looks(KEY).await.unwrap())
    };
    let before = rolled(&app).await;
    let form = admin.get("/admin/metrics").await;
    let edited = metric.replace("TEAPOT", "MUG");
    let saved = admin.submit(&form, "/admin/metrics", &[("metrics", &edited)]).await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    app.stop().await;
    web::store::connect(app.store_url(), 2).await.unwrap().reset_roll_ups().await.unwrap();
    app.restart().await;
    assert_eq!(rolled(&app).await, before, "it is counted as it was when the experiment began");
}

async fn a_forgotten_metric_is_counted_from_the_first_visitor_on(store: Store) {
    let (mut app, admin) = start(store).await;
    for pots in [2, 5, 4] {
        app.open_cart().await.add("TEAPOT", pots).await.accepted();
    }
    app.open_cart().await.add("MUG", 9).await.accepted();
    let form = admin.get("/admin/metrics").await;
    let metric = r#"[{"key": "pots", "name": "Pots added", "measure": {"kind": "mean", "property": "quantity",
        "event": {"type": "line_added", "where": [{"property": "sku", "is": "TEAPOT"}]}}}]"#;
    assert_eq!(admin.submit(&form, "/admin/metrics", &[("metrics", metric)]).await.status, 200);

    let (path, add) = (format!("/admin/experiments/{KEY}"), format!("/admin/experiments/{KEY}/metrics"));
    let page = admin.get(&path).await;
    assert!(
        page.text().contains("Was a metric forgotten?") && page.html.contains("value=\"pots\""),
        "{}",
        page.html
    );
    assert!(!page.html.contains("<option value=\"conversion\""), "what is counted is not offered");
    let named = |metric: &'static str, reason: &'static str| [("metric", metric), ("reason", reason)];
    for (metric, reason, status, words) in [
        ("pots", "", 422, "Say why"),
        ("luck", "it would be nice", 422, "There is no metric “luck”"),
        ("conversion", "again", 409, "The metric “conversion” is counted already."),
    ] {
        let refused = admin.submit(&page, &add, &named(metric, reason)).await;
        assert!(refused.status == status && refused.text().contains(words), "{}", refused.text());
    }
    let added = admin.submit(&page, &add, &named("pots", "nobody thought of pots")).await;
    assert_eq!(added.status, 200, "{}", added.html);
    assert!(added.text().contains("Metric added: pots"), "{}", added.text());
    assert!(added.text().contains("nobody thought of pots"), "{}", added.text());
    let again = admin.submit(&added, &add, &named("pots", "twice")).await;
    assert!(again.status == 409 && again.text().contains("is counted already"), "{}", again.text());

    // A copy measures the same, as planned from its start.
    let copy = admin.get(&format!("/admin/experiments/new?copy={KEY}")).await;
    let copied = admin.submit(&copy, "/admin/experiments", &[("key", "again")]).await;
    assert_eq!(copied.status, 200, "{}", copied.html);
    let edit = admin.get("/admin/experiments/again/edit").await.html;
    let field = edit.split("name=\"metrics\"").nth(1).and_then(|rest| rest.split("</textarea>").next());
    let metrics: Vec<&str> = field.unwrap().split(['>', '\n']).skip(1).map(str::trim).collect();
    assert!(metrics.contains(&"orders") && metrics.last() == Some(&"pots"), "{metrics:?}");

    told(&admin, "after the start: a hint, no proof").await;
    app.open_cart().await.add("TEAPOT", 6).await.accepted();
    let late = web::store::late_key(KEY, "pots");
    let rows = async |app: &TestApp| {
        let store = web::store::connect(app.store_url(), 2).await.unwrap();
        (store.rolled_up().await.unwrap(), store.looks(&late).await.unwrap())
    };
    let pots = async |app: &TestApp| {
        let arms = rows(app).await.0.arms;
        let whole = arms.iter().filter(|arm| arm.experiment == late && arm.segment.is_empty());
        whole.map(|arm| experiments::ArmSums::parse(&arm.sums).unwrap().metric(0).total()).sum::<i128>()
    };
    eventually("all pots are counted", async || pots(&app).await == 17).await;
    let json: Value = serde_json::from_str(&admin.get(&format!("{path}/results.json")).await.html).unwrap();
    let metrics = json["analysis"]["metrics"].as_array().unwrap();
    let pots_told = metrics.last().unwrap();
    assert_eq!((&pots_told["key"], pots_told["is_primary"].as_bool()), (&json!("pots"), Some(false)));
    assert!(pots_told["added_at_ms"].is_i64() && metrics[0].get("added_at_ms").is_none(), "{pots_told}");
    let totals = json["analysis"]["arms"].as_array().unwrap().iter();
    let total: i64 =
        totals.map(|arm| arm["values"].as_array().unwrap().last().unwrap()["total"].as_i64().unwrap()).sum();
    assert_eq!(total, 17);
    let csv = admin.get(&format!("{path}/results.csv")).await.html;
    assert!(csv.contains(",pots,added_after_start,"), "{csv}");

    // As if it had been there: made again from the first event on, it is the same.
    eventually("it goes along", async || {
        rows(&app).await.0.experiments.iter().all(|row| row.position.is_none())
    })
    .await;
    let before = rows(&app).await;
    app.stop().await;
    web::store::connect(app.store_url(), 2).await.unwrap().reset_roll_ups().await.unwrap();
    app.restart().await;
    eventually("all is counted again", async || rows(&app).await == before).await;
}

async fn no_more_metrics_are_added_than_a_copy_may_have(store: Store) {
    let (mut app, admin) = start(store).await;
    let form = admin.get("/admin/metrics").await;
    let own = |n: usize| json!({"key": format!("own-{n}"), "measure": {"kind": "count", "event": {"type": "line_added"}}});
    let own: Vec<Value> = (0..METRICS_MAX).map(own).collect();
    let own = Value::from(own).to_string();
    assert_eq!(admin.submit(&form, "/admin/metrics", &[("metrics", &own)]).await.status, 200);
    // It names no metrics, so that the usual eleven are counted.
    let path = format!("/admin/experiments/{KEY}");
    let add = async |n: usize| {
        let fields = [("metric", format!("own-{n}")), ("reason", "nobody thought of it".into())];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        admin.submit(&admin.get(&path).await, &format!("{path}/metrics"), &fields).await
    };
    for n in 11..METRICS_MAX {
        assert_eq!(add(n).await.status, 200);
    }
    let refused = add(0).await;
    let told =
        "Experiment counts 20 metrics, the most there may be: a copy under a new key may measure others.";
    assert!(refused.status == 409 && refused.text().contains(told), "{}", refused.text());
    let copy = admin.get(&format!("/admin/experiments/new?copy={KEY}")).await;
    assert!(!copy.text().contains("the most is 20"), "{}", copy.text());
    assert_eq!(admin.submit(&copy, "/admin/experiments", &[("key", "again")]).await.status, 200);

    // An earlier version added more: a copy says so at once, and is saved once some are left out.
    let sql = format!("SELECT definition FROM experiments WHERE key = '{KEY}'");
    let mut definition: Value =
        serde_json::from_str(&tables::texts(app.store_url(), &sql).await[0][0]).unwrap();
    let late = definition["late_metrics"].as_array_mut().unwrap();
    late.push(json!({"metric": "own-0", "added_at_ms": 7}));
    let quoted = definition.to_string().replace('\'', "''");
    let sql = format!("UPDATE experiments SET definition = '{quoted}' WHERE key = '{KEY}'");
    app.stop().await;
    tables::run(app.store_url(), &sql).await.unwrap();
    app.restart().await;
    let admin = Admin::sign_in(&app).await;
    let copy = admin.get(&format!("/admin/experiments/new?copy={KEY}")).await;
    let told = "Experiment has 21 metrics, the most is 20: leave out those that decide nothing.";
    assert!(copy.status == 200 && copy.text().contains(told), "{}", copy.text());
    let refused = admin.submit(&copy, "/admin/experiments", &[("key", "third")]).await;
    assert!(refused.status == 422 && refused.text().contains(told), "{}", refused.text());
    let fewer = [("key", "third"), ("metrics", "orders\nown-0")];
    assert_eq!(admin.submit(&refused, "/admin/experiments", &fewer).await.status, 200);
}

async fn whoever_saves_metrics_has_seen_what_others_saved(store: Store) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let (ada, bob) = (Admin::sign_in(&app).await, Admin::sign_in(&app).await);
    let (one, other) = (ada.get("/admin/metrics/new").await, bob.get("/admin/metrics/new").await);
    let list = bob.get("/admin/metrics").await;
    let mugs = [("name", "Mugs"), ("key", "mugs"), ("kind", "count"), ("event", "line_added")];
    let pots = [("name", "Pots"), ("key", "pots"), ("kind", "count"), ("event", "line_added")];
    assert_eq!(ada.submit(&one, "/admin/metrics/added", &mugs).await.path, "/admin/metrics");
    let told = "omebody else saved metrics since this page was opened: look at what there is now, then save yours again";
    let late = bob.submit(&other, "/admin/metrics/added", &pots).await;
    assert!(late.status == 422 && late.text().contains(told), "{}", late.text());
    let all = bob.submit(&list, "/admin/metrics", &[("metrics", "[]")]).await;
    assert!(all.status == 422 && all.text().contains(told), "{}", all.text());
    assert!(bob.get("/admin/metrics").await.text().contains("Mugs"), "nothing is undone");
    // What was typed stands there still; saved again, it stands beside the other.
    assert_eq!(bob.submit(&late, "/admin/metrics/added", &[]).await.path, "/admin/metrics");
    let both = ada.get("/admin/metrics").await.text();
    assert!(both.contains("Mugs") && both.contains("Pots"), "{both}");
    // A page that is old by now removes nothing either.
    let old = ada.get("/admin/metrics/own/mugs").await;
    let newer = bob.get("/admin/metrics/own/mugs").await;
    assert_eq!(bob.submit(&newer, "/admin/metrics/own/mugs/save", &[("name", "Cups")]).await.status, 200);
    let removed = ada.submit(&old, "/admin/metrics/own/mugs/remove", &[]).await;
    assert!(removed.status == 422 && removed.text().contains(told), "{}", removed.text());
    assert!(ada.get("/admin/metrics").await.text().contains("Cups"));
}

async fn a_metric_is_defined_in_a_form(store: Store) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let admin = Admin::sign_in(&app).await;
    let added = "/admin/metrics/added";
    let form = admin.get("/admin/metrics/new").await;
    let checked =
        admin.check(&form, added, &[("name", "Pots"), ("key", "pots"), ("window_hours", "soon")]).await;
    assert_eq!(checked["errors"][0]["field"], "window_hours", "{checked}");
    let pots = [
        ("name", "Pots added"),
        ("key", "pots"),
        ("kind", "mean"),
        ("event", "line_added"),
        ("property", "quantity"),
        ("conditions", "sku is TEAPOT"),
        ("cap_percentile", "99"),
        ("lookback_days", "30"),
    ];
    let checked = admin.check(&form, added, &pots).await;
    let says = "Nothing is wrong. It is the sum of quantity of: line added with sku is TEAPOT.";
    assert_eq!((&checked["errors"], &checked["says"]), (&json!([]), &json!(says)));
    assert_eq!(admin.submit(&form, added, &pots).await.path, "/admin/metrics");
    // The same key again, also that of a metric every shop has.
    for key in ["pots", "conversion"] {
        let again = admin.submit(&form, added, &[&pots[..], &[("key", key)]].concat()).await;
        assert_eq!(again.status, 422);
        assert!(again.text().contains(&format!("There is a metric of the key “{key}”")), "{}", again.text());
    }
    // What was typed is there to be changed, and the JSON says it all.
    let own = "/admin/metrics/own/pots";
    let form = admin.get(own).await;
    assert!(form.html.contains("sku is TEAPOT") && form.html.contains("readonly"), "{}", form.html);
    let saved = admin.submit(&form, &format!("{own}/save"), &[("name", "Teapots added")]).await;
    assert_eq!(saved.path, "/admin/metrics");
    let list = admin.get("/admin/metrics").await;
    assert!(
        list.html.contains("&quot;cap_percentile_bp&quot;: 9900") && list.text().contains("Teapots added")
    );
    let copy = admin.get("/admin/metrics/new?copy=revenue_per_unit").await;
    assert!(copy.html.contains("total_minor"), "{}", copy.html);
    assert_eq!(admin.get("/admin/metrics/own/luck").await.status, 404);
    let form = admin.get(own).await;
    let removed = admin.submit(&form, &format!("{own}/remove"), &[]).await;
    assert!(removed.text().contains("The metric is removed") && !removed.text().contains("Teapots"));
}
