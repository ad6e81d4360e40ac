//! The configuration: one documented struct with defaults that run, read once from one TOML file.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Context;
use cart_core::{LoginCart, PricePolicy, limits::PRICE_MINOR_MAX};
use serde::{Deserialize, Serialize};

use crate::{
    flags::clients,
    keyring::Keyring,
    mail::{self, MailSink},
    shelves::{Algorithm, Filling, ShelfName},
    throttle::network::Network,
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

/// Says who fills each shelf where no experiment does: an algorithm, `pairs` or `popular`, or two by turns, as `pairs~popular`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShelvesConfig {
    /// What others bought together with a product, on its page.
    pub bought_together: Filling,
    /// What goes with all of a cart.
    pub goes_with_cart: Filling,
    /// What a visitor looked at last.
    pub r#continue: Filling,
    /// What goes with what a visitor bought.
    pub recommended: Filling,
    /// What others looked at together with a product.
    pub also_viewed: Filling,
    /// What many buy.
    pub popular: Filling,
    /// What goes with what a letter is about.
    pub mail: Filling,
    /// How long an algorithm may take before the catalogue's own order fills its shelf, in milliseconds; 0 asks none.
    pub deadline_ms: u64,
}

impl ShelvesConfig {
    /// Returns who fills a shelf.
    pub fn of(&self, shelf: ShelfName) -> Filling {
        match shelf {
            ShelfName::BoughtTogether => self.bought_together,
            ShelfName::GoesWithCart => self.goes_with_cart,
            ShelfName::Continue => self.r#continue,
            ShelfName::Recommended => self.recommended,
            ShelfName::AlsoViewed => self.also_viewed,
            ShelfName::Popular => self.popular,
            ShelfName::Mail => self.mail,
        }
    }
}

impl Default for ShelvesConfig {
    fn default() -> Self {
        let [learnt, popular] = [Algorithm::Learnt, Algorithm::Popular].map(Filling::One);
        Self {
            bought_together: learnt,
            goes_with_cart: learnt,
            r#continue: learnt,
            recommended: learnt,
            also_viewed: learnt,
            popular,
            mail: learnt,
            deadline_ms: 50,
        }
    }
}

/// Is what shoppers see of the shop.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShopConfig {
    /// The name in the header.
    pub name: String,
    /// Where shoppers reach the shop: what links in letters begin with.
    pub public_url: String,
    /// What express shipping costs, in minor units of the cart's currency, until `cartwright import shipping` says more.
    pub express_shipping_minor: i64,
    /// What a line costs whose price changes after it was put into a cart: `hold` what it cost then, `follow` what it
    /// costs today, or `tell`: what it costs today, once the shopper has accepted it.
    pub price_policy: PricePolicy,
    /// How many days back a search looks for what sells, today included.
    pub sales_days: u32,
    /// How many minutes shoppers may cancel an order that was not sent off; 0 leaves it to the shop.
    pub cancel_minutes: u32,
    /// What a log-in does where guest and user both have a cart: `merge` the guest's lines into the user's, `keep` the
    /// user's and lay the guest's lines aside there, or `replace` it by the guest's and lay the user's aside.
    pub login_cart: LoginCart,
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

/// Is how carts behave.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CartsConfig {
    /// Cart actors: each commits one batch at a time. SQLite has one writer, so more help only PostgreSQL, and only where
    /// it has cores to spare: more actors mean smaller batches.
    pub shards: usize,
    /// How long a cart holds its pieces, in seconds.
    pub hold_seconds: u64,
    /// How often ended holds are looked for, and carts that nobody touches, in seconds.
    pub hold_sweep_seconds: u64,
    /// After how long without a change a cart that is not empty counts as abandoned, in seconds; 0 for never.
    pub abandon_seconds: u64,
    /// After how long without a change a cart expires, in seconds; 0 for never.
    pub expire_seconds: u64,
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

/// Is how users enter.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UsersConfig {
    /// The fewest characters of a password. NIST SP 800-63B-4 asks for 15 where nothing but the password is asked for; 8
    /// were enough before.
    pub password_chars_min: usize,
    /// After how many days without use a device is logged out.
    pub session_days: u64,
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
    /// After how many seconds without an answer the provider is asked what became of a payment.
    pub recover_seconds: u64,
    /// How many seconds a shopper may take to confirm a payment, or the provider to decide on it; then it is let go.
    pub patience_seconds: u64,
    /// What the provider signs its webhooks with; without this key the sandbox draws a secret and keeps it.
    pub webhook_secret: Option<String>,
    /// The book of the sandbox; without this key it stands in `data_dir`. All servers of a shop must share one.
    pub sandbox_book: Option<PathBuf>,
    /// How late the sandbox's late answers come, in milliseconds.
    pub sandbox_late_ms: u64,
}

/// Is how letters leave the shop.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailConfig {
    /// Where they go: `none`, `file:<folder>`, `smtps://user:password@host:port`, or `smtp://host:port`, which
    /// `?tls=required` encrypts by STARTTLS.
    pub sink: String,
    /// Who writes them.
    pub from: String,
    /// The waits between tries of a letter, in seconds; after the last try it is a dead letter.
    pub retry_seconds: Vec<u64>,
}

impl std::fmt::Debug for MailConfig {
    /// The address of the sink may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = self.sink.split(':').next();
        let Self { from, retry_seconds, .. } = self;
        f.debug_struct("MailConfig")
            .field("sink", &kind)
            .field("from", from)
            .field("retry_seconds", retry_seconds)
            .finish()
    }
}

impl MailConfig {
    /// Reports whether letters are sent at all.
    pub fn is_sent(&self) -> bool {
        self.sink != "none"
    }
}

/// Is how shoppers are told that a product is back. Without [`MailConfig::sink`] nobody is asked whether they want to be.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackInStockConfig {
    /// After how many days a request that was not told is forgotten.
    pub keep_days: u32,
    /// How many requests are told for each piece that is there.
    pub letters_per_piece: u32,
    /// How long those who were told have, before further ones are told of the same pieces, in minutes.
    pub wave_minutes: u32,
    /// How often is looked for products that are back, in seconds.
    pub sweep_seconds: u64,
}

/// Is how the shop knows a browser again.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionConfig {
    /// Keys that seal what browsers keep, each `name:` and 32 bytes in base64. The first seals, all open. Without any, a
    /// file of the data folder holds one; several processes on one store need the same.
    pub keys: Vec<String>,
    /// What the storefront's pages keep in the browser.
    pub mode: SessionMode,
    /// For how many days the shop takes back a snapshot of a cart.
    pub snapshot_days: u32,
}

/// Says where the storefront's carts live. The doors of the API are the same in every mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionMode {
    /// In the shop; the browser has a cookie.
    Server,
    /// In the shop, and sealed in the browser, which brings them back where the shop has lost them. No channel.
    Client,
    /// As in [`Client`](Self::Client), live on every device; and without a network the shopper goes on.
    Hybrid,
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

impl Default for ShopConfig {
    fn default() -> Self {
        Self {
            name: "Cartwright & Daughters".into(),
            public_url: "http://127.0.0.1:8080".into(),
            express_shipping_minor: 495,
            price_policy: PricePolicy::Hold,
            sales_days: 30,
            cancel_minutes: 30,
            login_cart: LoginCart::Merge,
        }
    }
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { url: "sqlite:cartwright-data/cartwright.db".into(), connections: 8 }
    }
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

impl Default for CartsConfig {
    fn default() -> Self {
        Self {
            shards: 1,
            hold_seconds: 1_200,
            hold_sweep_seconds: 5,
            abandon_seconds: 3_600,
            expire_seconds: 30 * 86_400,
            idle_seconds: 300,
            key_hours: 24,
        }
    }
}

impl Default for RecommenderConfig {
    fn default() -> Self {
        Self { train_every_minutes: 0, batch: None, file_bytes: 64 << 20, file_minutes: 60 }
    }
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self { keys: vec![], mode: SessionMode::Hybrid, snapshot_days: 90 }
    }
}

impl Default for BackInStockConfig {
    fn default() -> Self {
        Self { keep_days: 90, letters_per_piece: 2, wave_minutes: 60, sweep_seconds: 5 }
    }
}

impl Default for UsersConfig {
    fn default() -> Self {
        Self { password_chars_min: 15, session_days: 30 }
    }
}

impl Default for PaymentConfig {
    fn default() -> Self {
        Self {
            timeout_ms: 5_000,
            recover_seconds: 10,
            patience_seconds: 1_800,
            webhook_secret: None,
            sandbox_book: None,
            sandbox_late_ms: 3_000,
        }
    }
}

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

impl Default for FlagsConfig {
    fn default() -> Self {
        let client = FlagClient { key: "sdk-cartwright".into(), encryption_key: None, only_remote: false };
        Self { clients: vec![client], streams: 10_000, address_streams: 200 }
    }
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            sink: "none".into(),
            from: "Cartwright & Daughters <shop@localhost>".into(),
            // A mail server that is away over a weekend loses nothing.
            retry_seconds: vec![10, 60, 300, 900, 3_600, 10_800, 43_200, 86_400, 129_600],
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
        anyhow::ensure!(self.store.connections > 1, "store.connections must be at least 2");
        anyhow::ensure!((1..=86_400).contains(&self.limits.seconds), "limits.seconds must be 1 to 86400");
        anyhow::ensure!((1..=64).contains(&self.carts.shards), "carts.shards must be 1 to 64");
        anyhow::ensure!(self.carts.hold_sweep_seconds > 0, "carts.hold_sweep_seconds must be at least 1");
        anyhow::ensure!(
            (8..=64).contains(&self.users.password_chars_min),
            "users.password_chars_min must be 8 to 64"
        );
        anyhow::ensure!(
            (1..=3_650).contains(&self.users.session_days),
            "users.session_days must be 1 to 3650"
        );
        anyhow::ensure!(
            self.carts.expire_seconds == 0 || self.carts.expire_seconds > self.carts.abandon_seconds,
            "carts.expire_seconds must be 0 or more than carts.abandon_seconds"
        );
        anyhow::ensure!(self.recommender.file_bytes > 0, "recommender.file_bytes must be at least 1");
        anyhow::ensure!(self.recommender.file_minutes > 0, "recommender.file_minutes must be at least 1");
        anyhow::ensure!(
            (0..=PRICE_MINOR_MAX).contains(&self.shop.express_shipping_minor),
            "shop.express_shipping_minor must be 0 to {PRICE_MINOR_MAX}"
        );
        anyhow::ensure!((1..=3_650).contains(&self.shop.sales_days), "shop.sales_days must be 1 to 3650");
        anyhow::ensure!(
            self.admin.user.is_some() == self.admin.password.is_some(),
            "admin.user and admin.password go together"
        );
        anyhow::ensure!(
            self.shop.public_url.starts_with("http://") || self.shop.public_url.starts_with("https://"),
            "shop.public_url must begin with https:// or http://"
        );
        anyhow::ensure!(
            (1..=50_000).contains(&self.webhooks.timeout_ms),
            "webhooks.timeout_ms must be 1 to 50000"
        );
        let back = &self.back_in_stock;
        anyhow::ensure!((1..=3_650).contains(&back.keep_days), "back_in_stock.keep_days must be 1 to 3650");
        anyhow::ensure!(
            (1..=1_000).contains(&back.letters_per_piece),
            "back_in_stock.letters_per_piece must be 1 to 1000"
        );
        anyhow::ensure!(back.wave_minutes <= 10_080, "back_in_stock.wave_minutes must be 0 to 10080, a week");
        anyhow::ensure!(
            (1..=86_400).contains(&back.sweep_seconds),
            "back_in_stock.sweep_seconds must be 1 to 86400"
        );
        clients::check(&self.flags)?;
        MailSink::parse(&self.mail.sink).map_err(anyhow::Error::msg)?;
        mail::sender(&self.mail.from)?;
        if !self.session.keys.is_empty() {
            Keyring::parse(&self.session.keys).context("session.keys")?;
        }
        if let Some(password) = &self.admin.password {
            anyhow::ensure!(password.len() >= 10, "admin.password must have at least 10 characters");
        }
        Ok(())
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
