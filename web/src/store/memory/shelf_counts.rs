//! What is derived from the events about shelves.

use std::collections::BTreeSet;

use async_trait::async_trait;
use cart_core::VisitorId;

use super::super::{
    Result, ShelfClick, ShelfCountStore, ShelfCounts, ShelfDuel, ShelfStep, StoreError, readers,
};
use super::MemoryStore;

#[async_trait]
impl ShelfCountStore for MemoryStore {
    async fn shelf_clicks(&self, units: &BTreeSet<VisitorId>) -> Result<Vec<ShelfClick>> {
        let state = self.state.lock().await;
        Ok(state.shelf_clicks.values().filter(|click| units.contains(&click.unit)).cloned().collect())
    }

    async fn shelf_duels(&self, showings: &BTreeSet<String>) -> Result<Vec<ShelfDuel>> {
        let state = self.state.lock().await;
        Ok(showings.iter().filter_map(|showing| state.shelf_duels.get(showing).cloned()).collect())
    }

    async fn shelf_counts(&self, from_day: i64, to_day: i64) -> Result<ShelfCounts> {
        let mut counts = ShelfCounts::new();
        for ((day, of), count) in &self.state.lock().await.shelf_counts {
            if (from_day..=to_day).contains(day) {
                *counts.entry(of.clone()).or_default() += count;
            }
        }
        Ok(counts)
    }

    async fn save_shelf_step(&self, step: &ShelfStep) -> Result<()> {
        let mut state = self.state.lock().await;
        let at = state.cursor(readers::SHELVES);
        if at != step.from {
            return Err(StoreError::Conflict(format!(
                "the shelves' counts are at {at}, not at {}",
                step.from
            )));
        }
        state.shelf_clicks.retain(|(unit, _), _| !step.gone.contains(unit));
        for click in &step.clicks {
            state.shelf_clicks.insert((click.unit.clone(), click.sku.clone()), click.clone());
        }
        for duel in &step.duels {
            state.shelf_duels.insert(duel.showing.clone(), duel.clone());
        }
        for (of, more) in &step.counts {
            *state.shelf_counts.entry(of.clone()).or_default() += more;
        }
        state.shelf_clicks.retain(|_, click| click.at_ms >= step.forget_before_ms);
        state.shelf_duels.retain(|_, duel| duel.at_ms >= step.forget_before_ms);
        state.cursors.insert(readers::SHELVES.to_owned(), step.to);
        Ok(())
    }

    async fn reset_shelf_counts(&self) -> Result<()> {
        let mut state = self.state.lock().await;
        state.shelf_clicks.clear();
        state.shelf_duels.clear();
        state.shelf_counts.clear();
        state.cursors.insert(readers::SHELVES.to_owned(), 0);
        Ok(())
    }
}
