//! The rows that are derived from the outbox for the statistics.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use cart_core::{Sku, VisitorId};
use deadpool_postgres::Client;
use tokio_postgres::Row;

use super::{
    super::{ArmRow, LookRow, Result, RollUp, RollUpStore, StoreError, UnitRow},
    PostgresStore,
    cells::{bigint, cell, number, parsed},
    transaction::{Params, Transaction, bounded, execute, query},
};

#[async_trait]
impl RollUpStore for PostgresStore {
    async fn units(&self, units: &BTreeSet<VisitorId>) -> Result<Vec<UnitRow>> {
        bounded(units_of(&self.client().await?, units)).await
    }

    async fn arms(&self) -> Result<BTreeMap<String, Vec<ArmRow>>> {
        bounded(arms(&self.client().await?)).await
    }

    async fn looks(&self, experiment: &str) -> Result<Vec<LookRow>> {
        bounded(looks(&self.client().await?, experiment)).await
    }

    async fn sales_since(&self, day: i64) -> Result<HashMap<Sku, u64>> {
        bounded(sales_since(&self.client().await?, day)).await
    }

    async fn save_roll_up(&self, roll_up: &RollUp) -> Result<()> {
        save(self.client().await?, roll_up).await
    }

    async fn reset_roll_ups(&self) -> Result<()> {
        reset(self.client().await?).await
    }
}

/// Reads units over all experiments.
pub async fn units_of(client: &Client, units: &BTreeSet<VisitorId>) -> Result<Vec<UnitRow>> {
    const SQL: &str = "SELECT experiment, unit, variation, exposed_at_ms, orders, revenue_minor
        FROM rollup_units WHERE unit = ANY ($1::text[]) ORDER BY experiment, unit";
    let units: Vec<&str> = units.iter().map(VisitorId::as_str).collect();
    query(client, SQL, &[&units]).await?.iter().map(unit).collect()
}

fn unit(row: &Row) -> Result<UnitRow> {
    Ok(UnitRow {
        experiment: cell(row, "experiment")?,
        unit: parsed(row, "unit")?,
        variation: number(row, "variation")?,
        exposed_at_ms: cell(row, "exposed_at_ms")?,
        orders: number(row, "orders")?,
        revenue_minor: cell(row, "revenue_minor")?,
    })
}

/// Reads all arms by experiment.
pub async fn arms(client: &Client) -> Result<BTreeMap<String, Vec<ArmRow>>> {
    const SQL: &str =
        "SELECT experiment, variation, units, conversions, orders, revenue_minor, revenue_squares
        FROM rollup_arms ORDER BY experiment, variation";
    let mut arms: BTreeMap<String, Vec<ArmRow>> = BTreeMap::new();
    for row in query(client, SQL, &[]).await? {
        let arm = arm(&row)?;
        arms.entry(arm.experiment.clone()).or_default().push(arm);
    }
    Ok(arms)
}

fn arm(row: &Row) -> Result<ArmRow> {
    Ok(ArmRow {
        experiment: cell(row, "experiment")?,
        variation: number(row, "variation")?,
        units: number(row, "units")?,
        conversions: number(row, "conversions")?,
        orders: number(row, "orders")?,
        revenue_minor: cell(row, "revenue_minor")?,
        revenue_squares: parsed(row, "revenue_squares")?,
    })
}

/// Reads the looks of an experiment in order.
pub async fn looks(client: &Client, experiment: &str) -> Result<Vec<LookRow>> {
    const SQL: &str =
        "SELECT experiment, units, at_ms, arms FROM rollup_looks WHERE experiment = $1 ORDER BY units";
    let look = |row: &Row| {
        Ok(LookRow {
            experiment: cell(row, "experiment")?,
            units: number(row, "units")?,
            at_ms: cell(row, "at_ms")?,
            arms: cell(row, "arms")?,
        })
    };
    query(client, SQL, &[&experiment]).await?.iter().map(look).collect()
}

/// Sums the pieces ordered since a day.
pub async fn sales_since(client: &Client, day: i64) -> Result<HashMap<Sku, u64>> {
    const SQL: &str =
        "SELECT sku, sum(pieces)::int8 AS pieces FROM rollup_sales WHERE day >= $1 GROUP BY sku";
    let rows = query(client, SQL, &[&day]).await?;
    rows.iter().map(|row| Ok((parsed(row, "sku")?, number(row, "pieces")?))).collect()
}

/// Writes a step. It commits without waiting for the disk: rows and cursor are one transaction, so what a crash of the server takes
/// back is folded again.
pub async fn save(client: Client, roll_up: &RollUp) -> Result<()> {
    let transaction = Transaction::begin(client).await?;
    bounded(async {
        advance(&transaction, roll_up).await?;
        save_units(&transaction, &roll_up.units).await?;
        save_arms(&transaction, &roll_up.arms).await?;
        save_looks(&transaction, &roll_up.looks).await?;
        save_sales(&transaction, &roll_up.sales).await
    })
    .await?;
    transaction.commit().await
}

async fn advance(transaction: &Transaction, roll_up: &RollUp) -> Result<()> {
    const SQL: &str = "UPDATE cursors SET position = $2
        FROM (SELECT set_config('synchronous_commit', 'off', true)) AS quick
        WHERE reader = 'rollups' AND position = $1";
    match execute(transaction, SQL, &[&bigint(roll_up.from), &bigint(roll_up.to)]).await? {
        1 => Ok(()),
        _ => Err(StoreError::Conflict(format!("the roll-ups are no longer at position {}", roll_up.from))),
    }
}

async fn save_units(transaction: &Transaction, rows: &[UnitRow]) -> Result<()> {
    const SQL: &str = "INSERT INTO rollup_units (unit, experiment, variation, exposed_at_ms, orders, revenue_minor)
        SELECT * FROM unnest($1::text[], $2::text[], $3::int8[], $4::int8[], $5::int8[], $6::int8[])
        ON CONFLICT (unit, experiment) DO UPDATE SET variation = excluded.variation,
            exposed_at_ms = excluded.exposed_at_ms, orders = excluded.orders, revenue_minor = excluded.revenue_minor";
    if rows.is_empty() {
        return Ok(());
    }
    let units: Vec<&str> = rows.iter().map(|r| r.unit.as_str()).collect();
    let keys: Vec<&str> = rows.iter().map(|r| r.experiment.as_str()).collect();
    let variations: Vec<i64> = rows.iter().map(|r| i64::from(r.variation)).collect();
    let times: Vec<i64> = rows.iter().map(|r| r.exposed_at_ms).collect();
    let orders: Vec<i64> = rows.iter().map(|r| i64::from(r.orders)).collect();
    let revenues: Vec<i64> = rows.iter().map(|r| r.revenue_minor).collect();
    execute(transaction, SQL, &[&units, &keys, &variations, &times, &orders, &revenues]).await.map(drop)
}

async fn save_arms(transaction: &Transaction, rows: &[ArmRow]) -> Result<()> {
    const SQL: &str = "INSERT INTO rollup_arms
            (experiment, variation, units, conversions, orders, revenue_minor, revenue_squares)
        SELECT * FROM unnest($1::text[], $2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::text[])
        ON CONFLICT (experiment, variation) DO UPDATE SET units = excluded.units,
            conversions = excluded.conversions, orders = excluded.orders,
            revenue_minor = excluded.revenue_minor, revenue_squares = excluded.revenue_squares";
    if rows.is_empty() {
        return Ok(());
    }
    let keys: Vec<&str> = rows.iter().map(|r| r.experiment.as_str()).collect();
    let variations: Vec<i64> = rows.iter().map(|r| i64::from(r.variation)).collect();
    let units: Vec<i64> = rows.iter().map(|r| bigint(r.units)).collect();
    let conversions: Vec<i64> = rows.iter().map(|r| bigint(r.conversions)).collect();
    let orders: Vec<i64> = rows.iter().map(|r| bigint(r.orders)).collect();
    let revenues: Vec<i64> = rows.iter().map(|r| r.revenue_minor).collect();
    let squares: Vec<String> = rows.iter().map(|r| r.revenue_squares.to_string()).collect();
    let params: &Params<'_> = &[&keys, &variations, &units, &conversions, &orders, &revenues, &squares];
    execute(transaction, SQL, params).await.map(drop)
}

async fn save_looks(transaction: &Transaction, rows: &[LookRow]) -> Result<()> {
    const SQL: &str = "INSERT INTO rollup_looks (experiment, units, at_ms, arms)
        SELECT * FROM unnest($1::text[], $2::int8[], $3::int8[], $4::text[])
        ON CONFLICT (experiment, units) DO NOTHING";
    if rows.is_empty() {
        return Ok(());
    }
    let keys: Vec<&str> = rows.iter().map(|r| r.experiment.as_str()).collect();
    let units: Vec<i64> = rows.iter().map(|r| bigint(r.units)).collect();
    let times: Vec<i64> = rows.iter().map(|r| r.at_ms).collect();
    let arms: Vec<&str> = rows.iter().map(|r| r.arms.as_str()).collect();
    execute(transaction, SQL, &[&keys, &units, &times, &arms]).await.map(drop)
}

async fn save_sales(transaction: &Transaction, sales: &BTreeMap<(i64, Sku), u64>) -> Result<()> {
    const SQL: &str = "INSERT INTO rollup_sales AS s (day, sku, pieces)
        SELECT * FROM unnest($1::int8[], $2::text[], $3::int8[])
        ON CONFLICT (day, sku) DO UPDATE SET pieces = s.pieces + excluded.pieces";
    if sales.is_empty() {
        return Ok(());
    }
    let days: Vec<i64> = sales.keys().map(|(day, _)| *day).collect();
    let skus: Vec<&str> = sales.keys().map(|(_, sku)| sku.as_str()).collect();
    let pieces: Vec<i64> = sales.values().map(|pieces| bigint(*pieces)).collect();
    execute(transaction, SQL, &[&days, &skus, &pieces]).await.map(drop)
}

/// Empties the roll-ups. The cursor's row is locked first, as a step does, so neither meets the other half-way.
pub async fn reset(client: Client) -> Result<()> {
    let transaction = Transaction::begin(client).await?;
    bounded(async {
        execute(&transaction, "UPDATE cursors SET position = 0 WHERE reader = 'rollups'", &[]).await?;
        execute(&transaction, "TRUNCATE rollup_units, rollup_arms, rollup_looks, rollup_sales", &[]).await
    })
    .await?;
    transaction.commit().await
}
