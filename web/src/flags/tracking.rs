//! `POST /api/track/{clientKey}`: what other programs have seen of experiments and measured, in batches.

mod place;
mod report;
mod unit;

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use experiments::json::{Json, Object};
use schemars::JsonSchema;
use serde::Serialize;

use self::report::{Fault, FaultKind, Reader};
use super::{
    question::{field, object_of},
    refusal::Refusal,
};
use crate::{
    api::request::{bytes_within, is_json, refuse_encoded},
    clock,
    definitions::Definitions,
    metrics,
    problem::{Kind, Problem},
    shop::Shop,
    store::Exposure,
};

pub use self::report::TRACK_AGE_MAX_MS;

/// Most exposures, and most events, of one batch: some minutes of a busy server, written in one transaction.
pub const TRACK_ITEMS_MAX: usize = 500;
/// The largest batch in bytes: 500 exposures and 500 events of half a kilobyte. Beacons of browsers end at 64 KiB.
pub const TRACK_BYTES_MAX: usize = 512 * 1_024;

/// `POST /api/track/{clientKey}`.
///
/// What is refused of a batch leaves the rest: whoever reports by a beacon never reads the answer. Exposures come before
/// events, so that what was measured follows what was seen.
pub(super) async fn track(
    shop: web::Data<Shop>,
    request: HttpRequest,
    client_key: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Refusal> {
    shop.flags.clients.find(&client_key)?;
    let batch = object_of(&batch_bytes(&request, body).await?)?;
    let [exposures, events] = [items(&batch, "exposures")?, items(&batch, "events")?];
    let definitions = shop.definitions.get();
    let now_ms = clock::now_ms();
    let ahead_ms = report::ahead_ms(&batch, now_ms).map_err(|fault| Refusal::bad_request(fault.message))?;
    let reader = Reader { definitions: &definitions, now_ms, ahead_ms };
    let mut answer = Answer::default();
    let exposures = answer.sift(List::Exposures, exposures, |item| reader.exposure(item));
    let events = answer.sift(List::Events, events, |item| reader.event(item));
    let reported = shop.store.report(&exposures, &events).await.map_err(Problem::from)?;
    count(&definitions, &reported.exposed);
    answer.accepted = reported.exposed.len() as u64 + reported.tracked;
    answer.duplicates = (exposures.len() + events.len()) as u64 - answer.accepted;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(answer))
}

/// Counts units that met a variation of the shop's own; there is no end to what others may be called.
fn count(definitions: &Definitions, exposed: &[Exposure]) {
    let counted = exposed.iter().filter(|exposure| exposure.counts());
    let own = counted.filter(|exposure| definitions.experiment(&exposure.experiment).is_some());
    own.for_each(|exposure| metrics::exposure(&exposure.experiment, exposure.variation));
}

/// Reads a body of JSON, which beacons of browsers call plain text: anything else asks another site for leave first.
async fn batch_bytes(request: &HttpRequest, body: web::Payload) -> Result<web::Bytes, Problem> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = content_type.unwrap_or_default();
    let is_text = kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/plain"));
    if !is_text && !is_json(kind) {
        let detail = format!("send Content-Type: application/json or text/plain, not {kind:?}");
        return Err(Problem::new(Kind::UnsupportedMediaType, detail));
    }
    refuse_encoded(request)?;
    bytes_within(body, TRACK_BYTES_MAX).await
}

fn items<'b>(batch: &'b Object, list: &str) -> Result<Vec<&'b Object>, Refusal> {
    let items = match field(batch, list) {
        None => &[],
        Some(Json::Array(items)) => &items[..],
        Some(_) => return Err(Refusal::bad_request(format!("{list} must be a list"))),
    };
    if items.len() > TRACK_ITEMS_MAX {
        let found = items.len();
        let error =
            format!("{list} has {found} items, the most allowed is {TRACK_ITEMS_MAX}: send several batches");
        return Err(Refusal::bad_request(error));
    }
    let object = |(index, item): (usize, &'b Json)| {
        item.as_object().ok_or_else(|| Refusal::bad_request(format!("{list}[{index}] must be an object")))
    };
    items.iter().enumerate().map(object).collect()
}

/// Says what became of a batch.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "TrackAnswer")]
pub(super) struct Answer {
    /// How many were new and are logged.
    accepted: u64,
    /// How many were logged already: exposures of a unit to an experiment, events by their id.
    duplicates: u64,
    /// Those that were not taken.
    refused: Vec<Refused>,
}

/// Names one list of a batch.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "TrackList")]
enum List {
    Exposures,
    Events,
}

/// Says which item was not taken, and why.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TrackRefused")]
struct Refused {
    /// The list that it stands in.
    list: List,
    /// Its place there, from 0.
    index: usize,
    /// What is wrong, for programs.
    error: FaultKind,
    /// What is wrong and how to mend it, for people.
    message: String,
}

impl Answer {
    /// Reads the items of a list, notes those that make no sense, and returns the others.
    fn sift<T>(
        &mut self,
        list: List,
        items: Vec<&Object>,
        read: impl Fn(&Object) -> Result<T, Fault>,
    ) -> Vec<T> {
        let mut taken = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            match read(item) {
                Ok(item) => taken.push(item),
                Err(Fault { kind: error, message }) => {
                    self.refused.push(Refused { list, index, error, message });
                }
            }
        }
        taken
    }
}
