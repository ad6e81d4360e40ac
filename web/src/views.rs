//! What shoppers look at: noted in passing, gathered, and written a few times a second.
//!
//! No page waits for a view to be written, and none fails for it. Views wait in a bounded queue; one writer a node appends what
//! has gathered to the outbox in one transaction. A process that is killed loses what waited, [`GATHER`] of views; one that is told
//! to stop loses nothing. Where the store is away views wait until the queue is full, and are dropped and counted from then on.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Mutex,
    time::Duration,
};

use cart_core::{Sku, VisitorId};

use crate::{
    metrics,
    store::{self, Because, History, HistoryWish, Store, TrackedEvent},
    throttle::Allowance,
    trails::{Act, Step, Trails},
    visitor::Visitor,
};

/// How long views gather before they are written: so long, at the most, is what a killed process loses.
pub const GATHER: Duration = Duration::from_millis(100);
/// The most views that wait: ten seconds of a thousand a second, while the store is away; some 200 bytes each.
pub const WAITING_MAX: usize = 10_000;
/// The most views of one transaction, so that none holds up the carts beside it.
const WRITTEN_MAX: usize = 1_000;
/// How many views of one visitor are noted in [`UNIT_SECONDS`]; who looks at more is no shopper.
const UNIT_VIEWS: u32 = 120;
const UNIT_SECONDS: u32 = 60;
/// How long the writer waits that failed.
const FAILED: Duration = Duration::from_secs(1);

/// Says where a product was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// On the storefront's page.
    Page,
    /// Elsewhere: a program told of it by the API.
    Api,
    /// As [`Source::Api`], by a channel.
    Channel,
}

impl Source {
    fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Api => "api",
            Self::Channel => "channel",
        }
    }
}

/// Says why a view is not noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeftOut {
    /// The visitor does not want it.
    #[error("the visitor declined that a history is kept, or their browser did (Sec-GPC, DNT)")]
    Declined,
    /// No shopper looked: a robot, the shop's own people, or a browser that fetches ahead.
    #[error(
        "no shopper looked: this is a robot, one of the shop's own people, or a page that was fetched ahead"
    )]
    NoShopper,
    /// The visitor looked at more than anybody can.
    #[error("more than {UNIT_VIEWS} views in {UNIT_SECONDS} seconds are nobody's")]
    TooMany,
    /// The queue is full.
    #[error("the shop is behind with its notes; this one is dropped")]
    Full,
}

impl LeftOut {
    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::NoShopper => "no_shopper",
            Self::TooMany => "too_many",
            Self::Full => "full",
        }
    }
}

/// Is what waits to be written.
#[derive(Clone, Debug)]
enum Note {
    Viewed {
        unit: VisitorId,
        sku: Sku,
        source: Source,
        at_ms: i64,
    },
    /// A browser asked not to be followed; the shop's batch is to know of it, as carts of the unit are in the outbox.
    Declined {
        unit: VisitorId,
        because: Because,
        at_ms: i64,
    },
}

impl Note {
    fn unit(&self) -> &VisitorId {
        match self {
            Self::Viewed { unit, .. } | Self::Declined { unit, .. } => unit,
        }
    }
}

/// Gathers views and writes them.
pub struct Views {
    waiting: Mutex<VecDeque<Note>>,
    of_unit: Allowance,
    /// One writer at a time, so that what it has written is what stands first.
    writing: tokio::sync::Mutex<()>,
}

impl Default for Views {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            of_unit: Allowance::new("view", UNIT_VIEWS, UNIT_SECONDS),
            writing: tokio::sync::Mutex::default(),
        }
    }
}

impl Views {
    /// Notes that a visitor looked at a product, unless they are no shopper or do not want it.
    ///
    /// # Errors
    /// [`LeftOut`].
    pub fn note(&self, visitor: &Visitor, sku: Sku, source: Source, at_ms: i64) -> Result<(), LeftOut> {
        let noted = self.admit(visitor, sku, source, at_ms);
        metrics::view(match noted {
            Ok(()) => "noted",
            Err(left_out) => left_out.name(),
        });
        noted
    }

    fn admit(&self, visitor: &Visitor, sku: Sku, source: Source, at_ms: i64) -> Result<(), LeftOut> {
        let unit = visitor.unit().clone();
        let circumstances = &visitor.circumstances;
        if circumstances.excluded().is_some() || circumstances.is_fetching_ahead {
            return Err(LeftOut::NoShopper);
        }
        if !self.of_unit.admits(&unit.as_str()) {
            return Err(LeftOut::TooMany);
        }
        match circumstances.declined {
            None => self.push(Note::Viewed { unit, sku, source, at_ms }),
            Some(because) => {
                // Of who was never here before there is nothing yet to be left out.
                if visitor.new_token().is_none() {
                    self.push(Note::Declined { unit, because, at_ms })?;
                }
                Err(LeftOut::Declined)
            }
        }
    }

    fn push(&self, note: Note) -> Result<(), LeftOut> {
        let mut waiting = self.waiting();
        if waiting.len() >= WAITING_MAX {
            return Err(LeftOut::Full);
        }
        waiting.push_back(note);
        Ok(())
    }

    /// Writes what waits, but what its units do not want; then the trails of this node know of it.
    ///
    /// # Errors
    /// What the store says; all that was not written waits on. Where the store does not know whether it wrote, the same views
    /// may come twice.
    pub async fn flush(&self, store: &dyn Store, trails: &Trails) -> store::Result<()> {
        let _alone = self.writing.lock().await;
        loop {
            let notes: Vec<Note> = self.waiting().iter().take(WRITTEN_MAX).cloned().collect();
            if notes.is_empty() {
                return Ok(());
            }
            write(store, trails, &notes).await?;
            self.waiting().drain(..notes.len());
        }
    }

    /// Writes for ever.
    pub async fn run(&self, store: &dyn Store, trails: &Trails) {
        loop {
            let pause = match self.flush(store, trails).await {
                Ok(()) => GATHER,
                Err(error) => {
                    tracing::warn!(%error, "what shoppers look at could not be written; it waits");
                    FAILED
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, VecDeque<Note>> {
        self.waiting.lock().expect("no thread panics with the lock held")
    }
}

async fn write(store: &dyn Store, trails: &Trails, notes: &[Note]) -> store::Result<()> {
    let units: BTreeSet<VisitorId> = notes.iter().map(|note| note.unit().clone()).collect();
    let mut histories: BTreeMap<VisitorId, History> = store.histories(&units).await?;
    let (mut events, mut seen) = (vec![], vec![]);
    for note in notes {
        let history = histories.entry(note.unit().clone()).or_default();
        match note {
            Note::Declined { unit, because, at_ms } if history.declined.is_none() => {
                store.say_of_history(unit, HistoryWish::Decline(*because), *at_ms).await?;
                history.declined = Some(*because);
                trails.forget(unit, *at_ms);
            }
            Note::Viewed { unit, sku, source, at_ms } if !history.leaves_out(*at_ms) => {
                events.push(TrackedEvent::viewed(unit, sku, source.as_str(), *at_ms));
                seen.push((unit, Step { sku: sku.clone(), at_ms: *at_ms, act: Act::Viewed }));
            }
            _ => {}
        }
    }
    if !events.is_empty() {
        store.track(&events).await?;
    }
    seen.into_iter().for_each(|(unit, step)| trails.add(unit, step));
    Ok(())
}
