//! The gate of the API: how often somebody may ask, in which types they are answered, and which pages may listen.

use std::borrow::Cow;

use actix_web::{
    Error, HttpResponse, ResponseError,
    dev::{Service, ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{self, HeaderName, HeaderValue},
    },
    web,
};
use futures_util::future::{Either, FutureExt, ready};

use super::request::forwarded;
use crate::{
    channel::connect::is_origin_allowed,
    problem::{Kind, Problem},
    shop::Shop,
    throttle::Left,
    visitor::COOKIE,
};

/// What is left of an allowance; an Internet-Draft of the IETF's HTTPAPI group, as is the next.
pub(super) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// What everybody is allowed.
pub(super) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What pages of other origins may send …
const ALLOWED_HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, content-type, idempotency-key, if-match, if-none-match, prefer");
/// … and read.
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "etag, link, location, preference-applied, ratelimit, ratelimit-policy, retry-after",
);
/// How long a browser remembers what it may send, in seconds: the most that Chromium honours.
const REMEMBERED_SECONDS: HeaderValue = HeaderValue::from_static("7200");

/// Lets a request through, or answers it at the gate.
pub(super) fn pass<S>(
    request: ServiceRequest,
    service: &S,
) -> impl Future<Output = Result<ServiceResponse, Error>> + use<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error>,
{
    let shop = request.app_data::<web::Data<Shop>>().expect("every request has the shop").clone();
    let left = shop.throttle.take(visitor(&request).as_deref(), peer(&request), forwarded(request.request()));
    let origin = request.headers().get(header::ORIGIN).cloned();
    let origin = origin.filter(|_| is_origin_allowed(request.request(), &shop.config.allowed_origins));
    let is_preflight = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let answer = match refusal(&request, left) {
        Some(refusal) => Either::Left(ready(Ok(request.into_response(refusal)))),
        None => Either::Right(service.call(request)),
    };
    answer.map(move |answer| {
        let mut answer = answer?;
        let headers = answer.headers_mut();
        if let Some(left) = left {
            let text = format!("{:?};r={};t={}", left.of, left.requests, left.full_in_seconds);
            headers.insert(RATE_LIMIT, HeaderValue::from_str(&text).expect("names and numbers are ASCII"));
            headers.insert(RATE_LIMIT_POLICY, shop.throttle.policy());
        }
        if let Some(origin) = origin {
            headers.append(header::VARY, HeaderValue::from_static("origin"));
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
            if let Some(methods) = headers.get(header::ALLOW).filter(|_| is_preflight).cloned() {
                headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
                headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
                headers.insert(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED_SECONDS);
            }
        }
        Ok(answer)
    })
}

fn refusal(request: &ServiceRequest, left: Option<Left>) -> Option<HttpResponse> {
    if let Some(Left { of, wait_seconds: Some(seconds), .. }) = left {
        return Some(Problem::too_many_requests(of, seconds).error_response());
    }
    let accept = request.headers().get(header::ACCEPT)?;
    let is_plain = accept == "*/*" || accept == "application/json";
    if is_plain || *request.method() == Method::OPTIONS || accepts_json(accept.to_str().unwrap_or("")) {
        return None;
    }
    let detail = format!("the API answers application/json and application/problem+json, not {accept:?}");
    Some(Problem::new(Kind::NotAcceptable, detail).error_response())
}

/// Reports whether an `Accept` header takes JSON. Who takes nothing at all said nothing.
fn accepts_json(accept: &str) -> bool {
    let weight = |range: &str| {
        let quality = range.split(';').skip(1).find_map(|parameter| parameter.trim().strip_prefix("q="));
        quality.is_none_or(|quality| quality.trim().parse::<f32>().is_ok_and(|q| q > 0.0))
    };
    let kind = |range: &str| range.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let mut ranges = accept.split(',').filter(|range| !range.trim().is_empty()).peekable();
    ranges.peek().is_none()
        || ranges.any(|range| {
            matches!(
                kind(range).as_str(),
                "*/*" | "application/*" | "application/json" | "application/problem+json"
            ) && weight(range)
        })
}

/// Returns what tells the visitor from others, without asking who they are.
fn visitor(request: &ServiceRequest) -> Option<Cow<'_, [u8]>> {
    match request.headers().get(header::AUTHORIZATION) {
        Some(token) => Some(token.as_bytes().into()),
        None => request.cookie(COOKIE).map(|cookie| cookie.value().as_bytes().to_vec().into()),
    }
}

fn peer(request: &ServiceRequest) -> Option<std::net::IpAddr> {
    request.peer_addr().map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_accepted_where_a_range_holds_it() {
        for accept in [
            "*/*",
            "",
            "text/html, */*;q=0.1",
            "application/json",
            "Application/*; q=0.5",
            "application/problem+json",
        ] {
            assert!(accepts_json(accept), "{accept}");
        }
        for accept in ["text/html", "application/json;q=0", "application/xml, text/*", "q=1"] {
            assert!(!accepts_json(accept), "{accept}");
        }
    }
}
