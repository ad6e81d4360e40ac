//! Telling other processes which carts have changed.

use std::{
    collections::BTreeSet,
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use cart_core::CartId;
use deadpool_postgres::{Client, Pool};
use tokio::time::{Instant, sleep_until};

use super::super::{
    super::{Result, StoreError},
    error,
    transaction::query,
};

/// Notifies. It is a transaction of its own, behind the commit: a transaction that notifies takes a lock of the whole server
/// before it commits and holds it until its commit is on disk, so turns that did it themselves would commit one by one. This
/// one has nothing to bring to disk, and nobody waits for it.
const NOTIFY: &str = "SELECT pg_notify('cartwright_carts', message) FROM unnest($1::text[]) AS message";

/// How long changes are gathered behind a notification: nobody sees the difference, and the server of a busy shop has less to do.
const GATHER: Duration = Duration::from_millis(20);

/// The most bytes of a notification; the server's limit is 8,000.
const MESSAGE_BYTES_MAX: usize = 7_900;

/// Tells in the name of a process which carts it has changed.
#[derive(Clone)]
pub struct Teller {
    pool: Pool,
    node: Arc<str>,
    news: Arc<Mutex<News>>,
}

#[derive(Default)]
struct News {
    ids: BTreeSet<CartId>,
    told_at: Option<Instant>,
    /// Somebody waits to tell what is gathered.
    is_awaited: bool,
}

impl Teller {
    /// Returns a teller that borrows connections there.
    pub fn new(pool: Pool, node: &str) -> Self {
        Self { pool, node: node.into(), news: Arc::default() }
    }

    /// Tells of carts beside whatever the caller does next: at once, on a connection that is free for it, or a moment later,
    /// with those of other turns.
    pub fn tell<'c>(&self, client: Client, ids: impl Iterator<Item = &'c CartId>) {
        let now = Instant::now();
        let later = {
            let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
            news.ids.extend(ids.cloned());
            if news.ids.is_empty() || news.is_awaited {
                return;
            }
            let later = news.told_at.map(|told_at| told_at + GATHER).filter(|later| now < *later);
            news.is_awaited = later.is_some();
            later
        };
        let teller = self.clone();
        match later {
            None => drop(tokio::spawn(notify(client, self.messages(now)))),
            Some(later) => drop(tokio::spawn(async move {
                sleep_until(later).await;
                match teller.pool.get().await.map_err(error::of_pool) {
                    Ok(client) => notify(client, teller.messages(later)).await,
                    Err(error) => warn(&error, teller.messages(later).len()),
                }
            })),
        }
    }

    /// Takes what is to be told at a time.
    fn messages(&self, now: Instant) -> Vec<String> {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        (news.told_at, news.is_awaited) = (Some(now), false);
        messages(&self.node, mem::take(&mut news.ids).iter())
    }
}

async fn notify(client: Client, messages: Vec<String>) {
    let told: Result<_> = query(&client, NOTIFY, &[&messages]).await;
    if let Err(error) = told {
        warn(&error, messages.len());
    }
}

fn warn(error: &StoreError, messages: usize) {
    tracing::warn!(%error, messages, "other processes were not told of changed carts");
}

/// Packs ids into messages `<node>:<id>,<id>…`.
fn messages<'c>(node: &str, ids: impl Iterator<Item = &'c CartId>) -> Vec<String> {
    let mut messages: Vec<String> = vec![];
    for id in ids {
        match messages.last_mut().filter(|m| m.len() + id.as_str().len() < MESSAGE_BYTES_MAX) {
            Some(message) => {
                message.push(',');
                message.push_str(id.as_str());
            }
            None => messages.push(format!("{node}:{id}")),
        }
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notifications_stay_below_the_limit_of_the_server() {
        let ids: Vec<_> = (0..500).map(|n| CartId::parse(&format!("{n:0>80}")).unwrap()).collect();
        let messages = messages("node", ids.iter());
        assert!(messages.len() > 1 && messages.iter().all(|m| m.len() < 8_000));
        let back: Vec<&str> =
            messages.iter().flat_map(|m| m.strip_prefix("node:").unwrap().split(',')).collect();
        assert_eq!(back, ids.iter().map(CartId::as_str).collect::<Vec<_>>());
    }
}
