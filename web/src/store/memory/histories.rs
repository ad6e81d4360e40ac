//! What units say of their histories.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use cart_core::VisitorId;

use super::{
    super::{History, HistoryStore, HistoryWish, Result},
    MemoryStore,
};

#[async_trait]
impl HistoryStore for MemoryStore {
    async fn histories(&self, units: &BTreeSet<VisitorId>) -> Result<BTreeMap<VisitorId, History>> {
        let histories = &self.state.lock().await.histories;
        Ok(units.iter().filter_map(|unit| Some((unit.clone(), *histories.get(unit)?))).collect())
    }

    async fn say_of_history(&self, unit: &VisitorId, wish: HistoryWish, at_ms: i64) -> Result<bool> {
        let mut state = self.state.lock().await;
        let before = state.histories.get(unit).copied().unwrap_or_default();
        let Some(next) = before.after(wish, at_ms) else { return Ok(false) };
        state.histories.insert(unit.clone(), next);
        state.append(wish.event(unit, at_ms).to_write());
        Ok(true)
    }
}
