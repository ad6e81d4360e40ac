//! When a promotion holds: conditions on customer, time, place and the lines of the cart.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{Amounts, Selector};
use crate::{
    ChannelId, Country, Currency, GroupId, VisitorId,
    definition::Faults,
    limits::{PROMOTION_NEEDS_MAX, SELECTOR_NAMES_MAX},
    price::moment::Moment,
};

/// Is what must hold for a promotion to apply; all of it must.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PromotionConditions {
    /// It holds from this time on, in Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<i64>,
    /// It holds until before this time, in Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
    /// The hours of the week in which it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weekly: Option<WeeklyHours>,
    /// The channels it is for; none is all.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub channels: BTreeSet<ChannelId>,
    /// The currencies it is for; none is all that it has amounts in.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub currencies: BTreeSet<Currency>,
    /// The customer groups it is for; none is everybody.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<GroupId>,
    /// The customers it is for; none is everybody.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub customers: BTreeSet<VisitorId>,
    /// The countries to which the order may go; none is everywhere.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub countries: BTreeSet<Country>,
    /// The fewest orders that the customer has placed before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_orders_before: Option<u64>,
    /// The most orders that the customer has placed before; 0 is for the first order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_orders_before: Option<u64>,
    /// What the cart must hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Need>,
}

impl PromotionConditions {
    /// Reports whether they ask how many orders the customer has placed before.
    pub fn ask_for_orders(&self) -> bool {
        self.min_orders_before.is_some() || self.max_orders_before.is_some()
    }

    /// Returns the first time after one, both in Unix milliseconds, at which they may begin or cease to hold by themselves: by their
    /// dates, or with a minute, where they name hours.
    pub fn change_after(&self, at_ms: i64) -> Option<i64> {
        let dates = [self.from_ms, self.until_ms].into_iter().flatten().filter(|date_ms| *date_ms > at_ms);
        let minute = self.weekly.as_ref().map(|_| (at_ms.div_euclid(MINUTE_MS) + 1) * MINUTE_MS);
        dates.chain(minute).min()
    }
}

/// Is what a cart must hold: pieces or sums of what is selected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// What is counted; everything unless told.
    #[serde(default = "Selector::everything")]
    pub of: Selector,
    /// The fewest pieces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_pieces: Option<u64>,
    /// The most pieces; 0 is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_pieces: Option<u64>,
    /// The least sum.
    #[serde(default, skip_serializing_if = "Amounts::is_empty")]
    pub min_minor: Amounts,
    /// The greatest sum.
    #[serde(default, skip_serializing_if = "Amounts::is_empty")]
    pub max_minor: Amounts,
    /// Which sum.
    #[serde(default)]
    pub sum: SumOf,
}

/// Says which sum a need is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SumOf {
    /// What earlier promotions left.
    #[default]
    Left,
    /// The prices before any promotion.
    Full,
}

/// Is a day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Weekday {
    const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    fn name(self) -> &'static str {
        match self {
            Self::Mon => "Monday",
            Self::Tue => "Tuesday",
            Self::Wed => "Wednesday",
            Self::Thu => "Thursday",
            Self::Fri => "Friday",
            Self::Sat => "Saturday",
            Self::Sun => "Sunday",
        }
    }
}

const DAY_MINUTES: u16 = 24 * 60;
const MINUTE_MS: i64 = 60_000;

/// Is a part of some days of the week, such as a happy hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeeklyHours {
    /// The days; none is all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub days: BTreeSet<Weekday>,
    /// It begins so many minutes after midnight.
    #[serde(default)]
    pub from_minute: u16,
    /// It ends so many minutes after midnight, 1440 at the most.
    #[serde(default = "midnight")]
    pub until_minute: u16,
    /// How far the shop's clock is ahead of UTC, in minutes; it does not follow the seasons.
    #[serde(default)]
    pub utc_offset_minutes: i16,
}

fn midnight() -> u16 {
    DAY_MINUTES
}

impl WeeklyHours {
    /// Reports whether a time, in Unix milliseconds, is within.
    pub fn hold(&self, now_ms: i64) -> bool {
        let minutes = now_ms.div_euclid(MINUTE_MS) + i64::from(self.utc_offset_minutes);
        let of_day = minutes.rem_euclid(i64::from(DAY_MINUTES));
        // 1970-01-01 was a Thursday, the day after three others of its week.
        let weekday = (minutes.div_euclid(i64::from(DAY_MINUTES)) + 3).rem_euclid(7);
        (i64::from(self.from_minute)..i64::from(self.until_minute)).contains(&of_day)
            && (self.days.is_empty() || self.days.contains(&Weekday::ALL[weekday as usize]))
    }

    fn check(&self, faults: &mut Faults) {
        let (from, until) = (self.from_minute, self.until_minute);
        faults.need(from < until && until <= DAY_MINUTES, "until_minute", || {
            format!("is {until} and from_minute {from}; let the hours end after they begin, at {DAY_MINUTES} at the latest")
        });
        let most = DAY_MINUTES as i16;
        faults.need((-most..=most).contains(&self.utc_offset_minutes), "utc_offset_minutes", || {
            format!("is {}; write -{most} to {most}", self.utc_offset_minutes)
        });
    }
}

impl fmt::Display for WeeklyHours {
    /// Writes `Friday, Saturday 17:00 to 19:00 (UTC+01:00)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.days.len() {
            0 => f.write_str("every day")?,
            _ => f.write_str(&self.days.iter().map(|day| day.name()).collect::<Vec<_>>().join(", "))?,
        }
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        write!(f, " {} to {} (UTC", clock(self.from_minute), clock(self.until_minute))?;
        let sign = if self.utc_offset_minutes < 0 { '-' } else { '+' };
        write!(f, "{sign}{})", clock(self.utc_offset_minutes.unsigned_abs()))
    }
}

impl PromotionConditions {
    pub(super) fn check(&self, faults: &mut Faults) {
        if let (Some(from), Some(until)) = (self.from_ms, self.until_ms) {
            faults.need(from < until, "until_ms", || {
                format!(
                    "is {}, not after from_ms {}; let the window end after it begins",
                    Moment(until),
                    Moment(from)
                )
            });
        }
        if let Some(weekly) = &self.weekly {
            faults.within("weekly", |faults| weekly.check(faults));
        }
        let names = self.customers.len() + self.groups.len() + self.channels.len();
        faults.need(names <= SELECTOR_NAMES_MAX, "customers", || {
            format!("names {names} customers, groups and channels, the most allowed is {SELECTOR_NAMES_MAX}; make a group")
        });
        if let (Some(min), Some(max)) = (self.min_orders_before, self.max_orders_before) {
            faults.need(min <= max, "max_orders_before", || {
                format!("is {max}, below min_orders_before {min}, so that no customer fits")
            });
        }
        faults.need(self.needs.len() <= PROMOTION_NEEDS_MAX, "needs", || {
            format!("holds {} needs, the most allowed is {PROMOTION_NEEDS_MAX}", self.needs.len())
        });
        faults.each("needs", &self.needs, |faults, need| need.check(faults));
    }
}

impl Need {
    fn check(&self, faults: &mut Faults) {
        faults.within("of", |faults| self.of.check(faults));
        let Self { min_pieces, max_pieces, min_minor, max_minor, .. } = self;
        faults.need(
            min_pieces.is_some() || max_pieces.is_some() || !min_minor.is_empty() || !max_minor.is_empty(),
            "",
            || "asks for nothing; write min_pieces, max_pieces, min_minor or max_minor",
        );
        faults.need(*min_pieces != Some(0), "min_pieces", || "is 0, which every cart holds; leave it out");
        faults.need(
            *max_pieces != Some(0) || !self.of.is_everything(),
            "max_pieces",
            || "is 0 of everything, so that only an empty cart fits; say of what",
        );
        if let (Some(min), Some(max)) = (min_pieces, max_pieces) {
            faults.need(min <= max, "max_pieces", || {
                format!("is {max}, below min_pieces {min}, so that no cart fits")
            });
        }
        for (field, amounts) in [("min_minor", min_minor), ("max_minor", max_minor)] {
            for (currency, minor) in amounts {
                faults.need(*minor >= 1, field, || {
                    format!("is {minor} {currency}; write 1 or more minor units")
                });
            }
        }
        for (currency, min) in min_minor {
            let max = max_minor.get(currency);
            faults.need(max.is_none_or(|max| min <= max), "max_minor", || {
                format!("is {} {currency}, below min_minor {min}, so that no cart fits", max.unwrap_or(&0))
            });
        }
    }
}
