//! What a product manager may do with an experiment, and when.

use super::*;

on_each_store!(
    a_move_says_why_it_is_refused,
    a_start_asks_for_what_must_be_said_before,
    an_aa_experiment_says_so,
    a_shipped_variation_is_everybodys_and_is_never_counted,
    a_later_rollout_replaces_an_earlier_one,
    a_stop_comes_before_what_others_change,
);

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
