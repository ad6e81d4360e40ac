//! What promotions did to a cart.

use std::{collections::BTreeSet, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Code, NotApplied, WHOLE_BP, reason::called, reward::percent};
use crate::{MethodId, Money, PromotionId, Sku};

/// Is what promotions did to a cart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promoted {
    /// What is left of each line, in minor units, in the order of the cart.
    pub left_minor: Vec<i64>,
    /// What was taken off all lines together, in minor units.
    pub discount_minor: i64,
    /// What is taken off the charge for shipping, in this order.
    pub shipping: Vec<ShippingDiscount>,
    /// What is added without charge.
    pub gifts: Vec<Gift>,
    /// What became of every promotion, in the order of application.
    pub outcomes: Vec<PromotionOutcome>,
    /// Typed codes that no promotion knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_codes: Vec<Code>,
}

/// Is what became of a promotion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionOutcome {
    /// The promotion.
    pub promotion: PromotionId,
    /// Its name for people.
    pub name: Arc<str>,
    /// Whether it applied.
    pub verdict: Verdict,
}

/// Says whether a promotion applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It did.
    Applied(Box<AppliedPromotion>),
    /// It did not, for this reason.
    NotApplied(NotApplied),
}

/// Is what an applied promotion gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedPromotion {
    /// What it took off the lines together.
    pub off: Money,
    /// How often it happened: pieces, groups or bundles for those that repeat, else 1.
    pub times: u64,
    /// What it took off each line, without those of which it took nothing; the sum is `off`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineShare>,
    /// The typed code that it was got by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// What it takes off the charge for shipping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_off_bp: Option<u32>,
    /// What it adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gift: Option<Gift>,
    /// What its next tier asks for, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_tier: Option<Box<NotApplied>>,
}

/// Is what was taken off one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineShare {
    /// The line's place in the cart, from 0.
    pub line: u32,
    /// Minor units, above 0.
    pub minor: i64,
}

/// Is something that is added without charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gift {
    /// The promotion that adds it.
    pub promotion: PromotionId,
    /// What it is.
    pub sku: Sku,
    /// What that is called, where somebody has looked it up.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// How many pieces.
    pub pieces: u32,
}

/// Reduces the charge for shipping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingDiscount {
    /// The promotion that does so.
    pub promotion: PromotionId,
    /// The methods whose charge is reduced; none is all.
    pub methods: BTreeSet<MethodId>,
    /// The reduction in basis points.
    pub off_bp: u32,
    /// The most that is taken off, in minor units, where there is a most.
    pub max_minor: Option<i64>,
}

impl ShippingDiscount {
    /// Returns what is taken off a charge, in minor units, of which the exact half is rounded up.
    pub fn off_minor(&self, method: &MethodId, charge_minor: i64) -> i64 {
        if charge_minor <= 0 || !(self.methods.is_empty() || self.methods.contains(method)) {
            return 0;
        }
        let off = i64::try_from(percent(i128::from(charge_minor), self.off_bp)).unwrap_or(charge_minor);
        off.min(self.max_minor.unwrap_or(i64::MAX))
    }
}

impl Promoted {
    /// Returns what each promotion takes off the charge of a shipping method, in minor units; one after the other, and
    /// together never more than the charge.
    pub fn off_shipping(&self, method: &MethodId, charge_minor: i64) -> Vec<(&PromotionId, i64)> {
        let mut left = charge_minor;
        let mut take = |discount: &ShippingDiscount| {
            let off = discount.off_minor(method, left);
            left -= off;
            off
        };
        let offs = self.shipping.iter().map(|discount| (&discount.promotion, take(discount)));
        offs.filter(|(_, minor)| *minor > 0).collect()
    }

    /// Walks what was taken off a line, in the order of application.
    pub fn off_line(&self, line: usize) -> impl Iterator<Item = (&PromotionId, i64)> {
        self.applied().filter_map(move |(outcome, applied)| {
            let share = applied.lines.iter().find(|share| share.line as usize == line)?;
            Some((&outcome.promotion, share.minor))
        })
    }

    /// Walks the promotions that applied, in that order: these, and their codes, are what an order uses.
    pub fn applied(&self) -> impl Iterator<Item = (&PromotionOutcome, &AppliedPromotion)> {
        self.outcomes.iter().filter_map(|outcome| match &outcome.verdict {
            Verdict::Applied(applied) => Some((outcome, &**applied)),
            Verdict::NotApplied(_) => None,
        })
    }
}

impl fmt::Display for AppliedPromotion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.gift, self.shipping_off_bp) {
            (Some(gift), _) => write!(f, "{} × {} as a gift", gift.pieces, called(&gift.sku, &gift.name))?,
            (None, Some(WHOLE_BP)) => f.write_str("free shipping")?,
            (None, Some(off_bp)) => {
                write!(f, "{}.{:02} % off shipping", off_bp / 100, off_bp % 100)?;
            }
            (None, None) => write!(f, "{} off", self.off)?,
        }
        self.next_tier.as_ref().map_or(Ok(()), |next| write!(f, "; for the next tier, {next}"))
    }
}

impl fmt::Display for PromotionOutcome {
    /// Writes the name and what became of it: `Summer sale: spend 5.00 GBP more`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Verdict::Applied(applied) => write!(f, "{}: {applied}", self.name),
            Verdict::NotApplied(why) => write!(f, "{}: {why}", self.name),
        }
    }
}
