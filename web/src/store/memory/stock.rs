//! The stock of each location.

use async_trait::async_trait;
use cart_core::Sku;

use super::{
    super::{Result, StockChange, StockOutcome, StockStore},
    MemoryStore,
    state::State,
};

#[async_trait]
impl StockStore for MemoryStore {
    async fn change_stock(&self, changes: &[StockChange]) -> Result<Vec<StockOutcome>> {
        let mut state = self.state.lock().await;
        Ok(changes.iter().map(|change| make(&mut state, change)).collect())
    }

    async fn stock_changes(&self, sku: &Sku, limit: usize) -> Result<Vec<StockChange>> {
        let state = self.state.lock().await;
        let of = state.stock_changes.iter().rev().filter(|change| change.sku == *sku);
        Ok(of.take(limit).cloned().collect())
    }
}

fn make(state: &mut State, change: &StockChange) -> StockOutcome {
    let Some(product) = state.products.get(&change.sku) else { return StockOutcome::UnknownProduct };
    match change.act.rows(&change.sku, &state.stock, product.owed_max_ever()) {
        Err(outcome) => outcome,
        Ok(rows) if rows.is_empty() => StockOutcome::Unchanged,
        Ok(rows) => {
            rows.into_iter().for_each(|(slot, level)| state.stock.insert(slot, level));
            state.stock_changes.push(change.clone());
            StockOutcome::Changed
        }
    }
}
