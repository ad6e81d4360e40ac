//! Carts that nobody touches: after some time it is told that they were abandoned, after a longer one they expire.
//!
//! A cart's row says when it is to be looked at. The sweep asks each cart to lapse at the version that the row had, so
//! whatever its shopper does meanwhile comes first, and two sweeps at once note a lapse once.

use std::{sync::Arc, time::Duration};

use cart_core::{Cart, Command, Lapse, Request};
use futures_util::future::join_all;
use tokio::time::{MissedTickBehavior, interval};

use super::Carts;
use crate::{
    clock,
    config::CartsConfig,
    store::{Store, StoreError},
};

/// The lease under which one process at a time sweeps.
pub const LEASE: &str = "idle_carts";
/// The most carts of one round.
const ROUND_MAX: usize = 1_000;
/// Carts that lapse in one turn: few enough that shoppers wait for none of it.
const AT_ONCE: usize = 64;
/// A row's time is rounded up to so many parts of the first wait: a cart that is being filled changes the index of these
/// times rarely, and is noticed by no more than this part later.
const STEPS: i64 = 16;

/// Says how long carts may be left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Until it is told that they were abandoned, in milliseconds; never, where there is none.
    pub abandon_ms: Option<i64>,
    /// Until they expire, in milliseconds; never, where there is none.
    pub expire_ms: Option<i64>,
}

impl Patience {
    /// Reads it from the configuration.
    pub fn of(config: &CartsConfig) -> Self {
        let wait = |seconds: u64| {
            (seconds > 0).then(|| i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX))
        };
        Self { abandon_ms: wait(config.abandon_seconds), expire_ms: wait(config.expire_seconds) }
    }

    /// Returns when a cart that was touched now, or has lapsed now, is to be looked at next.
    pub fn due_ms(&self, cart: &Cart, now_ms: i64) -> Option<i64> {
        if cart.is_closed() {
            return None;
        }
        let wait_ms = match cart.lapse {
            Some(Lapse::Expired) => return None,
            Some(Lapse::Abandoned) => self.expire_ms? - self.abandon_ms.unwrap_or(0),
            None if cart.lines.is_empty() => self.expire_ms?,
            None => self.abandon_ms.or(self.expire_ms)?,
        };
        let step_ms = (self.abandon_ms.or(self.expire_ms)? / STEPS).max(1);
        let due_ms = now_ms.saturating_add(wait_ms.max(0));
        Some(due_ms.div_euclid(step_ms).saturating_add(1).saturating_mul(step_ms))
    }

    /// Reports whether any cart ever lapses.
    pub fn is_limited(&self) -> bool {
        self.abandon_ms.is_some() || self.expire_ms.is_some()
    }
}

/// Sweeps for ever.
pub async fn run(carts: Carts, store: Arc<dyn Store>, patience: Patience, period: Duration) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = sweep(&carts, &*store, patience, clock::now_ms()).await {
            tracing::warn!(%error, "carts that nobody touches could not be looked for");
        }
    }
}

/// Lets carts lapse that are due; returns how many were asked to.
///
/// # Errors
/// What the store says.
pub async fn sweep(
    carts: &Carts,
    store: &dyn Store,
    patience: Patience,
    now_ms: i64,
) -> Result<usize, StoreError> {
    let due = store.idle_carts(now_ms, ROUND_MAX).await?;
    for some in due.chunks(AT_ONCE) {
        let lapse = some.iter().map(|(id, version)| {
            let command = Command::Lapse { abandons: patience.abandon_ms.is_some() };
            let request = Request { caller: None, expected_version: Some(*version), command };
            carts.execute(id.clone(), request, None)
        });
        // One that fails is found again by the next sweep.
        let _ = join_all(lapse).await;
    }
    Ok(due.len())
}

#[cfg(test)]
mod tests {
    use cart_core::{CartId, Currency, Line, Sku, StockPolicy, VisitorId, Workflow, open};

    use super::*;

    fn cart(lines: usize, lapse: Option<Lapse>) -> Cart {
        let owner = VisitorId::parse("ada").unwrap();
        let currency = Currency::parse("GBP").unwrap();
        let event = open(CartId::parse("c").unwrap(), owner, currency, Arc::new(Workflow::classic()), vec![]);
        let line = Line::new(Sku::parse("MUG").unwrap(), "Mug", 1, 1_250, StockPolicy::Untracked);
        Cart { lines: vec![line; lines], lapse, ..Cart::from_opened(&event).unwrap() }
    }

    #[test]
    fn a_cart_is_due_when_its_wait_is_over_and_a_little_later() {
        let patience = Patience { abandon_ms: Some(1_600), expire_ms: Some(10_000) };
        let due = |cart: &Cart, now_ms| patience.due_ms(cart, now_ms);
        assert_eq!(due(&cart(1, None), 0), Some(1_700), "a step is a sixteenth of the wait");
        assert_eq!(due(&cart(1, None), 99), Some(1_700), "so that what follows soon changes no index");
        assert_eq!(due(&cart(1, None), 100), Some(1_800));
        assert_eq!(due(&cart(0, None), 0), Some(10_100), "nothing was left in an empty cart");
        assert_eq!(due(&cart(1, Some(Lapse::Abandoned)), 0), Some(8_500));
        assert_eq!(due(&cart(1, Some(Lapse::Expired)), 0), None);
        let never = Patience { abandon_ms: None, expire_ms: None };
        assert_eq!((never.due_ms(&cart(1, None), 0), never.is_limited()), (None, false));
        let only_told = Patience { expire_ms: None, ..patience };
        assert_eq!(only_told.due_ms(&cart(1, Some(Lapse::Abandoned)), 0), None);
        assert_eq!(only_told.due_ms(&cart(0, None), 0), None);
        let untold = Patience { abandon_ms: None, ..patience };
        assert_eq!(untold.due_ms(&cart(1, None), 0), Some(10_625));
    }
}
