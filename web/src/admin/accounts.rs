//! Who may enter: users with a password, and the sessions that a log-in opens.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    carts::CartsError,
    clock,
    shop::Shop,
    store::{AdminSession, AdminUser, Store},
    users::{
        EntryError,
        password::{NOBODY, hash, is_password},
        throttle,
    },
    visitor::is_secure,
};

const COOKIE: &str = "cartwright_admin";
/// How long a log-in lasts: a working day and its overtime.
const SESSION_HOURS: i64 = 12;

/// How long a name and password that were right need not be hashed again, in milliseconds.
const REMEMBERED_MS: i64 = 60_000;
/// The most of them.
const REMEMBERED_MAX: usize = 100;

/// Knows the shop's people by name and password.
///
/// Programs send both with every request, and hashing is slow on purpose: who was right is remembered for a moment, as a
/// digest. Attempts are counted as those of customers are (`users/throttle.rs`), one after the other, so that the first
/// requests of a busy program are not taken for guesses.
#[derive(Debug, Default)]
pub struct Doorkeeper {
    remembered: Mutex<BTreeMap<String, i64>>,
    turn: tokio::sync::Mutex<()>,
}

impl Doorkeeper {
    /// Reports whether a name and a password belong together.
    ///
    /// # Errors
    /// [`EntryError`]: there were too many attempts, no core got round to it, or the store does not answer.
    pub async fn admits(
        &self,
        shop: &Shop,
        name: &str,
        password: &str,
        address: Option<IpAddr>,
    ) -> Result<bool, EntryError> {
        let pair = digest(&format!("{name}:{password}"));
        if self.remembers(&pair) {
            return Ok(true);
        }
        let _turn = self.turn.lock().await;
        if self.remembers(&pair) {
            return Ok(true);
        }
        // No e-mail address has a space.
        let account = format!("admin {name}");
        throttle::admit(&*shop.store, &account, address, clock::now_ms()).await?;
        let stored = shop.store.admin_user(name).await?;
        let hash = stored.map_or_else(|| NOBODY.to_owned(), |user| user.password_hash);
        let is_right = shop.hasher.is_password(password, &hash).await.ok_or(CartsError::Busy)?;
        if is_right {
            throttle::forgive(&*shop.store, &account, address).await?;
            self.remember(pair);
        }
        Ok(is_right)
    }

    fn remembers(&self, pair: &str) -> bool {
        self.entries().get(pair).is_some_and(|until_ms| clock::now_ms() < *until_ms)
    }

    fn remember(&self, pair: String) {
        let (now_ms, mut entries) = (clock::now_ms(), self.entries());
        entries.retain(|_, until_ms| now_ms < *until_ms);
        if entries.len() < REMEMBERED_MAX {
            entries.insert(pair, now_ms + REMEMBERED_MS);
        }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, i64>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Opens a session for the browser that sent a request; returns it with the cookie that carries its token.
pub fn open_session(request: &HttpRequest, user: &str) -> (AdminSession, Cookie<'static>) {
    let token = secret();
    let session = AdminSession {
        token_hash: digest(&token),
        user: user.to_owned(),
        csrf: secret(),
        ends_at_ms: clock::now_ms() + SESSION_HOURS * 3_600_000,
    };
    (session, cookie(request, token, Duration::hours(SESSION_HOURS)))
}

/// Returns the cookie that makes a browser forget its session.
pub fn closing_cookie(request: &HttpRequest) -> Cookie<'static> {
    cookie(request, String::new(), Duration::ZERO)
}

fn cookie(request: &HttpRequest, value: String, age: Duration) -> Cookie<'static> {
    Cookie::build(COOKIE, value)
        .path("/admin")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(is_secure(request))
        .max_age(age)
        .finish()
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
