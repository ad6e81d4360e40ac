//! Flags for the standards' SDKs: GrowthBook's wire and OFREP, spoken by hand and by the official packages.

use std::time::{Duration, Instant};

use harness::{Store, TestApp, admin};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::experiments::{press, start, start_with};

on_each_store!(
    features_are_fetched_and_revalidated,
    a_client_key_is_known_or_refused,
    an_encrypted_payload_opens_under_its_key,
    a_change_reaches_every_stream_within_a_second,
    streams_end_when_the_server_goes,
);

const FEATURES: &str = "/api/features/sdk-cartwright";
const KEYS: &str = r#"
[flags]
clients = [
    { key = "sdk-cartwright" },
    { key = "sdk-sealed", encryption_key = "BwcHBwcHBwcHBwcHBwcHBw==" },
    { key = "sdk-remote", only_remote = true },
]
"#;

/// Is an answer as it came, whatever its type.
struct Reply {
    status: u16,
    headers: reqwest::header::HeaderMap,
    text: String,
}

impl Reply {
    async fn to(request: RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Self { status, headers, text: answer.text().await.unwrap() }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{} is no JSON", self.text))
    }

    /// Expects what GrowthBook's server answers where it refuses, with these words in it.
    fn assert_refused(&self, status: u16, words: &str) {
        let body = self.json();
        assert_eq!((self.status, &body["status"]), (status, &json!(status)), "{body}");
        assert!(body["error"].as_str().unwrap().contains(words), "{body}");
        assert_eq!(self.header("access-control-allow-origin"), "*", "a page may read why");
    }
}

async fn get(app: &TestApp, path: &str) -> Reply {
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
    let opened = ::experiments::growthbook::encryption::decrypt(&text, "BwcHBwcHBwcHBwcHBwcHBw==").unwrap();
    assert_eq!(serde_json::from_str::<Value>(&opened).unwrap(), plain.json()["features"]);
    assert_eq!(sealed.json()["dateUpdated"], plain.json()["dateUpdated"]);
}

/// Is a stream of server-sent events that is read by hand.
struct Events {
    answer: reqwest::Response,
    read: String,
}

impl Events {
    async fn open(app: &TestApp, client_key: &str, known: &str) -> Self {
        let request =
            Client::new().get(app.url(&format!("/sub/{client_key}"))).header("last-event-id", known);
        let answer = request.send().await.unwrap();
        assert_eq!(
            (answer.status(), &answer.headers()["content-type"]),
            (reqwest::StatusCode::OK, &"text/event-stream".parse().unwrap())
        );
        Self { answer, read: String::new() }
    }

    /// Returns the next block of lines; `None` at the end.
    async fn next(&mut self) -> Option<String> {
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
    async fn payload(&mut self) -> (String, Value) {
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

    press(&admin, "stop").await;
    let saved = Instant::now();
    for events in &mut streams {
        let (_, payload) = events.payload().await;
        assert_eq!(payload["features"], json!({}));
    }
    assert!(saved.elapsed() < Duration::from_secs(1), "{:?}", saved.elapsed());
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
