//! How to make turns of the double go wrong.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Notify;

/// Is what goes wrong with one turn.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It cannot reach the store: `Unavailable`, and nothing is decided.
    Fail,
    /// It is decided, loses a race and is not written: `Conflict`.
    Conflict,
    /// It waits to be notified and then goes well.
    Stall(Arc<Notify>),
    /// It is decided, the connection breaks and it is not written: `Unknown`.
    CrashBeforeCommit,
    /// It is written, and then the connection breaks: `Unknown`.
    CrashAfterCommit,
}

/// Lines up what goes wrong with the next turns, one fault a turn.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<VecDeque<Fault>>>);

impl Faults {
    /// Lines up the fault for some turns, behind what is lined up already.
    pub fn line_up(&self, fault: Fault, turns: usize) {
        self.queue().extend(std::iter::repeat_n(fault, turns));
    }

    /// Lines up a turn that stalls, and returns what lets it go on.
    pub fn stall(&self) -> Arc<Notify> {
        let go_on = Arc::new(Notify::new());
        self.line_up(Fault::Stall(go_on.clone()), 1);
        go_on
    }

    /// Takes back what no turn has met yet.
    pub fn clear(&self) {
        self.queue().clear();
    }

    /// Returns how many faults no turn has met yet.
    pub fn left(&self) -> usize {
        self.queue().len()
    }

    pub(super) fn next(&self) -> Option<Fault> {
        self.queue().pop_front()
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
