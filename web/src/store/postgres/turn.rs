//! The turn: load and lock, decide, write, commit, on one connection. What needs no answer in between travels together:
//! beginning and loading; the stock, where it was not known before; all writes with the commit. Most turns
//! need two of these journeys ([`decide`], [`write::is_sure`]).
//!
//! Locks are taken in one order by everybody: carts by key, stock by SKU and location, accounts by id, new accounts by id,
//! exposures by key. So two turns may wait for each other in a row but never in a circle.

mod load;
mod tell;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use cart_core::{CartId, Slot, StockLevels};
use deadpool_postgres::Client;
use futures_util::try_join;
use tokio_postgres::Statement;

use super::{
    super::{Decision, Loaded, LoadedCart, Outcome, Result, Staged, StoreError, Wants},
    accounts, error, experiments, gift_cards, orders, outbox, payments,
    transaction::{Transaction, bounded},
};

/// Runs a turn.
pub async fn run(client: Client, node: &str, wants: &Wants, decision: Box<dyn Decision>) -> Result<Outcome> {
    let statements = bounded(Statements::prepare(&client)).await?;
    let transaction = Transaction::on(client);
    let Decided { place, is_sure, mut staged } =
        bounded(decide(&transaction, &statements, wants, decision)).await?;
    // A turn that wrote nothing is rolled back: that gives its locks back without waiting for the disk.
    if staged.is_empty() {
        return Ok(staged.outcome);
    }
    let messages = tell::messages(node, staged.carts.iter().map(|write| &write.cart.id));
    let writes = write::all(&transaction, &statements, place, &staged);
    if is_sure {
        transaction.commit_with(writes).await?;
    } else {
        staged.outcome.exposed = bounded(writes).await?;
        transaction.commit().await?;
    }
    tell::soon(transaction.into_client(), statements.notify, messages);
    Ok(staged.outcome)
}

/// Is what a turn has decided and what its writes depend on.
struct Decided {
    /// The transaction's place in the outbox.
    place: i64,
    /// Whether the writes are sure.
    is_sure: bool,
    staged: Staged,
}

/// Loads and locks what the turn needs, and decides. Where memory knows the carts, their stock comes with them: so most
/// turns travel to the server twice, once to load and once to write and commit.
async fn decide(
    transaction: &Transaction,
    statements: &Statements,
    wants: &Wants,
    decision: Box<dyn Decision>,
) -> Result<Decided> {
    let likely = wants.skus.as_ref();
    let carts = load::carts(transaction, statements, wants);
    let along = async {
        match likely {
            Some(skus) => load::stock(transaction, statements, skus).await.map(Some),
            None => Ok(None),
        }
    };
    let ((mut loaded, place), along) = try_join!(carts, along)?;
    let (skus, accounts) = (decision.skus(&loaded), decision.accounts(&loaded));
    if likely.is_some_and(|likely| !skus.is_subset(likely)) {
        // More locks now would be out of order.
        return Err(StoreError::Conflict("a cart has other lines than memory knew".into()));
    }
    let stock = async {
        match along {
            Some(stock) => Ok(stock),
            None => load::stock(transaction, statements, &skus).await,
        }
    };
    let (stock, balances, cards) = try_join!(
        stock,
        load::balances(transaction, statements, &accounts),
        load::cards(transaction, statements, &accounts.cards),
    )?;
    (loaded.balances, loaded.cards) = (balances, cards);
    let locked = Locked::of(wants, &loaded, &stock);
    let staged = decision.decide(loaded, stock);
    Ok(Decided { place, is_sure: write::is_sure(&staged, &locked), staged })
}

/// Is what a turn has locked: nobody else can change it before the turn ends.
struct Locked {
    /// The versions of the carts.
    carts: BTreeMap<CartId, u64>,
    /// The rows of the stock.
    slots: BTreeSet<Slot>,
}

impl Locked {
    fn of(wants: &Wants, loaded: &Loaded, stock: &StockLevels) -> Self {
        let version = |(id, cart): (&CartId, &LoadedCart)| match cart {
            LoadedCart::Fresh(cart) => Some((id.clone(), cart.version)),
            LoadedCart::Current => Some((id.clone(), wants.carts.get(id).copied()??)),
            LoadedCart::Unreadable => None,
        };
        Self {
            carts: loaded.carts.iter().filter_map(version).collect(),
            slots: stock.slots().cloned().collect(),
        }
    }
}

/// Holds every statement of a turn, prepared: statements that travel together must not stop to be prepared.
struct Statements {
    lock: Statement,
    carts: Statement,
    keys: Statement,
    stock: Statement,
    locked: Statement,
    balances: Statement,
    cards: Statement,
    update: Statement,
    insert: Statement,
    wake: Statement,
    shift: Statement,
    balance: Statement,
    begin: Statement,
    enter: Statement,
    order: Statement,
    change_order: Statement,
    enter_payment: Statement,
    strike_payment: Statement,
    keep: Statement,
    expose: Statement,
    publish: Statement,
    notify: Statement,
}

impl Statements {
    async fn prepare(client: &Client) -> Result<Self> {
        let prepared = async |sql: &str| client.prepare_cached(sql).await.map_err(|e| error::of_query(&e));
        Ok(Self {
            lock: prepared(&load::lock()).await?,
            carts: prepared(load::CARTS).await?,
            keys: prepared(load::KEYS).await?,
            stock: prepared(load::STOCK).await?,
            locked: prepared(accounts::LOCKED).await?,
            balances: prepared(accounts::BALANCES).await?,
            cards: prepared(gift_cards::TERMS).await?,
            update: prepared(write::UPDATE).await?,
            insert: prepared(write::INSERT).await?,
            wake: prepared(write::WAKE).await?,
            shift: prepared(write::SHIFT).await?,
            balance: prepared(accounts::MOVE).await?,
            begin: prepared(accounts::BEGIN).await?,
            enter: prepared(accounts::ENTER).await?,
            order: prepared(orders::INSERT).await?,
            change_order: prepared(orders::CHANGE).await?,
            enter_payment: prepared(payments::ENTER).await?,
            strike_payment: prepared(payments::STRIKE).await?,
            keep: prepared(write::KEEP).await?,
            expose: prepared(experiments::EXPOSE).await?,
            publish: prepared(outbox::PUBLISH).await?,
            notify: prepared(tell::NOTIFY).await?,
        })
    }
}
