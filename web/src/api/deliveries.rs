//! What is on its way to sinks, has arrived or never will, for the shop's own people.

use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    admin::admin,
    operation::Operation,
    page::{Cursor, CursorText, Limit, Page},
    webhooks,
};
use crate::{
    clock, mail,
    problem::{Kind, Problem},
    shop::Shop,
    store::{Delivery, DeliveryQuery, DeliveryState, Try},
};

/// Describes the operations on deliveries.
pub(super) fn operations() -> Vec<Operation> {
    const SINK: &str = "`mail`, or the id of an endpoint.";
    vec![
        Operation::get("/admin/sinks/{sink}/deliveries", list)
            .named("listDeliveries", "Lists the deliveries to a sink, the one that changed last first")
            .about("Arrived ones are kept for a week, dead ones for a month.")
            .for_admins()
            .path::<String>("sink", SINK)
            .query::<Query>()
            .answers::<DeliveriesView>(200, "The deliveries.")
            .problems(&[Kind::UnknownEndpoint, Kind::InvalidCursor]),
        Operation::post("/admin/sinks/{sink}/deliveries/{position}/replay", replay)
            .named("replayDelivery", "Sends a delivery again, whatever became of it")
            .for_admins()
            .path::<String>("sink", SINK)
            .path::<String>("position", "The delivery's position.")
            .answers::<ReplayedView>(200, "How many are sent again.")
            .problems(&[Kind::UnknownEndpoint, Kind::UnknownDelivery]),
        Operation::post("/admin/sinks/{sink}/replay", replay_dead)
            .named("replayDeadLetters", "Sends all dead letters of a sink again")
            .for_admins()
            .path::<String>("sink", SINK)
            .answers::<ReplayedView>(200, "How many are sent again.")
            .problems(&[Kind::UnknownEndpoint]),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Query {
    /// Only those in this state.
    state: Option<DeliveryState>,
    /// The most deliveries to answer.
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the page before.
    cursor: Option<CursorText>,
}

#[derive(Serialize, Deserialize)]
struct Before(i64, u64);

impl Cursor for Before {
    const VERSION: u8 = 1;
    const LIST: &'static str = "deliveries";
}

/// Is an event on its way to a sink.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Delivery")]
struct DeliveryView {
    /// The event's place in the outbox; it names the delivery.
    position: u64,
    /// The event's id, which is the `webhook-id`.
    event: String,
    /// The event's type.
    #[serde(rename = "type")]
    kind: String,
    state: DeliveryState,
    /// Tries since it was sent first, or last sent again by hand.
    attempts: u32,
    /// When it is tried next.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at_ms: Option<i64>,
    changed_at_ms: i64,
    /// The newest tries, oldest first.
    tries: Vec<Try>,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        let Delivery { position, event, kind, state, attempts, due_at_ms, changed_at_ms, tries, .. } =
            delivery;
        Self { position, event: event.to_string(), kind, state, attempts, due_at_ms, changed_at_ms, tries }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Deliveries")]
struct DeliveriesView {
    deliveries: Vec<DeliveryView>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Replayed")]
struct ReplayedView {
    replayed: u64,
}

/// Checks that a sink is one.
async fn check(shop: &Shop, sink: &str) -> Result<(), Problem> {
    match sink {
        mail::SINK => Ok(()),
        id => webhooks::find(shop, id).await.map(drop),
    }
}

async fn list(
    shop: web::Data<Shop>,
    request: HttpRequest,
    sink: web::Path<String>,
    query: web::Query<Query>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let page = page_of(&shop, &sink, query.state, query.cursor.as_ref(), query.limit.get()).await?;
    let mut response = HttpResponse::Ok();
    if let Some(link) = page.link(&request) {
        response.insert_header(link);
    }
    let deliveries = page.entries.into_iter().map(DeliveryView::from).collect();
    Ok(response.json(DeliveriesView { deliveries, next_cursor: page.next_cursor }))
}

/// Returns a page of the deliveries to a sink, the one that changed last first.
///
/// # Errors
/// Where there is no such sink, or the cursor is none.
pub(crate) async fn page_of(
    shop: &Shop,
    sink: &str,
    state: Option<DeliveryState>,
    cursor: Option<&CursorText>,
    limit: usize,
) -> Result<Page<Delivery>, Problem> {
    check(shop, sink).await?;
    let before = cursor.map(CursorText::decode::<Before>).transpose()?;
    let wanted = DeliveryQuery { state, before: before.map(|Before(at, p)| (at, p)), limit: limit + 1 };
    let found = shop.store.deliveries(sink, &wanted).await?;
    Ok(Page::of(found, limit, |d| Before(d.changed_at_ms, d.position)))
}

async fn replay(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let (sink, position) = path.into_inner();
    let replayed = redeliver(&shop, &sink, Some(&position)).await?;
    Ok(HttpResponse::Ok().json(ReplayedView { replayed }))
}

async fn replay_dead(
    shop: web::Data<Shop>,
    request: HttpRequest,
    sink: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let replayed = redeliver(&shop, &sink, None).await?;
    Ok(HttpResponse::Ok().json(ReplayedView { replayed }))
}

/// Sends the delivery of a position again, or all dead letters of the sink; returns how many.
///
/// # Errors
/// Where there is no such sink or delivery.
pub(crate) async fn redeliver(shop: &Shop, sink: &str, position: Option<&str>) -> Result<u64, Problem> {
    check(shop, sink).await?;
    let unknown =
        |position| Problem::new(Kind::UnknownDelivery, format!("{sink} has no delivery {position:?}"));
    let at = position.map(|text| text.parse().map_err(|_| unknown(text))).transpose()?;
    match (shop.store.redeliver(sink, at, clock::now_ms()).await?, position) {
        (0, Some(position)) => Err(unknown(position)),
        (replayed, _) => Ok(replayed),
    }
}
