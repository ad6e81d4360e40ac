//! Connections: their settings, their limits and the pool that lends them.

use std::{future, pin::Pin, time::Duration};

use deadpool_postgres::{Client, Connect, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime};
use tokio::{
    runtime::Handle,
    task::JoinHandle,
    time::{Instant, sleep},
};
use tokio_postgres::{Client as PgClient, Config, Error, NoTls, error::SqlState};

use super::{
    super::{Result, StoreError},
    error,
};

/// How long a connection may take to stand, and a caller may wait for one: a shopper waits no longer.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long the first connection is tried for: a server that starts beside this one needs a moment.
const FIRST_CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long sent bytes may go unacknowledged before the peer counts as gone.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// What every session runs with. The limits, in milliseconds, end what would block others: a statement, a wait for a
/// lock, an open transaction whose process has stalled. The rest is about plans. All statements are small, prepared and
/// find their rows by key, so one generic plan is kept for each; the planner must not prefer a scan because it met the
/// tables while they were empty, nor start processes beside the turns' for what takes less time than starting them.
const SESSION: &str = "-c statement_timeout=10000 -c lock_timeout=4000 \
    -c idle_in_transaction_session_timeout=10000 -c plan_cache_mode=force_generic_plan -c jit=off \
    -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off \
    -c max_parallel_workers_per_gather=0";

/// Returns the settings of an address, limits added.
pub fn config(url: &str) -> Result<Config> {
    let mut config: Config = url.parse().map_err(|e| {
        StoreError::Unavailable(format!("the store's address cannot be read: {}", error::words(&e)))
    })?;
    let options = config.get_options().map_or_else(|| SESSION.to_owned(), |own| format!("{SESSION} {own}"));
    config.options(options);
    if config.get_application_name().is_none() {
        config.application_name("cartwright");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_MAX);
    }
    config
        .tcp_user_timeout(SILENCE_MAX)
        .keepalives_idle(SILENCE_MAX)
        .keepalives_interval(Duration::from_secs(3))
        .keepalives_retries(3);
    Ok(config)
}

/// Says on which runtime a connection is driven.
pub enum Drive {
    /// On that which opens the pool, whoever asks: a connection must not end with the thread that needed it first.
    Here,
    /// On that of whoever needed it first, so that nothing waits for another thread to be woken.
    ByCaller,
}

/// Opens the pool; it connects when a connection is asked for.
pub fn open(config: &Config, connections: usize, drive: &Drive) -> Result<Pool> {
    let runtime = match drive {
        Drive::Here => Some(Handle::current()),
        Drive::ByCaller => None,
    };
    let manager = Manager::from_connect(
        config.clone(),
        OnRuntime(runtime),
        ManagerConfig { recycling_method: RecyclingMethod::Fast },
    );
    Pool::builder(manager)
        .max_size(connections)
        .queue_mode(deadpool_postgres::QueueMode::Lifo)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(CONNECT_MAX))
        .create_timeout(Some(CONNECT_MAX))
        .recycle_timeout(Some(CONNECT_MAX))
        .build()
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// Returns a first connection and warns of a server that would not keep its promises. A server that cannot be reached
/// yet is tried for some seconds.
pub async fn first(pool: &Pool) -> Result<Client> {
    let give_up = Instant::now() + FIRST_CONNECT_MAX;
    let client = loop {
        match pool.get().await {
            Ok(client) => break client,
            Err(PoolError::Backend(error)) if is_starting(&error) && Instant::now() < give_up => {
                sleep(Duration::from_millis(200)).await;
            }
            Err(error) => return Err(error::of_pool(error)),
        }
    };
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let row = client.query_one(&format!("SHOW {setting}"), &[]).await.map_err(|e| error::of_query(&e))?;
        if row.try_get::<_, &str>(0).is_ok_and(|value| value == "off") {
            tracing::warn!(
                setting,
                "the database server has this off: a crash of it may lose what was answered"
            );
        }
    }
    Ok(client)
}

/// A server that refuses a password will do so again; one that starts up, or is not there yet, will not.
fn is_starting(error: &Error) -> bool {
    error.as_db_error().is_none_or(|db| *db.code() == SqlState::CANNOT_CONNECT_NOW)
}

/// Answers when the server does.
pub async fn ping(client: &Client) -> Result<()> {
    client.simple_query("SELECT 1").await.map(drop).map_err(|e| error::of_query(&e))
}

/// Connects on a runtime, or on that of whoever asks.
struct OnRuntime(Option<Handle>);

impl Connect for OnRuntime {
    fn connect(
        &self,
        config: &Config,
    ) -> Pin<Box<dyn Future<Output = std::result::Result<(PgClient, JoinHandle<()>), Error>> + Send + '_>>
    {
        let (config, runtime) = (config.clone(), self.0.clone().unwrap_or_else(Handle::current));
        Box::pin(async move {
            let connected = runtime.spawn(async move {
                let (client, connection) = config.connect(NoTls).await?;
                let driver = tokio::spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::warn!(error = error::words(&error), "a connection to the database broke");
                    }
                });
                Ok((client, driver))
            });
            match connected.await {
                Ok(done) => done,
                // The runtime is going down; the pool's own limit ends the wait.
                Err(_) => future::pending().await,
            }
        })
    }
}
