//! What visitors of other shops' pages saw of shelves and clicked on.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{
    operation::Operation,
    request::{json, visitor},
};
use crate::{
    problem::{Kind, Problem},
    shelves::report::{REPORT_MAX, Refused, Report},
    shop::Shop,
};

/// Describes the operation.
pub(super) fn operations() -> Vec<Operation> {
    let from = "bought_together.1.pairs.1a22f065000000000077c0ffee0";
    vec![
        Operation::post("/shelf-events", report)
            .named("reportShelves", "Reports what a visitor saw of recommendations and clicked on")
            .about(
                "For the visitor whose token asked for the recommendations; what is told later than a day, or of another's, \
                 is refused. All that was seen of one answer is one impression, told once, when it was seen; a click counts \
                 once for each product of an answer. Adding to the cart counts for the last click on the product within 30 \
                 minutes before it, an order within 7 days. Robots and the shop's own people are left out.",
            )
            .for_visitors()
            .body::<Report>()
            .example("seen", json!({"shown": [{"sku": "TEAPOT", "from": from}]}))
            .example("clicked", json!({"clicked": [{"sku": "TEAPOT", "from": from}]}))
            .answers::<ReportView>(200, "What of it counts.")
            .problems(&[Kind::Unauthorized]),
    ]
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ShelfReportAnswer")]
struct ReportView {
    /// How many events were taken; one that was told before counts once all the same.
    accepted: usize,
    /// What does not count.
    refused: Vec<RefusedView>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RefusedShelfPlace")]
struct RefusedView {
    from: String,
    why: String,
}

async fn report(
    shop: web::Data<Shop>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let who = visitor(&request)?;
    let (report, _) = json::<Report>(&request, body).await?;
    let told = report.shown.len() + report.clicked.len();
    if told > REPORT_MAX {
        return Err(Problem::invalid_request(format!(
            "the report tells of {told} products, the most is {REPORT_MAX}"
        )));
    }
    let (accepted, refused) = shop.hear_of_shelves(&who, &report).await;
    let refused = refused.into_iter().map(|Refused { from, why }| RefusedView { from, why }).collect();
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(ReportView { accepted, refused }))
}
