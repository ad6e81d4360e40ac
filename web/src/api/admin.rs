//! Who of the shop's people asks: name and password, by HTTP Basic authentication.

use actix_web::{HttpRequest, http::header};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    problem::{Kind, Problem},
    shop::Shop,
    users::door::client_address,
};

/// Lets a request pass that carries the name and password of an admin user; returns the name.
///
/// # Errors
/// The problems `not_admin` and `too_many_attempts`.
pub(super) async fn admin(shop: &Shop, request: &HttpRequest) -> Result<String, Problem> {
    let refused = |detail: &str| Problem::new(Kind::NotAdmin, detail);
    let header = request.headers().get(header::AUTHORIZATION).and_then(|h| h.to_str().ok()).unwrap_or("");
    let (scheme, encoded) = header.split_once(' ').unwrap_or_default();
    let decoded = STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let given = decoded.filter(|_| scheme.eq_ignore_ascii_case("basic"));
    let Some((name, password)) = given.as_deref().and_then(|text| text.split_once(':')) else {
        return Err(refused(
            "say who you are: Authorization: Basic, with the name and password of an admin user",
        ));
    };
    let address = client_address(request, &shop.config.limits);
    if !shop.admins.admits(shop, name, password, address).await? {
        return Err(refused("the name or the password is not right"));
    }
    Ok(name.to_owned())
}
