//! Days on pages.

use time::{OffsetDateTime, format_description::StaticFormatDescription, macros::format_description};

const DAY: StaticFormatDescription = format_description!("[day padding:none] [month repr:long] [year]");

/// Writes the day of a moment, in UTC: `1 December 2026`.
pub fn day(at_ms: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(at_ms / 1_000).ok();
    moment.and_then(|moment| moment.format(DAY).ok()).unwrap_or_default()
}
