//! What a turn writes: one statement a table, however many rows.

use cart_core::Sku;
use futures_util::try_join;

use super::{
    super::{
        super::{CartWrite, Exposure, Result, Staged, StoreError},
        cells::{bigint, to_json},
        error, experiments,
        orders::{self, SHOP},
        outbox,
        transaction::{Params, Transaction},
    },
    Statements,
};

/// Changes carts that still have the version that was decided on.
pub const UPDATE: &str = "UPDATE carts AS c
    SET version = w.version, is_ordered = w.is_ordered, holds_expire_at_ms = w.holds, place = $7,
        state = w.state
    FROM unnest($1::text[], $2::int8[], $3::int8[], $4::bool[], $5::int8[], $6::text[])
        AS w (id, before, version, is_ordered, holds, state)
    WHERE c.id = w.id AND c.version = w.before";

/// Inserts carts that nobody else has opened meanwhile.
pub const INSERT: &str =
    "INSERT INTO carts (id, owner, version, is_ordered, holds_expire_at_ms, opened, place, state)
    SELECT w.id, w.owner, w.version, w.is_ordered, w.holds, $7 + w.n, $7, w.state
    FROM unnest($1::text[], $2::text[], $3::int8[], $4::bool[], $5::int8[], $6::text[]) WITH ORDINALITY
        AS w (id, owner, version, is_ordered, holds, state, n)
    ORDER BY w.id
    ON CONFLICT (id) DO NOTHING";

/// Moves stock.
pub const SHIFT: &str = "UPDATE stock AS s
    SET available = s.available + m.available, held = s.held + m.held, sold = s.sold + m.sold
    FROM unnest($1::text[], $2::int8[], $3::int8[], $4::int8[]) AS m (sku, available, held, sold)
    WHERE s.sku = m.sku";

/// Keeps answers.
pub const KEEP: &str = "INSERT INTO idempotency_keys (cart, key, fingerprint, answer, at_ms)
    SELECT w.cart, w.key, w.fingerprint, w.answer, w.at_ms
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[])
        AS w (cart, key, fingerprint, answer, at_ms)";

/// Writes everything that was staged, in the one order of locks, and returns the exposures that were new.
pub async fn all(
    transaction: &Transaction,
    statements: &Statements,
    place: i64,
    staged: &Staged,
) -> Result<Vec<Exposure>> {
    let (new, old): (Vec<_>, Vec<_>) = staged.carts.iter().partition(|write| write.before == 0);
    let orders: Vec<_> = staged.orders.iter().collect();
    let ((), (), (), (), (), exposed, ()) = try_join!(
        update(transaction, statements, place, &old),
        shift(transaction, statements, staged),
        insert(transaction, statements, place, &new),
        orders::insert(transaction, &statements.order, &orders, SHOP),
        keep(transaction, statements, staged),
        experiments::log(transaction, &statements.expose, place, &staged.exposures),
        outbox::publish(transaction, &statements.publish, place, &staged.events),
    )?;
    Ok(exposed)
}

/// Is the part of both statements on carts that is the same, column by column.
struct CartColumns<'w> {
    ids: Vec<&'w str>,
    versions: Vec<i64>,
    ordered: Vec<bool>,
    holds: Vec<Option<i64>>,
    states: Vec<String>,
}

impl<'w> CartColumns<'w> {
    fn of(writes: &[&'w CartWrite]) -> Result<Self> {
        let carts = || writes.iter().map(|write| &*write.cart);
        Ok(Self {
            ids: writes.iter().map(|write| write.cart.id.as_str()).collect(),
            versions: carts().map(|cart| bigint(cart.version)).collect(),
            ordered: carts().map(|cart| cart.order_id().is_some()).collect(),
            holds: carts().map(|cart| cart.holds_expire_at_ms).collect(),
            states: carts().map(to_json).collect::<Result<_>>()?,
        })
    }
}

async fn update(
    transaction: &Transaction,
    statements: &Statements,
    place: i64,
    writes: &[&CartWrite],
) -> Result<()> {
    if writes.is_empty() {
        return Ok(());
    }
    let c = CartColumns::of(writes)?;
    let before: Vec<i64> = writes.iter().map(|write| bigint(write.before)).collect();
    let params: &Params<'_> = &[&c.ids, &before, &c.versions, &c.ordered, &c.holds, &c.states, &place];
    let done = transaction.execute(&statements.update, params).await.map_err(|e| error::of_query(&e))?;
    expect(done, writes.len(), "a cart has another version")
}

async fn insert(
    transaction: &Transaction,
    statements: &Statements,
    place: i64,
    writes: &[&CartWrite],
) -> Result<()> {
    if writes.is_empty() {
        return Ok(());
    }
    let c = CartColumns::of(writes)?;
    let owners: Vec<&str> = writes.iter().map(|write| write.cart.owner.as_str()).collect();
    let params: &Params<'_> = &[&c.ids, &owners, &c.versions, &c.ordered, &c.holds, &c.states, &place];
    let done = transaction.execute(&statements.insert, params).await.map_err(|e| error::of_query(&e))?;
    expect(done, writes.len(), "a new cart stands already")
}

async fn shift(transaction: &Transaction, statements: &Statements, staged: &Staged) -> Result<()> {
    if staged.movements.is_empty() {
        return Ok(());
    }
    let skus: Vec<&str> = staged.movements.keys().map(Sku::as_str).collect();
    let available: Vec<i64> = staged.movements.values().map(|m| m.available).collect();
    let held: Vec<i64> = staged.movements.values().map(|m| m.held).collect();
    let sold: Vec<i64> = staged.movements.values().map(|m| m.sold).collect();
    let params: &Params<'_> = &[&skus, &available, &held, &sold];
    let done = transaction.execute(&statements.shift, params).await.map_err(|e| error::of_query(&e))?;
    expect(done, skus.len(), "a product has no stock")
}

async fn keep(transaction: &Transaction, statements: &Statements, staged: &Staged) -> Result<()> {
    if staged.keys.is_empty() {
        return Ok(());
    }
    let carts: Vec<&str> = staged.keys.iter().map(|k| k.key.cart.as_str()).collect();
    let keys: Vec<&str> = staged.keys.iter().map(|k| k.key.key.as_str()).collect();
    let fingerprints: Vec<&str> = staged.keys.iter().map(|k| k.fingerprint.as_str()).collect();
    let answers: Vec<String> = staged.keys.iter().map(|k| to_json(&k.answer)).collect::<Result<_>>()?;
    let times: Vec<i64> = staged.keys.iter().map(|k| k.at_ms).collect();
    let params: &Params<'_> = &[&carts, &keys, &fingerprints, &answers, &times];
    transaction.execute(&statements.keep, params).await.map(drop).map_err(|e| error::of_query(&e))
}

fn expect(done: u64, wanted: usize, otherwise: &str) -> Result<()> {
    if done == wanted as u64 { Ok(()) } else { Err(StoreError::Conflict(otherwise.into())) }
}
