//! Roll-ups.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use cart_core::{Sku, VisitorId};

use super::super::{ArmRow, LookRow, Result, RollUp, RollUpStore, UnitRow};
use super::MemoryStore;

#[async_trait]
impl RollUpStore for MemoryStore {
    async fn units(&self, units: &BTreeSet<VisitorId>) -> Result<Vec<UnitRow>> {
        Ok(self.state.lock().await.units.values().filter(|row| units.contains(&row.unit)).cloned().collect())
    }

    async fn arms(&self) -> Result<BTreeMap<String, Vec<ArmRow>>> {
        let mut arms: BTreeMap<String, Vec<ArmRow>> = BTreeMap::new();
        for row in self.state.lock().await.arms.values() {
            arms.entry(row.experiment.clone()).or_default().push(row.clone());
        }
        Ok(arms)
    }

    async fn looks(&self, experiment: &str) -> Result<Vec<LookRow>> {
        Ok(self
            .state
            .lock()
            .await
            .looks
            .values()
            .filter(|row| row.experiment == experiment)
            .cloned()
            .collect())
    }

    async fn sales_since(&self, day: i64) -> Result<HashMap<Sku, u64>> {
        let mut sales = HashMap::new();
        for ((on, sku), pieces) in &self.state.lock().await.sales {
            if *on >= day {
                *sales.entry(sku.clone()).or_default() += pieces;
            }
        }
        Ok(sales)
    }

    async fn save_roll_up(&self, roll_up: &RollUp) -> Result<()> {
        self.state.lock().await.save_roll_up(roll_up)
    }

    async fn reset_roll_ups(&self) -> Result<()> {
        self.state.lock().await.reset_roll_ups();
        Ok(())
    }
}
