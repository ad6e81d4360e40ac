//! What the API's handlers read from a request.

use actix_web::{HttpRequest, http::StatusCode, http::header, web};
use cart_core::CartId;
use experiments::hash::query_string_override;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::{
    carts::IdempotencyKey,
    definitions::{Definitions, Forced},
    problem::Problem,
    visitor::Visitor,
};

/// The largest body in bytes: a command with all its details fits many times over.
pub const BODY_BYTES_MAX: usize = 32 * 1_024;
/// The longest idempotency key in bytes: several UUIDs.
pub const KEY_BYTES_MAX: usize = 200;

/// Reads a JSON body of the expected shape.
///
/// # Errors
/// The problem with its type, its size or its shape.
pub async fn json<T: DeserializeOwned>(
    request: &HttpRequest,
    body: web::Payload,
) -> Result<(T, web::Bytes), Problem> {
    let content_type =
        request.headers().get(header::CONTENT_TYPE).and_then(|h| h.to_str().ok()).unwrap_or("");
    if content_type.split(';').next().map(str::trim) != Some("application/json") {
        let detail = format!("send Content-Type: application/json, not {content_type:?}");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
    }
    let bytes = body_bytes(body).await?;
    let value = serde_json::from_slice(&bytes).map_err(Problem::invalid_json)?;
    Ok((value, bytes))
}

/// Reads a body of bounded size.
///
/// # Errors
/// The problem `body_too_large`, or a body that broke off.
pub async fn body_bytes(body: web::Payload) -> Result<web::Bytes, Problem> {
    match body.to_bytes_limited(BODY_BYTES_MAX).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(Problem::invalid_request(format!("the body broke off: {error}"))),
        Err(_) => {
            let detail = format!("the body is larger than {BODY_BYTES_MAX} bytes");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail))
        }
    }
}

/// Finds the visitor of a request.
///
/// # Errors
/// The problem `unauthorized` where the request carries no token.
pub fn visitor(request: &HttpRequest) -> Result<Visitor, Problem> {
    Visitor::of_request(request).ok_or_else(Problem::unauthorized)
}

/// Parses the cart id of a path; what cannot be one names no cart.
///
/// # Errors
/// The problem `unknown_cart`.
pub fn cart_id(text: &str) -> Result<CartId, Problem> {
    CartId::parse(text).map_err(|e| Problem::not_found("unknown_cart", e.to_string()))
}

/// Reads the version that the client expects.
///
/// # Errors
/// Where the header is neither `*` nor one ETag of ours.
pub fn if_match(request: &HttpRequest) -> Result<Option<u64>, Problem> {
    let Some(value) = request.headers().get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or("").trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).and_then(|t| t.parse().ok());
    version.map(Some).ok_or_else(|| {
        Problem::invalid_request(format!("If-Match {text:?} must be the cart's ETag, such as \"7\", or *"))
    })
}

/// Reads the client's key, with a digest of what it stands for.
///
/// # Errors
/// Where the key is empty, too long or not printable.
pub fn idempotency_key(request: &HttpRequest, body: &[u8]) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(value) = request.headers().get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= KEY_BYTES_MAX => {
            let digest =
                Sha256::new().chain_update(request.path()).chain_update([0]).chain_update(body).finalize();
            let fingerprint = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
            Ok(Some(IdempotencyKey { key: key.to_owned(), fingerprint }))
        }
        _ => Err(Problem::invalid_request(format!(
            "Idempotency-Key must be 1 to {KEY_BYTES_MAX} printable ASCII characters"
        ))),
    }
}

/// Reads the variations that a tester forces by `?<experiment>=<index>`.
pub fn forced(request: &HttpRequest, definitions: &Definitions) -> Forced {
    let query = request.query_string();
    if query.is_empty() {
        return Forced::new();
    }
    let url = format!("?{query}");
    let by_key = |e: &experiments::Experiment| {
        query_string_override(e.key(), &url, e.variations().len()).map(|v| (e.key().to_owned(), v))
    };
    definitions.experiments().iter().filter_map(by_key).collect()
}

/// Answers what no route matches.
pub async fn no_such_route(request: HttpRequest) -> Result<actix_web::HttpResponse, Problem> {
    let detail = format!("nothing answers {} {}", request.method(), request.path());
    Err(Problem::not_found("no_such_route", detail))
}
