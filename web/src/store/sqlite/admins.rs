//! The people who may enter `/admin`.

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::{
    super::{AdminSession, AdminStore, AdminUser, Result},
    SqliteStore,
    columns::{execute, row},
};

#[async_trait]
impl AdminStore for SqliteStore {
    async fn admin_user(&self, name: &str) -> Result<Option<AdminUser>> {
        let name = name.to_owned();
        self.readers.run(move |db| user(db, &name)).await
    }

    async fn put_admin_user(&self, user: &AdminUser) -> Result<()> {
        let user = user.clone();
        self.writer.run(move |db| put_user(db, &user)).await
    }

    async fn put_admin_session(&self, session: &AdminSession, now_ms: i64) -> Result<u64> {
        let session = session.clone();
        self.writer.run(move |db| put_session(db, &session, now_ms)).await
    }

    async fn admin_session(&self, token_hash: &str, now_ms: i64) -> Result<Option<AdminSession>> {
        let token_hash = token_hash.to_owned();
        self.readers.run(move |db| session(db, &token_hash, now_ms)).await
    }

    async fn delete_admin_session(&self, token_hash: &str) -> Result<()> {
        let token_hash = token_hash.to_owned();
        self.writer.run(move |db| delete_session(db, &token_hash)).await
    }
}

/// Reads a user.
pub fn user(db: &Connection, name: &str) -> Result<Option<AdminUser>> {
    row(db, "SELECT name, password_hash FROM admin_users WHERE name = ?1", [name], |row| {
        Ok(AdminUser { name: row.get(0)?, password_hash: row.get(1)? })
    })
}

/// Inserts a user, or changes their password, which ends their sessions.
pub fn put_user(db: &Connection, user: &AdminUser) -> Result<()> {
    let sql = "INSERT INTO admin_users (name, password_hash) VALUES (?1, ?2)
               ON CONFLICT (name) DO UPDATE SET password_hash = ?2";
    execute(db, sql, [&user.name, &user.password_hash])?;
    execute(db, "DELETE FROM admin_sessions WHERE user = ?1", [&user.name]).map(drop)
}

/// Opens a session and forgets those that have ended.
pub fn put_session(db: &Connection, session: &AdminSession, now_ms: i64) -> Result<u64> {
    let AdminSession { token_hash, user, csrf, ends_at_ms } = session;
    let sql = "INSERT INTO admin_sessions (token_hash, user, csrf, ends_at_ms) VALUES (?1, ?2, ?3, ?4)";
    execute(db, sql, params![token_hash, user, csrf, ends_at_ms])?;
    Ok(execute(db, "DELETE FROM admin_sessions WHERE ends_at_ms <= ?1", [now_ms])? as u64)
}

/// Reads a session that has not ended.
pub fn session(db: &Connection, token_hash: &str, now_ms: i64) -> Result<Option<AdminSession>> {
    let sql = "SELECT token_hash, user, csrf, ends_at_ms FROM admin_sessions WHERE token_hash = ?1 AND ends_at_ms > ?2";
    row(db, sql, params![token_hash, now_ms], |row| {
        Ok(AdminSession {
            token_hash: row.get(0)?,
            user: row.get(1)?,
            csrf: row.get(2)?,
            ends_at_ms: row.get(3)?,
        })
    })
}

/// Ends a session.
pub fn delete_session(db: &Connection, token_hash: &str) -> Result<()> {
    execute(db, "DELETE FROM admin_sessions WHERE token_hash = ?1", [token_hash])?;
    Ok(())
}
