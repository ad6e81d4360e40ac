//! The links by which others read an experiment's report.

use serde::Serialize;

use crate::moment::Moment;

/// Holds the links of an experiment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// Those that live, the oldest first.
    pub living: Vec<Link>,
    /// The one that was just made.
    pub fresh: Option<FreshLink>,
}

/// Holds a link that lives; its address is told only when it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Names it.
    pub id: String,
    /// Whom it is for; may be empty.
    pub note: String,
    /// Who made it.
    pub made_by: String,
    /// When it was made, Unix milliseconds UTC.
    pub created_at_ms: i64,
    /// When it ends, Unix milliseconds UTC.
    pub ends_at_ms: i64,
}

/// Holds a link at the one moment at which it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FreshLink {
    /// Its whole address.
    pub url: String,
}

#[derive(Serialize)]
pub(super) struct View<'a> {
    living: Vec<Row<'a>>,
    fresh: Option<&'a FreshLink>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    note: &'a str,
    made_by: &'a str,
    made: Moment,
    ends: Moment,
}

pub(super) fn view(links: &Links) -> View<'_> {
    fn row(link: &Link) -> Row<'_> {
        Row {
            id: &link.id,
            note: &link.note,
            made_by: &link.made_by,
            made: Moment::of(link.created_at_ms),
            ends: Moment::of(link.ends_at_ms),
        }
    }
    View { living: links.living.iter().map(row).collect(), fresh: links.fresh.as_ref() }
}
