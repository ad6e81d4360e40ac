//! Server-sent events that tell of every change of the flags: `GET /sub/{clientKey}` and OFREP's `GET /ofrep/v1/stream`.

use std::{convert::Infallible, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{self, Bytes},
};
use futures_util::{Stream, stream};
use serde::Deserialize;
use tokio::{
    sync::watch,
    time::{Instant, Interval, interval_at},
};

use super::{
    refusal::{Code, Failure, Refusal},
    streams::{Full, Place},
};
use crate::{api::request::forwarded, shop::Shop};

/// How often a line is sent that means nothing: proxies close what is silent for a minute.
const PING: Duration = Duration::from_secs(15);
/// When a client comes back that lost its stream, in milliseconds: each at a time of its own, so that a node that stops does
/// not send all of them to the next one at once.
const RETRY_MS: std::ops::Range<u64> = 1_000..5_000;
/// After how many seconds to ask again where all places are taken.
const FULL_SECONDS: u64 = 30;

/// Where OFREP's clients listen; their bulk evaluation says so.
pub(super) const OFREP_PATH: &str = "/ofrep/v1/stream";

/// `GET /sub/{clientKey}`.
///
/// The first event is the payload as it is, unless the client names it by `Last-Event-ID`: a change between its fetch and
/// its stream is not missed. SDKs pass over what they know, by `dateUpdated`.
pub(super) async fn features(
    shop: web::Data<Shop>,
    request: HttpRequest,
    client_key: web::Path<String>,
) -> Result<HttpResponse, Refusal> {
    let changes = shop.definitions.changes();
    shop.flags.publication(&client_key)?;
    let place = enter(&shop, &request).map_err(|full| {
        Refusal::bad_request(full.to_string()).with_status(status(full), Some(FULL_SECONDS))
    })?;
    let topic = Topic::Features { client_key: client_key.into_inner() };
    Ok(answer(Subscription::new(shop, topic, last_event_id(&request), changes, place)))
}

/// Says which version of the definitions a client of OFREP has asked last.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Since {
    #[serde(default)]
    since: String,
}

/// `GET /ofrep/v1/stream`: says when it is time to evaluate again (OFREP's ADR 0008).
///
/// A client that comes back names what it heard last by `Last-Event-ID`, a new one by the address that it was given.
pub(super) async fn ofrep(
    shop: web::Data<Shop>,
    request: HttpRequest,
    since: web::Query<Since>,
) -> Result<HttpResponse, Failure> {
    let changes = shop.definitions.changes();
    let place = enter(&shop, &request).map_err(|full| {
        Failure::new(Code::General, full.to_string()).with_status(status(full), Some(FULL_SECONDS))
    })?;
    let known = match last_event_id(&request) {
        "" => &since.since,
        heard => heard,
    };
    Ok(answer(Subscription::new(shop, Topic::Ofrep, known, changes, place)))
}

fn enter(shop: &Shop, request: &HttpRequest) -> Result<Place, Full> {
    let peer = request.peer_addr().map(|address| address.ip());
    shop.flags.streams.enter(shop.throttle.household(peer, forwarded(request)))
}

fn status(full: Full) -> StatusCode {
    match full {
        Full::Process => StatusCode::SERVICE_UNAVAILABLE,
        Full::Address(_) => StatusCode::TOO_MANY_REQUESTS,
    }
}

fn last_event_id(request: &HttpRequest) -> &str {
    request.headers().get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or_default()
}

fn answer(subscription: Subscription) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // nginx would gather events.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(subscription.into_stream())
}

/// Says what a stream tells of.
enum Topic {
    /// The payload of a client of GrowthBook.
    Features { client_key: String },
    /// That there is something to evaluate again.
    Ofrep,
}

/// Is one open stream.
struct Subscription {
    shop: web::Data<Shop>,
    topic: Topic,
    /// Names the content that the client has.
    known: String,
    is_new: bool,
    changes: watch::Receiver<()>,
    ping: Interval,
    place: Place,
}

impl Subscription {
    fn new(
        shop: web::Data<Shop>,
        topic: Topic,
        known: &str,
        changes: watch::Receiver<()>,
        place: Place,
    ) -> Self {
        let ping = interval_at(Instant::now() + PING, PING);
        Self { shop, topic, known: known.to_owned(), is_new: true, changes, ping, place }
    }

    fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, |mut subscription| async {
            let bytes = subscription.next().await?;
            Some((Ok(bytes), subscription))
        })
    }

    /// Waits for what is to be sent next; nothing more where the server goes.
    async fn next(&mut self) -> Option<Bytes> {
        if std::mem::take(&mut self.is_new) {
            let retry_ms = rand::random_range(RETRY_MS);
            let event = self.news().unwrap_or_default();
            return Some([format!("retry: {retry_ms}\n\n").as_bytes(), &event].concat().into());
        }
        loop {
            tokio::select! {
                () = self.place.drained() => return None,
                changed = self.changes.changed() => {
                    changed.ok()?;
                    if let Some(event) = self.news() {
                        return Some(event);
                    }
                }
                _ = self.ping.tick() => return Some(Bytes::from_static(b": ping\n\n")),
            }
        }
    }

    /// Returns the event of a content that the client does not have.
    fn news(&mut self) -> Option<Bytes> {
        let (id, event) = match &self.topic {
            Topic::Features { client_key } => {
                let publication = self.shop.flags.publication(client_key).ok()?;
                (publication.digest.clone(), publication.event.clone())
            }
            Topic::Ofrep => {
                let version = self.shop.definitions.get().version().to_owned();
                let event = format!(
                    "id: {version}\ndata: {{\"type\":\"refetchEvaluation\",\"etag\":\"{version}\"}}\n\n"
                );
                (version, event.into())
            }
        };
        (id != self.known).then(|| {
            self.known = id;
            event
        })
    }
}
