//! What a turn reads: with locks, or as it is remembered and with nothing held.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use cart_core::{AccountId, CartId, GiftCardId, Sku, StockLevels};
use deadpool_postgres::Client;
use futures_util::try_join;
use tokio_postgres::{Row, Statement};

use super::{
    super::{
        super::{
            AccountWants, Decision, KeyRef, Loaded, LoadedCart, Result, StoreError, StoredAnswer, Wants,
        },
        accounts,
        cells::{bigint, cell, json, json_option, parsed},
        error, gift_cards,
        shelf::{Known, Shelf},
        stock,
        transaction::{Params, Transaction},
    },
    Statements,
};

/// Returns the wanted carts that there are, with the state of those that are not known as they are.
pub const CARTS: &str = "SELECT c.id, CASE WHEN c.version IS DISTINCT FROM w.known THEN c.state END AS state
    FROM unnest($1::text[], $2::int8[]) AS w (id, known) JOIN carts AS c ON c.id = w.id";

/// The same, locked in order.
pub const LOCKED_CARTS: &str =
    "SELECT c.id, CASE WHEN c.version IS DISTINCT FROM w.known THEN c.state END AS state
    FROM unnest($1::text[], $2::int8[]) AS w (id, known) JOIN carts AS c ON c.id = w.id
    ORDER BY c.id FOR NO KEY UPDATE OF c";

/// Reads keys.
pub const KEYS: &str = "SELECT k.cart, k.key, k.fingerprint, k.answer
    FROM unnest($1::text[], $2::text[]) AS w (cart, key)
    JOIN idempotency_keys AS k ON k.cart = w.cart AND k.key = w.key";

/// Reads stock, with the revision of the rows that there are; one row without a product where there are none.
pub const STOCK: &str =
    "SELECT r.revision, s.sku, s.location, s.supplied, s.available, s.held, s.sold, s.safety, s.owed_max
    FROM revisions AS r LEFT JOIN stock AS s ON s.sku = ANY ($1::text[]) WHERE r.name = 'shelves'";

/// Locks stock in order.
pub const LOCKED_STOCK: &str =
    "SELECT sku, location, supplied, available, held, sold, safety, owed_max FROM stock
    WHERE sku = ANY ($1::text[]) ORDER BY sku, location FOR NO KEY UPDATE";

/// Is what a turn decides on.
pub struct Basis {
    /// The carts, keys and accounts.
    pub loaded: Loaded,
    /// The levels of the products that the decision named.
    pub stock: StockLevels,
}

/// Is a basis that may be out of date.
pub struct Remembered {
    /// What is remembered.
    pub basis: Basis,
    /// The products that the decision named.
    pub skus: BTreeSet<Sku>,
    /// The revision as of which their levels hold; none where it named no product.
    pub revision: Option<i64>,
}

/// Takes carts and stock as they are remembered and reads what is not, without a lock. Keys are taken for new ones. None
/// where a product's races have been lost of late.
pub async fn remembered(
    client: &Client,
    statements: &Statements,
    shelf: &Shelf,
    wants: &Wants,
    decision: &dyn Decision,
) -> Result<Option<Remembered>> {
    let is_known = |(_, version): &(&CartId, &Option<u64>)| version.is_some();
    let (known, unknown): (Vec<_>, Vec<_>) = wants.carts.iter().partition(is_known);
    let mut loaded = Loaded {
        carts: known.into_iter().map(|(id, _)| (id.clone(), LoadedCart::Current)).collect(),
        ..Loaded::default()
    };
    if !unknown.is_empty() {
        let (ids, versions) = columns(&unknown);
        adopt(&mut loaded, &rows(client, &statements.carts, &[&ids, &versions]).await?)?;
    }
    let (skus, accounts) = (decision.skus(&loaded), decision.accounts(&loaded));
    let Some(known) = shelf.known(&skus, Instant::now()) else { return Ok(None) };
    let ((revision, stock), ()) = try_join!(
        completed(client, statements, shelf, known),
        money(client, statements, &accounts, &statements.balances, &mut loaded),
    )?;
    let revision = (!skus.is_empty()).then_some(revision);
    Ok(Some(Remembered { basis: Basis { loaded, stock }, skus, revision }))
}

/// Reads and remembers the levels that a shelf does not know.
async fn completed(
    client: &Client,
    statements: &Statements,
    shelf: &Shelf,
    known: Known,
) -> Result<(i64, StockLevels)> {
    let Known { revision, mut levels, missing } = known;
    if missing.is_empty() {
        return Ok((revision, levels));
    }
    let names: Vec<&str> = missing.iter().map(Sku::as_str).collect();
    let found = rows(client, &statements.stock, &[&names]).await?;
    let revision = found.first().map(|row| cell(row, "revision")).transpose()?;
    let revision = revision.ok_or_else(|| StoreError::Corrupt("the shelves have no revision".into()))?;
    let is_there = |row: &&Row| row.try_get::<_, &str>("sku").is_ok();
    let read = found.iter().filter(is_there).map(stock::level).collect::<Result<StockLevels>>()?;
    shelf.put(revision, &missing, &read);
    levels.extend(read);
    Ok((revision, levels))
}

/// Begins and locks the carts, then reads the keys, the stock and the accounts, and locks what may move: what another turn
/// did is there by the time that the locks are.
pub async fn locked(
    transaction: &Transaction,
    statements: &Statements,
    wants: &Wants,
    decision: &dyn Decision,
) -> Result<Basis> {
    let all: Vec<_> = wants.carts.iter().collect();
    let (ids, versions) = columns(&all);
    let key_carts: Vec<&str> = wants.keys.iter().map(|k| k.cart.as_str()).collect();
    let keys: Vec<&str> = wants.keys.iter().map(|k| k.key.as_str()).collect();
    let (cart_params, key_params): (&Params<'_>, &Params<'_>) = (&[&ids, &versions], &[&key_carts, &keys]);
    let ((), carts, keys) = try_join!(
        transaction.start(),
        rows(transaction, &statements.locked_carts, cart_params),
        rows_unless(keys.is_empty(), transaction, &statements.keys, key_params),
    )?;
    let mut loaded =
        Loaded { keys: keys.iter().map(key).collect::<Result<BTreeMap<_, _>>>()?, ..Loaded::default() };
    adopt(&mut loaded, &carts)?;
    let (skus, accounts) = (decision.skus(&loaded), decision.accounts(&loaded));
    let skus: Vec<&str> = skus.iter().map(Sku::as_str).collect();
    let stock_params: &Params<'_> = &[&skus];
    let (levels, ()) = try_join!(
        rows_unless(skus.is_empty(), transaction, &statements.locked_stock, stock_params),
        money(transaction, statements, &accounts, &statements.locked_balances, &mut loaded),
    )?;
    let stock = levels.iter().map(stock::level).collect::<Result<_>>()?;
    Ok(Basis { loaded, stock })
}

fn columns<'c>(carts: &[(&'c CartId, &Option<u64>)]) -> (Vec<&'c str>, Vec<Option<i64>>) {
    carts.iter().map(|(id, version)| (id.as_str(), version.map(bigint))).unzip()
}

/// Takes carts in that were read; without a state they are as memory has them.
fn adopt(loaded: &mut Loaded, rows: &[Row]) -> Result<()> {
    for row in rows {
        let id: CartId = parsed(row, "id")?;
        let state = json_option(row, "state").transpose();
        let cart = state.map_or(LoadedCart::Current, |state| LoadedCart::read(&id, state));
        loaded.carts.insert(id, cart);
    }
    Ok(())
}

fn key(row: &Row) -> Result<(KeyRef, StoredAnswer)> {
    let key = KeyRef { cart: parsed(row, "cart")?, key: cell(row, "key")? };
    Ok((key, StoredAnswer::read(cell(row, "fingerprint")?, json(row, "answer"))))
}

/// Reads balances, those that are likely to move by a statement of their own, and what gift cards are good for.
async fn money(
    client: &Client,
    statements: &Statements,
    wants: &AccountWants,
    moving: &Statement,
    loaded: &mut Loaded,
) -> Result<()> {
    let moved: Vec<String> = wants.moved.iter().map(AccountId::to_string).collect();
    let read: Vec<String> = wants.read.difference(&wants.moved).map(AccountId::to_string).collect();
    let cards: Vec<&str> = wants.cards.iter().map(GiftCardId::as_str).collect();
    let (moved_params, read_params, card_params): (&Params<'_>, &Params<'_>, &Params<'_>) =
        (&[&moved], &[&read], &[&cards]);
    let (moved, read, cards) = try_join!(
        rows_unless(moved.is_empty(), client, moving, moved_params),
        rows_unless(read.is_empty(), client, &statements.balances, read_params),
        rows_unless(cards.is_empty(), client, &statements.cards, card_params),
    )?;
    loaded.balances = moved.iter().chain(&read).map(accounts::balance).collect::<Result<_>>()?;
    loaded.cards = cards.iter().map(gift_cards::terms).collect::<Result<_>>()?;
    Ok(())
}

async fn rows(client: &Client, statement: &Statement, params: &Params<'_>) -> Result<Vec<Row>> {
    client.query(statement, params).await.map_err(|e| error::of_query(&e))
}

async fn rows_unless(
    is_needless: bool,
    client: &Client,
    statement: &Statement,
    params: &Params<'_>,
) -> Result<Vec<Row>> {
    if is_needless { Ok(vec![]) } else { rows(client, statement, params).await }
}
