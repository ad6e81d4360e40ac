//! Flags for the standards' SDKs: GrowthBook's wire and OFREP, spoken by hand and by the official packages.

use std::time::{Duration, Instant};

use ::experiments::growthbook::encryption::decrypt;
use harness::{
    Store, TestApp, admin,
    app::random_token,
    patience::eventually,
    program::{node_script, succeeded},
};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::experiments::{definition, press, start, start_with};

on_each_store!(
    features_are_fetched_and_revalidated,
    a_client_key_is_known_or_refused,
    an_encrypted_payload_opens_under_its_key,
    a_change_reaches_every_stream_within_a_second,
    streams_end_when_the_server_goes,
    an_address_and_a_process_have_so_many_streams,
    a_remote_evaluation_tells_values_and_no_rules,
    ofrep_answers_in_its_own_words,
    pages_hear_by_ofrep_when_to_ask_again,
    a_pause_is_one_at_every_door,
    what_is_shipped_is_everybodys_at_every_door,
    ofrep_says_what_is_wrong_with_a_question,
    the_official_sdks_work_unchanged,
    every_door_gives_a_unit_the_same_variation,
);

pub const FEATURES: &str = "/api/features/sdk-cartwright";
pub const KEYS: &str = r#"
[flags]
clients = [
    { key = "sdk-cartwright" },
    { key = "sdk-sealed", encryption_key = "BwcHBwcHBwcHBwcHBwcHBw==" },
    { key = "sdk-remote", only_remote = true },
]
"#;

/// Is an answer as it came, whatever its type.
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Reply {
    pub async fn to(request: RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Self { status, headers, text: answer.text().await.unwrap() }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{} is no JSON", self.text))
    }

    /// Expects what GrowthBook's server answers where it refuses, with these words in it.
    pub fn assert_refused(&self, status: u16, words: &str) {
        let body = self.json();
        assert_eq!((self.status, &body["status"]), (status, &json!(status)), "{body}");
        assert!(body["error"].as_str().unwrap().contains(words), "{body}");
        assert_eq!(self.header("access-control-allow-origin"), "*", "a page may read why");
    }
}

pub async fn get(app: &TestApp, path: &str) -> Reply {
    Reply::to(Client::new().get(app.url(path))).await
}

async fn get_unless(app: &TestApp, etag: &str) -> Reply {
    Reply::to(Client::new().get(app.url(FEATURES)).header("if-none-match", etag)).await
}

async fn features_are_fetched_and_revalidated(store: Store) {
    let (app, admin) = start(store).await;
    let first = get(&app, FEATURES).await;
    let payload = first.json();
    assert_eq!((first.status, &payload["status"]), (200, &json!(200)));
    let rule = &payload["features"]["checkout_workflow"]["rules"][0];
    assert_eq!(
        (&rule["key"], &rule["variations"]),
        (&json!("checkout-express"), &json!(["classic", "express"]))
    );
    for (name, value) in [
        ("content-type", "application/json"),
        ("access-control-allow-origin", "*"),
        ("x-sse-support", "enabled"),
        ("cache-control", "public, max-age=0, stale-if-error=36000"),
    ] {
        assert_eq!(first.header(name), value, "{name}");
    }
    assert!(first.header("access-control-expose-headers").contains("x-sse-support"));
    let etag = first.header("etag").to_owned();
    assert!(etag.starts_with("W/\""), "{etag}");

    // SDKs that do not ask for 304 take it for an error.
    assert_eq!(get(&app, FEATURES).await.status, 200);
    let same = get_unless(&app, &etag).await;
    assert_eq!((same.status, same.text.as_str(), same.header("etag")), (304, "", etag.as_str()));

    press(&admin, "stop").await;
    let stopped = get_unless(&app, &etag).await;
    assert_eq!((stopped.status, &stopped.json()["features"]), (200, &json!({})));
    assert_ne!(stopped.json()["dateUpdated"], payload["dateUpdated"], "what SDKs know the version by");
    assert_ne!(stopped.header("etag"), etag);
}

async fn a_client_key_is_known_or_refused(store: Store) {
    let mut setup = admin::setup();
    setup.config += KEYS;
    let app = TestApp::start_with(store, setup).await;
    get(&app, "/api/features/sdk-other").await.assert_refused(400, "\"sdk-other\" is not one of [flags]");
    get(&app, "/api/features/%00%F0%9F%98%80").await.assert_refused(400, "is not one of [flags]");
    get(&app, "/api/features/sdk-remote").await.assert_refused(400, "for remote evaluation only");
    let deleted = Reply::to(Client::new().delete(app.url(FEATURES))).await;
    deleted.assert_refused(405, "takes GET, HEAD, OPTIONS, not DELETE");
    let head = Reply::to(Client::new().head(app.url(FEATURES))).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    let preflight = Client::new()
        .request(Method::OPTIONS, app.url(FEATURES))
        .header("origin", "https://elsewhere.example")
        .header("access-control-request-method", "GET");
    let preflight = Reply::to(preflight).await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, "*"));
    assert!(preflight.header("access-control-allow-headers").contains("if-none-match"));
}

async fn an_encrypted_payload_opens_under_its_key(store: Store) {
    let (app, _admin) = start_with(store, KEYS).await;
    let [plain, sealed] = [get(&app, FEATURES).await, get(&app, "/api/features/sdk-sealed").await];
    assert_eq!(sealed.json()["features"], json!({}));
    assert!(!sealed.text.contains("express"), "{}", sealed.text);
    let text = sealed.json()["encryptedFeatures"].as_str().unwrap().to_owned();
    let opened = decrypt(&text, "BwcHBwcHBwcHBwcHBwcHBw==").unwrap();
    assert_eq!(serde_json::from_str::<Value>(&opened).unwrap(), plain.json()["features"]);
    assert_eq!(sealed.json()["dateUpdated"], plain.json()["dateUpdated"]);
}

/// Is a stream of server-sent events that is read by hand.
pub struct Events {
    answer: reqwest::Response,
    read: String,
}

impl Events {
    pub async fn open(app: &TestApp, client_key: &str, known: &str) -> Self {
        Self::at(app, &format!("/sub/{client_key}"), known).await
    }

    async fn at(app: &TestApp, path: &str, known: &str) -> Self {
        let request = Client::new().get(app.url(path)).header("last-event-id", known);
        let answer = request.send().await.unwrap();
        assert_eq!(
            (answer.status(), &answer.headers()["content-type"]),
            (reqwest::StatusCode::OK, &"text/event-stream".parse().unwrap())
        );
        Self { answer, read: String::new() }
    }

    /// Returns the next block of lines; `None` at the end.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.read.split_once("\n\n") {
                let block = block.to_owned();
                self.read = rest.to_owned();
                return Some(block);
            }
            let chunk = tokio::time::timeout(Duration::from_secs(10), self.answer.chunk()).await;
            self.read += std::str::from_utf8(&chunk.expect("something comes").unwrap()?).unwrap();
        }
    }

    /// Returns the id of the next event and its payload.
    pub async fn payload(&mut self) -> (String, Value) {
        let event = self.next().await.unwrap();
        let lines: Vec<&str> = event.lines().collect();
        let [id, "event: features", data] = lines[..] else { panic!("{event} is no event of features") };
        let data = data.strip_prefix("data: ").unwrap();
        (id.strip_prefix("id: ").unwrap().to_owned(), serde_json::from_str(data).unwrap())
    }
}

async fn a_change_reaches_every_stream_within_a_second(store: Store) {
    let (app, admin) = start_with(store, KEYS).await;
    let twin = if store == Store::Postgres { Some(app.twin().await) } else { None };
    let mut streams = vec![];
    for node in [Some(&app), twin.as_ref()].into_iter().flatten() {
        let mut events = Events::open(node, "sdk-cartwright", "").await;
        assert!(events.next().await.unwrap().starts_with("retry: "));
        let (id, payload) = events.payload().await;
        assert!(payload["features"]["checkout_workflow"].is_object(), "{payload}");
        assert_eq!(payload, get(node, FEATURES).await.json());
        // Who has it already is not sent it again.
        let mut informed = Events::open(node, "sdk-cartwright", &id).await;
        assert!(informed.next().await.unwrap().starts_with("retry: "));
        streams.extend([events, informed]);
    }
    let mut remote = Events::open(&app, "sdk-remote", "0").await;
    remote.next().await.unwrap();
    assert!(
        remote.next().await.unwrap().ends_with("event: features-updated\ndata: "),
        "there is something to ask for"
    );

    // The stop is the kill switch: it works where others steer, too.
    press(&admin, "pause").await;
    for events in &mut streams {
        assert_eq!(events.payload().await.1["features"], json!({}));
    }
    press(&admin, "resume").await;
    for events in &mut streams {
        assert!(events.payload().await.1["features"]["checkout_workflow"].is_object());
    }
    let pressed = Instant::now();
    press(&admin, "stop").await;
    for events in &mut streams {
        let (_, payload) = events.payload().await;
        assert_eq!(payload["features"], json!({}));
    }
    assert!(pressed.elapsed() < Duration::from_secs(1), "{:?}", pressed.elapsed());
    if let Some(node) = &twin {
        let opened = node.open_cart().await.cart().await;
        assert_eq!(opened["workflow"]["name"], "classic", "nor does the other node's shop assign");
    }
    assert!(remote.next().await.unwrap().contains("event: features-updated"));
    let open = app.metrics().await.value("cartwright_flag_streams", &[]);
    assert_eq!(open, Some(3.0));
    Reply::to(Client::new().get(app.url("/sub/sdk-other"))).await.assert_refused(400, "is not one of");
}

async fn streams_end_when_the_server_goes(store: Store) {
    let mut app = TestApp::start_with(store, admin::setup()).await;
    let mut events = Events::open(&app, "sdk-cartwright", "").await;
    events.next().await.unwrap();
    events.payload().await;
    let began = Instant::now();
    app.stop().await;
    assert_eq!(events.next().await, None);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

async fn an_address_and_a_process_have_so_many_streams(store: Store) {
    let mut setup = admin::setup();
    setup.config += "[flags]\nstreams = 4\naddress_streams = 2\n\n\
        [limits]\nloopback = true\nproxies = [\"127.0.0.0/8\"]\n";
    let app = TestApp::start_with(store, setup).await;
    let open = async |path: &str, client: &str| {
        let request = Client::new().get(app.url(path)).header("x-forwarded-for", client);
        let answer = request.send().await.unwrap();
        let retry = answer.headers().get("retry-after").map(|seconds| seconds.to_str().unwrap().to_owned());
        (answer.status().as_u16(), retry, answer)
    };
    let (sub, ofrep) = ("/sub/sdk-cartwright", "/ofrep/v1/stream");
    let first = open(sub, "203.0.113.7").await;
    let _second = open(ofrep, "203.0.113.7").await;
    let (status, retry, answer) = open(sub, "203.0.113.7").await;
    assert_eq!((status, retry.as_deref()), (429, Some("30")));
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["error"], "the address has 2 streams open, the most allowed; close one, or poll");
    let (status, _, answer) = open(ofrep, "203.0.113.7").await;
    let body: Value = answer.json().await.unwrap();
    assert_eq!((status, &body["errorCode"]), (429, &json!("GENERAL")), "{body}");

    let _others = [open(sub, "203.0.113.8").await, open(sub, "203.0.113.9").await];
    let (status, retry, _) = open(sub, "203.0.113.10").await;
    assert_eq!((status, retry.as_deref()), (503, Some("30")), "the process is full");
    drop(first);
    eventually("a place is given back", async || open(sub, "203.0.113.7").await.0 == 200).await;
    let metrics = app.metrics().await;
    for (full, count) in [("address", 2.0), ("process", 1.0)] {
        let refused = metrics.value("cartwright_flag_streams_refused_total", &[("full", full)]);
        assert!(refused >= Some(count), "{full}: {refused:?}");
    }
}

pub async fn post(app: &TestApp, path: &str, body: &Value) -> Reply {
    Reply::to(Client::new().post(app.url(path)).json(body)).await
}

/// Returns the variation of a unit by the pure function.
pub fn placed(unit: &str) -> &'static str {
    ["classic", "express"][::experiments::assign(&definition(), unit).variation]
}

async fn a_remote_evaluation_tells_values_and_no_rules(store: Store) {
    let (app, admin) = start_with(store, KEYS).await;
    let eval = async |body: Value| post(&app, "/api/eval/sdk-remote", &body).await;
    let answer = eval(
        json!({"attributes": {"id": "user-1"}, "forcedVariations": {}, "forcedFeatures": [], "url": ""}),
    )
    .await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    assert_eq!(answer.header("x-sse-support"), "enabled");
    let feature = &answer.json()["features"]["checkout_workflow"];
    assert_eq!(feature["defaultValue"], placed("user-1"));
    let track = &feature["rules"][0]["tracks"][0];
    assert_eq!(
        (&track["experiment"]["key"], &track["result"]["value"]),
        (&json!("checkout-express"), &json!(placed("user-1")))
    );
    let others =
        track["experiment"]["variations"].as_array().unwrap().iter().filter(|value| **value == json!({}));
    assert_eq!(others.count(), 1, "the other variation is not shown: {track}");

    let forced =
        eval(json!({"attributes": {"id": "u"}, "forcedFeatures": [["checkout_workflow", "own"]]})).await;
    assert_eq!(forced.json()["features"]["checkout_workflow"]["defaultValue"], "own");
    for index in [0, 1] {
        let forced = json!({"attributes": {"id": "u"}, "forcedVariations": {"checkout-express": index}});
        let value = &eval(forced).await.json()["features"]["checkout_workflow"]["defaultValue"];
        assert_eq!(value, ["classic", "express"][index]);
    }
    assert_eq!(
        eval(json!({})).await.json()["features"]["checkout_workflow"]["defaultValue"],
        Value::Null,
        "nobody"
    );

    let many: serde_json::Map<_, _> = (0..1_001).map(|n| (n.to_string(), json!(n))).collect();
    for (body, why) in [
        (json!([]), "must be an object"),
        (json!({"attributes": "u"}), "attributes must be an object"),
        (json!({"attributes": many}), "attributes has 1001 keys, the most allowed is 1000"),
        (json!({"forcedVariations": {"e": "x"}}), "must be a whole number"),
        (json!({"forcedFeatures": [7]}), "forcedFeatures must be a list"),
        (json!({"url": {}}), "url must be a text"),
    ] {
        eval(body).await.assert_refused(400, why);
    }
    let send = async |body: String| {
        let request =
            Client::new().post(app.url("/api/eval/sdk-remote")).header("content-type", "application/json");
        Reply::to(request.body(body)).await
    };
    send("{".into()).await.assert_refused(400, "EOF");
    send("[".repeat(10_000)).await.assert_refused(400, "recursion limit");
    send(format!("{{\"url\": \"{}\"}}", "x".repeat(200_000)))
        .await
        .assert_refused(413, "larger than 131072 bytes");
    post(&app, "/api/eval/sdk-other", &json!({})).await.assert_refused(400, "\"sdk-other\" is not one of");
    press(&admin, "stop").await;
    assert_eq!(eval(json!({"attributes": {"id": "user-1"}})).await.json()["features"], json!({}));
}

pub const OFREP: &str = "/ofrep/v1/evaluate/flags";

async fn ofrep_answers_in_its_own_words(store: Store) {
    let (app, admin) = start(store).await;
    let context = json!({"context": {"targetingKey": "user-1", "id": "somebody else", "plan": "gold"}});
    let one = async || post(&app, &format!("{OFREP}/checkout_workflow"), &context).await;
    let variation = placed("user-1");
    let expected = json!({
        "key": "checkout_workflow", "reason": "SPLIT", "value": variation, "variant": variation,
        "metadata": {"experiment": "checkout-express", "variation": usize::from(variation == "express")},
    });
    let answer = one().await;
    assert_eq!((answer.status, answer.json()), (200, expected.clone()));

    let all = async |context: &Value, etag: &str| {
        let request = Client::new().post(app.url(OFREP)).json(context).header("if-none-match", etag);
        Reply::to(request).await
    };
    let first = all(&context, "").await;
    assert_eq!((first.status, &first.json()["flags"]), (200, &json!([expected])));
    assert!(first.header("access-control-expose-headers").contains("etag"));
    let etag = first.header("etag");
    let same = all(&context, etag).await;
    assert_eq!((same.status, same.text.as_str(), same.header("etag")), (304, "", etag));
    let reordered = json!({"context": {"plan": "gold", "id": "somebody else", "targetingKey": "user-1"}});
    assert_eq!(all(&reordered, etag).await.status, 304);
    let other = json!({"context": {"targetingKey": "user-1", "id": "somebody else", "plan": "silver"}});
    assert_eq!(all(&other, etag).await.status, 200, "another attribute, another answer");

    press(&admin, "stop").await;
    let disabled = json!({"key": "checkout_workflow", "reason": "DISABLED"});
    let stopped = all(&context, etag).await;
    assert_eq!((stopped.status, &stopped.json()["flags"]), (200, &json!([disabled])));
    assert_eq!(one().await.json(), disabled, "the caller's default holds");
}

async fn pages_hear_by_ofrep_when_to_ask_again(store: Store) {
    let (app, admin) = start(store).await;
    let twin = if store == Store::Postgres { Some(app.twin().await) } else { None };
    let context = json!({"context": {"targetingKey": "user-1"}});
    let first = post(&app, OFREP, &context).await.json();
    let stream = &first["eventStreams"][0];
    let version = first["metadata"]["version"].as_str().unwrap();
    let address = format!("/ofrep/v1/stream?since={version}");
    assert_eq!(stream, &json!({"type": "sse", "endpoint": {"requestUri": address}}));

    // Who knows the newest is told of the next change only; who does not, at once.
    let mut informed = Events::at(&app, &address, "").await;
    let mut late = Events::at(&app, "/ofrep/v1/stream?since=2025-11-29T08:00:00.000000000Z", "").await;
    let mut back = Events::at(&app, "/ofrep/v1/stream?since=2025", version).await;
    for events in [&mut informed, &mut late, &mut back] {
        assert!(events.next().await.unwrap().starts_with("retry: "));
    }
    let told = |version: &str| {
        format!("id: {version}\ndata: {{\"type\":\"refetchEvaluation\",\"etag\":\"{version}\"}}")
    };
    assert_eq!(late.next().await.unwrap(), told(version));
    press(&admin, "stop").await;
    let event = informed.next().await.unwrap();
    assert_eq!(late.next().await.as_ref(), Some(&event));
    assert_eq!(back.next().await.as_ref(), Some(&event), "what it had heard was not told again");
    let newer = event.lines().next().unwrap().strip_prefix("id: ").unwrap();
    assert_eq!(event, told(newer));

    // Whichever node is asked, it answers from that version.
    let node = twin.as_ref().unwrap_or(&app);
    let answer = post(node, &format!("{OFREP}?flagConfigEtag={newer}"), &context).await.json();
    assert_eq!(
        (&answer["metadata"]["version"], &answer["flags"][0]["reason"]),
        (&json!(newer), &json!("DISABLED"))
    );
}

async fn a_pause_is_one_at_every_door(store: Store) {
    let (app, admin) = start_with(store, KEYS).await;
    let context = json!({"context": {"targetingKey": "user-1"}});
    let doors = async || {
        let features = get(&app, FEATURES).await.json()["features"].clone();
        let body = json!({"attributes": {"id": "user-1"}});
        let remote = post(&app, "/api/eval/sdk-remote", &body).await.json()["features"].clone();
        let asked = post(&app, &format!("{OFREP}/checkout_workflow"), &context).await.json();
        (features, remote, asked)
    };
    let running = doors().await;
    press(&admin, "pause").await;
    let disabled = json!({"key": "checkout_workflow", "reason": "DISABLED"});
    assert_eq!(doors().await, (json!({}), json!({}), disabled));
    press(&admin, "resume").await;
    assert_eq!(doors().await, running);
}

async fn what_is_shipped_is_everybodys_at_every_door(store: Store) {
    let (app, admin) = start_with(store, KEYS).await;
    press(&admin, "ship/express").await;
    let rules = get(&app, FEATURES).await.json()["features"]["checkout_workflow"]["rules"].clone();
    assert_eq!(rules, json!([{"id": "checkout-express", "force": "express"}]));
    for unit in ["user-1", "user-2"] {
        let body = json!({"attributes": {"id": unit}});
        let remote = post(&app, "/api/eval/sdk-remote", &body).await.json();
        assert_eq!(remote["features"], json!({"checkout_workflow": {"defaultValue": "express"}}));
        let context = json!({"context": {"targetingKey": unit}});
        let asked = post(&app, &format!("{OFREP}/checkout_workflow"), &context).await.json();
        let metadata = json!({"rollout": "checkout-express"});
        assert_eq!(
            asked,
            json!({"key": "checkout_workflow", "reason": "STATIC", "value": "express", "variant": "express", "metadata": metadata})
        );
    }
    press(&admin, "archive").await;
    assert_eq!(get(&app, FEATURES).await.json()["features"], json!({}));
}

async fn ofrep_says_what_is_wrong_with_a_question(store: Store) {
    let (app, _admin) = start(store).await;
    let many: serde_json::Map<_, _> = (0..1_001).map(|n| (n.to_string(), json!(n))).collect();
    for (body, code) in [
        ("{", "PARSE_ERROR"),
        ("7", "PARSE_ERROR"),
        ("", "PARSE_ERROR"),
        ("{}", "TARGETING_KEY_MISSING"),
        (r#"{"context": {}}"#, "TARGETING_KEY_MISSING"),
        (r#"{"context": {"targetingKey": ""}}"#, "TARGETING_KEY_MISSING"),
        (r#"{"context": {"targetingKey": null}}"#, "TARGETING_KEY_MISSING"),
        (r#"{"context": {"targetingKey": 7}}"#, "INVALID_CONTEXT"),
        (r#"{"context": []}"#, "INVALID_CONTEXT"),
        (&format!(r#"{{"context": {{"targetingKey": "{}"}}}}"#, "x".repeat(1_025)), "INVALID_CONTEXT"),
        (&format!(r#"{{"context": {{"targetingKey": "{}"}}}}"#, "x".repeat(200_000)), "INVALID_CONTEXT"),
        (&json!({"context": many}).to_string(), "INVALID_CONTEXT"),
    ] {
        for (path, key) in [(OFREP.to_owned(), Value::Null), (format!("{OFREP}/a%2Fb"), json!("a/b"))] {
            let request = Client::new().post(app.url(&path)).header("content-type", "application/json");
            let answer = Reply::to(request.body(body.to_owned())).await;
            let failure = answer.json();
            assert_eq!(
                (answer.status, &failure["errorCode"], &failure["key"]),
                (400, &json!(code), &key),
                "{failure}"
            );
            assert!(failure["errorDetails"].as_str().is_some_and(|details| !details.is_empty()));
        }
    }
    let context = json!({"context": {"targetingKey": "u"}});
    for (path, key) in [("a%2Fb%20%C3%A9", "a/b é"), ("a/b", "a/b"), ("constructor", "constructor")] {
        let answer = post(&app, &format!("{OFREP}/{path}"), &context).await;
        let failure = answer.json();
        assert_eq!(
            (answer.status, &failure["errorCode"], &failure["key"]),
            (404, &json!("FLAG_NOT_FOUND"), &json!(key))
        );
    }
    let read = Reply::to(Client::new().get(app.url(OFREP))).await;
    assert_eq!(
        (read.status, read.header("allow"), &read.json()["errorCode"]),
        (405, "OPTIONS, POST", &json!("GENERAL"))
    );
    let preflight = Client::new()
        .request(Method::OPTIONS, app.url(OFREP))
        .header("origin", "https://elsewhere.example")
        .header("access-control-request-method", "POST");
    let preflight = Reply::to(preflight).await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-methods")), (204, "OPTIONS, POST"));
    for header in ["content-type", "if-none-match", "authorization", "x-api-key"] {
        assert!(preflight.header("access-control-allow-headers").contains(header), "{header}");
    }
}

async fn the_official_sdks_work_unchanged(store: Store) {
    let (app, admin) = start_with(store, KEYS).await;
    let arguments = ["sdks", &app.url(""), "user-1", placed("user-1")].map(str::to_owned);
    let running = tokio::spawn(async move { node_script("flags.js", &arguments).await });
    // The streams are open and nothing else is prepared after them but what polls.
    let streams = async || app.metrics().await.value("cartwright_flag_streams", &[]);
    eventually("the SDKs listen", async || streams().await >= Some(3.0)).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    press(&admin, "stop").await;
    let said = succeeded("tests/clients/flags.js", &running.await.unwrap());
    assert_eq!(said, "ready\nall well\n");
}

/// Units that are asked for at every door, the shop's own among them.
const UNITS: usize = 2_000;
/// Units that are asked for where asking costs no request.
const MANY: usize = 100_000;

async fn every_door_gives_a_unit_the_same_variation(store: Store) {
    let (app, _admin) = start_with(store, KEYS).await;
    let (client, carts) = (Client::new(), app.url("/api/v1/carts"));
    let mut opened = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (client, carts) = (client.clone(), carts.clone());
        opened.spawn(async move {
            for _ in 0..UNITS / 16 {
                let cart = client.post(&carts).bearer_auth(random_token()).json(&json!({}));
                assert_eq!(cart.send().await.unwrap().status(), 201);
            }
        });
    }
    opened.join_all().await;
    let events = app.events("cart_opened", UNITS).await;
    let own: Vec<(&str, &str)> = events
        .iter()
        .map(|event| (event["unit"].as_str().unwrap(), event["data"]["workflow"].as_str().unwrap()))
        .collect();
    for (unit, workflow) in &own {
        assert_eq!(placed(unit), *workflow, "{unit}");
    }
    let file = app.write_file("units.json", &json!(own).to_string());
    let said = node_script("flags.js", &["units".to_owned(), app.url(""), file]).await;
    assert_eq!(succeeded("tests/clients/flags.js", &said), "all well\n");

    let said = node_script("flags.js", &["many".to_owned(), app.url(""), MANY.to_string()]).await;
    let said = succeeded("tests/clients/flags.js", &said);
    let expected: String =
        (0..MANY).map(|n| if placed(&format!("unit-{n}")) == "express" { '1' } else { '0' }).collect();
    assert!(said.trim_end() == expected, "of {MANY} units some are assigned otherwise");
}
