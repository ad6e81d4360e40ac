//! Who may fetch flags: the client keys of the configuration.

use std::collections::BTreeMap;

use super::refusal::Refusal;
use crate::config::{CLIENT_KEY_BYTES_MAX, FlagClient, FlagsConfig};

/// Knows the clients by their keys.
#[derive(Debug)]
pub struct Clients(BTreeMap<String, FlagClient>);

impl Clients {
    /// Takes the clients of a configuration that was checked.
    pub fn of(config: &FlagsConfig) -> Self {
        Self(config.clients.iter().map(|client| (client.key.clone(), client.clone())).collect())
    }

    /// Finds the client of a key.
    ///
    /// # Errors
    /// [`Refusal`], as GrowthBook's server answers keys that it does not know.
    pub fn find(&self, key: &str) -> Result<&FlagClient, Refusal> {
        self.0.get(key).ok_or_else(|| {
            let shown: String = key.chars().take(CLIENT_KEY_BYTES_MAX).collect();
            Refusal::bad_request(format!("client key {shown:?} is not one of [flags] in the configuration"))
        })
    }
}
