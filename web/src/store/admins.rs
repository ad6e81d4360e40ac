//! The rows of the people who may enter `/admin`.

use async_trait::async_trait;

use super::Result;

/// Keeps admin users and their sessions. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait AdminStore: Send + Sync {
    /// Reads an admin user.
    async fn admin_user(&self, name: &str) -> Result<Option<AdminUser>>;

    /// Inserts an admin user, or changes their password, which ends their sessions.
    async fn put_admin_user(&self, user: &AdminUser) -> Result<()>;

    /// Opens an admin session and forgets those that have ended by `now_ms`; returns how many.
    async fn put_admin_session(&self, session: &AdminSession, now_ms: i64) -> Result<u64>;

    /// Reads a session that has not ended by `now_ms`.
    async fn admin_session(&self, token_hash: &str, now_ms: i64) -> Result<Option<AdminSession>>;

    /// Ends a session.
    async fn delete_admin_session(&self, token_hash: &str) -> Result<()>;
}

/// Is somebody who may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminUser {
    /// The name to log in with.
    pub name: String,
    /// The password's Argon2id hash in PHC format.
    pub password_hash: String,
}

/// Is a log-in that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminSession {
    /// The SHA-256 of the cookie's token in hexadecimal; the token itself is never stored.
    pub token_hash: String,
    /// Who logged in.
    pub user: String,
    /// The token that forms of this session must carry.
    pub csrf: String,
    /// When it ends, in Unix milliseconds.
    pub ends_at_ms: i64,
}
