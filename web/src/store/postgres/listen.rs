//! The ear for what other processes have changed.

use std::pin::pin;

use cart_core::CartId;
use futures_util::{FutureExt, StreamExt, stream};
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Config, NoTls};

use super::{
    super::{Heard, Result, StoreError},
    error,
};

/// Tells what is heard until the connection breaks or nobody wants to know any more.
pub async fn run(config: &Config, node: &str, heard: mpsc::Sender<Heard>) -> Result<()> {
    let (client, mut connection) = config.connect(NoTls).await.map_err(|e| error::of_query(&e))?;
    let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
    let mut listening = pin!(client.batch_execute("LISTEN cartwright_carts").fuse());
    loop {
        let message = tokio::select! {
            done = &mut listening => {
                done.map_err(|e| error::of_query(&e))?;
                if heard.send(Heard::Everything).await.is_err() {
                    return Ok(());
                }
                continue;
            }
            message = messages.next() => message,
        };
        match message {
            Some(Ok(AsyncMessage::Notification(note))) => {
                for news in news(note.payload(), node) {
                    if heard.send(news).await.is_err() {
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

/// Marks the hash of a token that ended; no id of a cart begins so.
const ENDED: char = '!';

/// Writes the notification of a token that ended.
pub fn ended(node: &str, token_hash: &str) -> String {
    format!("{node}:{ENDED}{token_hash}")
}

/// Reads a notification `<node>:<news>,<news>…`; nothing of this process's own.
fn news<'n>(payload: &'n str, node: &str) -> impl Iterator<Item = Heard> + 'n {
    let news = payload.split_once(':').filter(|(from, _)| *from != node).map(|(_, news)| news);
    news.into_iter().flat_map(|news| news.split(',')).filter_map(|news| match news.strip_prefix(ENDED) {
        Some(hash) => Some(Heard::TokenEnded(hash.to_owned())),
        None => CartId::parse(news).ok().map(Heard::Cart),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_does_not_hear_itself() {
        let heard = |payload: &str| news(payload, "me").collect::<Vec<_>>();
        let changed = |id| Heard::Cart(CartId::parse(id).unwrap());
        assert_eq!(heard("you:a,b"), [changed("a"), changed("b")]);
        assert_eq!(heard(&ended("you", "0f")), [Heard::TokenEnded("0f".into())]);
        assert!(heard(&ended("me", "0f")).is_empty());
        assert!(heard("me:a,b").is_empty());
        assert!(heard("not a message").is_empty());
    }
}
