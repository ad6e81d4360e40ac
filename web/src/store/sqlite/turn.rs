//! A turn: load, decide, write, all in the writer's transaction.

use std::collections::{BTreeMap, BTreeSet};

use cart_core::{CartId, Movement, Sku};
use rusqlite::{Connection, params};

use super::{
    super::{
        CartWrite, Decision, KeyRef, KeyWrite, Loaded, LoadedCart, Outcome, Result, Staged, StoreError,
        StoredAnswer, Wants,
    },
    carts, catalogue,
    columns::{count, execute, int, json, row, to_json},
    experiments, orders, outbox,
};

/// Runs a turn in the transaction that the caller has begun and will commit.
pub fn turn(db: &Connection, wants: &Wants, decision: Box<dyn Decision>) -> Result<Outcome> {
    let loaded = Loaded { carts: load_carts(db, &wants.carts)?, keys: load_keys(db, &wants.keys)? };
    let stock = catalogue::levels(db, &decision.skus(&loaded))?;
    write(db, decision.decide(loaded, stock))
}

fn load_carts(
    db: &Connection,
    wanted: &BTreeMap<CartId, Option<u64>>,
) -> Result<BTreeMap<CartId, LoadedCart>> {
    let sql = "SELECT version, CASE WHEN version = ?2 THEN NULL ELSE state END FROM carts WHERE id = ?1";
    let mut loaded = BTreeMap::new();
    for (id, known) in wanted {
        let cart = row(db, sql, params![id.as_str(), known.map(int)], |row| {
            let is_current = known.is_some() && *known == Some(count(row, 0)?);
            Ok(if is_current { LoadedCart::Current } else { LoadedCart::read(id, json(row, 1)) })
        })?;
        loaded.extend(cart.map(|c| (id.clone(), c)));
    }
    Ok(loaded)
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

fn write(db: &Connection, staged: Staged) -> Result<Outcome> {
    let Staged { carts, movements, orders, keys, exposures, events, mut outcome } = staged;
    for cart in &carts {
        write_cart(db, cart)?;
    }
    for (sku, movement) in &movements {
        move_stock(db, sku, *movement)?;
    }
    for order in &orders {
        orders::insert(db, order)?;
    }
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

fn write_cart(db: &Connection, CartWrite { before, cart }: &CartWrite) -> Result<()> {
    let (id, version, status) = (cart.id.as_str(), int(cart.version), carts::status(&cart.stage));
    let state = to_json(cart)?;
    let written = match before {
        0 => execute(
            db,
            "INSERT INTO carts (id, owner, version, status, holds_expire_at_ms, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO NOTHING",
            params![id, cart.owner.as_str(), version, status, cart.holds_expire_at_ms, state],
        )?,
        before => execute(
            db,
            "UPDATE carts SET version = ?3, status = ?4, holds_expire_at_ms = ?5, state = ?6
             WHERE id = ?1 AND version = ?2",
            params![id, int(*before), version, status, cart.holds_expire_at_ms, state],
        )?,
    };
    match written {
        1 => Ok(()),
        _ => Err(StoreError::Conflict(format!("cart {id} is no longer at version {before}"))),
    }
}

fn move_stock(db: &Connection, sku: &Sku, movement: Movement) -> Result<()> {
    let moved = execute(
        db,
        "UPDATE stock SET available = available + ?2, held = held + ?3, sold = sold + ?4 WHERE sku = ?1",
        params![sku.as_str(), movement.available, movement.held, movement.sold],
    )?;
    match moved {
        1 => Ok(()),
        _ => Err(StoreError::Conflict(format!("there is no stock of {sku}"))),
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
