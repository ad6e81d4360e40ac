//! `cartwright import --features`: GrowthBook's flags come in, are served by every door, and go out again.

use std::time::{Duration, Instant};

use harness::{Store, TestApp, admin, patience::eventually};
use serde_json::{Value, json};

use crate::{
    experiments::{draft, press, start, start_with},
    flags::{Events, FEATURES, KEYS, OFREP, get, post},
};

on_each_store!(
    imported_flags_come_through_every_door_and_go_out_again,
    what_makes_no_sense_is_refused_whole,
    what_growthbook_bears_is_only_a_warning,
    an_imported_experiment_keeps_its_key,
    a_thousand_flags_are_reloaded_without_a_pause,
);

/// What GrowthBook answers, with its own version and things that only it knows.
pub fn growthbook() -> Value {
    json!({
        "status": 200,
        "features": {
            "banner": {"defaultValue": "plain", "rules": [
                {"id": "r1", "condition": {"country": {"$inGroup": "dach"}}, "force": "grüezi"},
                {"key": "banner-test", "seed": "s", "hashVersion": 2, "variations": ["a", "b"], "weights": [0.5, 0.5], "coverage": 1,
                 "meta": [{"key": "first"}, {"key": "second"}]},
            ]},
            "limits": {"defaultValue": {"pieces": 3.5, "list": [1, null, "x"]}},
        },
        "experiments": [{"key": "page", "variations": [{}, {"css": "b{}"}], "status": "running"}],
        "savedGroups": {"dach": ["DE", "AT", "CH"]},
        "dateUpdated": "2026-01-02T03:04:05.678Z",
        "organization": {"of": "theirs"},
    })
}

pub async fn import(app: &TestApp, payload: &Value) -> String {
    let file = app.write_file("features.json", &payload.to_string());
    app.run(&["import", "--features", &file]).await
}

async fn export(app: &TestApp, more: &[&str]) -> Value {
    serde_json::from_str(&app.run(&[&["export", "--features"], more].concat()).await).unwrap()
}

/// How often flags are imported until they are served within a second.
const TRIES: usize = 5;

async fn imported_flags_come_through_every_door_and_go_out_again(store: Store) {
    let (app, admin) = start_with(store, KEYS).await;
    let twin = if store == Store::Postgres { Some(app.twin().await) } else { None };
    let nodes: Vec<&TestApp> = [Some(&app), twin.as_ref()].into_iter().flatten().collect();
    let mut streams = vec![];
    for node in &nodes {
        let mut events = Events::open(node, "sdk-cartwright", "").await;
        events.next().await.unwrap();
        events.payload().await;
        streams.push(events);
    }
    let own = export(&app, &[]).await;
    assert_eq!(own["features"].as_object().unwrap().keys().collect::<Vec<_>>(), ["checkout_workflow"]);
    assert_eq!(export(&app, &["--imported-only"]).await, json!({"features": {}}));

    // A machine that is busy with other tests takes its time now and then, but not each time.
    let mut quickest = Duration::MAX;
    for _ in 0..TRIES {
        let said = import(&app, &growthbook()).await;
        let imported = Instant::now();
        assert!(
            said.starts_with("2 features, 1 experiments of pages and 1 saved groups are those of "),
            "{said}"
        );
        for events in &mut streams {
            let (_, payload) = events.payload().await;
            assert_eq!(payload["features"]["banner"], growthbook()["features"]["banner"]);
            assert!(payload["features"]["checkout_workflow"].is_object(), "the shop's own run on");
        }
        quickest = quickest.min(imported.elapsed());
        if quickest < Duration::from_secs(1) {
            break;
        }
        import(&app, &json!({"features": {}})).await;
        for events in &mut streams {
            assert_eq!(events.payload().await.1["features"].get("banner"), None);
        }
    }
    assert!(quickest < Duration::from_secs(1), "at the quickest {quickest:?}");
    for node in nodes {
        let payload = get(node, FEATURES).await.json();
        for part in ["savedGroups", "experiments", "organization"] {
            assert_eq!(payload[part], growthbook()[part], "{part}");
        }
        assert_ne!(
            payload["dateUpdated"],
            growthbook()["dateUpdated"],
            "what SDKs know the version by is ours"
        );
        let swiss = json!({"attributes": {"id": "u", "country": "CH"}});
        let reduced = post(node, "/api/eval/sdk-remote", &swiss).await.json();
        assert_eq!(reduced["features"]["banner"]["defaultValue"], "grüezi");
        assert!(reduced.get("savedGroups").is_none(), "the groups stay here");
        let context = json!({"context": {"targetingKey": "u", "country": "CH"}});
        let one = post(node, &format!("{OFREP}/banner"), &context).await.json();
        assert_eq!(one, json!({"key": "banner", "reason": "TARGETING_MATCH", "value": "grüezi"}));
        let all = post(node, OFREP, &context).await.json();
        let keys: Vec<&str> =
            all["flags"].as_array().unwrap().iter().map(|f| f["key"].as_str().unwrap()).collect();
        assert_eq!(keys, ["banner", "checkout_workflow", "limits"]);
    }

    assert_eq!(export(&app, &["--imported-only"]).await, growthbook());
    let mut whole = growthbook();
    whole["features"]["checkout_workflow"] = own["features"]["checkout_workflow"].clone();
    assert_eq!(export(&app, &[]).await, whole);
    let file = app.write_file("exported.json", "");
    app.run(&["export", "--features", &file, "--imported-only"]).await;
    app.run(&["import", "--features", &file]).await;
    assert_eq!(export(&app, &["--imported-only"]).await, growthbook(), "out and in again");

    // A later file takes the place of the earlier one, and an empty one takes it away.
    import(&app, &json!({"other": {"defaultValue": true}})).await;
    assert_eq!(
        export(&app, &["--imported-only"]).await,
        json!({"features": {"other": {"defaultValue": true}}})
    );
    import(&app, &json!({"features": {}})).await;
    let own_only = async || get(&app, FEATURES).await.json()["features"] == own["features"];
    eventually("the imported flags go", own_only).await;
    assert_eq!(export(&app, &[]).await["features"], own["features"]);
    press(&admin, "stop").await;
    assert_eq!(get(&app, FEATURES).await.json()["features"], json!({}));
    app.run(&["check"]).await;
}

async fn what_makes_no_sense_is_refused_whole(store: Store) {
    let (app, _admin) = start(store).await;
    import(&app, &growthbook()).await;
    let rule = |rule: Value| json!({"features": {"f": {"defaultValue": 0, "rules": [rule]}}}).to_string();
    let deep =
        format!(r#"{{"features": {{"f": {{"defaultValue": {}{}}}}}}}"#, "[".repeat(200), "]".repeat(200));
    let large = json!({"features": {"f": {"defaultValue": "x".repeat(10_000_000)}}}).to_string();
    let waits = |on: &str| json!({"rules": [{"parentConditions": [{"id": on, "condition": {"value": 1}}], "force": 1}]});
    let circle = json!({"features": {"a": waits("b"), "b": waits("c"), "c": waits("a")}}).to_string();
    for (text, why) in [
        (
            rule(json!({"condition": {"a": {"$near": 1}}, "force": 1})),
            "`features.f.rules[0].condition.a.$near` is no operator, so no unit meets it: use one of GrowthBook's",
        ),
        (
            rule(json!({"condition": {"a": {"$regex": "(a"}}, "force": 1})),
            "`features.f.rules[0].condition.a.$regex` is no pattern, so no unit meets it: unterminated group at character 3",
        ),
        (
            rule(json!({"variations": [1, 2], "ranges": [[0, 0.6], [0.5, 1]]})),
            "`features.f.rules[0].ranges[1]` overlaps range 0, which gets the units of both: separate them",
        ),
        (
            rule(json!({"variations": [1, 2], "weights": [0.5, 0.2]})),
            "`features.f.rules[0].weights` sum to 0.7, so all get the same: make them sum to 1",
        ),
        (
            rule(json!({"key": "checkout-express", "variations": [1, 2]})),
            "`features.f.rules[0]` is counted as `checkout-express`, an experiment of the shop: give it another `key`",
        ),
        (
            json!({"features": {"checkout-express": {"defaultValue": 1}}}).to_string(),
            "`features.checkout-express` has the key of an experiment of the shop: rename it",
        ),
        (
            json!({"features": {"checkout_workflow": {"defaultValue": 1}}}).to_string(),
            "`features.checkout_workflow` is a flag of the shop itself: rename it, or export it with --imported-only",
        ),
        (
            circle,
            "`features.c` waits for `a`, which waits for it, so neither has a value: take out a prerequisite",
        ),
        (deep, "payload is nested deeper than 128 levels at line 1 column 161: flatten it"),
        (large, "payload has 10000038 bytes, the most allowed is 10000000: split it by project"),
        (
            r#"{"features": {}, "encryptedFeatures": "AQ==.Ag=="}"#.into(),
            "`encryptedFeatures` is encrypted: import what an SDK connection without encryption gets",
        ),
        ("[1]".into(), "payload is a list: it must be an object with `features`"),
        ("{".into(), "payload cannot be read: EOF while parsing an object at line 1 column 1"),
        (r#"{"error": "no"}"#.into(), "`features` is no object: import the answer of GrowthBook's"),
    ] {
        let file = app.write_file("wrong.json", &text);
        let refused = app.try_run(&["import", "--features", &file]).await;
        let said = [refused.stdout, refused.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        assert!(!refused.status.success(), "{why}: {said}");
        assert!(said.contains(why) && said.contains("is not right, nothing was changed"), "{why}: {said}");
    }
    let missing = app.try_run(&["import", "--features", "no such file"]).await;
    assert!(String::from_utf8(missing.stderr).unwrap().contains("cannot read no such file"));
    let both = app.try_run(&["import", "products", "p.csv", "--features", "f.json"]).await;
    assert!(String::from_utf8(both.stderr).unwrap().contains("cannot be used with"));
    assert_eq!(export(&app, &["--imported-only"]).await, growthbook(), "what was there is there");
}

async fn what_growthbook_bears_is_only_a_warning(store: Store) {
    let (app, _admin) = start(store).await;
    let rounded = json!({"features": {"f": {"rules": [
        {"variations": [1, 2, 3], "weights": [0.3333, 0.3333, 0.3333]},
        {"condition": {"a": {"$inGroup": "gone"}}, "force": 1},
    ]}}});
    let said = import(&app, &rounded).await;
    assert!(
        said.contains("warning: `features.f.rules[0].weights` sum to 0.9999, so the rest gets nobody: make them sum to 1")
            && said.contains("warning: `features.f.rules[1].condition.a.$inGroup` names the saved group `gone`"),
        "{said}"
    );
    let broken = json!({"features": {"f": {"rules": [{"condition": {"a": {"$near": 1}}, "force": 1}]}}});
    let file = app.write_file("broken.json", &broken.to_string());
    assert!(!app.try_run(&["import", "--features", &file]).await.status.success());
    let said = app.run(&["import", "--features", &file, "--lenient"]).await;
    assert!(said.contains("warning: `features.f.rules[0].condition.a.$near` is no operator"), "{said}");
    assert_eq!(export(&app, &["--imported-only"]).await, broken);
    let own = json!({"features": {"checkout_workflow": {}}}).to_string();
    let own = app.write_file("own.json", &own);
    let lenient = app.try_run(&["import", "--features", &own, "--lenient"]).await;
    assert!(!lenient.status.success(), "what the shop's carts go by is nobody else's");
}

async fn an_imported_experiment_keeps_its_key(store: Store) {
    let app = TestApp::start_with(store, admin::setup()).await;
    import(&app, &growthbook()).await;
    eventually("the flags are served", async || {
        get(&app, FEATURES).await.json()["features"]["banner"].is_object()
    })
    .await;
    let admin = admin::Admin::sign_in(&app).await;
    let mut fields = [
        ("name", "Banner"),
        ("key", "banner-test"),
        ("flag", "checkout_workflow"),
        ("variation_1_key", "classic"),
        ("variation_1_value", "\"classic\""),
        ("variation_2_key", "express"),
        ("variation_2_value", "\"express\""),
    ];
    let refused = draft(&admin, &fields).await;
    assert!(refused.html.contains("An imported flag has an experiment of this key."), "{}", refused.html);
    assert_eq!(refused.status, 422, "{}", refused.html);
    fields[1].1 = "another";
    assert_eq!(draft(&admin, &fields).await.status, 200);
}

/// How many flags are swapped at once.
const FLAGS: usize = 1_000;

async fn a_thousand_flags_are_reloaded_without_a_pause(store: Store) {
    let (app, _admin) = start(store).await;
    let flags = |version: usize| {
        let rule = json!({"condition": {"country": {"$in": ["AT", "DE"]}, "version": {"$vgte": "1.2.3"}}, "force": version});
        let flag = |n: usize| {
            (
                format!("flag-{n}"),
                json!({"defaultValue": version, "rules": [rule, {"variations": [version, version]}]}),
            )
        };
        json!({"features": (0..FLAGS).map(flag).collect::<serde_json::Map<_, _>>()})
    };
    import(&app, &flags(0)).await;
    let served = async || get(&app, FEATURES).await.json()["features"].get("flag-0").is_some();
    eventually("the flags are served", served).await;
    let (url, client) = (app.url("/api/eval/sdk-cartwright"), reqwest::Client::new());
    let asking = tokio::spawn(async move {
        let (mut slowest, mut version) = (Duration::ZERO, 0);
        while version < 3 {
            let began = Instant::now();
            let asked = client.post(&url).json(&json!({"attributes": {"country": "AT", "version": "2.0"}}));
            let answer: Value = asked.send().await.unwrap().error_for_status().unwrap().json().await.unwrap();
            slowest = slowest.max(began.elapsed());
            let values: Vec<u64> = (0..FLAGS)
                .map(|n| answer["features"][format!("flag-{n}")]["defaultValue"].as_u64().unwrap())
                .collect();
            assert!(values.iter().all(|value| *value == values[0]), "an answer is of one version");
            assert!(values[0] >= version, "never back");
            version = values[0];
        }
        slowest
    });
    for version in 1..=3 {
        import(&app, &flags(version)).await;
        let next = async || get(&app, FEATURES).await.json()["features"]["flag-7"]["defaultValue"] == version;
        eventually("the next flags are served", next).await;
    }
    let slowest = asking.await.unwrap();
    assert!(slowest < Duration::from_secs(1), "somebody waited for {slowest:?}");
}
