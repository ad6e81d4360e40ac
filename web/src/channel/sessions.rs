//! The open websockets, so that they can be told when the server goes.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use actix::Recipient;

use crate::metrics;

/// Is what a session may be told.
#[derive(actix::Message, Clone)]
#[rtype(result = "()")]
pub enum Tell {
    /// The server drains: the session says so to its client and ends.
    Drain,
    /// What a token stood for has ended; the token's hash.
    TokenEnded(Arc<str>),
    /// Other processes were not heard for a while: what they ended is to be looked up.
    Doubt,
}

/// Knows every open session.
#[derive(Default)]
pub struct Sessions {
    next: AtomicU64,
    open: Mutex<HashMap<u64, Recipient<Tell>>>,
}

impl Sessions {
    /// Notes a session; returns its number.
    pub fn add(&self, session: Recipient<Tell>) -> u64 {
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
        self.tell(&Tell::Drain);
    }

    /// Tells every session that what a token stood for has ended.
    pub fn token_ended(&self, hash: &str) {
        self.tell(&Tell::TokenEnded(hash.into()));
    }

    /// Tells every session that ends may have gone unheard.
    pub fn doubt(&self) {
        self.tell(&Tell::Doubt);
    }

    fn tell(&self, news: &Tell) {
        for session in self.open.lock().expect("no thread panics with the lock held").values() {
            session.do_send(news.clone());
        }
    }
}
