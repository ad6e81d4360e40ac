//! Which of a product's prices holds, and why.
//!
//! Of the prices that fit the question, the most special one holds, as far as this list decides:
//!
//! 1. a price for the customer's group before one for everybody;
//! 2. a price with a window of time before one without;
//! 3. the tier that begins at more pieces before one that begins at fewer;
//! 4. the lower price before the higher; the product's own price before an equal one.
//!
//! The currency and the window are filters first: a price of another currency, or outside its window, never
//! holds. The order is that of commercetools ("Price selection",
//! <https://docs.commercetools.com/api/pricing-and-discounts-overview>), which searches the customer's group first,
//! prefers a price with a current window, and lets a tier change the price that it found. A group's price is
//! thus not undercut by a sale or tier for everybody: what a group pays is what was agreed with it.

pub(crate) mod moment;

use std::{cmp::Reverse, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    Currency, DefinitionError, GroupId, Product,
    definition::Faults,
    limits::{LINE_QUANTITY_MAX, PRODUCT_PRICES_MAX},
};
use moment::Moment;

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

/// Asks what a piece costs.
#[derive(Clone, Copy, Debug)]
pub struct PriceQuestion<'a> {
    /// The cart's currency.
    pub currency: Currency,
    /// The customer's group, where there is one.
    pub group: Option<&'a GroupId>,
    /// The pieces that decide the tier.
    pub quantity: u32,
    /// The time of the question, in Unix milliseconds.
    pub now_ms: i64,
}

/// Is what a piece costs, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelectedPrice {
    /// Minor units of the currency asked for.
    pub minor: i64,
    /// Why this price holds.
    pub why: PriceReason,
}

/// Says why a price holds, by the most special of its conditions.
///
/// Its `Display` is a fragment for the shopper that tells all conditions: `for group trade, from 10 pieces on`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum PriceReason {
    /// It is the product's own price.
    Base,
    /// It is the price of the currency, without further conditions.
    Listed {
        /// The currency.
        currency: Currency,
    },
    /// As many pieces are bought.
    Tier {
        /// It holds from this many pieces on.
        min_quantity: u32,
    },
    /// It is the time for it.
    Window {
        /// It holds from this many pieces on.
        min_quantity: u32,
        /// It began at this time, in Unix milliseconds.
        from_ms: Option<i64>,
        /// It ends at this time, in Unix milliseconds.
        until_ms: Option<i64>,
    },
    /// It is the sum of a bundle's parts, less a share.
    Bundle {
        /// The share, in basis points.
        off_bp: u32,
    },
    /// The customer belongs to the group.
    Group {
        /// The group.
        group: GroupId,
        /// It holds from this many pieces on.
        min_quantity: u32,
        /// It began at this time, in Unix milliseconds.
        from_ms: Option<i64>,
        /// It ends at this time, in Unix milliseconds.
        until_ms: Option<i64>,
    },
    /// A line keeps what it cost when it went into the cart, and today's price is another, or there is none.
    Kept,
}

impl PriceReason {
    /// Returns the stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Listed { .. } => "listed",
            Self::Tier { .. } => "tier",
            Self::Window { .. } => "window",
            Self::Bundle { .. } => "bundle",
            Self::Group { .. } => "group",
            Self::Kept => "kept",
        }
    }
}

impl fmt::Display for PriceReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pieces = |min_quantity: &u32| {
            if *min_quantity > 1 { format!(", from {min_quantity} pieces on") } else { String::new() }
        };
        let window = |from_ms: &Option<i64>, until_ms: &Option<i64>| match (from_ms, until_ms) {
            (_, Some(until)) => format!(", until {:#}", Moment(*until)),
            (Some(from), None) => format!(", since {:#}", Moment(*from)),
            (None, None) => String::new(),
        };
        match self {
            Self::Kept => f.write_str("as when it went into the cart"),
            Self::Base => f.write_str("the product's own price"),
            Self::Listed { currency } => write!(f, "the price in {currency}"),
            Self::Tier { min_quantity } => write!(f, "from {min_quantity} pieces on"),
            Self::Window { min_quantity, from_ms, until_ms } => {
                let window = window(from_ms, until_ms);
                write!(f, "{}{}", window.trim_start_matches(", "), pieces(min_quantity))
            }
            Self::Bundle { off_bp: 0 } => f.write_str("all its parts"),
            Self::Bundle { off_bp } => {
                let (whole, part) = (off_bp / 100, off_bp % 100);
                let part = if part == 0 { String::new() } else { format!(".{part:02}") };
                write!(f, "all its parts, less {whole}{part} %")
            }
            Self::Group { group, min_quantity, from_ms, until_ms } => {
                write!(f, "for group {group}{}{}", pieces(min_quantity), window(from_ms, until_ms))
            }
        }
    }
}

impl SpecialPrice {
    /// Reports whether the price may be had.
    pub fn fits(&self, question: &PriceQuestion<'_>) -> bool {
        self.currency == question.currency
            && self.group.as_ref().is_none_or(|group| Some(group) == question.group)
            && self.min_quantity <= question.quantity
            && self.from_ms.is_none_or(|from| from <= question.now_ms)
            && self.until_ms.is_none_or(|until| question.now_ms < until)
    }

    fn has_window(&self) -> bool {
        self.from_ms.is_some() || self.until_ms.is_some()
    }

    /// Reports whether it has no condition but the currency.
    fn is_plain(&self) -> bool {
        self.group.is_none() && !self.has_window() && self.min_quantity <= 1
    }

    /// Returns what the module's order compares; the greatest holds.
    fn speciality(&self) -> (bool, bool, u32, Reverse<i64>) {
        (self.group.is_some(), self.has_window(), self.min_quantity, Reverse(self.minor))
    }

    fn reason(&self) -> PriceReason {
        let Self { min_quantity, from_ms, until_ms, .. } = *self;
        match &self.group {
            Some(group) => PriceReason::Group { group: group.clone(), min_quantity, from_ms, until_ms },
            None if self.has_window() => PriceReason::Window { min_quantity, from_ms, until_ms },
            None if min_quantity > 1 => PriceReason::Tier { min_quantity },
            None => PriceReason::Listed { currency: self.currency },
        }
    }

    fn check(&self, faults: &mut Faults) {
        faults.amount("minor", self.minor);
        faults.need((1..=LINE_QUANTITY_MAX).contains(&self.min_quantity), "min_quantity", || {
            format!("is {}; write the pieces it holds from, 1 to {LINE_QUANTITY_MAX}", self.min_quantity)
        });
        if let (Some(from), Some(until)) = (self.from_ms, self.until_ms) {
            faults.need(from < until, "until_ms", || {
                format!(
                    "is {}, not after from_ms {}; let the window end after it begins",
                    Moment(until),
                    Moment(from)
                )
            });
        }
    }

    /// Reports whether both would hold for the same questions, so that one of them never does.
    fn has_conditions_of(&self, other: &Self) -> bool {
        let conditions = |p: &Self| (p.currency, p.group.clone(), p.min_quantity, p.from_ms, p.until_ms);
        conditions(self) == conditions(other)
    }
}

impl Product {
    /// Returns the price that holds, or nothing where the product has none in that currency.
    ///
    /// ```
    /// use cart_core::{Currency, Money, PriceQuestion, Product, Sku, SpecialPrice};
    /// let gbp = Currency::parse("GBP").unwrap();
    /// let mut mug = Product::new(Sku::parse("MUG").unwrap(), "Mug", Money::new(1_250, gbp));
    /// mug.prices.push(SpecialPrice {
    ///     minor: 990, currency: gbp, group: None, min_quantity: 10, from_ms: None, until_ms: None,
    /// });
    /// let ask = |quantity| mug.price_for(&PriceQuestion { currency: gbp, group: None, quantity, now_ms: 0 });
    /// assert_eq!(ask(9).unwrap().minor, 1_250);
    /// assert_eq!(ask(10).unwrap().minor, 990);
    /// assert_eq!(ask(10).unwrap().why.to_string(), "from 10 pieces on");
    /// ```
    pub fn price_for(&self, question: &PriceQuestion<'_>) -> Option<SelectedPrice> {
        if let Some(selected) = self.bundle_price_for(question) {
            return selected;
        }
        let special = self.prices.iter().filter(|p| p.fits(question)).max_by_key(|p| p.speciality());
        let base = (self.price.currency == question.currency).then_some(self.price.minor);
        match (special, base) {
            // The own price is as special as one without conditions: the lower of the two holds.
            (Some(special), Some(minor)) if special.is_plain() && minor <= special.minor => {
                Some(SelectedPrice { minor, why: PriceReason::Base })
            }
            (Some(special), _) => Some(SelectedPrice { minor: special.minor, why: special.reason() }),
            (None, Some(minor)) => Some(SelectedPrice { minor, why: PriceReason::Base }),
            (None, None) => None,
        }
    }

    /// Returns the price of each number of pieces from which on it is another, for a table of tiers; the question's own
    /// quantity does not matter. The first stands for one piece, and there is none where the currency does not fit.
    pub fn price_steps(&self, question: &PriceQuestion<'_>) -> Vec<(u32, SelectedPrice)> {
        let mut bounds: Vec<_> = self.prices.iter().map(|price| price.min_quantity.max(1)).collect();
        bounds.push(1);
        bounds.sort_unstable();
        bounds.dedup();
        let mut steps: Vec<(u32, SelectedPrice)> = vec![];
        for quantity in bounds {
            if let Some(selected) = self.price_for(&PriceQuestion { quantity, ..*question })
                && steps.last().is_none_or(|(_, before)| *before != selected)
            {
                steps.push((quantity, selected));
            }
        }
        steps
    }

    /// Checks the product's own price and its special prices.
    ///
    /// # Errors
    /// [`DefinitionError`] with each price that is out of range, whose window is reversed, or that can never hold
    /// because another has the same conditions.
    pub fn check_prices(&self) -> Result<(), DefinitionError> {
        let mut faults = Faults::default();
        faults.within("price", |faults| faults.amount("minor", self.price.minor));
        faults.need(self.prices.len() <= PRODUCT_PRICES_MAX, "prices", || {
            format!("holds {} prices, the most allowed is {PRODUCT_PRICES_MAX}", self.prices.len())
        });
        let mut n = 0;
        faults.each("prices", &self.prices, |faults, price| {
            price.check(faults);
            if let Some(twin) = self.prices[..n].iter().position(|earlier| earlier.has_conditions_of(price)) {
                faults.push("", format!("has the conditions of prices[{twin}]; remove one of the two"));
            }
            faults.need(
                !price.is_plain() || price.currency != self.price.currency,
                "",
                || "has no condition and the currency of the product's own price; change that price instead",
            );
            n += 1;
        });
        faults.verdict()
    }
}

#[cfg(test)]
mod tests;
