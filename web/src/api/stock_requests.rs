//! Requests to be told that a product is back, and for the shop's people how many wait for what.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, header},
    web,
};
use cart_core::{Currency, FieldError, Sku, limits::FIELD_BYTES_MAX};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    admin::admin,
    operation::Operation,
    page::{Cursor, CursorText, Limit, Page},
    request::json,
};
use crate::{
    back_in_stock::{self, Wish},
    clock,
    problem::{Kind, Problem},
    shop::Shop,
    store::{DemandQuery, StockDemand},
    users::door::client_address,
    wire::sku_of,
};

/// Describes the operations on requests to be told that a product is back.
pub(super) fn operations() -> Vec<Operation> {
    const TOKEN: &str = "The last part of the link in the letters.";
    vec![
        Operation::post("/stock-requests", ask)
            .named("requestStock", "Asks to be told when a product that is sold out is back")
            .about(
                "The address gets a letter that says so, and one when pieces are there again; both have a link that ends its \
                 requests. An address waits for a product once: asked again, the answer is the same, and says nothing of \
                 whether it waited before.",
            )
            .body::<RequestForm>()
            .example("a mug", json!({ "sku": "MUG", "email": "ada@example.org" }))
            .answers::<RequestView<'_>>(202, "The address will be told, once.")
            .problems(&[Kind::NoLetters, Kind::InvalidDetails, Kind::UnknownSku, Kind::CanBeBought]),
        Operation::get("/stock-requests/{token}", list)
            .named("listStockRequests", "Lists what the reader of a letter waits for")
            .path::<String>("token", TOKEN)
            .answers::<RequestsView>(200, "The requests that wait, the oldest first.")
            .problems(&[Kind::UnknownStockLink]),
        Operation::new(Method::DELETE, "/stock-requests/{token}", withdraw)
            .named("withdrawStockRequests", "Ends the requests of the reader of a letter")
            .about("Done again, it is answered the same.")
            .path::<String>("token", TOKEN)
            .query::<Withdrawal>()
            .answers_nothing(204, "Nobody is told.")
            .problems(&[Kind::UnknownStockLink, Kind::UnknownSku]),
        Operation::get("/admin/stock-requests", demand)
            .named("listStockDemand", "Counts who waits to be told that a product is back")
            .for_admins()
            .query::<Query>()
            .answers::<DemandsView>(200, "A page of the products that are waited for, the most wanted first.")
            .problems(&[Kind::InvalidCursor]),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewStockRequest")]
struct RequestForm {
    #[schemars(with = "Sku")]
    sku: String,
    /// Who is to be told.
    #[schemars(length(min = 1, max = FIELD_BYTES_MAX))]
    email: String,
    /// The currency of the price in the letter; the catalogue's own where none is named.
    #[schemars(with = "Option<Currency>")]
    currency: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "KeptStockRequest")]
struct RequestView<'a> {
    sku: &'a Sku,
    /// For how many days the address waits, from now on.
    keep_days: u32,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StockRequests")]
struct RequestsView {
    requests: Vec<WaitingView>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StockRequest")]
struct WaitingView {
    sku: Sku,
    asked_at_ms: i64,
    /// When it is forgotten, in Unix milliseconds.
    ends_at_ms: i64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Withdrawal {
    /// Only the request for this product; all where none is named.
    #[schemars(with = "Option<Sku>")]
    sku: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Query {
    /// The most products to answer.
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the page before.
    cursor: Option<CursorText>,
}

/// Is where a page of demand begins: behind the product of so many requests and that SKU.
#[derive(Serialize, Deserialize)]
pub(crate) struct AfterDemand(u64, Sku);

impl Cursor for AfterDemand {
    const VERSION: u8 = 1;
    const LIST: &'static str = "demand";
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StockDemands")]
struct DemandsView {
    demand: Vec<DemandView>,
    /// Where the next page begins; `null` at the end of the list.
    next_cursor: Option<String>,
}

/// Is who waits for a product.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StockDemand")]
struct DemandView {
    sku: Sku,
    /// Its name; `null` where the catalogue has it no more.
    name: Option<String>,
    /// Requests that wait.
    waiting: u64,
    /// When the oldest of them was made, in Unix milliseconds.
    oldest_at_ms: i64,
    /// Whether shoppers see it: while they do not, nobody is told.
    visible: bool,
}

/// `POST /api/v1/stock-requests`: asks once.
async fn ask(
    shop: web::Data<Shop>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let (form, _) = json::<RequestForm>(&request, body).await?;
    let currency = form.currency.as_deref().map(Currency::parse).transpose().map_err(|e| {
        Problem::invalid_details(vec![FieldError { field: "currency".into(), message: e.to_string() }])
    })?;
    let wish = Wish { sku: &form.sku, email: &form.email, currency };
    let product = back_in_stock::ask(&shop, &wish, client_address(&request, &shop.config.limits)).await?;
    Ok(HttpResponse::Accepted()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(RequestView { sku: &product.sku, keep_days: shop.config.back_in_stock.keep_days }))
}

/// `GET /api/v1/stock-requests/{token}`: what an address waits for.
async fn list(shop: web::Data<Shop>, token: web::Path<String>) -> Result<HttpResponse, Problem> {
    let email = back_in_stock::email_of(&shop.keys, &token)?;
    let requests = shop.store.stock_requests_of(&email, clock::now_ms()).await?;
    let requests = requests.into_iter().map(|r| WaitingView {
        sku: r.sku,
        asked_at_ms: r.asked_at_ms,
        ends_at_ms: r.ends_at_ms,
    });
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .json(RequestsView { requests: requests.collect() }))
}

/// `DELETE /api/v1/stock-requests/{token}`: ends one request of an address, or all.
async fn withdraw(
    shop: web::Data<Shop>,
    token: web::Path<String>,
    query: web::Query<Withdrawal>,
) -> Result<HttpResponse, Problem> {
    let email = back_in_stock::email_of(&shop.keys, &token)?;
    let sku = query.sku.as_deref().map(sku_of).transpose()?;
    shop.store.withdraw_stock_requests(&email, sku.as_ref()).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn demand(
    shop: web::Data<Shop>,
    request: HttpRequest,
    query: web::Query<Query>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let after = query.cursor.as_ref().map(CursorText::decode::<AfterDemand>).transpose()?;
    let page = demands(&shop, after, query.limit.get()).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "private, no-cache"));
    if let Some(link) = page.link(&request) {
        response.insert_header(link);
    }
    let catalogue = shop.catalogue.get();
    let view = |demand: StockDemand| DemandView {
        name: catalogue.product(&demand.sku).map(|product| product.name.clone()),
        visible: catalogue.visible(&demand.sku).is_some(),
        sku: demand.sku,
        waiting: demand.waiting,
        oldest_at_ms: demand.oldest_at_ms,
    };
    Ok(response.json(DemandsView {
        demand: page.entries.into_iter().map(view).collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Returns a page of who waits for what, the most wanted product first.
///
/// # Errors
/// What the store says.
pub(crate) async fn demands(
    shop: &Shop,
    after: Option<AfterDemand>,
    limit: usize,
) -> Result<Page<StockDemand>, Problem> {
    let after = after.map(|AfterDemand(waiting, sku)| (waiting, sku));
    let wanted = DemandQuery { after, limit: limit + 1, now_ms: clock::now_ms() };
    let demand = shop.store.stock_demand(&wanted).await?;
    Ok(Page::of(demand, limit, |last: &StockDemand| AfterDemand(last.waiting, last.sku.clone())))
}
