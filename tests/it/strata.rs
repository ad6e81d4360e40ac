//! Comparisons within what is known of visitors beforehand.

use std::collections::BTreeMap;

use experiments::{Experiment, assign::assign};
use harness::{Admin, Store, TestApp, admin, patience::eventually};
use serde_json::{Value, json};

use crate::{
    experiments::{FIELDS, KEY, draft, press},
    flags::post,
};

on_each_store!(a_split_that_is_uneven_by_chance_does_no_harm_within_devices,);

const METRIC: &str = r#"[{"key": "wins", "name": "Wins", "measure": {"kind": "proportion",
    "event": {"type": "event_tracked", "where": [{"property": "name", "is": "win"}]}}}]"#;

async fn results(admin: &Admin) -> Value {
    let page = admin.get(&format!("/admin/experiments/{KEY}/results.json")).await;
    serde_json::from_str(&page.html).unwrap_or_else(|error| panic!("{error}: {}", page.html))
}

async fn a_split_that_is_uneven_by_chance_does_no_harm_within_devices(store: Store) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let admin = Admin::sign_in(&app).await;
    let form = admin.get("/admin/metrics").await;
    assert_eq!(admin.submit(&form, "/admin/metrics", &[("metrics", METRIC)]).await.status, 200);
    let odd = draft(&admin, &[FIELDS, &[("strata", "day")]].concat()).await;
    assert!(odd.status == 422 && odd.text().contains("Strata are no days"), "{}", odd.text());
    let fields = [FIELDS, &[("primary_metric", "wins"), ("strata", "device")]].concat();
    assert_eq!(draft(&admin, &fields).await.status, 200);
    press(&admin, "start").await;
    let definition = Experiment::parse_value(&results(&admin).await["experiment"]).unwrap();
    assert_eq!(definition.strata(), Some("device"));

    // Desks win four times in five and phones once, in both variations alike; the treatment met more phones. Of some nothing is known.
    let (mut exposures, mut events, mut seen) = (vec![], vec![], [0_u32; 2]);
    let mut of_device: BTreeMap<(usize, Option<&str>), u32> = BTreeMap::new();
    for unit in (0..490).map(|n| format!("unit-{n}")) {
        let variation = assign(&definition, &unit).variation;
        let nth = seen[variation];
        seen[variation] += 1;
        let device = match nth % 20 {
            0 => None,
            n if n < [8, 14][variation] => Some("phone"),
            _ => Some("desktop"),
        };
        let attributes = device.map_or(json!({}), |device| json!({"device": device}));
        exposures
            .push(json!({"experiment": KEY, "variation": variation, "unit": unit, "attributes": attributes}));
        let place = of_device.entry((variation, device)).or_default();
        let wins = *place % 5 < if device == Some("desktop") { 4 } else { 1 };
        *place += 1;
        if wins {
            events.push(json!({"name": "win", "unit": unit}));
        }
    }
    let batch = json!({"exposures": exposures, "events": events});
    let answer = post(&app, "/api/track/sdk-cartwright", &batch).await.json();
    assert_eq!(answer["refused"], json!([]), "{answer}");
    let wins = events.len() as u64;
    let active = |results: &Value| -> u64 {
        let arms = results["analysis"]["arms"].as_array().unwrap();
        arms.iter().filter_map(|arm| arm["values"][0]["active"].as_u64()).sum()
    };
    eventually("all wins are counted", async || active(&results(&admin).await) == wins).await;
    let found = results(&admin).await;
    let comparison = &found["analysis"]["comparisons"][0];
    let share = |arm: usize| found["analysis"]["arms"][arm]["values"][0]["value"].as_f64().unwrap();
    let (plain, within) = (share(1) - share(0), comparison["difference"]["value"].as_f64().unwrap());
    assert!(plain < -0.1, "as a whole the treatment seems much worse: {plain}");
    assert!(within.abs() < 0.05, "within devices it is not: {within}");
    assert_eq!(comparison["adjusted_by"], json!({"past": false, "strata": true}));
    assert!(comparison["variance_left"].as_f64().unwrap() < 0.9, "{comparison}");
    let text = admin.get(&format!("/admin/experiments/{KEY}")).await.text();
    assert!(text.contains("Adjusted by device: variations are compared within its values."), "{text}");
    assert!(text.contains("of the noise taken out"), "{text}");
}
