//! The queue of what was seen and clicked: pages lay events into it and never wait; one writer takes what is ready.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::{
    metrics,
    store::{self, Store, TrackedEvent},
};

/// Most events that wait to be written: some seconds of a busy shop. Beyond that they are dropped and counted.
const QUEUE_MAX: usize = 4_096;
/// Most events that are written at once.
const WRITTEN_AT_ONCE: usize = 256;

/// Takes events without waiting.
#[derive(Clone)]
pub struct Journal(mpsc::Sender<TrackedEvent>);

impl Journal {
    /// Opens a journal, and the other end of its queue.
    pub fn open() -> (Self, mpsc::Receiver<TrackedEvent>) {
        let (sender, events) = mpsc::channel(QUEUE_MAX);
        (Self(sender), events)
    }

    /// Lays events into the queue; what finds no room is dropped. Returns how many found room.
    pub fn note(&self, events: Vec<TrackedEvent>) -> usize {
        let all = events.len();
        let noted = events.into_iter().filter(|event| self.0.try_send(event.clone()).is_ok()).count();
        metrics::shelf_events("dropped", all - noted);
        noted
    }
}

/// Writes what comes, for as long as there is a journal. Where the store does not answer, what was taken is dropped: nobody waits
/// for it, and a shop without a store has other worries.
pub async fn write(store: Arc<dyn Store>, mut events: mpsc::Receiver<TrackedEvent>) {
    let mut taken = vec![];
    while events.recv_many(&mut taken, WRITTEN_AT_ONCE).await > 0 {
        match track(&*store, &taken).await {
            Ok(new) => metrics::shelf_events("written", usize::try_from(new).unwrap_or(taken.len())),
            Err(error) => {
                tracing::warn!(%error, "what was seen of shelves could not be written");
                metrics::shelf_events("dropped", taken.len());
            }
        }
        taken.clear();
    }
}

/// Writes events, but of who does not want that a history is kept of what they look at.
async fn track(store: &dyn Store, events: &[TrackedEvent]) -> store::Result<u64> {
    let histories = store.histories(&events.iter().map(|event| event.unit.clone()).collect()).await?;
    let leaves_out = |event: &&TrackedEvent| {
        histories.get(&event.unit).is_some_and(|history| history.leaves_out(event.at_ms))
    };
    let kept: Vec<TrackedEvent> = events.iter().filter(|event| !leaves_out(event)).cloned().collect();
    if kept.is_empty() { Ok(0) } else { store.track(&kept).await }
}
