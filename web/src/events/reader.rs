//! Readers of the outbox: each takes events in order, at least once, and notes how far it has come.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::window::Window;
use crate::{
    clock, metrics,
    store::{OutboxEvent, Store, StoreError},
};

/// How often an idle reader looks.
const IDLE: Duration = Duration::from_millis(200);
/// How long a reader that found events waits: so little gathers that taking it does not hold up the turns beside it, for which
/// events of 200 ms of a busy shop did, by ten milliseconds.
const BUSY: Duration = Duration::from_millis(50);
/// How long a reader that failed waits.
const PAUSE: Duration = Duration::from_secs(2);
/// How long a lease lasts without being renewed.
const LEASE_MS: i64 = 10_000;
/// How many rounds pass between two measurements of the lag.
const LAG_EVERY: u32 = 10;

/// Says why a reader could not take events; it will be asked again.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file system said no.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Takes events in order.
#[async_trait]
pub trait Reader: Send {
    /// Names the reader's cursor.
    fn name(&self) -> &'static str;

    /// Takes events that follow `from`, makes what follows from them durable and moves the cursor past them. Events it
    /// has taken before may come again.
    ///
    /// # Errors
    /// [`ReadError`]; the same events come again.
    async fn take(&mut self, store: &dyn Store, from: u64, events: &[OutboxEvent]) -> Result<(), ReadError>;

    /// Does what is to be done from time to time.
    ///
    /// # Errors
    /// [`ReadError`]; it is asked again.
    async fn rest(&mut self, _store: &dyn Store) -> Result<(), ReadError> {
        Ok(())
    }
}

/// Runs a reader for ever, while this process holds its lease. Readers of a process share what they read by the window.
pub async fn run(store: Arc<dyn Store>, window: Window, reader: impl Reader, process: String) {
    let mut running = Running { store, window, reader, process, leased_until_ms: 0, round: 0 };
    loop {
        let pause = match running.step().await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::warn!(reader = running.reader.name(), %error, "a reader of the outbox pauses");
                // Whoever looks at the lag now wants to know what the fault costs.
                running.round = 0;
                PAUSE
            }
        };
        tokio::time::sleep(pause).await;
    }
}

struct Running<R> {
    store: Arc<dyn Store>,
    window: Window,
    reader: R,
    process: String,
    leased_until_ms: i64,
    round: u32,
}

impl<R: Reader> Running<R> {
    /// Takes what there is, and returns how long to wait.
    async fn step(&mut self) -> Result<Duration, ReadError> {
        let (store, name) = (&*self.store, self.reader.name());
        if self.round.is_multiple_of(LAG_EVERY) {
            metrics::outbox_lag(name, store.outbox_lag(name, 10_000).await?);
        }
        self.round = self.round.wrapping_add(1);
        // Renewing is a write: once every two thirds of the lease is often enough.
        let now_ms = clock::now_ms();
        if self.leased_until_ms - now_ms < LEASE_MS / 3 {
            let until_ms = now_ms + LEASE_MS;
            if !store.lease(name, &self.process, now_ms, until_ms).await? {
                return Ok(IDLE);
            }
            self.leased_until_ms = until_ms;
        }
        let from = store.cursor(name).await?;
        let events = self.window.after(store, from).await?;
        if !events.is_empty() {
            self.reader.take(store, from, &events).await?;
        }
        self.reader.rest(store).await?;
        Ok(match (events.is_full, events.is_empty()) {
            (true, _) => Duration::ZERO,
            (false, true) => IDLE,
            (false, false) => BUSY,
        })
    }
}
