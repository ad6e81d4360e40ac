//! Many shoppers at once: never more than the shop is meant to bear.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, sleep_until};

use super::{
    plan::{Effect, Plan},
    shopper,
    site::Site,
    summary::Summary,
};

/// The most shoppers at once: in the demo each may hold both ends of a connection and of a websocket, and a process has
/// 1,024 handles.
pub const AT_ONCE_MAX: u16 = 200;
/// The most shoppers of a run: a day's work of a fast machine.
pub const SHOPPERS_MAX: u64 = 10_000_000;
/// The longest a run may be spread: a day.
pub const SECONDS_MAX: u64 = 86_400;

/// Says how many come at once, and how fast.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The most shoppers at once.
    pub at_once: u16,
    /// Spreads their arrivals over so long; zero sends the next one as soon as another has left.
    pub spread: Duration,
}

/// Is a shopper to come.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// When, as a fraction of the spread, from 0 to 1; later ones never come before earlier ones.
    pub at: f64,
    /// What they will do.
    pub plan: Plan,
}

/// Sends shoppers in order; ticks with each who has left; returns what all of them did.
pub async fn send(
    site: &Site,
    arrivals: impl Iterator<Item = Arrival>,
    effect: Effect,
    pace: Pace,
    tick: impl Fn(),
) -> Summary {
    let (began, site) = (Instant::now(), Arc::new(site.clone()));
    let visits = stream::iter(arrivals).map(|Arrival { at, plan }| {
        let site = site.clone();
        // A task of its own each, so that all cores share the crowd's work.
        tokio::spawn(async move {
            sleep_until(began + pace.spread.mul_f64(at.clamp(0.0, 1.0))).await;
            shopper::send(&site, &plan, &effect).await
        })
    });
    let mut visits = visits.buffer_unordered(usize::from(pace.at_once.max(1)));
    let mut all = Summary::default();
    while let Some(visit) = visits.next().await {
        tick();
        match visit {
            Ok(summary) => all.add(summary),
            // A shopper who panicked is a defect of the simulation; the count must not hide it.
            Err(_) => all.error("shopper_fell_over"),
        }
    }
    all.seconds = began.elapsed().as_secs_f64();
    all
}
