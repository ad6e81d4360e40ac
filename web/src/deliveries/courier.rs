//! The courier of one sink: reads, hands over, notes what came of it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use tokio::time::{sleep, timeout};

use super::{Carrier, Fate, schedule::Schedule};
use crate::{
    clock,
    events::window::READ_EVENTS_MAX,
    metrics,
    store::{
        CursorMove, Delivery, DeliveryCounts, DeliveryState, DeliveryStep, Forgetting, OutboxEvent, Result,
        Store, TRIES_MAX, Try,
    },
};

/// How often an idle courier looks.
const IDLE: Duration = Duration::from_millis(250);
/// How long a courier waits whose store failed.
const PAUSE: Duration = Duration::from_secs(2);
/// How long a try may take, whatever the carrier's own limits are.
const TRY_MAX: Duration = Duration::from_secs(60);
/// After so many failures in a row a sink is taken to be away: events wait for it in the outbox, where they cost
/// nothing, and one at a time is tried.
const FAILURES_MAX: u32 = 8;
/// The longest wait between two tries of new events while a sink is away.
const AWAY_MAX: Duration = Duration::from_secs(60);
/// With so many deliveries waiting for another try, a sink is sent nothing new.
const WAITING_MAX: u64 = 1_000;
/// How often old deliveries are forgotten and the rest are counted.
const SWEEP: Duration = Duration::from_secs(10);
/// Where counting what is unread stops.
const LAG_MAX: u64 = 10_000;
const DAY_MS: i64 = 86_400_000;
/// How long arrived deliveries stay in the log, in days; long enough to look into last week's complaint.
pub const DELIVERED_DAYS: i64 = 7;
/// How long dead letters stay, in days.
pub const DEAD_DAYS: i64 = 30;
/// The most arrived deliveries of a sink in the log.
pub const LOG_MAX: usize = 100_000;
/// The longest reason that is kept of a failure, in bytes.
const WHY_BYTES_MAX: usize = 500;

/// Says how a courier works.
#[derive(Clone, Debug)]
pub struct Manner {
    /// The waits between tries.
    pub schedule: Schedule,
    /// Tries under way at once.
    pub at_once: usize,
    /// New events between two commits: after a crash so many may be delivered twice.
    pub batch: usize,
}

/// Delivers to one sink.
pub struct Courier<C: Carrier> {
    store: Arc<dyn Store>,
    sink: String,
    carrier: C,
    manner: Manner,
    failures: u32,
    has_delivered: bool,
    /// New events are not tried before.
    away_until: Instant,
    swept: Option<Instant>,
    waiting: u64,
}

impl<C: Carrier> Courier<C> {
    /// Returns the courier of a sink, whose cursor has the sink's name.
    pub fn new(store: Arc<dyn Store>, sink: impl Into<String>, carrier: C, manner: Manner) -> Self {
        Self {
            store,
            sink: sink.into(),
            carrier,
            manner,
            failures: 0,
            has_delivered: false,
            away_until: Instant::now(),
            swept: None,
            waiting: 0,
        }
    }

    /// Works for ever.
    pub async fn work(mut self) {
        loop {
            let pause = match self.round().await {
                Ok(0) => IDLE,
                Ok(_) => Duration::ZERO,
                Err(error) => {
                    tracing::warn!(sink = self.sink, %error, "a courier pauses");
                    PAUSE
                }
            };
            sleep(pause).await;
        }
    }

    /// Returns how many tries failed in a row, up to now.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Reports whether the last try arrived.
    pub fn has_delivered(&self) -> bool {
        self.has_delivered
    }

    /// Looks once after what waits and what is new; returns how many events it looked at.
    ///
    /// # Errors
    /// What the store says; what was delivered and not noted is delivered again.
    pub async fn round(&mut self) -> Result<usize> {
        self.sweep().await?;
        let due = self.store.due_deliveries(&self.sink, clock::now_ms(), self.manner.batch).await?;
        let mut seen = self.deliver(due, None).await?;
        let is_away = self.failures >= FAILURES_MAX;
        if self.waiting < WAITING_MAX && (!is_away || Instant::now() >= self.away_until) {
            let batch = if is_away { 1 } else { self.manner.batch };
            let reader = self.sink.clone();
            seen += self.read_on(&reader, batch, |_| true).await?;
        }
        Ok(seen)
    }

    /// Goes on with a replay of the past: sends again what `is_meant` of the events behind another cursor; returns
    /// how many events it looked at. While the sink is away it waits.
    ///
    /// # Errors
    /// What the store says.
    pub async fn replay(
        &mut self,
        reader: &str,
        is_meant: impl Fn(&OutboxEvent) -> bool + Send,
    ) -> Result<usize> {
        if self.failures > 0 || self.waiting >= WAITING_MAX {
            return Ok(0);
        }
        self.read_on(reader, self.manner.batch, is_meant).await
    }

    async fn read_on(
        &mut self,
        reader: &str,
        batch: usize,
        is_meant: impl Fn(&OutboxEvent) -> bool + Send,
    ) -> Result<usize> {
        let from = self.store.cursor(reader).await?;
        let (mut to, mut seen) = (from, 0);
        let mut wanted = vec![];
        for event in self.store.outbox_after(from, READ_EVENTS_MAX).await? {
            let is_wanted = self.carrier.wants(&event) && is_meant(&event);
            if is_wanted && wanted.len() == batch {
                break;
            }
            to = event.position;
            seen += 1;
            if is_wanted {
                wanted.push((self.first(&event), event));
            }
        }
        if to == from {
            return Ok(0);
        }
        let moved = CursorMove { reader: reader.to_owned(), from, to };
        self.deliver(wanted, Some(moved)).await?;
        Ok(seen)
    }

    fn first(&self, event: &OutboxEvent) -> Delivery {
        Delivery {
            sink: self.sink.clone(),
            position: event.position,
            event: event.id,
            kind: event.kind.clone(),
            state: DeliveryState::Waiting,
            attempts: 0,
            due_at_ms: Some(0),
            changed_at_ms: 0,
            tries: vec![],
        }
    }

    async fn deliver(
        &mut self,
        deliveries: Vec<(Delivery, OutboxEvent)>,
        moved: Option<CursorMove>,
    ) -> Result<usize> {
        if deliveries.is_empty() && moved.is_none() {
            return Ok(0);
        }
        let carrier = &self.carrier;
        let tried: Vec<_> = stream::iter(deliveries)
            .map(|(delivery, event)| async move {
                let (at_ms, began) = (clock::now_ms(), Instant::now());
                let fate = timeout(TRY_MAX, carrier.carry(&event)).await;
                let fate = fate.unwrap_or_else(|_| Fate::later("no answer within a minute"));
                (delivery, fate, at_ms, began.elapsed())
            })
            .buffered(self.manner.at_once)
            .collect()
            .await;
        let count = tried.len();
        let mut rows = vec![];
        for (delivery, fate, at_ms, took) in tried {
            self.count(&fate, took);
            rows.push(self.after(delivery, fate, at_ms, took));
        }
        self.store.save_deliveries(&DeliveryStep { moved, deliveries: rows }).await?;
        Ok(count)
    }

    fn count(&mut self, fate: &Fate, took: Duration) {
        let is_failure = matches!(fate, Fate::Later { .. });
        self.has_delivered = matches!(fate, Fate::Delivered { .. });
        if is_failure {
            self.failures = self.failures.saturating_add(1);
            let doublings = self.failures.saturating_sub(FAILURES_MAX).min(6);
            self.away_until = Instant::now() + Duration::from_secs(1 << doublings).min(AWAY_MAX);
        } else {
            self.failures = 0;
        }
        let outcome = match fate {
            Fate::Delivered { .. } => "delivered",
            Fate::Nothing => "nothing",
            Fate::Later { .. } => "failed",
            Fate::Never { .. } => "dead",
        };
        metrics::delivery(self.carrier.kind(), outcome, took);
    }

    /// Notes what came of a try.
    fn after(&self, mut delivery: Delivery, fate: Fate, at_ms: i64, took: Duration) -> Delivery {
        delivery.attempts += 1;
        let changed_at_ms = at_ms + i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        let (state, status, error, wait) = match fate {
            Fate::Delivered { status } => (DeliveryState::Delivered, status, None, None),
            Fate::Nothing => {
                (DeliveryState::Delivered, None, Some("there was nothing to deliver".into()), None)
            }
            Fate::Never { status, why } => (DeliveryState::Dead, status, Some(why), None),
            Fate::Later { status, why, not_before } => {
                match self.manner.schedule.wait(delivery.attempts, rand::random()) {
                    Some(wait) => {
                        let wait = wait.max(not_before.unwrap_or_default());
                        (DeliveryState::Waiting, status, Some(why), Some(wait))
                    }
                    None => (DeliveryState::Dead, status, Some(why), None),
                }
            }
        };
        if state == DeliveryState::Dead {
            tracing::warn!(sink = self.sink, event = %delivery.event, why = error, "a delivery is given up");
        }
        let due_in = |wait: Duration| {
            changed_at_ms.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
        };
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        delivery.tries.push(Try { at_ms, took_ms, status, error: error.map(shortened) });
        let surplus = delivery.tries.len().saturating_sub(TRIES_MAX);
        delivery.tries.drain(..surplus);
        Delivery { state, due_at_ms: wait.map(due_in), changed_at_ms, ..delivery }
    }

    async fn sweep(&mut self) -> Result<()> {
        // Near its limit the count of what waits must be fresh.
        let is_fresh = self.swept.is_some_and(|at| at.elapsed() < SWEEP) && self.failures == 0;
        if is_fresh {
            return Ok(());
        }
        let is_due = self.swept.is_none_or(|at| at.elapsed() >= SWEEP);
        let counts = self.store.count_deliveries(&self.sink).await?;
        self.waiting = counts.waiting;
        if is_due {
            self.swept = Some(Instant::now());
            let now_ms = clock::now_ms();
            let before = Forgetting {
                delivered_before_ms: now_ms - DELIVERED_DAYS * DAY_MS,
                other_before_ms: now_ms - DEAD_DAYS * DAY_MS,
                keep: LOG_MAX,
            };
            self.store.forget_deliveries(&self.sink, &before).await?;
            self.carrier.counted(counts, self.store.outbox_lag(&self.sink, LAG_MAX).await?);
        }
        Ok(())
    }
}

impl<C: Carrier> Drop for Courier<C> {
    /// Whoever goes on with the sink counts from now on.
    fn drop(&mut self) {
        self.carrier.counted(DeliveryCounts::default(), 0);
    }
}

/// Cuts a text where it is too long to keep, between two characters.
fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(WHY_BYTES_MAX));
    text
}
