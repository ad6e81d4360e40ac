//! The outbox: events by place, the readers' cursors and leases.
//!
//! A place is `base + (transaction id << 20) + ordinal`. Numbers of a sequence would lose events: they are drawn
//! before the commit, so a reader may meet 8 committed while 7 is not yet, note 8 and never come back. Transaction ids
//! are drawn just as early, but the server knows which of them are still open: nothing can appear below the oldest
//! open one any more, so readers stop there ([`AFTER`]). A transaction that stays open, in any database of the server,
//! holds readers up but loses nothing.
//!
//! Two transactions that touch the same cart must have places in the order of their commits. Ids alone do not promise
//! that: one that waits for the cart may have drawn its id before the one it waits for. So each cart carries the place
//! of its last change, and a turn that finds a higher place than its own begins again.

use async_trait::async_trait;
use deadpool_postgres::Client;
use serde_json::value::RawValue;
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use super::{
    super::{EventWrite, OutboxEvent, OutboxStore, Place, Result, StoreError},
    PostgresStore,
    cells::{bigint, cell, number, parsed, parsed_option},
    transaction::{Transaction, bounded, execute, execute_alone, query},
};

#[async_trait]
impl OutboxStore for PostgresStore {
    async fn outbox_after(&self, position: u64, limit: usize) -> Result<Vec<OutboxEvent>> {
        bounded(after(&self.client().await?, position, limit)).await
    }

    async fn outbox_through(
        &self,
        kinds: &[&str],
        position: u64,
        through: usize,
        limit: usize,
    ) -> Result<(Vec<OutboxEvent>, u64)> {
        bounded(self::through(&self.client().await?, kinds, position, through, limit)).await
    }

    async fn outbox_of(
        &self,
        kinds: &[&str],
        place: Place,
        limit: usize,
    ) -> Result<(Vec<OutboxEvent>, Place)> {
        bounded(of(&self.client().await?, kinds, place, limit)).await
    }

    async fn outbox_before(&self, newest: u64) -> Result<u64> {
        bounded(before(&self.client().await?, newest)).await
    }

    async fn cursor(&self, reader: &str) -> Result<u64> {
        bounded(cursor(&self.client().await?, reader)).await
    }

    async fn set_cursor(&self, reader: &str, position: u64) -> Result<()> {
        bounded(set_cursor(&self.client().await?, reader, position)).await
    }

    async fn lease(&self, reader: &str, process: &str, now_ms: i64, until_ms: i64) -> Result<bool> {
        bounded(lease(&self.client().await?, reader, process, now_ms, until_ms)).await
    }

    async fn outbox_lag(&self, reader: &str, at_most: u64) -> Result<u64> {
        bounded(lag(&self.client().await?, reader, at_most)).await
    }
}

/// Is the place of the transaction, as an expression.
macro_rules! place {
    () => {
        "(SELECT value + (pg_current_xact_id()::text::bigint << 20) FROM settings WHERE name = 'outbox_base')"
    };
}
pub(super) use place;

/// Inserts the events of a transaction, in their order, by its place and the columns of [`EventColumns`]. Its exposures are
/// numbered from 0, as they come before all that follows from them; its other events from 2^19. Twice this many numbers
/// belong to a transaction.
macro_rules! publish {
    ($place:expr, $columns:literal) => {
        concat!(
            "INSERT INTO outbox (position, id, at_ms, kind, cart, unit, data)
            SELECT ",
            $place,
            " + (1 << 19) + e.n - 1, e.id, e.at_ms, e.kind, e.cart, e.unit, e.data
            FROM unnest(",
            $columns,
            ") WITH ORDINALITY AS e (id, at_ms, kind, cart, unit, data, n)"
        )
    };
}
pub(super) use publish;

const PUBLISH: &str =
    publish!(place!(), "$1::uuid[], $2::int8[], $3::text[], $4::text[], $5::text[], $6::text[]");

/// Asks for the first position before which another event may still appear.
macro_rules! open {
    () => {
        "SELECT value + (pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 20) AS open
        FROM settings WHERE name = 'outbox_base'"
    };
}

const AFTER: &str = concat!(
    "SELECT position, id, at_ms, kind, cart, unit, data FROM outbox WHERE position > $1 AND position < (",
    open!(),
    ") ORDER BY position LIMIT $2"
);

/// Inserts the events of a transaction.
pub async fn tell(transaction: &Transaction, events: &[EventWrite]) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let columns = EventColumns::of(events);
    let params: Vec<_> = columns.params().collect();
    execute(transaction, PUBLISH, &params).await.map(drop)
}

/// Is a list of events, column by column.
pub struct EventColumns<'e> {
    ids: Vec<Uuid>,
    times: Vec<i64>,
    kinds: Vec<&'e str>,
    carts: Vec<Option<&'e str>>,
    units: Vec<&'e str>,
    data: Vec<&'e str>,
}

impl<'e> EventColumns<'e> {
    /// Returns the columns of events.
    pub fn of(events: &'e [EventWrite]) -> Self {
        Self {
            ids: events.iter().map(|e| e.id).collect(),
            times: events.iter().map(|e| e.at_ms).collect(),
            kinds: events.iter().map(|e| e.kind).collect(),
            carts: events.iter().map(|e| e.cart.as_ref().map(|c| c.as_str())).collect(),
            units: events.iter().map(|e| e.unit.as_str()).collect(),
            data: events.iter().map(|e| e.data.as_str()).collect(),
        }
    }

    /// Returns them in the order in which the statements number them.
    pub fn params(&self) -> impl Iterator<Item = &(dyn ToSql + Sync)> {
        let params: [&(dyn ToSql + Sync); 6] =
            [&self.ids, &self.times, &self.kinds, &self.carts, &self.units, &self.data];
        params.into_iter()
    }
}

/// Returns events after a position that nothing can appear before any more.
pub async fn after(client: &Client, position: u64, limit: usize) -> Result<Vec<OutboxEvent>> {
    let rows = query(client, AFTER, &[&bigint(position), &bigint(limit)]).await?;
    rows.iter().map(event).collect()
}

/// Looks through so many settled events after a position for those of some types, and says up to where.
pub async fn through(
    client: &Client,
    kinds: &[&str],
    position: u64,
    through: usize,
    limit: usize,
) -> Result<(Vec<OutboxEvent>, u64)> {
    // The last one looked at comes whatever its type, and one row at least, so that the end is told where there is no event.
    const SQL: &str = concat!(
        "SELECT told.open, o.* FROM (",
        open!(),
        ") AS told LEFT JOIN LATERAL (
            SELECT * FROM (
                SELECT *, row_number() OVER (ORDER BY position) = $3 AS is_last FROM outbox
                WHERE position > $1 AND position < told.open
                ORDER BY position LIMIT $3
            ) AS next
            WHERE is_last OR kind = ANY ($2::text[])
            ORDER BY position LIMIT $4
        ) AS o ON true
        ORDER BY o.position"
    );
    let params: [&(dyn ToSql + Sync); 4] = [&bigint(position), &kinds, &bigint(through), &bigint(limit)];
    let rows = query(client, SQL, &params).await?;
    let open = rows.first().map_or(Ok(position), |row| number::<u64>(row, "open"))?;
    let is_event = |row: &&Row| row.try_get::<_, Option<i64>>("position").is_ok_and(|at| at.is_some());
    let mut events: Vec<OutboxEvent> = rows.iter().filter(is_event).map(event).collect::<Result<_>>()?;
    let is_last = |row: &Row| row.try_get("is_last").is_ok_and(|is_last: Option<bool>| is_last == Some(true));
    let is_cut = events.len() == limit || rows.last().is_some_and(is_last);
    let last = events.last().filter(|_| is_cut).map(|event| event.position);
    events.retain(|event| kinds.contains(&event.kind.as_str()));
    Ok((events, last.unwrap_or_else(|| position.max(open.saturating_sub(1)))))
}

/// Returns the events of some types that a place does not know.
pub async fn of(
    client: &Client,
    kinds: &[&str],
    place: Place,
    limit: usize,
) -> Result<(Vec<OutboxEvent>, Place)> {
    // One row at least, so that the end is told where there is no event.
    const SQL: &str = concat!(
        "SELECT told.open, o.* FROM (",
        open!(),
        ") AS told LEFT JOIN LATERAL (
            SELECT position, id, at_ms, kind, cart, unit, data FROM outbox
            WHERE position > $1 AND (position < told.open OR position > $2) AND kind = ANY ($3::text[])
            ORDER BY position LIMIT $4
        ) AS o ON true
        ORDER BY o.position"
    );
    let Place { settled, ahead } = place;
    let rows = query(client, SQL, &[&bigint(settled), &bigint(ahead), &kinds, &bigint(limit)]).await?;
    let open = rows.first().map_or(Ok(settled), |row| number::<u64>(row, "open"))?;
    let is_event = |row: &&Row| row.try_get::<_, Option<i64>>("position").is_ok_and(|at| at.is_some());
    let events: Vec<OutboxEvent> = rows.iter().filter(is_event).map(event).collect::<Result<_>>()?;
    let last = events.last().map(|event| event.position);
    let place = place.after(open.saturating_sub(1), last, events.len() < limit);
    Ok((events, place))
}

/// Returns the position that so many events follow.
pub async fn before(client: &Client, newest: u64) -> Result<u64> {
    const SQL: &str = "SELECT position FROM outbox ORDER BY position DESC OFFSET $1 LIMIT 1";
    let rows = query(client, SQL, &[&bigint(newest)]).await?;
    rows.first().map_or(Ok(0), |row| number(row, "position"))
}

/// Reads an event from columns of the outbox's names.
pub fn event(row: &Row) -> Result<OutboxEvent> {
    Ok(OutboxEvent {
        position: number(row, "position")?,
        id: cell(row, "id")?,
        at_ms: cell(row, "at_ms")?,
        kind: cell(row, "kind")?,
        cart: parsed_option(row, "cart")?,
        unit: parsed(row, "unit")?,
        data: RawValue::from_string(cell(row, "data")?)
            .map_err(|e| StoreError::Corrupt(format!("data: {e}")))?,
    })
}

/// Returns how far a reader has come.
pub async fn cursor(client: &Client, reader: &str) -> Result<u64> {
    let rows = query(client, "SELECT position FROM cursors WHERE reader = $1", &[&reader]).await?;
    rows.first().map_or(Ok(0), |row| number(row, "position"))
}

/// Notes how far a reader has come. It commits without waiting for the disk: a reader that a crash of the server puts back takes
/// the same events again, as it must be able to.
pub async fn set_cursor(client: &Client, reader: &str, position: u64) -> Result<()> {
    const SQL: &str = "INSERT INTO cursors (reader, position)
        SELECT $1, $2 FROM (SELECT set_config('synchronous_commit', 'off', true)) AS quick
        ON CONFLICT (reader) DO UPDATE SET position = excluded.position";
    execute_alone(client, SQL, &[&reader, &bigint(position)]).await.map(drop)
}

/// Takes or renews a lease. It commits without waiting for the disk: a lease that a crash of the server takes back is
/// taken again, and readers bear being two for a moment.
pub async fn lease(client: &Client, reader: &str, process: &str, now_ms: i64, until_ms: i64) -> Result<bool> {
    const SQL: &str = "INSERT INTO leases AS l (reader, process, until_ms)
        SELECT $1, $2, $4 FROM (SELECT set_config('synchronous_commit', 'off', true)) AS quick
        ON CONFLICT (reader) DO UPDATE SET process = excluded.process, until_ms = excluded.until_ms
        WHERE l.process = excluded.process OR l.until_ms <= $3";
    Ok(execute_alone(client, SQL, &[&reader, &process, &now_ms, &until_ms]).await? == 1)
}

/// Counts what a reader has yet to read, up to a limit.
pub async fn lag(client: &Client, reader: &str, at_most: u64) -> Result<u64> {
    const SQL: &str = "SELECT count(*) AS events FROM (
        SELECT 1 FROM outbox
        WHERE position > coalesce((SELECT position FROM cursors WHERE reader = $1), 0)
        LIMIT $2) AS unread";
    let rows = query(client, SQL, &[&reader, &bigint(at_most)]).await?;
    rows.first().map_or(Ok(0), |row| number(row, "events"))
}
