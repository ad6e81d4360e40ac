//! Orders, the shop's own and those of other systems.

use std::collections::BTreeSet;

use cart_core::{Order, OrderId, VisitorId};
use deadpool_postgres::Client;
use tokio_postgres::Statement;
use uuid::Uuid;

use super::{
    super::{EventWrite, ImportedOrder, Result, ShopTotals},
    cells::{bigint, cell, json, number, to_json},
    error, outbox,
    transaction::{Params, Transaction, bounded, query},
};
use crate::events::data::order_data;

/// The source of orders that were placed here.
pub const SHOP: &str = "shop";
/// The source of orders that were placed elsewhere.
const IMPORT: &str = "import";

/// The most orders that one transaction imports: its events must fit its range of places, its statement the limit.
pub const IMPORT_MAX: usize = 2_000;

/// Inserts orders.
pub const INSERT: &str =
    "INSERT INTO orders (id, cart, owner, source, placed_at_ms, currency, total_minor, doc)
    SELECT w.id, w.cart, w.owner, $8, w.placed_at_ms, w.currency, w.total_minor, w.doc::json
    FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::text[], $6::int8[], $7::text[])
        AS w (id, cart, owner, placed_at_ms, currency, total_minor, doc)";

/// Inserts orders that are not there yet and returns which they were.
const TAKE_OVER: &str =
    "INSERT INTO orders (id, cart, owner, source, placed_at_ms, currency, total_minor, doc)
    SELECT w.id, w.cart, w.owner, $8, w.placed_at_ms, w.currency, w.total_minor, w.doc::json
    FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::text[], $6::int8[], $7::text[])
        AS w (id, cart, owner, placed_at_ms, currency, total_minor, doc)
    ORDER BY w.id
    ON CONFLICT DO NOTHING
    RETURNING id";

/// Is a set of orders, column by column.
struct Columns<'o> {
    ids: Vec<&'o str>,
    carts: Vec<&'o str>,
    owners: Vec<&'o str>,
    times: Vec<i64>,
    currencies: Vec<&'o str>,
    totals: Vec<i64>,
    docs: Vec<String>,
}

impl<'o> Columns<'o> {
    fn of(orders: &[&'o Order]) -> Result<Self> {
        Ok(Self {
            ids: orders.iter().map(|o| o.order_id.as_str()).collect(),
            carts: orders.iter().map(|o| o.cart.as_str()).collect(),
            owners: orders.iter().map(|o| o.owner.as_str()).collect(),
            times: orders.iter().map(|o| o.placed_at_ms).collect(),
            currencies: orders.iter().map(|o| o.currency.code()).collect(),
            totals: orders.iter().map(|o| o.total_minor).collect(),
            docs: orders.iter().map(to_json).collect::<Result<_>>()?,
        })
    }
}

/// Inserts the orders of a turn; one that stands already, or a second one of a cart, is a conflict.
pub async fn insert(
    transaction: &Transaction,
    statement: &Statement,
    orders: &[&Order],
    source: &str,
) -> Result<()> {
    if orders.is_empty() {
        return Ok(());
    }
    let c = Columns::of(orders)?;
    let params: &Params<'_> =
        &[&c.ids, &c.carts, &c.owners, &c.times, &c.currencies, &c.totals, &c.docs, &source];
    transaction.execute(statement, params).await.map(drop).map_err(|e| error::of_query(&e))
}

/// Reads an order.
pub async fn order(client: &Client, id: &OrderId) -> Result<Option<Order>> {
    let rows = query(client, "SELECT doc::text FROM orders WHERE id = $1", &[&id.as_str()]).await?;
    rows.first().map(|row| json(row, "doc")).transpose()
}

/// Reads a visitor's newest orders.
pub async fn orders_of(client: &Client, owner: &VisitorId, limit: usize) -> Result<Vec<Order>> {
    const SQL: &str =
        "SELECT doc::text FROM orders WHERE owner = $1 ORDER BY placed_at_ms DESC, id DESC LIMIT $2";
    let rows = query(client, SQL, &[&owner.as_str(), &bigint(limit)]).await?;
    rows.iter().map(|row| json(row, "doc")).collect()
}

/// Sums carts, and the shop's own orders.
pub async fn totals(client: &Client) -> Result<ShopTotals> {
    const SQL: &str = "SELECT (SELECT count(*) FROM carts) AS carts, count(*) AS orders,
            coalesce(sum(total_minor), 0)::int8 AS revenue_minor
        FROM orders WHERE source = 'shop'";
    let rows = query(client, SQL, &[]).await?;
    let Some(row) = rows.first() else { return Ok(ShopTotals::default()) };
    Ok(ShopTotals {
        carts: number(row, "carts")?,
        orders: number(row, "orders")?,
        revenue_minor: cell(row, "revenue_minor")?,
    })
}

/// Imports at most [`IMPORT_MAX`] orders and returns how many were new.
pub async fn import(client: Client, orders: &[ImportedOrder]) -> Result<u64> {
    let mut seen = BTreeSet::new();
    let orders: Vec<&Order> = orders.iter().map(|o| &o.0).filter(|o| seen.insert(&o.order_id)).collect();
    let transaction = Transaction::begin(client).await?;
    let new = bounded(take_over(&transaction, &orders)).await?;
    if new > 0 {
        transaction.commit().await?;
    }
    Ok(new)
}

async fn take_over(transaction: &Transaction, orders: &[&Order]) -> Result<u64> {
    let publish = transaction.prepare_cached(outbox::PUBLISH).await.map_err(|e| error::of_query(&e))?;
    let place = outbox::place_of(&query(transaction, outbox::PLACE, &[]).await?)?;
    let c = Columns::of(orders)?;
    let params: &Params<'_> =
        &[&c.ids, &c.carts, &c.owners, &c.times, &c.currencies, &c.totals, &c.docs, &IMPORT];
    let new = query(transaction, TAKE_OVER, params).await?;
    let new = new.iter().map(|row| cell(row, "id")).collect::<Result<BTreeSet<&str>>>()?;
    let is_new = |order: &&&Order| new.contains(order.order_id.as_str());
    let events: Vec<EventWrite> = orders.iter().filter(is_new).map(|order| placed(order)).collect();
    outbox::publish(transaction, &publish, place, &events).await?;
    Ok(events.len() as u64)
}

fn placed(order: &Order) -> EventWrite {
    EventWrite {
        id: Uuid::new_v4(),
        at_ms: order.placed_at_ms,
        kind: "order_placed",
        cart: Some(order.cart.clone()),
        unit: order.owner.clone(),
        data: order_data(order, IMPORT),
    }
}
