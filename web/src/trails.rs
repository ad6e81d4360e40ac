//! What each shopper lately looked at and put into a cart: in memory, the same on every node within a second.
//!
//! A trail is derived from the outbox, which [`tail`] follows from every node; what a node has written itself is known there
//! at once. To learn of a step twice is to learn of it once, so both ways may tell the same. Trails are bounded: the units that
//! were met longest ago are forgotten first, and what is forgotten here is still in the outbox.

pub mod tail;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard},
};

use cart_core::{Sku, VisitorId};
use serde::Deserialize;

use crate::{
    clock, metrics,
    store::{DECLINED, DELETED, History, KNOWN, OutboxEvent, VIEWED},
};

/// The most units whose trails are kept, a busy day of a large shop: some 100 MB with ten steps each, 350 MB with the most.
pub const UNITS_MAX: usize = 100_000;
/// The most steps of a trail: what came before says little of what comes next.
pub const STEPS_MAX: usize = 50;
/// How long a step is remembered, in milliseconds: 30 days.
pub const AGE_MAX_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
/// After so long a silence a session begins anew, in milliseconds: half an hour, as analytics have it.
pub const SILENCE_MS: i64 = 30 * 60 * 1_000;

/// The type of what puts a product into a cart.
const ADDED: &str = "line_added";
/// The types of events that trails are made of.
const KINDS: [&str; 5] = [VIEWED, ADDED, KNOWN, DECLINED, DELETED];

/// Is what a unit did lately, the oldest first; what stands twice in a row stands there once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    /// Since the last silence of [`SILENCE_MS`]; nothing, while the last one lasts.
    pub session: Vec<Sku>,
    /// All of it, the session included: at most [`STEPS_MAX`] of the last [`AGE_MAX_MS`].
    pub recent: Vec<Sku>,
}

/// Is one thing that a unit did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// With which product.
    pub sku: Sku,
    /// When, in Unix milliseconds.
    pub at_ms: i64,
    /// What.
    pub act: Act,
}

/// Says what was done; of what was done in one millisecond, looking comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// The product was looked at.
    Viewed,
    /// It was put into a cart.
    Added,
}

impl Trail {
    fn of(steps: &[Step], now_ms: i64) -> Self {
        let is_apart = |pair: &[Step]| pair[1].at_ms - pair[0].at_ms > SILENCE_MS;
        let is_over = steps.last().is_none_or(|last| now_ms - last.at_ms > SILENCE_MS);
        let begin = steps.windows(2).rposition(is_apart).map_or(0, |at| at + 1);
        let session = if is_over { &[] } else { &steps[begin..] };
        Self { session: skus(session), recent: skus(steps) }
    }
}

fn skus(steps: &[Step]) -> Vec<Sku> {
    let mut skus: Vec<Sku> = steps.iter().map(|step| step.sku.clone()).collect();
    skus.dedup();
    skus
}

/// Keeps the trails of the units that were met lately.
#[derive(Debug, Default)]
pub struct Trails(Mutex<Memory>);

/// Holds two halves: what is met moves into the young one, and when that is full, the old one is forgotten.
#[derive(Debug, Default)]
struct Memory {
    young: HashMap<VisitorId, Kept>,
    old: HashMap<VisitorId, Kept>,
}

#[derive(Debug)]
struct Kept {
    /// In the order of their times.
    steps: Vec<Step>,
    /// What happened until then is left out, whenever it is told.
    forgotten_through_ms: i64,
    /// Whose a cart's changes are by now that the visitor opened before they logged in.
    known_as: Option<VisitorId>,
}

impl Default for Kept {
    fn default() -> Self {
        Self { steps: vec![], forgotten_through_ms: i64::MIN, known_as: None }
    }
}

impl Trails {
    /// Returns what a unit did lately.
    pub fn of(&self, unit: &VisitorId) -> Trail {
        Trail::of(&self.steps(unit), clock::now_ms())
    }

    /// Returns each step of a unit's trail, the oldest first.
    pub fn steps(&self, unit: &VisitorId) -> Vec<Step> {
        let oldest_ms = clock::now_ms() - AGE_MAX_MS;
        let mut memory = self.memory();
        let Some(kept) = memory.find(unit) else { return vec![] };
        kept.steps.iter().filter(|step| step.at_ms >= oldest_ms).cloned().collect()
    }

    /// Notes what a unit did; done before, it changes nothing.
    pub fn add(&self, unit: &VisitorId, step: Step) {
        self.memory().kept(unit).add(step);
    }

    /// Forgets what a unit did until a time, whenever it is told of it.
    pub fn forget(&self, unit: &VisitorId, through_ms: i64) {
        self.memory().kept(unit).forget(through_ms);
    }

    /// Takes events of [`KINDS`], in order, but of what the units' histories leave out.
    fn take(&self, events: &[OutboxEvent], histories: &BTreeMap<VisitorId, History>) {
        let leaves_out = |unit: &VisitorId, at_ms| histories.get(unit).is_some_and(|h| h.leaves_out(at_ms));
        let mut memory = self.memory();
        for event in events {
            let OutboxEvent { at_ms, unit, .. } = event;
            match event.kind.as_str() {
                VIEWED | ADDED if leaves_out(unit, *at_ms) => {}
                VIEWED => {
                    if let Some(sku) = sku_of(event) {
                        memory.kept(unit).add(Step { sku, at_ms: *at_ms, act: Act::Viewed });
                    }
                }
                ADDED => {
                    let known = memory.find(unit).and_then(|kept| kept.known_as.clone());
                    let whose = known.as_ref().unwrap_or(unit);
                    if let Some(sku) = sku_of(event).filter(|_| !leaves_out(whose, *at_ms)) {
                        memory.kept(whose).add(Step { sku, at_ms: *at_ms, act: Act::Added });
                    }
                }
                KNOWN => {
                    if let Some(user) = user_of(event) {
                        memory.join(unit, &user, *at_ms, leaves_out(&user, *at_ms));
                    }
                }
                _ => memory.kept(unit).forget(*at_ms),
            }
        }
        metrics::trails_in_memory(memory.young.len() + memory.old.len());
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().expect("no thread panics with the lock held")
    }
}

impl Memory {
    fn find(&mut self, unit: &VisitorId) -> Option<&Kept> {
        if self.old.contains_key(unit) {
            self.kept(unit);
        }
        self.young.get(unit)
    }

    fn kept(&mut self, unit: &VisitorId) -> &mut Kept {
        if !self.young.contains_key(unit) {
            let kept = self.old.remove(unit).unwrap_or_default();
            if self.young.len() >= UNITS_MAX / 2 {
                self.old = std::mem::take(&mut self.young);
            }
            self.young.insert(unit.clone(), kept);
        }
        self.young.get_mut(unit).expect("it was just put there")
    }

    /// Gives what a visitor did before they logged in to the user. The visitor's own trail begins anew: whoever has the device
    /// without the log-in is not to see what the user does elsewhere.
    fn join(&mut self, visitor: &VisitorId, user: &VisitorId, at_ms: i64, is_left_out: bool) {
        let kept = self.kept(visitor);
        kept.known_as = Some(user.clone());
        let (steps, later) =
            std::mem::take(&mut kept.steps).into_iter().partition(|step| step.at_ms <= at_ms);
        kept.steps = later;
        kept.forget(at_ms);
        let steps: Vec<Step> = if is_left_out { vec![] } else { steps };
        steps.into_iter().for_each(|step| self.kept(user).add(step));
    }
}

impl Kept {
    fn add(&mut self, step: Step) {
        if step.at_ms <= self.forgotten_through_ms {
            return;
        }
        let at = self.steps.partition_point(|other| (other.at_ms, other.act) <= (step.at_ms, step.act));
        let is_same = |other: &Step| other.sku == step.sku && other.act == step.act;
        let mut at_once = self.steps[..at].iter().rev().take_while(|other| other.at_ms == step.at_ms);
        // What is done again at once, such as a page that is loaded anew, is one step, at its last time.
        if at_once.any(is_same) || self.steps.get(at).is_some_and(is_same) {
            return;
        }
        match at.checked_sub(1).filter(|before| is_same(&self.steps[*before])) {
            Some(before) => self.steps[before] = step,
            None => self.steps.insert(at, step),
        }
        if self.steps.len() > STEPS_MAX {
            self.steps.remove(0);
        }
    }

    fn forget(&mut self, through_ms: i64) {
        self.forgotten_through_ms = self.forgotten_through_ms.max(through_ms);
        self.steps.retain(|step| step.at_ms > through_ms);
    }
}

/// What cannot be read is somebody else's event: it changes nothing.
fn sku_of(event: &OutboxEvent) -> Option<Sku> {
    #[derive(Deserialize)]
    struct Data {
        sku: Sku,
    }
    serde_json::from_str::<Data>(event.data.get()).ok().map(|data| data.sku)
}

fn user_of(event: &OutboxEvent) -> Option<VisitorId> {
    #[derive(Deserialize)]
    struct Data {
        unit: VisitorId,
    }
    serde_json::from_str::<Data>(event.data.get()).ok().map(|data| data.unit)
}

#[cfg(test)]
mod tests;
