//! Telling other processes which carts a turn has changed.

use cart_core::CartId;
use deadpool_postgres::Client;
use tokio_postgres::Statement;

use super::super::error;

/// Notifies. It is a transaction of its own, behind the commit: a transaction that notifies takes a lock of the whole server
/// before it commits and holds it until its commit is on disk, so turns that did it themselves would commit one by one. This
/// one has nothing to bring to disk, and nobody waits for it.
pub const NOTIFY: &str = "SELECT pg_notify('cartwright_carts', message) FROM unnest($1::text[]) AS message";

/// The most bytes of a notification; the server's limit is 8,000.
const MESSAGE_BYTES_MAX: usize = 7_900;

/// Sends the notifications on a connection that is free for them, beside whatever the caller does next.
pub fn soon(client: Client, statement: Statement, messages: Vec<String>) {
    if messages.is_empty() {
        return;
    }
    tokio::spawn(async move {
        if let Err(error) = client.query(&statement, &[&messages]).await {
            tracing::warn!(error = error::words(&error), "other processes were not told of changed carts");
        }
    });
}

/// Packs ids into messages `<node>:<id>,<id>…`.
pub fn messages<'c>(node: &str, ids: impl Iterator<Item = &'c CartId>) -> Vec<String> {
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
