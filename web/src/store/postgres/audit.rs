//! The invariants, asked of all rows at one moment.

use deadpool_postgres::Client;
use tokio_postgres::error::SqlState;

use super::{super::Result, cells::cell, error, transaction::Transaction};

/// The questions read everything: they get one snapshot, time and free choice of plans.
const BEGIN: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
    SET LOCAL statement_timeout = 0;
    SET LOCAL plan_cache_mode = auto;
    SET LOCAL enable_seqscan = on;
    SET LOCAL enable_hashjoin = on;
    SET LOCAL enable_mergejoin = on;";

/// Each question selects the sentences that say what is broken.
const QUESTIONS: [&str; 9] = [
    "SELECT format('%s has %s supplied in %s, but %s available, %s held and %s sold',
            sku, supplied, location, available, held, sold) AS fault
        FROM stock
        WHERE least(available + owed_max, held, sold) < 0 OR supplied <> available + held + sold
        ORDER BY sku, location",
    "SELECT format('%s has %s held in %s, but carts hold %s', coalesce(s.sku, c.sku), coalesce(s.held, 0),
            coalesce(s.location, c.location), coalesce(c.held, 0)) AS fault
        FROM stock AS s
        FULL JOIN (
            SELECT sku, location, sum(pieces) AS held FROM (
                SELECT line ->> 'sku' AS sku, 'main' AS location, (line ->> 'held')::bigint AS pieces
                FROM carts, json_array_elements(state::json -> 'lines') AS line
                WHERE coalesce(line -> 'parts', line -> 'picks') IS NULL
                UNION ALL
                SELECT pick ->> 'sku', coalesce(pick ->> 'location', 'main'), (pick ->> 'pieces')::bigint
                FROM carts, json_array_elements(state::json -> 'lines') AS line,
                    json_array_elements(line -> 'picks') AS pick) AS holds
            GROUP BY 1, 2) AS c ON c.sku = s.sku AND c.location = s.location
        WHERE coalesce(s.held, 0) <> coalesce(c.held, 0)
        ORDER BY 1",
    "SELECT format('%s has %s sold in %s, but orders took %s', coalesce(s.sku, o.sku), coalesce(s.sold, 0),
            coalesce(s.location, o.location), coalesce(o.sold, 0)) AS fault
        FROM stock AS s
        FULL JOIN (
            SELECT taken ->> 'sku' AS sku, coalesce(taken ->> 'location', 'main') AS location,
                sum((taken ->> 'from_held')::bigint + (taken ->> 'from_available')::bigint
                    + coalesce((taken ->> 'moved')::bigint, 0) - coalesce((taken ->> 'restocked')::bigint, 0)) AS sold
            FROM (
                SELECT line AS taken FROM orders, json_array_elements(doc -> 'lines') AS line
                WHERE source = 'shop' AND coalesce(line -> 'parts', line -> 'taken') IS NULL
                UNION ALL
                SELECT part
                FROM orders, json_array_elements(doc -> 'lines') AS line, json_array_elements(line -> 'taken') AS part
                WHERE source = 'shop') AS sales
            GROUP BY 1, 2) AS o ON o.sku = s.sku AND o.location = s.location
        WHERE coalesce(s.sold, 0) <> coalesce(o.sold, 0)
        ORDER BY 1",
    "SELECT format('cart %s has %s orders', cart, count(*)) AS fault
        FROM orders GROUP BY cart HAVING count(*) > 1 ORDER BY cart",
    "SELECT CASE
            WHEN c.id IS NULL THEN format('order %s is of cart %s, which does not exist', o.id, o.cart)
            WHEN o.id IS NULL THEN format('cart %s became an order that does not exist', c.id)
            ELSE format('order %s is of cart %s, which became %s', o.id, o.cart, coalesce(c.order_id, 'no order'))
        END AS fault
        FROM (SELECT id, cart FROM orders WHERE source = 'shop') AS o
        FULL JOIN (SELECT id, state::json -> 'stage' ->> 'order_id' AS order_id FROM carts) AS c ON c.id = o.cart
        WHERE c.order_id IS DISTINCT FROM o.id
        ORDER BY 1",
    "SELECT format('the columns of cart %s differ from its state', id) AS fault
        FROM (SELECT *, state::json AS s FROM carts) AS carts
        WHERE id IS DISTINCT FROM s ->> 'id' OR owner IS DISTINCT FROM s ->> 'owner'
            OR version IS DISTINCT FROM (s ->> 'version')::bigint
            OR is_ordered IS DISTINCT FROM (s -> 'stage' ->> 'status' IN ('ordered', 'merged'))
            OR holds_expire_at_ms IS DISTINCT FROM (s ->> 'holds_expire_at_ms')::bigint
        ORDER BY id",
    "SELECT format('account %s is at %s, its entries make %s', coalesce(a.id, e.account),
            coalesce(a.balance, 0), coalesce(e.balance, 0)) AS fault
        FROM accounts AS a
        FULL JOIN (SELECT account, sum(delta) AS balance FROM account_entries GROUP BY 1) AS e
            ON e.account = a.id
        WHERE coalesce(a.balance, 0) <> coalesce(e.balance, 0)
        ORDER BY 1",
    "SELECT format('cart %s and order %s tell different states', c.id, o.id) AS fault
        FROM orders AS o JOIN carts AS c ON c.id = o.cart
        WHERE o.source = 'shop' AND (o.status <> coalesce(o.doc -> 'state' ->> 'status', 'placed')
            OR (c.state::json -> 'stage' -> 'state')::text IS DISTINCT FROM (o.doc -> 'state')::text)
        ORDER BY 1",
    "SELECT format('the payments of cart %s and their list do not agree', coalesce(c.id, p.cart)) AS fault
        FROM (
            SELECT id FROM carts, LATERAL (SELECT state::json AS s) AS j
            WHERE s -> 'stage' -> 'payment' ->> 'begun_at_ms' IS NOT NULL
                OR json_array_length(coalesce(s -> 'payment_tasks', '[]'::json)) > 0) AS c
        FULL JOIN pending_payments AS p ON p.cart = c.id
        WHERE c.id IS NULL OR p.cart IS NULL
        ORDER BY 1",
];

/// Asks all questions.
pub async fn run(client: Client) -> Result<Vec<String>> {
    let transaction = Transaction::begin(client).await?;
    transaction.batch_execute(BEGIN).await.map_err(|e| error::of_query(&e))?;
    let mut faults = vec![];
    for question in QUESTIONS {
        let statement = transaction.prepare(question).await.map_err(|e| error::of_query(&e))?;
        match transaction.query(&statement, &[]).await {
            Ok(rows) => {
                for row in rows {
                    faults.push(cell(&row, "fault")?);
                }
            }
            Err(error) if error.code() == Some(&SqlState::INVALID_TEXT_REPRESENTATION) => {
                // Nothing more can be asked: all further questions read the same rows.
                faults
                    .push(format!("the state of a cart, or an order, is no JSON: {}", error::words(&error)));
                break;
            }
            Err(error) => return Err(error::of_query(&error)),
        }
    }
    Ok(faults)
}
