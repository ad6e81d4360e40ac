//! How letters leave the shop, and who is told that a product is back.

use serde::Deserialize;

use crate::mail::sink::{MailSink, sender};

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

    /// Refuses what makes no sense.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        MailSink::parse(&self.sink).map_err(anyhow::Error::msg)?;
        sender(&self.from)?;
        Ok(())
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

impl Default for BackInStockConfig {
    fn default() -> Self {
        Self { keep_days: 90, letters_per_piece: 2, wave_minutes: 60, sweep_seconds: 5 }
    }
}

impl BackInStockConfig {
    /// Refuses what makes no sense.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!((1..=3_650).contains(&self.keep_days), "back_in_stock.keep_days must be 1 to 3650");
        anyhow::ensure!(
            (1..=1_000).contains(&self.letters_per_piece),
            "back_in_stock.letters_per_piece must be 1 to 1000"
        );
        anyhow::ensure!(self.wave_minutes <= 10_080, "back_in_stock.wave_minutes must be 0 to 10080, a week");
        anyhow::ensure!(
            (1..=86_400).contains(&self.sweep_seconds),
            "back_in_stock.sweep_seconds must be 1 to 86400"
        );
        Ok(())
    }
}
