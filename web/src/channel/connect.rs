//! The upgrade: who may open a socket, and as whom.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use serde::Deserialize;

use super::{inside::Asker, session};
use crate::{
    circumstances::Circumstances,
    problem::{Kind, Problem},
    shop::Shop,
    visitor::Visitor,
};

/// What the official client puts before a token in `Sec-WebSocket-Protocol`.
const BEARER: &str = "base64url.bearer.phx.";

#[derive(Deserialize)]
struct Params {
    vsn: Option<String>,
    #[serde(rename = "userToken")]
    user_token: Option<String>,
}

/// `GET /socket/websocket?vsn=2.0.0&userToken=…`.
pub(super) async fn websocket(
    shop: web::Data<Shop>,
    request: HttpRequest,
    stream: web::Payload,
) -> Result<HttpResponse, actix_web::Error> {
    let refused = |why: &str| Problem::new(Kind::Refused, why);
    let params = web::Query::<Params>::from_query(request.query_string())
        .map_err(|e| Problem::invalid_request(e.to_string()))?;
    if !params.vsn.as_deref().is_some_and(is_version_2) {
        return Err(refused("the socket speaks vsn=2.0.0").into());
    }
    if !is_origin_allowed(&request, &shop.config.allowed_origins) {
        return Err(refused("this origin may not open a socket; see allowed_origins").into());
    }
    let token = protocol_token(&request).or(params.user_token.clone());
    let asker = Asker::of(&request, token.as_deref());
    let visitor = match token {
        Some(token) => shop.visitor_of(&token).await.map_err(Problem::from)?,
        None => Visitor::of_request(&request),
    };
    let mut visitor = visitor.ok_or_else(|| refused("say who you are: params {userToken: …}"))?;
    visitor.circumstances = Circumstances::of(&request);
    session::start(shop, visitor, asker, &request, stream)
}

/// Phoenix answers 400, not 405, and its clients' tests expect it.
pub(super) async fn not_a_get() -> Result<HttpResponse, Problem> {
    Err(Problem::invalid_request("open the socket with GET"))
}

/// Any 2.x.y is served; serializer 1 is another language.
fn is_version_2(vsn: &str) -> bool {
    let mut parts = vsn.split('.');
    parts.next() == Some("2") && parts.all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

/// A browser names the page's origin; other clients name none. Shared with the forms of the storefront.
pub fn is_origin_allowed(request: &HttpRequest, allowed: &[String]) -> bool {
    let Some(origin) = request.headers().get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    let own = request.headers().get(header::HOST).and_then(|h| h.to_str().ok());
    own == Some(host) || allowed.iter().any(|a| a == host)
}

fn protocol_token(request: &HttpRequest) -> Option<String> {
    let protocols = request.headers().get(header::SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    let encoded = protocols.split(',').find_map(|p| p.trim().strip_prefix(BEARER))?;
    String::from_utf8(STANDARD_NO_PAD.decode(encoded).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_other_than_2_are_refused() {
        for (vsn, is_served) in
            [("2.0.0", true), ("2.1", true), ("1.0.0", false), ("3.0.0", false), ("2.", false), ("", false)]
        {
            assert_eq!(is_version_2(vsn), is_served, "{vsn:?}");
        }
    }
}
