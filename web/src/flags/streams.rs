//! How many streams of flags are open, of whom, and their common end.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::sync::watch;

use crate::{config::FlagsConfig, metrics};

/// Counts the open streams, and tells them when the server goes.
#[derive(Debug)]
pub struct Streams {
    most: usize,
    most_of_address: usize,
    open: Mutex<Open>,
    draining: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    /// Those of every address that has any, so that there are never more entries than streams.
    of_address: BTreeMap<IpAddr, usize>,
}

/// Says why no stream can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Full {
    /// All places of the process are taken, or it goes.
    #[error("no more streams can be opened here; poll meanwhile, or come back")]
    Process,
    /// The address has as many as it may.
    #[error("the address has {0} streams open, the most allowed; close one, or poll")]
    Address(usize),
}

impl Full {
    /// Names the limit, as metrics do.
    fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Address(_) => "address",
        }
    }
}

impl Streams {
    /// Returns the places that a configuration has.
    pub fn of(config: &FlagsConfig) -> Self {
        Self {
            most: config.streams,
            most_of_address: config.address_streams,
            open: Mutex::default(),
            draining: watch::Sender::default(),
        }
    }

    /// Takes a place for a stream; `address` is whom it counts for, if anybody.
    ///
    /// # Errors
    /// [`Full`], which is counted.
    pub(super) fn enter(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Place, Full> {
        self.take(address).inspect_err(|full| metrics::flag_stream_refused(full.name()))?;
        metrics::flag_streams(1);
        Ok(Place { streams: self.clone(), address, draining: self.draining.subscribe() })
    }

    fn take(&self, address: Option<IpAddr>) -> Result<(), Full> {
        let mut open = self.open();
        if open.all >= self.most || *self.draining.borrow() {
            return Err(Full::Process);
        }
        if let Some(address) = address {
            let of_address = open.of_address.get(&address).copied().unwrap_or(0);
            if self.most_of_address > 0 && of_address >= self.most_of_address {
                return Err(Full::Address(of_address));
            }
            open.of_address.insert(address, of_address + 1);
        }
        open.all += 1;
        Ok(())
    }

    fn leave(&self, address: Option<IpAddr>) {
        let mut open = self.open();
        open.all -= 1;
        let Some(address) = address else { return };
        match open.of_address.get_mut(&address) {
            Some(of_address) if *of_address > 1 => *of_address -= 1,
            _ => drop(open.of_address.remove(&address)),
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().expect("no thread panics with the lock held")
    }

    /// Ends all streams: their clients come back to another process.
    pub fn drain(&self) {
        self.draining.send_replace(true);
    }
}

/// Is the place of one stream, given back when it ends.
#[derive(Debug)]
pub(super) struct Place {
    streams: Arc<Streams>,
    address: Option<IpAddr>,
    draining: watch::Receiver<bool>,
}

impl Place {
    /// Waits until the server goes.
    pub(super) async fn drained(&mut self) {
        // Where nobody can tell any more, the server has gone.
        let _ = self.draining.wait_for(|is_draining| *is_draining).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.streams.leave(self.address);
        metrics::flag_streams(-1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streams(streams: usize, address_streams: usize) -> Arc<Streams> {
        Arc::new(Streams::of(&FlagsConfig { streams, address_streams, ..FlagsConfig::default() }))
    }

    #[tokio::test]
    async fn places_are_given_back_and_end_together() {
        let streams = streams(3, 0);
        let mut places: Vec<Place> = (0..3).map(|_| streams.enter(None).unwrap()).collect();
        assert_eq!(streams.enter(None).unwrap_err(), Full::Process, "all places are taken");
        drop(places.pop());
        let mut last = streams.enter(None).unwrap();
        streams.drain();
        last.drained().await;
        drop(places);
        assert_eq!(streams.enter(None).unwrap_err(), Full::Process, "nobody enters a server that goes");
    }

    #[test]
    fn an_address_leaves_places_to_the_others() {
        let streams = streams(4, 2);
        let [ada, eve] = [[203, 0, 113, 7], [203, 0, 113, 8]].map(|bytes| Some(IpAddr::from(bytes)));
        let first = streams.enter(ada).unwrap();
        let _second = streams.enter(ada).unwrap();
        assert_eq!(streams.enter(ada).unwrap_err(), Full::Address(2));
        let _others = [streams.enter(eve).unwrap(), streams.enter(None).unwrap()];
        assert_eq!(streams.enter(eve).unwrap_err(), Full::Process);
        drop(first);
        let _third = streams.enter(ada).unwrap();
        assert_eq!(streams.open().of_address.len(), 2, "who has no stream is forgotten");
    }
}
