//! Carries events to one endpoint.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use hyper::body::Bytes;
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::sync::watch;
use url::Url;

use super::{
    Endpoint,
    agent::Board,
    post::{Answer, Poster},
};
use crate::{
    clock,
    deliveries::{Carrier, Fate},
    metrics,
    store::{DeliveryCounts, OutboxEvent},
};

/// The longest body in bytes: an order of the most lines fits several times.
const BODY_BYTES_MAX: usize = 1 << 20;
/// The longest time that a receiver may ask to be left alone.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3_600);
/// Says that an endpoint is gone for good.
const GONE: u16 = 410;

/// Carries events to an endpoint as it is now.
pub(super) struct Hook {
    pub endpoint: watch::Receiver<Arc<Endpoint>>,
    pub poster: Poster,
    pub board: Arc<Board>,
}

/// Posts a message to an endpoint.
///
/// # Errors
/// Says why there is no answer.
pub(super) async fn post(
    poster: &Poster,
    endpoint: &Endpoint,
    id: &str,
    body: String,
) -> Result<Answer, String> {
    let url = Url::parse(&endpoint.url).map_err(|error| error.to_string())?;
    let now_ms = clock::now_ms();
    let headers = [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", now_ms.div_euclid(1_000).to_string()),
        ("webhook-signature", endpoint.sign(id, now_ms, body.as_bytes())),
    ];
    poster.post(&url, &headers, Bytes::from(body)).await
}

/// Returns the body of an event's message.
fn body(event: &OutboxEvent) -> String {
    let OutboxEvent { position, at_ms, kind, cart, unit, data, .. } = event;
    json!({
        "type": kind,
        "timestamp": timestamp(*at_ms),
        "position": position,
        "cart": cart,
        "unit": unit,
        "data": data,
    })
    .to_string()
}

/// Writes a time as RFC 3339 has it.
pub(super) fn timestamp(at_ms: i64) -> String {
    let nanos = i128::from(at_ms) * 1_000_000;
    let moment = OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    moment.format(&Rfc3339).unwrap_or_default()
}

#[async_trait]
impl Carrier for Hook {
    fn kind(&self) -> &'static str {
        metrics::SINKS[1]
    }

    fn wants(&self, event: &OutboxEvent) -> bool {
        self.endpoint.borrow().wants(&event.kind)
    }

    fn counted(&self, open: DeliveryCounts, lag: u64) {
        self.board.counted(&self.endpoint.borrow().id, open, lag);
    }

    async fn carry(&self, event: &OutboxEvent) -> Fate {
        let endpoint = self.endpoint.borrow().clone();
        let body = body(event);
        if body.len() > BODY_BYTES_MAX {
            return Fate::never(format!("the event is larger than {BODY_BYTES_MAX} bytes"));
        }
        match post(&self.poster, &endpoint, &event.id.to_string(), body).await {
            Err(why) => Fate::later(why),
            Ok(Answer { status: status @ 200..=299, .. }) => Fate::Delivered { status: Some(status) },
            Ok(Answer { status, retry_after, body }) => {
                if status == GONE {
                    self.board.gone(&endpoint.id);
                }
                let why = match status {
                    300..=399 => "it answers with a redirect, which is not followed".to_owned(),
                    _ => body,
                };
                let not_before = retry_after.map(|wait| wait.min(RETRY_AFTER_MAX));
                Fate::Later { status: Some(status), why, not_before }
            }
        }
    }
}
