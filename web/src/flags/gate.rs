//! The gate of the doors of flags: how often somebody may ask, and that any page may.

use actix_web::{
    Error, HttpRequest, HttpResponse, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{self, HeaderMap, HeaderValue},
    },
    middleware::Next,
    web,
};

use super::refusal::{Code, Failure, Refusal};
use crate::{api::request::forwarded, shop::Shop};

/// What pages may send: a star stands for all but `Authorization`, and old browsers want the others by name.
const ALLOWED_HEADERS: HeaderValue =
    HeaderValue::from_static("*, authorization, content-type, if-none-match, x-api-key");
/// What pages may read: without it, SDKs neither open streams nor ask conditionally nor wait.
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static("x-sse-support, etag, retry-after");
/// How long a browser remembers what it may send, in seconds: the most that Chromium honours.
const REMEMBERED_SECONDS: HeaderValue = HeaderValue::from_static("7200");

/// Lets a request through, or answers it at the gate. Flags are public and read without cookies, so any page may ask.
pub(super) async fn pass(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let shop = request.app_data::<web::Data<Shop>>().expect("every request has the shop").clone();
    let peer = request.peer_addr().map(|address| address.ip());
    let left = shop.throttle.take(None, peer, forwarded(request.request()));
    let is_preflight = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match left.and_then(|left| Some((left.of, left.wait_seconds?))) {
        Some((of, seconds)) => {
            let refusal = too_many_requests(request.request(), of, seconds);
            request.into_response(refusal)
        }
        None => next.call(request).await?.map_into_boxed_body(),
    };
    open_to_pages(response.headers_mut(), is_preflight);
    Ok(response)
}

fn open_to_pages(headers: &mut HeaderMap, is_preflight: bool) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
    if let Some(methods) = headers.get(header::ALLOW).filter(|_| is_preflight).cloned() {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED_SECONDS);
    }
}

fn too_many_requests(request: &HttpRequest, of: &str, seconds: u64) -> HttpResponse {
    let error = format!("the {of} has asked more often than it may; ask again in {seconds} s");
    refused(request, StatusCode::TOO_MANY_REQUESTS, error, Some(seconds))
}

/// Answers `OPTIONS`, and says of any other method that the address has it not.
pub(super) async fn other_method(request: HttpRequest, allow: String) -> HttpResponse {
    let mut response = match *request.method() {
        Method::OPTIONS => HttpResponse::NoContent().finish(),
        ref method => {
            let error = format!("{} takes {allow}, not {method}", request.path());
            refused(&request, StatusCode::METHOD_NOT_ALLOWED, error, None)
        }
    };
    let allow = HeaderValue::from_str(&allow).expect("methods are ASCII");
    response.headers_mut().insert(header::ALLOW, allow);
    response
}

/// Says no in the words of the protocol that was spoken.
fn refused(
    request: &HttpRequest,
    status: StatusCode,
    error: String,
    retry_after_s: Option<u64>,
) -> HttpResponse {
    match request.path().starts_with("/ofrep/") {
        true => Failure::new(Code::General, error).with_status(status, retry_after_s).error_response(),
        false => Refusal::bad_request(error).with_status(status, retry_after_s).error_response(),
    }
}

/// Reports whether a client knows the content of an ETag already, by `If-None-Match` (RFC 9110, section 13.1.2): weak or
/// strong, one of several, or `*`.
pub(super) fn is_known(request: &HttpRequest, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let etag = opaque(etag);
    let lines = request.headers().get_all(header::IF_NONE_MATCH).filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|tag| tag.trim() == "*" || opaque(tag) == etag)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn an_etag_is_known_however_it_came_back() {
        let knows = |tags: &str| {
            let request = TestRequest::default().insert_header((header::IF_NONE_MATCH, tags));
            is_known(&request.to_http_request(), "W/\"ab\"")
        };
        assert!(["W/\"ab\"", "\"ab\"", "\"x\", W/\"ab\"", "*"].into_iter().all(knows));
        assert!(!["\"a\"", "ab", "", "W/\"abc\""].into_iter().any(knows));
        assert!(!is_known(&TestRequest::default().to_http_request(), "W/\"ab\""));
    }
}
