//! Where the state lives, and how often the server may be asked.

use serde::Deserialize;

use crate::throttle::network::Network;

/// Is where the state lives.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// `sqlite:<path>` for one process, `postgres://user@host/database` for any number.
    pub url: String,
    /// The most connections to PostgreSQL; one more listens, and each shard keeps two for its turns.
    pub connections: usize,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { url: "sqlite:cartwright-data/cartwright.db".into(), connections: 8 }
    }
}

impl StoreConfig {
    /// Refuses what makes no sense.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.connections > 1, "store.connections must be at least 2");
        Ok(())
    }
}

/// Is how often the API may be asked. Allowances refill evenly.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Requests of one visitor within `seconds`; 0 for any number.
    pub visitor_requests: u32,
    /// Requests from one address within `seconds`; 0 for any number.
    pub address_requests: u32,
    /// Commands by one link to a shared cart within `seconds`, whoever sends them; 0 for any number.
    pub link_commands: u32,
    /// How long an allowance that was used up takes to come back, in seconds.
    pub seconds: u32,
    /// Whether requests from this machine are counted, too.
    pub loopback: bool,
    /// Addresses and networks of proxies that are believed about whom they speak for, by `X-Forwarded-For`.
    pub proxies: Vec<Network>,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            visitor_requests: 600,
            address_requests: 6_000,
            link_commands: 300,
            seconds: 60,
            loopback: false,
            proxies: vec![],
        }
    }
}

impl LimitsConfig {
    /// Refuses what makes no sense.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!((1..=86_400).contains(&self.seconds), "limits.seconds must be 1 to 86400");
        Ok(())
    }
}
