//! Who may fetch flags: the client keys of the configuration.

use std::collections::BTreeMap;

use experiments::growthbook::encryption::encrypt;

use super::refusal::Refusal;
use crate::config::{FlagClient, FlagsConfig};

/// Most client keys: one for each program and environment of a shop, many times over. A payload is kept for each.
pub const CLIENTS_MAX: usize = 100;
/// The longest client key in bytes; GrowthBook's own have some twenty.
pub const CLIENT_KEY_BYTES_MAX: usize = 64;

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

/// Checks the clients of a configuration.
///
/// # Errors
/// Says which client is wrong, and how to mend it.
pub fn check(config: &FlagsConfig) -> anyhow::Result<()> {
    let clients = &config.clients;
    anyhow::ensure!(
        clients.len() <= CLIENTS_MAX,
        "flags.clients has {}, the most is {CLIENTS_MAX}",
        clients.len()
    );
    for (index, client) in clients.iter().enumerate() {
        let FlagClient { key, encryption_key, only_remote } = client;
        let is_plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        anyhow::ensure!(
            is_plain && (1..=CLIENT_KEY_BYTES_MAX).contains(&key.len()),
            "flags.clients: key {key:?} must be 1 to {CLIENT_KEY_BYTES_MAX} letters, digits, - and _"
        );
        anyhow::ensure!(
            clients[..index].iter().all(|other| other.key != *key),
            "flags.clients: key {key:?} stands twice"
        );
        if let Some(encryption_key) = encryption_key {
            let tried = encrypt("", encryption_key, &[0; 16]);
            anyhow::ensure!(
                tried.is_ok(),
                "flags.clients: the encryption_key of {key:?} is not base64 of 16 bytes: `openssl rand -base64 16`"
            );
            anyhow::ensure!(
                !only_remote,
                "flags.clients: {key:?} is only_remote and so is sent nothing that an encryption_key would hide"
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(clients: &str) -> String {
        let config: FlagsConfig = toml::from_str(&format!("clients = [{clients}]")).unwrap();
        check(&config).map_or_else(|error| error.to_string(), |()| "right".into())
    }

    #[test]
    fn keys_that_no_client_could_use_are_found_at_the_start() {
        assert_eq!(
            checked(r#"{key = "sdk-a", encryption_key = "BwcHBwcHBwcHBwcHBwcHBw=="}, {key = "sdk-b"}"#),
            "right"
        );
        for (clients, why) in [
            (r#"{key = ""}"#, "must be 1 to 64"),
            (r#"{key = "a/b"}"#, "letters, digits"),
            (r#"{key = "a"}, {key = "a"}"#, "stands twice"),
            (r#"{key = "a", encryption_key = "c2hvcnQ="}"#, "base64 of 16 bytes"),
            (
                r#"{key = "a", encryption_key = "BwcHBwcHBwcHBwcHBwcHBw==", only_remote = true}"#,
                "only_remote",
            ),
        ] {
            assert!(checked(clients).contains(why), "{clients}: {}", checked(clients));
        }
    }
}
