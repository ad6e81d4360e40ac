//! Who of the shop's people asks: name and password, by HTTP Basic authentication.

use actix_web::{HttpRequest, http::header};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    problem::{Kind, Problem},
    shop::Shop,
    users::password::NOBODY,
};

/// Lets a request pass that carries the name and password of an admin user; returns the name.
///
/// # Errors
/// The problem `not_admin`.
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
    if !shop.admins.is_known(name, password) {
        let hash = shop.store.admin_user(name).await?.map(|user| user.password_hash);
        let (known, password) = (hash.is_some(), password.to_owned());
        let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
        let is_right = shop.hasher.is_password(&password, &hash).await.unwrap_or(false);
        if !known || !is_right {
            return Err(refused("the name or the password is not right"));
        }
        shop.admins.remember(name, &password);
    }
    Ok(name.to_owned())
}
