//! What a turn reads, and locks while it reads.

use std::collections::{BTreeMap, BTreeSet};

use cart_core::{AccountId, Balances, CartId, GiftCardId, GiftCards, Sku, StockLevels};
use futures_util::try_join;
use tokio_postgres::{Row, Statement};

use super::{
    super::{
        super::{AccountWants, KeyRef, Loaded, LoadedCart, Result, StoredAnswer, Wants},
        accounts,
        cells::{bigint, cell, json, json_option, parsed},
        error, gift_cards, outbox, stock,
        transaction::{Params, Transaction},
    },
    Statements,
};

/// Locks carts, in one order: their names, not their rows. A row's lock is written into the row and the log, which costs
/// as much as the change that follows, and a row that does not exist yet has none. Behind the locks, returns the
/// transaction's place in the outbox.
pub fn lock() -> String {
    format!(
        "WITH locked AS MATERIALIZED (
            SELECT count(pg_advisory_xact_lock(key)) AS carts FROM (
                SELECT hashtextextended('cart ' || id, 0) AS key FROM unnest($1::text[]) AS id ORDER BY key
            ) AS keys
        )
        {} AND (SELECT carts FROM locked) IS NOT NULL",
        outbox::PLACE
    )
}

/// Returns the carts that memory does not have as they are, without a state where there is none.
pub const CARTS: &str = "SELECT w.id, c.state
    FROM unnest($1::text[], $2::int8[]) AS w (id, known)
    LEFT JOIN carts AS c ON c.id = w.id
    WHERE c.version IS DISTINCT FROM w.known";

/// Reads keys.
pub const KEYS: &str = "SELECT k.cart, k.key, k.fingerprint, k.answer
    FROM unnest($1::text[], $2::text[]) AS w (cart, key)
    JOIN idempotency_keys AS k ON k.cart = w.cart AND k.key = w.key";

/// Locks stock in order.
pub const STOCK: &str = "SELECT sku, location, supplied, available, held, sold, safety, owed_max FROM stock
    WHERE sku = ANY ($1::text[]) ORDER BY sku, location FOR NO KEY UPDATE";

/// Begins, then locks the carts, then loads them and reads the keys: what another turn did to the same cart is there by the
/// time that the cart's lock is. Returns the transaction's place in the outbox too.
pub async fn carts(
    transaction: &Transaction,
    statements: &Statements,
    wants: &Wants,
) -> Result<(Loaded, i64)> {
    let ids: Vec<&str> = wants.carts.keys().map(CartId::as_str).collect();
    let known: Vec<Option<i64>> = wants.carts.values().map(|version| version.map(bigint)).collect();
    let key_carts: Vec<&str> = wants.keys.iter().map(|k| k.cart.as_str()).collect();
    let keys: Vec<&str> = wants.keys.iter().map(|k| k.key.as_str()).collect();
    let (lock_params, cart_params, key_params): (&Params<'_>, &Params<'_>, &Params<'_>) =
        (&[&ids], &[&ids, &known], &[&key_carts, &keys]);
    let ((), place, carts, keys) = try_join!(
        transaction.start(),
        rows(transaction, &statements.lock, lock_params),
        rows(transaction, &statements.carts, cart_params),
        rows_unless(keys.is_empty(), transaction, &statements.keys, key_params),
    )?;
    let known = wants.carts.iter().filter(|(_, version)| version.is_some());
    let mut loaded = Loaded {
        carts: known.map(|(id, _)| (id.clone(), LoadedCart::Current)).collect(),
        keys: keys.iter().map(key).collect::<Result<BTreeMap<_, _>>>()?,
        ..Loaded::default()
    };
    for row in &carts {
        let id: CartId = parsed(row, "id")?;
        match json_option(row, "state").transpose() {
            None => loaded.carts.remove(&id),
            Some(state) => loaded.carts.insert(id.clone(), LoadedCart::read(&id, state)),
        };
    }
    Ok((loaded, outbox::place_of(&place)?))
}

fn key(row: &Row) -> Result<(KeyRef, StoredAnswer)> {
    let key = KeyRef { cart: parsed(row, "cart")?, key: cell(row, "key")? };
    Ok((key, StoredAnswer::read(cell(row, "fingerprint")?, json(row, "answer"))))
}

/// Locks and reads stock.
pub async fn stock(
    transaction: &Transaction,
    statements: &Statements,
    skus: &BTreeSet<Sku>,
) -> Result<StockLevels> {
    let skus: Vec<&str> = skus.iter().map(Sku::as_str).collect();
    let rows = rows_unless(skus.is_empty(), transaction, &statements.stock, &[&skus]).await?;
    rows.iter().map(stock::level).collect()
}

/// Reads balances, and locks those that are likely to move.
pub async fn balances(
    transaction: &Transaction,
    statements: &Statements,
    wants: &AccountWants,
) -> Result<Balances> {
    let moved: Vec<String> = wants.moved.iter().map(AccountId::to_string).collect();
    let read: Vec<String> = wants.read.difference(&wants.moved).map(AccountId::to_string).collect();
    let (moved_params, read_params): (&Params<'_>, &Params<'_>) = (&[&moved], &[&read]);
    let (locked, seen) = try_join!(
        rows_unless(moved.is_empty(), transaction, &statements.locked, moved_params),
        rows_unless(read.is_empty(), transaction, &statements.balances, read_params),
    )?;
    locked.iter().chain(&seen).map(accounts::balance).collect()
}

/// Reads what gift cards are good for.
pub async fn cards(
    transaction: &Transaction,
    statements: &Statements,
    cards: &BTreeSet<GiftCardId>,
) -> Result<GiftCards> {
    let ids: Vec<&str> = cards.iter().map(GiftCardId::as_str).collect();
    let rows = rows_unless(ids.is_empty(), transaction, &statements.cards, &[&ids]).await?;
    rows.iter().map(gift_cards::terms).collect()
}

async fn rows(transaction: &Transaction, statement: &Statement, params: &Params<'_>) -> Result<Vec<Row>> {
    transaction.query(statement, params).await.map_err(|e| error::of_query(&e))
}

async fn rows_unless(
    is_needless: bool,
    transaction: &Transaction,
    statement: &Statement,
    params: &Params<'_>,
) -> Result<Vec<Row>> {
    if is_needless { Ok(vec![]) } else { rows(transaction, statement, params).await }
}
