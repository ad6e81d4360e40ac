//! Orders: a visitor's own, those that a guest looks up, and what becomes of them.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use cart_core::{Order, OrderId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    headers::{ETAG, IDEMPOTENCY_KEY},
    operation::Operation,
    page::{Cursor, CursorText, Limit, Page},
    request::{cart_id, etag, forced, household_of, idempotency_key, json, optional_json, visitor},
};
use crate::{
    carts::CartWish,
    checkout::orders::OrderChange,
    filling::{Filled, Wanted, fill},
    problem::{Kind, Problem, accepted},
    shop::Shop,
    store::OrderQuery,
    wire::{
        OrderView,
        filling::{FilledView, IntoForm},
    },
};

/// Describes the operations on orders.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/orders", history)
            .named("listOrders", "Lists the orders of a visitor, the newest first")
            .for_visitors()
            .query::<Query>()
            .answers::<OrdersView<'_>>(200, "A page of them.")
            .problems(&[Kind::InvalidCursor]),
        Operation::post("/orders/lookup", look_up)
            .named("lookUpOrder", "Finds an order by its number and the e-mail address that it was confirmed to")
            .about("For guests who come back on another device. A number that is wrong and an address that is are told alike.")
            .body::<LookUpForm>()
            .example("a guest", json!({ "order": "o5f2c9e", "email": "ada@example.org" }))
            .answers::<OrderView<'_>>(200, "The order.")
            .problems(&[Kind::UnknownOrder, Kind::TooManyTries]),
        Operation::get("/orders/{id}", read)
            .named("readOrder", "Reads an order, for the visitor who placed it")
            .for_visitors()
            .path::<OrderId>("id", "The order.")
            .answers::<OrderView<'_>>(200, "The order.")
            .problems(&[Kind::UnknownOrder]),
        Operation::post("/orders/{id}/cancel", cancel)
            .named("cancelOrder", "Cancels an order, for the visitor who placed it")
            .about("Possible for some time after it was placed, until it is sent off. What was paid is given back: everything, or where \
                 parcels have left, what the rest cost.")
            .for_visitors()
            .path::<OrderId>("id", "The order.")
            .takes(IDEMPOTENCY_KEY)
            .answers::<OrderView<'_>>(200, "The order.")
            .problems(&[
                Kind::UnknownOrder,
                Kind::UnknownCart,
                Kind::UnreadableCart,
                Kind::NotOwner,
                Kind::NotOrdered,
                Kind::OrderState,
                Kind::CancelTooLate,
                Kind::IdempotencyMismatch,
            ]),
        Operation::post("/orders/{id}/reorder", reorder)
            .named("reorder", "Puts what an order had into a cart again")
            .about(
                "All lines go in at once where the rules allow it, otherwise each with as many pieces as there are; `reasons` \
                 says what is gone, limited, dearer or cheaper. Orders of more than 100 lines go in by hundreds.",
            )
            .for_visitors()
            .path::<OrderId>("id", "The order.")
            .takes(IDEMPOTENCY_KEY)
            .optional_body::<IntoForm>()
            .answers::<FilledView<'_>>(200, "The cart, and what became of each line.")
            .with(ETAG)
            .problems(&[
                Kind::UnknownOrder,
                Kind::UnknownCart,
                Kind::NotOwner,
                Kind::CartClosed,
                Kind::UnreadableCart,
                Kind::IdempotencyMismatch,
            ]),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// The most orders to answer.
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the page before.
    cursor: Option<CursorText>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Orders")]
pub(super) struct OrdersView<'a> {
    orders: Vec<OrderView<'a>>,
    /// Where the next page begins; `null` at the end of the list.
    next_cursor: Option<&'a str>,
}

/// Is where a page of orders begins: behind the order of that time and name.
#[derive(Serialize, Deserialize)]
pub(crate) struct AfterOrder(pub i64, pub OrderId);

impl Cursor for AfterOrder {
    const VERSION: u8 = 1;
    const LIST: &'static str = "orders";
}

/// Looks a page of orders up.
pub(crate) async fn page_of(shop: &Shop, query: OrderQuery, limit: usize) -> Result<Page<Order>, Problem> {
    let orders = shop.store.find_orders(&query, limit + 1).await?;
    Ok(Page::of(orders, limit, |order: &Order| AfterOrder(order.placed_at_ms, order.order_id.clone())))
}

/// Answers a page of orders.
pub(super) fn answer(request: &HttpRequest, page: &Page<Order>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "private, no-cache"));
    if let Some(link) = page.link(request) {
        response.insert_header(link);
    }
    response.json(OrdersView {
        orders: page.entries.iter().map(OrderView::from).collect(),
        next_cursor: page.next_cursor.as_deref(),
    })
}

/// Returns what stands before a page.
pub(super) fn before(cursor: Option<&CursorText>) -> Result<Option<(i64, OrderId)>, Problem> {
    let after = cursor.map(CursorText::decode::<AfterOrder>).transpose()?;
    Ok(after.map(|AfterOrder(at_ms, id)| (at_ms, id)))
}

/// `GET /api/v1/orders`: the visitor's own.
pub(super) async fn history(
    shop: web::Data<Shop>,
    request: HttpRequest,
    query: web::Query<Query>,
) -> Result<HttpResponse, Problem> {
    let owner = Some(visitor(&request)?.id);
    let query_for = OrderQuery { owner, before: before(query.cursor.as_ref())?, ..OrderQuery::default() };
    Ok(answer(&request, &page_of(&shop, query_for, query.limit.get()).await?))
}

/// Returns an order of the visitor; somebody else's looks like none at all: ids of orders are not for guessing.
async fn own(shop: &Shop, request: &HttpRequest, id: &str) -> Result<Order, Problem> {
    let caller = visitor(request)?;
    let id = OrderId::parse(id).map_err(|_| unknown())?;
    shop.store.order(&id).await?.filter(|order| order.owner == caller.id).ok_or_else(unknown)
}

fn unknown() -> Problem {
    Problem::new(Kind::UnknownOrder, "you have no such order")
}

/// `GET /api/v1/orders/{id}`: the order, for the visitor who placed it.
pub(super) async fn read(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    Ok(show(&own(&shop, &request, &path).await?))
}

/// Answers an order, which belongs to one person.
pub(super) fn show(order: &Order) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(OrderView::from(order))
}

/// `POST /api/v1/orders/{id}/cancel`: cancels, for the visitor who placed it.
pub(super) async fn cancel(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let order = own(&shop, &request, &path).await?;
    let key = idempotency_key(&request, b"cancel")?;
    let owner = Some(order.owner.clone());
    let answer = shop.checkout.change_order(order, owner, OrderChange::Cancel, key).await?;
    accepted(answer)?.order.as_ref().map(show).ok_or_else(unknown)
}

/// `POST /api/v1/orders/{id}/reorder`: puts what it had into a cart again.
pub(super) async fn reorder(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let (IntoForm { cart: named }, bytes) = optional_json(&request, body).await?;
    let caller = visitor(&request)?;
    let order = own(&shop, &request, &path).await?;
    let key = idempotency_key(&request, &bytes)?;
    let named = named.as_deref().map(cart_id).transpose()?;
    let forced = forced(&request, &shop.definitions.get());
    let wish = CartWish::in_currency(order.currency);
    let (cart, reopened) = shop.cart_to_fill(named, &caller, wish, &forced, key.as_ref()).await?;
    let wanted = Wanted::of_order(&order, &shop.catalogue.get());
    let mut filled = fill(&shop.carts, &cart.id, &caller.id, key.as_ref(), wanted).await?;
    filled.accepted.reopened = reopened;
    Ok(show_filled(&filled))
}

/// Answers a cart that was filled.
pub(super) fn show_filled(filled: &Filled) -> HttpResponse {
    HttpResponse::Ok().insert_header(etag(filled.accepted.cart.version)).json(FilledView::from(filled))
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "OrderLookUp")]
#[serde(deny_unknown_fields)]
struct LookUpForm {
    /// The number of the order, as the letter that confirmed it has it.
    #[schemars(length(max = 200))]
    order: String,
    /// Where that letter went to.
    #[schemars(length(max = 200))]
    email: String,
}

/// `POST /api/v1/orders/lookup`: the order of a guest.
pub(super) async fn look_up(
    shop: web::Data<Shop>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let (form, _) = json::<LookUpForm>(&request, body).await?;
    Ok(show(&find_for_guest(&shop, &request, &form.order, &form.email).await?))
}

/// Finds an order by its number and e-mail address; whoever tries too often is told to wait before anything is looked up.
///
/// # Errors
/// The problems `too_many_tries` and `unknown_order`.
pub(crate) async fn find_for_guest(
    shop: &Shop,
    request: &HttpRequest,
    order: &str,
    email: &str,
) -> Result<Order, Problem> {
    let unknown =
        || Problem::new(Kind::UnknownOrder, "no order of this number was confirmed to this address");
    let id = OrderId::parse(order.trim()).map_err(|_| unknown())?;
    let address = household_of(&shop.config.limits, request);
    if !(shop.lookups.admits(&id.as_str()) & shop.lookups.admits(&address)) {
        return Err(Problem::new(Kind::TooManyTries, "orders were looked up too often; wait a minute"));
    }
    let email = email.trim().to_lowercase();
    let order = shop.store.order(&id).await?;
    order.filter(|order| !email.is_empty() && order.email.to_lowercase() == email).ok_or_else(unknown)
}
