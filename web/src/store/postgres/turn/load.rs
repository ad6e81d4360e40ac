//! What a turn reads, and locks while it reads.

use std::collections::{BTreeMap, BTreeSet};

use cart_core::{AccountId, Balances, CartId, GiftCardId, GiftCards, Sku, StockLevels};
use futures_util::try_join;
use tokio_postgres::{Row, Statement};

use super::{
    super::{
        super::{AccountWants, KeyRef, Loaded, LoadedCart, Result, StoreError, StoredAnswer, Wants},
        accounts,
        cells::{bigint, cell, json, json_option, parsed},
        error, gift_cards, outbox, stock,
        transaction::{Params, Transaction},
    },
    Statements,
};

/// Locks carts in order and returns the state of those that memory does not have.
pub const CARTS: &str = "SELECT c.id, c.place, c.wake_ms,
        CASE WHEN c.version IS DISTINCT FROM w.known THEN c.state END AS state
    FROM unnest($1::text[], $2::int8[]) AS w (id, known)
    JOIN carts AS c ON c.id = w.id
    ORDER BY c.id
    FOR NO KEY UPDATE OF c";

/// Reads keys.
pub const KEYS: &str = "SELECT k.cart, k.key, k.fingerprint, k.answer
    FROM unnest($1::text[], $2::text[]) AS w (cart, key)
    JOIN idempotency_keys AS k ON k.cart = w.cart AND k.key = w.key";

/// Locks stock in order.
pub const STOCK: &str = "SELECT sku, location, supplied, available, held, sold, safety, owed_max FROM stock
    WHERE sku = ANY ($1::text[]) ORDER BY sku, location FOR NO KEY UPDATE";

/// Is when the sweeps look at carts, in Unix milliseconds.
pub type Wakes = BTreeMap<CartId, i64>;

/// Begins, then locks and loads the carts, then reads the keys: a key that another turn used for the same cart is
/// there by the time the cart's lock is. Returns the carts' wakes and the transaction's place in the outbox too.
pub async fn carts(
    transaction: &Transaction,
    statements: &Statements,
    wants: &Wants,
) -> Result<(Loaded, Wakes, i64)> {
    let ids: Vec<&str> = wants.carts.keys().map(CartId::as_str).collect();
    let known: Vec<Option<i64>> = wants.carts.values().map(|version| version.map(bigint)).collect();
    let key_carts: Vec<&str> = wants.keys.iter().map(|k| k.cart.as_str()).collect();
    let keys: Vec<&str> = wants.keys.iter().map(|k| k.key.as_str()).collect();
    let (cart_params, key_params): (&Params<'_>, &Params<'_>) = (&[&ids, &known], &[&key_carts, &keys]);
    let ((), carts, keys, place) = try_join!(
        transaction.start(),
        rows(transaction, &statements.carts, cart_params),
        rows_unless(keys.is_empty(), transaction, &statements.keys, key_params),
        rows(transaction, &statements.place, &[]),
    )?;
    let place = outbox::place_of(&place)?;
    let wake =
        |row| Ok(cell::<Option<i64>>(row, "wake_ms")?.map(|wake_ms| Ok((parsed(row, "id")?, wake_ms))));
    let wakes =
        carts.iter().filter_map(|row| wake(row).transpose().map(Result::flatten)).collect::<Result<_>>()?;
    let loaded = Loaded {
        carts: carts.iter().map(|row| cart(row, place)).collect::<Result<BTreeMap<_, _>>>()?,
        keys: keys.iter().map(key).collect::<Result<BTreeMap<_, _>>>()?,
        ..Loaded::default()
    };
    Ok((loaded, wakes, place))
}

fn cart(row: &Row, place: i64) -> Result<(CartId, LoadedCart)> {
    if cell::<i64>(row, "place")? >= place {
        return Err(StoreError::Conflict("a transaction that began later changed a cart of the turn".into()));
    }
    let id = parsed(row, "id")?;
    let cart = match json_option(row, "state").transpose() {
        None => LoadedCart::Current,
        Some(state) => LoadedCart::read(&id, state),
    };
    Ok((id, cart))
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
