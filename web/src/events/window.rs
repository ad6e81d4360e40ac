//! What the readers of a process have read last: they want the same events one after the other, and the store is asked once.

use std::{ops::Deref, sync::Arc};

use tokio::sync::Mutex;

use crate::store::{OutboxEvent, Result, Store};

/// The most events a reader takes at once.
pub const READ_EVENTS_MAX: usize = 2_000;

/// Holds the stretch of the outbox that was read last; its clones share it.
#[derive(Clone, Debug, Default)]
pub struct Window(Arc<Mutex<Stretch>>);

/// Is a stretch without a gap: all events between two positions.
#[derive(Clone, Debug, Default)]
struct Stretch {
    after: u64,
    events: Arc<[OutboxEvent]>,
}

/// Is what a reader takes of a stretch: its end.
#[derive(Debug)]
pub struct Taken {
    events: Arc<[OutboxEvent]>,
    begin: usize,
    /// Tells whether the outbox may have more by now, however little this is.
    pub is_full: bool,
}

impl Deref for Taken {
    type Target = [OutboxEvent];

    fn deref(&self) -> &Self::Target {
        &self.events[self.begin..]
    }
}

impl Window {
    /// Returns events after a position, in order: what is known of them, and where nothing is, what the store has. So they
    /// are [`READ_EVENTS_MAX`] at most, and fewer than the store has where another reader has just looked.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn after(&self, store: &dyn Store, position: u64) -> Result<Taken> {
        // Who comes meanwhile waits, and then needs not ask.
        let mut stretch = self.0.lock().await;
        let is_known =
            stretch.after <= position && stretch.events.last().is_some_and(|e| position < e.position);
        if !is_known {
            let events = store.outbox_after(position, READ_EVENTS_MAX).await?.into();
            *stretch = Stretch { after: position, events };
        }
        let events = stretch.events.clone();
        let begin = events.partition_point(|event| event.position <= position);
        Ok(Taken { begin, is_full: events.len() == READ_EVENTS_MAX, events })
    }
}

#[cfg(test)]
mod tests {
    use cart_core::VisitorId;

    use super::*;
    use crate::store::{ExperimentStore, TrackedEvent, memory::MemoryStore};

    #[tokio::test]
    async fn what_one_reader_read_the_others_get() {
        let (store, window) = (MemoryStore::new(), Window::default());
        let add = async |count: usize| {
            let unit = VisitorId::parse("ada").unwrap();
            let event =
                TrackedEvent { kind: "shelf_clicked", id: None, unit, at_ms: 0, data: "{}".to_owned() };
            store.track(&vec![event; count]).await.unwrap();
        };
        let positions = |taken: &Taken| taken.iter().map(|event| event.position).collect::<Vec<_>>();
        assert!(window.after(&store, 0).await.unwrap().is_empty(), "an empty outbox");

        add(3).await;
        let first = window.after(&store, 0).await.unwrap();
        let all = positions(&first);
        assert_eq!((all.len(), first.is_full), (3, false));
        add(1).await;
        let second = window.after(&store, all[0]).await.unwrap();
        assert_eq!(positions(&second), all[1..], "who is further gets the end");
        assert!(Arc::ptr_eq(&first.events, &second.events), "the store was asked once");

        let third = window.after(&store, all[2]).await.unwrap();
        assert_eq!(third.len(), 1, "who has all of it asks the store");
        let before = window.after(&store, all[1]).await.unwrap();
        assert_eq!(
            positions(&before),
            [&all[2..], &positions(&third)].concat(),
            "and who needs what came before"
        );

        add(READ_EVENTS_MAX).await;
        let last = before.last().unwrap().position;
        assert!(window.after(&store, last).await.unwrap().is_full);
        let rest = window.after(&store, last + READ_EVENTS_MAX as u64 - 1).await.unwrap();
        assert_eq!((rest.len(), rest.is_full), (1, true), "there may be more, however little is left of it");
    }
}
