//! What units say of their histories: that none is to be kept, and what of it is to be forgotten.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use cart_core::VisitorId;
use serde_json::json;

use super::{Result, TrackedEvent};

/// The type of what says that a unit's history is not to be kept from then on.
pub const DECLINED: &str = "history_declined";
/// The type of what says that it may be kept again.
pub const ALLOWED: &str = "history_allowed";
/// The type of what says that it is to be forgotten up to a time.
pub const DELETED: &str = "history_deleted";

/// Keeps what units say of their histories. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait HistoryStore: Send + Sync {
    /// Returns what units have said; those that never said anything are left out.
    async fn histories(&self, units: &BTreeSet<VisitorId>) -> Result<BTreeMap<VisitorId, History>>;

    /// Notes what a unit says, with the event that tells of it; reports whether anything changes by it.
    async fn say_of_history(&self, unit: &VisitorId, wish: HistoryWish, at_ms: i64) -> Result<bool>;
}

/// Is what a unit has said of its history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    /// Why none is kept, where none is.
    pub declined: Option<Because>,
    /// What happened until then is forgotten, in Unix milliseconds.
    pub deleted_through_ms: i64,
}

impl Default for History {
    fn default() -> Self {
        Self { declined: None, deleted_through_ms: i64::MIN }
    }
}

/// Says why no history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// The shopper chose so.
    Choice,
    /// Their browser asks all sites not to: `Sec-GPC` or `DNT`.
    Signal,
}

impl Because {
    /// Returns its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Choice => "choice",
            Self::Signal => "signal",
        }
    }

    /// Returns the reason of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Choice, Self::Signal].into_iter().find(|because| because.as_str() == name)
    }
}

/// Is what a unit says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryWish {
    /// Keep none from now on.
    Decline(Because),
    /// Keep it from now on.
    Allow,
    /// Forget what there is.
    Delete,
}

impl History {
    /// Reports whether what happened at a time is left out.
    pub fn leaves_out(&self, at_ms: i64) -> bool {
        self.declined.is_some() || at_ms <= self.deleted_through_ms
    }

    /// Returns what holds after a wish; `None` where nothing changes.
    #[must_use]
    pub fn after(self, wish: HistoryWish, at_ms: i64) -> Option<Self> {
        let next = match wish {
            // A shopper's own word stands, whatever a browser of theirs says.
            HistoryWish::Decline(because) => Self { declined: self.declined.or(Some(because)), ..self },
            HistoryWish::Allow => Self { declined: None, ..self },
            HistoryWish::Delete => Self { deleted_through_ms: self.deleted_through_ms.max(at_ms), ..self },
        };
        (next != self).then_some(next)
    }
}

impl HistoryWish {
    /// Returns the event that tells of it.
    pub fn event(self, unit: &VisitorId, at_ms: i64) -> TrackedEvent {
        let (kind, data) = match self {
            Self::Decline(because) => (DECLINED, json!({"because": because.as_str()})),
            Self::Allow => (ALLOWED, json!({})),
            Self::Delete => (DELETED, json!({"through_ms": at_ms})),
        };
        TrackedEvent { kind, id: None, unit: unit.clone(), at_ms, data: data.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_twice_changes_nothing() {
        let none = History::default();
        let off = none.after(HistoryWish::Decline(Because::Choice), 5).unwrap();
        assert_eq!(off.after(HistoryWish::Decline(Because::Signal), 6), None);
        assert_eq!(off.after(HistoryWish::Allow, 7), Some(none));
        assert_eq!(none.after(HistoryWish::Allow, 7), None);
        let gone = none.after(HistoryWish::Delete, 7).unwrap();
        assert_eq!((gone.leaves_out(7), gone.leaves_out(8)), (true, false));
        assert_eq!(gone.after(HistoryWish::Delete, 6), None, "a clock that went back deletes no less");
        assert!(off.leaves_out(i64::MAX));
    }
}
