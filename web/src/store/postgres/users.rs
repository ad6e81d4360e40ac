//! The shop's users, their sessions and the attempts to log in.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cart_core::{GroupId, VisitorId};
use deadpool_postgres::Client;
use tokio_postgres::Row;

use super::{
    super::{Result, User, UserSession, UserStore, users::USER_SESSIONS_MAX},
    PostgresStore,
    cells::{bigint, cell, number, parsed, parsed_option},
    listen,
    transaction::{Params, Transaction, bounded, execute, execute_alone, query},
};

const USER: &str =
    "u.id AS user_id, u.unit, u.email, u.name, u.password_hash, u.created_at_ms, u.customer_group";
const SESSION: &str = "s.token_hash, s.id, s.user_id, s.device, s.since_ms, s.seen_at_ms, s.ends_at_ms";

#[async_trait]
impl UserStore for PostgresStore {
    async fn add_user(&self, user: &User) -> Result<bool> {
        const SQL: &str =
            "INSERT INTO users (id, unit, email, name, password_hash, created_at_ms, customer_group)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (email) DO NOTHING";
        let User { id, unit, email, name, group, password_hash, created_at_ms } = user;
        let client = self.client().await?;
        let (id, unit, group) = (id.as_str(), unit.as_str(), group.as_ref().map(GroupId::as_str));
        let params: &Params<'_> = &[&id, &unit, email, name, password_hash, created_at_ms, &group];
        Ok(bounded(execute_alone(&client, SQL, params)).await? == 1)
    }

    async fn put_group(&self, user: &VisitorId, group: Option<&GroupId>) -> Result<bool> {
        const SQL: &str = "UPDATE users SET customer_group = $2 WHERE id = $1";
        let client = self.client().await?;
        let group = group.map(GroupId::as_str);
        Ok(bounded(execute_alone(&client, SQL, &[&user.as_str(), &group])).await? == 1)
    }

    async fn user(&self, id: &VisitorId) -> Result<Option<User>> {
        let sql = format!("SELECT {USER} FROM users AS u WHERE u.id = $1");
        let client = self.client().await?;
        bounded(query(&client, &sql, &[&id.as_str()])).await?.first().map(user_of).transpose()
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        let sql = format!("SELECT {USER} FROM users AS u WHERE u.email = $1");
        let client = self.client().await?;
        bounded(query(&client, &sql, &[&email])).await?.first().map(user_of).transpose()
    }

    async fn put_password(&self, user: &VisitorId, password_hash: &str, kept: &str) -> Result<Vec<String>> {
        let transaction = Transaction::begin(self.client().await?).await?;
        let ended = bounded(put_password(&transaction, user, password_hash, kept)).await?;
        transaction.commit().await?;
        self.tell_ended(&ended).await;
        Ok(ended)
    }

    async fn open_session(&self, session: &UserSession, now_ms: i64) -> Result<()> {
        let transaction = Transaction::begin(self.client().await?).await?;
        bounded(open(&transaction, session, now_ms)).await?;
        transaction.commit().await
    }

    async fn session(&self, token_hash: &str, now_ms: i64) -> Result<Option<(UserSession, User)>> {
        let sql = format!(
            "SELECT {SESSION}, u.unit, u.email, u.name, u.password_hash, u.created_at_ms, u.customer_group
            FROM user_sessions AS s JOIN users AS u ON u.id = s.user_id
            WHERE s.token_hash = $1 AND s.ends_at_ms > $2"
        );
        let client = self.client().await?;
        let rows = bounded(query(&client, &sql, &[&token_hash, &now_ms])).await?;
        rows.first().map(|row| Ok((session_of(row)?, user_of(row)?))).transpose()
    }

    async fn sessions_of(&self, user: &VisitorId, now_ms: i64) -> Result<Vec<UserSession>> {
        let sql = format!(
            "SELECT {SESSION} FROM user_sessions AS s WHERE s.user_id = $1 AND s.ends_at_ms > $2
            ORDER BY s.seen_at_ms DESC, s.id"
        );
        let client = self.client().await?;
        bounded(query(&client, &sql, &[&user.as_str(), &now_ms])).await?.iter().map(session_of).collect()
    }

    async fn touch_session(&self, token_hash: &str, seen_at_ms: i64, ends_at_ms: i64) -> Result<()> {
        const SQL: &str = "UPDATE user_sessions
            SET seen_at_ms = greatest(seen_at_ms, $2), ends_at_ms = greatest(ends_at_ms, $3)
            WHERE token_hash = $1";
        let client = self.client().await?;
        bounded(execute_alone(&client, SQL, &[&token_hash, &seen_at_ms, &ends_at_ms])).await.map(drop)
    }

    async fn end_session(&self, user: &VisitorId, id: &str) -> Result<Option<String>> {
        const SQL: &str = "DELETE FROM user_sessions WHERE user_id = $1 AND id = $2 RETURNING token_hash";
        let client = self.client().await?;
        let rows = bounded(query(&client, SQL, &[&user.as_str(), &id])).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let ended: String = cell(row, "token_hash")?;
        drop(client);
        self.tell_ended(std::slice::from_ref(&ended)).await;
        Ok(Some(ended))
    }

    async fn count_attempt(&self, keys: &[String], window: i64) -> Result<Vec<u64>> {
        let client = self.client().await?;
        bounded(count_attempt(&client, keys, window)).await
    }

    async fn forgive_attempts(&self, keys: &[String]) -> Result<()> {
        const SQL: &str = "DELETE FROM login_attempts WHERE key = ANY ($1::text[])";
        let client = self.client().await?;
        bounded(execute_alone(&client, SQL, &[&keys])).await.map(drop)
    }
}

impl PostgresStore {
    /// Tells other processes of tokens that ended. One that does not hear it finds out when what it remembers grows old.
    pub(super) async fn tell_ended(&self, hashes: &[String]) {
        let told = async {
            let client = self.client().await?;
            for hash in hashes {
                let message = listen::ended(&self.node, hash);
                execute_alone(&client, "SELECT pg_notify('cartwright_carts', $1)", &[&message]).await?;
            }
            Ok(())
        };
        if let Err(error) = bounded(told).await {
            tracing::warn!(%error, "other processes were not told of ended sessions");
        }
    }
}

async fn put_password(
    transaction: &Transaction,
    user: &VisitorId,
    hash: &str,
    kept: &str,
) -> Result<Vec<String>> {
    const SQL: &str =
        "DELETE FROM user_sessions WHERE user_id = $1 AND token_hash <> $2 RETURNING token_hash";
    let user = user.as_str();
    execute(transaction, "UPDATE users SET password_hash = $2 WHERE id = $1", &[&user, &hash]).await?;
    query(transaction, SQL, &[&user, &kept]).await?.iter().map(|row| cell(row, "token_hash")).collect()
}

async fn open(transaction: &Transaction, session: &UserSession, now_ms: i64) -> Result<()> {
    const INSERT: &str = "INSERT INTO user_sessions
        (token_hash, id, user_id, device, since_ms, seen_at_ms, ends_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    const CROWD: &str = "DELETE FROM user_sessions WHERE token_hash IN (
        SELECT token_hash FROM user_sessions WHERE user_id = $1
        ORDER BY seen_at_ms DESC, since_ms DESC OFFSET $2)";
    let UserSession { token_hash, id, user, device, since_ms, seen_at_ms, ends_at_ms } = session;
    let user = user.as_str();
    execute(transaction, "DELETE FROM user_sessions WHERE ends_at_ms <= $1", &[&now_ms]).await?;
    execute(transaction, INSERT, &[token_hash, id, &user, device, since_ms, seen_at_ms, ends_at_ms]).await?;
    execute(transaction, CROWD, &[&user, &bigint(USER_SESSIONS_MAX)]).await.map(drop)
}

/// The keys are written in order, so that two attempts wait for each other in a row and never in a circle.
async fn count_attempt(client: &Client, keys: &[String], window: i64) -> Result<Vec<u64>> {
    const SQL: &str = "INSERT INTO login_attempts AS l (key, time_window, attempts)
        SELECT key, $2, 1 FROM unnest($1::text[]) AS w (key) ORDER BY key
        ON CONFLICT (key) DO UPDATE SET attempts = l.attempts + 1 RETURNING key, attempts";
    execute_alone(client, "DELETE FROM login_attempts WHERE time_window < $1", &[&window]).await?;
    let rows = query(client, SQL, &[&keys, &window]).await?;
    let counts: BTreeMap<String, u64> =
        rows.iter().map(|row| Ok((cell(row, "key")?, number(row, "attempts")?))).collect::<Result<_>>()?;
    Ok(keys.iter().map(|key| counts.get(key).copied().unwrap_or(0)).collect())
}

fn user_of(row: &Row) -> Result<User> {
    Ok(User {
        id: parsed(row, "user_id")?,
        unit: parsed(row, "unit")?,
        email: cell(row, "email")?,
        name: cell(row, "name")?,
        password_hash: cell(row, "password_hash")?,
        created_at_ms: cell(row, "created_at_ms")?,
        group: parsed_option(row, "customer_group")?,
    })
}

fn session_of(row: &Row) -> Result<UserSession> {
    Ok(UserSession {
        token_hash: cell(row, "token_hash")?,
        id: cell(row, "id")?,
        user: parsed(row, "user_id")?,
        device: cell(row, "device")?,
        since_ms: cell(row, "since_ms")?,
        seen_at_ms: cell(row, "seen_at_ms")?,
        ends_at_ms: cell(row, "ends_at_ms")?,
    })
}
