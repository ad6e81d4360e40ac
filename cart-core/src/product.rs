//! What the catalogue knows of a thing that is for sale.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Bundle, FamilyId, Money, PropertyRule, Sku, SpecialPrice, TaxCategory};

/// Says when a cart takes its pieces from the stock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StockPolicy {
    /// A line holds its pieces from the moment it is added, until the hold expires.
    #[default]
    HoldOnAdd,
    /// A line holds its pieces from the beginning of the checkout, until the hold expires.
    HoldAtCheckout,
    /// Pieces are taken when the order is placed; a cart promises nothing.
    TakeAtOrder,
    /// The shop never runs out, as with a download.
    Untracked,
}

impl StockPolicy {
    /// All policies.
    pub const ALL: [Self; 4] = [Self::HoldOnAdd, Self::HoldAtCheckout, Self::TakeAtOrder, Self::Untracked];

    /// Reports whether pieces are counted at all.
    pub fn is_tracked(self) -> bool {
        self != Self::Untracked
    }

    /// Returns the stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::HoldOnAdd => "hold_on_add",
            Self::HoldAtCheckout => "hold_at_checkout",
            Self::TakeAtOrder => "take_at_order",
            Self::Untracked => "untracked",
        }
    }

    /// Returns the policy of a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
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
    /// What may be said of its pieces in a cart; where it says nothing, whatever a shopper gives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<PropertyRule>,
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
    /// What it is made of, where it is a bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Bundle>,
    /// What whoever bought it is told: where it is to be had, its licence. Nobody else reads it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub delivery_note: String,
    /// What one piece weighs, in grams.
    #[serde(default)]
    pub weight_g: u32,
    /// How many pieces may be bought.
    #[serde(default)]
    pub limits: QuantityLimits,
    /// When a cart takes its pieces from the stock.
    pub stock_policy: StockPolicy,
    /// How many pieces may be sold that are not there, once it is released.
    #[serde(default, skip_serializing_if = "crate::line::is_zero")]
    pub backorder_limit: u32,
    /// How it is sold before it is there, where it is one of the things to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preorder: Option<Preorder>,
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
            properties: vec![],
            price,
            prices: vec![],
            tax_category: TaxCategory::default(),
            digital: false,
            bundle: None,
            delivery_note: String::new(),
            weight_g: 0,
            limits: QuantityLimits::default(),
            stock_policy: StockPolicy::default(),
            backorder_limit: 0,
            preorder: None,
            hidden: false,
            image: None,
        }
    }

    /// Returns how many pieces may be owed to customers at a time.
    pub fn owed_max(&self, now_ms: i64) -> u32 {
        match self.coming(now_ms) {
            Some(preorder) => preorder.limit,
            None => self.backorder_limit,
        }
    }

    /// Returns how many pieces may be owed to customers at any time.
    pub fn owed_max_ever(&self) -> u32 {
        self.backorder_limit.max(self.preorder.map_or(0, |p| p.limit))
    }

    /// Returns the times at which what is told of it changes by itself, in Unix milliseconds: a price begins or ends, or it is
    /// released.
    pub fn changes_ms(&self) -> impl Iterator<Item = i64> {
        let windows = self.prices.iter().flat_map(|price| [price.from_ms, price.until_ms]).flatten();
        windows.chain(self.preorder.map(|preorder| preorder.releases_at_ms))
    }

    /// Returns the terms of what is not released yet.
    pub fn coming(&self, now_ms: i64) -> Option<Preorder> {
        self.preorder.filter(|p| now_ms < p.releases_at_ms)
    }
}

/// Says how a product is sold before it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preorder {
    /// When its first pieces ship, in Unix milliseconds; from then on it is a product like any other.
    pub releases_at_ms: i64,
    /// How many pieces may be sold before then that are not there.
    pub limit: u32,
}

/// Says how many pieces of a product may be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuantityLimits {
    /// The fewest pieces of a line.
    pub min: u32,
    /// The most pieces of an order; `None` leaves it to the limit of a line.
    pub max: Option<u32>,
    /// The most pieces of a line; `None` leaves it to the limit of all lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_line: Option<u32>,
    /// Pieces are bought in multiples of this.
    pub step: u32,
    /// The most pieces that one customer may ever order.
    pub per_customer: Option<u32>,
}

impl Default for QuantityLimits {
    fn default() -> Self {
        Self { min: 1, max: None, max_per_line: None, step: 1, per_customer: None }
    }
}
