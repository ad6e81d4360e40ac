//! Orders, the shop's own and those of other systems.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use cart_core::{Order, OrderId, Sku, VisitorId};
use deadpool_postgres::Client;
use tokio_postgres::{Statement, types::ToSql};
use uuid::Uuid;

use super::{
    super::{EventWrite, ImportedOrder, OrderQuery, OrderStore, Result, ShopTotals},
    PostgresStore,
    cells::{bigint, cell, json, number, parsed, to_json},
    error, outbox,
    transaction::{Params, Transaction, bounded, query},
};
use crate::events::data::order_data;

#[async_trait]
impl OrderStore for PostgresStore {
    async fn order(&self, id: &OrderId) -> Result<Option<Order>> {
        bounded(order(&self.client().await?, id)).await
    }

    async fn orders_of(&self, owner: &VisitorId, limit: usize) -> Result<Vec<Order>> {
        bounded(orders_of(&self.client().await?, owner, limit)).await
    }

    async fn bought_by(&self, owner: &VisitorId, orders: usize) -> Result<BTreeSet<Sku>> {
        bounded(bought_by(&self.client().await?, owner, orders)).await
    }

    async fn find_orders(&self, query: &OrderQuery, limit: usize) -> Result<Vec<Order>> {
        bounded(find(&self.client().await?, query, limit)).await
    }

    async fn import_orders(&self, orders: &[ImportedOrder]) -> Result<u64> {
        let mut new = 0;
        for chunk in orders.chunks(IMPORT_MAX) {
            new += import(self.client().await?, chunk).await?;
        }
        Ok(new)
    }

    async fn totals(&self) -> Result<ShopTotals> {
        bounded(totals(&self.client().await?)).await
    }
}

/// The source of orders that were placed here.
const SHOP: &str = "shop";
/// The source of orders that were placed elsewhere.
const IMPORT: &str = "import";

/// The most orders that one transaction imports: its events must fit its range of places, its statement the limit.
pub const IMPORT_MAX: usize = 2_000;

/// Inserts orders.
pub const INSERT: &str =
    "INSERT INTO orders (id, cart, owner, source, placed_at_ms, currency, total_minor, doc, status, email)
    SELECT w.id, w.cart, w.owner, $8, w.placed_at_ms, w.currency, w.total_minor, w.doc::json, w.status, w.email
    FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::text[], $6::int8[], $7::text[], $9::text[],
            $10::text[])
        AS w (id, cart, owner, placed_at_ms, currency, total_minor, doc, status, email)";

/// Inserts orders that are not there yet and returns which they were.
const TAKE_OVER: &str =
    "INSERT INTO orders (id, cart, owner, source, placed_at_ms, currency, total_minor, doc, status, email)
    SELECT w.id, w.cart, w.owner, $8, w.placed_at_ms, w.currency, w.total_minor, w.doc::json, w.status, w.email
    FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::text[], $6::int8[], $7::text[], $9::text[],
            $10::text[])
        AS w (id, cart, owner, placed_at_ms, currency, total_minor, doc, status, email)
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
    statuses: Vec<&'static str>,
    emails: Vec<String>,
    source: &'o str,
}

impl<'o> Columns<'o> {
    fn of(orders: &[&'o Order], source: &'o str) -> Result<Self> {
        Ok(Self {
            source,
            ids: orders.iter().map(|o| o.order_id.as_str()).collect(),
            carts: orders.iter().map(|o| o.cart.as_str()).collect(),
            owners: orders.iter().map(|o| o.owner.as_str()).collect(),
            times: orders.iter().map(|o| o.placed_at_ms).collect(),
            currencies: orders.iter().map(|o| o.currency.code()).collect(),
            totals: orders.iter().map(|o| o.total_minor).collect(),
            docs: orders.iter().map(to_json).collect::<Result<_>>()?,
            statuses: orders.iter().map(|o| o.state.status.name()).collect(),
            emails: orders.iter().map(|o| o.email.to_lowercase()).collect(),
        })
    }

    /// Returns the columns in the order in which both statements number them.
    fn params(&self) -> [&(dyn ToSql + Sync); 10] {
        [
            &self.ids,
            &self.carts,
            &self.owners,
            &self.times,
            &self.currencies,
            &self.totals,
            &self.docs,
            &self.source,
            &self.statuses,
            &self.emails,
        ]
    }
}

/// Inserts the orders of a turn; one that stands already, or a second one of a cart, is a conflict.
pub async fn insert(transaction: &Transaction, statement: &Statement, orders: &[Order]) -> Result<()> {
    if orders.is_empty() {
        return Ok(());
    }
    let orders: Vec<&Order> = orders.iter().collect();
    let columns = Columns::of(&orders, SHOP)?;
    transaction.execute(statement, &columns.params()).await.map(drop).map_err(|e| error::of_query(&e))
}

/// Writes over orders that something has become of; fails where one of them is gone.
pub const CHANGE: &str = "WITH changed AS (
        UPDATE orders AS o SET status = w.status, doc = w.doc::json
        FROM unnest($1::text[], $2::text[], $3::text[]) AS w (id, status, doc)
        WHERE o.id = w.id
        RETURNING o.id
    )
    SELECT 1 / (count(*) = cardinality($1))::int FROM changed";

/// Writes over the orders of a turn, whose carts are guarded.
pub async fn change(
    transaction: &Transaction,
    statement: &Statement,
    orders: &BTreeMap<OrderId, Order>,
) -> Result<()> {
    if orders.is_empty() {
        return Ok(());
    }
    let orders: Vec<&Order> = orders.values().collect();
    let c = Columns::of(&orders, SHOP)?;
    let params: &Params<'_> = &[&c.ids, &c.statuses, &c.docs];
    transaction.execute(statement, params).await.map(drop).map_err(|e| error::of_query(&e))
}

/// Returns orders that fit, newest first. What is not asked for stays out of the statement, so that each question finds
/// its index.
pub async fn find(client: &Client, wanted: &OrderQuery, limit: usize) -> Result<Vec<Order>> {
    let OrderQuery { owner, status, text, before } = wanted;
    let (owner, limit) = (owner.as_ref().map(VisitorId::as_str), bigint(limit));
    let (at_ms, id) = before.as_ref().map(|(at_ms, id)| (*at_ms, id.as_str())).unzip();
    let mut wheres = vec!["true".to_owned()];
    let mut params: Vec<&(dyn ToSql + Sync)> = vec![&limit];
    if owner.is_some() {
        params.push(&owner);
        wheres.push(format!("owner = ${}", params.len()));
    }
    if status.is_some() {
        params.push(status);
        wheres.push(format!("status = ${}", params.len()));
    }
    if text.is_some() {
        params.push(text);
        wheres.push(format!("(id = ${0} OR (email = ${0} AND email <> ''))", params.len()));
    }
    if before.is_some() {
        params.extend([&at_ms as &(dyn ToSql + Sync), &id]);
        wheres.push(format!("(placed_at_ms, id) < (${}, ${})", params.len() - 1, params.len()));
    }
    let sql = format!(
        "SELECT doc::text FROM orders WHERE {} ORDER BY placed_at_ms DESC, id DESC LIMIT $1",
        wheres.join(" AND ")
    );
    let rows = query(client, &sql, &params).await?;
    rows.iter().map(|row| json(row, "doc")).collect()
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

/// Returns what stands in a visitor's newest orders.
pub async fn bought_by(client: &Client, owner: &VisitorId, orders: usize) -> Result<BTreeSet<Sku>> {
    const SQL: &str = "SELECT DISTINCT line ->> 'sku' AS sku
        FROM (SELECT doc FROM orders WHERE owner = $1 ORDER BY placed_at_ms DESC, id DESC LIMIT $2) AS newest
            CROSS JOIN LATERAL json_array_elements(newest.doc -> 'lines') AS line";
    let rows = query(client, SQL, &[&owner.as_str(), &bigint(orders)]).await?;
    rows.iter().map(|row| parsed(row, "sku")).collect()
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
    let columns = Columns::of(orders, IMPORT)?;
    let new = query(transaction, TAKE_OVER, &columns.params()).await?;
    let new = new.iter().map(|row| cell(row, "id")).collect::<Result<BTreeSet<&str>>>()?;
    let is_new = |order: &&&Order| new.contains(order.order_id.as_str());
    let events: Vec<EventWrite> = orders.iter().filter(is_new).map(|order| placed(order)).collect();
    outbox::tell(transaction, &events).await?;
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
