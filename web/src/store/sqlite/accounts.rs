//! Accounts and their entries.

use std::collections::BTreeSet;

use async_trait::async_trait;
use cart_core::{AccountId, Balances, Posting};
use rusqlite::{Connection, params};

use super::{
    super::{AccountStore, BalanceWrite, PostingWrite, Result, StoreError},
    SqliteStore,
    columns::{execute, int, row, rows},
};

const ENTER: &str = "INSERT INTO account_entries (account, cause, delta, at_ms) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (account, cause) DO NOTHING";

#[async_trait]
impl AccountStore for SqliteStore {
    async fn balances(&self, accounts: &BTreeSet<AccountId>) -> Result<Balances> {
        let accounts = accounts.clone();
        self.readers.run(move |db| balances(db, accounts.iter())).await
    }

    async fn post(&self, postings: &[PostingWrite]) -> Result<u64> {
        let postings = postings.to_vec();
        self.writer.run(move |db| post(db, &postings)).await
    }

    async fn entries(&self, account: &AccountId, limit: usize) -> Result<Vec<PostingWrite>> {
        let account = account.clone();
        self.readers.run(move |db| entries(db, &account, limit)).await
    }
}

/// Reads balances; accounts that were never posted to are left out.
pub fn balances<'a>(db: &Connection, accounts: impl Iterator<Item = &'a AccountId>) -> Result<Balances> {
    let mut balances = Balances::default();
    for account in accounts {
        let sql = "SELECT balance FROM accounts WHERE id = ?1";
        if let Some(balance) = row(db, sql, [account.to_string()], |row| row.get(0))? {
            balances.insert(account.clone(), balance);
        }
    }
    Ok(balances)
}

fn entries(db: &Connection, account: &AccountId, limit: usize) -> Result<Vec<PostingWrite>> {
    let sql = "SELECT cause, delta, at_ms FROM account_entries WHERE account = ?1
        ORDER BY at_ms DESC, cause DESC LIMIT ?2";
    rows(db, sql, params![account.to_string(), int(limit)], |row| {
        let posting = Posting { account: account.clone(), delta: row.get(1)? };
        Ok(PostingWrite { posting, cause: row.get(0)?, at_ms: row.get(2)? })
    })
}

/// Books amounts whose cause has not moved their account yet; returns how many.
pub fn post(db: &Connection, postings: &[PostingWrite]) -> Result<u64> {
    let mut new = 0;
    for PostingWrite { posting, cause, at_ms } in postings {
        let (account, delta) = (posting.account.to_string(), posting.delta);
        if execute(db, ENTER, params![account, cause, delta, at_ms])? == 1 {
            execute(
                db,
                "INSERT INTO accounts (id, kind, balance) VALUES (?1, ?2, ?3)
                 ON CONFLICT (id) DO UPDATE SET balance = balance + ?3",
                params![account, posting.account.kind(), delta],
            )?;
            new += 1;
        }
    }
    Ok(new)
}

/// Moves a balance that is still the one that was decided on.
pub fn write_balance(db: &Connection, account: &AccountId, write: BalanceWrite) -> Result<()> {
    let id = account.to_string();
    let written = match write.before {
        None => execute(
            db,
            "INSERT INTO accounts (id, kind, balance) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING",
            params![id, account.kind(), write.after],
        )?,
        Some(before) => execute(
            db,
            "UPDATE accounts SET balance = ?3 WHERE id = ?1 AND balance = ?2",
            params![id, before, write.after],
        )?,
    };
    match written {
        1 => Ok(()),
        _ => Err(StoreError::Conflict(format!("account {id} has moved"))),
    }
}

/// Writes an entry.
pub fn write_entry(db: &Connection, PostingWrite { posting, cause, at_ms }: &PostingWrite) -> Result<()> {
    let account = posting.account.to_string();
    match execute(db, ENTER, params![account, cause, posting.delta, at_ms])? {
        1 => Ok(()),
        _ => Err(StoreError::Conflict(format!("account {account} was moved by {cause} before"))),
    }
}
