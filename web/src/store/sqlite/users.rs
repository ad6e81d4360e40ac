//! The shop's users, their sessions and the attempts to log in.

use async_trait::async_trait;
use cart_core::{GroupId, VisitorId};
use rusqlite::{Connection, Row, params};

use super::{
    super::{Result, User, UserSession, UserStore, users::USER_SESSIONS_MAX},
    SqliteStore,
    columns::{count, execute, int, parsed, parsed_option, row, rows},
};

/// Lists the columns of a user behind a prefix, as [`user_at`] reads them.
macro_rules! user_columns {
    ($of:literal) => {
        concat!(
            $of,
            "id, ",
            $of,
            "unit, ",
            $of,
            "email, ",
            $of,
            "name, ",
            $of,
            "password_hash, ",
            $of,
            "created_at_ms, ",
            $of,
            "customer_group"
        )
    };
}

#[async_trait]
impl UserStore for SqliteStore {
    async fn add_user(&self, user: &User) -> Result<bool> {
        let user = user.clone();
        self.writer.run(move |db| add(db, &user)).await
    }

    async fn put_group(&self, user: &VisitorId, group: Option<&GroupId>) -> Result<bool> {
        let (user, group) = (user.clone(), group.map(ToString::to_string));
        let sql = "UPDATE users SET customer_group = ?2 WHERE id = ?1";
        self.writer.run(move |db| Ok(execute(db, sql, params![user.as_str(), group])? == 1)).await
    }

    async fn user(&self, id: &VisitorId) -> Result<Option<User>> {
        let id = id.clone();
        let sql = concat!("SELECT ", user_columns!(""), " FROM users WHERE id = ?1");
        self.readers.run(move |db| row(db, sql, [id.as_str()], |row| user_at(row, 0))).await
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        let email = email.to_owned();
        let sql = concat!("SELECT ", user_columns!(""), " FROM users WHERE email = ?1");
        self.readers.run(move |db| row(db, sql, [email], |row| user_at(row, 0))).await
    }

    async fn put_password(&self, user: &VisitorId, password_hash: &str, kept: &str) -> Result<Vec<String>> {
        let (user, password_hash, kept) = (user.clone(), password_hash.to_owned(), kept.to_owned());
        self.writer.run(move |db| put_password(db, &user, &password_hash, &kept)).await
    }

    async fn open_session(&self, session: &UserSession, now_ms: i64) -> Result<()> {
        let session = session.clone();
        self.writer.run(move |db| open(db, &session, now_ms)).await
    }

    async fn session(&self, token_hash: &str, now_ms: i64) -> Result<Option<(UserSession, User)>> {
        let token_hash = token_hash.to_owned();
        let sql = concat!(
            "SELECT s.token_hash, s.id, s.user, s.device, s.since_ms, s.seen_at_ms, s.ends_at_ms, ",
            user_columns!("u."),
            " FROM user_sessions AS s JOIN users AS u ON u.id = s.user
            WHERE s.token_hash = ?1 AND s.ends_at_ms > ?2"
        );
        let found = move |db: &Connection| {
            row(db, sql, params![token_hash, now_ms], |row| Ok((session_at(row)?, user_at(row, 7)?)))
        };
        self.readers.run(found).await
    }

    async fn sessions_of(&self, user: &VisitorId, now_ms: i64) -> Result<Vec<UserSession>> {
        let user = user.clone();
        let sql = "SELECT token_hash, id, user, device, since_ms, seen_at_ms, ends_at_ms FROM user_sessions
            WHERE user = ?1 AND ends_at_ms > ?2 ORDER BY seen_at_ms DESC, id";
        self.readers.run(move |db| rows(db, sql, params![user.as_str(), now_ms], session_at)).await
    }

    async fn touch_session(&self, token_hash: &str, seen_at_ms: i64, ends_at_ms: i64) -> Result<()> {
        let token_hash = token_hash.to_owned();
        let sql =
            "UPDATE user_sessions SET seen_at_ms = max(seen_at_ms, ?2), ends_at_ms = max(ends_at_ms, ?3)
            WHERE token_hash = ?1";
        self.writer
            .run(move |db| execute(db, sql, params![token_hash, seen_at_ms, ends_at_ms]).map(drop))
            .await
    }

    async fn end_session(&self, user: &VisitorId, id: &str) -> Result<Option<String>> {
        let (user, id) = (user.clone(), id.to_owned());
        let sql = "DELETE FROM user_sessions WHERE user = ?1 AND id = ?2 RETURNING token_hash";
        self.writer.run(move |db| row(db, sql, [user.as_str(), &id], |row| row.get(0))).await
    }

    async fn count_attempt(&self, keys: &[String], window: i64) -> Result<Vec<u64>> {
        let keys = keys.to_vec();
        self.writer.run(move |db| count_attempt(db, &keys, window)).await
    }

    async fn forgive_attempts(&self, keys: &[String]) -> Result<()> {
        let keys = keys.to_vec();
        let forgive = move |db: &Connection| {
            keys.iter()
                .try_for_each(|key| execute(db, "DELETE FROM login_attempts WHERE key = ?1", [key]).map(drop))
        };
        self.writer.run(forgive).await
    }
}

fn add(db: &Connection, user: &User) -> Result<bool> {
    let User { id, unit, email, name, group, password_hash, created_at_ms } = user;
    let sql = "INSERT INTO users (id, unit, email, name, password_hash, created_at_ms, customer_group)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (email) DO NOTHING";
    let group = group.as_ref().map(GroupId::as_str);
    let params = params![id.as_str(), unit.as_str(), email, name, password_hash, created_at_ms, group];
    Ok(execute(db, sql, params)? == 1)
}

fn put_password(db: &Connection, user: &VisitorId, hash: &str, kept: &str) -> Result<Vec<String>> {
    execute(db, "UPDATE users SET password_hash = ?2 WHERE id = ?1", [user.as_str(), hash])?;
    let sql = "DELETE FROM user_sessions WHERE user = ?1 AND token_hash <> ?2 RETURNING token_hash";
    rows(db, sql, [user.as_str(), kept], |row| row.get(0))
}

fn open(db: &Connection, session: &UserSession, now_ms: i64) -> Result<()> {
    let UserSession { token_hash, id, user, device, since_ms, seen_at_ms, ends_at_ms } = session;
    execute(db, "DELETE FROM user_sessions WHERE ends_at_ms <= ?1", [now_ms])?;
    let sql = "INSERT INTO user_sessions (token_hash, id, user, device, since_ms, seen_at_ms, ends_at_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    execute(db, sql, params![token_hash, id, user.as_str(), device, since_ms, seen_at_ms, ends_at_ms])?;
    let sql = "DELETE FROM user_sessions WHERE token_hash IN (
        SELECT token_hash FROM user_sessions WHERE user = ?1 ORDER BY seen_at_ms DESC, since_ms DESC LIMIT -1 OFFSET ?2)";
    execute(db, sql, params![user.as_str(), int(USER_SESSIONS_MAX)])?;
    Ok(())
}

fn count_attempt(db: &Connection, keys: &[String], window: i64) -> Result<Vec<u64>> {
    execute(db, "DELETE FROM login_attempts WHERE time_window < ?1", [window])?;
    let sql = "INSERT INTO login_attempts (key, time_window, attempts) VALUES (?1, ?2, 1)
        ON CONFLICT (key) DO UPDATE SET attempts = attempts + 1 RETURNING attempts";
    let one = |key: &String| Ok(row(db, sql, params![key, window], |row| count(row, 0))?.unwrap_or(0));
    keys.iter().map(one).collect()
}

fn user_at(row: &Row<'_>, at: usize) -> rusqlite::Result<User> {
    Ok(User {
        id: parsed(row, at)?,
        unit: parsed(row, at + 1)?,
        email: row.get(at + 2)?,
        name: row.get(at + 3)?,
        password_hash: row.get(at + 4)?,
        created_at_ms: row.get(at + 5)?,
        group: parsed_option(row, at + 6)?,
    })
}

fn session_at(row: &Row<'_>) -> rusqlite::Result<UserSession> {
    Ok(UserSession {
        token_hash: row.get(0)?,
        id: row.get(1)?,
        user: parsed(row, 2)?,
        device: row.get(3)?,
        since_ms: row.get(4)?,
        seen_at_ms: row.get(5)?,
        ends_at_ms: row.get(6)?,
    })
}
