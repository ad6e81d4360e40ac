//! What other programs are sent, and may fetch.

use serde::Deserialize;

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
