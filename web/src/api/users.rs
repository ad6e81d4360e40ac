//! Users and the devices that they are logged in on.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode, header},
    web,
};
use cart_core::{CartId, limits::FIELD_BYTES_MAX};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json as example;

use super::{
    headers::{CLEAR_SITE_DATA, LOCATION},
    operation::Operation,
    request::json,
};
use crate::{
    clock,
    problem::{Kind, Problem},
    shop::Shop,
    store::UserSession,
    users::{
        Entered, Entry,
        carts::LeftView,
        device,
        door::{client_address, login},
        entry::{self, NAME_BYTES_MAX},
        password::PASSWORD_BYTES_MAX,
    },
    visitor::Visitor,
};

/// What the next visitor of a browser is to find nothing of: carts, commands and pages that it kept for a user.
pub const FORGET: (&str, &str) = ("clear-site-data", "\"storage\"");

/// Describes the operations on users and their sessions.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/users", sign_up)
            .named("signUp", "Makes an account and logs in")
            .http_only()
            .about("The guest's cart becomes the user's. Sent twice, it logs in once more.")
            .for_any_visitor()
            .body::<SignUpForm>()
            .example("Ada", example!({"email": "ada@example.org", "password": "seven geese over Bath"}))
            .answers::<EnteredView<'_>>(201, "The user, the session and its token.")
            .with(LOCATION)
            .problems(&[Kind::InvalidDetails, Kind::AccountExists, Kind::TooManyAttempts]),
        Operation::get("/users/me", me)
            .named("readUser", "Says who the device is logged in as")
            .for_users()
            .answers::<UserView<'_>>(200, "The user."),
        Operation::new(Method::PUT, "/users/me/password", password)
            .named("changePassword", "Changes the password, which logs every other device out")
            .http_only()
            .for_users()
            .body::<PasswordForm>()
            .answers_nothing(204, "It was changed.")
            .problems(&[Kind::InvalidDetails, Kind::WrongCredentials, Kind::TooManyAttempts]),
        Operation::post("/sessions", log_in)
            .named("logIn", "Logs in")
            .http_only()
            .about(
                "The device is the user's from now on, by the token that is answered. What the guest had in a cart comes \
                along as the shop's policy says; what could not is listed under `left`.",
            )
            .for_any_visitor()
            .body::<LogInForm>()
            .example("Ada", example!({"email": "ada@example.org", "password": "seven geese over Bath"}))
            .answers::<EnteredView<'_>>(201, "The user, the session and its token.")
            .with(LOCATION)
            .problems(&[Kind::WrongCredentials, Kind::TooManyAttempts]),
        Operation::get("/sessions", sessions)
            .named("listSessions", "Lists the devices that are logged in, the one used last first")
            .for_users()
            .answers::<SessionsView<'_>>(200, "The devices."),
        Operation::new(Method::DELETE, "/sessions/{id}", log_out)
            .named("logOut", "Logs a device out, at once and with its live channels")
            .http_only()
            .for_users()
            .path::<String>("id", "The session, or `current` for the one that asks.")
            .answers_nothing(204, "It is out.")
            .may_carry(CLEAR_SITE_DATA)
            .problems(&[Kind::UnknownSession]),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "SignUp")]
#[serde(deny_unknown_fields)]
pub(super) struct SignUpForm {
    /// The address to log in with.
    #[schemars(length(min = 1, max = FIELD_BYTES_MAX))]
    email: String,
    /// A password, long rather than odd: a few words with spaces do.
    #[schemars(length(min = 1, max = PASSWORD_BYTES_MAX))]
    password: String,
    /// What to call the user.
    #[serde(default)]
    #[schemars(length(max = NAME_BYTES_MAX))]
    name: String,
    /// What the device is called in the list of devices; its `User-Agent` says so otherwise.
    device: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "LogIn")]
#[serde(deny_unknown_fields)]
pub(super) struct LogInForm {
    /// The address that the account was made with.
    email: String,
    /// The password.
    password: String,
    /// What the device is called in the list of devices; its `User-Agent` says so otherwise.
    device: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewPassword")]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordForm {
    /// The password until now.
    password: String,
    /// The password from now on.
    #[schemars(length(min = 1, max = PASSWORD_BYTES_MAX))]
    new_password: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "User")]
struct UserView<'a> {
    email: &'a str,
    name: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Session")]
struct SessionView<'a> {
    id: &'a str,
    /// What the device is called.
    device: &'a str,
    /// When it logged in, in Unix milliseconds.
    since_ms: i64,
    /// When it was used last, to the minute or so.
    seen_at_ms: i64,
    /// When it ends, unless it is used before.
    ends_at_ms: i64,
    /// Whether it is the one that asks.
    current: bool,
}

impl<'a> SessionView<'a> {
    fn of(session: &'a UserSession, current: &str) -> Self {
        Self {
            id: &session.id,
            device: &session.device,
            since_ms: session.since_ms,
            seen_at_ms: session.seen_at_ms,
            ends_at_ms: session.ends_at_ms,
            current: session.id == current,
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Sessions")]
struct SessionsView<'a> {
    sessions: Vec<SessionView<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Entered")]
struct EnteredView<'a> {
    user: UserView<'a>,
    session: SessionView<'a>,
    /// What the device shows from now on; what it showed before is a guest's.
    visitor_token: &'a str,
    /// The user's cart, the guest's in it as the shop's policy says.
    #[schemars(with = "Option<CartId>")]
    cart: Option<&'a str>,
    /// What of the guest's cart did not come along.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left: Vec<LeftView<'a>>,
}

/// Reads who is at the door, and from where.
pub fn entry_of(
    shop: &Shop,
    request: &HttpRequest,
    email: String,
    password: String,
    device: Option<&str>,
) -> Entry {
    let agent = request.headers().get(header::USER_AGENT).and_then(|h| h.to_str().ok()).unwrap_or_default();
    let device = device.and_then(device::label).unwrap_or_else(|| device::name(agent));
    Entry {
        email,
        password,
        device,
        address: client_address(request, &shop.config.limits),
        before: Visitor::of_request(request),
    }
}

/// `POST /api/v1/users`: makes an account and logs in.
pub(super) async fn sign_up(
    shop: web::Data<Shop>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let SignUpForm { email, password, name, device } = json(&request, body).await?.0;
    let entry = entry_of(&shop, &request, email, password, device.as_deref());
    entered(&request, &entry::sign_up(&shop, &entry, &name).await?)
}

/// `POST /api/v1/sessions`: logs in.
pub(super) async fn log_in(
    shop: web::Data<Shop>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let LogInForm { email, password, device } = json(&request, body).await?.0;
    let entry = entry_of(&shop, &request, email, password, device.as_deref());
    entered(&request, &entry::log_in(&shop, &entry).await?)
}

fn entered(request: &HttpRequest, entered: &Entered) -> Result<HttpResponse, Problem> {
    let Entered { user, session, visitor, carts } = entered;
    let mut response = HttpResponse::Created();
    for cookie in visitor.cookies(request) {
        response.cookie(cookie);
    }
    Ok(response
        .insert_header((header::LOCATION, format!("/api/v1/sessions/{}", session.id)))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(EnteredView {
            user: UserView { email: &user.email, name: &user.name },
            session: SessionView::of(session, &session.id),
            visitor_token: visitor.new_token().unwrap_or_default(),
            cart: carts.cart.as_ref().map(|id| id.as_str()),
            left: carts.left.iter().map(LeftView::from).collect(),
        }))
}

/// `GET /api/v1/users/me`: who the device is logged in as.
pub(super) async fn me(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let login = login(&request)?;
    Ok(private(StatusCode::OK).json(UserView { email: &login.email, name: &login.name }))
}

/// `PUT /api/v1/users/me/password`: changes the password, which logs every other device out.
pub(super) async fn password(
    shop: web::Data<Shop>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let login = login(&request)?;
    let PasswordForm { password, new_password } = json(&request, body).await?.0;
    let address = client_address(&request, &shop.config.limits);
    entry::change_password(&shop, &login, address, &password, &new_password).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `GET /api/v1/sessions`: the devices that are logged in, the one used last first.
pub(super) async fn sessions(shop: web::Data<Shop>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let login = login(&request)?;
    let sessions = shop.store.sessions_of(&login.user, clock::now_ms()).await?;
    let sessions = sessions.iter().map(|session| SessionView::of(session, &login.session)).collect();
    Ok(private(StatusCode::OK).json(SessionsView { sessions }))
}

/// `DELETE /api/v1/sessions/{id}`: logs a device out; `current` is the one that asks.
pub(super) async fn log_out(
    shop: web::Data<Shop>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let login = login(&request)?;
    let is_own = *id == "current" || *id == login.session;
    let id = if is_own { &login.session } else { &*id };
    if !entry::log_out(&shop, &login.user, id).await? {
        return Err(Problem::new(Kind::UnknownSession, "you have no such session; GET /api/v1/sessions"));
    }
    let mut response = HttpResponse::NoContent();
    if is_own {
        response.insert_header(FORGET);
    }
    Ok(response.finish())
}

fn private(status: StatusCode) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CACHE_CONTROL, "private, no-store"));
    response
}
