//! Two running experiments that decide the same flag: nobody is taken from one that counts, and every page says what is left.

use harness::{Admin, Store, TestApp, admin};
use serde_json::Value;

use crate::experiments::{FIELDS, KEY, draft, press};

on_each_store!(one_that_would_disturb_another_does_not_start, what_is_left_is_told_everywhere);

async fn draft_as(admin: &Admin, key: &str, name: &str, coverage: &str) {
    let mut fields: Vec<_> =
        FIELDS.iter().copied().filter(|(field, _)| !matches!(*field, "key" | "name")).collect();
    fields.extend([("key", key), ("name", name), ("coverage_percent", coverage)]);
    let saved = draft(admin, &fields).await;
    assert_eq!(saved.status, 200, "{}", saved.html);
}

/// Starts a shop in which the usual experiment runs on a share of the visitors.
async fn shop(store: Store, coverage: &str) -> (TestApp, Admin) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let admin = Admin::sign_in(&app).await;
    draft_as(&admin, KEY, "Express checkout", coverage).await;
    press(&admin, "start").await;
    (app, admin)
}

async fn one_that_would_disturb_another_does_not_start(store: Store) {
    let (_app, admin) = shop(store, "100").await;
    for (key, why) in [
        ("later", "nobody is left for it: Express checkout decides flag"),
        ("another", "it would take visitors from Express checkout"),
    ] {
        let start = format!("/admin/experiments/{key}/start");
        draft_as(&admin, key, "Second checkout", "100").await;
        let page = admin.get(&format!("/admin/experiments/{key}")).await;
        assert!(page.text().contains(&format!("It cannot take visitors now: {why}")), "{}", page.text());
        assert!(!page.html.contains(&start), "no button leads where nobody can go");
        // Who has the page open from before meets the same rule.
        let html = page.html.replace("</main>", &format!("{}</main>", form_to(&start, &page.html)));
        let refused = admin.submit(&admin::Page { html, ..page }, &start, &[]).await;
        assert_eq!(refused.status, 409);
        let (_, rest) = why.split_at(1);
        assert!(refused.text().contains(rest), "{}", refused.text());
    }
}

/// The button as it stood on the page before the other experiment ran.
fn form_to(action: &str, html: &str) -> String {
    let csrf = html.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    format!(
        "<form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"csrf\" value=\"{csrf}\"><input type=\"hidden\" \
         name=\"revision\" value=\"1\"></form>"
    )
}

async fn what_is_left_is_told_everywhere(store: Store) {
    let (_app, admin) = shop(store, "40").await;
    // While the form is filled in.
    let form = admin.get("/admin/experiments/new").await;
    let flag = [("flag", "checkout_workflow")];
    let checked: Value = admin.check(&form, "/admin/experiments", &flag).await;
    assert_eq!(checked["warnings"][0]["field"], "flag", "{checked}");
    assert!(checked["errors"].as_array().is_some_and(|errors| !errors.is_empty()), "{checked}");
    let mut fields: Vec<_> = FIELDS.iter().copied().filter(|(field, _)| *field != "key").collect();
    fields.push(("key", "later"));
    let checked = admin.check(&form, "/admin/experiments", &fields).await;
    let warning = checked["warnings"][0]["message"].as_str().unwrap();
    assert!(warning.ends_with(
        "Express checkout comes first and takes 40\u{a0}% of the visitors. 60\u{a0}% are left for this one."
    ));
    assert_eq!(checked["errors"], Value::Array(vec![]));
    // On both pages, and on the list.
    draft_as(&admin, "later", "Second checkout", "100").await;
    let page = admin.get("/admin/experiments/later").await;
    assert_eq!(admin.submit(&page, "/admin/experiments/later/start", &[]).await.status, 200);
    let told = async |path: &str, words: &str| {
        let page = admin.get(path).await;
        assert!(page.text().contains(words), "{words}: {}", page.text());
    };
    told("/admin/experiments/later", "60 % are left for this one.").await;
    told(&format!("/admin/experiments/{KEY}"), "Second checkout comes behind it and gets only visitors")
        .await;
    told("/admin", "Second checkout decides flag “checkout_workflow” behind Express checkout: 60 %").await;
    // The first one cannot widen while that would take visitors from the second.
    let path = format!("/admin/experiments/{KEY}");
    let form = admin.get(&format!("{path}/edit")).await;
    let wider = [("coverage_percent", "80"), ("reason", "more")];
    let refused = admin.submit(&form, &path, &wider).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("It would take visitors from Second checkout"), "{}", refused.text());
}
