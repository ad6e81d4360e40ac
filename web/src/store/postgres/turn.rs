//! The turn: load and lock, decide, write, commit, on one connection. What needs no answer in between travels
//! together: beginning and loading, then the stock, then all writes, then the commit.
//!
//! Locks are taken in one order by everybody: carts by id, stock by SKU, new carts by id, exposures by key. So two
//! turns may wait for each other in a row but never in a circle.

mod load;
mod write;

use deadpool_postgres::Client;
use tokio_postgres::Statement;

use super::{
    super::{Decision, Outcome, Result, Wants},
    error, experiments, orders, outbox,
    transaction::{Transaction, bounded},
};

/// Runs a turn.
pub async fn run(client: Client, node: &str, wants: &Wants, decision: Box<dyn Decision>) -> Result<Outcome> {
    let statements = bounded(Statements::prepare(&client)).await?;
    let transaction = Transaction::on(client);
    let (outcome, is_written) = bounded(work(&transaction, &statements, node, wants, decision)).await?;
    if is_written {
        transaction.commit().await?;
    }
    // A turn that wrote nothing is rolled back: that gives its locks back without waiting for the disk.
    Ok(outcome)
}

async fn work(
    transaction: &Transaction,
    statements: &Statements,
    node: &str,
    wants: &Wants,
    decision: Box<dyn Decision>,
) -> Result<(Outcome, bool)> {
    let (loaded, place) = load::carts(transaction, statements, wants).await?;
    let stock = load::stock(transaction, statements, &decision.skus(&loaded)).await?;
    let mut staged = decision.decide(loaded, stock);
    let is_written = !staged.is_empty();
    if is_written {
        staged.outcome.exposed = write::all(transaction, statements, node, place, &staged).await?;
    }
    Ok((staged.outcome, is_written))
}

/// Holds every statement of a turn, prepared: statements that travel together must not stop to be prepared.
struct Statements {
    carts: Statement,
    keys: Statement,
    place: Statement,
    stock: Statement,
    update: Statement,
    insert: Statement,
    shift: Statement,
    order: Statement,
    keep: Statement,
    expose: Statement,
    publish: Statement,
    tell: Statement,
}

impl Statements {
    async fn prepare(client: &Client) -> Result<Self> {
        let prepared = async |sql| client.prepare_cached(sql).await.map_err(|e| error::of_query(&e));
        Ok(Self {
            carts: prepared(load::CARTS).await?,
            keys: prepared(load::KEYS).await?,
            place: prepared(outbox::PLACE).await?,
            stock: prepared(load::STOCK).await?,
            update: prepared(write::UPDATE).await?,
            insert: prepared(write::INSERT).await?,
            shift: prepared(write::SHIFT).await?,
            order: prepared(orders::INSERT).await?,
            keep: prepared(write::KEEP).await?,
            expose: prepared(experiments::EXPOSE).await?,
            publish: prepared(outbox::PUBLISH).await?,
            tell: prepared(write::TELL).await?,
        })
    }
}
