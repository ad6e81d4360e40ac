//! `GET /api/features/{clientKey}`: the payload that GrowthBook's SDKs evaluate themselves.

use actix_web::{HttpRequest, HttpResponse, http::header, web};

use super::{gate::is_known, refusal::Refusal};
use crate::shop::Shop;

/// Every use asks the server whether the payload is the newest, which costs a few bytes, so that an experiment that was
/// stopped is stopped. Where the server is away, caches may answer for ten hours.
const CACHE_CONTROL: &str = "public, max-age=0, stale-if-error=36000";

/// Tells SDKs that there is `/sub/{clientKey}`.
pub(super) const SSE_SUPPORT: (&str, &str) = ("x-sse-support", "enabled");

/// `GET /api/features/{clientKey}`.
///
/// The JavaScript SDK takes 304 for an error and never asks for it; browsers and other SDKs do.
pub(super) async fn get(
    shop: web::Data<Shop>,
    request: HttpRequest,
    client_key: web::Path<String>,
) -> Result<HttpResponse, Refusal> {
    let publication = shop.flags.publication(&client_key)?;
    let body = publication.body.clone().ok_or_else(|| {
        Refusal::bad_request(format!(
            "client key {client_key:?} is for remote evaluation only: POST /api/eval/{client_key}"
        ))
    })?;
    let etag = publication.etag();
    let is_known = is_known(&request, &etag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::ETAG, etag))
        .insert_header((header::CACHE_CONTROL, CACHE_CONTROL))
        .insert_header(SSE_SUPPORT);
    match is_known {
        true => Ok(response.finish()),
        false => Ok(response.content_type("application/json").body(body)),
    }
}
