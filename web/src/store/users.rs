//! The rows of the shop's users, the sessions of their devices and the attempts to log in.

use async_trait::async_trait;
use cart_core::{GroupId, VisitorId};

use super::Result;

/// The most sessions of one user: more devices than anybody has. The one that was used longest ago ends for the next.
pub const USER_SESSIONS_MAX: usize = 50;

/// Keeps users and their sessions. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// Inserts a user; answers whether the e-mail address was free.
    async fn add_user(&self, user: &User) -> Result<bool>;

    /// Says which group of customers a user belongs to; reports whether there is such a user.
    async fn put_group(&self, user: &VisitorId, group: Option<&GroupId>) -> Result<bool>;

    /// Reads a user.
    async fn user(&self, id: &VisitorId) -> Result<Option<User>>;

    /// Reads the user of an e-mail address.
    async fn user_by_email(&self, email: &str) -> Result<Option<User>>;

    /// Sets a user's password and ends all their sessions but the kept one; returns the hashes of those that ended, and
    /// tells other processes of them.
    async fn put_password(&self, user: &VisitorId, password_hash: &str, kept: &str) -> Result<Vec<String>>;

    /// Opens a session; forgets those of anybody that have ended by `now_ms`, and of this user's the ones used longest
    /// ago, so that at most [`USER_SESSIONS_MAX`] are left.
    async fn open_session(&self, session: &UserSession, now_ms: i64) -> Result<()>;

    /// Reads a session that has not ended by `now_ms`, with its user.
    async fn session(&self, token_hash: &str, now_ms: i64) -> Result<Option<(UserSession, User)>>;

    /// Returns a user's sessions that have not ended by `now_ms`, the one used last first.
    async fn sessions_of(&self, user: &VisitorId, now_ms: i64) -> Result<Vec<UserSession>>;

    /// Notes that a session was used, and when it ends from now on.
    async fn touch_session(&self, token_hash: &str, seen_at_ms: i64, ends_at_ms: i64) -> Result<()>;

    /// Ends a user's session of that id and tells other processes; returns its hash, where there was one.
    async fn end_session(&self, user: &VisitorId, id: &str) -> Result<Option<String>>;

    /// Counts one more attempt under each key in a window of time; returns the counts, in order. Counts of earlier
    /// windows are forgotten.
    async fn count_attempt(&self, keys: &[String], window: i64) -> Result<Vec<u64>>;

    /// Forgets the attempts under some keys.
    async fn forgive_attempts(&self, keys: &[String]) -> Result<()>;
}

/// Is somebody with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Who they are: the owner of their carts and orders. No token has this id, so only a session speaks for it.
    pub id: VisitorId,
    /// The visitor who signed up: the unit by which experiments know the user.
    pub unit: VisitorId,
    /// The e-mail address to log in with, in lower case.
    pub email: String,
    /// The name to be called by; may be empty.
    pub name: String,
    /// The group of customers that they belong to, by which they may have prices of their own.
    pub group: Option<GroupId>,
    /// The password's Argon2id hash in PHC format.
    pub password_hash: String,
    /// When they signed up, in Unix milliseconds.
    pub created_at_ms: i64,
}

/// Is a device that is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSession {
    /// The SHA-256 of the session's token in hexadecimal; the token itself is never stored.
    pub token_hash: String,
    /// The name that lists and addresses use.
    pub id: String,
    /// Whose it is.
    pub user: VisitorId,
    /// What the device calls itself.
    pub device: String,
    /// When it logged in, in Unix milliseconds.
    pub since_ms: i64,
    /// When it was used last, to the minute or so, in Unix milliseconds.
    pub seen_at_ms: i64,
    /// When it ends, in Unix milliseconds.
    pub ends_at_ms: i64,
}
