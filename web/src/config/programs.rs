//! What other programs are sent, and may fetch.

use experiments::growthbook::encryption::encrypt;
use serde::Deserialize;

/// Most client keys: one for each program and environment of a shop, many times over. A payload is kept for each.
pub const CLIENTS_MAX: usize = 100;
/// The longest client key in bytes; GrowthBook's own have some twenty.
pub const CLIENT_KEY_BYTES_MAX: usize = 64;

/// Is how events are posted to endpoints.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhooksConfig {
    /// Whether endpoints may be on this machine or in private networks, and be reached by `http`.
    pub allow_private: bool,
    /// How long a receiver may take, in milliseconds.
    pub timeout_ms: u64,
    /// The waits between tries of a delivery, in seconds; after the last try it is a dead letter.
    pub retry_seconds: Vec<u64>,
    /// After how many days without any success an endpoint is disabled.
    pub give_up_days: u32,
    /// How long a replaced secret signs beside its successor, in hours.
    pub secret_overlap_hours: u32,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        Self {
            allow_private: false,
            timeout_ms: 15_000,
            // As Standard Webhooks proposes: three and a half days.
            retry_seconds: vec![5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400],
            give_up_days: 5,
            secret_overlap_hours: 24,
        }
    }
}

impl WebhooksConfig {
    /// Refuses what makes no sense.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!((1..=50_000).contains(&self.timeout_ms), "webhooks.timeout_ms must be 1 to 50000");
        Ok(())
    }
}

/// Is who may fetch the running experiments' flags by GrowthBook's SDKs. OFREP asks for no key: it answers, and shows no rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FlagsConfig {
    /// The clients.
    pub clients: Vec<FlagClient>,
    /// Most open streams of one process: each is a socket and a few kilobytes, and a change is written to all of them within
    /// a second. Further clients are asked to poll.
    pub streams: usize,
    /// Most open streams of one address, so that nobody takes the places of everybody else; 0 for any number. An office
    /// whose browsers share an address has one for each tab that is looked at.
    pub address_streams: usize,
}

impl Default for FlagsConfig {
    fn default() -> Self {
        let client = FlagClient { key: "sdk-cartwright".into(), encryption_key: None, only_remote: false };
        Self { clients: vec![client], streams: 10_000, address_streams: 200 }
    }
}

impl FlagsConfig {
    /// Refuses clients that nobody could use.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let clients = &self.clients;
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
}

/// Is a client of the flags. Its key stands in pages and programs and is no secret: it only tells clients apart.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlagClient {
    /// The key: letters, digits, `-` and `_`.
    pub key: String,
    /// Encrypts what is sent, base64 of 16 bytes: the SDK's `decryptionKey`.
    #[serde(default)]
    pub encryption_key: Option<String>,
    /// Whether its clients get only their own values (`POST /api/eval/…`), never the rules.
    #[serde(default)]
    pub only_remote: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(clients: &str) -> String {
        let config: FlagsConfig = toml::from_str(&format!("clients = [{clients}]")).unwrap();
        config.check().map_or_else(|error| error.to_string(), |()| "right".into())
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
