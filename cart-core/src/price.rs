//! Which of a product's prices holds, and why.

use serde::{Deserialize, Serialize};

use crate::{Currency, GroupId};

/// Is a price for some currency, group, quantity or time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialPrice {
    /// Minor units of its currency for one piece.
    pub minor: i64,
    /// Its currency.
    pub currency: Currency,
    /// The customer group it is for; `None` is everybody.
    #[serde(default)]
    pub group: Option<GroupId>,
    /// It holds from this many pieces on.
    #[serde(default = "one")]
    pub min_quantity: u32,
    /// It holds from this time on, in Unix milliseconds.
    #[serde(default)]
    pub from_ms: Option<i64>,
    /// It holds until before this time, in Unix milliseconds.
    #[serde(default)]
    pub until_ms: Option<i64>,
}

fn one() -> u32 {
    1
}
