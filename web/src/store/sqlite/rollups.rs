//! What is derived from the outbox for the statistics.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use cart_core::{Sku, VisitorId};
use rusqlite::{Connection, params};

use super::{
    super::{ArmRow, LookRow, Result, RollUp, RollUpStore, StoreError, UnitRow},
    SqliteStore,
    columns::{count, execute, int, parsed, rows},
    outbox,
};

#[async_trait]
impl RollUpStore for SqliteStore {
    async fn units(&self, units: &BTreeSet<VisitorId>) -> Result<Vec<UnitRow>> {
        let units = units.clone();
        self.readers.run(move |db| units_of(db, &units)).await
    }

    async fn arms(&self) -> Result<BTreeMap<String, Vec<ArmRow>>> {
        self.readers.run(arms).await
    }

    async fn looks(&self, experiment: &str) -> Result<Vec<LookRow>> {
        let experiment = experiment.to_owned();
        self.readers.run(move |db| looks(db, &experiment)).await
    }

    async fn sales_since(&self, day: i64) -> Result<HashMap<Sku, u64>> {
        self.readers.run(move |db| sales_since(db, day)).await
    }

    async fn save_roll_up(&self, roll_up: &RollUp) -> Result<()> {
        let roll_up = roll_up.clone();
        self.writer.run(move |db| save(db, &roll_up)).await
    }

    async fn reset_roll_ups(&self) -> Result<()> {
        self.writer.run(reset).await
    }
}

/// Names the roll-ups' cursor.
const READER: &str = "rollups";

/// Reads the rows of some units.
pub fn units_of(db: &Connection, units: &BTreeSet<VisitorId>) -> Result<Vec<UnitRow>> {
    let sql = "SELECT experiment, unit, variation, exposed_at_ms, orders, revenue_minor FROM rollup_units
               WHERE unit = ?1 ORDER BY experiment";
    let mut all = vec![];
    for unit in units {
        all.extend(rows(db, sql, [unit.as_str()], |row| {
            Ok(UnitRow {
                experiment: row.get(0)?,
                unit: parsed(row, 1)?,
                variation: row.get(2)?,
                exposed_at_ms: row.get(3)?,
                orders: row.get(4)?,
                revenue_minor: row.get(5)?,
            })
        })?);
    }
    Ok(all)
}

/// Reads the totals of all arms.
pub fn arms(db: &Connection) -> Result<BTreeMap<String, Vec<ArmRow>>> {
    let sql = "SELECT experiment, variation, units, conversions, orders, revenue_minor, revenue_squares
               FROM rollup_arms ORDER BY experiment, variation";
    let all = rows(db, sql, [], |row| {
        Ok(ArmRow {
            experiment: row.get(0)?,
            variation: row.get(1)?,
            units: count(row, 2)?,
            conversions: count(row, 3)?,
            orders: count(row, 4)?,
            revenue_minor: row.get(5)?,
            revenue_squares: parsed(row, 6)?,
        })
    })?;
    let mut arms: BTreeMap<String, Vec<ArmRow>> = BTreeMap::new();
    for arm in all {
        arms.entry(arm.experiment.clone()).or_default().push(arm);
    }
    Ok(arms)
}

/// Reads the looks of an experiment in order.
pub fn looks(db: &Connection, experiment: &str) -> Result<Vec<LookRow>> {
    let sql = "SELECT experiment, units, at_ms, arms FROM rollup_looks WHERE experiment = ?1 ORDER BY units";
    rows(db, sql, [experiment], |row| {
        Ok(LookRow { experiment: row.get(0)?, units: count(row, 1)?, at_ms: row.get(2)?, arms: row.get(3)? })
    })
}

/// Sums the pieces ordered since a day.
pub fn sales_since(db: &Connection, day: i64) -> Result<HashMap<Sku, u64>> {
    let sql = "SELECT sku, sum(pieces) FROM rollup_sales WHERE day >= ?1 GROUP BY sku";
    Ok(rows(db, sql, [day], |row| Ok((parsed(row, 0)?, count(row, 1)?)))?.into_iter().collect())
}

/// Writes a step where the cursor stands before it.
pub fn save(db: &Connection, roll_up: &RollUp) -> Result<()> {
    let at = outbox::cursor(db, READER)?;
    if at != roll_up.from {
        return Err(StoreError::Conflict(format!("the roll-ups are at {at}, not at {}", roll_up.from)));
    }
    for u in &roll_up.units {
        execute(
            db,
            "INSERT OR REPLACE INTO rollup_units (unit, experiment, variation, exposed_at_ms, orders, revenue_minor)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![u.unit.as_str(), u.experiment, u.variation, u.exposed_at_ms, u.orders, u.revenue_minor],
        )?;
    }
    for a in &roll_up.arms {
        execute(
            db,
            "INSERT OR REPLACE INTO rollup_arms
             (experiment, variation, units, conversions, orders, revenue_minor, revenue_squares)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                a.experiment,
                a.variation,
                int(a.units),
                int(a.conversions),
                int(a.orders),
                a.revenue_minor,
                a.revenue_squares.to_string(),
            ],
        )?;
    }
    for l in &roll_up.looks {
        execute(
            db,
            "INSERT INTO rollup_looks (experiment, units, at_ms, arms) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            params![l.experiment, int(l.units), l.at_ms, l.arms],
        )?;
    }
    for ((day, sku), pieces) in &roll_up.sales {
        execute(
            db,
            "INSERT INTO rollup_sales (day, sku, pieces) VALUES (?1, ?2, ?3)
             ON CONFLICT (day, sku) DO UPDATE SET pieces = pieces + ?3",
            params![day, sku.as_str(), int(*pieces)],
        )?;
    }
    outbox::set_cursor(db, READER, roll_up.to)
}

/// Empties the roll-ups and sets their cursor to 0.
pub fn reset(db: &Connection) -> Result<()> {
    db.execute_batch(
        "DELETE FROM rollup_units; DELETE FROM rollup_arms; DELETE FROM rollup_looks; DELETE FROM rollup_sales;",
    )?;
    outbox::set_cursor(db, READER, 0)
}
