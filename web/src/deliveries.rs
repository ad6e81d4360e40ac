//! What leaves the shop because of an event: at least once, with retries, a log and dead letters.
//!
//! A sink is somewhere that events go: the mail, or the endpoint of a webhook. A [`Courier`](courier::Courier) reads the outbox for one sink
//! and hands what the sink wants to its [`Carrier`]. First tries go out in the order of the events; what fails waits for
//! its next try aside and keeps nothing behind it. Only the process that holds the sink's lease delivers, and whatever
//! a crash leaves unsaid is delivered again: receivers know doubles by the event's id.

pub mod courier;
pub mod lease;
pub mod schedule;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::store::{DeliveryCounts, OutboxEvent};

/// Is what became of one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrived.
    Delivered {
        /// The receiver's status, where it has such a thing.
        status: Option<u16>,
    },
    /// There is nothing to deliver after all.
    Nothing,
    /// It failed, and may go better later.
    Later {
        /// The receiver's status.
        status: Option<u16>,
        /// What went wrong.
        why: String,
        /// How long the receiver asks to be left alone.
        not_before: Option<Duration>,
    },
    /// It failed for good: a dead letter.
    Never {
        /// The receiver's status.
        status: Option<u16>,
        /// What went wrong.
        why: String,
    },
}

impl Fate {
    /// Returns a failure that may go better later, without a status.
    pub fn later(why: impl Into<String>) -> Self {
        Self::Later { status: None, why: why.into(), not_before: None }
    }

    /// Returns a failure for good, without a status.
    pub fn never(why: impl Into<String>) -> Self {
        Self::Never { status: None, why: why.into() }
    }
}

/// Carries events to one sink.
#[async_trait]
pub trait Carrier: Send + Sync {
    /// Names the kind of sink in the metrics: one of [`metrics::SINKS`](crate::metrics::SINKS).
    fn kind(&self) -> &'static str;

    /// Reports whether the sink wants an event, by what stands on its outside.
    fn wants(&self, event: &OutboxEvent) -> bool;

    /// Hears how many deliveries of the sink are open, and how many events it has yet to read.
    fn counted(&self, open: DeliveryCounts, lag: u64);

    /// Tries once. A try that takes too long is given up by the courier.
    async fn carry(&self, event: &OutboxEvent) -> Fate;
}

#[async_trait]
impl<C: Carrier> Carrier for Arc<C> {
    fn kind(&self) -> &'static str {
        self.as_ref().kind()
    }

    fn wants(&self, event: &OutboxEvent) -> bool {
        self.as_ref().wants(event)
    }

    fn counted(&self, open: DeliveryCounts, lag: u64) {
        self.as_ref().counted(open, lag);
    }

    async fn carry(&self, event: &OutboxEvent) -> Fate {
        self.as_ref().carry(event).await
    }
}
