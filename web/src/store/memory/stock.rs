//! The stock of each location.

use async_trait::async_trait;
use cart_core::{Product, Sku};

use super::{
    super::{NotedChange, Result, StockChange, StockOutcome, StockStore, stock::Prepared},
    MemoryStore,
    state::State,
};

#[async_trait]
impl StockStore for MemoryStore {
    async fn change_stock(&self, changes: &[StockChange]) -> Result<Vec<StockOutcome>> {
        let mut state = self.state.lock().await;
        Ok(changes.iter().map(|change| make(&mut state, change)).collect())
    }

    async fn stock_changes(&self, sku: &Sku, limit: usize) -> Result<Vec<NotedChange>> {
        let state = self.state.lock().await;
        let of = state.stock_changes.iter().rev().filter(|noted| noted.change.sku == *sku);
        Ok(of.take(limit).map(unkeyed).collect())
    }

    async fn stock_change(&self, key: &str) -> Result<Option<NotedChange>> {
        let state = self.state.lock().await;
        Ok(of_key(&state, key).map(unkeyed))
    }

    async fn low_stock(&self, at_most: i64, after: Option<&Sku>, limit: usize) -> Result<Vec<Sku>> {
        let state = self.state.lock().await;
        let low = state.stock.iter().filter(|(_, level)| level.free() <= at_most).map(|(slot, _)| &slot.sku);
        let mut low: Vec<Sku> = low.filter(|sku| after.is_none_or(|after| *sku > after)).cloned().collect();
        low.dedup();
        low.truncate(limit);
        Ok(low)
    }
}

fn make(state: &mut State, change: &StockChange) -> StockOutcome {
    let owed_max = state.products.get(&change.sku).map(Product::owed_max_ever);
    let noted = change.key.as_deref().and_then(|key| of_key(state, key));
    let Prepared { outcome, rows, note, event } = Prepared::of(change, &state.stock, owed_max, noted);
    rows.into_iter().for_each(|(slot, level)| state.stock.insert(slot, level));
    state.stock_changes.extend(note);
    event.into_iter().for_each(|event| state.append(event));
    outcome
}

fn of_key<'s>(state: &'s State, key: &str) -> Option<&'s NotedChange> {
    state.stock_changes.iter().find(|noted| noted.change.key.as_deref() == Some(key))
}

/// Returns a change as tables give it back: they keep its key in a column of its own.
fn unkeyed(noted: &NotedChange) -> NotedChange {
    NotedChange { change: StockChange { key: None, ..noted.change.clone() }, ..noted.clone() }
}
