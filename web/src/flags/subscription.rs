//! `GET /sub/{clientKey}`: server-sent events that tell of every change of the flags.

use std::{convert::Infallible, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{self, Bytes},
};
use futures_util::{Stream, stream};
use tokio::{
    sync::watch,
    time::{Instant, Interval, interval_at},
};

use super::{refusal::Refusal, streams::Place};
use crate::shop::Shop;

/// How often a line is sent that means nothing: proxies close what is silent for a minute.
const PING: Duration = Duration::from_secs(15);
/// When a client comes back that lost its stream, in milliseconds: each at a time of its own, so that a node that stops does
/// not send all of them to the next one at once.
const RETRY_MS: std::ops::Range<u64> = 1_000..5_000;
/// After how many seconds to ask again where all places are taken.
const FULL_SECONDS: u64 = 30;

/// `GET /sub/{clientKey}`.
///
/// The first event is the payload as it is, unless the client names it by `Last-Event-ID`: a change between its fetch and
/// its stream is not missed. SDKs pass over what they know, by `dateUpdated`.
pub(super) async fn subscribe(
    shop: web::Data<Shop>,
    request: HttpRequest,
    client_key: web::Path<String>,
) -> Result<HttpResponse, Refusal> {
    let changes = shop.definitions.changes();
    shop.flags.publication(&client_key)?;
    let place = shop.flags.streams.enter().ok_or_else(|| {
        let error = "no more streams can be opened here; poll GET /api/features, or come back";
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, error).after(Some(FULL_SECONDS))
    })?;
    let known = request.headers().get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let subscription = Subscription {
        client_key: client_key.into_inner(),
        known: known.to_owned(),
        is_new: true,
        ping: interval_at(Instant::now() + PING, PING),
        shop,
        changes,
        place,
    };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // nginx would gather events.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(subscription.into_stream()))
}

/// Is one open stream.
struct Subscription {
    shop: web::Data<Shop>,
    client_key: String,
    /// Names the content that the client has.
    known: String,
    is_new: bool,
    changes: watch::Receiver<()>,
    ping: Interval,
    place: Place,
}

impl Subscription {
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
        let publication = self.shop.flags.publication(&self.client_key).ok()?;
        (publication.digest != self.known).then(|| {
            self.known.clone_from(&publication.digest);
            publication.event.clone()
        })
    }
}
