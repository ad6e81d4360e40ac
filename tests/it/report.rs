//! Results out of the house: the same numbers by the dashboards' doors and by the command line.

use harness::{Admin, Store, TestApp, patience::eventually};
use serde_json::{Value, json};

use crate::experiments::{self, FIELDS};

on_each_store!(
    an_experiments_numbers_leave_the_house_in_three_formats,
    what_cannot_be_reported_says_why,
    reports_are_for_those_who_signed_in,
    a_history_leaves_the_house_of_archived_experiments_too,
    a_link_shows_the_report_until_it_ends_or_is_taken_back,
);

const PAGE: &str = "/admin/experiments/checkout-express";

/// Reads a table by the names of its columns.
fn rows(csv: &str) -> Vec<Vec<(String, String)>> {
    assert!(csv.ends_with("\r\n"), "RFC 4180 ends lines with CR LF: {csv:?}");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let names = reader.headers().unwrap().clone();
    let owned = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
    reader.records().map(|row| names.iter().zip(row.unwrap().iter()).map(owned).collect()).collect()
}

fn cell<'a>(row: &'a [(String, String)], name: &str) -> &'a str {
    &row.iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("no column {name}")).1
}

/// Sends twelve shoppers through the shop, and waits until their orders are counted.
async fn met(app: &TestApp, admin: &Admin) -> Value {
    for _ in 0..12 {
        let shopper = app.open_cart().await;
        shopper.add("TEAPOT", 1).await.accepted();
        shopper.check_out("tok_success").await.accepted();
    }
    let read = async || -> Value {
        serde_json::from_str(&admin.get(&format!("{PAGE}/results.json")).await.html).unwrap()
    };
    eventually("the orders are counted", async || {
        let json = read().await;
        let arms = json["analysis"]["arms"].as_array().unwrap();
        arms.iter().map(|arm| arm["values"][0]["active"].as_u64().unwrap()).sum::<u64>() == 12
    })
    .await;
    read().await
}

async fn an_experiments_numbers_leave_the_house_in_three_formats(store: Store) {
    let (app, admin) = experiments::start(store).await;
    let json = met(&app, &admin).await;
    let page = admin.get(PAGE).await;
    for file in ["results.csv", "results.json", "report", "history.csv", "history.json"] {
        assert!(page.html.contains(&format!("href=\"{PAGE}/{file}\"")), "the page leads to {file}");
    }

    let analysis = &json["analysis"];
    assert_eq!(json["experiment"]["key"], "checkout-express");
    assert_eq!(
        (json["currency"].as_str(), json["left_out"].as_array().map(Vec::len)),
        (Some("GBP"), Some(0))
    );
    assert_eq!(analysis["verdict"]["kind"], "too_few");

    let csv = admin.get(&format!("{PAGE}/results.csv")).await;
    assert_eq!(csv.status, 200);
    let rows = rows(&csv.html);
    let metrics = analysis["metrics"].as_array().unwrap();
    let treatments = analysis["arms"].as_array().unwrap().len() - 1;
    assert_eq!(rows.len(), treatments * metrics.len());
    for (row, metric) in rows.iter().zip(metrics) {
        assert_eq!(cell(row, "experiment"), "checkout-express");
        assert_eq!(cell(row, "variation"), "express");
        assert_eq!(cell(row, "metric"), metric["key"].as_str().unwrap());
        assert_eq!(cell(row, "verdict"), "too_few");
        let units = ["control_units", "treatment_units"].map(|name| cell(row, name).parse::<u64>().unwrap());
        assert_eq!(units[0] + units[1], 12);
        for name in ["lift", "lift_lower", "lift_upper", "p_corrected", "difference"] {
            assert!(cell(row, name).is_empty() || cell(row, name).parse::<f64>().is_ok(), "{name}: {row:?}");
        }
    }
    assert_eq!((cell(&rows[0], "role"), cell(&rows[0], "correction")), ("decides", "bonferroni"));
    assert_eq!((cell(&rows[1], "correction"), analysis["correction"].as_str()), ("holm", Some("holm")));
    assert!(rows.iter().any(|row| cell(row, "unit") == "GBP minor units"), "{csv:?}");

    let report = admin.get(&format!("{PAGE}/report")).await;
    is_whole(&report.html);

    let by_hand = app.run(&["report", "checkout-express", "--format", "csv"]).await;
    let untimed = |row: &Vec<(String, String)>| row[..row.len() - 1].to_vec();
    let same: Vec<_> = self::rows(&by_hand).iter().map(untimed).collect();
    assert_eq!(same, rows.iter().map(untimed).collect::<Vec<_>>(), "both doors give the same numbers");
    let by_hand: Value =
        serde_json::from_str(&app.run(&["report", "checkout-express", "--format", "json"]).await).unwrap();
    assert_eq!(by_hand["analysis"]["arms"], analysis["arms"]);
    assert_eq!(by_hand["experiment"], json["experiment"]);
    is_whole(&app.run(&["report", "checkout-express"]).await);
    let file = app.data("report.html");
    app.run(&["report", "checkout-express", &file.display().to_string()]).await;
    is_whole(&std::fs::read_to_string(file).unwrap());
}

/// Checks that a report stands alone.
fn is_whole(html: &str) {
    assert!(html.starts_with("<!doctype html>") && html.contains("<style>"), "{html}");
    assert!(html.contains("Express checkout") && html.contains("What each variation did"), "{html}");
    for forbidden in
        ["http://", "https://", " src=", "<script", "<form", "<button", "<link rel=\"stylesheet\"", "/admin"]
    {
        assert!(!html.contains(forbidden), "a report holds {forbidden}");
    }
    for address in html.split(" href=\"").skip(1) {
        assert!(address.starts_with('#') || address.starts_with("data:"), "{:.60}", address);
    }
}

async fn what_cannot_be_reported_says_why(store: Store) {
    let (app, admin) = experiments::start(store).await;
    let mut fields = FIELDS.to_vec();
    fields.iter_mut().filter(|(name, _)| *name == "key").for_each(|field| field.1 = "not-yet");
    assert_eq!(experiments::draft(&admin, &fields).await.status, 200);
    for file in ["results.csv", "results.json", "report"] {
        let draft = admin.get(&format!("/admin/experiments/not-yet/{file}")).await;
        assert_eq!(draft.status, 409, "{}", draft.html);
        assert!(draft.html.contains("not-yet is a draft"), "{}", draft.html);
        let unknown = admin.get(&format!("/admin/experiments/nothing/{file}")).await;
        assert_eq!(unknown.status, 404, "{}", unknown.html);
    }
    assert!(!admin.get("/admin/experiments/not-yet").await.html.contains("Raw numbers"));
    let mistakes: [(&[&str], &str); 4] = [
        (&["report", "not-yet"], "is a draft, so there are no numbers yet: start it first"),
        (&["report", "nothing"], "there is no experiment nothing: choose one of checkout-express, not-yet"),
        (&["report", "checkout-express", "/nowhere/report.html"], "cannot write /nowhere/report.html"),
        (&["report", "checkout-express", "--format", "pdf"], "possible values: html, csv, json"),
    ];
    for (arguments, said) in mistakes {
        let output = app.try_run(arguments).await;
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && errors.contains(said), "{arguments:?}: {errors}");
        assert!(output.stdout.is_empty());
    }
}

async fn reports_are_for_those_who_signed_in(store: Store) {
    let (app, admin) = experiments::start(store).await;
    let stranger = Admin::stranger(&app);
    for file in ["results.csv", "results.json", "report"] {
        let path = format!("{PAGE}/{file}");
        let page = stranger.get(&path).await;
        assert_eq!(page.path, "/admin/login", "{file}");
        assert!(!page.html.contains("Express checkout"));
        assert_eq!(admin.get(&path).await.path, path);
    }
}

async fn a_history_leaves_the_house_of_archived_experiments_too(store: Store) {
    let (app, admin) = experiments::start(store).await;
    for button in ["stop", "archive"] {
        experiments::press(&admin, button).await;
    }
    let json: Value = serde_json::from_str(&admin.get(&format!("{PAGE}/history.json")).await.html).unwrap();
    let entries = json["entries"].as_array().unwrap();
    let headlines: Vec<&str> = entries.iter().map(|entry| entry["headline"].as_str().unwrap()).collect();
    assert_eq!(headlines, ["Created, draft", "Started", "Stopped", "Archived"]);
    let last = &entries[3];
    assert_eq!(
        (&last["revision"], &last["by"], &last["reason"]),
        (&json!(4), &json!("ada"), &json!("the test wants it"))
    );
    assert_eq!(last["definition"]["status"], "archived");
    assert!(last["at"].as_str().unwrap().ends_with('Z'));

    let csv = admin.get(&format!("{PAGE}/history.csv")).await.html;
    let rows = rows(&csv);
    assert_eq!(rows.len(), 4, "{csv}");
    assert_eq!((cell(&rows[2], "headline"), cell(&rows[2], "reason")), ("Stopped", "the test wants it"));
    let printed = app.run(&["report", "checkout-express", "--history", "--format", "csv"]).await;
    assert_eq!(printed, csv);
    assert_eq!(admin.get("/admin/experiments/nothing/history.json").await.status, 404);
}

async fn a_link_shows_the_report_until_it_ends_or_is_taken_back(store: Store) {
    let (app, admin) = experiments::start(store).await;
    let twin = if store == Store::Postgres { Some(app.twin().await) } else { None };
    let page = admin.get(PAGE).await;
    let wrong = admin.submit(&page, &format!("{PAGE}/links"), &[("days", "367")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.html.contains("A link lives 1 to 366 days"), "{}", wrong.html);
    let made = admin.submit(&page, &format!("{PAGE}/links"), &[("note", "the board"), ("days", "7")]).await;
    assert_eq!(made.status, 201, "{}", made.html);
    let url =
        made.html.split("id=\"fresh-link\" readonly value=\"").nth(1).unwrap().split('"').next().unwrap();
    let path = harness::admin::unescape(url);
    let path = &path[path.find("/reports/").unwrap()..];

    // Whoever has it reads the report at any node, and it leads nowhere else.
    let stranger = Admin::stranger(twin.as_ref().unwrap_or(&app));
    let read = stranger.get(path).await;
    assert_eq!((read.status, read.path.as_str()), (200, path));
    assert!(read.html.contains("Express checkout") && !read.html.contains("<form"), "{}", read.html);
    is_whole(&read.html);
    let answer = reqwest::get(app.url(path)).await.unwrap();
    for (name, value) in
        [("cache-control", "no-store"), ("referrer-policy", "no-referrer"), ("x-robots-tag", "noindex")]
    {
        assert_eq!(answer.headers()[name], value);
    }
    let other = format!("{}0", &path[..path.len() - 1]);
    let unknown = stranger.get(if other == path { "/reports/0" } else { &other }).await;
    assert_eq!(unknown.status, 404);

    // It is listed without its address, stays with an archived experiment, and is taken back from everywhere.
    for button in ["stop", "archive"] {
        experiments::press(&admin, button).await;
    }
    assert_eq!(stranger.get(path).await.status, 200);
    let listed = admin.get(PAGE).await;
    assert!(listed.html.contains("the board") && !listed.html.contains("/reports/"), "{}", listed.html);
    let end =
        listed.html.split(&format!("formaction=\"{PAGE}/links/")).nth(1).unwrap().split('"').next().unwrap();
    let ended = admin.submit(&listed, &format!("{PAGE}/links/{end}"), &[]).await;
    assert!(ended.html.contains("leads nowhere from now on"), "{}", ended.html);
    assert_eq!(stranger.get(path).await.status, 404);
}
