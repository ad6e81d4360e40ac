//! Why a promotion did not apply, and how a shopper gets it.

use std::{collections::BTreeSet, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::WeeklyHours;
use crate::{Country, Currency, Money, PromotionId, Sku, price::moment::Moment};

/// Says why a promotion did not apply; its `Display` is a fragment for the shopper that says how to get it.
///
/// The first reason in the order of this list is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NotApplied {
    /// The shop does not let it apply for the time being.
    Paused,
    /// It is too early.
    NotBegun {
        /// When it begins, in Unix milliseconds.
        from_ms: i64,
    },
    /// It is too late.
    Ended {
        /// When it ended, in Unix milliseconds.
        until_ms: i64,
    },
    /// It is not the time of the week.
    Hours {
        /// When it is.
        hours: WeeklyHours,
    },
    /// No code of it was typed.
    CodeMissing,
    /// It is for other channels.
    Channel,
    /// It has no amount in the cart's currency, or is for others.
    Currency {
        /// The cart's currency.
        currency: Currency,
    },
    /// It is for other customer groups.
    Group,
    /// It is for other customers.
    Customer,
    /// The customer has ordered too seldom so far.
    OrdersLacking {
        /// How many orders are lacking.
        orders: u64,
    },
    /// The customer has ordered too often before.
    OrdersTooMany {
        /// The most orders before.
        max: u64,
    },
    /// The order does not go to one of its countries.
    Country {
        /// Where it goes, where that is known.
        country: Option<Country>,
        /// Its countries.
        countries: BTreeSet<Country>,
    },
    /// It was used as often as it may be.
    UsedUp {
        /// The limit that was reached.
        limit: UseLimit,
    },
    /// It does not combine with a promotion that applied before.
    Excluded {
        /// That promotion.
        by: PromotionId,
        /// Its name for people.
        name: Arc<str>,
    },
    /// There are too few pieces.
    PiecesLacking {
        /// How many are lacking.
        pieces: u64,
        /// What they are called, where it is not anything.
        of: Option<Arc<str>>,
    },
    /// There are too many pieces.
    PiecesTooMany {
        /// The most.
        max: u64,
        /// What they are called, where it is not anything.
        of: Option<Arc<str>>,
    },
    /// The sum is too small.
    SumLacking {
        /// What is lacking.
        lacking: Money,
        /// What the sum is over, where it is not everything.
        of: Option<Arc<str>>,
    },
    /// The sum is too great.
    SumTooGreat {
        /// The greatest.
        max: Money,
        /// What the sum is over, where it is not everything.
        of: Option<Arc<str>>,
    },
    /// The cart holds nothing that it reduces.
    NothingSelected {
        /// What that is called, where it is not anything.
        of: Option<Arc<str>>,
    },
    /// Earlier promotions left nothing to take from.
    NothingLeft,
    /// It would take off less than the smallest unit of the currency.
    TooLittle,
    /// The pieces cost no more than the bundle.
    NotCheaper {
        /// The price of a bundle.
        price: Money,
    },
    /// The shopper does not want the gift.
    Declined {
        /// The gift.
        sku: Sku,
        /// What it is called, where somebody has looked it up.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        name: String,
    },
    /// The gift cannot be had at present.
    GiftOutOfStock {
        /// The gift.
        sku: Sku,
        /// What it is called, where somebody has looked it up.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        name: String,
    },
    /// Another promotion of its group takes off more, or as much and comes first.
    Beaten {
        /// That promotion.
        by: PromotionId,
        /// Its name for people.
        name: Arc<str>,
        /// What it would have taken off.
        off: Money,
    },
}

/// Names a limit of uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UseLimit {
    /// Of all uses.
    Total,
    /// Of one customer's uses.
    Customer,
    /// Of the uses of the typed code.
    Code,
}

impl NotApplied {
    /// Returns the stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::NotBegun { .. } => "not_begun",
            Self::Ended { .. } => "ended",
            Self::Hours { .. } => "hours",
            Self::CodeMissing => "code_missing",
            Self::Channel => "channel",
            Self::Currency { .. } => "currency",
            Self::Group => "group",
            Self::Customer => "customer",
            Self::OrdersLacking { .. } => "orders_lacking",
            Self::OrdersTooMany { .. } => "orders_too_many",
            Self::Country { .. } => "country",
            Self::UsedUp { .. } => "used_up",
            Self::Excluded { .. } => "excluded",
            Self::PiecesLacking { .. } => "pieces_lacking",
            Self::PiecesTooMany { .. } => "pieces_too_many",
            Self::SumLacking { .. } => "sum_lacking",
            Self::SumTooGreat { .. } => "sum_too_great",
            Self::NothingSelected { .. } => "nothing_selected",
            Self::NothingLeft => "nothing_left",
            Self::TooLittle => "too_little",
            Self::NotCheaper { .. } => "not_cheaper",
            Self::Declined { .. } => "declined",
            Self::GiftOutOfStock { .. } => "gift_out_of_stock",
            Self::Beaten { .. } => "beaten",
        }
    }

    /// Reports whether a gift is all that is lacking: what a shopper is told who might expect it.
    pub fn is_missing_gift(&self) -> bool {
        matches!(self, Self::Declined { .. } | Self::GiftOutOfStock { .. })
    }

    /// Reports whether the shopper gets the promotion by changing the cart or giving an address: what a page may
    /// advertise. Codes are never given away.
    pub fn is_in_reach(&self) -> bool {
        matches!(
            self,
            Self::PiecesLacking { .. }
                | Self::PiecesTooMany { .. }
                | Self::SumLacking { .. }
                | Self::SumTooGreat { .. }
                | Self::NothingSelected { .. }
                | Self::Country { country: None, .. }
        )
    }
}

/// Returns what a gift is called.
pub(super) fn called<'a>(sku: &'a Sku, name: &'a str) -> &'a str {
    if name.is_empty() { sku.as_str() } else { name }
}

/// Writes ` of books`, or nothing.
struct Of<'a>(&'a Option<Arc<str>>, &'static str);

impl fmt::Display for Of<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |of| write!(f, " {} {of}", self.1))
    }
}

fn pieces(count: u64) -> &'static str {
    if count == 1 { "piece" } else { "pieces" }
}

impl fmt::Display for NotApplied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paused => f.write_str("is paused by the shop"),
            Self::NotBegun { from_ms } => write!(f, "begins {:#}", Moment(*from_ms)),
            Self::Ended { until_ms } => write!(f, "ended {:#}", Moment(*until_ms)),
            Self::Hours { hours } => write!(f, "holds {hours}"),
            Self::CodeMissing => f.write_str("enter its code"),
            Self::Channel => f.write_str("is for orders through another channel"),
            Self::Currency { currency } => write!(f, "is not for orders in {currency}"),
            Self::Group => f.write_str("is for customers of another group"),
            Self::Customer => f.write_str("is for other customers"),
            Self::OrdersLacking { orders } => {
                write!(f, "order {orders} more {} first", if *orders == 1 { "time" } else { "times" })
            }
            Self::OrdersTooMany { max: 0 } => f.write_str("is for the first order"),
            Self::OrdersTooMany { max } => write!(f, "is for the first {} orders", max.saturating_add(1)),
            Self::Country { country, countries } => {
                let names: Vec<_> = countries.iter().map(Country::code).collect();
                match country {
                    None => write!(f, "give an address in {}", names.join(", ")),
                    Some(country) => write!(f, "is for orders to {}, not {country}", names.join(", ")),
                }
            }
            Self::UsedUp { limit: UseLimit::Total } => f.write_str("was used as often as it may be"),
            Self::UsedUp { limit: UseLimit::Customer } => {
                f.write_str("was used by you as often as it may be")
            }
            Self::UsedUp { limit: UseLimit::Code } => {
                f.write_str("needs another code; this one was used as often as it may be")
            }
            Self::Excluded { name, .. } => write!(f, "does not combine with {name}"),
            Self::PiecesLacking { pieces: count, of } => {
                write!(f, "add {count} more {}{}", pieces(*count), Of(of, "of"))
            }
            Self::PiecesTooMany { max: 0, of } => write!(f, "is for orders without{}", Of(of, "any")),
            Self::PiecesTooMany { max, of } => {
                write!(f, "is for orders of at most {max} {}{}", pieces(*max), Of(of, "of"))
            }
            Self::SumLacking { lacking, of } => write!(f, "spend {lacking} more{}", Of(of, "on")),
            Self::SumTooGreat { max, of } => write!(f, "is for orders up to {max}{}", Of(of, "of")),
            Self::NothingSelected { of: None } => f.write_str("add something that it is for"),
            Self::NothingSelected { of: Some(of) } => write!(f, "add some {of}"),
            Self::NothingLeft => f.write_str("finds nothing left to reduce after the other promotions"),
            Self::TooLittle => f.write_str("would take off less than the smallest coin"),
            Self::NotCheaper { price } => {
                write!(f, "saves nothing; the pieces cost no more than {price} together")
            }
            Self::Declined { sku, name } => write!(f, "gives {} away, which you declined", called(sku, name)),
            Self::GiftOutOfStock { sku, name } => {
                write!(f, "gives {} away, which is out of stock", called(sku, name))
            }
            Self::Beaten { name, off, .. } => {
                write!(f, "would take {off} off, but only {name} of its group applies")
            }
        }
    }
}
