//! The turn: read, decide, write, on one connection.
//!
//! A turn first takes carts and stock as this process remembers them, decides, and sends one transaction that compares what
//! was decided on, writes and commits: one journey to the server, with nothing locked while the process thinks, and for most
//! turns one statement. Where somebody else was quicker, the comparison fails, nothing is written, and the turn is run again
//! with locks taken first, so that it cannot lose twice to the same race. Both ways write by the same statements.
//!
//! Rows are locked in one order by everybody: new carts by id, carts by id, stock by SKU and location, accounts by id, new accounts by id,
//! exposures by key. So two turns may wait for each other in a row but never in a circle.

mod compare;
mod load;
mod post;
pub mod tell;
mod write;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Instant,
};

use cart_core::{Sku, StockLevels};
use deadpool_postgres::{Client, StatementCache};
use tokio_postgres::Statement;

use self::{
    compare::Read,
    load::{Basis, Remembered},
    tell::Teller,
    write::Writes,
};
use super::{
    super::{Decision, Outcome, Result, StoreError, Wants},
    accounts, error, experiments, gift_cards, orders, payments,
    shelf::Shelf,
    transaction::{Sending, Transaction, bounded, together},
};

/// Is a turn under way.
pub struct Turn<'t> {
    /// Tells others of what changed.
    pub teller: &'t Teller,
    /// What is remembered of the stock.
    pub shelf: &'t Shelf,
    /// What is to be read.
    pub wants: &'t Wants,
    /// What is to be done with it.
    pub decision: &'t dyn Decision,
    /// The connections' statements.
    pub prepared: &'t Prepared,
}

/// What became of a turn that took no locks.
enum Try {
    Done(Outcome),
    /// Somebody was quicker than what was remembered of the stock.
    Lost(StockLevels),
    /// The stock is too busy for it.
    Passed,
}

impl Turn<'_> {
    /// Runs the turn.
    pub async fn run(&self, client: Client) -> Result<Outcome> {
        let statements = bounded(self.prepared.of(&client)).await?;
        let (client, tried) = self.try_remembered(client, &statements).await?;
        let (client, outcome) = match tried {
            Try::Done(outcome) => (client, outcome),
            Try::Lost(stock) => self.behind_locks(client, &statements, &stock).await?,
            Try::Passed => self.behind_locks(client, &statements, &StockLevels::default()).await?,
        };
        let changed = outcome.touched.iter().filter(|touched| touched.is_changed);
        self.teller.tell(client, changed.map(|touched| &touched.cart.id));
        Ok(outcome)
    }

    /// Decides on what is remembered, and writes if that still holds.
    async fn try_remembered(&self, client: Client, statements: &Statements) -> Result<(Client, Try)> {
        let remembered = load::remembered(&client, statements, self.shelf, self.wants, self.decision);
        let Some(Remembered { basis, skus, revision }) = bounded(remembered).await? else {
            return Ok((client, Try::Passed));
        };
        let Basis { loaded, stock } = basis;
        let mut staged = self.decision.decide(loaded, stock.clone());
        if staged.is_empty() {
            let read = Read::of(self.wants, &staged, &stock, revision);
            return match bounded(read.compare(&client, &statements.compare)).await {
                Ok(()) => Ok((client, Try::Done(staged.outcome))),
                Err(error) => self.lost(error, &skus, stock).map(|lost| (client, lost)),
            };
        }
        let transaction = Transaction::on(client);
        let mut exposed = vec![];
        let writes =
            Writes { transaction: &transaction, statements, staged: &staged, stock: &stock, revision };
        let read = Read::of(self.wants, &staged, &stock, revision.filter(|_| !writes.are_changing()));
        let written = if read.is_empty() && writes.are_one() {
            transaction.commit_by(writes.change(error::of_commit)).await
        } else {
            let before: [Sending<'_>; 2] =
                [Box::pin(transaction.start()), Box::pin(read.compare(&transaction, &statements.compare))];
            transaction.commit_with(together(before.into_iter().chain(writes.all(&mut exposed)))).await
        };
        match written {
            Ok(()) => {
                self.shelf.shift(&staged.movements);
                staged.outcome.exposed = exposed;
                Ok((transaction.into_client(), Try::Done(staged.outcome)))
            }
            Err(error) => self.lost(error, &skus, stock).map(|lost| (transaction.into_client(), lost)),
        }
    }

    /// Lets go of what was remembered, which may be why it failed.
    fn lost(&self, error: StoreError, skus: &BTreeSet<Sku>, stock: StockLevels) -> Result<Try> {
        self.shelf.forget(skus);
        match error {
            StoreError::Conflict(why) => {
                tracing::debug!(why, "a turn from memory lost a race");
                Ok(Try::Lost(stock))
            }
            error => Err(error),
        }
    }

    /// Decides on rows that cannot change any more.
    async fn behind_locks(
        &self,
        client: Client,
        statements: &Statements,
        remembered: &StockLevels,
    ) -> Result<(Client, Outcome)> {
        let transaction = Transaction::on(client);
        let locked = load::locked(&transaction, statements, self.wants, self.decision);
        let Basis { loaded, stock } = bounded(locked).await?;
        self.shelf.rest(&moved(remembered, &stock), Instant::now());
        let mut staged = self.decision.decide(loaded, stock.clone());
        if !staged.is_empty() {
            let mut exposed = vec![];
            let writes = Writes {
                transaction: &transaction,
                statements,
                staged: &staged,
                stock: &stock,
                revision: None,
            };
            transaction.commit_with(together(writes.all(&mut exposed))).await?;
            staged.outcome.exposed = exposed;
        }
        // A turn that wrote nothing is rolled back: that gives its locks back without waiting for the disk.
        Ok((transaction.into_client(), staged.outcome))
    }
}

/// Returns the products of which something else was remembered than there is.
fn moved(remembered: &StockLevels, found: &StockLevels) -> BTreeSet<Sku> {
    let other = remembered.iter().filter(|(slot, level)| found.at(slot) != Some(**level));
    other.map(|(slot, _)| slot.sku.clone()).collect()
}

/// Remembers the statements of each connection as long as there is one. Its own cache would be asked two dozen times a turn, and
/// compare two dozen long texts.
#[derive(Default)]
pub struct Prepared(Mutex<Vec<(Weak<StatementCache>, Arc<Statements>)>>);

impl Prepared {
    async fn of(&self, client: &Client) -> Result<Arc<Statements>> {
        let cache = Arc::downgrade(&client.statement_cache);
        let all = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all().iter().find(|(of, _)| of.ptr_eq(&cache)).map(|(_, statements)| statements.clone());
        if let Some(statements) = known {
            return Ok(statements);
        }
        let statements = Arc::new(Statements::prepare(client).await?);
        let mut all = all();
        all.retain(|(of, _)| of.strong_count() > 0);
        all.push((cache, statements.clone()));
        Ok(statements)
    }
}

/// Holds every statement of a turn, prepared: statements that travel together must not stop to be prepared.
struct Statements {
    carts: Statement,
    locked_carts: Statement,
    keys: Statement,
    stock: Statement,
    locked_stock: Statement,
    balances: Statement,
    locked_balances: Statement,
    cards: Statement,
    compare: Statement,
    change: Statement,
    insert: Statement,
    wake: Statement,
    claim: Statement,
    balance: Statement,
    begin: Statement,
    enter: Statement,
    order: Statement,
    change_order: Statement,
    enter_payment: Statement,
    strike_payment: Statement,
    keep: Statement,
    expose: Statement,
}

impl Statements {
    async fn prepare(client: &Client) -> Result<Self> {
        let prepared = async |sql: &str| client.prepare_cached(sql).await.map_err(|e| error::of_query(&e));
        Ok(Self {
            carts: prepared(load::CARTS).await?,
            locked_carts: prepared(load::LOCKED_CARTS).await?,
            keys: prepared(load::KEYS).await?,
            stock: prepared(load::STOCK).await?,
            locked_stock: prepared(load::LOCKED_STOCK).await?,
            balances: prepared(accounts::BALANCES).await?,
            locked_balances: prepared(accounts::LOCKED).await?,
            cards: prepared(gift_cards::TERMS).await?,
            compare: prepared(compare::SQL).await?,
            change: prepared(write::CHANGE).await?,
            insert: prepared(write::INSERT).await?,
            wake: prepared(write::WAKE).await?,
            claim: prepared(write::CLAIM).await?,
            balance: prepared(accounts::MOVE).await?,
            begin: prepared(accounts::BEGIN).await?,
            enter: prepared(accounts::ENTER).await?,
            order: prepared(orders::INSERT).await?,
            change_order: prepared(orders::CHANGE).await?,
            enter_payment: prepared(payments::ENTER).await?,
            strike_payment: prepared(payments::STRIKE).await?,
            keep: prepared(write::KEEP).await?,
            expose: prepared(experiments::EXPOSE).await?,
        })
    }
}
