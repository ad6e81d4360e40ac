//! The closed list of the shop's shelves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Names a shelf. The names are stable: rules, events, flags and links carry them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShelfName {
    /// What others bought together with a product, on its page.
    BoughtTogether,
    /// What goes with all of a cart, beside it.
    GoesWithCart,
    /// What a visitor looked at last.
    Continue,
    /// What goes with what a visitor bought.
    Recommended,
    /// What others looked at together with a product.
    AlsoViewed,
    /// What many buy.
    Popular,
    /// What goes with what a letter is about.
    Mail,
}

impl ShelfName {
    /// All shelves.
    pub const ALL: [Self; 7] = [
        Self::BoughtTogether,
        Self::GoesWithCart,
        Self::Continue,
        Self::Recommended,
        Self::AlsoViewed,
        Self::Popular,
        Self::Mail,
    ];

    /// Returns the stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::BoughtTogether => "bought_together",
            Self::GoesWithCart => "goes_with_cart",
            Self::Continue => "continue",
            Self::Recommended => "recommended",
            Self::AlsoViewed => "also_viewed",
            Self::Popular => "popular",
            Self::Mail => "mail",
        }
    }

    /// Returns the flag that says who fills it.
    pub const fn flag(self) -> &'static str {
        match self {
            Self::BoughtTogether => "shelf_bought_together",
            Self::GoesWithCart => "shelf_goes_with_cart",
            Self::Continue => "shelf_continue",
            Self::Recommended => "shelf_recommended",
            Self::AlsoViewed => "shelf_also_viewed",
            Self::Popular => "shelf_popular",
            Self::Mail => "shelf_mail",
        }
    }

    /// Returns the shelf of a stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shelf| shelf.name() == name)
    }

    /// Returns the name that the shop's people read.
    pub fn title(self) -> &'static str {
        match self {
            Self::BoughtTogether => "Bought together",
            Self::GoesWithCart => "Goes with the cart",
            Self::Continue => "Continue",
            Self::Recommended => "Recommended",
            Self::AlsoViewed => "Also viewed",
            Self::Popular => "Popular",
            Self::Mail => "Letters",
        }
    }
}
