//! Logging in and out, and who is signed in on every other page.

use actix_web::{
    Error, FromRequest, HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    dev,
    error::InternalError,
    http::{Method, StatusCode},
    web::{Data, Payload, Query},
};
use dashboards::{Login, Pages, Session};
use futures_util::future::LocalBoxFuture;
use serde::Deserialize;

use super::{
    accounts::{closing_cookie, open_session, secret, session_of},
    html_with, see_other,
};
use crate::{
    circumstances::STAFF_COOKIE,
    clock,
    problem::{Kind, Problem},
    shop::Shop,
    store::AdminSession,
    storefront::{cart::sentence, form::Form},
    users::{EntryError, door::client_address},
};

/// How long a browser is known to be one of the staff.
const STAFF_DAYS: i64 = 365;
/// Carries the token of the log-in form, before there is a session to keep it in.
const FORM_COOKIE: &str = "cartwright_admin_form";

#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

/// `GET /admin/login`.
pub(super) async fn page(pages: Data<Pages>, next: Query<Next>) -> Result<HttpResponse, Problem> {
    form(&pages, StatusCode::OK, Login { next: path_of_ours(&next.next), ..Login::default() })
}

/// Shows the form, with a token that a page of another site can neither read nor set.
fn form(pages: &Pages, status: StatusCode, mut login: Login) -> Result<HttpResponse, Problem> {
    login.csrf = secret();
    let cookie = Cookie::build(FORM_COOKIE, login.csrf.clone())
        .path("/admin/login")
        .http_only(true)
        .same_site(SameSite::Strict)
        .finish();
    let mut response = html_with(status, pages.login(&login))?;
    response.add_cookie(&cookie).map_err(|e| Problem::invalid_request(e.to_string()))?;
    Ok(response)
}

/// `POST /admin/login`.
pub(super) async fn enter(
    shop: Data<Shop>,
    pages: Data<Pages>,
    request: HttpRequest,
    body: Payload,
) -> Result<HttpResponse, Problem> {
    let fields = Form::read(&request, body, &shop.config.allowed_origins).await?;
    let (name, password) = (fields.text("user").to_owned(), fields.text("password").to_owned());
    let next = path_of_ours(fields.text("next"));
    let again = |error: &str| Login {
        error: Some(error.into()),
        user: name.clone(),
        next: next.clone(),
        ..Login::default()
    };
    if request.cookie(FORM_COOKIE).is_none_or(|c| c.value() != fields.text("csrf")) {
        return form(&pages, StatusCode::UNAUTHORIZED, again("The form was open for too long. Try again."));
    }
    let address = client_address(&request, &shop.config.limits);
    match shop.admins.admits(&shop, &name, &password, address).await {
        Ok(true) => {}
        Ok(false) => {
            return form(&pages, StatusCode::UNAUTHORIZED, again("The name or the password is not right."));
        }
        Err(error @ EntryError::TooMany { .. }) => {
            return form(&pages, StatusCode::TOO_MANY_REQUESTS, again(&sentence(&error.to_string())));
        }
        Err(error) => return Err(error.into()),
    }
    let (session, cookie) = open_session(&request, &name);
    shop.store.put_admin_session(&session, clock::now_ms()).await?;
    let mut response = see_other(if next.is_empty() { "/admin" } else { &next });
    response.add_cookie(&cookie).map_err(|e| Problem::invalid_request(e.to_string()))?;
    response.add_cookie(&staff_cookie()).map_err(|e| Problem::invalid_request(e.to_string()))?;
    Ok(response)
}

/// Makes a browser known as one of somebody who works here, so that experiments leave it out; it outlives the session.
fn staff_cookie() -> Cookie<'static> {
    let cookie = Cookie::build(STAFF_COOKIE, "1").path("/").http_only(true).same_site(SameSite::Lax);
    cookie.max_age(Duration::days(STAFF_DAYS)).finish()
}

/// `POST /admin/logout`.
pub(super) async fn leave(
    shop: Data<Shop>,
    request: HttpRequest,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    shop.store.delete_admin_session(&sent.token_hash).await?;
    let mut response = see_other("/admin/login");
    response.add_cookie(&closing_cookie(&request)).map_err(|e| Problem::invalid_request(e.to_string()))?;
    Ok(response)
}

/// Only a path of the dashboards is somewhere to go after logging in.
fn path_of_ours(next: &str) -> String {
    let is_ours = next == "/admin" || next.starts_with("/admin/");
    if is_ours && !next.contains(['\\', '\n', '\r']) { next.to_owned() } else { String::new() }
}

/// Is whoever is signed in; who is not is led to the log-in.
pub(super) struct SignedIn(pub Session);

impl FromRequest for SignedIn {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let AdminSession { user, csrf, .. } = session(&request).await?;
            Ok(Self(Session { user, csrf }))
        })
    }
}

/// Is a form that was sent by whoever is signed in, and that brought the token of their session back.
pub(super) struct Sent {
    pub session: Session,
    token_hash: String,
    pub form: Form,
}

impl FromRequest for Sent {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let (request, body) = (request.clone(), Payload::from_request(request, payload));
        Box::pin(async move {
            let AdminSession { user, csrf, token_hash, .. } = session(&request).await?;
            let form = Form::read(&request, body.await?, &shop_of(&request).config.allowed_origins).await?;
            if form.text("csrf") != csrf {
                let detail = "the form does not belong to this session; open the page again";
                return Err(Problem::new(Kind::FormExpired, detail).into());
            }
            Ok(Self { session: Session { user, csrf }, token_hash, form })
        })
    }
}

fn shop_of(request: &HttpRequest) -> &Shop {
    request.app_data::<Data<Shop>>().expect("every page is one of a shop")
}

async fn session(request: &HttpRequest) -> Result<AdminSession, Error> {
    let found = session_of(&*shop_of(request).store, request).await.map_err(Problem::from)?;
    found.ok_or_else(|| {
        let next = if request.method() == Method::GET { request.path() } else { "/admin" };
        let to_login = see_other(&format!("/admin/login?next={next}"));
        InternalError::from_response("nobody is signed in", to_login).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_nowhere_else_after_logging_in() {
        assert_eq!(path_of_ours("/admin/experiments/e"), "/admin/experiments/e");
        for bad in ["https://evil.example", "//evil.example", "/adminx", "/admin/\\evil", "javascript:1", ""]
        {
            assert_eq!(path_of_ours(bad), "", "{bad}");
        }
    }
}
