//! The people who may enter `/admin`, and their sessions.

use async_trait::async_trait;
use deadpool_postgres::Client;

use super::{
    super::{AdminSession, AdminStore, AdminUser, Result},
    PostgresStore,
    cells::cell,
    transaction::bounded,
    transaction::{execute_alone, query},
};

#[async_trait]
impl AdminStore for PostgresStore {
    async fn admin_user(&self, name: &str) -> Result<Option<AdminUser>> {
        bounded(user(&self.client().await?, name)).await
    }

    async fn put_admin_user(&self, user: &AdminUser) -> Result<()> {
        bounded(put_user(&self.client().await?, user)).await
    }

    async fn put_admin_session(&self, session: &AdminSession, now_ms: i64) -> Result<u64> {
        bounded(put_session(&self.client().await?, session, now_ms)).await
    }

    async fn admin_session(&self, token_hash: &str, now_ms: i64) -> Result<Option<AdminSession>> {
        bounded(session(&self.client().await?, token_hash, now_ms)).await
    }

    async fn delete_admin_session(&self, token_hash: &str) -> Result<()> {
        bounded(delete_session(&self.client().await?, token_hash)).await
    }
}

/// Reads a user.
pub async fn user(client: &Client, name: &str) -> Result<Option<AdminUser>> {
    let rows = query(client, "SELECT name, password_hash FROM admin_users WHERE name = $1", &[&name]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(AdminUser { name: cell(row, "name")?, password_hash: cell(row, "password_hash")? }))
}

/// Inserts a user, or changes their password, which ends their sessions.
pub async fn put_user(client: &Client, user: &AdminUser) -> Result<()> {
    const SQL: &str = "WITH ended AS (DELETE FROM admin_sessions WHERE user_name = $1)
        INSERT INTO admin_users (name, password_hash) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET password_hash = excluded.password_hash";
    execute_alone(client, SQL, &[&user.name, &user.password_hash]).await.map(drop)
}

/// Opens a session and forgets those that have ended.
pub async fn put_session(client: &Client, session: &AdminSession, now_ms: i64) -> Result<u64> {
    const SQL: &str =
        "INSERT INTO admin_sessions (token_hash, user_name, csrf, ends_at_ms) VALUES ($1, $2, $3, $4)
        ON CONFLICT (token_hash) DO UPDATE SET user_name = excluded.user_name, csrf = excluded.csrf,
            ends_at_ms = excluded.ends_at_ms";
    let AdminSession { token_hash, user, csrf, ends_at_ms } = session;
    execute_alone(client, SQL, &[token_hash, user, csrf, ends_at_ms]).await?;
    execute_alone(client, "DELETE FROM admin_sessions WHERE ends_at_ms <= $1", &[&now_ms]).await
}

/// Reads a session that has not ended.
pub async fn session(client: &Client, token_hash: &str, now_ms: i64) -> Result<Option<AdminSession>> {
    const SQL: &str = "SELECT token_hash, user_name, csrf, ends_at_ms FROM admin_sessions
        WHERE token_hash = $1 AND ends_at_ms > $2";
    let rows = query(client, SQL, &[&token_hash, &now_ms]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(AdminSession {
        token_hash: cell(row, "token_hash")?,
        user: cell(row, "user_name")?,
        csrf: cell(row, "csrf")?,
        ends_at_ms: cell(row, "ends_at_ms")?,
    }))
}

/// Ends a session.
pub async fn delete_session(client: &Client, token_hash: &str) -> Result<()> {
    execute_alone(client, "DELETE FROM admin_sessions WHERE token_hash = $1", &[&token_hash]).await.map(drop)
}
