//! The product managers' door: log in, read verdicts, run experiments.

pub mod accounts;
pub mod demand;
pub mod experiments;
pub mod login;
mod measures;
pub mod orders;
pub mod purses;
pub mod report;
pub mod shelf_rules;
mod shelves;
pub mod stock;
pub mod webhooks;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
    web::{Data, Path, ServiceConfig, get, post, resource, scope},
};
use dashboards::{Notice, PageError, Pages};
use serde::Deserialize;

use crate::{
    problem::{Kind, Problem},
    storefront::cart::sentence,
};

/// Dashboards run no scripts but our own and load nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Routes the dashboards.
///
pub fn routes(pages: Data<Pages>) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        config.service(
            resource("/reports/{token}").app_data(pages.clone()).route(get().to(experiments::links::read)),
        );
        config.service(
            scope("/admin")
                .app_data(pages)
                .route("", get().to(experiments::overview::list))
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
                .route("/customers/{id}/group", post().to(purses::regroup))
                .route("/demand", get().to(demand::list))
                .route("/metrics", get().to(measures::list))
                .route("/metrics", post().to(measures::save_all))
                .route("/metrics/new", get().to(measures::new))
                .route("/metrics/new", post().to(measures::check_new))
                .route("/metrics/added", post().to(measures::add))
                .route("/metrics/own/{key}", get().to(measures::edit))
                .route("/metrics/own/{key}", post().to(measures::check))
                .route("/metrics/own/{key}/{change}", post().to(measures::change))
                .route("/shelves", get().to(shelves::read))
                .route("/shelves/rules", get().to(shelf_rules::list))
                .route("/shelves/rules/{change}", post().to(shelf_rules::change))
                .route("/stock", get().to(stock::list))
                .route("/stock/{sku}", get().to(stock::read))
                .route("/stock/{sku}/{change}", post().to(stock::change))
                .route("/webhooks", get().to(webhooks::list))
                .route("/webhooks", post().to(webhooks::create))
                .route("/webhooks/{sink}", get().to(webhooks::read))
                .route("/webhooks/{sink}/{change}", post().to(webhooks::change))
                .route("/webhooks/{sink}/deliveries/{position}", post().to(webhooks::again))
                .route("/experiments", post().to(experiments::editing::create))
                .route("/experiments/new", get().to(experiments::editing::new))
                .route("/experiments/new", post().to(experiments::editing::check_new))
                .route("/experiments/{key}", get().to(experiments::read))
                .route("/experiments/{key}", post().to(experiments::editing::save))
                .route("/experiments/{key}/edit", get().to(experiments::editing::edit))
                .route("/experiments/{key}/edit", post().to(experiments::editing::check))
                .route("/experiments/{key}/learned", post().to(experiments::editing::learn))
                .route("/experiments/{key}/results.json", get().to(report::json))
                .route("/experiments/{key}/results.csv", get().to(report::csv))
                .route("/experiments/{key}/report", get().to(report::html))
                .route("/experiments/{key}/history.json", get().to(experiments::history::json))
                .route("/experiments/{key}/history.csv", get().to(experiments::history::csv))
                .route("/experiments/{key}/links", post().to(experiments::links::make))
                .route("/experiments/{key}/links/{id}/end", post().to(experiments::links::end))
                .route("/experiments/{key}/metrics", post().to(experiments::late::add))
                .route("/experiments/{key}/ramp/{change}", post().to(experiments::moves::ramp))
                .route("/experiments/{key}/ship/{variation}", post().to(experiments::moves::ship))
                .route("/experiments/{key}/{move}", post().to(experiments::moves::make)),
        );
    }
}

async fn asset(path: Path<String>) -> Result<HttpResponse, Problem> {
    let asset = dashboards::assets::asset(&path)
        .ok_or_else(|| Problem::new(Kind::NoSuchFile, format!("no file {path} belongs to the dashboards")))?;
    Ok(HttpResponse::Ok()
        .content_type(asset.content_type)
        .insert_header((header::CACHE_CONTROL, "max-age=300"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(asset.text))
}

/// Answers a page, which belongs to one person and to this moment.
fn html(page: Result<String, PageError>) -> Result<HttpResponse, Problem> {
    html_with(StatusCode::OK, page)
}

/// Answers a page with a status of its own: a form that is shown again was refused.
fn html_with(status: StatusCode, page: Result<String, PageError>) -> Result<HttpResponse, Problem> {
    let page = page.map_err(|error| page_fault(&error))?;
    Ok(HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .body(page))
}

fn page_fault(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "a dashboard could not be rendered");
    Problem::new(Kind::PageFault, "this page could not be made; the log says why")
}

fn see_other(to: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, to)).finish()
}

/// Names what the last action did, or why it was refused, in the address that it leads to.
#[derive(Deserialize)]
struct Did {
    did: Option<String>,
    refused: Option<String>,
}

impl Did {
    /// Finds the sentence of what was done, else of what was refused; one of no name stands for all that have none of their
    /// own. Only our own sentences are shown, so that nobody puts words on the page by a link.
    fn notice(&self, done: &[(&str, &str)], refused: &[(&str, &str)]) -> Option<Notice> {
        let said = |name: &Option<String>, sentences: &[(&str, &str)]| {
            let name = name.as_deref()?;
            let found = sentences.iter().find(|(known, _)| *known == name || known.is_empty());
            found.map(|(_, sentence)| (*sentence).to_owned())
        };
        said(&self.did, done).map(Notice::Done).or_else(|| said(&self.refused, refused).map(Notice::Refused))
    }
}

/// Says above a form that is shown again why it was refused, with the status of that page.
///
/// # Errors
/// The problem itself, where it is none of the form.
fn refusal(problem: Problem) -> Result<(StatusCode, Notice), Problem> {
    if !problem.status().is_client_error() {
        return Err(problem);
    }
    let fields = problem.fields().iter().map(|f| format!("{} {}", f.field.replace('_', " "), f.message));
    let fields: Vec<_> = fields.collect();
    let said = if fields.is_empty() { problem.detail().to_owned() } else { fields.join("; ") };
    Ok((problem.status(), Notice::Refused(sentence(&said))))
}
