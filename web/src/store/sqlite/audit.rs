//! The invariants over all rows.

use rusqlite::Connection;

use super::{super::Result, columns::rows};

/// Each query returns a sentence for every row that is wrong.
const CHECKS: [&str; 9] = [
    "SELECT format('stock of %s in %s is not conserved: %d supplied, %d available, %d held, %d sold',
                   sku, location, supplied, available, held, sold)
     FROM stock WHERE supplied <> available + held + sold OR min(available + owed_max, held, sold) < 0
     ORDER BY sku, location",
    "WITH holds AS (
         SELECT sku, location, sum(pieces) AS held FROM (
             SELECT line.value ->> 'sku' AS sku, 'main' AS location, line.value ->> 'held' AS pieces
             FROM carts, json_each(carts.state, '$.lines') AS line
             WHERE coalesce(line.value -> 'parts', line.value -> 'picks') IS NULL
             UNION ALL
             SELECT pick.value ->> 'sku', coalesce(pick.value ->> 'location', 'main'), pick.value ->> 'pieces'
             FROM carts, json_each(carts.state, '$.lines') AS line, json_each(line.value, '$.picks') AS pick)
         GROUP BY 1, 2)
     SELECT format('%d pieces of %s are held in %s, carts hold %d', coalesce(stock.held, 0),
                   coalesce(stock.sku, holds.sku), coalesce(stock.location, holds.location), coalesce(holds.held, 0))
     FROM stock FULL JOIN holds ON holds.sku = stock.sku AND holds.location = stock.location
     WHERE coalesce(stock.held, 0) <> coalesce(holds.held, 0) ORDER BY 1",
    "WITH sales AS (
         SELECT sku, location, sum(pieces) AS sold FROM (
             SELECT taken ->> 'sku' AS sku, coalesce(taken ->> 'location', 'main') AS location, (taken ->> 'from_held') + (taken ->> 'from_available')
                 + coalesce(taken ->> 'moved', 0) - coalesce(taken ->> 'restocked', 0) AS pieces
             FROM (
                 SELECT line.value AS taken FROM orders, json_each(orders.doc, '$.lines') AS line
                 WHERE source = 'shop' AND coalesce(line.value -> 'parts', line.value -> 'taken') IS NULL
                 UNION ALL
                 SELECT part.value
                 FROM orders, json_each(orders.doc, '$.lines') AS line, json_each(line.value, '$.taken') AS part
                 WHERE source = 'shop'))
         GROUP BY 1, 2)
     SELECT format('%d pieces of %s are sold in %s, orders took %d', coalesce(stock.sold, 0),
                   coalesce(stock.sku, sales.sku), coalesce(stock.location, sales.location), coalesce(sales.sold, 0))
     FROM stock FULL JOIN sales ON sales.sku = stock.sku AND sales.location = stock.location
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
    "WITH sums AS (SELECT account, sum(delta) AS balance FROM account_entries GROUP BY 1)
     SELECT format('account %s is at %d, its entries make %d', coalesce(accounts.id, sums.account),
                   coalesce(accounts.balance, 0), coalesce(sums.balance, 0))
     FROM accounts FULL JOIN sums ON sums.account = accounts.id
     WHERE coalesce(accounts.balance, 0) <> coalesce(sums.balance, 0) ORDER BY 1",
    "SELECT format('cart %s and order %s tell different states', carts.id, orders.id)
     FROM orders JOIN carts ON carts.id = orders.cart
     WHERE source = 'shop' AND (orders.status <> coalesce(doc -> 'state' ->> 'status', 'placed')
         OR (state -> 'stage' -> 'state') IS NOT (doc -> 'state')) ORDER BY 1",
    "WITH due AS (
         SELECT id FROM carts
         WHERE state -> 'stage' ->> 'payment' LIKE '{%' OR json_array_length(state, '$.payment_tasks') > 0)
     SELECT format('the payments of cart %s and their list do not agree', coalesce(due.id, cart))
     FROM due FULL JOIN pending_payments ON cart = due.id WHERE cart IS NULL OR due.id IS NULL ORDER BY 1",
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
