//! Accounts and their entries.

use std::collections::BTreeSet;

use async_trait::async_trait;
use cart_core::{AccountId, Balances, Posting};
use tokio_postgres::{Row, types::ToSql};

use super::{
    super::{AccountStore, PostingWrite, Result},
    PostgresStore,
    cells::{bigint, cell, number, parsed},
    transaction::{Params, bounded, query},
};

/// Reads balances.
pub const BALANCES: &str = "SELECT id, balance FROM accounts WHERE id = ANY ($1::text[])";

/// Reads balances and locks them in order.
pub const LOCKED: &str =
    "SELECT id, balance FROM accounts WHERE id = ANY ($1::text[]) ORDER BY id FOR NO KEY UPDATE";

/// Moves balances; fails where one is no longer that which was decided on.
pub const MOVE: &str = "WITH moved AS (
        UPDATE accounts AS a SET balance = w.after
        FROM unnest($1::text[], $2::int8[], $3::int8[]) AS w (id, before, after)
        WHERE a.id = w.id AND a.balance = w.before
        RETURNING a.id
    )
    SELECT 1 / (count(*) = cardinality($1))::int FROM moved";

/// Inserts balances of accounts that nobody has posted to before.
pub const BEGIN: &str = "INSERT INTO accounts (id, kind, balance)
    SELECT w.id, w.kind, w.balance FROM unnest($1::text[], $2::text[], $3::int8[]) AS w (id, kind, balance)
    ORDER BY w.id COLLATE \"C\"";

/// Writes entries.
pub const ENTER: &str = "INSERT INTO account_entries (account, cause, delta, at_ms)
    SELECT w.account, w.cause, w.delta, w.at_ms
    FROM unnest($1::text[], $2::text[], $3::int8[], $4::int8[]) AS w (account, cause, delta, at_ms)";

#[async_trait]
impl AccountStore for PostgresStore {
    async fn balances(&self, accounts: &BTreeSet<AccountId>) -> Result<Balances> {
        let client = self.client().await?;
        let ids: Vec<String> = accounts.iter().map(AccountId::to_string).collect();
        let rows = bounded(query(&client, BALANCES, &[&ids])).await?;
        rows.iter().map(balance).collect()
    }

    async fn post(&self, postings: &[PostingWrite]) -> Result<u64> {
        let client = self.client().await?;
        let columns = PostColumns::of(postings);
        let rows = bounded(query(&client, POST, &columns.params())).await?;
        rows.first().map_or(Ok(0), |row| number(row, "entered"))
    }

    async fn entries(&self, account: &AccountId, limit: usize) -> Result<Vec<PostingWrite>> {
        let client = self.client().await?;
        let params: &Params<'_> = &[&account.to_string(), &bigint(limit)];
        let rows = bounded(query(&client, ENTRIES, params)).await?;
        let entry = |row: &Row| {
            let posting = Posting { account: account.clone(), delta: cell(row, "delta")? };
            Ok(PostingWrite { posting, cause: cell(row, "cause")?, at_ms: cell(row, "at_ms")? })
        };
        rows.iter().map(entry).collect()
    }
}

const ENTRIES: &str = "SELECT cause, delta, at_ms FROM account_entries WHERE account = $1
    ORDER BY at_ms DESC, cause DESC LIMIT $2";

/// Holds the columns of [`POST`].
pub struct PostColumns<'p> {
    accounts: Vec<String>,
    kinds: Vec<&'static str>,
    causes: Vec<&'p str>,
    deltas: Vec<i64>,
    times: Vec<i64>,
}

impl<'p> PostColumns<'p> {
    /// Returns the columns of some postings.
    pub fn of(postings: &'p [PostingWrite]) -> Self {
        Self {
            accounts: postings.iter().map(|w| w.posting.account.to_string()).collect(),
            kinds: postings.iter().map(|w| w.posting.account.kind()).collect(),
            causes: postings.iter().map(|w| w.cause.as_str()).collect(),
            deltas: postings.iter().map(|w| w.posting.delta).collect(),
            times: postings.iter().map(|w| w.at_ms).collect(),
        }
    }

    /// Returns them in the order in which the statement numbers them.
    pub fn params(&self) -> [&(dyn ToSql + Sync); 5] {
        [&self.accounts, &self.kinds, &self.causes, &self.deltas, &self.times]
    }
}

/// Books amounts whose cause has not moved their account yet: sent again, it books nothing twice.
pub const POST: &str = "WITH entered AS (
        INSERT INTO account_entries (account, cause, delta, at_ms)
        SELECT w.account, w.cause, w.delta, w.at_ms
        FROM unnest($1::text[], $3::text[], $4::int8[], $5::int8[]) AS w (account, cause, delta, at_ms)
        ORDER BY w.account COLLATE \"C\", w.cause COLLATE \"C\"
        ON CONFLICT (account, cause) DO NOTHING
        RETURNING account, delta
    ), sums AS (
        SELECT e.account, sum(e.delta)::int8 AS delta FROM entered AS e GROUP BY 1
    ), moved AS (
        INSERT INTO accounts (id, kind, balance)
        SELECT s.account, k.kind, s.delta
        FROM sums AS s
        JOIN (SELECT DISTINCT account, kind FROM unnest($1::text[], $2::text[]) AS w (account, kind)) AS k
            ON k.account = s.account
        ORDER BY s.account COLLATE \"C\"
        ON CONFLICT (id) DO UPDATE SET balance = accounts.balance + excluded.balance
    )
    SELECT count(*) AS entered FROM entered";

/// Reads a row.
pub fn balance(row: &Row) -> Result<(AccountId, i64)> {
    Ok((parsed(row, "id")?, cell(row, "balance")?))
}
