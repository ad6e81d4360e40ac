//! The storefront: server-rendered pages and the forms that they send. Everything works without scripts.

pub mod browse;
pub mod cart;
pub mod checkout;
pub mod form;
pub mod guest;
pub mod pages;

use std::future::Future;

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError,
    cookie::{Cookie, SameSite, time::Duration},
    http::{StatusCode, header},
    web::{Data, ServiceConfig, get, post, resource},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use self::{
    guest::Guest,
    pages::{FaultPage, Notice, PageError, Pages, Shell},
};
use crate::{problem::Problem, shop::Shop};

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
            .route("/cart", get().to(cart::page))
            .route("/cart/lines", post().to(cart::add))
            .route("/cart/codes", post().to(cart::code))
            .route("/cart/lines/{line}", post().to(cart::set))
            .route("/checkout", get().to(checkout::page))
            .route("/checkout/start", post().to(checkout::start))
            .route("/checkout/order", post().to(checkout::order))
            .route("/checkout/express", post().to(checkout::express))
            .service(
                resource("/checkout/{step}")
                    .route(get().to(checkout::step))
                    .route(post().to(checkout::complete)),
            )
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

    fn fault(&self, problem: &Problem) -> HttpResponse {
        let mut shell = self.shell();
        shell.index = false;
        let mut page = FaultPage::of(problem.status().as_u16());
        page.detail = Some(problem.detail().to_owned());
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
        Shell::new(&self.shop.config.shop.name, self.shop.currency()).with_categories(catalogue.categories())
    }

    /// Returns the frame of a guest's page, with the message that the last form left.
    fn shell_of(&self, guest: &Guest, request: &HttpRequest) -> Shell {
        let mut shell = self.shell();
        if let Some(cart) = &guest.cart {
            shell.cart_id = Some(cart.id.clone());
            shell.cart_count = cart.lines.iter().map(|l| u64::from(l.quantity)).sum();
            shell.cart_layout = cart.workflow.cart();
            shell.user_token = Some(guest.visitor.token().to_owned());
        }
        shell.notice = request.cookie(NOTICE_COOKIE).and_then(|c| notice_of(c.value()));
        shell
    }
}

/// Answers HTML that belongs to one guest.
fn html(guest: &Guest, request: &HttpRequest, status: StatusCode, page: Result<String, PageError>) -> Page {
    let page = page.map_err(|error| {
        tracing::error!(%error, "a page could not be rendered");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "page_fault", "this page could not be made")
    })?;
    let mut response = html_response(status);
    guest.remember(&mut response);
    if request.cookie(NOTICE_COOKIE).is_some() {
        response.cookie(notice_cookie(String::new(), Duration::ZERO));
    }
    Ok(response.body(page))
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
    if let Some(notice) = notice {
        let (kind, text) = match &notice {
            Notice::Done(text) => ("d", text),
            Notice::Refused(text) => ("r", text),
        };
        response
            .cookie(notice_cookie(format!("{kind}{}", URL_SAFE_NO_PAD.encode(text)), Duration::minutes(1)));
    }
    response.finish()
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
        _ => None,
    }
}
