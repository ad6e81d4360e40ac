//! Orders, placed here or brought from elsewhere.

use cart_core::{Order, OrderId, VisitorId};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{
    super::{EventWrite, ImportedOrder, Result, ShopTotals, StoreError},
    columns::{count, execute, int, json, row, rows, to_json},
    outbox,
};
use crate::events::data::order_data;

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
        "INSERT INTO orders (id, cart, owner, source, placed_at_ms, currency, total_minor, doc)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        params![
            order.order_id.as_str(),
            order.cart.as_str(),
            order.owner.as_str(),
            source,
            order.placed_at_ms,
            order.currency.code(),
            order.total_minor,
            to_json(order)?,
        ],
    )?;
    Ok(inserted == 1)
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

/// Sums carts and the shop's own orders.
pub fn totals(db: &Connection) -> Result<ShopTotals> {
    let sql = "SELECT (SELECT count(*) FROM carts), count(*), coalesce(sum(total_minor), 0)
               FROM orders WHERE source = 'shop'";
    let totals = row(db, sql, [], |row| {
        Ok(ShopTotals { carts: count(row, 0)?, orders: count(row, 1)?, revenue_minor: row.get(2)? })
    })?;
    Ok(totals.unwrap_or_default())
}
