//! The configuration: one documented struct with defaults that run, read once from one TOML file.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Context;
use cart_core::{PricePolicy, limits::PRICE_MINOR_MAX};
use serde::Deserialize;

/// Is everything an operator may set. Unknown keys are errors.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The address to serve on.
    pub listen: SocketAddr,
    /// Where event files, the event lake and the model live.
    pub data_dir: PathBuf,
    /// Worker threads of the HTTP server.
    pub workers: usize,
    /// Hosts, with port, that browsers may open websockets and send forms from; the request's own host always may.
    pub allowed_origins: Vec<String>,
    /// The shop itself.
    pub shop: ShopConfig,
    /// The state.
    pub store: StoreConfig,
    /// Carts.
    pub carts: CartsConfig,
    /// Event files and the batch.
    pub recommender: RecommenderConfig,
    /// The dashboards.
    pub admin: AdminConfig,
    /// Payments.
    pub payment: PaymentConfig,
}

/// Is what shoppers see of the shop.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShopConfig {
    /// The name in the header.
    pub name: String,
    /// What express shipping costs, in minor units of the cart's currency, until `cartwright import shipping` says more.
    pub express_shipping_minor: i64,
    /// What a line costs whose price changes after it was put into a cart: `hold` what it cost then, `follow` what it
    /// costs today, or `tell`: what it costs today, once the shopper has accepted it.
    pub price_policy: PricePolicy,
}

/// Is where the state lives.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// `sqlite:<path>` for one process, `postgres://user@host/database` for any number.
    pub url: String,
    /// Connections to PostgreSQL.
    pub connections: usize,
}

/// Is how carts behave.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CartsConfig {
    /// Cart actors: each commits one batch at a time. SQLite has one writer, so more help only PostgreSQL, and only where
    /// it has cores to spare: more actors mean smaller batches.
    pub shards: usize,
    /// How long a cart holds its pieces, in seconds.
    pub hold_seconds: u64,
    /// How often ended holds are looked for, in seconds.
    pub hold_sweep_seconds: u64,
    /// After how long without use a cart leaves memory, in seconds.
    pub idle_seconds: u64,
    /// How long the answer to an idempotency key is kept, in hours.
    pub key_hours: u64,
}

/// Is how events become recommendations.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecommenderConfig {
    /// How often the server trains, in minutes; 0 leaves it to `cartwright train`.
    pub train_every_minutes: u64,
    /// The batch program; `None` looks beside the server's own.
    pub batch: Option<PathBuf>,
    /// An event file is closed at this size, in bytes.
    pub file_bytes: u64,
    /// An event file is closed at this age, in minutes.
    pub file_minutes: u64,
}

/// Is who may enter `/admin`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdminConfig {
    /// The first user's name. Set together with the password, the user is created or updated at the start.
    pub user: Option<String>,
    /// The first user's password, at least 10 characters.
    pub password: Option<String>,
}

/// Is how payments are authorised.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaymentConfig {
    /// How long the provider may take, in milliseconds.
    pub timeout_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data_dir: "cartwright-data".into(),
            workers: 2,
            allowed_origins: vec![],
            shop: ShopConfig::default(),
            store: StoreConfig::default(),
            carts: CartsConfig::default(),
            recommender: RecommenderConfig::default(),
            admin: AdminConfig::default(),
            payment: PaymentConfig::default(),
        }
    }
}

impl Default for ShopConfig {
    fn default() -> Self {
        Self {
            name: "Cartwright & Daughters".into(),
            express_shipping_minor: 495,
            price_policy: PricePolicy::Hold,
        }
    }
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { url: "sqlite:cartwright-data/cartwright.db".into(), connections: 8 }
    }
}

impl Default for CartsConfig {
    fn default() -> Self {
        Self { shards: 1, hold_seconds: 1_200, hold_sweep_seconds: 5, idle_seconds: 300, key_hours: 24 }
    }
}

impl Default for RecommenderConfig {
    fn default() -> Self {
        Self { train_every_minutes: 0, batch: None, file_bytes: 64 << 20, file_minutes: 60 }
    }
}

impl Default for PaymentConfig {
    fn default() -> Self {
        Self { timeout_ms: 5_000 }
    }
}

impl Config {
    /// Reads a file, or takes the defaults where none is named.
    ///
    /// # Errors
    /// Says which file, line and key is wrong.
    pub fn read(path: Option<&std::path::Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let config: Self =
            toml::from_str(&text).with_context(|| format!("{} is not right", path.display()))?;
        config.check().with_context(|| format!("{} is not right", path.display()))?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.workers > 0, "workers must be at least 1");
        anyhow::ensure!(self.store.connections > 1, "store.connections must be at least 2");
        anyhow::ensure!((1..=64).contains(&self.carts.shards), "carts.shards must be 1 to 64");
        anyhow::ensure!(self.carts.hold_sweep_seconds > 0, "carts.hold_sweep_seconds must be at least 1");
        anyhow::ensure!(self.recommender.file_bytes > 0, "recommender.file_bytes must be at least 1");
        anyhow::ensure!(self.recommender.file_minutes > 0, "recommender.file_minutes must be at least 1");
        anyhow::ensure!(
            (0..=PRICE_MINOR_MAX).contains(&self.shop.express_shipping_minor),
            "shop.express_shipping_minor must be 0 to {PRICE_MINOR_MAX}"
        );
        anyhow::ensure!(
            self.admin.user.is_some() == self.admin.password.is_some(),
            "admin.user and admin.password go together"
        );
        if let Some(password) = &self.admin.password {
            anyhow::ensure!(password.len() >= 10, "admin.password must have at least 10 characters");
        }
        Ok(())
    }

    /// Returns the folder of the event files.
    pub fn events_dir(&self) -> PathBuf {
        self.data_dir.join("events")
    }

    /// Returns the folder of the event lake.
    pub fn lake_dir(&self) -> PathBuf {
        self.data_dir.join("lake")
    }

    /// Returns the model file.
    pub fn model_file(&self) -> PathBuf {
        self.data_dir.join("model").join("current.model")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_file_shows_the_defaults() {
        let example: Config = toml::from_str(include_str!("../cartwright.example.toml")).unwrap();
        assert_eq!(format!("{example:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let error = toml::from_str::<Config>("[store]\nurll = 'sqlite:x'").unwrap_err().to_string();
        assert!(error.contains("urll"), "{error}");
    }
}
