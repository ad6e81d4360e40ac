//! The carts that a shard keeps in memory: written by its actor, read by everybody.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use cart_core::{Cart, CartId};
use tokio::sync::watch;

use crate::metrics;

/// The most carts a shard holds in memory without anybody watching them; some 2 KB each.
pub const SHARD_CARTS_MAX: usize = 200_000;

/// Is the newest state of a cart, as its watchers see it; `None` until it is known.
pub type Newest = Option<Arc<Cart>>;

/// Holds the newest committed state of the carts of one shard. No lock is held longer than a look takes.
#[derive(Debug, Default)]
pub struct LiveCarts {
    carts: Mutex<HashMap<CartId, Entry>>,
    /// Whether every change by other processes is heard of; not before somebody listens.
    is_newest: AtomicBool,
}

#[derive(Debug)]
struct Entry {
    cart: Newest,
    watch: Option<watch::Sender<Newest>>,
    used: Instant,
}

impl Entry {
    fn is_watched(&self) -> bool {
        self.watch.as_ref().is_some_and(|w| w.receiver_count() > 0)
    }
}

impl LiveCarts {
    fn carts(&self) -> MutexGuard<'_, HashMap<CartId, Entry>> {
        self.carts.lock().expect("nothing panics while it holds the lock")
    }

    /// Returns a cart as of now, where memory knows that: other processes' changes are heard of, so what was
    /// committed elsewhere is missed for no longer than a notification travels.
    pub fn newest(&self, id: &CartId) -> Newest {
        if !self.is_newest.load(Ordering::Relaxed) {
            return None;
        }
        let mut carts = self.carts();
        let entry = carts.get_mut(id)?;
        entry.used = Instant::now();
        entry.cart.clone()
    }

    /// Notes whether changes by other processes are heard of from now on.
    pub fn set_newest(&self, is_newest: bool) {
        self.is_newest.store(is_newest, Ordering::Relaxed);
    }

    /// Returns what memory has of some carts; the store says whether it is the newest.
    pub fn known<'i>(&self, ids: impl Iterator<Item = &'i CartId>) -> BTreeMap<CartId, Arc<Cart>> {
        let carts = self.carts();
        ids.filter_map(|id| Some((id.clone(), carts.get(id)?.cart.clone()?))).collect()
    }

    /// Takes committed carts into memory and shows them to their watchers.
    pub fn adopt<'c>(&self, committed: impl Iterator<Item = &'c Arc<Cart>>) {
        let mut carts = self.carts();
        for cart in committed {
            let entry = entry(&mut carts, &cart.id);
            if entry.cart.as_ref().is_some_and(|known| known.version >= cart.version) {
                continue;
            }
            entry.cart = Some(cart.clone());
            if let Some(watch) = &entry.watch {
                watch.send_replace(Some(cart.clone()));
            }
        }
    }

    /// Lets somebody watch a cart.
    pub fn watch(&self, id: &CartId) -> watch::Receiver<Newest> {
        let mut carts = self.carts();
        let entry = entry(&mut carts, id);
        let cart = entry.cart.clone();
        entry.watch.get_or_insert_with(|| watch::Sender::new(cart)).subscribe()
    }

    /// Forgets the state of a cart, so that it is loaded when it is wanted; reports whether somebody watches it.
    pub fn forget(&self, id: &CartId) -> bool {
        let mut carts = self.carts();
        let Some(entry) = carts.get_mut(id) else { return false };
        entry.cart = None;
        entry.is_watched()
    }

    /// Forgets the states of all carts and returns those that somebody watches.
    pub fn forget_all(&self) -> Vec<CartId> {
        let mut carts = self.carts();
        carts.values_mut().for_each(|entry| entry.cart = None);
        carts.iter().filter(|(_, entry)| entry.is_watched()).map(|(id, _)| id.clone()).collect()
    }

    /// Lets go of a cart that the store can no longer give: its watches end, and so do the channels that live on them.
    pub fn give_up(&self, id: &CartId) {
        if self.carts().remove(id).is_some() {
            metrics::carts_in_memory(-1);
        }
    }

    /// Lets go of the carts that nobody watches and nobody has used for some time.
    pub fn evict(&self, idle: Duration) {
        let mut carts = self.carts();
        let before = carts.len();
        let idle = if before > SHARD_CARTS_MAX { idle / 10 } else { idle };
        carts.retain(|_, entry| entry.is_watched() || entry.used.elapsed() < idle);
        metrics::carts_in_memory(carts.len() as i64 - before as i64);
    }
}

fn entry<'c>(carts: &'c mut HashMap<CartId, Entry>, id: &CartId) -> &'c mut Entry {
    // Most carts are there: only a new one is worth a copy of its name.
    if !carts.contains_key(id) {
        metrics::carts_in_memory(1);
        carts.insert(id.clone(), Entry { cart: None, watch: None, used: Instant::now() });
    }
    let entry = carts.get_mut(id).expect("it was put there where it was not");
    entry.used = Instant::now();
    entry
}
