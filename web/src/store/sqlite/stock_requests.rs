//! Requests to be told when a product is back in stock.

use async_trait::async_trait;
use cart_core::Sku;
use rusqlite::{Connection, Row, params};

use super::{
    super::{
        DemandQuery, Result, StockDemand, StockRequest, StockRequestStore, StockWave,
        stock_requests::{STOCK_REQUESTS_MAX, TOLD_KEPT_MS, WAVE_TOLD_MAX},
    },
    SqliteStore,
    columns::{count, execute, int, parsed, row, rows},
    outbox,
};

const COLUMNS: &str = "id, email, sku, currency, asked_at_ms, ends_at_ms, told_at_ms";

#[async_trait]
impl StockRequestStore for SqliteStore {
    async fn ask_for_stock(&self, request: &StockRequest) -> Result<bool> {
        let request = request.clone();
        self.writer.run(move |db| ask(db, &request)).await
    }

    async fn stock_request(&self, id: &str) -> Result<Option<StockRequest>> {
        let id = id.to_owned();
        let sql = format!("SELECT {COLUMNS} FROM stock_requests WHERE id = ?1");
        self.readers.run(move |db| row(db, &sql, [id], request_of)).await
    }

    async fn stock_requests_of(&self, email: &str, now_ms: i64) -> Result<Vec<StockRequest>> {
        let email = email.to_owned();
        let sql = format!(
            "SELECT {COLUMNS} FROM stock_requests
             WHERE email = ?1 AND told_at_ms IS NULL AND ends_at_ms > ?2 ORDER BY asked_at_ms, id"
        );
        self.readers.run(move |db| rows(db, &sql, params![email, now_ms], request_of)).await
    }

    async fn withdraw_stock_requests(&self, email: &str, sku: Option<&Sku>) -> Result<u64> {
        let (email, sku) = (email.to_owned(), sku.cloned());
        let sql = "DELETE FROM stock_requests WHERE email = ?1 AND (?2 IS NULL OR sku = ?2)";
        let params = move |db: &Connection| execute(db, sql, params![email, sku.as_ref().map(Sku::as_str)]);
        self.writer.run(move |db| Ok(params(db)? as u64)).await
    }

    async fn stock_demand(&self, wanted: &DemandQuery) -> Result<Vec<StockDemand>> {
        let wanted = wanted.clone();
        self.readers.run(move |db| demand(db, &wanted)).await
    }

    async fn tell_back_in_stock(&self, wave: &StockWave) -> Result<u64> {
        let wave = wave.clone();
        self.writer.run(move |db| tell(db, &wave)).await
    }

    async fn forget_stock_requests(&self, now_ms: i64) -> Result<u64> {
        let sql = "DELETE FROM stock_requests WHERE ends_at_ms <= ?1";
        self.writer.run(move |db| Ok(execute(db, sql, [now_ms])? as u64)).await
    }
}

fn ask(db: &Connection, request: &StockRequest) -> Result<bool> {
    const ENDED: &str = "DELETE FROM stock_requests
        WHERE email = ?1 AND sku = ?2 AND told_at_ms IS NULL AND ends_at_ms <= ?3";
    const KEEP: &str = "INSERT INTO stock_requests (id, email, sku, currency, asked_at_ms, ends_at_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (email, sku) WHERE told_at_ms IS NULL
        DO UPDATE SET ends_at_ms = max(ends_at_ms, excluded.ends_at_ms), currency = excluded.currency
        RETURNING id";
    const GIVE_WAY: &str = "DELETE FROM stock_requests WHERE id IN (
        SELECT id FROM stock_requests WHERE email = ?1 AND told_at_ms IS NULL
        ORDER BY asked_at_ms DESC, id DESC LIMIT -1 OFFSET ?2)";
    let StockRequest { id, email, sku, currency, asked_at_ms, ends_at_ms, .. } = request;
    execute(db, ENDED, params![email, sku.as_str(), asked_at_ms])?;
    let params = params![id, email, sku.as_str(), currency.code(), asked_at_ms, ends_at_ms];
    let kept: Option<String> = row(db, KEEP, params, |row| row.get(0))?;
    let is_new = kept.as_ref() == Some(id);
    if is_new {
        execute(db, GIVE_WAY, params![email, int(STOCK_REQUESTS_MAX)])?;
        outbox::append(db, &request.made())?;
    }
    Ok(is_new)
}

fn demand(db: &Connection, wanted: &DemandQuery) -> Result<Vec<StockDemand>> {
    let sql = "SELECT sku, count(*) AS waiting, min(asked_at_ms) FROM stock_requests
        WHERE told_at_ms IS NULL AND ends_at_ms > ?1 GROUP BY sku
        HAVING count(*) < ?2 OR (count(*) = ?2 AND sku > ?3)
        ORDER BY waiting DESC, sku LIMIT ?4";
    let (waiting, sku) = wanted.after.as_ref().map_or((i64::MAX, ""), |(n, sku)| (int(*n), sku.as_str()));
    rows(db, sql, params![wanted.now_ms, waiting, sku, int(wanted.limit)], |row| {
        Ok(StockDemand { sku: parsed(row, 0)?, waiting: count(row, 1)?, oldest_at_ms: row.get(2)? })
    })
}

fn tell(db: &Connection, wave: &StockWave) -> Result<u64> {
    const TOLD: &str = "SELECT count(*) FROM stock_requests WHERE sku = ?1 AND told_at_ms > ?2";
    const MARK: &str = "UPDATE stock_requests SET told_at_ms = ?2, ends_at_ms = ?3 WHERE id = ?1";
    let next = format!(
        "SELECT {COLUMNS} FROM stock_requests WHERE sku = ?1 AND told_at_ms IS NULL AND ends_at_ms > ?2
         ORDER BY asked_at_ms, id LIMIT ?3"
    );
    let sku = wave.sku.as_str();
    let told = row(db, TOLD, params![sku, wave.since_ms], |row| count(row, 0))?.unwrap_or(0);
    let room = int(wave.most.saturating_sub(told).min(WAVE_TOLD_MAX as u64));
    let requests = rows(db, &next, params![sku, wave.at_ms, room], request_of)?;
    for request in &requests {
        execute(db, MARK, params![request.id, wave.at_ms, wave.at_ms.saturating_add(TOLD_KEPT_MS)])?;
        outbox::append(db, &request.told(wave.at_ms))?;
    }
    Ok(requests.len() as u64)
}

fn request_of(row: &Row<'_>) -> rusqlite::Result<StockRequest> {
    Ok(StockRequest {
        id: row.get(0)?,
        email: row.get(1)?,
        sku: parsed(row, 2)?,
        currency: parsed(row, 3)?,
        asked_at_ms: row.get(4)?,
        ends_at_ms: row.get(5)?,
        told_at_ms: row.get(6)?,
    })
}
