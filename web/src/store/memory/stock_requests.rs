//! Requests to be told when a product is back in stock.

use std::{cmp::Reverse, collections::BTreeMap};

use async_trait::async_trait;
use cart_core::Sku;

use super::{
    super::{
        DemandQuery, Result, StockDemand, StockRequest, StockRequestStore, StockWave,
        stock_requests::{STOCK_REQUESTS_MAX, TOLD_KEPT_MS, WAVE_TOLD_MAX},
    },
    MemoryStore,
};

/// Returns the place of a request in its queue.
fn place(request: &StockRequest) -> (i64, &str) {
    (request.asked_at_ms, &request.id)
}

#[async_trait]
impl StockRequestStore for MemoryStore {
    async fn ask_for_stock(&self, request: &StockRequest) -> Result<bool> {
        let state = &mut *self.state.lock().await;
        let requests = &mut state.stock_requests;
        let is_same =
            |r: &StockRequest| r.told_at_ms.is_none() && (&r.email, &r.sku) == (&request.email, &request.sku);
        requests.retain(|r| !is_same(r) || r.waits(request.asked_at_ms));
        if let Some(known) = requests.iter_mut().find(|r| is_same(r)) {
            known.ends_at_ms = known.ends_at_ms.max(request.ends_at_ms);
            known.currency = request.currency;
            return Ok(false);
        }
        assert!(requests.iter().all(|r| r.id != request.id), "an id is drawn twice");
        requests.push(request.clone());
        requests.sort_by(|a, b| place(a).cmp(&place(b)));
        let is_theirs = |r: &StockRequest| r.told_at_ms.is_none() && r.email == request.email;
        if requests.iter().filter(|r| is_theirs(r)).count() > STOCK_REQUESTS_MAX {
            let oldest = requests.iter().position(is_theirs).expect("there are many");
            requests.remove(oldest);
        }
        state.append(request.made());
        Ok(true)
    }

    async fn stock_request(&self, id: &str) -> Result<Option<StockRequest>> {
        Ok(self.state.lock().await.stock_requests.iter().find(|r| r.id == id).cloned())
    }

    async fn stock_requests_of(&self, email: &str, now_ms: i64) -> Result<Vec<StockRequest>> {
        let state = self.state.lock().await;
        Ok(state.stock_requests.iter().filter(|r| r.email == email && r.waits(now_ms)).cloned().collect())
    }

    async fn withdraw_stock_requests(&self, email: &str, sku: Option<&Sku>) -> Result<u64> {
        let requests = &mut self.state.lock().await.stock_requests;
        let before = requests.len();
        requests.retain(|r| r.email != email || sku.is_some_and(|sku| r.sku != *sku));
        Ok((before - requests.len()) as u64)
    }

    async fn stock_demand(&self, wanted: &DemandQuery) -> Result<Vec<StockDemand>> {
        let state = self.state.lock().await;
        let mut demand = BTreeMap::<&Sku, StockDemand>::new();
        for request in state.stock_requests.iter().filter(|r| r.waits(wanted.now_ms)) {
            let (sku, oldest_at_ms) = (request.sku.clone(), request.asked_at_ms);
            let of_sku = demand.entry(&request.sku).or_insert(StockDemand { sku, waiting: 0, oldest_at_ms });
            of_sku.waiting += 1;
        }
        let rank = |waiting: u64, sku: &Sku| (Reverse(waiting), sku.clone());
        let after = wanted.after.as_ref().map(|(waiting, sku)| rank(*waiting, sku));
        let is_wanted = |d: &StockDemand| after.as_ref().is_none_or(|after| rank(d.waiting, &d.sku) > *after);
        let mut demand: Vec<_> = demand.into_values().filter(is_wanted).collect();
        demand.sort_by_key(|d| rank(d.waiting, &d.sku));
        demand.truncate(wanted.limit);
        Ok(demand)
    }

    async fn tell_back_in_stock(&self, wave: &StockWave) -> Result<u64> {
        let state = &mut *self.state.lock().await;
        let of_sku = |r: &&mut StockRequest| r.sku == wave.sku;
        let is_told = |r: &&mut StockRequest| r.told_at_ms.is_some_and(|at_ms| at_ms > wave.since_ms);
        let told = state.stock_requests.iter_mut().filter(of_sku).filter(is_told).count() as u64;
        let room = usize::try_from(wave.most.saturating_sub(told)).unwrap_or(usize::MAX).min(WAVE_TOLD_MAX);
        let waiting = state.stock_requests.iter_mut().filter(of_sku).filter(|r| r.waits(wave.at_ms));
        let mut events = vec![];
        for request in waiting.take(room) {
            request.told_at_ms = Some(wave.at_ms);
            request.ends_at_ms = wave.at_ms + TOLD_KEPT_MS;
            events.push(request.told(wave.at_ms));
        }
        let told = events.len() as u64;
        events.into_iter().for_each(|event| state.append(event));
        Ok(told)
    }

    async fn forget_stock_requests(&self, now_ms: i64) -> Result<u64> {
        let requests = &mut self.state.lock().await.stock_requests;
        let before = requests.len();
        requests.retain(|r| r.ends_at_ms > now_ms);
        Ok((before - requests.len()) as u64)
    }
}
