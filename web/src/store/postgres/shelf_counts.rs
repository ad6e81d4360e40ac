//! What is derived from the events about shelves.

use std::collections::BTreeSet;

use async_trait::async_trait;
use cart_core::VisitorId;
use tokio_postgres::Row;

use super::{
    super::{Result, ShelfClick, ShelfCount, ShelfCountStore, ShelfCounts, ShelfDuel, ShelfStep, StoreError},
    PostgresStore,
    cells::{bigint, cell, number, parsed},
    transaction::{Params, Transaction, bounded, execute, query},
};

#[async_trait]
impl ShelfCountStore for PostgresStore {
    async fn shelf_clicks(&self, units: &BTreeSet<VisitorId>) -> Result<Vec<ShelfClick>> {
        const SQL: &str = "SELECT unit, sku, shelf, algorithm, at_ms, is_added, is_ordered FROM shelf_clicks
            WHERE unit = ANY ($1::text[])";
        let units: Vec<&str> = units.iter().map(VisitorId::as_str).collect();
        let client = self.client().await?;
        bounded(query(&client, SQL, &[&units])).await?.iter().map(click_of).collect()
    }

    async fn shelf_duels(&self, showings: &BTreeSet<String>) -> Result<Vec<ShelfDuel>> {
        const SQL: &str = "SELECT showing, clicks, clicks_against, at_ms FROM shelf_duels
            WHERE showing = ANY ($1::text[])";
        let showings: Vec<&String> = showings.iter().collect();
        let client = self.client().await?;
        bounded(query(&client, SQL, &[&showings])).await?.iter().map(duel_of).collect()
    }

    async fn shelf_counts(&self, from_day: i64, to_day: i64) -> Result<ShelfCounts> {
        const SQL: &str = "SELECT shelf, algorithm, what, of, sum(count)::int8 AS count FROM shelf_counts
            WHERE day BETWEEN $1 AND $2 GROUP BY shelf, algorithm, what, of";
        let client = self.client().await?;
        let rows = bounded(query(&client, SQL, &[&from_day, &to_day])).await?;
        rows.iter().map(|row| Ok((count_of(row)?, cell(row, "count")?))).collect()
    }

    async fn save_shelf_step(&self, step: &ShelfStep) -> Result<()> {
        let transaction = Transaction::begin(self.client().await?).await?;
        bounded(save(&transaction, step)).await?;
        transaction.commit().await
    }

    async fn reset_shelf_counts(&self) -> Result<()> {
        let transaction = Transaction::begin(self.client().await?).await?;
        bounded(async {
            execute(&transaction, "UPDATE cursors SET position = 0 WHERE reader = 'shelves'", &[]).await?;
            execute(&transaction, "TRUNCATE shelf_clicks, shelf_duels, shelf_counts", &[]).await
        })
        .await?;
        transaction.commit().await
    }
}

fn click_of(row: &Row) -> Result<ShelfClick> {
    Ok(ShelfClick {
        unit: parsed(row, "unit")?,
        sku: cell(row, "sku")?,
        shelf: cell(row, "shelf")?,
        algorithm: cell(row, "algorithm")?,
        at_ms: cell(row, "at_ms")?,
        is_added: cell(row, "is_added")?,
        is_ordered: cell(row, "is_ordered")?,
    })
}

fn duel_of(row: &Row) -> Result<ShelfDuel> {
    Ok(ShelfDuel {
        showing: cell(row, "showing")?,
        clicks: number(row, "clicks")?,
        clicks_against: number(row, "clicks_against")?,
        at_ms: cell(row, "at_ms")?,
    })
}

fn count_of(row: &Row) -> Result<ShelfCount> {
    Ok(ShelfCount {
        shelf: cell(row, "shelf")?,
        algorithm: cell(row, "algorithm")?,
        what: cell(row, "what")?,
        of: cell(row, "of")?,
    })
}

async fn save(transaction: &Transaction, step: &ShelfStep) -> Result<()> {
    const ADVANCE: &str = "INSERT INTO cursors (reader, position) VALUES ('shelves', $2)
        ON CONFLICT (reader) DO UPDATE SET position = excluded.position WHERE cursors.position = $1";
    const FORGET: &str = "WITH duels AS (DELETE FROM shelf_duels WHERE at_ms < $1)
        DELETE FROM shelf_clicks WHERE at_ms < $1";
    if execute(transaction, ADVANCE, &[&bigint(step.from), &bigint(step.to)]).await? != 1 {
        return Err(StoreError::Conflict(format!(
            "the shelves' counts are no longer at position {}",
            step.from
        )));
    }
    if !step.gone.is_empty() {
        let gone: Vec<&str> = step.gone.iter().map(VisitorId::as_str).collect();
        execute(transaction, "DELETE FROM shelf_clicks WHERE unit = ANY ($1::text[])", &[&gone]).await?;
    }
    save_clicks(transaction, &step.clicks).await?;
    save_duels(transaction, &step.duels).await?;
    save_counts(transaction, step).await?;
    execute(transaction, FORGET, &[&step.forget_before_ms]).await.map(drop)
}

async fn save_clicks(transaction: &Transaction, clicks: &[ShelfClick]) -> Result<()> {
    const SQL: &str = "INSERT INTO shelf_clicks (unit, sku, shelf, algorithm, at_ms, is_added, is_ordered)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[], $6::bool[], $7::bool[])
        ON CONFLICT (unit, sku) DO UPDATE SET shelf = excluded.shelf, algorithm = excluded.algorithm,
            at_ms = excluded.at_ms, is_added = excluded.is_added, is_ordered = excluded.is_ordered";
    if clicks.is_empty() {
        return Ok(());
    }
    let texts = |of: fn(&ShelfClick) -> &str| clicks.iter().map(of).collect::<Vec<_>>();
    let (units, skus) = (texts(|c| c.unit.as_str()), texts(|c| &c.sku));
    let (shelves, algorithms) = (texts(|c| &c.shelf), texts(|c| &c.algorithm));
    let times: Vec<i64> = clicks.iter().map(|c| c.at_ms).collect();
    let added: Vec<bool> = clicks.iter().map(|c| c.is_added).collect();
    let ordered: Vec<bool> = clicks.iter().map(|c| c.is_ordered).collect();
    let params: &Params<'_> = &[&units, &skus, &shelves, &algorithms, &times, &added, &ordered];
    execute(transaction, SQL, params).await.map(drop)
}

async fn save_duels(transaction: &Transaction, duels: &[ShelfDuel]) -> Result<()> {
    const SQL: &str = "INSERT INTO shelf_duels (showing, clicks, clicks_against, at_ms)
        SELECT * FROM unnest($1::text[], $2::int8[], $3::int8[], $4::int8[])
        ON CONFLICT (showing) DO UPDATE SET clicks = excluded.clicks, clicks_against = excluded.clicks_against,
            at_ms = excluded.at_ms";
    if duels.is_empty() {
        return Ok(());
    }
    let showings: Vec<&str> = duels.iter().map(|duel| duel.showing.as_str()).collect();
    let clicks: Vec<i64> = duels.iter().map(|duel| bigint(duel.clicks)).collect();
    let against: Vec<i64> = duels.iter().map(|duel| bigint(duel.clicks_against)).collect();
    let times: Vec<i64> = duels.iter().map(|duel| duel.at_ms).collect();
    execute(transaction, SQL, &[&showings, &clicks, &against, &times]).await.map(drop)
}

async fn save_counts(transaction: &Transaction, step: &ShelfStep) -> Result<()> {
    const SQL: &str = "INSERT INTO shelf_counts AS c (day, shelf, algorithm, what, of, count)
        SELECT * FROM unnest($1::int8[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int8[])
        ON CONFLICT (day, shelf, algorithm, what, of) DO UPDATE SET count = c.count + excluded.count";
    if step.counts.is_empty() {
        return Ok(());
    }
    let days: Vec<i64> = step.counts.keys().map(|(day, _)| *day).collect();
    let texts = |of: fn(&ShelfCount) -> &str| step.counts.keys().map(|(_, c)| of(c)).collect::<Vec<_>>();
    let (shelves, algorithms) = (texts(|c| &c.shelf), texts(|c| &c.algorithm));
    let (what, of) = (texts(|c| &c.what), texts(|c| &c.of));
    let more: Vec<i64> = step.counts.values().copied().collect();
    execute(transaction, SQL, &[&days, &shelves, &algorithms, &what, &of, &more]).await.map(drop)
}
