//! Who reads a page, and what their last action did.

use serde::Serialize;

/// Says who reads the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Session {
    /// The name they signed in with.
    pub user: String,
    /// The token that every form of theirs must bring back.
    pub csrf: String,
}

/// Tells the reader what their last action did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// It was done.
    Done(String),
    /// It was refused.
    Refused(String),
}

/// The notice as templates see it.
#[derive(Serialize)]
pub(crate) struct NoticeView<'a> {
    tone: &'static str,
    icon: &'static str,
    text: &'a str,
}

impl Notice {
    pub(crate) fn view(&self) -> NoticeView<'_> {
        match self {
            Notice::Done(text) => NoticeView { tone: "good", icon: "check", text },
            Notice::Refused(text) => NoticeView { tone: "bad", icon: "warning", text },
        }
    }
}
