//! Orders, placed here or brought from elsewhere.

use std::collections::BTreeSet;

use async_trait::async_trait;
use cart_core::{Order, OrderId, Sku, VisitorId};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{
    super::{EventWrite, ImportedOrder, OrderQuery, OrderStore, Result, ShopTotals, StoreError},
    SqliteStore,
    columns::{count, execute, int, json, parsed, row, rows, to_json},
    outbox,
};
use crate::events::data::order_data;

#[async_trait]
impl OrderStore for SqliteStore {
    async fn order(&self, id: &OrderId) -> Result<Option<Order>> {
        let id = id.clone();
        self.readers.run(move |db| order(db, &id)).await
    }

    async fn orders_of(&self, owner: &VisitorId, limit: usize) -> Result<Vec<Order>> {
        let owner = owner.clone();
        self.readers.run(move |db| of(db, &owner, limit)).await
    }

    async fn bought_by(&self, owner: &VisitorId, orders: usize) -> Result<BTreeSet<Sku>> {
        let owner = owner.clone();
        self.readers.run(move |db| bought_by(db, &owner, orders)).await
    }

    async fn find_orders(&self, query: &OrderQuery, limit: usize) -> Result<Vec<Order>> {
        let query = query.clone();
        self.readers.run(move |db| find(db, &query, limit)).await
    }

    async fn import_orders(&self, orders: &[ImportedOrder]) -> Result<u64> {
        let orders = orders.to_vec();
        self.writer.run(move |db| import(db, &orders)).await
    }

    async fn totals(&self) -> Result<ShopTotals> {
        self.readers.run(totals).await
    }
}

/// Inserts an order of this shop.
pub fn insert(db: &Connection, order: &Order) -> Result<()> {
    match insert_new(db, order, "shop")? {
        true => Ok(()),
        false => Err(StoreError::Conflict(format!("order {} or another of its cart exists", order.order_id))),
    }
}

fn insert_new(db: &Connection, order: &Order, source: &str) -> Result<bool> {
    let inserted = execute(
        db,
        "INSERT INTO orders (id, cart, owner, source, placed_at_ms, currency, total_minor, doc, status, email)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING",
        params![
            order.order_id.as_str(),
            order.cart.as_str(),
            order.owner.as_str(),
            source,
            order.placed_at_ms,
            order.currency.code(),
            order.total_minor,
            to_json(order)?,
            order.state.status.name(),
            order.email.to_lowercase(),
        ],
    )?;
    Ok(inserted == 1)
}

/// Writes over an order that something has become of.
pub fn update(db: &Connection, order: &Order) -> Result<()> {
    let sql = "UPDATE orders SET status = ?2, doc = ?3 WHERE id = ?1";
    let id = order.order_id.as_str();
    match execute(db, sql, params![id, order.state.status.name(), to_json(order)?])? {
        1 => Ok(()),
        _ => Err(StoreError::Conflict(format!("there is no order {id}"))),
    }
}

/// Returns orders that fit, newest first.
fn find(db: &Connection, query: &OrderQuery, limit: usize) -> Result<Vec<Order>> {
    let OrderQuery { owner, status, text, before } = query;
    let mut wheres = vec!["TRUE"];
    let mut values: Vec<(&str, Box<dyn rusqlite::ToSql>)> = vec![(":limit", Box::new(int(limit)))];
    if let Some(owner) = owner {
        wheres.push("owner = :owner");
        values.push((":owner", Box::new(owner.to_string())));
    }
    if let Some(status) = status {
        wheres.push("status = :status");
        values.push((":status", Box::new(*status)));
    }
    if let Some(text) = text {
        wheres.push("(id = :text OR (email = :text AND email <> ''))");
        values.push((":text", Box::new(text.clone())));
    }
    if let Some((at_ms, id)) = before {
        wheres.push("(placed_at_ms, id) < (:at_ms, :id)");
        values.push((":at_ms", Box::new(*at_ms)));
        values.push((":id", Box::new(id.to_string())));
    }
    let sql = format!(
        "SELECT doc FROM orders WHERE {} ORDER BY placed_at_ms DESC, id DESC LIMIT :limit",
        wheres.join(" AND ")
    );
    let values: Vec<(&str, &dyn rusqlite::ToSql)> = values.iter().map(|(name, v)| (*name, &**v)).collect();
    rows(db, &sql, &values[..], |row| json(row, 0))
}

/// Inserts orders of another system that are not there yet, with their events; returns how many were new.
pub fn import(db: &Connection, orders: &[ImportedOrder]) -> Result<u64> {
    let mut new = 0;
    for ImportedOrder(order) in orders {
        if insert_new(db, order, "import")? {
            outbox::append(
                db,
                &EventWrite {
                    id: Uuid::new_v4(),
                    at_ms: order.placed_at_ms,
                    kind: "order_placed",
                    cart: Some(order.cart.clone()),
                    unit: order.owner.clone(),
                    data: order_data(order, "import"),
                },
            )?;
            new += 1;
        }
    }
    Ok(new)
}

/// Reads an order.
pub fn order(db: &Connection, id: &OrderId) -> Result<Option<Order>> {
    row(db, "SELECT doc FROM orders WHERE id = ?1", [id.as_str()], |row| json(row, 0))
}

/// Returns a visitor's orders, newest first.
pub fn of(db: &Connection, owner: &VisitorId, limit: usize) -> Result<Vec<Order>> {
    let sql = "SELECT doc FROM orders WHERE owner = ?1 ORDER BY placed_at_ms DESC, id DESC LIMIT ?2";
    rows(db, sql, params![owner.as_str(), int(limit)], |row| json(row, 0))
}

/// Returns what stands in a visitor's newest orders.
pub fn bought_by(db: &Connection, owner: &VisitorId, orders: usize) -> Result<BTreeSet<Sku>> {
    let sql = "SELECT DISTINCT line.value ->> 'sku'
               FROM (SELECT doc FROM orders WHERE owner = ?1 ORDER BY placed_at_ms DESC, id DESC LIMIT ?2) AS newest,
                    json_each(newest.doc, '$.lines') AS line";
    let skus: Vec<Sku> = rows(db, sql, params![owner.as_str(), int(orders)], |row| parsed(row, 0))?;
    Ok(skus.into_iter().collect())
}

/// Sums carts and the shop's own orders.
pub fn totals(db: &Connection) -> Result<ShopTotals> {
    let sql = "SELECT (SELECT count(*) FROM carts), count(*), coalesce(sum(total_minor), 0)
               FROM orders WHERE source = 'shop'";
    let totals = row(db, sql, [], |row| {
        Ok(ShopTotals { carts: count(row, 0)?, orders: count(row, 1)?, revenue_minor: row.get(2)? })
    })?;
    Ok(totals.unwrap_or_default())
}
