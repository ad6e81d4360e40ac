//! Times as a person reads them.

use std::fmt;

const SECOND_MS: i64 = 1_000;
const DAY_MS: i64 = 86_400 * SECOND_MS;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Writes Unix milliseconds as RFC 3339 in UTC, with a fraction only where there is one; `{:#}` as shoppers read it, to the
/// minute: `3 December 2026, 23:00 UTC`.
pub(crate) struct Moment(pub(crate) i64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0.div_euclid(DAY_MS));
        let of_day_ms = self.0.rem_euclid(DAY_MS);
        let (seconds, ms) = (of_day_ms / SECOND_MS, of_day_ms % SECOND_MS);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        if f.alternate() {
            let name = MONTHS[usize::try_from(month - 1).unwrap_or(0)];
            return write!(f, "{day} {name} {year}, {hour:02}:{minute:02} UTC");
        }
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if ms > 0 {
            write!(f, ".{ms:03}")?;
        }
        f.write_str("Z")
    }
}

/// Returns year, month and day of the proleptic Gregorian calendar, days after 1970-01-01.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013), `civil_from_days`:
/// years begin in March, so that a leap day ends one, and 400 years have 146,097 days.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_rfc_3339() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_000_000_000_000, "2001-09-09T01:46:40Z"),
            (1_796_083_200_000, "2026-12-01T00:00:00Z"),
            (1_735_689_599_999, "2024-12-31T23:59:59.999Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Moment(ms).to_string(), text);
        }
        assert_eq!(format!("{:#}", Moment(1_796_083_259_999)), "1 December 2026, 00:00 UTC");
        assert_eq!(format!("{:#}", Moment(951_868_799_999)), "29 February 2000, 23:59 UTC");
        for extreme in [i64::MIN, i64::MAX] {
            assert!(format!("{:#}", Moment(extreme)).ends_with("UTC"));
            assert!(Moment(extreme).to_string().ends_with('Z'));
        }
    }
}
