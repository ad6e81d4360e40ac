//! What the doors of flags share: who may ask, what they are told, and the open streams.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use super::{clients::Clients, publication::Publication, refusal::Refusal, streams::Streams};
use crate::{config::FlagsConfig, definitions::DefinitionsCell};

/// Is what the doors of flags share.
pub struct Flags {
    pub(super) clients: Clients,
    definitions: Arc<DefinitionsCell>,
    /// What was made last for each client key; there are no more than the configuration has.
    published: Mutex<BTreeMap<String, Arc<Publication>>>,
    /// The open streams.
    pub streams: Arc<Streams>,
}

impl Flags {
    /// Opens the doors to the configured clients.
    pub fn new(config: &FlagsConfig, definitions: Arc<DefinitionsCell>) -> Self {
        Self {
            clients: Clients::of(config),
            definitions,
            published: Mutex::default(),
            streams: Arc::new(Streams::of(config)),
        }
    }

    /// Returns what the clients of a key get now.
    ///
    /// # Errors
    /// [`Refusal`] where nobody is known by the key.
    pub(super) fn publication(&self, client_key: &str) -> Result<Arc<Publication>, Refusal> {
        let client = self.clients.find(client_key)?;
        let definitions = self.definitions.get();
        let mut published = self.published.lock().expect("no thread panics with the lock held");
        if let Some(known) = published.get(client_key).filter(|known| known.version == definitions.version())
        {
            return Ok(known.clone());
        }
        let made = Arc::new(Publication::of(&definitions, client));
        published.insert(client_key.to_owned(), made.clone());
        Ok(made)
    }
}
