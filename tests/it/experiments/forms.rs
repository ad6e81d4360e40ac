//! Definitions and forms that say what is wrong, and who may see them.

use super::*;

on_each_store!(
    a_broken_definition_is_refused_and_says_why,
    the_form_says_how_many_visitors_a_lift_takes,
    the_dashboards_are_for_those_who_signed_in,
);

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
    assert!(page.html.contains("units and read results “Once, at the planned units”"), "{}", page.html);
    assert!(page.html.contains("value=\"Express checkout (copy)\""), "the form is still the copy's");
    assert!(page.html.contains("name=\"copy\" value=\"checkout-express\""));
    let wrong = admin.get("/admin/experiments/new?calculator_rate=120&calculator_lift=10").await;
    assert_eq!(wrong.status, 200);
    assert!(wrong.html.contains("The rate must be a number above 0 and below 100 %, such as 3.4."));
    // What has started is planned no more.
    let edit = admin.get(&format!("/admin/experiments/{KEY}/edit?{asked}")).await;
    assert!(!edit.html.contains("units and read results"), "{}", edit.html);
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
