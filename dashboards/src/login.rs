//! The page to sign in.

use serde::Serialize;

/// Holds what the page to sign in shows.
///
/// Its form posts `csrf`, `next`, `user` and `password` to `/admin/login`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Login {
    /// What went wrong with the last try, as a sentence.
    pub error: Option<String>,
    /// The name typed at the last try.
    pub user: String,
    /// Where to go afterwards. Whoever reads it back must check that it is a path of this site.
    pub next: String,
    /// The token that the form must bring back.
    pub csrf: String,
}
