//! What a turn writes: one statement a table, however many rows.

use cart_core::AccountId;
use futures_util::try_join;
use tokio_postgres::Statement;

use super::{
    super::{
        super::{BalanceWrite, CartWrite, Exposure, Result, Staged, StoreError},
        cells::{bigint, to_json},
        error, experiments,
        orders::{self, SHOP},
        outbox, payments,
        transaction::{Params, Transaction, execute},
    },
    Locked, Statements,
};

/// Changes carts that still have the version that was decided on, and wakes the sweeps for those that are due before the wake
/// that stands. The wake is compared here, with the row as it is, because sweeps put wakes off without the cart's lock.
/// Fails where a row has another version, or was changed by a transaction with a higher place, so that nothing of the turn is
/// committed: what else it writes rests on these rows.
pub const UPDATE: &str = "WITH changed AS (
        UPDATE carts AS c
        SET version = w.version, is_ordered = w.is_ordered, holds_expire_at_ms = w.holds, place = $7,
            state = w.state, idle_due_ms = CASE WHEN w.is_moved THEN w.due ELSE c.idle_due_ms END,
            wake_ms = least(c.wake_ms, w.wake)
        FROM unnest($1::text[], $2::int8[], $3::int8[], $4::bool[], $5::int8[], $6::text[], $8::bool[], $9::int8[],
            $10::int8[]) AS w (id, before, version, is_ordered, holds, state, is_moved, due, wake)
        WHERE c.id = w.id AND c.version = w.before AND c.place < $7
        RETURNING c.id, c.wake_ms, c.wake_ms = w.wake AS is_woken
    ), woken AS (
        INSERT INTO wakes (due_ms, cart) SELECT wake_ms, id FROM changed WHERE is_woken ON CONFLICT DO NOTHING
    )
    SELECT 1 / (count(*) = cardinality($1))::int FROM changed";

/// Inserts carts that nobody else has opened meanwhile.
pub const INSERT: &str =
    "INSERT INTO carts (id, owner, version, is_ordered, holds_expire_at_ms, opened, place, state, idle_due_ms, wake_ms)
    SELECT w.id, w.owner, w.version, w.is_ordered, w.holds, $7 + w.n, $7, w.state, w.due, w.wake
    FROM unnest($1::text[], $2::text[], $3::int8[], $4::bool[], $5::int8[], $6::text[], $8::int8[], $9::int8[])
        WITH ORDINALITY AS w (id, owner, version, is_ordered, holds, state, due, wake, n)
    ORDER BY w.id
    ON CONFLICT (id) DO NOTHING";

/// Writes the wakes of new carts.
pub const WAKE: &str = "INSERT INTO wakes (due_ms, cart) SELECT * FROM unnest($1::int8[], $2::text[])";

/// Moves stock.
pub const SHIFT: &str = "UPDATE stock AS s
    SET available = s.available + m.available, held = s.held + m.held, sold = s.sold + m.sold
    FROM unnest($1::text[], $2::int8[], $3::int8[], $4::int8[], $5::text[]) AS m (sku, available, held, sold, location)
    WHERE s.sku = m.sku AND s.location = m.location";

/// Keeps answers.
pub const KEEP: &str = "INSERT INTO idempotency_keys (cart, key, fingerprint, answer, at_ms)
    SELECT w.cart, w.key, w.fingerprint, w.answer, w.at_ms
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[])
        AS w (cart, key, fingerprint, answer, at_ms)";

/// Reports whether nothing but a failure can keep the writes of a turn from being what was decided: all rows that they
/// change are locked, none of them is a row that somebody else may have made meanwhile, and each is one statement. Then
/// the commit need not wait for them.
pub fn is_sure(staged: &Staged, locked: &Locked) -> bool {
    staged.carts.iter().all(|write| locked.carts.get(&write.cart.id) == Some(&write.before))
        && staged.movements.keys().all(|slot| locked.slots.contains(slot))
        && staged.postings.is_empty()
        && staged.orders.is_empty()
        && staged.order_updates.is_empty()
        && staged.payments.is_empty()
        && staged.exposures.is_empty()
}

/// Writes everything that was staged, in the one order of locks, and returns the exposures that were new.
pub async fn all(
    transaction: &Transaction,
    statements: &Statements,
    place: i64,
    staged: &Staged,
) -> Result<Vec<Exposure>> {
    let (new, old): (Vec<_>, Vec<_>) = staged.carts.iter().partition(|write| write.before == 0);
    let orders: Vec<_> = staged.orders.iter().collect();
    let (old, new) = (CartColumns::of(&old)?, CartColumns::of(&new)?);
    let ((), (), (), (), (), (), (), (), (), exposed, ()) = try_join!(
        update(transaction, statements, place, &old),
        shift(transaction, statements, staged),
        insert(transaction, statements, place, &new),
        wake(transaction, statements, &new),
        post(transaction, statements, staged),
        orders::insert(transaction, &statements.order, &orders, SHOP),
        payments::note(transaction, &statements.enter_payment, &statements.strike_payment, &staged.payments),
        orders::change(transaction, &statements.change_order, &staged.order_updates),
        keep(transaction, statements, staged),
        experiments::log(transaction, &statements.expose, place, &staged.exposures),
        outbox::publish(transaction, &statements.publish, place, &staged.events),
    )?;
    claim(transaction, staged).await?;
    Ok(exposed)
}

/// Gives carts to their new owners. Few turns do, so it is no part of the statement that every turn runs.
async fn claim(transaction: &Transaction, staged: &Staged) -> Result<()> {
    const SQL: &str =
        "UPDATE carts AS c SET owner = w.owner FROM unnest($1::text[], $2::text[]) AS w (id, owner)
        WHERE c.id = w.id";
    let claimed: Vec<_> = staged.carts.iter().filter(|write| write.is_claimed).collect();
    if claimed.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = claimed.iter().map(|write| write.cart.id.as_str()).collect();
    let owners: Vec<&str> = claimed.iter().map(|write| write.cart.owner.as_str()).collect();
    let done = execute(transaction, SQL, &[&ids, &owners]).await?;
    expect(done, claimed.len(), "a claimed cart is gone")
}

/// Is the part of both statements on carts that is the same, column by column.
struct CartColumns<'w> {
    ids: Vec<&'w str>,
    owners: Vec<&'w str>,
    before: Vec<i64>,
    versions: Vec<i64>,
    ordered: Vec<bool>,
    holds: Vec<Option<i64>>,
    states: Vec<String>,
    moved: Vec<bool>,
    due: Vec<Option<i64>>,
    wakes: Vec<Option<i64>>,
}

impl<'w> CartColumns<'w> {
    fn of(writes: &[&'w CartWrite]) -> Result<Self> {
        let carts = || writes.iter().map(|write| &*write.cart);
        let (moved, due) = writes.iter().map(|write| write.idle.columns()).unzip();
        Ok(Self {
            ids: carts().map(|cart| cart.id.as_str()).collect(),
            owners: carts().map(|cart| cart.owner.as_str()).collect(),
            before: writes.iter().map(|write| bigint(write.before)).collect(),
            versions: carts().map(|cart| bigint(cart.version)).collect(),
            ordered: carts().map(|cart| cart.is_closed()).collect(),
            holds: carts().map(|cart| cart.holds_expire_at_ms).collect(),
            states: carts().map(to_json).collect::<Result<_>>()?,
            moved,
            due,
            wakes: writes.iter().map(|write| write.due_ms()).collect(),
        })
    }
}

async fn update(
    transaction: &Transaction,
    statements: &Statements,
    place: i64,
    c: &CartColumns<'_>,
) -> Result<()> {
    let params: &Params<'_> = &[
        &c.ids,
        &c.before,
        &c.versions,
        &c.ordered,
        &c.holds,
        &c.states,
        &place,
        &c.moved,
        &c.due,
        &c.wakes,
    ];
    execute_unless(c.ids.is_empty(), transaction, &statements.update, params).await.map(drop)
}

async fn insert(
    transaction: &Transaction,
    statements: &Statements,
    place: i64,
    c: &CartColumns<'_>,
) -> Result<()> {
    let params: &Params<'_> =
        &[&c.ids, &c.owners, &c.versions, &c.ordered, &c.holds, &c.states, &place, &c.due, &c.wakes];
    let done = execute_unless(c.ids.is_empty(), transaction, &statements.insert, params).await?;
    expect(done, c.ids.len(), "a new cart stands already")
}

async fn wake(transaction: &Transaction, statements: &Statements, c: &CartColumns<'_>) -> Result<()> {
    let early = || c.wakes.iter().zip(&c.ids).filter_map(|(wake_ms, id)| Some(((*wake_ms)?, *id)));
    let (due, carts): (Vec<i64>, Vec<&str>) = early().unzip();
    let params: &Params<'_> = &[&due, &carts];
    execute_unless(due.is_empty(), transaction, &statements.wake, params).await.map(drop)
}

async fn shift(transaction: &Transaction, statements: &Statements, staged: &Staged) -> Result<()> {
    if staged.movements.is_empty() {
        return Ok(());
    }
    let skus: Vec<&str> = staged.movements.keys().map(|slot| slot.sku.as_str()).collect();
    let locations: Vec<&str> = staged.movements.keys().map(|slot| slot.location.as_str()).collect();
    let available: Vec<i64> = staged.movements.values().map(|m| m.available).collect();
    let held: Vec<i64> = staged.movements.values().map(|m| m.held).collect();
    let sold: Vec<i64> = staged.movements.values().map(|m| m.sold).collect();
    let params: &Params<'_> = &[&skus, &available, &held, &sold, &locations];
    let done = transaction.execute(&statements.shift, params).await.map_err(|e| error::of_query(&e))?;
    expect(done, skus.len(), "a product has no stock")
}

/// Moves the balances of accounts, begins new ones and writes the entries.
async fn post(transaction: &Transaction, statements: &Statements, staged: &Staged) -> Result<()> {
    if staged.postings.is_empty() {
        return Ok(());
    }
    let (mut old, mut before, mut after) = (vec![], vec![], vec![]);
    let (mut new, mut kinds, mut first) = (vec![], vec![], vec![]);
    for (account, write) in &staged.balances {
        match write {
            BalanceWrite { before: Some(balance), after: next } => {
                old.push(account.to_string());
                before.push(*balance);
                after.push(*next);
            }
            BalanceWrite { before: None, after } => {
                new.push(account.to_string());
                kinds.push(account.kind());
                first.push(*after);
            }
        }
    }
    let entries = || staged.postings.iter();
    let accounts: Vec<String> = entries().map(|e| AccountId::to_string(&e.posting.account)).collect();
    let causes: Vec<&str> = entries().map(|e| e.cause.as_str()).collect();
    let deltas: Vec<i64> = entries().map(|e| e.posting.delta).collect();
    let times: Vec<i64> = entries().map(|e| e.at_ms).collect();
    let (old_params, new_params, entry_params): (&Params<'_>, &Params<'_>, &Params<'_>) =
        (&[&old, &before, &after], &[&new, &kinds, &first], &[&accounts, &causes, &deltas, &times]);
    let (moved, begun, _) = try_join!(
        execute_unless(old.is_empty(), transaction, &statements.balance, old_params),
        execute_unless(new.is_empty(), transaction, &statements.begin, new_params),
        execute_unless(false, transaction, &statements.enter, entry_params),
    )?;
    expect(moved, old.len(), "an account has moved")?;
    expect(begun, new.len(), "an account stands already")
}

async fn execute_unless(
    is_needless: bool,
    transaction: &Transaction,
    statement: &Statement,
    params: &Params<'_>,
) -> Result<u64> {
    if is_needless {
        return Ok(0);
    }
    transaction.execute(statement, params).await.map_err(|e| error::of_query(&e))
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
