//! What pages measure of themselves: how long they took, and whether a script failed. Kept while an experiment runs, as events
//! of their visitor, from which metrics such as page latency are counted.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Payload},
};
use serde::Deserialize;
use serde_json::json;

use super::{Front, Page};
use crate::{
    api::request::body_bytes,
    clock,
    problem::Problem,
    store::{TRACKED, TrackedEvent},
    visitor::Visitor,
};

/// Milliseconds beyond which a measurement is taken for a mistake: nobody waits so long for a page.
const MS_MAX: u64 = 10 * 60 * 1_000;
/// The longest path that is kept.
const PATH_BYTES_MAX: usize = 200;

/// Is what a page sends when it is left.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Measured {
    /// The page's path.
    path: String,
    /// Milliseconds until it was drawn, unless it was left before.
    ms: Option<u64>,
    /// Whether a script failed.
    #[serde(default)]
    failed: bool,
}

/// `POST /measured`: keeps it, where it is of use to anybody.
pub(super) async fn measured(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front.serve(keep(&front, &request, body)).await
}

async fn keep(front: &Front, request: &HttpRequest, body: Payload) -> Page {
    let shop = &front.shop;
    let bytes = body_bytes(body).await?;
    let measured: Measured =
        serde_json::from_slice(&bytes).map_err(|error| Problem::invalid_request(error.to_string()))?;
    let is_wanted = shop.definitions.get().has_running();
    let visitor = Visitor::of_request(request).filter(|who| shop.measurements.admits(who.unit()));
    if let (true, Some(visitor)) = (is_wanted, visitor) {
        let path: String = measured.path.chars().take(PATH_BYTES_MAX / 4).collect();
        let event = |name: &str, value: u64| TrackedEvent {
            kind: TRACKED,
            id: None,
            unit: visitor.unit().clone(),
            at_ms: clock::now_ms(),
            data: json!({"name": name, "value": value, "properties": {"path": path}}).to_string(),
        };
        let timed = measured.ms.filter(|ms| *ms <= MS_MAX).map(|ms| event("page_timed", ms));
        let failed = measured.failed.then(|| event("page_failed", 1));
        let events: Vec<TrackedEvent> = timed.into_iter().chain(failed).collect();
        if !events.is_empty() {
            shop.store.track(&events).await?;
        }
    }
    Ok(HttpResponse::NoContent().finish())
}
