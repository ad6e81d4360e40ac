//! Experiments whose weights follow their results.

use experiments::{Experiment, assign::assign};
use harness::{Admin, Store, TestApp, admin, patience::eventually, tables};
use serde_json::{Value, json};

use crate::{
    experiments::{FIELDS, KEY, draft, press},
    flags::{FEATURES, get, post},
};

on_each_store!(
    weights_are_drawn_again_and_every_unit_keeps_its_chance,
    a_bandit_that_loses_visitors_on_phones_is_told,
    a_bandit_that_cannot_be_judged_is_refused,
);

const BANDIT: [(&str, &str); 3] =
    [("bandit", "thompson"), ("bandit_every_hours", "24"), ("bandit_floor_percent", "10")];
const METRIC: &str = r#"[{"key": "wins", "name": "Wins", "measure": {"kind": "proportion",
    "event": {"type": "event_tracked", "where": [{"property": "name", "is": "win"}]}}},
    {"key": "speed", "name": "Speed", "measure": {"kind": "quantile", "property": "value", "level_bp": 5000,
    "event": {"type": "event_tracked", "where": [{"property": "name", "is": "speed"}]}}},
    {"key": "back", "name": "Came back", "measure": {"kind": "retention", "from_days": 1, "to_days": 7,
    "event": {"type": "event_tracked", "where": [{"property": "name", "is": "visit"}]}}}]"#;

async fn begin(store: Store) -> (TestApp, Admin) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let admin = Admin::sign_in(&app).await;
    let form = admin.get("/admin/metrics").await;
    assert_eq!(admin.submit(&form, "/admin/metrics", &[("metrics", METRIC)]).await.status, 200);
    (app, admin)
}

async fn results(admin: &Admin) -> Value {
    let page = admin.get(&format!("/admin/experiments/{KEY}/results.json")).await;
    serde_json::from_str(&page.html).unwrap_or_else(|error| panic!("{error}: {}", page.html))
}

fn units_of(results: &Value, epoch: usize) -> u64 {
    results["epochs"][epoch]["units"].as_array().unwrap().iter().filter_map(Value::as_u64).sum()
}

/// Reports that units met what they were given, and that so many of a hundred of each variation won.
async fn report(app: &TestApp, definition: &Experiment, units: std::ops::Range<u32>, wins: [u32; 2]) -> u64 {
    let (mut exposures, mut events, mut seen) = (vec![], vec![], [0_u32; 2]);
    for unit in units.map(|n| format!("unit-{n}")) {
        let variation = assign(definition, &unit).variation;
        let device = if seen[variation] % 2 == 0 { "phone" } else { "desktop" };
        exposures.push(json!({"experiment": KEY, "variation": variation, "unit": unit, "attributes": {"device": device}}));
        seen[variation] += 1;
        if seen[variation] % 100 < wins[variation] {
            events.push(json!({"name": "win", "unit": unit}));
        }
    }
    let batch = json!({"exposures": exposures, "events": events});
    let answer = post(app, "/api/track/sdk-cartwright", &batch).await.json();
    assert_eq!(answer["refused"], json!([]), "{answer}");
    answer["accepted"].as_u64().unwrap()
}

async fn weights_are_drawn_again_and_every_unit_keeps_its_chance(store: Store) {
    let (mut app, admin) = begin(store).await;
    let fields = [FIELDS, &BANDIT, &[("primary_metric", "wins")]].concat();
    let saved = draft(&admin, &fields).await;
    assert_eq!(saved.status, 200, "{}", saved.html);
    press(&admin, "start").await;
    let first = Experiment::parse_value(&results(&admin).await["experiment"]).unwrap();
    for units in [0..480, 480..960] {
        report(&app, &first, units, [10, 60]).await;
    }
    eventually("all are counted", async || units_of(&results(&admin).await, 0) == 960).await;
    eventually("and what they did", async || {
        results(&admin).await["analysis"]["arms"][1]["values"][0]["active"].as_u64() > Some(250)
    })
    .await;
    assert_eq!(results(&admin).await["epochs"].as_array().map(Vec::len), Some(1), "no day has passed");

    let day = 25 * 3_600_000;
    let age = |table: &str| format!("UPDATE {table} SET saved_at_ms = saved_at_ms - {day};");
    tables::run(app.store_url(), &(age("experiments") + &age("experiment_history"))).await.unwrap();
    eventually("weights are drawn again", async || {
        results(&admin).await["epochs"].as_array().map(Vec::len) == Some(2)
    })
    .await;
    let now = results(&admin).await;
    assert_eq!(now["epochs"][0]["weights_bp"], json!([5_000, 5_000]));
    assert_eq!(now["epochs"][1]["weights_bp"], json!([1_000, 9_000]), "the floor stays to what does worse");
    let page = admin.get(&format!("/admin/experiments/{KEY}")).await;
    let text = page.text();
    assert!(text.contains("How the weights move") && text.contains("Weights drawn again"), "{text}");
    assert!(text.contains("by bandit,"), "{text}");

    // Every door gives by the new weights, and says by which draw.
    let payload = get(&app, FEATURES).await.json();
    let rule = &payload["features"]["checkout_workflow"]["rules"][0];
    assert_eq!((&rule["phase"], &rule["weights"]), (&json!("1"), &json!([0.1, 0.9])));
    let second = Experiment::parse_value(&now["experiment"]).unwrap();
    let shopper = app.open_cart().await;
    let told = |event: &Value| {
        let attributes = &event["data"]["attributes"];
        (attributes["epoch"].clone(), attributes["chance"].clone())
    };
    let logged = app.events("exposure_logged", 961).await;
    let reported = |event: &&Value| event["unit"].as_str().unwrap().starts_with("unit-");
    let own = logged.iter().find(|event| !reported(event)).unwrap();
    let variation = assign(&second, own["unit"].as_str().unwrap()).variation;
    assert_eq!(own["data"]["variation"], json!(variation));
    assert_eq!(told(own), (json!(1), json!([0.1, 0.9][variation])), "{own}");
    assert_eq!(told(logged.iter().find(reported).unwrap()), (json!(0), json!(0.5)));
    drop(shopper);

    // A program that has not heard of the draw yet says by which one it assigned; what no draw gives was forced.
    let moved = (1_000..2_000).map(|n| format!("unit-{n}"));
    let moved =
        moved.filter(|unit| assign(&first, unit).variation == 0 && assign(&second, unit).variation == 1);
    let [late, odd]: [String; 2] = moved.take(2).collect::<Vec<_>>().try_into().unwrap();
    let exposure =
        |unit: &str, epoch: Value| json!({"experiment": KEY, "variation": 0, "unit": unit, "epoch": epoch});
    let batch = json!({"exposures": [exposure(&late, json!("0")), exposure(&odd, json!(1)), exposure(&odd, json!("x"))]});
    let answer = post(&app, "/api/track/sdk-cartwright", &batch).await.json();
    assert_eq!(answer["accepted"], 1, "{answer}");
    assert_eq!(
        (&answer["refused"][0]["error"], &answer["refused"][1]["error"]),
        (&json!("forced"), &json!("invalid"))
    );

    // The form was opened before the draw in spirit: it changes no weights, and the rule is fixed.
    let form = admin.get(&format!("/admin/experiments/{KEY}/edit")).await;
    let named = [("name", "Renamed"), ("reason", "a better name")];
    assert_eq!(admin.submit(&form, &format!("/admin/experiments/{KEY}"), &named).await.status, 200);
    assert_eq!(results(&admin).await["epochs"][1]["weights_bp"], json!([1_000, 9_000]));

    report(&app, &second, 3_000..3_400, [10, 60]).await;
    eventually("the second epoch is counted", async || units_of(&results(&admin).await, 1) >= 400).await;
    let whole = results(&admin).await;
    assert_eq!(whole["analysis"]["verdict"]["kind"], "better", "{}", whole["analysis"]["sentence"]);
    assert_eq!(
        whole["analysis"]["sample_ratio"]["is_mismatch"],
        json!(false),
        "{}",
        whole["analysis"]["sample_ratio"]
    );
    let difference = &whole["analysis"]["comparisons"][0]["difference"];
    let [lower, upper] = ["lower", "upper"].map(|end| difference[end].as_f64().unwrap());
    assert!(lower > 0.0 && lower < 0.5 && 0.5 < upper, "the planted half lies within: {difference}");
    let text = admin.get(&format!("/admin/experiments/{KEY}")).await.text();
    assert!(text.contains("Each part is read epoch by epoch"), "{text}");
    let by_device = |whole: &Value| {
        let mut all = whole["segments"].as_array().unwrap().iter();
        all.find(|one| one["name"] == "device").map(|one| one["treatments"][0]["rows"].clone())
    };
    let devices = by_device(&whole).unwrap();
    assert_eq!(devices.as_array().map(Vec::len), Some(2), "{devices}");
    let splits = whole["splits"].as_array().unwrap();
    let phones = splits.iter().find(|one| one["segment"] == "phone").unwrap();
    let expected: f64 = phones["expected"].as_array().unwrap().iter().filter_map(Value::as_f64).sum();
    let units: u64 = phones["units"].as_array().unwrap().iter().filter_map(Value::as_u64).sum();
    assert!((expected - units as f64).abs() < 1e-6, "{phones}");
    assert!(splits.iter().all(|one| one["is_mismatch"] == false), "{splits:?}");
    assert!(text.contains("The same holds in each of"), "{text}");

    // Made again from the first event on, every unit counts in the epoch that assigned it.
    let told = |whole: &Value| {
        let analysis = &whole["analysis"];
        let mut comparisons = analysis["comparisons"].clone();
        // The last point of the band is drawn at the moment of reading.
        comparisons.as_array_mut().unwrap().iter_mut().for_each(|one| one["band"] = Value::Null);
        let parts = [
            &whole["epochs"],
            &analysis["verdict"],
            &analysis["sentence"],
            &analysis["arms"],
            &analysis["sample_ratio"],
        ];
        (parts.map(Value::clone), comparisons)
    };
    let before = told(&results(&admin).await);
    app.stop().await;
    web::store::connect(app.store_url(), 2).await.unwrap().reset_roll_ups().await.unwrap();
    app.restart().await;
    eventually("all is counted again", async || told(&results(&admin).await) == before).await;
    assert_eq!(by_device(&results(&admin).await), Some(devices), "the parts, too");
}

async fn a_bandit_that_loses_visitors_on_phones_is_told(store: Store) {
    let (app, admin) = begin(store).await;
    let fields = [FIELDS, &BANDIT, &[("primary_metric", "wins")]].concat();
    assert_eq!(draft(&admin, &fields).await.status, 200);
    press(&admin, "start").await;
    let definition = Experiment::parse_value(&results(&admin).await["experiment"]).unwrap();
    // On phones half of the treatment is lost, elsewhere as much of the control.
    let (mut exposures, mut left) = (vec![], [[400, 200], [200, 400]]);
    for (n, unit) in (0..4_000).map(|n| (n, format!("unit-{n}"))) {
        let (variation, device) = (assign(&definition, &unit).variation, n % 2);
        if left[device][variation] > 0 {
            left[device][variation] -= 1;
            let device = ["phone", "desktop"][device];
            exposures.push(json!({"experiment": KEY, "variation": variation, "unit": unit, "attributes": {"device": device}}));
        }
    }
    assert_eq!(left, [[0, 0], [0, 0]]);
    for batch in exposures.chunks(400) {
        let answer = post(&app, "/api/track/sdk-cartwright", &json!({"exposures": batch})).await.json();
        assert_eq!(answer["accepted"], 400, "{answer}");
    }
    eventually("all are counted", async || units_of(&results(&admin).await, 0) == 1_200).await;
    let found = results(&admin).await;
    let off = |one: &&Value| one["is_mismatch"] == true;
    let parts: Vec<&Value> = found["splits"].as_array().unwrap().iter().filter(off).collect();
    assert_eq!(parts.iter().map(|one| &one["dimension"]).collect::<Vec<_>>(), ["device", "device"]);
    assert_eq!(parts.iter().map(|one| &one["expected"]).collect::<Vec<_>>(), [&json!([300.0, 300.0]); 2]);
    let devices = found["segments"].as_array().unwrap().iter().find(|one| one["name"] == "device");
    assert_eq!(devices.unwrap()["treatments"][0]["rows"], json!([]), "{devices:?}");
    let page = admin.get(&format!("/admin/experiments/{KEY}")).await.text();
    for words in [
        "these are not split as planned. The verdict stands",
        "phone device 400 : 200 300 : 300",
        "One variation may fail or be slow there",
        "Parts that are not split as planned are left out",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("Verdict withheld"), "all together are split as planned");
}

async fn a_bandit_that_cannot_be_judged_is_refused(store: Store) {
    let (_app, admin) = begin(store).await;
    let refused = async |more: &[(&str, &str)], words: &str| {
        let page = draft(&admin, &[FIELDS, &BANDIT, more].concat()).await;
        assert!(page.status == 422 && page.text().contains(words), "{words}: {}", page.text());
    };
    refused(&[("primary_metric", "speed")], "A bandit is judged by a share, a mean or a count over visitors")
        .await;
    for guardrail in ["speed 5 %", "error_rate 5 %"] {
        let fields = [("primary_metric", "wins"), ("guardrails", guardrail)];
        refused(&fields, "A bandit is read epoch by epoch, and “").await;
    }
    for (field, value) in [("primary_metric", "back"), ("guardrails", "back 5 %"), ("metrics", "wins\nback")]
    {
        let fields = [("bandit", ""), ("method", "fixed_horizon"), (field, value)];
        refused(&fields, "and “Came back” counts those whose days are over: choose a method").await;
    }
    refused(&[("method", "fixed_horizon")], "Bandit is read at any time: choose the method").await;
    refused(&[("bandit_floor_percent", "60")], "choose from 100 to 5000, an even share").await;
    refused(&[("bandit_every_hours", "soon")], "hold for a whole number of hours").await;
    refused(&[("bandit", "luck")], "cannot be read").await;
}
