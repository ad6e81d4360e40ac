//! The endpoints of webhooks, for the shop's own people.

use std::collections::BTreeSet;

use actix_web::{HttpRequest, HttpResponse, http::Method, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{admin::admin, headers::LOCATION, operation::Operation, request::json};
use crate::{
    problem::{Kind, Problem},
    shop::Shop,
    store::webhooks::replay_cursor,
    webhooks::{
        Endpoint,
        endpoint::{self, DESCRIPTION_BYTES_MAX, ENDPOINTS_MAX, Replay},
        target::{self, URL_BYTES_MAX},
    },
};

/// Describes the operations on endpoints.
pub(super) fn operations() -> Vec<Operation> {
    const ID: &str = "The endpoint.";
    vec![
        Operation::get("/admin/webhooks", list)
            .named("listEndpoints", "Lists the endpoints of webhooks")
            .for_admins()
            .answers::<EndpointsView>(200, "The endpoints."),
        Operation::post("/admin/webhooks", create)
            .named("createEndpoint", "Makes an endpoint, which is sent what happens from now on")
            .about(
                "Messages are signed as Standard Webhooks has it; the answer holds the secret, which is shown only once. \
                 Each is delivered at least once, with the same `webhook-id` at every try.",
            )
            .for_admins()
            .body::<NewEndpoint>()
            .example("orders", json!({"url": "https://erp.example/hooks", "types": ["order_placed"]}))
            .answers::<EndpointWithSecret>(201, "The endpoint and its secret.")
            .with(LOCATION)
            .problems(&[Kind::InvalidEndpoint]),
        Operation::get("/admin/webhooks/{id}", read)
            .named("readEndpoint", "Reads an endpoint")
            .for_admins()
            .path::<String>("id", ID)
            .answers::<EndpointView>(200, "The endpoint.")
            .problems(&[Kind::UnknownEndpoint]),
        Operation::new(Method::PATCH, "/admin/webhooks/{id}", update)
            .named("changeEndpoint", "Changes an endpoint, disables it, or enables it again where it stopped")
            .for_admins()
            .path::<String>("id", ID)
            .body::<EndpointChange>()
            .example("pause", json!({"enabled": false}))
            .answers::<EndpointView>(200, "The endpoint after the change.")
            .problems(&[Kind::UnknownEndpoint, Kind::InvalidEndpoint]),
        Operation::new(Method::DELETE, "/admin/webhooks/{id}", delete)
            .named("deleteEndpoint", "Deletes an endpoint with its deliveries")
            .for_admins()
            .path::<String>("id", ID)
            .answers::<EndpointView>(200, "The endpoint that was deleted.")
            .problems(&[Kind::UnknownEndpoint]),
        Operation::post("/admin/webhooks/{id}/secret", rotate)
            .named("rotateSecret", "Makes a new secret; the one before it signs beside it for a while")
            .for_admins()
            .path::<String>("id", ID)
            .answers::<EndpointWithSecret>(200, "The endpoint and its new secret.")
            .problems(&[Kind::UnknownEndpoint]),
        Operation::post("/admin/webhooks/{id}/ping", ping)
            .named("pingEndpoint", "Posts a message that is no event, and tells what the endpoint answers")
            .for_admins()
            .path::<String>("id", ID)
            .answers::<PingView>(200, "What came of it.")
            .problems(&[Kind::UnknownEndpoint]),
        Operation::post("/admin/webhooks/{id}/replay", replay)
            .named("replayEvents", "Sends the events of a span of time again")
            .for_admins()
            .path::<String>("id", ID)
            .body::<ReplayForm>()
            .example("a day", json!({"from_ms": 1_795_478_400_000_i64, "to_ms": 1_795_564_800_000_i64}))
            .answers::<EndpointView>(200, "The endpoint; `replay` is there until all are sent.")
            .problems(&[Kind::UnknownEndpoint, Kind::InvalidEndpoint]),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEndpoint {
    /// Where events are posted: an `https` address.
    #[schemars(length(max = URL_BYTES_MAX))]
    url: String,
    /// What it is for.
    #[serde(default)]
    #[schemars(length(max = DESCRIPTION_BYTES_MAX))]
    description: String,
    /// The types of events that it is sent; all where none are named.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    types: BTreeSet<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointChange {
    /// Where events are posted from now on.
    #[schemars(length(max = URL_BYTES_MAX))]
    url: Option<String>,
    /// What it is for.
    #[schemars(length(max = DESCRIPTION_BYTES_MAX))]
    description: Option<String>,
    /// The types of events that it is sent; all where the list is empty.
    #[schemars(with = "Option<Vec<String>>")]
    types: Option<BTreeSet<String>>,
    /// Whether it is sent anything.
    enabled: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplayForm {
    /// Events from here on, in Unix milliseconds.
    from_ms: i64,
    /// Events before this, in Unix milliseconds.
    to_ms: i64,
}

/// Is an endpoint of webhooks, without its secrets.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Endpoint")]
struct EndpointView {
    id: String,
    url: String,
    description: String,
    types: BTreeSet<String>,
    enabled: bool,
    /// Says why the shop disabled it by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    created_at_ms: i64,
    /// Since when nothing arrives.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since_ms: Option<i64>,
    /// When the secret that is being replaced no longer signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    old_secret_ends_at_ms: Option<i64>,
    /// What of the past is being sent again.
    #[serde(skip_serializing_if = "Option::is_none")]
    replay: Option<ReplayView>,
}

/// Is a span of time.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Replay")]
struct ReplayView {
    from_ms: i64,
    to_ms: i64,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Endpoints")]
struct EndpointsView {
    endpoints: Vec<EndpointView>,
}

#[derive(Serialize, JsonSchema)]
struct EndpointWithSecret {
    endpoint: EndpointView,
    /// Signs the messages; it is shown only once.
    secret: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Ping")]
struct PingView {
    took_ms: u64,
    /// The HTTP status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// Says why there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl From<Endpoint> for EndpointView {
    fn from(endpoint: Endpoint) -> Self {
        let Endpoint { id, url, description, types, enabled, note, created_at_ms, failing_since_ms, .. } =
            endpoint;
        let replay = endpoint.replay.map(|Replay { from_ms, to_ms, .. }| ReplayView { from_ms, to_ms });
        let old_secret_ends_at_ms = endpoint.secrets.iter().find_map(|secret| secret.ends_at_ms);
        Self {
            id,
            url,
            description,
            types,
            enabled,
            note,
            created_at_ms,
            failing_since_ms,
            old_secret_ends_at_ms,
            replay,
        }
    }
}

pub(super) fn unknown(id: &str) -> Problem {
    Problem::new(Kind::UnknownEndpoint, format!("there is no endpoint {id:?}"))
}

fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(Kind::InvalidEndpoint, detail)
}

/// Checks what may be changed of an endpoint.
fn check(
    shop: &Shop,
    url: Option<&str>,
    description: Option<&str>,
    types: Option<&BTreeSet<String>>,
) -> Result<(), Problem> {
    if let Some(url) = url {
        target::parse(url, shop.config.webhooks.allow_private).map_err(invalid)?;
    }
    if description.is_some_and(|text| text.len() > DESCRIPTION_BYTES_MAX) {
        return Err(invalid(format!("the description is longer than {DESCRIPTION_BYTES_MAX} bytes")));
    }
    types.map_or(Ok(()), |types| endpoint::check_types(types).map_err(invalid))
}

/// `GET /api/v1/admin/webhooks`.
pub(super) async fn list(shop: web::Data<Shop>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let endpoints = endpoint::all(&*shop.store).await?.into_iter().map(|(_, e)| e.into()).collect();
    Ok(HttpResponse::Ok().json(EndpointsView { endpoints }))
}

/// `POST /api/v1/admin/webhooks`.
pub(super) async fn create(
    shop: web::Data<Shop>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let (NewEndpoint { url, description, types }, _) = json(&request, body).await?;
    let (endpoint, secret) = make(&shop, url, description, types).await?;
    let location = format!("{}/admin/webhooks/{}", super::BASE, endpoint.id);
    Ok(HttpResponse::Created()
        .insert_header((actix_web::http::header::LOCATION, location))
        .json(EndpointWithSecret { endpoint: endpoint.into(), secret }))
}

/// Makes an endpoint; returns it with its secret.
///
/// # Errors
/// Where it cannot be had as described, or the shop has as many as it may have.
pub async fn make(
    shop: &Shop,
    url: String,
    description: String,
    types: BTreeSet<String>,
) -> Result<(Endpoint, String), Problem> {
    check(shop, Some(&url), Some(&description), Some(&types))?;
    if endpoint::all(&*shop.store).await?.len() >= ENDPOINTS_MAX {
        return Err(invalid(format!(
            "the shop has {ENDPOINTS_MAX} endpoints, the most allowed; delete one first"
        )));
    }
    let endpoint = Endpoint::new(url, description, types);
    endpoint::add(&*shop.store, &endpoint).await?;
    let secret = endpoint.secrets.first().map(|secret| secret.key.clone()).unwrap_or_default();
    Ok((endpoint, secret))
}

/// Finds an endpoint.
///
/// # Errors
/// Where there is none of that id.
pub async fn find(shop: &Shop, id: &str) -> Result<Endpoint, Problem> {
    let found = endpoint::all(&*shop.store).await?.into_iter().find(|(_, endpoint)| endpoint.id == id);
    found.map(|(_, endpoint)| endpoint).ok_or_else(|| unknown(id))
}

/// `GET /api/v1/admin/webhooks/{id}`.
pub(super) async fn read(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    Ok(HttpResponse::Ok().json(EndpointView::from(find(&shop, &id).await?)))
}

/// `PATCH /api/v1/admin/webhooks/{id}`.
pub(super) async fn update(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let (form, _): (EndpointChange, _) = json(&request, body).await?;
    Ok(HttpResponse::Ok().json(EndpointView::from(amend(&shop, &id, &form).await?)))
}

async fn amend(shop: &Shop, id: &str, form: &EndpointChange) -> Result<Endpoint, Problem> {
    check(shop, form.url.as_deref(), form.description.as_deref(), form.types.as_ref())?;
    let changed = endpoint::change(&*shop.store, id, |endpoint| {
        if let Some(url) = &form.url {
            endpoint.url.clone_from(url);
        }
        if let Some(description) = &form.description {
            endpoint.description.clone_from(description);
        }
        if let Some(types) = &form.types {
            endpoint.types.clone_from(types);
        }
        match form.enabled {
            Some(true) if !endpoint.enabled => endpoint.enable(),
            Some(false) => endpoint.disable(None),
            _ => {}
        }
    });
    changed.await?.map(|(endpoint, ())| endpoint).ok_or_else(|| unknown(id))
}

/// Changes an endpoint as the form of its page says.
///
/// # Errors
/// Where it cannot be had so, or is gone.
pub async fn amend_settings(
    shop: &Shop,
    id: &str,
    (url, description, types): (String, String, BTreeSet<String>),
) -> Result<Endpoint, Problem> {
    let form =
        EndpointChange { url: Some(url), description: Some(description), types: Some(types), enabled: None };
    amend(shop, id, &form).await
}

/// Disables an endpoint, or enables it again where it stopped.
///
/// # Errors
/// Where there is none of that id.
pub async fn switch(shop: &Shop, id: &str, enabled: bool) -> Result<Endpoint, Problem> {
    let form = EndpointChange { url: None, description: None, types: None, enabled: Some(enabled) };
    amend(shop, id, &form).await
}

/// `DELETE /api/v1/admin/webhooks/{id}`.
pub(super) async fn delete(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let endpoint = find(&shop, &id).await?;
    shop.store.delete_endpoint(&id).await?;
    Ok(HttpResponse::Ok().json(EndpointView::from(endpoint)))
}

/// `POST /api/v1/admin/webhooks/{id}/secret`.
pub(super) async fn rotate(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let (endpoint, secret) = new_secret(&shop, &id).await?;
    Ok(HttpResponse::Ok().json(EndpointWithSecret { endpoint: endpoint.into(), secret }))
}

/// Makes a new secret for an endpoint; returns both.
///
/// # Errors
/// Where there is none of that id.
pub async fn new_secret(shop: &Shop, id: &str) -> Result<(Endpoint, String), Problem> {
    let overlap_ms = i64::from(shop.config.webhooks.secret_overlap_hours) * 3_600_000;
    let rotated = endpoint::change(&*shop.store, id, |endpoint| endpoint.rotate(overlap_ms)).await?;
    rotated.ok_or_else(|| unknown(id))
}

/// `POST /api/v1/admin/webhooks/{id}/ping`.
pub(super) async fn ping(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let endpoint = find(&shop, &id).await?;
    let began = std::time::Instant::now();
    let answer = shop.webhooks.ping(&endpoint).await;
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (status, error) = match answer {
        Ok(answer) => (Some(answer.status), None),
        Err(why) => (None, Some(why)),
    };
    Ok(HttpResponse::Ok().json(PingView { took_ms, status, error }))
}

/// `POST /api/v1/admin/webhooks/{id}/replay`.
pub(super) async fn replay(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let (ReplayForm { from_ms, to_ms }, _) = json(&request, body).await?;
    Ok(HttpResponse::Ok().json(EndpointView::from(begin_replay(&shop, &id, from_ms, to_ms).await?)))
}

/// Begins to send the events of a span of time again.
///
/// # Errors
/// Where the span is none, another replay is under way, or there is no such endpoint.
pub async fn begin_replay(shop: &Shop, id: &str, from_ms: i64, to_ms: i64) -> Result<Endpoint, Problem> {
    if from_ms >= to_ms {
        return Err(invalid("a replay needs a from_ms before its to_ms"));
    }
    let endpoint = find(shop, id).await?;
    if endpoint.replay.is_some() {
        return Err(invalid("another replay is under way; wait until it is done"));
    }
    let replay = Replay { from_ms, to_ms, end: shop.store.cursor(id).await? };
    shop.store.set_cursor(&replay_cursor(id), 0).await?;
    let changed = endpoint::change(&*shop.store, id, |endpoint| endpoint.replay = Some(replay)).await?;
    changed.map(|(endpoint, ())| endpoint).ok_or_else(|| unknown(id))
}
