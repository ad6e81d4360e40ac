//! What waits to be sent of an order and is moved from one location to another by hand, because the first cannot send it.

use serde::{Deserialize, Serialize};

use super::{PackWish, Packed};
use crate::LocationId;

/// Is pieces of an order that another location sends than the one that sold them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relocation {
    /// When they were moved, in Unix milliseconds.
    pub at_ms: i64,
    /// Where they waited.
    #[serde(default, skip_serializing_if = "LocationId::is_main")]
    pub from: LocationId,
    /// Where they wait since.
    #[serde(default, skip_serializing_if = "LocationId::is_main")]
    pub to: LocationId,
    /// The pieces.
    pub contents: Vec<Packed>,
}

/// Is a wish to let another location send something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelocationWish {
    /// Where it waits.
    pub from: LocationId,
    /// Where it is to wait.
    pub to: LocationId,
    /// What is moved; all that waits there, where nothing is said.
    pub contents: Vec<PackWish>,
}
