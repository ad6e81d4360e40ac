//! Ramps: coverage that rises by itself, by hand, and not at all.

use super::*;

on_each_store!(a_hold_of_a_ramp_begins_and_ends_once_in_the_history, a_ramp_rises_by_schedule_and_by_hand,);

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
