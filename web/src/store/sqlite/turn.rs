//! A turn: load, decide, write, all in the writer's transaction.

use std::collections::{BTreeMap, BTreeSet};

use cart_core::{CartId, Movement, Slot};
use rusqlite::{Connection, params};

use super::{
    super::{
        AccountWants, CartWrite, Decision, KeyRef, KeyWrite, Loaded, LoadedCart, Outcome, Result, Staged,
        StoreError, StoredAnswer, Wants,
    },
    accounts, carts, catalogue,
    columns::{count, execute, int, json, row, to_json},
    experiments, gift_cards, orders, outbox, payments,
};

/// Runs a turn in the transaction that the caller has begun and will commit.
pub fn turn(db: &Connection, wants: &Wants, decision: &dyn Decision) -> Result<Outcome> {
    let (carts, wakes) = load_carts(db, &wants.carts)?;
    let mut loaded = Loaded { carts, keys: load_keys(db, &wants.keys)?, ..Loaded::default() };
    let stock = catalogue::levels(db, &decision.skus(&loaded))?;
    let AccountWants { moved, read, cards } = decision.accounts(&loaded);
    loaded.cards = gift_cards::terms(db, cards.iter())?;
    loaded.balances = accounts::balances(db, moved.union(&read))?;
    write(db, &wakes, decision.decide(loaded, stock))
}

/// Is when the sweeps look at carts, in Unix milliseconds.
type Wakes = BTreeMap<CartId, i64>;

fn load_carts(
    db: &Connection,
    wanted: &BTreeMap<CartId, Option<u64>>,
) -> Result<(BTreeMap<CartId, LoadedCart>, Wakes)> {
    let sql =
        "SELECT version, CASE WHEN version = ?2 THEN NULL ELSE state END, wake_ms FROM carts WHERE id = ?1";
    let (mut loaded, mut wakes) = (BTreeMap::new(), Wakes::new());
    for (id, known) in wanted {
        let cart = row(db, sql, params![id.as_str(), known.map(int)], |row| {
            let is_current = known.is_some() && *known == Some(count(row, 0)?);
            let cart = if is_current { LoadedCart::Current } else { LoadedCart::read(id, json(row, 1)) };
            Ok((cart, row.get::<_, Option<i64>>(2)?))
        })?;
        if let Some((cart, wake_ms)) = cart {
            loaded.insert(id.clone(), cart);
            wakes.extend(wake_ms.map(|ms| (id.clone(), ms)));
        }
    }
    Ok((loaded, wakes))
}

fn load_keys(db: &Connection, wanted: &BTreeSet<KeyRef>) -> Result<BTreeMap<KeyRef, StoredAnswer>> {
    let sql = "SELECT fingerprint, answer FROM idempotency_keys WHERE cart = ?1 AND key = ?2";
    let mut loaded = BTreeMap::new();
    for key in wanted {
        let answer = row(db, sql, [key.cart.as_str(), &key.key], |row| {
            Ok(StoredAnswer::read(row.get(0)?, json(row, 1)))
        })?;
        loaded.extend(answer.map(|a| (key.clone(), a)));
    }
    Ok(loaded)
}

fn write(db: &Connection, wakes: &Wakes, staged: Staged) -> Result<Outcome> {
    let Staged {
        carts,
        movements,
        postings,
        balances,
        orders,
        order_updates,
        payments: pending,
        keys,
        exposures,
        events,
        mut outcome,
    } = staged;
    for cart in &carts {
        write_cart(db, cart, cart.earlier_wake(wakes.get(&cart.cart.id).copied()))?;
    }
    for (slot, movement) in &movements {
        move_stock(db, slot, *movement)?;
    }
    for (account, write) in &balances {
        accounts::write_balance(db, account, *write)?;
    }
    for posting in &postings {
        accounts::write_entry(db, posting)?;
    }
    for order in &orders {
        orders::insert(db, order)?;
    }
    for order in order_updates.values() {
        orders::update(db, order)?;
    }
    payments::note(db, &pending)?;
    for key in &keys {
        write_key(db, key)?;
    }
    // A unit meets a variation before what follows from it, in the outbox too.
    outcome.exposed = experiments::expose(db, exposures)?;
    for event in &events {
        outbox::append(db, event)?;
    }
    Ok(outcome)
}

macro_rules! change {
    ($also:literal) => {
        concat!(
            "UPDATE carts SET ",
            $also,
            "version = ?5, holds_expire_at_ms = ?6, state = ?7, idle_due_ms = iif(?8, ?9, idle_due_ms),
                 wake_ms = coalesce(?10, wake_ms)
             WHERE id = ?1 AND version = ?2"
        )
    };
}

/// Changes a cart that keeps its owner and status, as nearly all do. They stand in an index, whose entry SQLite would write
/// again where they are set to what they are: a page of the log for every cart of a turn.
const CHANGE: &str = concat!(change!(""), " AND owner = ?3 AND status = ?4");
const CHANGE_ALL: &str = change!("owner = ?3, status = ?4, ");

fn write_cart(db: &Connection, write: &CartWrite, wake_ms: Option<i64>) -> Result<()> {
    let CartWrite { before, cart, idle, .. } = write;
    let (id, version, status) = (cart.id.as_str(), int(cart.version), carts::status(&cart.stage));
    let (is_moved, due_ms) = idle.columns();
    let (owner, holds_ms, state) = (cart.owner.as_str(), cart.holds_expire_at_ms, to_json(cart)?);
    let written = if *before == 0 {
        let sql =
            "INSERT INTO carts (id, owner, version, status, holds_expire_at_ms, state, idle_due_ms, wake_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO NOTHING";
        execute(db, sql, params![id, owner, version, status, holds_ms, state, due_ms, wake_ms])?
    } else {
        let set =
            params![id, int(*before), owner, status, version, holds_ms, state, is_moved, due_ms, wake_ms];
        match execute(db, CHANGE, set)? {
            0 => execute(db, CHANGE_ALL, set)?,
            changed => changed,
        }
    };
    if written != 1 {
        return Err(StoreError::Conflict(format!("cart {id} is no longer at version {before}")));
    }
    if let Some(wake_ms) = wake_ms {
        execute(db, "INSERT OR IGNORE INTO wakes (due_ms, cart) VALUES (?1, ?2)", params![wake_ms, id])?;
    }
    Ok(())
}

fn move_stock(db: &Connection, slot: &Slot, movement: Movement) -> Result<()> {
    let moved = execute(
        db,
        "UPDATE stock SET available = available + ?2, held = held + ?3, sold = sold + ?4
         WHERE sku = ?1 AND location = ?5",
        params![slot.sku.as_str(), movement.available, movement.held, movement.sold, slot.location.as_str()],
    )?;
    match moved {
        1 => Ok(()),
        _ => Err(StoreError::Conflict(format!("there is no stock of {slot}"))),
    }
}

fn write_key(db: &Connection, KeyWrite { key, fingerprint, answer, at_ms }: &KeyWrite) -> Result<()> {
    execute(
        db,
        "INSERT INTO idempotency_keys (cart, key, fingerprint, answer, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![key.cart.as_str(), key.key, fingerprint, to_json(answer)?, at_ms],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cart_that_keeps_its_owner_writes_no_index() {
        let mut db = Connection::open_in_memory().unwrap();
        super::super::schema::migrate(&mut db).unwrap();
        let writes = |sql: &str| {
            let mut program = db.prepare(&format!("EXPLAIN {sql}")).unwrap();
            let (mut steps, mut count) = (program.raw_query(), 0);
            while let Some(step) = steps.next().unwrap() {
                count += u32::from(step.get::<_, String>(1).unwrap() == "IdxInsert");
            }
            count
        };
        assert_eq!((writes(CHANGE), writes(CHANGE_ALL)), (0, 1));
    }
}
