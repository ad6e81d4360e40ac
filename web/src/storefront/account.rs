//! The pages of a user: logging in, signing up, the account and its devices.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    web::{Data, Path, Payload, Query},
};
use cart_core::{FieldError, LeftLine, OrderId, VisitorId, gift_card};
use serde::{Deserialize, Serialize};

use super::{
    Front, Page,
    cart::sentence,
    guest::Guest,
    html,
    pages::{AccountPage, CreditView, Entrance, Notice, OrderRow, Purpose},
    see_other,
};
use crate::{
    api::{
        orders::page_of,
        users::{FORGET, entry_of},
    },
    clock,
    problem::Problem,
    shop::Shop,
    store::OrderQuery,
    users::{Entered, EntryError, door::client_address, entry},
    visitor::Visitor,
};

/// Orders on the page of an account.
const ORDERS_LEN: usize = 5;
/// Movements of credit on that page.
const MOVEMENTS_LEN: usize = 20;
/// Lines that a message names: it travels in a cookie.
const NAMED_MAX: usize = 3;

/// Is where to go after logging in.
#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
    /// The order whose address is to be the account's.
    order: Option<String>,
}

/// Only a path of the shop is somewhere to go after logging in.
fn path_of_ours(next: &str) -> &str {
    let is_ours = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\');
    if is_ours && !next.chars().any(char::is_control) { next } else { "/account" }
}

/// `GET /login`.
pub(super) async fn login(front: Data<Front>, request: HttpRequest, next: Query<Next>) -> HttpResponse {
    front.serve(door(&front, &request, Purpose::LogIn, &next)).await
}

/// `GET /register`.
pub(super) async fn register(front: Data<Front>, request: HttpRequest, next: Query<Next>) -> HttpResponse {
    front.serve(door(&front, &request, Purpose::SignUp, &next)).await
}

async fn door(front: &Front, request: &HttpRequest, purpose: Purpose, to: &Next) -> Page {
    let guest = Guest::meet(&front.shop, request).await?;
    let next = path_of_ours(&to.next);
    if guest.visitor.login().is_some() {
        return Ok(see_other(&guest, next, None));
    }
    let email = typed_in(front, &guest, to.order.as_deref()).await?;
    let page = entrance(front, purpose, next).filled(&email, "");
    show(front, request, &guest, StatusCode::OK, &page)
}

/// Returns the e-mail address of an order, to whoever placed it.
async fn typed_in(front: &Front, guest: &Guest, order: Option<&str>) -> Result<String, Problem> {
    let Some(id) = order.and_then(|id| OrderId::parse(id).ok()) else { return Ok(String::new()) };
    let order = front.shop.store.order(&id).await?.filter(|order| order.owner == guest.visitor.id);
    Ok(order.map(|order| order.email).unwrap_or_default())
}

fn entrance(front: &Front, purpose: Purpose, next: &str) -> Entrance {
    Entrance::new(purpose, front.shop.config.users.password_chars_min, next)
}

fn show(front: &Front, request: &HttpRequest, guest: &Guest, status: StatusCode, page: &Entrance) -> Page {
    let mut shell = front.shell_of(guest, request);
    shell.index = false;
    html(guest, request, status, front.pages.entrance(&shell, page))
}

/// `POST /login`.
pub(super) async fn log_in(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front.serve(enter(&front, &request, body, Purpose::LogIn)).await
}

/// `POST /register`.
pub(super) async fn sign_up(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front.serve(enter(&front, &request, body, Purpose::SignUp)).await
}

async fn enter(front: &Front, request: &HttpRequest, body: Payload, purpose: Purpose) -> Page {
    let shop = &front.shop;
    let (form, mut guest) = front.sent(request, body).await?;
    let (email, name) = (form.text("email"), form.text("name"));
    let who = entry_of(shop, request, email.to_owned(), form.text("password").to_owned(), None);
    let entered = match purpose {
        Purpose::LogIn => entry::log_in(shop, &who).await,
        Purpose::SignUp => entry::sign_up(shop, &who, name).await,
    };
    let next = path_of_ours(form.text("next"));
    match entered {
        Ok(Entered { visitor, carts, user, .. }) => {
            guest.become_visitor(visitor, request);
            let notice = match left_in_words(&carts.left) {
                Some(words) => Notice::Refused(words),
                None if user.name.is_empty() => Notice::Done("You are logged in.".into()),
                None => Notice::Done(format!("You are logged in, {}.", user.name)),
            };
            Ok(see_other(&guest, next, Some(notice)))
        }
        Err(EntryError::Carts(error)) => Err(error.into()),
        Err(error) => {
            let mut page = entrance(front, purpose, next).filled(email, name);
            let words = sentence(&error.to_string());
            match &error {
                EntryError::Invalid(fields) => page.refuse_fields(fields),
                _ => page.problem = Some(words),
            }
            show(front, request, &guest, Problem::from(error).status(), &page)
        }
    }
}

/// Says what did not come along into the user's cart.
fn left_in_words(left: &[LeftLine]) -> Option<String> {
    let mut words: Vec<String> =
        left.iter().take(NAMED_MAX).map(|l| format!("{} × {} ({})", l.quantity, l.name, l.because)).collect();
    if left.len() > NAMED_MAX {
        words.push(format!("and {} more", left.len() - NAMED_MAX));
    }
    let all = words.join("; ");
    (!left.is_empty())
        .then(|| format!("Not everything fitted into your cart; it waits there for later: {all}."))
}

/// `POST /logout`.
pub(super) async fn log_out(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front.serve(leave(&front, &request, body)).await
}

async fn leave(front: &Front, request: &HttpRequest, body: Payload) -> Page {
    let shop = &front.shop;
    let (_, mut guest) = front.sent(request, body).await?;
    let Some(login) = guest.visitor.login().cloned() else { return Ok(see_other(&guest, "/", None)) };
    entry::log_out(shop, &login.user, &login.session).await?;
    // Whoever uses this browser next is somebody else.
    guest.become_visitor(Visitor::fresh_at(request), request);
    let mut response = see_other(&guest, "/", Some(Notice::Done("You are logged out.".into())));
    let (name, value) = FORGET;
    response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    Ok(response)
}

/// `GET /account`.
pub(super) async fn account(front: Data<Front>, request: HttpRequest) -> HttpResponse {
    front.serve(account_page(&front, &request, StatusCode::OK, &[], None)).await
}

fn to_the_door(guest: &Guest) -> HttpResponse {
    see_other(guest, "/login?next=/account", None)
}

async fn account_page(
    front: &Front,
    request: &HttpRequest,
    status: StatusCode,
    errors: &[FieldError],
    problem: Option<String>,
) -> Page {
    let shop = &front.shop;
    let guest = Guest::meet(shop, request).await?;
    let Some(login) = guest.visitor.login() else { return Ok(to_the_door(&guest)) };
    let sessions = shop.store.sessions_of(&login.user, clock::now_ms()).await?;
    let query = OrderQuery { owner: Some(login.user.clone()), ..OrderQuery::default() };
    let orders = page_of(shop, query, ORDERS_LEN).await?;
    let orders = orders.entries.iter().map(OrderRow::from).collect();
    let mut page = AccountPage::new(login, &sessions, orders, shop.config.users.password_chars_min);
    page.credit = credit(shop, &login.user).await?;
    page.refuse(errors, problem);
    let mut shell = front.shell_of(&guest, request);
    shell.index = false;
    html(&guest, request, status, front.pages.account(&shell, &page))
}

/// Reads the credit that a user has in the shop's own currency, with what moved it lately.
async fn credit(shop: &Shop, user: &VisitorId) -> Result<Option<CreditView>, Problem> {
    let account = gift_card::credit(shop.currency(), user);
    let entries = shop.store.entries(&account, MOVEMENTS_LEN).await?;
    let balances = shop.store.balances(&[account.clone()].into()).await?;
    Ok(CreditView::of(balances.get(&account).unwrap_or(0), shop.currency(), &entries))
}

/// `POST /account/sessions/{id}`: logs a device out.
pub(super) async fn end(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
    body: Payload,
) -> HttpResponse {
    front.serve(end_session(&front, &request, &id, body)).await
}

async fn end_session(front: &Front, request: &HttpRequest, id: &str, body: Payload) -> Page {
    let shop = &front.shop;
    let (_, guest) = front.sent(request, body).await?;
    let Some(login) = guest.visitor.login() else { return Ok(to_the_door(&guest)) };
    let was_there = entry::log_out(shop, &login.user, id).await?;
    let notice = if was_there { "The device is logged out." } else { "That device was logged out before." };
    Ok(see_other(&guest, "/account", Some(Notice::Done(notice.into()))))
}

/// `POST /account/password`: changes the password.
pub(super) async fn password(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front.serve(change_password(&front, &request, body)).await
}

async fn change_password(front: &Front, request: &HttpRequest, body: Payload) -> Page {
    let shop = &front.shop;
    let (form, guest) = front.sent(request, body).await?;
    let Some(login) = guest.visitor.login() else { return Ok(to_the_door(&guest)) };
    let address = client_address(request, &shop.config.limits);
    let (current, new) = (form.text("password"), form.text("new_password"));
    let (status, errors, problem) = match entry::change_password(shop, login, address, current, new).await {
        Ok(()) => {
            let words = "The password is changed, and every other device is logged out.";
            return Ok(see_other(&guest, "/account", Some(Notice::Done(words.into()))));
        }
        Err(EntryError::Carts(error)) => return Err(error.into()),
        Err(EntryError::Wrong) => {
            let wrong = FieldError { field: "password".into(), message: "is not right".into() };
            (StatusCode::UNPROCESSABLE_ENTITY, vec![wrong], None)
        }
        Err(EntryError::Invalid(fields)) => (StatusCode::UNPROCESSABLE_ENTITY, fields, None),
        Err(error) => {
            let words = sentence(&error.to_string());
            (Problem::from(error).status(), vec![], Some(words))
        }
    };
    account_page(front, request, status, &errors, problem).await
}

/// Is where a browser's cart is by now.
#[derive(Serialize)]
struct WhereView<'a> {
    visitor: &'a str,
    /// What to call the user, where somebody is logged in.
    account: Option<&'a str>,
    cart: Option<&'a str>,
}

/// `GET /cart/where`: asked by a page whose cart went into another or changed hands, to go on with the right one.
pub(super) async fn where_now(front: Data<Front>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let guest = Guest::meet(&front.shop, &request).await?;
    let cart = guest.cart.as_ref().map(|cart| cart.id.as_str());
    let mut response = HttpResponse::Ok();
    guest.remember(&mut response);
    Ok(response.insert_header((header::CACHE_CONTROL, "private, no-store")).json(WhereView {
        visitor: guest.visitor.id.as_str(),
        account: guest.visitor.login().map(|login| login.called()),
        cart,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_nowhere_else_after_logging_in() {
        assert_eq!(path_of_ours("/checkout"), "/checkout");
        for bad in ["", "https://evil.example", "//evil.example", "/\\evil.example", "javascript:1", "/a\nb"]
        {
            assert_eq!(path_of_ours(bad), "/account", "{bad:?}");
        }
    }
}
