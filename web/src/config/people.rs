//! How shoppers and the shop's people are known.

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::keyring::Keyring;

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

impl Default for UsersConfig {
    fn default() -> Self {
        Self { password_chars_min: 15, session_days: 30 }
    }
}

impl UsersConfig {
    /// Refuses what makes no sense.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            (8..=64).contains(&self.password_chars_min),
            "users.password_chars_min must be 8 to 64"
        );
        anyhow::ensure!((1..=3_650).contains(&self.session_days), "users.session_days must be 1 to 3650");
        Ok(())
    }
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

impl AdminConfig {
    /// Refuses what makes no sense.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.user.is_some() == self.password.is_some(),
            "admin.user and admin.password go together"
        );
        if let Some(password) = &self.password {
            anyhow::ensure!(password.len() >= 10, "admin.password must have at least 10 characters");
        }
        Ok(())
    }
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

impl Default for SessionConfig {
    fn default() -> Self {
        Self { keys: vec![], mode: SessionMode::Hybrid, snapshot_days: 90 }
    }
}

impl SessionConfig {
    /// Refuses what makes no sense.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if !self.keys.is_empty() {
            Keyring::parse(&self.keys).context("session.keys")?;
        }
        Ok(())
    }
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
