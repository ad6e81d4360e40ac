//! The links by which carts are shared.

use async_trait::async_trait;
use cart_core::CartId;
use tokio_postgres::Row;

use super::{
    super::{CartShare, Result, ShareStore, shares::CART_SHARES_MAX},
    PostgresStore,
    cells::{bigint, cell, parsed},
    transaction::{Params, Transaction, bounded, execute, query},
};

const COLUMNS: &str = "token_hash, id, cart, is_editable, name, created_at_ms, ends_at_ms";

#[async_trait]
impl ShareStore for PostgresStore {
    async fn add_share(&self, share: &CartShare, now_ms: i64) -> Result<bool> {
        let transaction = Transaction::begin(self.client().await?).await?;
        let is_added = bounded(add(&transaction, share, now_ms)).await?;
        transaction.commit().await?;
        Ok(is_added)
    }

    async fn share(&self, token_hash: &str, now_ms: i64) -> Result<Option<CartShare>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM cart_shares
            WHERE token_hash = $1 AND (ends_at_ms IS NULL OR ends_at_ms > $2)"
        );
        let client = self.client().await?;
        bounded(query(&client, &sql, &[&token_hash, &now_ms])).await?.first().map(share_of).transpose()
    }

    async fn shares_of(&self, cart: &CartId, now_ms: i64) -> Result<Vec<CartShare>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM cart_shares
            WHERE cart = $1 AND (ends_at_ms IS NULL OR ends_at_ms > $2) ORDER BY created_at_ms, id"
        );
        let client = self.client().await?;
        bounded(query(&client, &sql, &[&cart.as_str(), &now_ms])).await?.iter().map(share_of).collect()
    }

    async fn end_share(&self, cart: &CartId, id: &str) -> Result<Option<String>> {
        const SQL: &str = "DELETE FROM cart_shares WHERE cart = $1 AND id = $2 RETURNING token_hash";
        let client = self.client().await?;
        let rows = bounded(query(&client, SQL, &[&cart.as_str(), &id])).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let ended: String = cell(row, "token_hash")?;
        drop(client);
        self.tell_ended(std::slice::from_ref(&ended)).await;
        Ok(Some(ended))
    }
}

/// Those who share one cart at once do it one after the other, so that none is one too many.
async fn add(transaction: &Transaction, share: &CartShare, now_ms: i64) -> Result<bool> {
    const ALONE: &str = "SELECT pg_advisory_xact_lock(hashtextextended('shares of ' || $1, 0))::text";
    const FORGET: &str = "DELETE FROM cart_shares WHERE cart = $1 AND ends_at_ms <= $2";
    let CartShare { token_hash, id, cart, is_editable, name, created_at_ms, ends_at_ms } = share;
    let cart = cart.as_str();
    query(transaction, ALONE, &[&cart]).await?;
    execute(transaction, FORGET, &[&cart, &now_ms]).await?;
    let sql = format!(
        "INSERT INTO cart_shares ({COLUMNS}) SELECT $1, $2, $3, $4::boolean, $5, $6::bigint, $7::bigint
        WHERE (SELECT count(*) FROM cart_shares WHERE cart = $3) < $8"
    );
    let most = bigint(CART_SHARES_MAX);
    let params: &Params<'_> = &[token_hash, id, &cart, is_editable, name, created_at_ms, ends_at_ms, &most];
    Ok(execute(transaction, &sql, params).await? == 1)
}

fn share_of(row: &Row) -> Result<CartShare> {
    Ok(CartShare {
        token_hash: cell(row, "token_hash")?,
        id: cell(row, "id")?,
        cart: parsed(row, "cart")?,
        is_editable: cell(row, "is_editable")?,
        name: cell(row, "name")?,
        created_at_ms: cell(row, "created_at_ms")?,
        ends_at_ms: cell(row, "ends_at_ms")?,
    })
}
