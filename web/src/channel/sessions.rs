//! The open websockets, so that they can be told when the server goes.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use actix::Recipient;

use crate::metrics;

/// Tells a session that the server drains: it says so to its client and ends.
#[derive(actix::Message, Clone, Copy)]
#[rtype(result = "()")]
pub struct Drain;

/// Knows every open session.
#[derive(Default)]
pub struct Sessions {
    next: AtomicU64,
    open: Mutex<HashMap<u64, Recipient<Drain>>>,
}

impl Sessions {
    /// Notes a session; returns its number.
    pub fn add(&self, session: Recipient<Drain>) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.open.lock().expect("no thread panics with the lock held").insert(number, session);
        metrics::live_connections(1);
        number
    }

    /// Forgets a session that ended.
    pub fn remove(&self, number: u64) {
        self.open.lock().expect("no thread panics with the lock held").remove(&number);
        metrics::live_connections(-1);
    }

    /// Tells every session that the server drains.
    pub fn drain(&self) {
        for session in self.open.lock().expect("no thread panics with the lock held").values() {
            session.do_send(Drain);
        }
    }
}
