//! From roll-ups to an analysis.

use std::collections::BTreeMap;

use experiments::{Analysis, ArmTotals, Experiment, Look, verdict};

use crate::{
    clock,
    problem::{Kind, Problem},
    store::{ArmRow, LookRow, Store},
};

/// Is what is known of an experiment's outcome.
pub struct Results {
    /// What may be concluded.
    pub analysis: Analysis,
    /// Orders of each arm.
    pub orders: Vec<u64>,
    /// How many looks the analysis rests on.
    pub looks: u64,
}

/// Analyses an experiment over all its looks.
///
/// # Errors
/// Where the store does not answer, or holds rows that fit no experiment.
pub async fn of(store: &dyn Store, experiment: &Experiment) -> Result<Results, Problem> {
    let arms = store.arms().await?.remove(experiment.key()).unwrap_or_default();
    let looks = store.looks(experiment.key()).await?;
    analyse(experiment, &arms, &looks, clock::now_ms())
}

/// Analyses an experiment as it stands now, without the looks before; enough for a list.
///
/// # Errors
/// As [`of`].
pub fn at_a_glance(experiment: &Experiment, arms: &[ArmRow]) -> Result<Results, Problem> {
    analyse(experiment, arms, &[], clock::now_ms())
}

fn analyse(
    experiment: &Experiment,
    arms: &[ArmRow],
    looks: &[LookRow],
    now_ms: i64,
) -> Result<Results, Problem> {
    let count = experiment.variations().len();
    let by_arm: BTreeMap<usize, &ArmRow> = arms.iter().map(|a| (a.variation as usize, a)).collect();
    let totals =
        (0..count).map(|v| by_arm.get(&v).map_or_else(ArmTotals::default, |a| totals_of(a))).collect();
    let mut earlier = vec![];
    for row in looks {
        earlier.push(look_of(row, count)?);
    }
    // Nodes' clocks differ by a little; a look is never before the one it follows.
    let mut latest = i64::MIN;
    for look in &mut earlier {
        latest = latest.max(look.at_ms);
        look.at_ms = latest;
    }
    let current = Look { at_ms: now_ms.max(latest), arms: totals };
    let analysis =
        verdict::analyze(&verdict::Plan::of(experiment), &current, &earlier).map_err(|e| corrupt(&e))?;
    let orders = (0..count).map(|v| by_arm.get(&v).map_or(0, |a| a.orders)).collect();
    Ok(Results { analysis, orders, looks: earlier.len() as u64 + 1 })
}

fn totals_of(arm: &ArmRow) -> ArmTotals {
    ArmTotals {
        units: arm.units,
        conversions: arm.conversions,
        revenue_sum: arm.revenue_minor,
        revenue_sum_squares: u128::try_from(arm.revenue_squares).unwrap_or(0),
    }
}

fn look_of(row: &LookRow, count: usize) -> Result<Look, Problem> {
    let stored: Vec<(u64, u64, i64, String)> = serde_json::from_str(&row.arms).map_err(|e| corrupt(&e))?;
    let mut arms = vec![ArmTotals::default(); count];
    for (arm, (units, conversions, revenue_sum, squares)) in arms.iter_mut().zip(stored) {
        let revenue_sum_squares = squares.parse().map_err(|e| corrupt(&e))?;
        *arm = ArmTotals { units, conversions, revenue_sum, revenue_sum_squares };
    }
    Ok(Look { at_ms: row.at_ms, arms })
}

fn corrupt(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "the roll-ups of an experiment cannot be read");
    Problem::new(Kind::RollUpsUnreadable, format!("the roll-ups of this experiment cannot be read: {error}"))
}
