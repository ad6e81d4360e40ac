//! The rows of the people who may enter `/admin`.

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
