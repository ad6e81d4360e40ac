//! Why an item is suggested, in what can be counted.

use cart_core::Sku;
use serde::Serialize;

/// Says why an item is suggested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// It was bought together with an item on the page or in the cart.
    BoughtTogether(Evidence),
    /// It was bought together with something that the shopper bought before.
    BoughtBefore(Evidence),
    /// It is bought later by those who bought an item on the page, in the cart, or of the shopper's orders.
    BoughtAfter(Evidence),
    /// It was viewed in the same sessions as something that the shopper looked at.
    ViewedTogether(Evidence),
    /// It belongs in baskets like this one, by all that is known of its items; no pair of them says so alone.
    SimilarBaskets,
    /// It follows on what was looked at, by all that is known of its items; no pair of them says so alone.
    SimilarSessions,
    /// The shopper looked at it.
    Viewed,
    /// Many buy it, of its kind; nothing more particular is known.
    PopularAlike {
        /// The orders that hold it.
        orders: u32,
    },
    /// Many buy it; nothing more particular is known.
    Popular {
        /// The orders that hold it.
        orders: u32,
    },
}

/// Is what was counted: of the entries (orders or sessions) that hold one item, so many hold the other too; of what is bought
/// after something, of the customers who came back for something new, so many bought the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The item that the suggestion goes with.
    pub with: Sku,
    /// The entries that hold both.
    pub both: u32,
    /// The entries that hold `with`.
    pub of: u32,
}

impl Reason {
    /// Returns the name, as programs know it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::BoughtTogether(_) => "bought_together",
            Self::BoughtBefore(_) => "bought_before",
            Self::BoughtAfter(_) => "bought_after",
            Self::ViewedTogether(_) => "viewed_together",
            Self::SimilarBaskets => "similar_baskets",
            Self::SimilarSessions => "similar_sessions",
            Self::Viewed => "viewed",
            Self::PopularAlike { .. } => "popular_alike",
            Self::Popular { .. } => "popular",
        }
    }
}
