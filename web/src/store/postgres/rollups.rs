//! The rows that are derived from the outbox for the statistics.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use cart_core::{Sku, VisitorId};
use deadpool_postgres::Client;
use tokio_postgres::Row;

use super::{
    super::{
        ArmRow, LateStep, LookRow, PastRow, PersonRow, Result, RollUp, RollUpStore, RolledExperiment,
        RolledUp, SHARED, StoreError, UnitRow,
    },
    PostgresStore,
    cells::{bigint, cell, number, parsed},
    transaction::{Transaction, bounded, execute, query},
};

#[async_trait]
impl RollUpStore for PostgresStore {
    async fn units(&self, units: &BTreeSet<VisitorId>) -> Result<Vec<UnitRow>> {
        bounded(units_of(&self.client().await?, units)).await
    }

    async fn rolled_up(&self) -> Result<RolledUp> {
        bounded(rolled_up(&self.client().await?, None, None)).await
    }

    async fn arms(&self, experiment: &str) -> Result<RolledUp> {
        bounded(rolled_up(&self.client().await?, Some(experiment), None)).await
    }

    async fn whole_arms(&self) -> Result<RolledUp> {
        bounded(rolled_up(&self.client().await?, None, Some(""))).await
    }

    async fn shared_arms(&self) -> Result<RolledUp> {
        bounded(rolled_up(&self.client().await?, None, Some(&format!("{SHARED}%")))).await
    }

    async fn looks(&self, experiment: &str) -> Result<Vec<LookRow>> {
        bounded(looks(&self.client().await?, experiment)).await
    }

    async fn looks_of(&self, experiments: &[&str]) -> Result<Vec<LookRow>> {
        bounded(looks_of(&self.client().await?, experiments)).await
    }

    async fn pasts(&self, units: &BTreeSet<VisitorId>, until: u64) -> Result<Vec<PastRow>> {
        bounded(pasts(&self.client().await?, units, until)).await
    }

    async fn people(
        &self,
        visitors: &BTreeSet<VisitorId>,
        until: u64,
    ) -> Result<BTreeMap<VisitorId, VisitorId>> {
        bounded(people(&self.client().await?, visitors, until)).await
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
    const SQL: &str = "SELECT experiment, unit, variation, exposed_at_ms, is_crossed, did
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
        is_crossed: cell::<i64>(row, "is_crossed")? != 0,
        did: cell(row, "did")?,
    })
}

/// Reads the metrics of experiments and the sums of their arms: of one experiment with its late metrics, of segments like a
/// pattern, or of all.
pub async fn rolled_up(client: &Client, experiment: Option<&str>, segment: Option<&str>) -> Result<RolledUp> {
    const EXPERIMENTS: &str =
        "SELECT experiment, metrics, since_ms, position FROM rollup_experiments ORDER BY experiment";
    const ARMS: &str = "SELECT experiment, segment, variation, sums FROM rollup_arms
        WHERE ($1::text IS NULL OR experiment = $1 OR experiment BETWEEN $1 || chr(31) AND $1 || chr(32)) AND ($2::text IS NULL OR segment LIKE $2)
        ORDER BY experiment, segment, variation";
    let experiments = query(client, EXPERIMENTS, &[]).await?;
    let arms = query(client, ARMS, &[&experiment, &segment]).await?;
    let of_experiment = |row: &Row| {
        Ok(RolledExperiment {
            experiment: cell(row, "experiment")?,
            metrics: cell(row, "metrics")?,
            since_ms: cell(row, "since_ms")?,
            position: cell::<Option<i64>>(row, "position")?.and_then(|position| u64::try_from(position).ok()),
        })
    };
    let of_arm = |row: &Row| {
        Ok(ArmRow {
            experiment: cell(row, "experiment")?,
            segment: cell(row, "segment")?,
            variation: number(row, "variation")?,
            sums: cell(row, "sums")?,
        })
    };
    Ok(RolledUp {
        experiments: experiments.iter().map(of_experiment).collect::<Result<_>>()?,
        arms: arms.iter().map(of_arm).collect::<Result<_>>()?,
    })
}

/// Reads the orders of some units up to a position.
pub async fn pasts(client: &Client, units: &BTreeSet<VisitorId>, until: u64) -> Result<Vec<PastRow>> {
    const SQL: &str = "SELECT unit, position, at_ms, data FROM rollup_past
        WHERE unit = ANY ($1::text[]) AND position <= $2 ORDER BY unit, position";
    let units: Vec<&str> = units.iter().map(VisitorId::as_str).collect();
    let past = |row: &Row| {
        Ok(PastRow {
            unit: parsed(row, "unit")?,
            position: number(row, "position")?,
            at_ms: cell(row, "at_ms")?,
            data: cell(row, "data")?,
        })
    };
    query(client, SQL, &[&units, &bigint(until)]).await?.iter().map(past).collect()
}

/// Says as which units visitors were known at a position.
pub async fn people(
    client: &Client,
    visitors: &BTreeSet<VisitorId>,
    until: u64,
) -> Result<BTreeMap<VisitorId, VisitorId>> {
    const SQL: &str =
        "SELECT visitor, unit FROM rollup_people WHERE visitor = ANY ($1::text[]) AND position <= $2";
    let visitors: Vec<&str> = visitors.iter().map(VisitorId::as_str).collect();
    let rows = query(client, SQL, &[&visitors, &bigint(until)]).await?;
    rows.iter().map(|row| Ok((parsed(row, "visitor")?, parsed(row, "unit")?))).collect()
}

/// Reads the looks of an experiment in order.
pub async fn looks(client: &Client, experiment: &str) -> Result<Vec<LookRow>> {
    const SQL: &str =
        "SELECT experiment, units, at_ms, arms FROM rollup_looks WHERE experiment = $1 ORDER BY units";
    query(client, SQL, &[&experiment]).await?.iter().map(look).collect()
}

/// Reads the looks of some experiments, each one's in order.
pub async fn looks_of(client: &Client, experiments: &[&str]) -> Result<Vec<LookRow>> {
    const SQL: &str = "SELECT experiment, units, at_ms, arms FROM rollup_looks
        WHERE experiment = ANY ($1::text[]) ORDER BY experiment, units";
    query(client, SQL, &[&experiments]).await?.iter().map(look).collect()
}

fn look(row: &Row) -> Result<LookRow> {
    Ok(LookRow {
        experiment: cell(row, "experiment")?,
        units: number(row, "units")?,
        at_ms: cell(row, "at_ms")?,
        arms: cell(row, "arms")?,
    })
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
        save_experiments(&transaction, &roll_up.experiments).await?;
        save_late(&transaction, &roll_up.late).await?;
        save_units(&transaction, &roll_up.units).await?;
        save_arms(&transaction, &roll_up.arms).await?;
        save_looks(&transaction, &roll_up.looks).await?;
        save_pasts(&transaction, &roll_up.pasts).await?;
        save_people(&transaction, &roll_up.people).await?;
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

async fn save_experiments(transaction: &Transaction, rows: &[RolledExperiment]) -> Result<()> {
    const SQL: &str = "INSERT INTO rollup_experiments (experiment, metrics, since_ms, position)
        SELECT * FROM unnest($1::text[], $2::text[], $3::int8[], $4::int8[])
        ON CONFLICT (experiment) DO NOTHING";
    if rows.is_empty() {
        return Ok(());
    }
    let keys: Vec<&str> = rows.iter().map(|r| r.experiment.as_str()).collect();
    let metrics: Vec<&str> = rows.iter().map(|r| r.metrics.as_str()).collect();
    let times: Vec<i64> = rows.iter().map(|r| r.since_ms).collect();
    let positions: Vec<Option<i64>> = rows.iter().map(|r| r.position.map(bigint)).collect();
    execute(transaction, SQL, &[&keys, &metrics, &times, &positions]).await.map(drop)
}

async fn save_late(transaction: &Transaction, steps: &[LateStep]) -> Result<()> {
    const SQL: &str = "UPDATE rollup_experiments AS r SET position = step.next
        FROM unnest($1::text[], $2::int8[], $3::int8[]) AS step (experiment, before, next)
        WHERE r.experiment = step.experiment AND r.position = step.before";
    if steps.is_empty() {
        return Ok(());
    }
    let keys: Vec<&str> = steps.iter().map(|step| step.experiment.as_str()).collect();
    let from: Vec<i64> = steps.iter().map(|step| bigint(step.from)).collect();
    let to: Vec<Option<i64>> = steps.iter().map(|step| step.to.map(bigint)).collect();
    match execute(transaction, SQL, &[&keys, &from, &to]).await? {
        moved if moved == steps.len() as u64 => Ok(()),
        _ => Err(StoreError::Conflict("what is rolled up late is no longer where it was".into())),
    }
}

async fn save_units(transaction: &Transaction, rows: &[UnitRow]) -> Result<()> {
    const SQL: &str = "INSERT INTO rollup_units (unit, experiment, variation, exposed_at_ms, is_crossed, did)
        SELECT * FROM unnest($1::text[], $2::text[], $3::int8[], $4::int8[], $5::int8[], $6::text[])
        ON CONFLICT (unit, experiment) DO UPDATE SET variation = excluded.variation,
            exposed_at_ms = excluded.exposed_at_ms, is_crossed = excluded.is_crossed, did = excluded.did";
    if rows.is_empty() {
        return Ok(());
    }
    let units: Vec<&str> = rows.iter().map(|r| r.unit.as_str()).collect();
    let keys: Vec<&str> = rows.iter().map(|r| r.experiment.as_str()).collect();
    let variations: Vec<i64> = rows.iter().map(|r| i64::from(r.variation)).collect();
    let times: Vec<i64> = rows.iter().map(|r| r.exposed_at_ms).collect();
    let crossed: Vec<i64> = rows.iter().map(|r| i64::from(r.is_crossed)).collect();
    let did: Vec<&str> = rows.iter().map(|r| r.did.as_str()).collect();
    execute(transaction, SQL, &[&units, &keys, &variations, &times, &crossed, &did]).await.map(drop)
}

async fn save_arms(transaction: &Transaction, rows: &[ArmRow]) -> Result<()> {
    const SQL: &str = "INSERT INTO rollup_arms (experiment, segment, variation, sums)
        SELECT * FROM unnest($1::text[], $2::text[], $3::int8[], $4::text[])
        ON CONFLICT (experiment, segment, variation) DO UPDATE SET sums = excluded.sums";
    if rows.is_empty() {
        return Ok(());
    }
    let keys: Vec<&str> = rows.iter().map(|r| r.experiment.as_str()).collect();
    let segments: Vec<&str> = rows.iter().map(|r| r.segment.as_str()).collect();
    let variations: Vec<i64> = rows.iter().map(|r| i64::from(r.variation)).collect();
    let sums: Vec<&str> = rows.iter().map(|r| r.sums.as_str()).collect();
    execute(transaction, SQL, &[&keys, &segments, &variations, &sums]).await.map(drop)
}

async fn save_pasts(transaction: &Transaction, rows: &[PastRow]) -> Result<()> {
    const SQL: &str = "INSERT INTO rollup_past (unit, position, at_ms, data)
        SELECT * FROM unnest($1::text[], $2::int8[], $3::int8[], $4::text[]) ON CONFLICT (unit, position) DO NOTHING";
    if rows.is_empty() {
        return Ok(());
    }
    let units: Vec<&str> = rows.iter().map(|r| r.unit.as_str()).collect();
    let positions: Vec<i64> = rows.iter().map(|r| bigint(r.position)).collect();
    let times: Vec<i64> = rows.iter().map(|r| r.at_ms).collect();
    let data: Vec<&str> = rows.iter().map(|r| r.data.as_str()).collect();
    execute(transaction, SQL, &[&units, &positions, &times, &data]).await.map(drop)
}

async fn save_people(transaction: &Transaction, people: &[PersonRow]) -> Result<()> {
    const SQL: &str = "INSERT INTO rollup_people (visitor, unit, position)
        SELECT * FROM unnest($1::text[], $2::text[], $3::int8[]) ON CONFLICT (visitor) DO NOTHING";
    if people.is_empty() {
        return Ok(());
    }
    let visitors: Vec<&str> = people.iter().map(|row| row.visitor.as_str()).collect();
    let units: Vec<&str> = people.iter().map(|row| row.unit.as_str()).collect();
    let positions: Vec<i64> = people.iter().map(|row| bigint(row.position)).collect();
    execute(transaction, SQL, &[&visitors, &units, &positions]).await.map(drop)
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
        const EMPTY: &str =
            "TRUNCATE rollup_experiments, rollup_units, rollup_arms, rollup_looks, rollup_past,
            rollup_people, rollup_sales";
        execute(&transaction, EMPTY, &[]).await
    })
    .await?;
    transaction.commit().await
}
