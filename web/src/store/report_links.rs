//! The rows of the links by which others read the report of an experiment.

use async_trait::async_trait;

use super::Result;

/// The most links of one experiment that live: each of those who are told has one.
pub const REPORT_LINKS_MAX: usize = 20;

/// Keeps the links to reports. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait ReportLinkStore: Send + Sync {
    /// Keeps a link, unless the experiment has [`REPORT_LINKS_MAX`] that live at its making; reports whether it did.
    /// Those of the experiment that have ended are forgotten.
    async fn add_report_link(&self, link: &ReportLink) -> Result<bool>;

    /// Reads the link of a token, while it lives.
    async fn report_link(&self, token_hash: &str, now_ms: i64) -> Result<Option<ReportLink>>;

    /// Returns the links of an experiment that live, the oldest first.
    async fn report_links(&self, experiment: &str, now_ms: i64) -> Result<Vec<ReportLink>>;

    /// Ends an experiment's link of that id; reports whether there was one.
    async fn end_report_link(&self, experiment: &str, id: &str) -> Result<bool>;
}

/// Is a link by which others read the report of an experiment, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportLink {
    /// The SHA-256 of the link's token in hexadecimal; the token itself is never stored.
    pub token_hash: String,
    /// The name that lists and addresses use.
    pub id: String,
    /// The experiment's key.
    pub experiment: String,
    /// Whom it is for, in the words of who made it; may be empty.
    pub note: String,
    /// Who made it.
    pub made_by: String,
    /// When it was made, in Unix milliseconds.
    pub created_at_ms: i64,
    /// When it ends, in Unix milliseconds.
    pub ends_at_ms: i64,
}
