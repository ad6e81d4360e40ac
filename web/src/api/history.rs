//! What a visitor looks at, what is remembered of it, and the visitor's say over it.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, header},
    web,
};
use cart_core::Sku;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    operation::Operation,
    request::{json, visitor},
};
use crate::{
    clock,
    history::Remembered,
    problem::{Kind, Problem},
    shop::Shop,
    store::Because,
    trails::{Act, STEPS_MAX, Step},
    views::Source,
    wire::sku_of,
};

/// The most views of one report, as many as a trail has steps.
pub const VIEWS_MAX: usize = STEPS_MAX;

/// Describes the operations on what visitors look at.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/views", report)
            .named("reportViews", "Tells which products a visitor looked at")
            .about(
                "For shops with pages of their own; the storefront's pages do it by themselves. Tell it when it happens: a view \
                 has the time of its report. Views count for the visitor's next recommendations within a second, on every \
                 node. They are written behind the answer, a few times a second; a server that is killed loses those of the \
                 last tenth of a second. Robots (by `User-Agent`) and visitors who declined are left out, and so is what \
                 comes too often, more than 120 a minute.",
            )
            .for_visitors()
            .body::<ViewsForm>()
            .example("a mug", json!({"skus": ["MUG"]}))
            .answers::<ReportedView>(202, "What was noted, and what was not.")
            .problems(&[Kind::InvalidRequest]),
        Operation::get("/history", read)
            .named("readHistory", "Shows what is remembered of a visitor")
            .about(
                "What they looked at and put into carts lately: at most 50 steps of the last 30 days. Changes are seen within a \
                 second.",
            )
            .for_visitors()
            .answers::<HistoryView>(200, "The history."),
        Operation::new(Method::PATCH, "/history", keep)
            .named("keepHistory", "Keeps no history of a visitor from now on, or keeps one again")
            .about(
                "It holds for a user on all devices. Where a request carries `Sec-GPC: 1` or `DNT: 1` none is kept, whatever was \
                 chosen, and `because` says `signal`.",
            )
            .for_visitors()
            .body::<KeepForm>()
            .example("no history", json!({"kept": false}))
            .answers::<HistoryView>(200, "The history, as it is from now on."),
        Operation::new(Method::DELETE, "/history", delete)
            .named("deleteHistory", "Forgets what a visitor looked at and put into carts")
            .about(
                "All nodes forget it within a second, and the next model that is trained knows nothing of it. Carts and orders \
                 stay; orders no longer say what to recommend to this visitor.",
            )
            .for_visitors()
            .answers::<DeletedView>(200, "What was forgotten."),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewViews")]
struct ViewsForm {
    /// The products, in the order in which they were looked at.
    #[schemars(length(min = 1, max = VIEWS_MAX))]
    skus: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReportedViews")]
struct ReportedView {
    /// How many are noted.
    noted: usize,
    /// Those that are not.
    left_out: Vec<LeftOutView>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LeftOutView")]
struct LeftOutView {
    sku: String,
    /// `unknown_sku`, `declined`, `no_shopper`, `too_many` or `full`.
    because: &'static str,
    /// Why, for people.
    detail: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "KeepHistory")]
struct KeepForm {
    /// Whether a history is kept.
    kept: bool,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "History")]
struct HistoryView {
    /// Whether one is kept.
    kept: bool,
    /// Why none is: `choice`, or `signal` where the browser asks not to.
    because: Option<&'static str>,
    /// What was done, the newest first.
    steps: Vec<StepView>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HistoryStep")]
struct StepView {
    sku: Sku,
    /// `viewed`, or `added` to a cart.
    act: &'static str,
    /// When, in Unix milliseconds.
    at_ms: i64,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeletedHistory")]
struct DeletedView {
    /// What was remembered until now, the newest first.
    deleted: Vec<StepView>,
}

fn views_of(steps: Vec<Step>) -> Vec<StepView> {
    let view = |Step { sku, at_ms, act }: Step| StepView {
        sku,
        at_ms,
        act: match act {
            Act::Viewed => "viewed",
            Act::Added => "added",
        },
    };
    steps.into_iter().rev().map(view).collect()
}

fn private(body: impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "private, no-store")).json(body)
}

/// `POST /api/v1/views`.
async fn report(
    shop: web::Data<Shop>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let mut who = visitor(&request)?;
    let ViewsForm { skus } = json(&request, body).await?.0;
    if skus.is_empty() || skus.len() > VIEWS_MAX {
        let detail =
            format!("skus must be 1 to {VIEWS_MAX} products, not {}: send several reports", skus.len());
        return Err(Problem::invalid_request(detail));
    }
    // Where the store does not say, the writer asks it again.
    if let Ok(remembered) = shop.remembered(&who).await {
        who.circumstances.declined = remembered.declined;
    }
    let catalogue = shop.catalogue.get();
    let mut left_out = vec![];
    // A millisecond each, so that their order is told by their times, too.
    for (at_ms, text) in (clock::now_ms() - skus.len() as i64 + 1..).zip(&skus) {
        let because = match sku_of(text).ok().filter(|sku| catalogue.visible(sku).is_some()) {
            None => Some(("unknown_sku", "no product of this SKU is for sale".to_owned())),
            Some(sku) => {
                let noted = shop.views.note(&who, sku, Source::Api, at_ms);
                noted.err().map(|left_out| (left_out.name(), left_out.to_string()))
            }
        };
        if let Some((because, detail)) = because {
            left_out.push(LeftOutView { sku: text.clone(), because, detail });
        }
    }
    Ok(HttpResponse::Accepted().json(ReportedView { noted: skus.len() - left_out.len(), left_out }))
}

async fn shown(shop: &Shop, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let Remembered { declined, steps, .. } = shop.remembered(&visitor(request)?).await?;
    Ok(private(HistoryView {
        kept: declined.is_none(),
        because: declined.map(Because::as_str),
        steps: views_of(steps),
    }))
}

/// `GET /api/v1/history`.
async fn read(shop: web::Data<Shop>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    shown(&shop, &request).await
}

/// `PATCH /api/v1/history`.
async fn keep(
    shop: web::Data<Shop>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let who = visitor(&request)?;
    let KeepForm { kept } = json(&request, body).await?.0;
    shop.keep_history(&who, kept).await?;
    shown(&shop, &request).await
}

/// `DELETE /api/v1/history`.
async fn delete(shop: web::Data<Shop>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Ok(private(DeletedView { deleted: views_of(shop.delete_history(&visitor(&request)?).await?) }))
}
