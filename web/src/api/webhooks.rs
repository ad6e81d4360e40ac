//! The endpoints of webhooks, for the shop's own people.

mod management;

use std::collections::BTreeSet;

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{Method, header},
    web,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) use management::{
    EndpointChange, NewEndpoint, Ping, amend, begin_replay, find, make, new_secret, pinged, remove,
};

use super::{
    BASE,
    admin::admin,
    headers::{IDEMPOTENCY_KEY, LOCATION},
    operation::Operation,
    request::{idempotency_key, json},
};
use crate::{
    problem::{Kind, Problem},
    shop::Shop,
    webhooks::{
        Endpoint,
        endpoint::{self, Replay},
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
                "Messages are signed as Standard Webhooks has it; the answer holds the secret, which is shown only here. \
                 Each is delivered at least once, with the same `webhook-id` at every try.",
            )
            .for_admins()
            .takes(IDEMPOTENCY_KEY)
            .body::<NewEndpoint>()
            .example("orders", json!({"url": "https://erp.example/hooks", "types": ["order_placed"]}))
            .answers::<EndpointWithSecret>(201, "The endpoint and its secret.")
            .with(LOCATION)
            .problems(&[Kind::InvalidEndpoint, Kind::IdempotencyMismatch]),
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
            .answers::<Ping>(200, "What came of it.")
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
struct ReplayForm {
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

fn shown(endpoint: Endpoint) -> HttpResponse {
    HttpResponse::Ok().json(EndpointView::from(endpoint))
}

fn with_secret(mut response: HttpResponseBuilder, (endpoint, secret): (Endpoint, String)) -> HttpResponse {
    response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(EndpointWithSecret { endpoint: endpoint.into(), secret })
}

async fn list(shop: web::Data<Shop>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let endpoints = endpoint::all(&*shop.store).await?.into_iter().map(|(_, e)| e.into()).collect();
    Ok(HttpResponse::Ok().json(EndpointsView { endpoints }))
}

async fn create(
    shop: web::Data<Shop>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let by = admin(&shop, &request).await?;
    let (new, bytes) = json(&request, body).await?;
    let key = idempotency_key(&request, &bytes)?.map(|key| key.key);
    let made = make(&shop, new, &by, key.as_deref()).await?;
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("{BASE}/admin/webhooks/{}", made.0.id)));
    Ok(with_secret(response, made))
}

async fn read(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    find(&shop, &id).await.map(shown)
}

async fn update(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let (change, _) = json(&request, body).await?;
    amend(&shop, &id, &change).await.map(shown)
}

async fn delete(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    remove(&shop, &id).await.map(shown)
}

async fn rotate(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    Ok(with_secret(HttpResponse::Ok(), new_secret(&shop, &id).await?))
}

async fn ping(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    Ok(HttpResponse::Ok().json(pinged(&shop, &id).await?))
}

async fn replay(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let (ReplayForm { from_ms, to_ms }, _) = json(&request, body).await?;
    begin_replay(&shop, &id, from_ms, to_ms).await.map(shown)
}
