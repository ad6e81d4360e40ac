//! The ear for what other processes have changed.

use std::pin::pin;

use cart_core::CartId;
use futures_util::{FutureExt, StreamExt, stream};
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Config, NoTls};

use super::{
    super::{Result, StoreError},
    error,
};

/// Sends ids of changed carts until the connection breaks or nobody takes them any more.
pub async fn run(config: &Config, node: &str, changed: mpsc::Sender<CartId>) -> Result<()> {
    let (client, mut connection) = config.connect(NoTls).await.map_err(|e| error::of_query(&e))?;
    let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
    let mut listening = pin!(client.batch_execute("LISTEN cartwright_carts").fuse());
    loop {
        let message = tokio::select! {
            done = &mut listening => {
                done.map_err(|e| error::of_query(&e))?;
                continue;
            }
            message = messages.next() => message,
        };
        match message {
            Some(Ok(AsyncMessage::Notification(note))) => {
                for id in ids(note.payload(), node) {
                    if changed.send(id).await.is_err() {
                        return Ok(());
                    }
                }
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error::of_query(&error)),
            None => return Err(StoreError::Unavailable("the listening connection ended".into())),
        }
    }
}

/// Reads the ids of a notification `<node>:<id>,<id>…`; none of this process's own.
fn ids<'n>(payload: &'n str, node: &str) -> impl Iterator<Item = CartId> + 'n {
    let ids = payload.split_once(':').filter(|(from, _)| *from != node).map(|(_, ids)| ids);
    ids.into_iter().flat_map(|ids| ids.split(',')).filter_map(|id| CartId::parse(id).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_does_not_hear_itself() {
        let heard = |payload| ids(payload, "me").map(|id| id.to_string()).collect::<Vec<_>>();
        assert_eq!(heard("you:a,b"), ["a", "b"]);
        assert!(heard("me:a,b").is_empty());
        assert!(heard("not a message").is_empty());
    }
}
