//! The links by which carts are shared.

use async_trait::async_trait;
use cart_core::CartId;
use rusqlite::{Connection, Row, params};

use super::{
    super::{CartShare, Result, ShareStore, shares::CART_SHARES_MAX},
    SqliteStore,
    columns::{execute, int, parsed, row, rows},
};

const COLUMNS: &str = "token_hash, id, cart, is_editable, name, created_at_ms, ends_at_ms";

#[async_trait]
impl ShareStore for SqliteStore {
    async fn add_share(&self, share: &CartShare, now_ms: i64) -> Result<bool> {
        let share = share.clone();
        self.writer.run(move |db| add(db, &share, now_ms)).await
    }

    async fn share(&self, token_hash: &str, now_ms: i64) -> Result<Option<CartShare>> {
        let token_hash = token_hash.to_owned();
        let sql = format!(
            "SELECT {COLUMNS} FROM cart_shares
            WHERE token_hash = ?1 AND (ends_at_ms IS NULL OR ends_at_ms > ?2)"
        );
        self.readers.run(move |db| row(db, &sql, params![token_hash, now_ms], share_of)).await
    }

    async fn shares_of(&self, cart: &CartId, now_ms: i64) -> Result<Vec<CartShare>> {
        let cart = cart.clone();
        let sql = format!(
            "SELECT {COLUMNS} FROM cart_shares
            WHERE cart = ?1 AND (ends_at_ms IS NULL OR ends_at_ms > ?2) ORDER BY created_at_ms, id"
        );
        self.readers.run(move |db| rows(db, &sql, params![cart.as_str(), now_ms], share_of)).await
    }

    async fn end_share(&self, cart: &CartId, id: &str) -> Result<Option<String>> {
        let (cart, id) = (cart.clone(), id.to_owned());
        let sql = "DELETE FROM cart_shares WHERE cart = ?1 AND id = ?2 RETURNING token_hash";
        self.writer.run(move |db| row(db, sql, [cart.as_str(), &id], |row| row.get(0))).await
    }
}

fn add(db: &Connection, share: &CartShare, now_ms: i64) -> Result<bool> {
    let CartShare { token_hash, id, cart, is_editable, name, created_at_ms, ends_at_ms } = share;
    let cart = cart.as_str();
    execute(db, "DELETE FROM cart_shares WHERE cart = ?1 AND ends_at_ms <= ?2", params![cart, now_ms])?;
    let sql = format!(
        "INSERT INTO cart_shares ({COLUMNS}) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
        WHERE (SELECT count(*) FROM cart_shares WHERE cart = ?3) < ?8"
    );
    let most = int(CART_SHARES_MAX);
    let params = params![token_hash, id, cart, is_editable, name, created_at_ms, ends_at_ms, most];
    Ok(execute(db, &sql, params)? == 1)
}

fn share_of(row: &Row<'_>) -> rusqlite::Result<CartShare> {
    Ok(CartShare {
        token_hash: row.get(0)?,
        id: row.get(1)?,
        cart: parsed(row, 2)?,
        is_editable: row.get(3)?,
        name: row.get(4)?,
        created_at_ms: row.get(5)?,
        ends_at_ms: row.get(6)?,
    })
}
