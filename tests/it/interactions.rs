//! What numbers hide in their sum: experiments that act on each other, and splits that are off in parts of the visitors.

use experiments::{Experiment, assign};
use harness::{Admin, Store, TestApp, admin, patience::eventually};
use serde_json::{Value, json};

use crate::{
    experiments::{FIELDS, KEY, definition, draft, press},
    flags::post,
};

on_each_store!(two_experiments_that_act_on_each_other_say_so, a_split_that_is_off_on_phones_is_told);

const HEADING: &str = "heading";
/// Most items that one request may report.
const BATCH: usize = 500;

async fn report(app: &TestApp, what: &str, items: &[Value]) {
    for batch in items.chunks(BATCH) {
        let answer = post(app, "/api/track/sdk-cartwright", &json!({what: batch})).await;
        assert_eq!(answer.json()["refused"], json!([]), "{}", answer.text);
    }
}

/// Runs the usual experiment beside one on another flag, both decided by what programs report.
async fn shop(store: Store) -> (TestApp, Admin) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let admin = Admin::sign_in(&app).await;
    let form = admin.get("/admin/metrics/new").await;
    let bought = [
        ("name", "Buying"),
        ("key", "bought"),
        ("kind", "proportion"),
        ("event", "event_tracked"),
        ("conditions", "name is bought"),
    ];
    let saved = admin.submit(&form, "/admin/metrics/added", &bought).await;
    assert_eq!(saved.path, "/admin/metrics", "{}", saved.html);
    let mut fields = FIELDS.to_vec();
    fields.push(("primary_metric", "bought"));
    assert_eq!(draft(&admin, &fields).await.status, 200);
    press(&admin, "start").await;
    let changed = ["key", "name", "flag", "variation_1_value", "variation_2_value"];
    fields.retain(|(field, _)| !changed.contains(field));
    fields.extend([("key", HEADING), ("name", "Shelf heading"), ("flag", "shelf_heading")]);
    fields.extend([("variation_1_value", "\"Goes with it\""), ("variation_2_value", "\"Others took\"")]);
    let drafted = draft(&admin, &fields).await;
    assert_eq!(drafted.status, 200, "{}", drafted.html);
    let page = admin.get(&format!("/admin/experiments/{HEADING}")).await;
    assert_eq!(admin.submit(&page, &format!("/admin/experiments/{HEADING}/start"), &[]).await.status, 200);
    (app, admin)
}

/// The other experiment, as far as it places units.
fn heading() -> Experiment {
    let mut value = definition().to_value();
    (value["key"], value["seed"]) = (HEADING.into(), HEADING.into());
    Experiment::parse_value(&value).unwrap()
}

async fn two_experiments_that_act_on_each_other_say_so(store: Store) {
    let (app, admin) = shop(store).await;
    let (checkout, heading) = (definition(), heading());
    let (mut exposures, mut events) = (vec![], vec![]);
    for n in 0..1_600 {
        let unit = format!("unit-{n}");
        let met = [assign(&checkout, &unit).variation, assign(&heading, &unit).variation];
        for (experiment, variation) in [KEY, HEADING].into_iter().zip(met) {
            exposures.push(json!({"experiment": experiment, "variation": variation, "unit": unit}));
        }
        // Each helps alone, and both together do harm.
        let buys = [[4, 8], [8, 2]][met[0]][met[1]];
        if n / 2 % 10 < buys {
            events.push(json!({"name": "bought", "unit": unit}));
        }
    }
    report(&app, "exposures", &exposures).await;
    report(&app, "events", &events).await;
    let path = format!("/admin/experiments/{KEY}");
    let words = "Express checkout and Shelf heading act on each other: Treatment changes what decides by +";
    eventually("the pages say so", async || admin.get(&path).await.text().contains(words)).await;
    let list = admin.get("/admin").await.text();
    assert!(list.contains("act on each other: Treatment changes what decides by"), "{list}");
    assert_eq!(list.matches("act on each other").count(), 1, "each pair is told once");
    let json: Value = serde_json::from_str(&admin.get(&format!("{path}/results.json")).await.html).unwrap();
    let interaction = &json["interactions"][0];
    assert_eq!((&interaction["other"], &interaction["is_significant"]), (&json!(HEADING), &json!(true)));
    assert_eq!(interaction["units"], 1_600);
}

async fn a_split_that_is_off_on_phones_is_told(store: Store) {
    let (app, admin) = shop(store).await;
    let checkout = definition();
    // On phones a third of the treatment is lost, elsewhere as much of the control.
    let (mut exposures, mut left) = (vec![], [[400, 200], [200, 400]]);
    for n in 0..4_000 {
        let unit = format!("unit-{n}");
        let (variation, device) = (assign(&checkout, &unit).variation, n % 2);
        if left[device][variation] > 0 {
            left[device][variation] -= 1;
            let device = ["phone", "desktop"][device];
            exposures.push(json!({"experiment": KEY, "variation": variation, "unit": unit, "attributes": {"device": device}}));
        }
    }
    assert_eq!(left, [[0, 0], [0, 0]]);
    report(&app, "exposures", &exposures).await;
    let path = format!("/admin/experiments/{KEY}");
    eventually("all have come", async || admin.get(&path).await.text().contains("Units 1,200")).await;
    let page = admin.get(&path).await.text();
    assert!(page.contains("these are not split as planned. The verdict stands"), "{page}");
    assert!(page.contains("phone device 400 : 200"), "{page}");
    assert!(page.contains("One variation may fail or be slow there"), "{page}");
    assert!(!page.contains("Verdict withheld"), "all together are split as planned");
    assert!(page.contains("Parts that are not split as planned are left out"), "{page}");
    let json: Value = serde_json::from_str(&admin.get(&format!("{path}/results.json")).await.html).unwrap();
    let devices = json["segments"].as_array().unwrap().iter().find(|one| one["name"] == "device");
    assert_eq!(devices.unwrap()["treatments"][0]["rows"], json!([]));
}
