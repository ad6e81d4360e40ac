//! The queue of what was seen and clicked: pages lay events into it and never wait; one writer takes what is ready.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::{
    metrics,
    store::{self, Store, TrackedEvent},
};

/// Most events that wait to be written: some seconds of a busy shop. Beyond that they are dropped and counted.
const QUEUE_MAX: usize = 4_096;
/// Most events that are written at once.
const WRITTEN_AT_ONCE: usize = 256;

/// How long somebody waits for a click to be written, whose consequences are to be counted as such.
const WRITING_MAX: Duration = Duration::from_millis(250);

/// Takes events without waiting.
#[derive(Clone)]
pub struct Journal(mpsc::Sender<Noted>);

/// Is an event in the queue.
pub struct Noted {
    event: TrackedEvent,
    /// Goes with the event: whoever has the other end sees that it is written, or given up.
    _waits: Option<oneshot::Sender<()>>,
}

impl Journal {
    /// Opens a journal, and the other end of its queue.
    pub fn open() -> (Self, mpsc::Receiver<Noted>) {
        let (sender, events) = mpsc::channel(QUEUE_MAX);
        (Self(sender), events)
    }

    /// Lays events into the queue; what finds no room is dropped. Returns how many found room.
    pub fn note(&self, events: Vec<TrackedEvent>) -> usize {
        let all = events.len();
        let noted = events.into_iter().filter(|event| self.lay(event, None)).count();
        metrics::shelf_events("dropped", all - noted);
        noted
    }

    /// As [`Self::note`], and waits until they are written: what follows from them comes after them in the outbox. A store that
    /// takes long is not waited for.
    pub async fn write_down(&self, mut events: Vec<TrackedEvent>) -> usize {
        let Some(last) = events.pop() else { return 0 };
        let (waits, written) = oneshot::channel();
        let noted = self.note(events);
        if !self.lay(&last, Some(waits)) {
            metrics::shelf_events("dropped", 1);
            return noted;
        }
        // Nothing is ever sent: the other end is dropped.
        let _ = timeout(WRITING_MAX, written).await;
        noted + 1
    }

    fn lay(&self, event: &TrackedEvent, waits: Option<oneshot::Sender<()>>) -> bool {
        self.0.try_send(Noted { event: event.clone(), _waits: waits }).is_ok()
    }
}

/// Writes what comes, for as long as there is a journal. Where the store does not answer, what was taken is dropped: nobody waits
/// for it, and a shop without a store has other worries.
pub async fn write(store: Arc<dyn Store>, mut events: mpsc::Receiver<Noted>) {
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
async fn track(store: &dyn Store, noted: &[Noted]) -> store::Result<u64> {
    let events = || noted.iter().map(|noted| &noted.event);
    let histories = store.histories(&events().map(|event| event.unit.clone()).collect()).await?;
    let leaves_out = |event: &&TrackedEvent| {
        histories.get(&event.unit).is_some_and(|history| history.leaves_out(event.at_ms))
    };
    let kept: Vec<TrackedEvent> = events().filter(|event| !leaves_out(event)).cloned().collect();
    if kept.is_empty() { Ok(0) } else { store.track(&kept).await }
}

#[cfg(test)]
mod tests {
    use cart_core::VisitorId;

    use super::*;
    use crate::store::{OutboxStore, memory::MemoryStore};

    fn click(at_ms: i64) -> TrackedEvent {
        let unit = VisitorId::parse("ada").unwrap();
        TrackedEvent { kind: "shelf_clicked", id: None, unit, at_ms, data: "{}".to_owned() }
    }

    #[actix_web::test]
    async fn what_is_written_down_stands_before_what_follows() {
        let (store, (journal, events)) = (Arc::new(MemoryStore::new()), Journal::open());
        let nobody_writes = journal.write_down(vec![click(0)]).await;
        assert_eq!(nobody_writes, 1, "it waits in the queue, and its visitor no longer for it");
        actix_web::rt::spawn(write(store.clone(), events));
        assert_eq!(journal.write_down(vec![click(1), click(2)]).await, 2);
        assert_eq!(store.outbox_after(0, 9).await.unwrap().len(), 3);
    }
}
