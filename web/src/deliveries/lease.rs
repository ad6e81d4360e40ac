//! The lease of what one process at a time may do.

use std::{sync::Arc, time::Duration};

use crate::{clock, store::Store};

/// How long a lease lasts without being renewed: a node that dies is followed by another within this time.
const LEASE_MS: i64 = 10_000;
/// How often it is renewed, and how often others ask for it.
const RENEW: Duration = Duration::from_secs(2);

/// Does some work for ever, in whichever process holds the lease. Work is dropped where it stands when the lease is lost.
pub async fn hold<W: Future<Output = ()>>(
    store: Arc<dyn Store>,
    name: &'static str,
    process: String,
    work: impl Fn() -> W,
) {
    loop {
        if take(&*store, name, &process).await == Some(true) {
            tokio::select! {
                () = keep(&*store, name, &process) => tracing::warn!(name, "a lease was lost; another process goes on"),
                () = work() => {}
            }
        }
        tokio::time::sleep(RENEW).await;
    }
}

/// Renews the lease until it is lost.
async fn keep(store: &dyn Store, name: &str, process: &str) {
    let mut until_ms = clock::now_ms() + LEASE_MS;
    while clock::now_ms() < until_ms {
        tokio::time::sleep(RENEW).await;
        let asked_at_ms = clock::now_ms();
        match take(store, name, process).await {
            Some(true) => until_ms = asked_at_ms + LEASE_MS,
            Some(false) => return,
            None => {}
        }
    }
}

/// Takes or renews the lease; none where the store does not say.
async fn take(store: &dyn Store, name: &str, process: &str) -> Option<bool> {
    let now_ms = clock::now_ms();
    let answer = store.lease(name, process, now_ms, now_ms + LEASE_MS).await;
    answer.inspect_err(|error| tracing::warn!(name, %error, "a lease could not be asked for")).ok()
}
