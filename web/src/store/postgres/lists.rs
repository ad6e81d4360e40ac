//! Wish lists.

use async_trait::async_trait;
use cart_core::VisitorId;
use tokio_postgres::Row;

use super::{
    super::{ListStore, Result, StoreError},
    PostgresStore,
    cells::{bigint, json, number, parsed, to_json},
    transaction::{Transaction, bounded, execute, execute_alone, query},
};
use crate::lists::WishList;

#[async_trait]
impl ListStore for PostgresStore {
    async fn lists_of(&self, owner: &VisitorId) -> Result<Vec<WishList>> {
        const SQL: &str = "SELECT owner, version, doc FROM wish_lists WHERE owner = $1 ORDER BY id";
        let client = self.client().await?;
        let rows = bounded(query(&client, SQL, &[&owner.as_str()])).await?;
        rows.iter().map(list).collect()
    }

    async fn list(&self, id: &str) -> Result<Option<WishList>> {
        self.one("SELECT owner, version, doc FROM wish_lists WHERE id = $1", id).await
    }

    async fn shared_list(&self, digest: &str) -> Result<Option<WishList>> {
        self.one("SELECT owner, version, doc FROM wish_lists WHERE share = $1", digest).await
    }

    async fn put_list(&self, list: &WishList, most: usize) -> Result<bool> {
        let transaction = Transaction::begin(self.client().await?).await?;
        let is_written = bounded(put(&transaction, list, most)).await?;
        if is_written {
            transaction.commit().await?;
        }
        Ok(is_written)
    }

    async fn delete_list(&self, owner: &VisitorId, id: &str) -> Result<bool> {
        const SQL: &str = "DELETE FROM wish_lists WHERE id = $1 AND owner = $2";
        let client = self.client().await?;
        Ok(bounded(execute_alone(&client, SQL, &[&id, &owner.as_str()])).await? > 0)
    }

    async fn move_lists(&self, from: &VisitorId, to: &VisitorId) -> Result<u64> {
        const SQL: &str = "UPDATE wish_lists SET owner = $2, version = version + 1 WHERE owner = $1";
        let client = self.client().await?;
        bounded(execute_alone(&client, SQL, &[&from.as_str(), &to.as_str()])).await
    }
}

impl PostgresStore {
    async fn one(&self, sql: &str, key: &str) -> Result<Option<WishList>> {
        let client = self.client().await?;
        let rows = bounded(query(&client, sql, &[&key])).await?;
        rows.first().map(list).transpose()
    }
}

/// Who owns a list and how often it has changed is what the columns say: lists move without being read.
fn list(row: &Row) -> Result<WishList> {
    Ok(WishList { owner: parsed(row, "owner")?, version: number(row, "version")?, ..json(row, "doc")? })
}

async fn put(transaction: &Transaction, list: &WishList, most: usize) -> Result<bool> {
    // Two new lists of one owner must not both be the last that is allowed.
    const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('wish lists of ' || $1, 0))::text";
    const COUNT: &str = "SELECT 1 AS one FROM wish_lists WHERE owner = $1 AND id <> $3 LIMIT $2";
    const INSERT: &str = "INSERT INTO wish_lists (id, owner, version, share, doc)
        VALUES ($1, $2, 1, $3, $4) ON CONFLICT DO NOTHING";
    const UPDATE: &str = "UPDATE wish_lists SET version = $3, share = $4, doc = $5
        WHERE id = $1 AND owner = $2 AND version + 1 = $3";
    let (doc, owner) = (to_json(list)?, list.owner.as_str());
    let written = if list.version == 1 {
        query(transaction, LOCK, &[&owner]).await?;
        if query(transaction, COUNT, &[&owner, &bigint(most), &list.id]).await?.len() >= most {
            return Ok(false);
        }
        execute(transaction, INSERT, &[&list.id, &owner, &list.share, &doc]).await?
    } else {
        execute(transaction, UPDATE, &[&list.id, &owner, &bigint(list.version), &list.share, &doc]).await?
    };
    match written {
        1 => Ok(true),
        _ => Err(StoreError::Conflict(format!("list {} is at another version", list.id))),
    }
}
