//! How many streams of flags are open, and their common end.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::watch;

use crate::metrics;

/// Most streams of one process: each is a socket and a few kilobytes, and a change is written to all of them within a
/// second. Further clients are asked to poll.
pub const STREAMS_MAX: usize = 10_000;

/// Counts the open streams, and tells them when the server goes.
#[derive(Debug, Default)]
pub struct Streams {
    open: AtomicUsize,
    draining: watch::Sender<bool>,
}

impl Streams {
    /// Takes a place for a stream; `None` where all are taken or the server goes.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Place> {
        let one_more = |open: usize| (open < STREAMS_MAX).then_some(open + 1);
        if *self.draining.borrow() {
            return None;
        }
        self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        metrics::flag_streams(1);
        Some(Place { streams: self.clone(), draining: self.draining.subscribe() })
    }

    /// Ends all streams: their clients come back to another process.
    pub fn drain(&self) {
        self.draining.send_replace(true);
    }
}

/// Is the place of one stream, given back when it ends.
#[derive(Debug)]
pub(super) struct Place {
    streams: Arc<Streams>,
    draining: watch::Receiver<bool>,
}

impl Place {
    /// Waits until the server goes.
    pub(super) async fn drained(&mut self) {
        // Where nobody can tell any more, the server has gone.
        let _ = self.draining.wait_for(|is_draining| *is_draining).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.streams.open.fetch_sub(1, Ordering::Relaxed);
        metrics::flag_streams(-1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn places_are_given_back_and_end_together() {
        let streams = Arc::new(Streams::default());
        let mut places: Vec<Place> = (0..STREAMS_MAX).filter_map(|_| streams.enter()).collect();
        assert_eq!(places.len(), STREAMS_MAX);
        assert!(streams.enter().is_none(), "all places are taken");
        drop(places.pop());
        let mut last = streams.enter().unwrap();
        streams.drain();
        last.drained().await;
        drop(places);
        assert!(streams.enter().is_none(), "nobody enters a server that goes");
    }
}
