//! From a session's token to who it speaks for: remembered for a few seconds, forgotten at once when it ends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use cart_core::{GroupId, VisitorId};
use sha2::{Digest, Sha256};

use crate::{
    clock,
    store::{self, Store},
    visitor::{Token, Visitor},
};

/// What the token of a session begins with; no visitor's own does.
pub const SESSION_PREFIX: &str = "cws_";
/// How long a session is believed without asking: the longest that an ended one lives on at a node that did not hear of it.
const BELIEVED: Duration = Duration::from_secs(10);
/// The most sessions that are remembered; some 400 bytes each.
const REMEMBERED_MAX: usize = 100_000;
/// How old the note of a session's last use may be, in milliseconds: a write a minute and device is the most.
const SEEN_PRECISION_MS: i64 = 60_000;

/// Is a device that is logged in, as requests see it.
#[derive(Debug, PartialEq, Eq)]
pub struct Login {
    /// The user, who owns carts and orders.
    pub user: VisitorId,
    /// How experiments know the user.
    pub unit: VisitorId,
    /// The address that the user logs in with.
    pub email: String,
    /// What to call the user; may be empty.
    pub name: String,
    /// The group of customers that the user belongs to.
    pub group: Option<GroupId>,
    /// The session's name in lists.
    pub session: String,
    /// The hash of the session's token.
    pub token_hash: String,
}

impl Login {
    /// Returns what to call the user: the name, else the address.
    pub fn called(&self) -> &str {
        if self.name.is_empty() { &self.email } else { &self.name }
    }
}

/// Remembers who the sessions' tokens speak for.
#[derive(Debug, Default)]
pub struct Principals(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    known: HashMap<String, (Arc<Login>, Instant)>,
    /// Grows with every end, so that an answer from before it is not remembered after it.
    ends: u64,
}

impl Principals {
    /// Finds who a session's token speaks for; nobody, where the session has ended.
    ///
    /// # Errors
    /// Where the store does not answer.
    pub async fn find(
        &self,
        store: &dyn Store,
        token: &Token,
        session_ms: i64,
    ) -> store::Result<Option<Visitor>> {
        let hash = token_hash(token.text());
        let ends = {
            let memory = self.memory();
            if let Some((login, until)) = memory.known.get(&hash)
                && *until > Instant::now()
            {
                return Ok(Some(Visitor::of_login(token.clone(), login.clone())));
            }
            memory.ends
        };
        let now_ms = clock::now_ms();
        let Some((session, user)) = store.session(&hash, now_ms).await? else { return Ok(None) };
        if now_ms - session.seen_at_ms >= SEEN_PRECISION_MS {
            // A list of devices may be a minute behind; a request does not fail for it.
            if let Err(error) = store.touch_session(&hash, now_ms, now_ms.saturating_add(session_ms)).await {
                tracing::warn!(%error, "the use of a session could not be noted");
            }
        }
        let login = Arc::new(Login {
            user: user.id,
            unit: user.unit,
            email: user.email,
            name: user.name,
            group: user.group,
            session: session.id,
            token_hash: hash.clone(),
        });
        let mut memory = self.memory();
        if memory.ends == ends {
            if memory.known.len() >= REMEMBERED_MAX {
                memory.known.clear();
            }
            memory.known.insert(hash, (login.clone(), Instant::now() + BELIEVED));
        }
        drop(memory);
        Ok(Some(Visitor::of_login(token.clone(), login)))
    }

    /// Forgets a session that ended.
    pub fn forget(&self, token_hash: &str) {
        let mut memory = self.memory();
        memory.ends += 1;
        memory.known.remove(token_hash);
    }

    /// Forgets what is remembered of a user.
    pub fn forget_user(&self, user: &VisitorId) {
        let mut memory = self.memory();
        memory.ends += 1;
        memory.known.retain(|_, (login, _)| login.user != *user);
    }

    /// Forgets all, where ends may have gone unheard.
    pub fn forget_all(&self) {
        let mut memory = self.memory();
        memory.ends += 1;
        memory.known.clear();
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.0.lock().expect("no thread panics with the lock held")
    }
}

/// Returns what the store keeps of a token that is a secret.
pub fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}
