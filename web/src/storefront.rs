//! The storefront: server-rendered pages and the forms that they send. Everything works without scripts.

pub mod account;
mod back_in_stock;
pub mod browse;
pub mod cart;
pub mod checkout;
mod codes;
mod filled;
pub mod form;
pub mod guest;
mod history;
mod lists;
mod measured;
mod note;
pub mod orders;
pub mod pages;
pub mod payment;
mod prices;
mod shared;
mod shelf_events;

use std::future::Future;

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError,
    cookie::{Cookie, SameSite, time::Duration},
    http::{Method, StatusCode, header},
    web::{Data, Payload, ServiceConfig, get, post, resource},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use cart_core::{PricePolicy, VisitorId};

use self::{
    form::Form,
    guest::Guest,
    pages::{FaultPage, Keeps, Notice, PageError, Pages, Price, Shell},
};
use crate::{
    config::SessionMode,
    problem::{Kind, Problem},
    shop::Shop,
};

/// Pages load nothing from elsewhere and run no inline script.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// Carries a message to the page that a form leads to.
const NOTICE_COOKIE: &str = "cartwright_notice";

/// Routes the storefront.
pub fn routes(front: Data<Front>) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        config
            .app_data(front)
            .route("/", get().to(browse::home))
            .route("/products", get().to(browse::listing))
            .route("/products/{sku}", get().to(browse::product))
            .route("/products/{sku}/picture", get().to(browse::picture))
            .route("/static/{path:.*}", get().to(browse::asset))
            .route("/sw.js", get().to(browse::worker))
            .route("/offline", get().to(browse::offline))
            .route("/measured", post().to(measured::measured))
            .route("/shelf-events", post().to(shelf_events::told))
            .route("/back-in-stock", post().to(back_in_stock::ask))
            .service(
                resource("/back-in-stock/{token}")
                    .route(get().to(back_in_stock::waiting))
                    .route(post().to(back_in_stock::end)),
            )
            .route("/cart", get().to(cart::page))
            .route("/cart/lines", post().to(cart::add))
            .route("/cart/sets", post().to(cart::add_all))
            .route("/cart/codes", post().to(codes::in_cart))
            .route("/cart/gifts", post().to(cart::gift))
            .route("/cart/note", post().to(note::write))
            .route("/cart/prices", post().to(prices::in_cart))
            .route("/cart/lines/{line}", post().to(cart::set))
            .route("/cart/shares", post().to(shared::share))
            .route("/cart/shares/{id}", post().to(shared::stop))
            .service(
                resource("/cart/shared/{token}")
                    .route(get().to(shared::page))
                    .route(post().to(shared::change)),
            )
            .route("/checkout", get().to(checkout::page))
            .route("/checkout/start", post().to(checkout::start))
            .service(
                resource("/checkout/codes")
                    .route(get().to(checkout::page))
                    .route(post().to(codes::in_the_checkout)),
            )
            .service(
                resource("/checkout/prices")
                    .route(get().to(checkout::page))
                    .route(post().to(prices::in_the_checkout)),
            )
            .route("/checkout/order", post().to(checkout::order))
            .route("/checkout/express", post().to(checkout::express))
            .route("/checkout/return", get().to(payment::come_back))
            .route("/checkout/cancel", post().to(payment::cancel))
            .service(
                resource("/sandbox/payments/{id}")
                    .route(get().to(payment::challenge))
                    .route(post().to(payment::decide)),
            )
            .service(
                resource("/checkout/{step}")
                    .route(get().to(checkout::step))
                    .route(post().to(checkout::complete)),
            )
            .service(resource("/lists").route(get().to(lists::all)).route(post().to(lists::open)))
            .route("/lists/items", post().to(lists::put))
            .service(
                resource("/lists/shared/{token}")
                    .route(get().to(lists::shared))
                    .route(post().to(lists::buy_shared)),
            )
            .service(resource("/lists/{id}").route(get().to(lists::one)).route(post().to(lists::change)))
            .service(resource("/login").route(get().to(account::login)).route(post().to(account::log_in)))
            .service(
                resource("/register").route(get().to(account::register)).route(post().to(account::sign_up)),
            )
            .service(resource("/history").route(get().to(history::page)).route(post().to(history::change)))
            .route("/logout", post().to(account::log_out))
            .route("/account", get().to(account::account))
            .route("/account/sessions/{id}", post().to(account::end))
            .route("/account/password", post().to(account::password))
            .route("/cart/where", get().to(account::where_now))
            .route("/orders", get().to(orders::list))
            .service(
                resource("/orders/lookup").route(get().to(orders::look_up)).route(post().to(orders::find)),
            )
            .route("/orders/{id}/cancel", post().to(orders::cancel))
            .route("/orders/{id}/again", post().to(orders::again))
            .route("/orders/{id}", get().to(checkout::confirmation));
    }
}

/// Is what every page needs.
pub struct Front {
    /// The shop.
    pub shop: Data<Shop>,
    pages: Pages,
}

/// Is a page that is made, or the reason why it is not.
type Page = Result<HttpResponse, Problem>;

impl Front {
    /// Parses the templates.
    ///
    /// # Errors
    /// Where one of them is broken: a fault of the program.
    pub fn new(shop: Data<Shop>) -> Result<Self, PageError> {
        Ok(Self { shop, pages: Pages::new()? })
    }

    /// Answers a page, or the page that says why there is none.
    async fn serve(&self, page: impl Future<Output = Page>) -> HttpResponse {
        match page.await {
            Ok(response) => response,
            Err(problem) => self.fault(&problem),
        }
    }

    /// Reads the form of a request, and who sent it.
    async fn sent(&self, request: &HttpRequest, body: Payload) -> Result<(Form, Guest), Problem> {
        let form = Form::read(request, body, &self.shop.config.allowed_origins).await?;
        Ok((form, Guest::meet(&self.shop, request).await?))
    }

    fn fault(&self, problem: &Problem) -> HttpResponse {
        let mut shell = self.shell();
        shell.index = false;
        let page = match problem.kind() {
            Kind::UnknownShare => FaultPage::ended_link(),
            Kind::UnknownStockLink => FaultPage::broken_letter_link(),
            _ => FaultPage::of(problem.status().as_u16()).because(problem.detail()),
        };
        match self.pages.fault(&shell, &page) {
            Ok(html) => {
                let mut response = html_response(problem.status());
                if problem.status() == StatusCode::SERVICE_UNAVAILABLE {
                    response.insert_header((header::RETRY_AFTER, "1"));
                }
                response.body(html)
            }
            Err(error) => {
                tracing::error!(%error, "the page of a failure could not be rendered");
                problem.error_response()
            }
        }
    }

    fn shell(&self) -> Shell {
        let catalogue = self.shop.catalogue.get();
        let config = &self.shop.config.shop;
        let mut shell =
            Shell::new(&config.name, self.shop.currency()).with_categories(catalogue.categories());
        shell.asks_prices = config.price_policy == PricePolicy::Tell;
        shell
    }

    fn keeps(&self, visitor: Option<&VisitorId>) -> Option<Keeps> {
        let config = &self.shop.config;
        let keeps =
            Keeps { mode: config.session.mode, visitor: visitor.cloned(), key_hours: config.carts.key_hours };
        (keeps.mode != SessionMode::Server).then_some(keeps)
    }

    /// Returns the frame of a guest's page, with the message that the last form left.
    fn shell_of(&self, guest: &Guest, request: &HttpRequest) -> Shell {
        let mut shell = self.shell();
        if let Some(cart) = &guest.cart {
            shell.cart_id = Some(cart.id.clone());
            shell.cart_version = Some(cart.version);
            shell.cart_count = cart.lines.iter().map(|l| u64::from(l.quantity)).sum();
            shell.cart_layout = cart.workflow.cart();
            shell = shell.in_currency(cart.currency);
        }
        shell.account = guest.visitor.login().map(|login| login.called().to_owned());
        shell.credit = guest.credit.map(Price::from);
        shell.login = login_path(request);
        shell.keeps = self.keeps(Some(&guest.visitor.id));
        shell.notice = with_news(guest, request.cookie(NOTICE_COOKIE).and_then(|c| notice_of(c.value())));
        shell.is_told = !guest.reopened.is_empty();
        shell.measures = self.shop.definitions.get().has_running();
        shell
    }
}

/// Returns the path of the door that leads back to the page of a request.
fn login_path(request: &HttpRequest) -> String {
    let here = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let is_door = ["/login", "/register"].contains(&request.path());
    if request.method() == Method::GET && !is_door { pages::login_path(here) } else { "/login".into() }
}

/// Answers HTML that belongs to one guest.
fn html(guest: &Guest, request: &HttpRequest, status: StatusCode, page: Result<String, PageError>) -> Page {
    let page = rendered(page)?;
    let mut response = html_response(status);
    guest.remember(&mut response);
    if request.cookie(NOTICE_COOKIE).is_some() {
        response.cookie(notice_cookie(String::new(), Duration::ZERO));
    }
    Ok(response.body(page))
}

fn rendered(page: Result<String, PageError>) -> Result<String, Problem> {
    page.map_err(|error| {
        tracing::error!(%error, "a page could not be rendered");
        Problem::new(Kind::PageFault, "this page could not be made")
    })
}

fn html_response(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "same-origin"));
    response
}

/// Leads on to another page after a form, with a message to be shown there.
fn see_other(guest: &Guest, to: &str, notice: Option<Notice>) -> HttpResponse {
    let mut response = HttpResponse::SeeOther();
    response.insert_header((header::LOCATION, to));
    guest.remember(&mut response);
    if let Some(notice) = with_news(guest, notice) {
        let (kind, text) = match notice {
            Notice::Done(text) => ("d", text),
            Notice::Refused(text) => ("r", text),
            Notice::Link { says, url } => ("l", format!("{says}\n{url}")),
        };
        response
            .cookie(notice_cookie(format!("{kind}{}", URL_SAFE_NO_PAD.encode(text)), Duration::minutes(1)));
    }
    response.finish()
}

/// Adds to a message what became of a cart that was opened again.
fn with_news(guest: &Guest, notice: Option<Notice>) -> Option<Notice> {
    let Some((is_whole, news)) = filled::reopened(guest) else { return notice };
    Some(match notice {
        Some(Notice::Done(text)) if is_whole => Notice::Done(format!("{text} {news}")),
        Some(Notice::Done(text) | Notice::Refused(text)) => Notice::Refused(format!("{text} {news}")),
        Some(Notice::Link { says, url }) => Notice::Link { says: format!("{says} {news}"), url },
        None if is_whole => Notice::Done(news),
        None => Notice::Refused(news),
    })
}

fn notice_cookie(value: String, age: Duration) -> Cookie<'static> {
    Cookie::build(NOTICE_COOKIE, value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(age)
        .finish()
}

fn notice_of(value: &str) -> Option<Notice> {
    let (kind, encoded) = value.split_at_checked(1)?;
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()?;
    match kind {
        "d" => Some(Notice::Done(text)),
        "r" => Some(Notice::Refused(text)),
        "l" => {
            let (says, url) = text.split_once('\n')?;
            Some(Notice::Link { says: says.to_owned(), url: url.to_owned() })
        }
        _ => None,
    }
}
