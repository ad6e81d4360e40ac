//! What is derived from the outbox for the statistics.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use cart_core::{Sku, VisitorId};
use rusqlite::{Connection, params};

use super::{
    super::{
        ArmRow, LookRow, PastRow, PersonRow, Result, RollUp, RollUpStore, RolledExperiment, RolledUp, SHARED,
        StoreError, UnitRow, readers,
    },
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

    async fn rolled_up(&self) -> Result<RolledUp> {
        self.readers.run(|db| rolled_up(db, None, None)).await
    }

    async fn arms(&self, experiment: &str) -> Result<RolledUp> {
        let experiment = experiment.to_owned();
        self.readers.run(move |db| rolled_up(db, Some(&experiment), None)).await
    }

    async fn whole_arms(&self) -> Result<RolledUp> {
        self.readers.run(|db| rolled_up(db, None, Some(""))).await
    }

    async fn shared_arms(&self) -> Result<RolledUp> {
        self.readers.run(|db| rolled_up(db, None, Some(&format!("{SHARED}%")))).await
    }

    async fn looks(&self, experiment: &str) -> Result<Vec<LookRow>> {
        let experiment = experiment.to_owned();
        self.readers.run(move |db| looks(db, &experiment)).await
    }

    async fn looks_of(&self, experiments: &[&str]) -> Result<Vec<LookRow>> {
        let experiments = serde_json::json!(experiments).to_string();
        self.readers.run(move |db| looks_of(db, &experiments)).await
    }

    async fn pasts(&self, units: &BTreeSet<VisitorId>, until: u64) -> Result<Vec<PastRow>> {
        let units = units.clone();
        self.readers.run(move |db| pasts(db, &units, until)).await
    }

    async fn people(
        &self,
        visitors: &BTreeSet<VisitorId>,
        until: u64,
    ) -> Result<BTreeMap<VisitorId, VisitorId>> {
        let visitors = visitors.clone();
        self.readers.run(move |db| people(db, &visitors, until)).await
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

/// Reads the rows of some units.
pub fn units_of(db: &Connection, units: &BTreeSet<VisitorId>) -> Result<Vec<UnitRow>> {
    let sql = "SELECT experiment, unit, variation, exposed_at_ms, is_crossed, did FROM rollup_units
               WHERE unit = ?1 ORDER BY experiment";
    let mut all = vec![];
    for unit in units {
        all.extend(rows(db, sql, [unit.as_str()], |row| {
            Ok(UnitRow {
                experiment: row.get(0)?,
                unit: parsed(row, 1)?,
                variation: row.get(2)?,
                exposed_at_ms: row.get(3)?,
                is_crossed: row.get(4)?,
                did: row.get(5)?,
            })
        })?);
    }
    Ok(all)
}

/// Reads the metrics of experiments and the sums of their arms: of one experiment with its late metrics, of segments like a
/// pattern, or of all.
pub fn rolled_up(db: &Connection, experiment: Option<&str>, segment: Option<&str>) -> Result<RolledUp> {
    let of_experiments =
        "SELECT experiment, metrics, since_ms, position FROM rollup_experiments ORDER BY experiment";
    let of_arms = "SELECT experiment, segment, variation, sums FROM rollup_arms
         WHERE (?1 IS NULL OR experiment = ?1 OR experiment BETWEEN ?1 || char(31) AND ?1 || char(32)) AND (?2 IS NULL OR segment LIKE ?2)
         ORDER BY experiment, segment, variation";
    Ok(RolledUp {
        experiments: rows(db, of_experiments, [], |row| {
            Ok(RolledExperiment {
                experiment: row.get(0)?,
                metrics: row.get(1)?,
                since_ms: row.get(2)?,
                position: row.get::<_, Option<i64>>(3)?.and_then(|position| u64::try_from(position).ok()),
            })
        })?,
        arms: rows(db, of_arms, params![experiment, segment], |row| {
            Ok(ArmRow {
                experiment: row.get(0)?,
                segment: row.get(1)?,
                variation: row.get(2)?,
                sums: row.get(3)?,
            })
        })?,
    })
}

/// Reads the orders of some units up to a position.
pub fn pasts(db: &Connection, units: &BTreeSet<VisitorId>, until: u64) -> Result<Vec<PastRow>> {
    let sql = "SELECT unit, position, at_ms, data FROM rollup_past
               WHERE unit = ?1 AND position <= ?2 ORDER BY position";
    let mut all = vec![];
    for unit in units {
        all.extend(rows(db, sql, params![unit.as_str(), int(until)], |row| {
            Ok(PastRow {
                unit: parsed(row, 0)?,
                position: count(row, 1)?,
                at_ms: row.get(2)?,
                data: row.get(3)?,
            })
        })?);
    }
    Ok(all)
}

/// Says as which units visitors were known at a position.
pub fn people(
    db: &Connection,
    visitors: &BTreeSet<VisitorId>,
    until: u64,
) -> Result<BTreeMap<VisitorId, VisitorId>> {
    let sql = "SELECT visitor, unit FROM rollup_people WHERE visitor = ?1 AND position <= ?2";
    let mut all = BTreeMap::new();
    for visitor in visitors {
        let known = |row: &rusqlite::Row<'_>| Ok((parsed(row, 0)?, parsed(row, 1)?));
        all.extend(rows(db, sql, params![visitor.as_str(), int(until)], known)?);
    }
    Ok(all)
}

/// Reads the looks of an experiment in order.
pub fn looks(db: &Connection, experiment: &str) -> Result<Vec<LookRow>> {
    let sql = "SELECT experiment, units, at_ms, arms FROM rollup_looks WHERE experiment = ?1 ORDER BY units";
    rows(db, sql, [experiment], look)
}

/// Reads the looks of some experiments, a JSON array of keys, each one's in order.
pub fn looks_of(db: &Connection, experiments: &str) -> Result<Vec<LookRow>> {
    let sql = "SELECT experiment, units, at_ms, arms FROM rollup_looks
        WHERE experiment IN (SELECT value FROM json_each(?1)) ORDER BY experiment, units";
    rows(db, sql, [experiments], look)
}

fn look(row: &rusqlite::Row<'_>) -> rusqlite::Result<LookRow> {
    Ok(LookRow { experiment: row.get(0)?, units: count(row, 1)?, at_ms: row.get(2)?, arms: row.get(3)? })
}

/// Sums the pieces ordered since a day.
pub fn sales_since(db: &Connection, day: i64) -> Result<HashMap<Sku, u64>> {
    let sql = "SELECT sku, sum(pieces) FROM rollup_sales WHERE day >= ?1 GROUP BY sku";
    Ok(rows(db, sql, [day], |row| Ok((parsed(row, 0)?, count(row, 1)?)))?.into_iter().collect())
}

/// Writes a step where the cursor stands before it.
pub fn save(db: &Connection, roll_up: &RollUp) -> Result<()> {
    let at = outbox::cursor(db, readers::ROLLUPS)?;
    if at != roll_up.from {
        return Err(StoreError::Conflict(format!("the roll-ups are at {at}, not at {}", roll_up.from)));
    }
    for e in &roll_up.experiments {
        execute(
            db,
            "INSERT INTO rollup_experiments (experiment, metrics, since_ms, position) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
            params![e.experiment, e.metrics, e.since_ms, e.position.map(int)],
        )?;
    }
    for step in &roll_up.late {
        let sql = "UPDATE rollup_experiments SET position = ?3 WHERE experiment = ?1 AND position = ?2";
        if execute(db, sql, params![step.experiment, int(step.from), step.to.map(int)])? != 1 {
            return Err(StoreError::Conflict("what is rolled up late is no longer where it was".into()));
        }
    }
    for u in &roll_up.units {
        execute(
            db,
            "INSERT OR REPLACE INTO rollup_units (unit, experiment, variation, exposed_at_ms, is_crossed, did)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![u.unit.as_str(), u.experiment, u.variation, u.exposed_at_ms, u.is_crossed, u.did],
        )?;
    }
    for a in &roll_up.arms {
        execute(
            db,
            "INSERT OR REPLACE INTO rollup_arms (experiment, segment, variation, sums) VALUES (?1, ?2, ?3, ?4)",
            params![a.experiment, a.segment, a.variation, a.sums],
        )?;
    }
    for p in &roll_up.pasts {
        execute(
            db,
            "INSERT OR REPLACE INTO rollup_past (unit, position, at_ms, data) VALUES (?1, ?2, ?3, ?4)",
            params![p.unit.as_str(), int(p.position), p.at_ms, p.data],
        )?;
    }
    for PersonRow { visitor, unit, position } in &roll_up.people {
        execute(
            db,
            "INSERT INTO rollup_people (visitor, unit, position) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            params![visitor.as_str(), unit.as_str(), int(*position)],
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
    outbox::set_cursor(db, readers::ROLLUPS, roll_up.to)
}

/// Empties the roll-ups and sets their cursor to 0.
pub fn reset(db: &Connection) -> Result<()> {
    db.execute_batch(
        "DELETE FROM rollup_experiments; DELETE FROM rollup_units; DELETE FROM rollup_arms; DELETE FROM rollup_looks;
         DELETE FROM rollup_past; DELETE FROM rollup_people; DELETE FROM rollup_sales;",
    )?;
    outbox::set_cursor(db, readers::ROLLUPS, 0)
}
