//! What shoppers see of the shop, how carts behave and how they are paid.

use std::path::PathBuf;

use cart_core::{LoginCart, PricePolicy, limits::PRICE_MINOR_MAX};
use serde::Deserialize;

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

impl ShopConfig {
    /// Refuses what makes no sense.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            (0..=PRICE_MINOR_MAX).contains(&self.express_shipping_minor),
            "shop.express_shipping_minor must be 0 to {PRICE_MINOR_MAX}"
        );
        anyhow::ensure!((1..=3_650).contains(&self.sales_days), "shop.sales_days must be 1 to 3650");
        anyhow::ensure!(
            self.public_url.starts_with("http://") || self.public_url.starts_with("https://"),
            "shop.public_url must begin with https:// or http://"
        );
        Ok(())
    }
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

impl CartsConfig {
    /// Refuses what makes no sense.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!((1..=64).contains(&self.shards), "carts.shards must be 1 to 64");
        anyhow::ensure!(self.hold_sweep_seconds > 0, "carts.hold_sweep_seconds must be at least 1");
        anyhow::ensure!(
            self.expire_seconds == 0 || self.expire_seconds > self.abandon_seconds,
            "carts.expire_seconds must be 0 or more than carts.abandon_seconds"
        );
        Ok(())
    }
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
