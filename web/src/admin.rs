//! The product managers' door: log in, read verdicts, run experiments.

pub mod accounts;
pub mod demand;
pub mod experiments;
pub mod login;
pub mod orders;
pub mod purses;
pub mod results;
pub mod stock;
pub mod webhooks;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
    web::{Data, Path, ServiceConfig, get, post, scope},
};
use dashboards::{PageError, Pages};

use crate::problem::{Kind, Problem};

/// Dashboards run no scripts and load nothing from elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Routes the dashboards.
///
pub fn routes(pages: Data<Pages>) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        config.service(
            scope("/admin")
                .app_data(pages)
                .route("", get().to(experiments::overview))
                .route("/login", get().to(login::page))
                .route("/login", post().to(login::enter))
                .route("/logout", post().to(login::leave))
                .route("/static/{name}", get().to(asset))
                .route("/orders", get().to(orders::list))
                .route("/orders/{id}", get().to(orders::read))
                .route("/orders/{id}/{change}", post().to(orders::change))
                .route("/gift-cards", get().to(purses::list))
                .route("/gift-cards", post().to(purses::issue))
                .route("/gift-cards/{id}", get().to(purses::read))
                .route("/gift-cards/{id}/{change}", post().to(purses::change))
                .route("/customers", get().to(purses::look_up))
                .route("/customers/{id}", get().to(purses::credit))
                .route("/customers/{id}", post().to(purses::give))
                .route("/demand", get().to(demand::list))
                .route("/stock", get().to(stock::list))
                .route("/stock/{sku}", get().to(stock::read))
                .route("/stock/{sku}/{change}", post().to(stock::change))
                .route("/webhooks", get().to(webhooks::list))
                .route("/webhooks", post().to(webhooks::create))
                .route("/webhooks/{sink}", get().to(webhooks::read))
                .route("/webhooks/{sink}/{change}", post().to(webhooks::change))
                .route("/webhooks/{sink}/deliveries/{position}", post().to(webhooks::again))
                .route("/experiments", post().to(experiments::create))
                .route("/experiments/new", get().to(experiments::new))
                .route("/experiments/{key}", get().to(experiments::read))
                .route("/experiments/{key}", post().to(experiments::save))
                .route("/experiments/{key}/edit", get().to(experiments::edit))
                .route("/experiments/{key}/start", post().to(experiments::start))
                .route("/experiments/{key}/stop", post().to(experiments::stop)),
        );
    }
}

async fn asset(path: Path<String>) -> Result<HttpResponse, Problem> {
    let asset = dashboards::assets::asset(&path)
        .ok_or_else(|| Problem::new(Kind::NoSuchFile, format!("no file {path} belongs to the dashboards")))?;
    Ok(HttpResponse::Ok()
        .content_type(asset.content_type)
        .insert_header((header::CACHE_CONTROL, "max-age=300"))
        .body(asset.text))
}

/// Answers a page, which belongs to one person and to this moment.
fn html(page: Result<String, PageError>) -> Result<HttpResponse, Problem> {
    html_with(StatusCode::OK, page)
}

/// Answers a page with a status of its own: a form that is shown again was refused.
fn html_with(status: StatusCode, page: Result<String, PageError>) -> Result<HttpResponse, Problem> {
    let page = page.map_err(|error| {
        tracing::error!(%error, "a dashboard could not be rendered");
        Problem::new(Kind::PageFault, "this page could not be made; the log says why")
    })?;
    Ok(HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .body(page))
}

fn see_other(to: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, to)).finish()
}
