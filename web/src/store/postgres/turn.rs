//! The turn: load and lock, decide, write, commit, on one connection. What needs no answer in between travels
//! together: beginning and loading, then the stock, then all writes, then the commit with
//! the notifications.
//!
//! Locks are taken in one order by everybody: carts by id, stock by SKU, new carts by id, exposures by key. So two
//! turns may wait for each other in a row but never in a circle.

mod load;
mod tell;
mod write;

use deadpool_postgres::Client;
use tokio_postgres::Statement;

use super::{
    super::{Decision, Outcome, Result, Staged, Wants},
    error, experiments, orders, outbox,
    transaction::{Transaction, bounded},
};

/// Runs a turn.
pub async fn run(client: Client, node: &str, wants: &Wants, decision: Box<dyn Decision>) -> Result<Outcome> {
    let statements = bounded(Statements::prepare(&client)).await?;
    let transaction = Transaction::on(client);
    let staged = bounded(work(&transaction, &statements, wants, decision)).await?;
    // A turn that wrote nothing is rolled back: that gives its locks back without waiting for the disk.
    if !staged.is_empty() {
        let messages = tell::messages(node, staged.carts.iter().map(|write| &write.cart.id));
        transaction
            .commit_then(async |client| tell::send(client, &statements.notify, &messages).await)
            .await?;
    }
    Ok(staged.outcome)
}

async fn work(
    transaction: &Transaction,
    statements: &Statements,
    wants: &Wants,
    decision: Box<dyn Decision>,
) -> Result<Staged> {
    let (loaded, place) = load::carts(transaction, statements, wants).await?;
    let stock = load::stock(transaction, statements, &decision.skus(&loaded)).await?;
    let mut staged = decision.decide(loaded, stock);
    if !staged.is_empty() {
        staged.outcome.exposed = write::all(transaction, statements, place, &staged).await?;
    }
    Ok(staged)
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
    notify: Statement,
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
            notify: prepared(tell::NOTIFY).await?,
        })
    }
}
