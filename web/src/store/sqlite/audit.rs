//! The invariants over all rows.

use rusqlite::Connection;

use super::{super::Result, columns::rows};

/// Each query returns a sentence for every row that is wrong.
const CHECKS: [&str; 6] = [
    "SELECT format('stock of %s is not conserved: %d supplied, %d available, %d held, %d sold',
                   sku, supplied, available, held, sold)
     FROM stock WHERE supplied <> available + held + sold OR min(available, held, sold) < 0 ORDER BY sku",
    "WITH holds AS (
         SELECT line.value ->> 'sku' AS sku, sum(line.value ->> 'held') AS held
         FROM carts, json_each(carts.state, '$.lines') AS line GROUP BY 1)
     SELECT format('%d pieces of %s are held, carts hold %d',
                   coalesce(stock.held, 0), coalesce(stock.sku, holds.sku), coalesce(holds.held, 0))
     FROM stock FULL JOIN holds ON holds.sku = stock.sku
     WHERE coalesce(stock.held, 0) <> coalesce(holds.held, 0) ORDER BY 1",
    "WITH sales AS (
         SELECT line.value ->> 'sku' AS sku, sum((line.value ->> 'from_held') + (line.value ->> 'from_available')) AS sold
         FROM orders, json_each(orders.doc, '$.lines') AS line WHERE source = 'shop' GROUP BY 1)
     SELECT format('%d pieces of %s are sold, orders took %d',
                   coalesce(stock.sold, 0), coalesce(stock.sku, sales.sku), coalesce(sales.sold, 0))
     FROM stock FULL JOIN sales ON sales.sku = stock.sku
     WHERE coalesce(stock.sold, 0) <> coalesce(sales.sold, 0) ORDER BY 1",
    "SELECT format('cart %s became %d orders', cart, count(*)) FROM orders GROUP BY cart HAVING count(*) > 1",
    "SELECT format('cart %s is %s, its order is %s', coalesce(carts.id, orders.cart), coalesce(carts.status, 'gone'),
                   coalesce(orders.id, 'gone'))
     FROM (SELECT id, status, state -> 'stage' ->> 'order_id' AS order_id FROM carts) AS carts
     FULL JOIN (SELECT id, cart FROM orders WHERE source = 'shop') AS orders ON orders.cart = carts.id
     WHERE (carts.status = 'ordered' OR orders.id IS NOT NULL) AND carts.order_id IS NOT orders.id ORDER BY 1",
    "SELECT format('the columns of cart %s differ from its state', id) FROM carts
     WHERE version <> state ->> 'version' OR status <> state -> 'stage' ->> 'status' OR id <> state ->> 'id'
        OR owner <> state ->> 'owner' OR holds_expire_at_ms IS NOT (state ->> 'holds_expire_at_ms') ORDER BY id",
];

/// The checks above read the JSON, so it must be JSON.
const READABLE: &str =
    "SELECT format('the state of cart %s is no JSON', id) FROM carts WHERE NOT json_valid(state)
     UNION ALL SELECT format('order %s is no JSON', id) FROM orders WHERE NOT json_valid(doc)";

/// Says what is broken, a sentence each.
pub fn audit(db: &Connection) -> Result<Vec<String>> {
    let unreadable = rows(db, READABLE, [], |row| row.get(0))?;
    if !unreadable.is_empty() {
        return Ok(unreadable);
    }
    let mut broken = vec![];
    for check in CHECKS {
        broken.extend(rows(db, check, [], |row| row.get::<_, String>(0))?);
    }
    Ok(broken)
}
