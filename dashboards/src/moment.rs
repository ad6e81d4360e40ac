//! Moments as people and machines read them, always UTC.

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::{StaticFormatDescription, well_known::Rfc3339};
use time::macros::format_description;

use crate::figure::{NONE, counted};

const DATE: StaticFormatDescription = format_description!("[day padding:none] [month repr:short] [year]");
const TIME: StaticFormatDescription =
    format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");
const DAY_MS: i64 = 86_400_000;

/// Holds a moment in the forms that pages need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Moment {
    /// For machines, RFC 3339.
    pub iso: String,
    /// The day: `24 Nov 2026`.
    pub date: String,
    /// Day and time: `24 Nov 2026, 06:24 UTC`.
    pub time: String,
}

impl Moment {
    /// Makes a moment of Unix milliseconds; a dash where no calendar has a name for it.
    pub(crate) fn of(at_ms: i64) -> Moment {
        let at = OffsetDateTime::from_unix_timestamp(at_ms.div_euclid(1000)).ok();
        let write = |format: StaticFormatDescription| at.and_then(|at| at.format(format).ok());
        Moment {
            iso: at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default(),
            date: write(DATE).unwrap_or_else(|| NONE.into()),
            time: write(TIME).unwrap_or_else(|| NONE.into()),
        }
    }
}

/// Says how long it is from one moment to another, in whole days: `12 days`, `less than a day`.
pub(crate) fn span(from_ms: i64, to_ms: i64) -> String {
    match to_ms.saturating_sub(from_ms) / DAY_MS {
        days if days >= 1 => counted(days.unsigned_abs(), "day"),
        _ => "less than a day".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_utc() {
        let moment = Moment::of(1_795_501_499_999);
        assert_eq!(moment.iso, "2026-11-24T06:24:59Z");
        assert_eq!(moment.date, "24 Nov 2026");
        assert_eq!(moment.time, "24 Nov 2026, 06:24 UTC");
        assert_eq!(Moment::of(i64::MAX).time, "–");
        assert_eq!(Moment::of(-1).date, "31 Dec 1969");
    }

    #[test]
    fn spans_are_whole_days() {
        assert_eq!(span(0, DAY_MS - 1), "less than a day");
        assert_eq!(span(0, DAY_MS), "1\u{a0}day");
        assert_eq!(span(0, 12 * DAY_MS + 5), "12\u{a0}days");
        assert_eq!(span(DAY_MS, 0), "less than a day");
        assert_eq!(span(i64::MIN, i64::MAX), counted((i64::MAX / DAY_MS).unsigned_abs(), "day"));
    }
}
