//! Outbox.

use async_trait::async_trait;

use super::super::{OutboxEvent, OutboxStore, Place, Result};
use super::MemoryStore;

#[async_trait]
impl OutboxStore for MemoryStore {
    async fn outbox_after(&self, position: u64, limit: usize) -> Result<Vec<OutboxEvent>> {
        let state = self.state.lock().await;
        Ok(state.outbox.iter().filter(|e| e.position > position).take(limit).cloned().collect())
    }

    async fn outbox_through(
        &self,
        kinds: &[&str],
        position: u64,
        through: usize,
        limit: usize,
    ) -> Result<(Vec<OutboxEvent>, u64)> {
        let state = self.state.lock().await;
        let mut events = vec![];
        let mut looked = position;
        for event in state.outbox.iter().filter(|e| e.position > position).take(through) {
            if events.len() == limit {
                break;
            }
            looked = event.position;
            events.extend(kinds.contains(&event.kind.as_str()).then(|| event.clone()));
        }
        Ok((events, looked))
    }

    async fn outbox_of(
        &self,
        kinds: &[&str],
        place: Place,
        limit: usize,
    ) -> Result<(Vec<OutboxEvent>, Place)> {
        let state = self.state.lock().await;
        let end = state.outbox.last().map_or(0, |e| e.position);
        let wanted = |e: &&OutboxEvent| e.position > place.settled && kinds.contains(&e.kind.as_str());
        let events: Vec<OutboxEvent> = state.outbox.iter().filter(wanted).take(limit).cloned().collect();
        let place = place.after(end, events.last().map(|event| event.position), events.len() < limit);
        Ok((events, place))
    }

    async fn outbox_before(&self, newest: u64) -> Result<u64> {
        let state = self.state.lock().await;
        let skipped = usize::try_from(newest).unwrap_or(usize::MAX);
        Ok(state.outbox.iter().rev().nth(skipped).map_or(0, |e| e.position))
    }

    async fn cursor(&self, reader: &str) -> Result<u64> {
        Ok(self.state.lock().await.cursor(reader))
    }

    async fn set_cursor(&self, reader: &str, position: u64) -> Result<()> {
        self.state.lock().await.cursors.insert(reader.to_owned(), position);
        Ok(())
    }

    async fn lease(&self, reader: &str, process: &str, now_ms: i64, until_ms: i64) -> Result<bool> {
        let mut state = self.state.lock().await;
        let is_free =
            state.leases.get(reader).is_none_or(|(holder, until)| holder == process || *until <= now_ms);
        if is_free {
            state.leases.insert(reader.to_owned(), (process.to_owned(), until_ms));
        }
        Ok(is_free)
    }

    async fn outbox_lag(&self, reader: &str, at_most: u64) -> Result<u64> {
        let state = self.state.lock().await;
        let at = state.cursor(reader);
        Ok((state.outbox.iter().filter(|e| e.position > at).count() as u64).min(at_most))
    }
}
