//! What other programs report: exposures and events, counted once, by the standards' SDKs and by hand.

use std::collections::BTreeSet;

use harness::{
    Store, TestApp,
    patience::eventually,
    program::{node_script, succeeded},
    tables,
};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::{
    experiments::{press, start, start_with},
    flags::{FEATURES, KEYS, Reply, get, placed, post},
    imported_flags::{growthbook, import},
};

on_each_store!(
    the_official_sdks_report_what_they_meet,
    a_batch_is_taken_item_by_item,
    a_batch_is_logged_whole_or_not_at_all,
    a_beacon_of_any_page_is_heard,
    a_batch_that_makes_no_sense_is_refused_whole,
);

const TRACK: &str = "/api/track/sdk-cartwright";

async fn track(app: &TestApp, batch: Value) -> Value {
    let answer = post(app, TRACK, &batch).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", answer.text);
    answer.json()
}

/// Imports a flag with an experiment, and waits until it is served.
async fn with_flags(app: &TestApp) {
    import(app, &growthbook()).await;
    eventually("the flags are served", async || {
        get(app, FEATURES).await.json()["features"]["banner"].is_object()
    })
    .await;
}

async fn the_official_sdks_report_what_they_meet(store: Store) {
    let (app, _admin) = start_with(store, KEYS).await;
    with_flags(&app).await;
    let said = node_script("track.js", &[app.url(""), "user-1".to_owned()]).await;
    assert_eq!(succeeded("tests/clients/track.js", &said), "all well\n");

    let events = app.events("exposure_logged", 7).await;
    let seen: BTreeSet<(&str, &str)> = events
        .iter()
        .map(|event| (event["data"]["experiment"].as_str().unwrap(), event["unit"].as_str().unwrap()))
        .collect();
    // An address is no id of a unit, and goes by its digest.
    let digest = "sha256-93a160fb2562a401fb5afc8a8e970d14";
    let of_flags =
        ["user-1", "user-1-server", digest].map(|unit| [("banner-test", unit), ("checkout-express", unit)]);
    assert_eq!(seen, of_flags.concat().into_iter().chain([("page", "user-1")]).collect());
    for event in &events {
        let unit =
            if event["unit"] == digest { "user-1@example.org" } else { event["unit"].as_str().unwrap() };
        if event["data"]["experiment"] == "checkout-express" {
            let variation = usize::from(placed(unit) == "express");
            assert_eq!(event["data"]["variation"], variation, "{unit}");
        }
        let attributes = if unit == "user-1" { json!({"device": "phone"}) } else { Value::Null };
        assert_eq!(event["data"].get("attributes").unwrap_or(&Value::Null), &attributes, "{event}");
    }
    let measured = app.events("event_tracked", 1).await;
    let data = json!({"name": "page_timed", "value": 412, "properties": {"page": "/cart"}});
    assert_eq!((&measured[0]["unit"], &measured[0]["data"]), (&json!("user-1"), &data));
    // The roll-ups count them like the shop's own.
    let metrics = app.metrics().await;
    let counted = ["0", "1"].map(|variation| {
        let labels = [("experiment", "checkout-express"), ("variation", variation)];
        metrics.value("cartwright_experiment_exposures_total", &labels).unwrap_or(0.0)
    });
    assert_eq!(counted.iter().sum::<f64>(), 3.0);
}

async fn a_batch_is_taken_item_by_item(store: Store) {
    let (app, admin) = start(store).await;
    with_flags(&app).await;
    let of = |unit: &str| usize::from(placed(unit) == "express");
    let other = ["express", "classic"][of("u-1")];
    let answer = track(&app, json!({
        "exposures": [
            {"experiment": "checkout-express", "variation": of("u-1"), "unit": "u-1"},
            {"experiment": "checkout-express", "variation": placed("u-1"), "unit": "u-1"},
            {"experiment": "checkout-express", "variation": placed("u-2"), "unit": "u-2", "at": "2999-01-01T00:00:00Z"},
            {"experiment": "checkout-express", "variation": other, "unit": "u-1"},
            {"experiment": "checkout-express", "variation": placed("u-3"), "unit": "u-3", "forced": true},
            {"experiment": "checkout-express", "variation": "loud", "unit": "u-3"},
            {"experiment": "banner-test", "variation": "second", "unit": 42},
            {"experiment": "banner-test", "variation": 2, "unit": "u-3"},
            {"experiment": "banner", "variation": 0, "unit": "u-3"},
            {"experiment": "checkout-express", "variation": placed("u-3"), "unit": "u-3", "at": "2020-01-01T00:00:00Z"},
            {"variation": 0},
        ],
        "events": [
            {"name": "page_timed", "unit": "u-1", "value": 1.5, "id": "67e55044-10b1-426f-9247-bb680e5fe0c8"},
            {"name": "page_timed", "unit": "u-1", "value": 1.5, "id": "67E55044-10B1-426F-9247-BB680E5FE0C8"},
            {"name": "page_timed", "unit": "u-1", "value": "fast"},
        ],
    }))
    .await;
    assert_eq!((&answer["accepted"], &answer["duplicates"]), (&json!(4), &json!(2)), "{answer}");
    let refused: Vec<(&str, u64, &str)> = answer["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (one["list"].as_str().unwrap(), one["index"].as_u64().unwrap(), one["error"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        refused,
        [
            ("exposures", 3, "forced"),
            ("exposures", 4, "forced"),
            ("exposures", 5, "unknown_variation"),
            ("exposures", 7, "unknown_variation"),
            ("exposures", 8, "unknown_experiment"),
            ("exposures", 9, "too_old"),
            ("exposures", 10, "invalid"),
            ("events", 2, "invalid"),
        ]
    );
    let messages = answer["refused"].to_string();
    for words in [
        "what was forced is not counted",
        "has no variation \\\"loud\\\": name one of classic, express, or its number from 0",
        "there is no experiment \\\"banner\\\", neither of the shop nor of an imported flag",
        "`at` is more than 24 hours ago",
        "`experiment` is missing",
        "`value` must be a number, or left out",
    ] {
        assert!(messages.contains(words), "{words}: {messages}");
    }
    let events = app.events("exposure_logged", 3).await;
    let number = |event: &Value| event["data"]["variation"].as_u64().unwrap() as usize;
    let units: BTreeSet<(&str, usize)> =
        events.iter().map(|event| (event["unit"].as_str().unwrap(), number(event))).collect();
    assert_eq!(units, [("u-1", of("u-1")), ("u-2", of("u-2")), ("42", 1)].into());
    let times: BTreeSet<i64> = events.iter().map(|event| event["at_ms"].as_i64().unwrap()).collect();
    assert_eq!(times.len(), 1, "a clock that is ahead is taken as now");

    press(&admin, "stop").await;
    let late = track(
        &app,
        json!({"exposures": [{"experiment": "checkout-express", "variation": 0, "unit": "u-9"}]}),
    )
    .await;
    assert_eq!(late["refused"][0]["error"], "not_running");
    assert!(
        late["refused"][0]["message"].as_str().unwrap().contains("is stopped: only a running one counts")
    );
    assert_eq!(track(&app, json!({})).await, json!({"accepted": 0, "duplicates": 0, "refused": []}));
}

async fn a_batch_is_logged_whole_or_not_at_all(store: Store) {
    let (app, _admin) = start(store).await;
    let batch = json!({
        "exposures": [{"experiment": "checkout-express", "variation": placed("u-1"), "unit": "u-1"}],
        "events": [{"name": "page_timed", "unit": "u-1", "id": "67e55044-10b1-426f-9247-bb680e5fe0c8"}],
    });
    let rename = async |from: &str, to: &str| {
        tables::run(app.store_url(), &format!("ALTER TABLE {from} RENAME TO {to}")).await.unwrap();
    };
    rename("tracked_ids", "tracked_away").await;
    let broken = post(&app, TRACK, &batch).await;
    assert!(broken.status >= 500, "{}", broken.text);
    rename("tracked_away", "tracked_ids").await;
    assert_eq!(app.events_now("exposure_logged"), Vec::<Value>::new());
    let answer = track(&app, batch).await;
    assert_eq!(
        (&answer["accepted"], &answer["duplicates"]),
        (&json!(2), &json!(0)),
        "nothing of it was logged"
    );
}

async fn a_beacon_of_any_page_is_heard(store: Store) {
    let (app, _admin) = start(store).await;
    let event = |name: &str| json!({"events": [{"name": name, "unit": "u"}]}).to_string();
    for kind in
        ["text/plain;charset=UTF-8", "text/plain", "application/json", "application/json; charset=utf-8"]
    {
        let beacon = Client::new().post(app.url(TRACK)).header("content-type", kind).body(event(kind));
        let heard = Reply::to(beacon.header("origin", "https://elsewhere.example")).await;
        assert_eq!((heard.status, &heard.json()["accepted"]), (200, &json!(1)), "{kind}");
        assert_eq!(heard.header("access-control-allow-origin"), "*");
    }
    for kind in ["text/html", "application/x-www-form-urlencoded", ""] {
        let form = Client::new().post(app.url(TRACK)).header("content-type", kind).body(event(kind));
        Reply::to(form).await.assert_refused(415, "application/json or text/plain");
    }
    let preflight = Client::new()
        .request(Method::OPTIONS, app.url(TRACK))
        .header("origin", "https://elsewhere.example")
        .header("access-control-request-method", "POST");
    let preflight = Reply::to(preflight).await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-methods")), (204, "OPTIONS, POST"));
    assert!(preflight.header("access-control-allow-headers").contains("content-type"));
    let read = Reply::to(Client::new().get(app.url(TRACK))).await;
    read.assert_refused(405, "takes OPTIONS, POST, not GET");
}

async fn a_batch_that_makes_no_sense_is_refused_whole(store: Store) {
    let (app, _admin) = start(store).await;
    let items = |count: usize| (0..count).map(|_| json!({"name": "n", "unit": "u"})).collect::<Vec<_>>();
    for (batch, why) in [
        (json!([]), "must be an object"),
        (json!({"exposures": {}}), "exposures must be a list"),
        (json!({"events": "e"}), "events must be a list"),
        (json!({"exposures": [{}, 7]}), "exposures[1] must be an object"),
        (
            json!({"events": items(501)}),
            "events has 501 items, the most allowed is 500: send several batches",
        ),
    ] {
        post(&app, TRACK, &batch).await.assert_refused(400, why);
    }
    let send = async |body: String| {
        Reply::to(Client::new().post(app.url(TRACK)).header("content-type", "text/plain").body(body)).await
    };
    send("{".into()).await.assert_refused(400, "EOF");
    send("[".repeat(10_000)).await.assert_refused(400, "recursion limit");
    send(format!("\"{}\"", "x".repeat(600_000))).await.assert_refused(413, "larger than 524288 bytes");
    post(&app, "/api/track/sdk-other", &json!({})).await.assert_refused(400, "\"sdk-other\" is not one of");
    let full = track(&app, json!({"events": items(500)})).await;
    assert_eq!(full, json!({"accepted": 500, "duplicates": 0, "refused": []}));
}
