//! What the API's handlers read from a request.

use std::net::IpAddr;

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError,
    http::{
        Method, StatusCode,
        header::{self, HeaderName},
    },
    web,
};
use cart_core::{CartId, VisitorId};
use experiments::hash::query_string_override;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::{
    carts::IdempotencyKey,
    config::LimitsConfig,
    definitions::{Definitions, Forced},
    problem::{Kind, Problem},
    throttle::network::{client, household},
    visitor::Visitor,
    wire::read,
};

/// The largest body in bytes: a command with all its details fits many times over.
pub const BODY_BYTES_MAX: usize = 32 * 1_024;
/// The longest idempotency key in bytes: several UUIDs.
pub const KEY_BYTES_MAX: usize = 200;

/// Reads a JSON body of the expected shape.
///
/// # Errors
/// The problem with its type, its size or its shape.
pub async fn json<T: DeserializeOwned + JsonSchema>(
    request: &HttpRequest,
    body: web::Payload,
) -> Result<(T, web::Bytes), Problem> {
    json_within(request, body, BODY_BYTES_MAX).await
}

/// Reads a JSON body of the expected shape and of at most so many bytes.
///
/// # Errors
/// The problem with its type, its size or its shape.
pub async fn json_within<T: DeserializeOwned + JsonSchema>(
    request: &HttpRequest,
    body: web::Payload,
    bytes_max: usize,
) -> Result<(T, web::Bytes), Problem> {
    let bytes = json_bytes(request, body, bytes_max).await?;
    let value = read(&bytes)?;
    Ok((value, bytes))
}

/// Reads a body that says that it is JSON, of at most so many bytes.
///
/// # Errors
/// The problem with its type or its size.
pub async fn json_bytes(
    request: &HttpRequest,
    body: web::Payload,
    bytes_max: usize,
) -> Result<web::Bytes, Problem> {
    let content_type =
        request.headers().get(header::CONTENT_TYPE).and_then(|h| h.to_str().ok()).unwrap_or("");
    if !is_json(content_type) {
        let detail = format!("send Content-Type: application/json, not {content_type:?}");
        return Err(Problem::new(Kind::UnsupportedMediaType, detail));
    }
    refuse_encoded(request)?;
    bytes_within(body, bytes_max).await
}

/// Refuses a body that would have to be unpacked first.
///
/// # Errors
/// The problem `unsupported_media_type`.
pub fn refuse_encoded(request: &HttpRequest) -> Result<(), Problem> {
    let encoding = request.headers().get(header::CONTENT_ENCODING);
    match encoding.filter(|encoding| *encoding != "identity") {
        None => Ok(()),
        Some(encoding) => {
            let detail = format!("send the body as it is, not in Content-Encoding {encoding:?}");
            Err(Problem::new(Kind::UnsupportedMediaType, detail))
        }
    }
}

/// Reads a JSON body, or the default where there is none.
///
/// # Errors
/// As [`json`].
pub async fn optional_json<T: DeserializeOwned + JsonSchema + Default>(
    request: &HttpRequest,
    body: web::Payload,
) -> Result<(T, web::Bytes), Problem> {
    let headers = request.headers();
    let has_body = headers.get(header::CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0")
        || headers.contains_key(header::TRANSFER_ENCODING);
    match has_body {
        true => json(request, body).await,
        false => Ok((T::default(), web::Bytes::new())),
    }
}

/// Reports whether a type is JSON's, which is UTF-8 (RFC 8259): another charset is no JSON.
pub fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, charset)) if name.eq_ignore_ascii_case("charset") => {
                charset.trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

/// Says how much of an answer a client wants (RFC 7240).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Return {
    /// Only that it was done.
    Minimal,
    /// All of it.
    Representation,
}

impl Return {
    /// Returns the first preference about the answer's length that the request states.
    pub(super) fn preferred(request: &HttpRequest) -> Option<Self> {
        let lines = request.headers().get_all("prefer").filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).find_map(|preference| {
            let (name, value) = preference.split(';').next()?.split_once('=')?;
            match name.trim().eq_ignore_ascii_case("return").then(|| value.trim().trim_matches('"'))? {
                "minimal" => Some(Self::Minimal),
                "representation" => Some(Self::Representation),
                _ => None,
            }
        })
    }

    /// Returns the header that says it was followed.
    fn applied(self) -> (HeaderName, &'static str) {
        let preference = match self {
            Self::Minimal => "return=minimal",
            Self::Representation => "return=representation",
        };
        (HeaderName::from_static("preference-applied"), preference)
    }
}

/// Returns the header that says which version of a cart is answered.
pub(super) fn etag(version: u64) -> (HeaderName, String) {
    (header::ETAG, format!("\"{version}\""))
}

/// Begins the answer to a command that was done: with the version of the cart after it, and no longer than preferred.
pub(super) fn done(version: u64, preferred: Option<Return>) -> HttpResponseBuilder {
    let status = match preferred {
        Some(Return::Minimal) => StatusCode::NO_CONTENT,
        _ => StatusCode::OK,
    };
    let mut response = HttpResponse::build(status);
    response.insert_header(etag(version));
    if let Some(preferred) = preferred {
        response.insert_header(preferred.applied());
    }
    response
}

/// Reads a body of bounded size.
///
/// # Errors
/// The problem `body_too_large`, or a body that broke off.
pub async fn body_bytes(body: web::Payload) -> Result<web::Bytes, Problem> {
    bytes_within(body, BODY_BYTES_MAX).await
}

/// Reads a body of at most so many bytes.
///
/// # Errors
/// As [`body_bytes`].
pub async fn bytes_within(body: web::Payload, bytes_max: usize) -> Result<web::Bytes, Problem> {
    match body.to_bytes_limited(bytes_max).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(Problem::invalid_request(format!("the body broke off: {error}"))),
        Err(_) => {
            let detail = format!("the body is larger than {bytes_max} bytes");
            Err(Problem::new(Kind::BodyTooLarge, detail))
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

/// Finds whose carts and orders a request may reach.
///
/// # Errors
/// As [`visitor`].
pub fn owner(request: &HttpRequest) -> Result<VisitorId, Problem> {
    Visitor::owner_of_request(request).ok_or_else(Problem::unauthorized)
}

/// Parses the cart id of a path; what cannot be one names no cart.
///
/// # Errors
/// The problem `unknown_cart`.
pub fn cart_id(text: &str) -> Result<CartId, Problem> {
    CartId::parse(text).map_err(|e| Problem::new(Kind::UnknownCart, e.to_string()))
}

/// Reads the version that the client expects: the newest where it names several, as a cart never goes back.
///
/// # Errors
/// The problem `stale_version` where the header is not `*` and names no version of a cart; nothing can match it.
pub fn if_match(request: &HttpRequest) -> Result<Option<u64>, Problem> {
    let Some(value) = request.headers().get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or("").trim();
    if text == "*" {
        return Ok(None);
    }
    let version = |tag: &str| tag.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok();
    text.split(',').filter_map(version).max().map(Some).ok_or_else(|| {
        let detail = format!("If-Match {text:?} is no cart's ETag, such as \"7\", and not *");
        Problem::new(Kind::StaleVersion, detail)
    })
}

/// Reports whether the client wants what the store itself says, not what memory does (`Cache-Control: no-cache`).
pub fn asks_for_newest(request: &HttpRequest) -> bool {
    let asked = request.headers().get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
    asked.is_some_and(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case("no-cache")))
}

/// Returns whom a proxy says that it speaks for.
pub fn forwarded(request: &HttpRequest) -> Option<&str> {
    request.headers().get("x-forwarded-for")?.to_str().ok()
}

/// Returns the household that a request comes from: who can ask from many addresses of it is one.
pub fn household_of(limits: &LimitsConfig, request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr().map(|peer| peer.ip());
    client(peer, forwarded(request), &limits.proxies).map(household)
}

/// Reads the client's key, with a digest of what it stands for.
///
/// # Errors
/// Where the key is empty, too long or not printable.
pub fn idempotency_key(request: &HttpRequest, body: &[u8]) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(value) = request.headers().get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if is_idempotency_key(key) => Ok(Some(keyed(request, key, body))),
        _ => Err(Problem::invalid_request(format!(
            "Idempotency-Key must be 1 to {KEY_BYTES_MAX} printable ASCII characters"
        ))),
    }
}

/// Reports whether a text may be a client's key: 1 to [`KEY_BYTES_MAX`] printable ASCII characters, of which a tab is none.
pub fn is_idempotency_key(text: &str) -> bool {
    (1..=KEY_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Joins a key with a digest of what it stands for: what is asked of an address.
pub fn keyed(request: &HttpRequest, key: &str, body: &[u8]) -> IdempotencyKey {
    let address = request.uri().path_and_query().map_or("/", |address| address.as_str());
    let digest = Sha256::new().chain_update(address).chain_update([0]).chain_update(body).finalize();
    let fingerprint = hex::encode(&digest[..16]);
    IdempotencyKey { key: key.to_owned(), fingerprint }
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
pub async fn no_such_route(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let detail = format!("nothing answers {} {}", request.method(), request.path());
    Err(Problem::new(Kind::NoSuchRoute, detail))
}

/// Answers `OPTIONS` with the methods of the address, and says of any other method that the address has it not.
pub(super) async fn other_method(request: HttpRequest, allow: String) -> HttpResponse {
    let mut response = match *request.method() {
        Method::OPTIONS => HttpResponse::NoContent().finish(),
        ref method => {
            let detail = format!("{} takes {allow}, not {method}", request.path());
            Problem::new(Kind::MethodNotAllowed, detail).error_response()
        }
    };
    let allow = header::HeaderValue::from_str(&allow).expect("methods are ASCII");
    response.headers_mut().insert(header::ALLOW, allow);
    response
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_key_is_what_the_document_says() {
        let read = |key: &str| {
            let request = TestRequest::default().insert_header(("Idempotency-Key", key)).to_http_request();
            idempotency_key(&request, b"").map(|key| key.expect("a key was sent").key)
        };
        for good in ["k", "a b~", &"k".repeat(KEY_BYTES_MAX)] {
            assert_eq!(read(good).as_deref().ok(), Some(good));
        }
        for bad in ["", "a\tb", "\u{e9}", &"k".repeat(KEY_BYTES_MAX + 1)] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
