//! What the catalogue knows of a thing that is for sale.

use serde::{Deserialize, Serialize};

use crate::{Money, Sku};

/// Says when a cart takes its pieces from the stock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockPolicy {
    /// A line holds its pieces from the moment it is added, until the hold expires.
    #[default]
    HoldOnAdd,
    /// Pieces are taken when the order is placed; a cart promises nothing.
    TakeAtOrder,
    /// The shop never runs out, as with a download.
    Untracked,
}

impl StockPolicy {
    /// Reports whether pieces are counted at all.
    pub fn is_tracked(self) -> bool {
        self != Self::Untracked
    }

    /// Returns the stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::HoldOnAdd => "hold_on_add",
            Self::TakeAtOrder => "take_at_order",
            Self::Untracked => "untracked",
        }
    }

    /// Returns the policy of a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::HoldOnAdd, Self::TakeAtOrder, Self::Untracked].into_iter().find(|p| p.name() == name)
    }
}

/// Is a product as the catalogue lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its stock-keeping unit.
    pub sku: Sku,
    /// The name that shoppers read.
    pub name: String,
    /// A paragraph about it; may be empty.
    pub description: String,
    /// The one category it is listed under; may be empty.
    pub category: String,
    /// The price of one piece.
    pub price: Money,
    /// When a cart takes its pieces from the stock.
    pub stock_policy: StockPolicy,
    /// A hidden product is neither listed, recommended nor added to a cart.
    pub hidden: bool,
    /// The file name of its picture below `/static/products/`, where it has one.
    pub image: Option<String>,
}
