//! Roll-ups.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use cart_core::{Sku, VisitorId};

use super::super::{
    ArmRow, LookRow, PastRow, Result, RollUp, RollUpStore, RolledUp, SHARED, UnitRow, late_key,
};
use super::MemoryStore;

#[async_trait]
impl RollUpStore for MemoryStore {
    async fn units(&self, units: &BTreeSet<VisitorId>) -> Result<Vec<UnitRow>> {
        Ok(self.state.lock().await.units.values().filter(|row| units.contains(&row.unit)).cloned().collect())
    }

    async fn rolled_up(&self) -> Result<RolledUp> {
        Ok(self.state.lock().await.rolled_up(|_| true))
    }

    async fn arms(&self, experiment: &str) -> Result<RolledUp> {
        let of_late = late_key(experiment, "");
        let is_of = |arm: &ArmRow| arm.experiment == experiment || arm.experiment.starts_with(&of_late);
        Ok(self.state.lock().await.rolled_up(is_of))
    }

    async fn whole_arms(&self) -> Result<RolledUp> {
        Ok(self.state.lock().await.rolled_up(|arm| arm.segment.is_empty()))
    }

    async fn shared_arms(&self) -> Result<RolledUp> {
        Ok(self.state.lock().await.rolled_up(|arm| arm.segment.starts_with(SHARED)))
    }

    async fn pasts(&self, units: &BTreeSet<VisitorId>, until: u64) -> Result<Vec<PastRow>> {
        let is_asked_for = |row: &&PastRow| units.contains(&row.unit) && row.position <= until;
        Ok(self.state.lock().await.pasts.values().filter(is_asked_for).cloned().collect())
    }

    async fn people(
        &self,
        visitors: &BTreeSet<VisitorId>,
        until: u64,
    ) -> Result<BTreeMap<VisitorId, VisitorId>> {
        let state = self.state.lock().await;
        let known = |visitor: &VisitorId| {
            let row = state.known_as.get(visitor).filter(|row| row.position <= until)?;
            Some((visitor.clone(), row.unit.clone()))
        };
        Ok(visitors.iter().filter_map(known).collect())
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

    async fn looks_of(&self, experiments: &[&str]) -> Result<Vec<LookRow>> {
        let is_asked_for = |row: &&LookRow| experiments.contains(&row.experiment.as_str());
        Ok(self.state.lock().await.looks.values().filter(is_asked_for).cloned().collect())
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
