//! What pages tell of their shelves: what was seen, and what was clicked on.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Payload},
};

use super::{Front, Page};
use crate::{
    api::request::body_bytes,
    problem::Problem,
    shelves::report::{REPORT_MAX, Report},
    visitor::Visitor,
};

/// `POST /shelf-events`: notes it. Who sends a beacon reads no answer; who clicked to add something waits for one.
pub(super) async fn told(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front.serve(note(&front, &request, body)).await
}

async fn note(front: &Front, request: &HttpRequest, body: Payload) -> Page {
    let bytes = body_bytes(body).await?;
    let report: Report =
        serde_json::from_slice(&bytes).map_err(|error| Problem::invalid_request(error.to_string()))?;
    let is_short = report.shown.len() + report.clicked.len() <= REPORT_MAX;
    let visitor = Visitor::of_request(request).filter(|who| front.shop.shelf_reports.admits(who.unit()));
    if let (true, Some(visitor)) = (is_short, visitor) {
        front.shop.hear_of_shelves(&visitor, &report).await;
    }
    Ok(HttpResponse::NoContent().finish())
}
