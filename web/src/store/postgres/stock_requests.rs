//! Requests to be told when a product is back in stock.

use async_trait::async_trait;
use cart_core::Sku;
use tokio_postgres::Row;

use super::{
    super::{
        DemandQuery, EventWrite, Result, StockDemand, StockRequest, StockRequestStore, StockWave,
        stock_requests::{STOCK_REQUESTS_MAX, TOLD_KEPT_MS, WAVE_TOLD_MAX},
    },
    PostgresStore,
    cells::{bigint, cell, number, parsed},
    outbox,
    transaction::{Params, Transaction, bounded, execute, execute_alone, query},
};

const COLUMNS: &str = "id, email, sku, currency, asked_at_ms, ends_at_ms, told_at_ms";

#[async_trait]
impl StockRequestStore for PostgresStore {
    async fn ask_for_stock(&self, request: &StockRequest) -> Result<bool> {
        let transaction = Transaction::begin(self.client().await?).await?;
        let is_new = bounded(ask(&transaction, request)).await?;
        transaction.commit().await?;
        Ok(is_new)
    }

    async fn stock_request(&self, id: &str) -> Result<Option<StockRequest>> {
        let sql = format!("SELECT {COLUMNS} FROM stock_requests WHERE id = $1");
        let client = self.client().await?;
        bounded(query(&client, &sql, &[&id])).await?.first().map(request_of).transpose()
    }

    async fn stock_requests_of(&self, email: &str, now_ms: i64) -> Result<Vec<StockRequest>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM stock_requests
            WHERE email = $1 AND told_at_ms IS NULL AND ends_at_ms > $2 ORDER BY asked_at_ms, id"
        );
        let client = self.client().await?;
        bounded(query(&client, &sql, &[&email, &now_ms])).await?.iter().map(request_of).collect()
    }

    async fn withdraw_stock_requests(&self, email: &str, sku: Option<&Sku>) -> Result<u64> {
        const SQL: &str =
            "DELETE FROM stock_requests WHERE email = $1 AND ($2::text IS NULL OR sku = $2::text)";
        let client = self.client().await?;
        bounded(execute_alone(&client, SQL, &[&email, &sku.map(Sku::as_str)])).await
    }

    async fn stock_demand(&self, wanted: &DemandQuery) -> Result<Vec<StockDemand>> {
        const SQL: &str =
            "SELECT sku, count(*) AS waiting, min(asked_at_ms) AS oldest_at_ms FROM stock_requests
            WHERE told_at_ms IS NULL AND ends_at_ms > $1 GROUP BY sku
            HAVING count(*) < $2 OR (count(*) = $2 AND sku > $3)
            ORDER BY waiting DESC, sku LIMIT $4";
        let after = wanted.after.as_ref();
        let (waiting, sku) = after.map_or((i64::MAX, ""), |(n, sku)| (bigint(*n), sku.as_str()));
        let client = self.client().await?;
        let params: &Params<'_> = &[&wanted.now_ms, &waiting, &sku, &bigint(wanted.limit)];
        bounded(query(&client, SQL, params)).await?.iter().map(demand_of).collect()
    }

    async fn tell_back_in_stock(&self, wave: &StockWave) -> Result<u64> {
        let transaction = Transaction::begin(self.client().await?).await?;
        let told = bounded(tell(&transaction, wave)).await?;
        if told > 0 {
            transaction.commit().await?;
        }
        Ok(told)
    }

    async fn forget_stock_requests(&self, now_ms: i64) -> Result<u64> {
        const SQL: &str = "DELETE FROM stock_requests WHERE ends_at_ms <= $1";
        let client = self.client().await?;
        bounded(execute_alone(&client, SQL, &[&now_ms])).await
    }
}

async fn ask(transaction: &Transaction, request: &StockRequest) -> Result<bool> {
    // Two requests of one address must not both be the last that has room.
    const ALONE: &str = "SELECT pg_advisory_xact_lock(hashtextextended('stock requests of ' || $1, 0))::text";
    const ENDED: &str = "DELETE FROM stock_requests
        WHERE email = $1 AND sku = $2 AND told_at_ms IS NULL AND ends_at_ms <= $3";
    const KEEP: &str = "INSERT INTO stock_requests AS r (id, email, sku, currency, asked_at_ms, ends_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (email, sku) WHERE told_at_ms IS NULL
        DO UPDATE SET ends_at_ms = greatest(r.ends_at_ms, excluded.ends_at_ms), currency = excluded.currency
        RETURNING id";
    const GIVE_WAY: &str = "DELETE FROM stock_requests WHERE id IN (
        SELECT id FROM stock_requests WHERE email = $1 AND told_at_ms IS NULL
        ORDER BY asked_at_ms DESC, id DESC OFFSET $2)";
    let StockRequest { id, email, sku, currency, asked_at_ms, ends_at_ms, .. } = request;
    let (sku, currency) = (sku.as_str(), currency.code());
    query(transaction, ALONE, &[email]).await?;
    execute(transaction, ENDED, &[email, &sku, asked_at_ms]).await?;
    let rows = query(transaction, KEEP, &[id, email, &sku, &currency, asked_at_ms, ends_at_ms]).await?;
    let kept: Option<&str> = rows.first().map(|row| cell(row, "id")).transpose()?;
    let is_new = kept == Some(id.as_str());
    if is_new {
        execute(transaction, GIVE_WAY, &[email, &bigint(STOCK_REQUESTS_MAX)]).await?;
        outbox::tell(transaction, &[request.made()]).await?;
    }
    Ok(is_new)
}

async fn tell(transaction: &Transaction, wave: &StockWave) -> Result<u64> {
    // Two processes that think they hold the lease must not both find the wave's room free.
    const ALONE: &str = "SELECT pg_advisory_xact_lock(hashtextextended('stock wave of ' || $1, 0))::text";
    const TOLD: &str = "SELECT count(*) AS told FROM stock_requests WHERE sku = $1 AND told_at_ms > $2";
    const MARK: &str = "UPDATE stock_requests SET told_at_ms = $2, ends_at_ms = $3 WHERE id IN (
            SELECT id FROM stock_requests WHERE sku = $1 AND told_at_ms IS NULL AND ends_at_ms > $2
            ORDER BY asked_at_ms, id LIMIT $4 FOR UPDATE)
        RETURNING id, email, sku, currency, asked_at_ms, ends_at_ms, told_at_ms";
    let sku = wave.sku.as_str();
    query(transaction, ALONE, &[&sku]).await?;
    let rows = query(transaction, TOLD, &[&sku, &wave.since_ms]).await?;
    let told: u64 = rows.first().map_or(Ok(0), |row| number(row, "told"))?;
    let room = bigint(wave.most.saturating_sub(told).min(WAVE_TOLD_MAX as u64));
    let ends_at_ms = wave.at_ms.saturating_add(TOLD_KEPT_MS);
    let rows = query(transaction, MARK, &[&sku, &wave.at_ms, &ends_at_ms, &room]).await?;
    let mut requests = rows.iter().map(request_of).collect::<Result<Vec<_>>>()?;
    requests.sort_unstable_by(|a, b| (a.asked_at_ms, &a.id).cmp(&(b.asked_at_ms, &b.id)));
    let events: Vec<EventWrite> = requests.iter().map(|request| request.told(wave.at_ms)).collect();
    outbox::tell(transaction, &events).await?;
    Ok(events.len() as u64)
}

fn demand_of(row: &Row) -> Result<StockDemand> {
    Ok(StockDemand {
        sku: parsed(row, "sku")?,
        waiting: number(row, "waiting")?,
        oldest_at_ms: cell(row, "oldest_at_ms")?,
    })
}

fn request_of(row: &Row) -> Result<StockRequest> {
    Ok(StockRequest {
        id: cell(row, "id")?,
        email: cell(row, "email")?,
        sku: parsed(row, "sku")?,
        currency: parsed(row, "currency")?,
        asked_at_ms: cell(row, "asked_at_ms")?,
        ends_at_ms: cell(row, "ends_at_ms")?,
        told_at_ms: cell(row, "told_at_ms")?,
    })
}
