//! A hundred thousand units ask at every door, where experiments use all that may leave a unit out.

use std::{sync::Arc, time::Duration};

use harness::{
    Admin, Store, TestApp, admin,
    program::{node_script, succeeded},
};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use web::visitor::{Token, Visitor};

use crate::{experiments::draft, flags::KEYS};

/// Units that ask at each door.
const UNITS: usize = 100_000;
/// Questions that are under way at once, each on a connection of its own that is kept.
const AT_ONCE: usize = 32;
/// How long the event files may be behind, in seconds.
const LATE_SECONDS_MAX: u32 = 120;
const FLAGS: [&str; 4] = ["checkout_workflow", "holdout", "shelf_heading", "shelf_popular"];
const PHONE: &str =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148";
const DESKTOP: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36";

/// Is somebody who asks: what a browser sends, and what the shop makes of it.
struct Asker {
    token: String,
    agent: &'static str,
    language: &'static str,
    attributes: Value,
}

impl Asker {
    fn new(n: usize) -> Self {
        let token = format!("asker-{n:0>40}");
        let unit = Visitor::of(Token::of(&token).unwrap()).unwrap().unit().as_str().to_owned();
        let (agent, device) = if n.is_multiple_of(3) { (DESKTOP, "desktop") } else { (PHONE, "phone") };
        let language = ["de", "en", "fr"][n % 7 % 3];
        let attributes = json!({
            "id": unit, "device": device, "language": language, "logged_in": false, "channel": "web", "currency": "GBP",
        });
        Self { token, agent, language, attributes }
    }

    /// The attributes as OFREP has them.
    fn context(&self) -> Value {
        let mut context = self.attributes.clone();
        context["targetingKey"] = context["id"].clone();
        context
    }
}

async fn run(admin: &Admin, key: &str, fields: &[(&str, &str)]) {
    let told =
        [("name", key), ("key", key), ("hypothesis", "It does."), ("owner", "ada"), ("planned_days", "14")];
    let saved = draft(admin, &[&told, fields].concat()).await;
    assert_eq!(saved.status, 200, "{}", saved.html);
    let page = admin.get(&format!("/admin/experiments/{key}")).await;
    let after = admin.submit(&page, &format!("/admin/experiments/{key}/start"), &[]).await;
    assert_eq!(after.status, 200, "{}", after.html);
}

/// A holdout, two experiments in a layer, and one that waits for another; with coverage below all and uneven weights.
async fn begin(app: &TestApp) -> Admin {
    let groups = app.write_file(
        "groups.json",
        r#"{"north": {"type": "condition", "condition": {"language": {"$in": ["de", "en"]}}}}"#,
    );
    app.run(&["import", "--groups", &groups]).await;
    let admin = Admin::sign_in(app).await;
    let arms = |one: &'static str, two: &'static str| {
        [
            ("variation_1_key", "old"),
            ("variation_1_value", one),
            ("variation_2_key", "new"),
            ("variation_2_value", two),
        ]
    };
    let more = [("flag", "holdout"), ("coverage_percent", "20")];
    run(&admin, "quarter", &[&arms("\"held\"", "\"free\"")[..], &more].concat()).await;
    let more = [
        ("flag", "checkout_workflow"),
        ("coverage_percent", "80"),
        ("variation_1_weight_percent", "30"),
        ("variation_2_weight_percent", "70"),
        ("who_1_attribute", "device"),
        ("who_1_operator", "is"),
        ("who_1_value", "phone"),
        ("layer", "page"),
        ("layer_from_percent", "0"),
        ("layer_to_percent", "60"),
    ];
    run(&admin, "checkout", &[&arms("\"classic\"", "\"express\"")[..], &more].concat()).await;
    let more = [
        ("flag", "shelf_popular"),
        ("layer", "page"),
        ("layer_from_percent", "60"),
        ("layer_to_percent", "100"),
        ("condition", r#"{"$savedGroup": {"id": "north"}, "currency": {"$regex": "^G"}}"#),
    ];
    run(&admin, "popular", &[&arms("\"popular\"", "\"pairs\"")[..], &more].concat()).await;
    let more = [("flag", "shelf_heading"), ("prerequisites", "checkout_workflow = express")];
    run(&admin, "heading", &[&arms("\"Goes well\"", "\"Try these\"")[..], &more].concat()).await;
    admin
}

/// Asks for everybody, so many at once, and returns the answers in their order.
async fn all<F: Future<Output = Value> + Send + 'static>(
    askers: &Arc<Vec<Asker>>,
    ask: impl Fn(Arc<Vec<Asker>>, usize) -> F + Clone + Send + 'static,
) -> Vec<Value> {
    let mut asking = JoinSet::new();
    for lane in 0..AT_ONCE {
        let (askers, ask) = (askers.clone(), ask.clone());
        asking.spawn(async move {
            let mut answers = vec![];
            for n in (lane..askers.len()).step_by(AT_ONCE) {
                answers.push((n, ask(askers.clone(), n).await));
            }
            answers
        });
    }
    let mut answers: Vec<(usize, Value)> = asking.join_all().await.into_iter().flatten().collect();
    answers.sort_by_key(|(n, _)| *n);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

async fn posted(client: &Client, url: &str, body: &Value) -> Value {
    client.post(url).json(body).send().await.unwrap().json().await.unwrap()
}

fn differing(door: &str, answers: &[Value], expected: &[Value]) {
    let wrong = answers.iter().zip(expected).enumerate().find(|(_, (answer, expected))| answer != expected);
    assert!(answers.len() == UNITS && wrong.is_none(), "{door}: {wrong:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_units_get_the_same_at_every_door() {
    let mut setup = admin::setup();
    setup.config += KEYS;
    let app = TestApp::start_with(Store::Sqlite, setup).await;
    let _admin = begin(&app).await;
    let (client, askers) = (Client::new(), Arc::new((0..UNITS).map(Asker::new).collect::<Vec<_>>()));

    let attributes: Vec<&Value> = askers.iter().map(|asker| &asker.attributes).collect();
    let file = app.write_file("askers.json", &json!({"flags": FLAGS, "askers": attributes}).to_string());
    let said = node_script("flags.js", &["asked".to_owned(), app.url(""), file]).await;
    let said = succeeded("tests/clients/flags.js", &said);
    let local: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Every value and none is met by many, so that the doors have something to differ in.
    for (flag, values) in [
        (0, [json!(null), json!("classic"), json!("express")]),
        (1, [json!(null), json!("held"), json!("free")]),
        (2, [json!(null), json!("Goes well"), json!("Try these")]),
        (3, [json!(null), json!("popular"), json!("pairs")]),
    ] {
        for value in values {
            let met = local.iter().filter(|line| line[flag] == value).count();
            assert!(met > UNITS / 20, "{} is worth {value} to {met}", FLAGS[flag]);
        }
    }
    assert!(
        local
            .iter()
            .all(|line| line[1] != "held" || (line[0].is_null() && line[2].is_null() && line[3].is_null()))
    );
    assert!(local.iter().all(|line| line[0].is_null() || line[3].is_null()), "one of a layer at most");

    let (url, http) = (app.url("/api/eval/sdk-remote"), client.clone());
    let evaluated = all(&askers, move |askers, n| {
        let (url, http) = (url.clone(), http.clone());
        async move {
            let payload = posted(&http, &url, &json!({"attributes": askers[n].attributes})).await;
            FLAGS.map(|flag| payload["features"][flag]["defaultValue"].clone()).into_iter().collect()
        }
    });
    differing("remote evaluation", &evaluated.await, &local);

    let (url, http) = (app.url("/ofrep/v1/evaluate/flags"), client.clone());
    let bulk = all(&askers, move |askers, n| {
        let (url, http) = (url.clone(), http.clone());
        async move {
            let answer = posted(&http, &url, &json!({"context": askers[n].context()})).await;
            let flags = answer["flags"].as_array().unwrap();
            let worth = |key| flags.iter().find(|flag| flag["key"] == key).map(|flag| flag["value"].clone());
            FLAGS.map(|flag| worth(flag).unwrap()).into_iter().collect()
        }
    });
    differing("OFREP, all flags", &bulk.await, &local);

    let (url, http) = (app.url("/ofrep/v1/evaluate/flags"), client.clone());
    let single = all(&askers, move |askers, n| {
        let (url, http) = (url.clone(), http.clone());
        async move {
            let flag = FLAGS[n % FLAGS.len()];
            let answer =
                posted(&http, &format!("{url}/{flag}"), &json!({"context": askers[n].context()})).await;
            answer["value"].clone()
        }
    });
    let expected: Vec<Value> =
        local.iter().enumerate().map(|(n, line)| line[n % FLAGS.len()].clone()).collect();
    differing("OFREP, one flag", &single.await, &expected);

    let (url, http) = (app.url("/api/v1/carts"), client.clone());
    let opened = all(&askers, move |askers, n| {
        let (url, http) = (url.clone(), http.clone());
        async move {
            let Asker { token, agent, language, .. } = &askers[n];
            let opening = http.post(&url).bearer_auth(token).header("user-agent", *agent);
            let opening = opening
                .header("accept-language", *language)
                .json(&json!({"channel": "web", "currency": "GBP"}));
            let answer: Value = opening.send().await.unwrap().json().await.unwrap();
            answer["cart"]["workflow"]["name"].clone()
        }
    });
    let classic = |line: &Value| if line[0].is_null() { json!("classic") } else { line[0].clone() };
    let expected: Vec<Value> = local.iter().map(classic).collect();
    differing("the shop's own", &opened.await, &expected);

    // Whom the payload puts into an experiment is whom the shop has counted, in the variation that it gives.
    let values = [("checkout", 0, ["classic", "express"]), ("quarter", 1, ["held", "free"])];
    let met = |flag: usize, values: [&str; 2]| {
        local.iter().filter(|line| values.iter().any(|v| line[flag] == *v)).count()
    };
    let wanted: usize = values.iter().map(|(_, flag, values)| met(*flag, *values)).sum();
    // The files of events come after the answers, and so many take a while.
    let mut exposed = vec![];
    for _ in 0..LATE_SECONDS_MAX {
        exposed = app.events_now("exposure_logged");
        exposed
            .retain(|event| values.iter().any(|(experiment, ..)| event["data"]["experiment"] == *experiment));
        if exposed.len() >= wanted {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    for (experiment, flag, values) in values {
        let told = exposed.iter().filter(|event| event["data"]["experiment"] == experiment);
        let told: std::collections::BTreeMap<&str, u64> = told
            .map(|event| (event["unit"].as_str().unwrap(), event["data"]["variation"].as_u64().unwrap()))
            .collect();
        for (asker, line) in askers.iter().zip(&local) {
            let variation = values.iter().position(|value| line[flag] == *value).map(|index| index as u64);
            assert_eq!(
                told.get(asker.attributes["id"].as_str().unwrap()).copied(),
                variation,
                "{experiment}"
            );
        }
    }
}
