//! The doormat of every door: a request that shows a session's token is let in as its user.

use std::net::IpAddr;

use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};

use super::principals::Login;
use crate::{
    api::request::forwarded,
    config::LimitsConfig,
    problem::Problem,
    shop::Shop,
    throttle::network::{client, household},
    visitor::{Token, Visitor},
};

/// Notes who a session's token speaks for, so that whoever asks for the request's visitor finds the user. A session that
/// has ended is nobody; shown as a bearer token, it is refused at once, as a program cannot see that it is logged out.
///
/// # Errors
/// The problem `session_ended`, or that the store does not answer.
pub async fn recognise<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if let Some(token) = Token::of_request(request.request()).filter(Token::is_sessions) {
        let shop = request.app_data::<Data<Shop>>().expect("every server has a shop").clone();
        match shop.visitor_of_session(&token).await.map_err(Problem::from)? {
            Some(visitor) => {
                request.extensions_mut().insert(visitor);
            }
            None if token.is_bearer() => {
                return Err(Problem::session_ended().into());
            }
            None => {}
        }
    }
    next.call(request).await
}

/// Returns the log-in of a request.
///
/// # Errors
/// The problem `not_logged_in`.
pub fn login(request: &HttpRequest) -> Result<std::sync::Arc<Login>, Problem> {
    Visitor::of_request(request).and_then(|v| v.login().cloned()).ok_or_else(Problem::not_logged_in)
}

/// Returns the household that a request came from, as far as it can be known: an address, or what a provider of IPv6 gives
/// one customer. A proxy is believed where the configuration says so; what a machine says to itself is nobody's address.
pub fn client_address(request: &HttpRequest, limits: &LimitsConfig) -> Option<IpAddr> {
    let peer = request.peer_addr().map(|address| address.ip());
    let address = client(peer, forwarded(request), &limits.proxies);
    address.filter(|address| limits.loopback || !address.is_loopback()).map(household)
}
