//! What the catalogue knows of a thing that is for sale.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{FamilyId, Money, Sku, SpecialPrice, TaxCategory};

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

/// Is a product as the catalogue lists it: one variant, with a stock-keeping unit of its own.
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
    /// What it shares with its other variants, where it has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<FamilyId>,
    /// What sets it apart from its other variants: option to value, such as `Size` to `M`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// What shoppers may narrow a search by: name to value, such as `material` to `wool`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// The price of one piece.
    pub price: Money,
    /// Prices for some currency, group, quantity or time; the most special one holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prices: Vec<SpecialPrice>,
    /// The rates of tax that it falls under.
    #[serde(default)]
    pub tax_category: TaxCategory,
    /// It is sent by wire: it does not travel and weighs nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub digital: bool,
    /// What one piece weighs, in grams.
    #[serde(default)]
    pub weight_g: u32,
    /// How many pieces may be bought.
    #[serde(default)]
    pub limits: QuantityLimits,
    /// When a cart takes its pieces from the stock.
    pub stock_policy: StockPolicy,
    /// A hidden product is neither listed, recommended nor added to a cart.
    pub hidden: bool,
    /// The file name of its picture below `/static/products/`, where it has one.
    pub image: Option<String>,
}

impl Product {
    /// Returns a plain product: one variant at one price, whose pieces are held on add.
    pub fn new(sku: Sku, name: impl Into<String>, price: Money) -> Self {
        Self {
            sku,
            name: name.into(),
            description: String::new(),
            category: String::new(),
            family: None,
            options: BTreeMap::new(),
            attributes: BTreeMap::new(),
            price,
            prices: vec![],
            tax_category: TaxCategory::default(),
            digital: false,
            weight_g: 0,
            limits: QuantityLimits::default(),
            stock_policy: StockPolicy::default(),
            hidden: false,
            image: None,
        }
    }
}

/// Says how many pieces of a product may be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuantityLimits {
    /// The fewest pieces of a line.
    pub min: u32,
    /// The most pieces of an order; `None` leaves it to the limit of a line.
    pub max: Option<u32>,
    /// Pieces are bought in multiples of this.
    pub step: u32,
    /// The most pieces that one customer may ever order.
    pub per_customer: Option<u32>,
}

impl Default for QuantityLimits {
    fn default() -> Self {
        Self { min: 1, max: None, step: 1, per_customer: None }
    }
}
