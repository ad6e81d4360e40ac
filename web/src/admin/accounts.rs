//! Who may enter: users with a password, and the sessions that a log-in opens.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
};
use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    clock,
    store::{AdminSession, AdminUser, Store},
};

const COOKIE: &str = "cartwright_admin";
/// How long a log-in lasts: a working day and its overtime.
const SESSION_HOURS: i64 = 12;

/// Hashes a password with Argon2id and a salt of its own.
///
/// # Errors
/// Where the system gives no randomness.
pub fn hash(password: &str) -> anyhow::Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|e| anyhow::anyhow!("the password could not be hashed: {e}"))?.to_string())
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

/// Reports whether a password is the one that was hashed. Slow on purpose.
pub fn is_password(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|h| Argon2::default().verify_password(password.as_bytes(), &h).is_ok())
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
    Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_alone() {
        let stored = hash("correct horse battery").unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(is_password("correct horse battery", &stored));
        assert!(!is_password("correct horse batterz", &stored));
        assert!(!is_password("", "not a hash"));
    }
}
