//! The shop's rules for its shelves: what is never offered, what comes sooner, what stands where.
//!
//! They are data: the shop's people write them, and [`Rules::arrange`] applies them to what an algorithm suggests. A rule only
//! ever chooses among products that may be offered at all.

mod arrange;
mod text;

use std::collections::BTreeSet;

use cart_core::{Product, Sku};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::arrange::Context;
use self::text::RuleText;
use super::ShelfName;

/// Most rules: each page goes through all of them, and nobody keeps an eye on more.
pub const RULES_MAX: usize = 200;
/// The longest id in bytes.
pub const RULE_ID_BYTES_MAX: usize = 40;
/// The longest note in bytes.
pub const NOTE_BYTES_MAX: usize = 200;
/// Most SKUs, categories or attributes that one rule names: a longer list is a category that is missing.
pub const CHOICE_MAX: usize = 500;
/// The least boost there is, in percent: a tenth as soon to ten times as soon decides about any place of a shelf.
pub const BOOST_PERCENT_MIN: u32 = 10;
/// The greatest boost there is, in percent.
pub const BOOST_PERCENT_MAX: u32 = 1_000;
/// The last place of a shelf that something can be pinned to, and the most products of a category that a rule counts.
pub const PLACES_MAX: usize = 20;

/// Are rules that make sense.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<RuleText>", into = "Vec<RuleText>")]
pub struct Rules {
    rules: Vec<Rule>,
}

/// Is one rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name, unlike that of any other.
    pub id: String,
    /// What it is for; may be empty.
    pub note: String,
    /// The shelves that it is for; empty for all.
    pub shelves: BTreeSet<ShelfName>,
    /// When it begins, in Unix milliseconds.
    pub from_ms: Option<i64>,
    /// When it ends.
    pub until_ms: Option<i64>,
    /// What it does.
    pub act: Act,
}

/// Says what a rule does.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Never offers them.
    Exclude(Choice),
    /// Lets them come sooner, or below 100 % later: what stands at place 8 comes to place 4 by 200 %.
    Boost {
        /// Which.
        choice: Choice,
        /// By how much.
        percent: u32,
    },
    /// Puts a product at a place.
    Pin {
        /// The product.
        sku: Sku,
        /// The place, from 1.
        place: usize,
    },
    /// Offers at most so many products of each category at once.
    Spread {
        /// How many.
        most: usize,
    },
    /// Never offers them again to whoever bought them.
    Once(Choice),
}

/// Names products: all that one of its members names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// By their SKUs.
    pub skus: BTreeSet<Sku>,
    /// By their categories.
    pub categories: BTreeSet<String>,
    /// By an attribute or option and its value.
    pub attributes: BTreeSet<(String, String)>,
}

impl Choice {
    /// Reports whether it names a product.
    pub fn holds(&self, product: &Product) -> bool {
        let has = |(name, value): &(String, String)| {
            [&product.attributes, &product.options].into_iter().any(|of| of.get(name) == Some(value))
        };
        self.skus.contains(&product.sku)
            || self.categories.contains(&product.category)
            || self.attributes.iter().any(has)
    }
}

impl Rule {
    /// Reports whether it holds for a shelf at a time.
    pub fn is_in_force(&self, shelf: ShelfName, now_ms: i64) -> bool {
        (self.shelves.is_empty() || self.shelves.contains(&shelf))
            && self.from_ms.is_none_or(|from| from <= now_ms)
            && self.until_ms.is_none_or(|until| now_ms < until)
    }

    /// Reports whether there is a shelf and a time for which both hold.
    fn meets(&self, other: &Self) -> bool {
        let begins = |rule: &Self| rule.from_ms.unwrap_or(i64::MIN);
        let ends = |rule: &Self| rule.until_ms.unwrap_or(i64::MAX);
        let share_a_shelf =
            self.shelves.is_empty() || other.shelves.is_empty() || !self.shelves.is_disjoint(&other.shelves);
        share_a_shelf && begins(self) < ends(other) && begins(other) < ends(self)
    }
}

/// Says why rules were not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RuleError {
    /// They cannot be read.
    #[error("the rules are a JSON array of rules: {0}")]
    Unreadable(String),
    /// There are too many.
    #[error("there are {0} rules, the most is {RULES_MAX}")]
    TooMany(usize),
    /// One of them makes no sense.
    #[error("rule {id:?}: {why}")]
    Rule {
        /// Its id, or its place where it has none.
        id: String,
        /// What is wrong, and how to mend it.
        why: String,
    },
    /// Two have one id.
    #[error("there are two rules {0:?}: give one of them another id")]
    Doubled(String),
    /// Two want one place.
    #[error(
        "rules {0:?} and {1:?} pin two products to place {2} of one shelf at the same time: choose another place"
    )]
    Contested(String, String, usize),
}

impl Rules {
    /// Reads a JSON array.
    ///
    /// # Errors
    /// [`RuleError`], naming the first rule that is wrong.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let texts: Vec<RuleText> =
            serde_json::from_str(text).map_err(|error| RuleError::Unreadable(error.to_string()))?;
        texts.try_into()
    }

    /// Checks them together.
    ///
    /// # Errors
    /// [`RuleError`].
    pub fn of(rules: Vec<Rule>) -> Result<Self, RuleError> {
        if rules.len() > RULES_MAX {
            return Err(RuleError::TooMany(rules.len()));
        }
        for (n, rule) in rules.iter().enumerate() {
            for earlier in &rules[..n] {
                if earlier.id == rule.id {
                    return Err(RuleError::Doubled(rule.id.clone()));
                }
                if let (Act::Pin { place, .. }, Act::Pin { place: other, .. }) = (&earlier.act, &rule.act)
                    && place == other
                    && earlier.meets(rule)
                {
                    return Err(RuleError::Contested(earlier.id.clone(), rule.id.clone(), *place));
                }
            }
        }
        Ok(Self { rules })
    }

    /// Returns the rules in the order in which they were written.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Writes them as [`Rules::parse`] reads them.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("rules are plain values")
    }

    /// Reports whether any holds for a shelf at a time.
    pub fn are_in_force(&self, shelf: ShelfName, now_ms: i64) -> bool {
        self.rules.iter().any(|rule| rule.is_in_force(shelf, now_ms))
    }

    /// Returns the times at which a rule begins or ends, in Unix milliseconds.
    pub fn changes_ms(&self) -> impl Iterator<Item = i64> {
        self.rules.iter().flat_map(|rule| [rule.from_ms, rule.until_ms]).flatten()
    }

    /// Reports whether it matters to a shelf what its visitor bought.
    pub fn ask_what_was_bought(&self, shelf: ShelfName, now_ms: i64) -> bool {
        let asks = |rule: &Rule| matches!(rule.act, Act::Once(_)) && rule.is_in_force(shelf, now_ms);
        self.rules.iter().any(asks)
    }
}

impl JsonSchema for Rules {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ShelfRules".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Vec::<RuleText>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests;
