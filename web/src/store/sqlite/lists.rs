//! Wish lists.

use async_trait::async_trait;
use cart_core::VisitorId;
use rusqlite::{Connection, Row, params};

use super::{
    super::{ListStore, Result, StoreError},
    SqliteStore,
    columns::{count, execute, int, json, parsed, row, rows, to_json},
};
use crate::lists::WishList;

#[async_trait]
impl ListStore for SqliteStore {
    async fn lists_of(&self, owner: &VisitorId) -> Result<Vec<WishList>> {
        let owner = owner.clone();
        let sql = "SELECT owner, version, doc FROM wish_lists WHERE owner = ?1 ORDER BY id";
        self.readers.run(move |db| rows(db, sql, [owner.as_str()], list)).await
    }

    async fn list(&self, id: &str) -> Result<Option<WishList>> {
        let id = id.to_owned();
        let sql = "SELECT owner, version, doc FROM wish_lists WHERE id = ?1";
        self.readers.run(move |db| row(db, sql, [id], list)).await
    }

    async fn shared_list(&self, digest: &str) -> Result<Option<WishList>> {
        let digest = digest.to_owned();
        let sql = "SELECT owner, version, doc FROM wish_lists WHERE share = ?1";
        self.readers.run(move |db| row(db, sql, [digest], list)).await
    }

    async fn put_list(&self, list: &WishList, most: usize) -> Result<bool> {
        let list = list.clone();
        self.writer.run(move |db| put(db, &list, most)).await
    }

    async fn delete_list(&self, owner: &VisitorId, id: &str) -> Result<bool> {
        let (owner, id) = (owner.clone(), id.to_owned());
        let sql = "DELETE FROM wish_lists WHERE id = ?1 AND owner = ?2";
        self.writer.run(move |db| Ok(execute(db, sql, params![id, owner.as_str()])? > 0)).await
    }

    async fn move_lists(&self, from: &VisitorId, to: &VisitorId) -> Result<u64> {
        let (from, to) = (from.clone(), to.clone());
        let sql = "UPDATE wish_lists SET owner = ?2, version = version + 1 WHERE owner = ?1";
        self.writer.run(move |db| Ok(execute(db, sql, [from.as_str(), to.as_str()])? as u64)).await
    }
}

/// Who owns a list and how often it has changed is what the columns say: lists move without being read.
fn list(row: &Row<'_>) -> rusqlite::Result<WishList> {
    Ok(WishList { owner: parsed(row, 0)?, version: count(row, 1)?, ..json(row, 2)? })
}

fn put(db: &Connection, list: &WishList, most: usize) -> Result<bool> {
    let (doc, owner) = (to_json(list)?, list.owner.as_str());
    let written = if list.version == 1 {
        let sql = "SELECT count(*) FROM wish_lists WHERE owner = ?1";
        let lists = row(db, sql, [owner], |row| count(row, 0))?.unwrap_or(0);
        let is_there = row(db, "SELECT 1 FROM wish_lists WHERE id = ?1", [&list.id], |_| Ok(()))?.is_some();
        if !is_there && lists >= most as u64 {
            return Ok(false);
        }
        execute(
            db,
            "INSERT INTO wish_lists (id, owner, version, share, doc) VALUES (?1, ?2, 1, ?3, ?4) ON CONFLICT DO NOTHING",
            params![list.id, owner, list.share, doc],
        )?
    } else {
        execute(
            db,
            "UPDATE wish_lists SET version = ?3, share = ?4, doc = ?5
             WHERE id = ?1 AND owner = ?2 AND version = ?3 - 1",
            params![list.id, owner, int(list.version), list.share, doc],
        )?
    };
    match written {
        1 => Ok(true),
        _ => Err(StoreError::Conflict(format!("list {} is at another version", list.id))),
    }
}
