//! What is on its way to sinks outside the shop.

use async_trait::async_trait;
use deadpool_postgres::Client;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    super::{
        CursorMove, Delivery, DeliveryCounts, DeliveryQuery, DeliveryState, DeliveryStep, DeliveryStore,
        Forgetting, OutboxEvent, Result, StoreError,
    },
    PostgresStore,
    cells::{bigint, cell, json, number, to_json},
    outbox,
    transaction::{Transaction, bounded, execute, execute_alone, query},
};

#[async_trait]
impl DeliveryStore for PostgresStore {
    async fn begin_cursor(&self, reader: &str) -> Result<()> {
        bounded(begin(&self.client().await?, reader)).await
    }

    async fn save_deliveries(&self, step: &DeliveryStep) -> Result<()> {
        save(self.client().await?, step).await
    }

    async fn due_deliveries(
        &self,
        sink: &str,
        now_ms: i64,
        limit: usize,
    ) -> Result<Vec<(Delivery, OutboxEvent)>> {
        bounded(due(&self.client().await?, sink, now_ms, limit)).await
    }

    async fn deliveries(&self, sink: &str, wanted: &DeliveryQuery) -> Result<Vec<Delivery>> {
        bounded(list(&self.client().await?, sink, wanted)).await
    }

    async fn count_deliveries(&self, sink: &str) -> Result<DeliveryCounts> {
        bounded(counts(&self.client().await?, sink)).await
    }

    async fn redeliver(&self, sink: &str, position: Option<u64>, now_ms: i64) -> Result<u64> {
        bounded(again(&self.client().await?, sink, position, now_ms)).await
    }

    async fn forget_deliveries(&self, sink: &str, before: &Forgetting) -> Result<u64> {
        bounded(forget(&self.client().await?, sink, before)).await
    }
}

/// Lets a new reader begin below what may still appear.
async fn begin(client: &Client, reader: &str) -> Result<()> {
    const SQL: &str = "INSERT INTO cursors (reader, position)
        SELECT $1, value + (pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 20) - 1
        FROM settings WHERE name = 'outbox_base'
        ON CONFLICT (reader) DO NOTHING";
    execute_alone(client, SQL, &[&reader]).await.map(drop)
}

async fn save(client: Client, step: &DeliveryStep) -> Result<()> {
    let transaction = Transaction::begin(client).await?;
    bounded(async {
        if let Some(CursorMove { reader, from, to }) = &step.moved {
            // A cursor that somebody has reset to the beginning may have no row.
            const MOVE: &str = "INSERT INTO cursors AS c (reader, position) SELECT $1, $3
                WHERE $2 = coalesce((SELECT position FROM cursors WHERE reader = $1), 0)
                ON CONFLICT (reader) DO UPDATE SET position = excluded.position WHERE c.position = $2";
            let moved = execute(&transaction, MOVE, &[&reader, &bigint(*from), &bigint(*to)]).await?;
            if moved != 1 {
                return Err(StoreError::Conflict(format!("{reader} is not at {from}")));
            }
        }
        write(&transaction, &step.deliveries).await
    })
    .await?;
    transaction.commit().await
}

async fn write(transaction: &Transaction, deliveries: &[Delivery]) -> Result<()> {
    const SQL: &str = "INSERT INTO deliveries
            (sink, position, event, kind, state, attempts, due_at_ms, changed_at_ms, tries)
        SELECT * FROM unnest($1::text[], $2::int8[], $3::uuid[], $4::text[], $5::text[], $6::int8[], $7::int8[],
            $8::int8[], $9::text[])
        ON CONFLICT (sink, position) DO UPDATE SET state = excluded.state, attempts = excluded.attempts,
            due_at_ms = excluded.due_at_ms, changed_at_ms = excluded.changed_at_ms, tries = excluded.tries";
    if deliveries.is_empty() {
        return Ok(());
    }
    let of = deliveries.iter();
    let sinks: Vec<&str> = of.clone().map(|d| d.sink.as_str()).collect();
    let positions: Vec<i64> = of.clone().map(|d| bigint(d.position)).collect();
    let events: Vec<Uuid> = of.clone().map(|d| d.event).collect();
    let kinds: Vec<&str> = of.clone().map(|d| d.kind.as_str()).collect();
    let states: Vec<&str> = of.clone().map(|d| d.state.name()).collect();
    let attempts: Vec<i64> = of.clone().map(|d| i64::from(d.attempts)).collect();
    let due: Vec<Option<i64>> = of.clone().map(|d| d.due_at_ms).collect();
    let changed: Vec<i64> = of.clone().map(|d| d.changed_at_ms).collect();
    let tries: Vec<String> = of.map(|d| to_json(&d.tries)).collect::<Result<_>>()?;
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
        [&sinks, &positions, &events, &kinds, &states, &attempts, &due, &changed, &tries];
    execute(transaction, SQL, &params).await.map(drop)
}

fn delivery(row: &Row) -> Result<Delivery> {
    let state: &str = cell(row, "state")?;
    Ok(Delivery {
        sink: cell(row, "sink")?,
        position: number(row, "position")?,
        event: cell(row, "event")?,
        kind: cell(row, "kind")?,
        state: DeliveryState::from_name(state)
            .ok_or_else(|| StoreError::Corrupt(format!("state: {state}")))?,
        attempts: number(row, "attempts")?,
        due_at_ms: cell(row, "due_at_ms")?,
        changed_at_ms: cell(row, "changed_at_ms")?,
        tries: json(row, "tries")?,
    })
}

async fn due(client: &Client, sink: &str, now_ms: i64, limit: usize) -> Result<Vec<(Delivery, OutboxEvent)>> {
    const SQL: &str = "SELECT d.sink, d.position, d.event, d.kind, d.state, d.attempts, d.due_at_ms,
            d.changed_at_ms, d.tries, o.id, o.at_ms, o.cart, o.unit, o.data
        FROM deliveries AS d JOIN outbox AS o ON o.position = d.position
        WHERE d.sink = $1 AND d.state = 'waiting' AND d.due_at_ms <= $2 ORDER BY d.due_at_ms LIMIT $3";
    let rows = query(client, SQL, &[&sink, &now_ms, &bigint(limit)]).await?;
    rows.iter().map(|row| Ok((delivery(row)?, outbox::event(row)?))).collect()
}

async fn list(client: &Client, sink: &str, wanted: &DeliveryQuery) -> Result<Vec<Delivery>> {
    // A state stands in the statement as text, so that its partial index serves.
    let of_state = wanted.state.map_or(String::new(), |state| format!("AND state = '{}'", state.name()));
    let sql = format!(
        "SELECT sink, position, event, kind, state, attempts, due_at_ms, changed_at_ms, tries FROM deliveries
         WHERE sink = $1 AND (changed_at_ms, position) < ($2, $3) {of_state}
         ORDER BY changed_at_ms DESC, position DESC LIMIT $4"
    );
    let (at_ms, position) = wanted.before.unwrap_or((i64::MAX, u64::MAX));
    let rows = query(client, &sql, &[&sink, &at_ms, &bigint(position), &bigint(wanted.limit)]).await?;
    rows.iter().map(delivery).collect()
}

async fn counts(client: &Client, sink: &str) -> Result<DeliveryCounts> {
    const SQL: &str = "SELECT
        (SELECT count(*) FROM deliveries WHERE sink = $1 AND state = 'waiting') AS waiting,
        (SELECT count(*) FROM deliveries WHERE sink = $1 AND state = 'dead') AS dead";
    let rows = query(client, SQL, &[&sink]).await?;
    let counts =
        |row: &Row| Ok(DeliveryCounts { waiting: number(row, "waiting")?, dead: number(row, "dead")? });
    rows.first().map_or(Ok(DeliveryCounts::default()), counts)
}

async fn again(client: &Client, sink: &str, position: Option<u64>, now_ms: i64) -> Result<u64> {
    const ONE: &str =
        "UPDATE deliveries SET state = 'waiting', attempts = 0, due_at_ms = $2, changed_at_ms = $2
        WHERE sink = $1 AND position = $3";
    const DEAD: &str =
        "UPDATE deliveries SET state = 'waiting', attempts = 0, due_at_ms = $2, changed_at_ms = $2
        WHERE sink = $1 AND state = 'dead'";
    match position {
        Some(position) => execute_alone(client, ONE, &[&sink, &now_ms, &bigint(position)]).await,
        None => execute_alone(client, DEAD, &[&sink, &now_ms]).await,
    }
}

async fn forget(client: &Client, sink: &str, before: &Forgetting) -> Result<u64> {
    const SQL: &str = "DELETE FROM deliveries WHERE sink = $1
        AND changed_at_ms < CASE state WHEN 'delivered' THEN greatest($2, (
            SELECT changed_at_ms + 1 FROM deliveries WHERE sink = $1
            ORDER BY changed_at_ms DESC, position DESC LIMIT 1 OFFSET $4)) ELSE $3 END";
    let keep = bigint(before.keep);
    execute_alone(client, SQL, &[&sink, &before.delivered_before_ms, &before.other_before_ms, &keep]).await
}
