//! Follows the outbox from every node, so that each knows what shoppers did at the others.
//!
//! Readers with a lease are one for all nodes and remember how far they came. This one is each node's own and remembers nothing:
//! a node that starts reads the newest part of the outbox again. Nor does it wait for what may still appear before an event, as a
//! backup's long transaction would let it: a trail is the same in whatever order it is told.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use super::{KINDS, Trails, user_of};
use crate::store::{self, KNOWN, Place, Store};

/// How often is looked for what others wrote.
const PAUSE: Duration = Duration::from_millis(200);
/// How long one waits that failed.
const FAILED: Duration = Duration::from_secs(2);
/// The most events that are read at once.
const READ_EVENTS_MAX: usize = 2_000;
/// How far back a node reads that starts, in events of all types: a second or two of reading, some hours of a busy shop.
pub const REFILL_EVENTS: u64 = 200_000;

/// How long what was read ahead is looked through again: a transaction that was overtaken is committed by then.
const OVERTAKEN: Duration = Duration::from_secs(3);

/// How far has been read.
struct Reach {
    place: Place,
    /// Up to where was read ahead at two moments, the earlier first, so that one of them is [`OVERTAKEN`] ago or nearly.
    marks: [(Instant, u64); 2],
    /// From where is looked again: the earlier mark, or where the last reading ended of more than one can tell.
    again: u64,
    /// Whether the last reading told as much as one can: then what comes next is more urgent than what was overtaken.
    is_behind: bool,
}

impl Reach {
    fn new(place: Place) -> Self {
        Self { place, marks: [(Instant::now(), place.ahead); 2], again: place.ahead, is_behind: false }
    }

    /// Returns from where to read: what was read ahead lately once more, for a transaction may have committed behind it.
    fn from(&self) -> Place {
        let ahead = if self.is_behind { self.place.ahead } else { self.again };
        Place { ahead, ..self.place }
    }

    /// Notes the place after a reading, and where it ended if it told as much as one can.
    fn reached(&mut self, place: Place, end: Option<u64>) {
        self.place = Place { ahead: place.ahead.max(self.place.ahead), ..place };
        if self.marks[1].0.elapsed() >= OVERTAKEN {
            self.marks = [self.marks[1], (Instant::now(), self.place.ahead)];
        }
        if !self.is_behind {
            self.again = end.unwrap_or(self.marks[0].1);
        }
        self.is_behind = end.is_some();
    }
}

/// Follows the outbox for ever.
pub async fn run(store: &dyn Store, trails: &Trails) {
    let mut at = None;
    loop {
        let pause = match step(store, trails, &mut at).await {
            Ok(READ_EVENTS_MAX) => Duration::ZERO,
            Ok(_) => PAUSE,
            Err(error) => {
                tracing::warn!(%error, "what shoppers look at on other nodes is not known; looking again");
                FAILED
            }
        };
        tokio::time::sleep(pause).await;
    }
}

async fn step(store: &dyn Store, trails: &Trails, at: &mut Option<Reach>) -> store::Result<usize> {
    let reach = match at {
        Some(reach) => reach,
        None => {
            let settled = store.outbox_before(REFILL_EVENTS).await?;
            at.insert(Reach::new(Place { settled, ahead: 0 }))
        }
    };
    let (events, place) = store.outbox_of(&KINDS, reach.from(), READ_EVENTS_MAX).await?;
    if !events.is_empty() {
        let users = events.iter().filter(|event| event.kind == KNOWN).filter_map(user_of);
        let units = events.iter().map(|event| event.unit.clone());
        let units: BTreeSet<_> = units.chain(users).collect();
        trails.take(&events, &store.histories(&units).await?);
    }
    let end = events.last().filter(|_| events.len() == READ_EVENTS_MAX);
    reach.reached(place, end.map(|event| event.position));
    Ok(events.len())
}
