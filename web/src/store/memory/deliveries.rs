//! Deliveries.

use std::cmp::Reverse;

use async_trait::async_trait;

use super::{
    super::{
        Delivery, DeliveryCounts, DeliveryQuery, DeliveryState, DeliveryStep, DeliveryStore, Forgetting,
        OutboxEvent, Result, StoreError, TRIES_MAX,
    },
    MemoryStore,
};

#[async_trait]
impl DeliveryStore for MemoryStore {
    async fn begin_cursor(&self, reader: &str) -> Result<()> {
        let mut state = self.state.lock().await;
        let end = state.outbox.last().map_or(0, |event| event.position);
        state.cursors.entry(reader.to_owned()).or_insert(end);
        Ok(())
    }

    async fn save_deliveries(&self, step: &DeliveryStep) -> Result<()> {
        let mut state = self.state.lock().await;
        if let Some(moved) = &step.moved {
            let at = state.cursor(&moved.reader);
            if at != moved.from {
                return Err(StoreError::Conflict(format!(
                    "{} is at {at}, not at {}",
                    moved.reader, moved.from
                )));
            }
            assert!(moved.to >= at, "{} goes back from {at} to {}", moved.reader, moved.to);
            state.cursors.insert(moved.reader.clone(), moved.to);
        }
        for delivery in &step.deliveries {
            let Delivery { sink, position, state: at, due_at_ms, tries, .. } = delivery;
            assert_eq!(due_at_ms.is_some(), *at == DeliveryState::Waiting, "{sink} {position} is {at:?}");
            assert!(tries.len() <= TRIES_MAX, "{sink} {position} keeps {} tries", tries.len());
            let is_event = state.outbox.iter().any(|event| event.position == *position);
            assert!(is_event, "{sink} {position} is no event");
            state.deliveries.insert((sink.clone(), *position), delivery.clone());
        }
        Ok(())
    }

    async fn due_deliveries(
        &self,
        sink: &str,
        now_ms: i64,
        limit: usize,
    ) -> Result<Vec<(Delivery, OutboxEvent)>> {
        let state = self.state.lock().await;
        let is_due = |d: &&Delivery| d.sink == sink && d.due_at_ms.is_some_and(|due| due <= now_ms);
        let mut due: Vec<_> = state.deliveries.values().filter(is_due).cloned().collect();
        due.sort_by_key(|d| d.due_at_ms);
        due.truncate(limit);
        let event = |d: &Delivery| state.outbox.iter().find(|event| event.position == d.position).cloned();
        Ok(due.into_iter().filter_map(|d| event(&d).map(|event| (d, event))).collect())
    }

    async fn deliveries(&self, sink: &str, wanted: &DeliveryQuery) -> Result<Vec<Delivery>> {
        let state = self.state.lock().await;
        let before = wanted.before.unwrap_or((i64::MAX, u64::MAX));
        let is_wanted = |d: &&Delivery| {
            d.sink == sink
                && wanted.state.is_none_or(|state| state == d.state)
                && (d.changed_at_ms, d.position) < before
        };
        let mut found: Vec<_> = state.deliveries.values().filter(is_wanted).cloned().collect();
        found.sort_by_key(|d| Reverse((d.changed_at_ms, d.position)));
        found.truncate(wanted.limit);
        Ok(found)
    }

    async fn count_deliveries(&self, sink: &str) -> Result<DeliveryCounts> {
        let state = self.state.lock().await;
        let count = |at| state.deliveries.values().filter(|d| d.sink == sink && d.state == at).count() as u64;
        Ok(DeliveryCounts { waiting: count(DeliveryState::Waiting), dead: count(DeliveryState::Dead) })
    }

    async fn redeliver(&self, sink: &str, position: Option<u64>, now_ms: i64) -> Result<u64> {
        let mut state = self.state.lock().await;
        let mut count = 0;
        let is_meant = |d: &Delivery| {
            d.sink == sink && position.map_or(d.state == DeliveryState::Dead, |at| at == d.position)
        };
        for delivery in state.deliveries.values_mut().filter(|d| is_meant(d)) {
            (delivery.state, delivery.attempts) = (DeliveryState::Waiting, 0);
            (delivery.due_at_ms, delivery.changed_at_ms) = (Some(now_ms), now_ms);
            count += 1;
        }
        Ok(count)
    }

    async fn forget_deliveries(&self, sink: &str, before: &Forgetting) -> Result<u64> {
        let mut state = self.state.lock().await;
        let mut order: Vec<_> =
            state.deliveries.values().filter(|d| d.sink == sink).map(|d| d.changed_at_ms).collect();
        order.sort_unstable_by_key(|at| Reverse(*at));
        let beyond = order.get(before.keep).map_or(i64::MIN, |at| at + 1);
        let count = state.deliveries.len();
        state.deliveries.retain(|_, d| {
            let before_ms = match d.state {
                DeliveryState::Delivered => before.delivered_before_ms.max(beyond),
                DeliveryState::Waiting | DeliveryState::Dead => before.other_before_ms,
            };
            d.sink != sink || d.changed_at_ms >= before_ms
        });
        Ok((count - state.deliveries.len()) as u64)
    }
}
