//! The configuration: one documented struct with defaults that run, read once from one TOML file.

mod letters;
mod people;
mod programs;
mod recommendations;
mod server;
mod shop;

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Context;
use serde::Deserialize;

use crate::keyring::Keyring;

pub use self::{
    letters::{BackInStockConfig, MailConfig},
    people::{AdminConfig, SessionConfig, SessionMode, UsersConfig},
    programs::{CLIENT_KEY_BYTES_MAX, FlagClient, FlagsConfig, WebhooksConfig},
    recommendations::{RecommenderConfig, ShelvesConfig},
    server::{LimitsConfig, StoreConfig},
    shop::{CartsConfig, PaymentConfig, ShopConfig},
};

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
    /// Hosts, with port, whose pages may open websockets, send forms and call the API; the request's own host always may.
    pub allowed_origins: Vec<String>,
    /// The shop itself.
    pub shop: ShopConfig,
    /// The state.
    pub store: StoreConfig,
    /// How often the API may be asked.
    pub limits: LimitsConfig,
    /// Carts.
    pub carts: CartsConfig,
    /// Event files and the batch.
    pub recommender: RecommenderConfig,
    /// Who fills the shelves.
    pub shelves: ShelvesConfig,
    /// The shop's users.
    pub users: UsersConfig,
    /// The dashboards.
    pub admin: AdminConfig,
    /// Payments.
    pub payment: PaymentConfig,
    /// Letters to shoppers.
    pub mail: MailConfig,
    /// Requests to be told when a product is back.
    pub back_in_stock: BackInStockConfig,
    /// What browsers keep.
    pub session: SessionConfig,
    /// Events to other programs.
    pub webhooks: WebhooksConfig,
    /// Flags to SDKs.
    pub flags: FlagsConfig,
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
            limits: LimitsConfig::default(),
            carts: CartsConfig::default(),
            recommender: RecommenderConfig::default(),
            shelves: ShelvesConfig::default(),
            users: UsersConfig::default(),
            admin: AdminConfig::default(),
            payment: PaymentConfig::default(),
            mail: MailConfig::default(),
            back_in_stock: BackInStockConfig::default(),
            session: SessionConfig::default(),
            webhooks: WebhooksConfig::default(),
            flags: FlagsConfig::default(),
        }
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
        self.store.check()?;
        self.limits.check()?;
        self.carts.check()?;
        self.users.check()?;
        self.recommender.check()?;
        self.shelves.check()?;
        self.shop.check()?;
        self.webhooks.check()?;
        self.back_in_stock.check()?;
        self.flags.check()?;
        self.mail.check()?;
        self.session.check()?;
        self.admin.check()
    }

    /// Returns the keys that seal; without any in the configuration, those of a file in the data folder, which is made
    /// where there is none.
    ///
    /// # Errors
    /// Where a key is wrong, or the file cannot be read or made.
    pub fn keyring(&self) -> anyhow::Result<Keyring> {
        if !self.session.keys.is_empty() {
            return Keyring::parse(&self.session.keys).context("session.keys");
        }
        if self.store.url.starts_with("postgres") {
            tracing::warn!(
                "session.keys is not set: this process seals with keys of its own, and other processes on the store \
                 cannot open what it sealed; set the same keys for all of them"
            );
        }
        Keyring::of_file(&self.data_dir)
    }

    /// Returns the folder of the event files.
    pub fn events_dir(&self) -> PathBuf {
        self.data_dir.join("events")
    }

    /// Returns the file of the products' names, which the batch program reads.
    pub fn catalogue_file(&self) -> PathBuf {
        self.data_dir.join("catalogue.jsonl")
    }

    /// Returns the file of the settings that were found to suit the shop.
    pub fn tuned_file(&self) -> PathBuf {
        self.data_dir.join("tuned.json")
    }

    /// Returns the folder of the event lake.
    pub fn lake_dir(&self) -> PathBuf {
        self.data_dir.join("lake")
    }

    /// Returns the sandbox's book.
    pub fn sandbox_book(&self) -> PathBuf {
        self.payment.sandbox_book.clone().unwrap_or_else(|| self.data_dir.join("sandbox-payments.db"))
    }

    /// Returns the model file.
    pub fn model_file(&self) -> PathBuf {
        self.data_dir.join("model").join("current.model")
    }

    /// Returns the file of what came of the last training.
    pub fn training_file(&self) -> PathBuf {
        self.data_dir.join("model").join("training.json")
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
    fn keys_are_checked_at_the_start() {
        let config: Config = toml::from_str("[session]\nkeys = ['2026:c2hvcnQ=']").unwrap();
        let error = format!("{:#}", config.check().unwrap_err());
        assert!(error.starts_with("session.keys: key 1 is not right: it has 5 bytes"), "{error}");
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let error = toml::from_str::<Config>("[store]\nurll = 'sqlite:x'").unwrap_err().to_string();
        assert!(error.contains("urll"), "{error}");
    }
}
