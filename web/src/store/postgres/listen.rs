//! The ear for what other processes have changed.
//!
//! A process may end between a commit and its notification. So each says every second that it is there, and where one falls
//! silent, the others no longer trust what they remember.

use std::{collections::HashMap, pin::pin, time::Duration};

use cart_core::CartId;
use futures_util::{FutureExt, StreamExt, stream};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_postgres::{AsyncMessage, Config, NoTls};

use super::{
    super::{Heard, Result, StoreError},
    error,
};

/// How often a process says that it is there.
const BEAT: Duration = Duration::from_secs(1);
/// After how long a process counts as gone: longer than a busy server holds notifications up.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// Tells what is heard until the connection breaks or nobody wants to know any more.
pub async fn run(config: &Config, node: &str, heard: mpsc::Sender<Heard>) -> Result<()> {
    let (client, mut connection) = config.connect(NoTls).await.map_err(|e| error::of_query(&e))?;
    let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
    let mut listening = pin!(client.batch_execute("LISTEN cartwright_carts").fuse());
    let beat = format!("NOTIFY cartwright_carts, '{node}:'");
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut peers, mut is_listening) = (Peers::default(), false);
    loop {
        let message = tokio::select! {
            done = &mut listening => {
                done.map_err(|e| error::of_query(&e))?;
                is_listening = true;
                if heard.send(Heard::Everything).await.is_err() {
                    return Ok(());
                }
                continue;
            }
            now = beats.tick(), if is_listening => {
                // Polled once, it is on its way.
                let _ = client.batch_execute(&beat).now_or_never();
                if peers.forget_silent(now) {
                    tracing::info!("a process has ended or is cut off: what it changed last may not have been told");
                    if heard.send(Heard::Everything).await.is_err() {
                        return Ok(());
                    }
                }
                continue;
            }
            message = messages.next() => message,
        };
        match message {
            Some(Ok(AsyncMessage::Notification(note))) => {
                peers.hear(note.payload(), node, Instant::now());
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

/// Knows when each of the other processes was last heard.
#[derive(Default)]
struct Peers(HashMap<String, Instant>);

impl Peers {
    fn hear(&mut self, payload: &str, node: &str, now: Instant) {
        if let Some((from, _)) = payload.split_once(':').filter(|(from, _)| *from != node) {
            match self.0.get_mut(from) {
                Some(heard_at) => *heard_at = now,
                None => drop(self.0.insert(from.to_owned(), now)),
            }
        }
    }

    /// Forgets who has fallen silent; says whether there was one.
    fn forget_silent(&mut self, now: Instant) -> bool {
        let known = self.0.len();
        self.0.retain(|_, heard_at| now.duration_since(*heard_at) < SILENCE_MAX);
        self.0.len() < known
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
        assert!(heard("you:").is_empty(), "a beat");
    }

    #[test]
    fn who_falls_silent_is_missed_once() {
        let (mut peers, begin) = (Peers::default(), Instant::now());
        peers.hear("me:a", "me", begin);
        peers.hear("you:", "me", begin);
        assert!(!peers.forget_silent(begin + BEAT));
        peers.hear("you:a,b", "me", begin + BEAT);
        assert!(!peers.forget_silent(begin + SILENCE_MAX));
        assert!(peers.forget_silent(begin + BEAT + SILENCE_MAX));
        assert!(!peers.forget_silent(begin + 2 * SILENCE_MAX), "known no more");
    }
}
