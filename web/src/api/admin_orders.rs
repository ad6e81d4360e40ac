//! The shop's own people: orders of everybody, and what is done with them.

pub(crate) mod parcel;

use actix_web::{HttpRequest, HttpResponse, http::Method, web};
use cart_core::{LineId, Order, OrderId, OrderStatus, RefundWish};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use self::parcel::{ParcelChangeForm, ParcelForm, RelocationForm, number_of};
use super::{
    admin::admin,
    headers::IDEMPOTENCY_KEY,
    operation::Operation,
    orders::{OrdersView, answer, before, page_of, show},
    page::{CursorText, Limit, within},
    request::{idempotency_key, json, optional_json},
};
use crate::{
    checkout::orders::OrderChange,
    problem::{Kind, Problem, accepted},
    shop::Shop,
    store::OrderQuery,
    wire::{OrderView, line_of},
};

/// Describes the operations of the shop's people.
pub(super) fn operations() -> Vec<Operation> {
    let change = |operation: Operation| {
        operation
            .for_admins()
            .path::<OrderId>("id", "The order.")
            .takes(IDEMPOTENCY_KEY)
            .answers::<OrderView<'_>>(200, "The order.")
            .problems(&[
                Kind::UnknownOrder,
                Kind::UnknownCart,
                Kind::UnreadableCart,
                Kind::NotOrdered,
                Kind::OrderState,
                Kind::IdempotencyMismatch,
            ])
    };
    vec![
        Operation::get("/admin/orders", list)
            .named("findOrders", "Lists the orders of the shop, the newest first")
            .for_admins()
            .query::<Query>()
            .answers::<OrdersView<'_>>(200, "A page of them.")
            .problems(&[Kind::InvalidCursor]),
        Operation::get("/admin/orders/{id}", read)
            .named("inspectOrder", "Reads any order")
            .for_admins()
            .path::<OrderId>("id", "The order.")
            .answers::<OrderView<'_>>(200, "The order.")
            .problems(&[Kind::UnknownOrder]),
        change(
            Operation::post("/admin/orders/{id}/fulfil", fulfil)
                .named("fulfilOrder", "Notes that an order was sent off, or a parcel of it")
                .about(
                    "Without a body, all that waits is sent, a parcel a location. The order's `to_send` says what waits \
                     where; with the last of it the order is `fulfilled`. Whoever placed it gets a letter a parcel.",
                )
                .optional_body::<ParcelForm>()
                .example("all that waits in one location", json!({
                    "location": "north",
                    "tracking": { "carrier": "Royal Mail", "number": "AB123456785GB", "url": "https://post.example/AB123456785GB" },
                }))
                .example("one piece", json!({ "lines": [{ "line": "MUG", "pieces": 1 }] })),
        )
        .problems(&[Kind::LineNotFound, Kind::UnknownSku, Kind::InvalidDetails]),
        change(
            Operation::post("/admin/orders/{id}/relocate", relocate)
                .named("relocateOrder", "Lets another location send what waits of an order, or a part of that")
                .about(
                    "The pieces go back to the shelf of the location where they waited, and the other one sells them: it must \
                     have them, or may owe them as far as the product may be owed. All that is named is moved, or nothing.",
                )
                .body::<RelocationForm>()
                .example("all that waits in one location", json!({ "from": "main", "to": "north" }))
                .example("one piece", json!({
                    "from": "main", "to": "north", "lines": [{ "line": "MUG", "pieces": 1 }],
                })),
        )
        .problems(&[Kind::LineNotFound, Kind::UnknownSku, Kind::InvalidDetails, Kind::OutOfStock]),
        change(
            Operation::new(Method::PATCH, "/admin/orders/{id}/parcels/{number}", correct)
                .named("correctParcel", "Says anew how a parcel that was sent can be followed")
                .about(
                    "A member of `tracking` that is left out stays as it was, and `null` takes away what was said. Where the \
                     parcel is then followed by another number or at another address, whoever placed the order gets a letter.",
                )
                .body::<ParcelChangeForm>()
                .example("a slip of the pen", json!({ "tracking": { "number": "AB123456758GB" } })),
        )
        .path::<u32>("number", "The parcel, by the `number` that the order names.")
        .problems(&[Kind::ParcelNotFound, Kind::InvalidDetails]),
        change(
            Operation::post("/admin/orders/{id}/cancel", cancel).named(
                "cancelAnyOrder",
                "Cancels what of an order was not sent off, and gives back what was paid for it",
            ),
        ),
        change(
            Operation::post("/admin/orders/{id}/refund", refund)
                .named("refundOrder", "Gives part of an order back")
                .body::<RefundForm>()
                .example("one piece", json!({ "lines": [{ "line": "MUG", "quantity": 1 }] }))
                .example("a kindness", json!({ "amount_minor": 500 })),
        )
        .problems(&[Kind::LineNotFound, Kind::InvalidDetails, Kind::RefundTooLarge]),
    ]
}

/// The longest search in bytes: an e-mail address.
const SEARCH_BYTES_MAX: usize = 200;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// The state: `placed`, `fulfilled` or `cancelled`.
    #[schemars(extend("enum" = OrderStatus::NAMES))]
    status: Option<String>,
    /// The number of an order, or the e-mail address that it was confirmed to.
    #[schemars(length(max = SEARCH_BYTES_MAX))]
    q: Option<String>,
    /// The most orders to answer.
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the page before.
    cursor: Option<CursorText>,
}

/// Reads the name of a state; none stands for all.
///
/// # Errors
/// The problem `invalid_request`.
pub(crate) fn status_of(text: Option<&str>) -> Result<Option<&'static str>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let known = OrderStatus::NAMES.into_iter().find(|name| *name == text);
    let names = OrderStatus::NAMES.join(", ");
    known.map(Some).ok_or_else(|| Problem::invalid_request(format!("status must be one of {names}")))
}

async fn list(
    shop: web::Data<Shop>,
    request: HttpRequest,
    query: web::Query<Query>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    if query.status.as_deref() == Some("") {
        return Err(Problem::invalid_request("status is empty; leave it out to see all"));
    }
    let wanted = OrderQuery {
        owner: None,
        status: status_of(query.status.as_deref())?,
        text: within("q", query.q.as_deref(), SEARCH_BYTES_MAX)?
            .map(str::trim)
            .filter(|q| !q.is_empty())
            .map(str::to_lowercase),
        before: before(query.cursor.as_ref())?,
    };
    Ok(answer(&request, &page_of(&shop, wanted, query.limit.get()).await?))
}

/// Finds any order.
///
/// # Errors
/// The problem `unknown_order`.
pub(crate) async fn any(shop: &Shop, id: &str) -> Result<Order, Problem> {
    let unknown = || Problem::new(Kind::UnknownOrder, "there is no such order");
    let id = OrderId::parse(id).map_err(|_| unknown())?;
    shop.store.order(&id).await?.ok_or_else(unknown)
}

async fn read(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    Ok(show(&any(&shop, &path).await?))
}

async fn change(
    shop: &Shop,
    request: &HttpRequest,
    id: &str,
    change: OrderChange,
    body: &[u8],
) -> Result<HttpResponse, Problem> {
    let order = any(shop, id).await?;
    let key = idempotency_key(request, body)?;
    let changed = accepted(shop.checkout.change_order(order, None, change, key).await?)?.order;
    changed.as_ref().map(show).ok_or_else(|| Problem::new(Kind::UnknownOrder, "there is no such order"))
}

async fn fulfil(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let (form, bytes) = optional_json::<ParcelForm>(&request, body).await?;
    change(&shop, &request, &path, OrderChange::Fulfil(form.parse()?), &bytes).await
}

async fn relocate(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let (form, bytes) = json::<RelocationForm>(&request, body).await?;
    change(&shop, &request, &path, OrderChange::Relocate(form.parse()?), &bytes).await
}

async fn correct(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let (id, number) = path.into_inner();
    let (form, bytes) = json::<ParcelChangeForm>(&request, body).await?;
    let correct = OrderChange::Correct { number: number_of(&number)?, change: form.tracking.into() };
    change(&shop, &request, &id, correct, &bytes).await
}

async fn cancel(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    change(&shop, &request, &path, OrderChange::Cancel, b"").await
}

/// Is what is given back, as clients write it.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewRefund")]
#[serde(deny_unknown_fields)]
struct RefundForm {
    /// Pieces of lines, at what they really cost.
    #[serde(default)]
    #[schemars(length(max = 500))]
    lines: Vec<RefundLineForm>,
    /// Tells whether the shipping that was paid is given back.
    #[serde(default)]
    shipping: bool,
    /// An amount that is for nothing in particular.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000_000_000_000_i64))]
    amount_minor: i64,
    /// Tells whether the pieces go back to the shelf.
    #[serde(default = "yes")]
    restock: bool,
    /// Tells whether the pieces were sent before, so that what waits to be sent goes on waiting; otherwise those that wait are
    /// given back first.
    #[serde(default)]
    sent: bool,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewRefundLine")]
#[serde(deny_unknown_fields)]
struct RefundLineForm {
    /// The line, by the `id` that the order names.
    #[schemars(with = "LineId")]
    line: String,
    /// The pieces.
    #[schemars(range(min = 1, max = 9_999))]
    quantity: u32,
}

fn yes() -> bool {
    true
}

impl RefundForm {
    fn parse(self) -> Result<RefundWish, Problem> {
        let lines = self.lines.iter().map(|l| Ok((line_of(&l.line)?, l.quantity)));
        Ok(RefundWish {
            lines: lines.collect::<Result<_, Problem>>()?,
            shipping: self.shipping,
            amount_minor: self.amount_minor,
            restock: self.restock,
            sent: self.sent,
        })
    }
}

async fn refund(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let (form, bytes) = json::<RefundForm>(&request, body).await?;
    change(&shop, &request, &path, OrderChange::Refund(form.parse()?), &bytes).await
}
