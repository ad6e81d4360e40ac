//! One transaction on one borrowed connection.

use std::{
    ops::Deref,
    pin::{Pin, pin},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use deadpool_postgres::Client;
use futures_util::{FutureExt, future::maybe_done, join, poll};
use tokio::time::{error::Elapsed, timeout};
use tokio_postgres::{Error, Row, Statement, types::ToSql};

use super::{
    super::{Result, StoreError},
    error,
};

/// How long the server may be silent. Longer than its own limits on statements and locks: only a server that hangs, or a
/// network that is cut, gets here.
const ANSWER_MAX: Duration = Duration::from_secs(12);

/// What a statement takes.
pub type Params<'p> = [&'p (dyn ToSql + Sync)];

/// Is an open transaction. Dropped before it is committed, in whatever state, it is rolled back before anybody else
/// uses the connection.
pub struct Transaction {
    /// There until the transaction is taken apart.
    client: Option<Client>,
    is_open: AtomicBool,
}

impl Transaction {
    /// Takes a connection for a transaction that [`start`](Self::start) will begin, so that the first statements can
    /// travel with the beginning.
    pub fn on(client: Client) -> Self {
        Self { client: Some(client), is_open: AtomicBool::new(true) }
    }

    /// Sends the beginning.
    pub async fn start(&self) -> Result<()> {
        let begin = self.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED");
        begin.await.map_err(|e| error::of_query(&e))
    }

    /// Begins.
    pub async fn begin(client: Client) -> Result<Self> {
        let transaction = Self::on(client);
        bounded(transaction.start()).await?;
        Ok(transaction)
    }

    /// Commits.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] where the connection broke meanwhile or the server did not answer.
    pub async fn commit(&self) -> Result<()> {
        self.committed(timeout(ANSWER_MAX, self.batch_execute("COMMIT")).await)
    }

    /// Sends writes and the commit together. Where a write fails, the server rolls all of them back. Each write must be
    /// sent when it is first polled; one that cannot be sent leaves the commit unsent.
    ///
    /// # Errors
    /// What a write or the commit says; [`StoreError::Unknown`] where the connection broke meanwhile or the server did not
    /// answer.
    pub async fn commit_with<T>(&self, writes: impl Future<Output = Result<T>>) -> Result<T> {
        let mut writes = pin!(maybe_done(writes));
        let _ = poll!(writes.as_mut());
        if let Some(Err(_)) = writes.as_mut().output_mut() {
            return writes.take_output().expect("the output was just seen");
        }
        let both = async { join!(&mut writes, self.batch_execute("COMMIT")).1 };
        self.committed(timeout(ANSWER_MAX, both).await)?;
        writes.take_output().expect("the writes were waited for")
    }

    /// Runs a statement that is a transaction by itself, in place of one that is begun.
    ///
    /// # Errors
    /// As [`Self::commit_with`].
    pub async fn commit_by(&self, statement: impl Future<Output = Result<()>>) -> Result<()> {
        self.is_open.store(false, Ordering::Relaxed);
        timeout(ANSWER_MAX, statement)
            .await
            .unwrap_or_else(|_| Err(StoreError::Unknown("the server did not answer a commit".into())))
    }

    fn committed(&self, done: std::result::Result<std::result::Result<(), Error>, Elapsed>) -> Result<()> {
        match done {
            Ok(Ok(())) => {
                self.is_open.store(false, Ordering::Relaxed);
                Ok(())
            }
            Ok(Err(error)) => Err(error::of_commit(&error)),
            Err(_) => Err(StoreError::Unknown("the server did not answer a commit".into())),
        }
    }

    /// Gives the connection to whoever goes on with it after the commit.
    pub fn into_client(mut self) -> Client {
        self.end();
        self.client.take().expect("it is taken here only")
    }

    /// Rolls back what was not committed.
    fn end(&mut self) {
        if std::mem::take(self.is_open.get_mut()) {
            // Polled once, the request is on its way, before any of the connection's next user.
            let _ = self.batch_execute("ROLLBACK").now_or_never();
        }
    }
}

impl Deref for Transaction {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.client.as_ref().expect("it is taken with the transaction only")
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.end();
    }
}

/// Waits for the server, but not for ever. For everything but commits: what is given up here is never committed, or is
/// a single statement that may be repeated.
pub async fn bounded<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(ANSWER_MAX, work)
        .await
        .unwrap_or_else(|_| Err(StoreError::Unavailable("the server did not answer".into())))
}

/// Runs a prepared statement and returns its rows.
pub async fn query(client: &Client, sql: &str, params: &Params<'_>) -> Result<Vec<Row>> {
    let statement = client.prepare_cached(sql).await.map_err(|e| error::of_query(&e))?;
    client.query(&statement, params).await.map_err(|e| error::of_query(&e))
}

/// Runs a prepared statement inside a transaction and returns how many rows it wrote.
pub async fn execute(transaction: &Transaction, sql: &str, params: &Params<'_>) -> Result<u64> {
    let statement = transaction.prepare_cached(sql).await.map_err(|e| error::of_query(&e))?;
    transaction.execute(&statement, params).await.map_err(|e| error::of_query(&e))
}

/// Is a statement that is sent when it is first polled.
pub type Sending<'s> = Pin<Box<dyn Future<Output = Result<()>> + Send + 's>>;

/// Sends statements together and waits for their answers in order, so that the first that fails is the one that is told: those
/// behind it only know that their transaction is over. What cannot be sent leaves those behind it unsent.
pub async fn together(statements: impl IntoIterator<Item = Sending<'_>>) -> Result<()> {
    let mut sent: Vec<_> = statements.into_iter().map(maybe_done).collect();
    for statement in &mut sent {
        let _ = poll!(&mut *statement);
        if let Some(Err(_)) = Pin::new(&mut *statement).output_mut() {
            break;
        }
    }
    for mut statement in sent {
        (&mut statement).await;
        Pin::new(&mut statement).take_output().expect("it was just waited for")?;
    }
    Ok(())
}

/// Runs a statement that is prepared already, if there is something to do; it is sent when this is first polled.
pub async fn execute_unless(
    is_needless: bool,
    client: &Client,
    statement: &Statement,
    params: &Params<'_>,
) -> Result<()> {
    if is_needless {
        return Ok(());
    }
    client.execute(statement, params).await.map(drop).map_err(|e| error::of_query(&e))
}

/// Runs a prepared statement that is its own transaction and returns how many rows it wrote.
pub async fn execute_alone(client: &Client, sql: &str, params: &Params<'_>) -> Result<u64> {
    let statement = client.prepare_cached(sql).await.map_err(|e| error::of_query(&e))?;
    client.execute(&statement, params).await.map_err(|e| error::of_commit(&e))
}
