//! What a promotion gives.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Selector;
use crate::{
    Currency, MethodId, Sku,
    definition::Faults,
    limits::{BUNDLE_PARTS_MAX, LINE_QUANTITY_MAX, PRICE_MINOR_MAX, PROMOTION_TIERS_MAX},
};

/// Is an amount in minor units for each currency that a promotion knows.
pub type Amounts = BTreeMap<Currency, i64>;

/// All of a price, in basis points.
pub const WHOLE_BP: u32 = 10_000;

/// Is what a promotion gives.
///
/// Everything is reckoned on what earlier promotions left. Percentages are rounded once, over all their lines, to the
/// nearest minor unit, exact halves up, and then shared among the lines by [`crate::allocate()`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Benefit {
    /// Takes a percentage off what is selected.
    Percentage {
        /// What is reduced.
        on: Selector,
        /// The reduction in basis points: 1,000 is 10 %.
        off_bp: u32,
        /// The most that is taken off, where there is a most.
        #[serde(default, skip_serializing_if = "Amounts::is_empty")]
        max_minor: Amounts,
    },
    /// Takes an amount off what is selected.
    Fixed {
        /// What is reduced.
        on: Selector,
        /// The reduction.
        off_minor: Amounts,
        /// What the amount is taken off.
        #[serde(default)]
        per: Per,
    },
    /// Takes off as much as the highest tier that the cart reaches says.
    Tiered {
        /// What is counted and reduced.
        on: Selector,
        /// The tiers, from the lowest up.
        tiers: Vec<Tier>,
    },
    /// Reduces some pieces for each so many others that are bought; a piece counts only once.
    BuyGet {
        /// What must be bought.
        buy: Selector,
        /// How many pieces of it.
        buy_pieces: u32,
        /// What is reduced for that.
        get: Selector,
        /// How many pieces of it.
        get_pieces: u32,
        /// The reduction of these in basis points; all of it unless told.
        #[serde(default = "whole")]
        off_bp: u32,
        /// Which of the pieces are reduced.
        #[serde(default)]
        pick: Pick,
        /// How often it happens in one cart at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        times_max: Option<u32>,
    },
    /// Gives the cheapest pieces of each group away; groups are made from the dearest piece down.
    CheapestFree {
        /// What is counted and given.
        on: Selector,
        /// The pieces of a group.
        of_pieces: u32,
        /// How many of them are free.
        #[serde(default = "one")]
        free_pieces: u32,
        /// How many groups are made in one cart at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        times_max: Option<u32>,
    },
    /// Sells pieces together at one price; the dearest pieces go into bundles, and as many bundles are made as save
    /// something.
    BundlePrice {
        /// What a bundle is made of.
        parts: Vec<BundlePart>,
        /// The price of a bundle.
        price_minor: Amounts,
        /// How many bundles are made in one cart at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        times_max: Option<u32>,
    },
    /// Reduces the charge for shipping.
    FreeShipping {
        /// The methods whose charge is reduced; none is all.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        methods: BTreeSet<MethodId>,
        /// The reduction in basis points; all of it unless told.
        #[serde(default = "whole")]
        off_bp: u32,
        /// The most that is taken off, where there is a most.
        #[serde(default, skip_serializing_if = "Amounts::is_empty")]
        max_minor: Amounts,
    },
    /// Adds pieces to the order without charge.
    Gift {
        /// What is added.
        sku: Sku,
        /// How many pieces.
        #[serde(default = "one")]
        pieces: u32,
    },
}

fn one() -> u32 {
    1
}

fn whole() -> u32 {
    WHOLE_BP
}

/// Says what a fixed amount is taken off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// The sum of what is selected, once.
    #[default]
    Cart,
    /// Each piece of what is selected.
    Piece,
}

/// Says which pieces are reduced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    /// The cheapest.
    #[default]
    Cheapest,
    /// The dearest.
    Dearest,
}

/// Is a step of a tiered promotion: from where on, and what then is taken off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tier {
    /// It is reached at so many pieces; give this or `from_minor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_pieces: Option<u32>,
    /// It is reached at this sum; give this or `from_pieces`.
    #[serde(skip_serializing_if = "Amounts::is_empty")]
    pub from_minor: Amounts,
    /// What is taken off in basis points; give this or `off_minor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub off_bp: Option<u32>,
    /// What is taken off; give this or `off_bp`.
    #[serde(skip_serializing_if = "Amounts::is_empty")]
    pub off_minor: Amounts,
}

/// Is a part of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundlePart {
    /// What it may be.
    pub on: Selector,
    /// How many pieces.
    #[serde(default = "one")]
    pub pieces: u32,
}

/// Sorts promotions by what they reduce, as far as the order of application and exclusions care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromotionClass {
    /// Some of the lines, or some pieces of them.
    Items,
    /// All lines together.
    Order,
    /// Nothing; it adds a gift.
    Gift,
    /// The charge for shipping.
    Shipping,
}

impl PromotionClass {
    /// Every class, in the order of application.
    pub const ALL: [Self; 4] = [Self::Items, Self::Order, Self::Gift, Self::Shipping];

    /// Returns the stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Items => "items",
            Self::Order => "order",
            Self::Gift => "gift",
            Self::Shipping => "shipping",
        }
    }
}

impl Benefit {
    /// Returns the product that it gives away, where it does.
    pub fn gift(&self) -> Option<&Sku> {
        match self {
            Self::Gift { sku, .. } => Some(sku),
            _ => None,
        }
    }

    /// Returns what it reduces: a percentage, an amount for the cart or tiers are of class `order` where they select
    /// everything.
    pub fn class(&self) -> PromotionClass {
        match self {
            Self::Percentage { on, .. }
            | Self::Tiered { on, .. }
            | Self::Fixed { on, per: Per::Cart, .. }
                if on.is_everything() =>
            {
                PromotionClass::Order
            }
            Self::FreeShipping { .. } => PromotionClass::Shipping,
            Self::Gift { .. } => PromotionClass::Gift,
            _ => PromotionClass::Items,
        }
    }

    /// Returns the selectors, in the order of the fields.
    pub(super) fn selectors(&self) -> Vec<&Selector> {
        match self {
            Self::Percentage { on, .. }
            | Self::Fixed { on, .. }
            | Self::Tiered { on, .. }
            | Self::CheapestFree { on, .. } => vec![on],
            Self::BuyGet { buy, get, .. } => vec![buy, get],
            Self::BundlePrice { parts, .. } => parts.iter().map(|part| &part.on).collect(),
            Self::FreeShipping { .. } | Self::Gift { .. } => vec![],
        }
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        let on = |faults: &mut Faults, field: &str, selector: &Selector| {
            faults.within(field, |faults| selector.check(faults));
        };
        match self {
            Self::Percentage { on: selector, off_bp, max_minor } => {
                on(faults, "on", selector);
                check_off_bp(faults, *off_bp);
                check_amounts(faults, "max_minor", max_minor, 1);
            }
            Self::Fixed { on: selector, off_minor, .. } => {
                on(faults, "on", selector);
                check_needed_amounts(faults, "off_minor", off_minor, 1);
            }
            Self::Tiered { on: selector, tiers } => {
                on(faults, "on", selector);
                check_tiers(faults, tiers);
            }
            Self::BuyGet { buy, buy_pieces, get, get_pieces, off_bp, times_max, .. } => {
                on(faults, "buy", buy);
                check_pieces(faults, "buy_pieces", *buy_pieces);
                on(faults, "get", get);
                check_pieces(faults, "get_pieces", *get_pieces);
                check_off_bp(faults, *off_bp);
                check_times(faults, *times_max);
            }
            Self::CheapestFree { on: selector, of_pieces, free_pieces, times_max } => {
                on(faults, "on", selector);
                check_pieces(faults, "of_pieces", *of_pieces);
                check_pieces(faults, "free_pieces", *free_pieces);
                faults.need(free_pieces < of_pieces, "free_pieces", || {
                    format!("is {free_pieces} of {of_pieces}; leave at least one piece of a group to be paid")
                });
                check_times(faults, *times_max);
            }
            Self::BundlePrice { parts, price_minor, times_max } => {
                faults.need((1..=BUNDLE_PARTS_MAX).contains(&parts.len()), "parts", || {
                    format!("holds {} parts; write 1 to {BUNDLE_PARTS_MAX}", parts.len())
                });
                faults.each("parts", parts, |faults, part| {
                    on(faults, "on", &part.on);
                    check_pieces(faults, "pieces", part.pieces);
                });
                check_needed_amounts(faults, "price_minor", price_minor, 0);
                check_times(faults, *times_max);
            }
            Self::FreeShipping { off_bp, max_minor, .. } => {
                check_off_bp(faults, *off_bp);
                check_amounts(faults, "max_minor", max_minor, 1);
            }
            Self::Gift { pieces, .. } => check_pieces(faults, "pieces", *pieces),
        }
    }
}

fn check_off_bp(faults: &mut Faults, off_bp: u32) {
    faults.need((1..=WHOLE_BP).contains(&off_bp), "off_bp", || {
        format!("is {off_bp}; write 1 to {WHOLE_BP} basis points, of which {WHOLE_BP} are 100 %")
    });
}

fn check_pieces(faults: &mut Faults, field: &str, pieces: u32) {
    faults.need((1..=LINE_QUANTITY_MAX).contains(&pieces), field, || {
        format!("is {pieces}; write 1 to {LINE_QUANTITY_MAX} pieces")
    });
}

fn check_times(faults: &mut Faults, times_max: Option<u32>) {
    faults.need(times_max != Some(0), "times_max", || "is 0, so that nothing is given; leave it out for any");
}

fn check_amounts(faults: &mut Faults, field: &str, amounts: &Amounts, least: i64) {
    for (currency, minor) in amounts {
        faults.need((least..=PRICE_MINOR_MAX).contains(minor), field, || {
            format!("is {minor} {currency}; write {least} to {PRICE_MINOR_MAX} minor units")
        });
    }
}

fn check_needed_amounts(faults: &mut Faults, field: &str, amounts: &Amounts, least: i64) {
    faults.need(!amounts.is_empty(), field, || "holds no amount in any currency; write one, such as GBP");
    check_amounts(faults, field, amounts, least);
}

fn check_tiers(faults: &mut Faults, tiers: &[Tier]) {
    faults.need((1..=PROMOTION_TIERS_MAX).contains(&tiers.len()), "tiers", || {
        format!("holds {} tiers; write 1 to {PROMOTION_TIERS_MAX}", tiers.len())
    });
    let by_pieces = tiers.first().is_some_and(|tier| tier.from_pieces.is_some());
    let mut below: Option<&Tier> = None;
    faults.each("tiers", tiers, |faults, tier| {
        faults.need(
            tier.from_pieces.is_some() == tier.from_minor.is_empty(),
            "",
            || "is not reached by one measure; write either from_pieces or from_minor",
        );
        faults.need(
            tier.from_pieces.is_some() == by_pieces,
            "",
            || "is not measured as the first tier is; write from_pieces in all tiers, or from_minor",
        );
        faults.need(
            tier.off_bp.is_some() == tier.off_minor.is_empty(),
            "",
            || "does not take off one thing; write either off_bp or off_minor",
        );
        if let Some(pieces) = tier.from_pieces {
            check_pieces(faults, "from_pieces", pieces);
        }
        for (currency, minor) in &tier.from_minor {
            faults.need(*minor >= 1, "from_minor", || {
                format!("is {minor} {currency}; write 1 or more minor units")
            });
        }
        if let Some(off_bp) = tier.off_bp {
            check_off_bp(faults, off_bp);
        }
        check_amounts(faults, "off_minor", &tier.off_minor, 1);
        if let Some(below) = below {
            check_ascent(faults, below, tier);
        }
        below = Some(tier);
    });
}

fn check_ascent(faults: &mut Faults, below: &Tier, tier: &Tier) {
    if let (Some(before), Some(pieces)) = (below.from_pieces, tier.from_pieces) {
        faults.need(before < pieces, "from_pieces", || {
            format!("is {pieces}, not above the tier before, {before}; write the tiers from the lowest up")
        });
    }
    for (currency, before) in &below.from_minor {
        let minor = tier.from_minor.get(currency);
        faults.need(minor.is_none_or(|minor| before < minor), "from_minor", || {
            let minor = minor.unwrap_or(&0);
            format!("is {minor} {currency}, not above the tier before, {before}; write the tiers from the lowest up")
        });
    }
}
