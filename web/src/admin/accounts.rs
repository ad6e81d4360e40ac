//! Who may enter: users with a password, and the sessions that a log-in opens.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    clock,
    store::{AdminSession, AdminUser, Store},
    users::password::{hash, is_password},
};

const COOKIE: &str = "cartwright_admin";
/// How long a log-in lasts: a working day and its overtime.
const SESSION_HOURS: i64 = 12;

/// How long a name and password that were right need not be hashed again, in milliseconds.
const REMEMBERED_MS: i64 = 60_000;
/// The most of them.
const REMEMBERED_MAX: usize = 100;

/// Remembers for a moment who was right: programs send name and password with every request, and hashing is slow on
/// purpose. Only digests are kept.
#[derive(Debug, Default)]
pub struct Remembered(Mutex<BTreeMap<String, i64>>);

impl Remembered {
    /// Reports whether this name and password were right a moment ago.
    pub fn is_known(&self, name: &str, password: &str) -> bool {
        let until_ms = self.entries().get(&digest(&format!("{name}:{password}"))).copied();
        until_ms.is_some_and(|until_ms| clock::now_ms() < until_ms)
    }

    /// Remembers that they are right.
    pub fn remember(&self, name: &str, password: &str) {
        let (now_ms, mut entries) = (clock::now_ms(), self.entries());
        entries.retain(|_, until_ms| now_ms < *until_ms);
        if entries.len() < REMEMBERED_MAX {
            entries.insert(digest(&format!("{name}:{password}")), now_ms + REMEMBERED_MS);
        }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Creates or updates a user, unless the stored password is the same.
///
/// # Errors
/// Where the store does not answer.
pub async fn put_user(store: &dyn Store, name: &str, password: &str) -> anyhow::Result<()> {
    let known = store.admin_user(name).await?;
    if known.is_some_and(|user| is_password(password, &user.password_hash)) {
        return Ok(());
    }
    store.put_admin_user(&AdminUser { name: name.to_owned(), password_hash: hash(password)? }).await?;
    Ok(())
}

/// Opens a session; returns it with the cookie that carries its token.
pub fn open_session(user: &str) -> (AdminSession, Cookie<'static>) {
    let token = secret();
    let session = AdminSession {
        token_hash: digest(&token),
        user: user.to_owned(),
        csrf: secret(),
        ends_at_ms: clock::now_ms() + SESSION_HOURS * 3_600_000,
    };
    (session, cookie(token, Duration::hours(SESSION_HOURS)))
}

/// Returns the cookie that makes a browser forget its session.
pub fn closing_cookie() -> Cookie<'static> {
    cookie(String::new(), Duration::ZERO)
}

fn cookie(value: String, age: Duration) -> Cookie<'static> {
    Cookie::build(COOKIE, value).path("/admin").http_only(true).same_site(SameSite::Lax).max_age(age).finish()
}

/// Finds the session of a request.
///
/// # Errors
/// Where the store does not answer.
pub async fn session_of(
    store: &dyn Store,
    request: &HttpRequest,
) -> crate::store::Result<Option<AdminSession>> {
    match request.cookie(COOKIE) {
        Some(cookie) => store.admin_session(&digest(cookie.value()), clock::now_ms()).await,
        None => Ok(None),
    }
}

/// Returns 244 random bits as text.
pub fn secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

fn digest(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}
