//! What units said of their histories: which of their views may be learnt from.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::Context;
use polars::prelude::{Expr, LazyFrame, col, lit};
use recommender::Deletion;

/// Holds what units said, in the order of time.
#[derive(Debug, Default)]
pub struct Units {
    /// Visitors and the unit that they are known as from some time on.
    known: HashMap<String, String>,
    /// Until when a unit's history is deleted, Unix milliseconds.
    deleted: BTreeMap<String, i64>,
    /// From when a unit said no, and until when, if it changed its mind.
    declined: HashMap<String, Vec<(i64, i64)>>,
    /// The latest deletion, by itself or by whom somebody turned out to be.
    latest_deletion: Option<Deletion>,
}

/// Is one thing that a unit said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// It is known as another unit.
    Known(&'a str),
    /// Its history is deleted until a time.
    Deleted(i64),
    /// Nothing is to be learnt from what it does.
    Declined,
    /// It is, again.
    Allowed,
}

impl Units {
    /// Adds rows, oldest first.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn take(&mut self, rows: LazyFrame) -> anyhow::Result<()> {
        let columns = ["unit", "position", "at_ms", "said", "known_as", "through_ms"].map(col);
        let rows = rows.select(columns).collect()?;
        let text = |name: &str| anyhow::Ok(rows.column(name)?.str()?);
        let (units, kinds, others) = (text("unit")?, text("said")?, text("known_as")?);
        let (times, ends) = (rows.column("at_ms")?.i64()?, rows.column("through_ms")?.i64()?);
        let positions = rows.column("position")?.i64()?;
        for row in 0..rows.height() {
            let unit = units.get(row).context("a history of nobody")?;
            let at_ms = times.get(row).context("a history without time")?;
            let said = match (kinds.get(row), others.get(row)) {
                (Some("visitor_known"), Some(other)) => Said::Known(other),
                (Some("history_deleted"), _) => Said::Deleted(ends.get(row).unwrap_or(at_ms)),
                (Some("history_declined"), _) => Said::Declined,
                (Some("history_allowed"), _) => Said::Allowed,
                _ => continue,
            };
            self.say(unit, at_ms, said);
            let deletes = match said {
                Said::Deleted(_) => true,
                Said::Known(other) => self.deleted.contains_key(other),
                Said::Declined | Said::Allowed => false,
            };
            if deletes {
                let position = positions.get(row).context("a history without position")?;
                self.latest_deletion = self.latest_deletion.max(Some(Deletion { position, at_ms }));
            }
        }
        Ok(())
    }

    fn say(&mut self, unit: &str, at_ms: i64, said: Said<'_>) {
        match said {
            Said::Known(other) => {
                self.known.insert(unit.to_owned(), other.to_owned());
            }
            Said::Deleted(through_ms) => {
                let through = self.deleted.entry(unit.to_owned()).or_insert(through_ms);
                *through = through_ms.max(*through);
            }
            Said::Declined => {
                let spans = self.declined.entry(unit.to_owned()).or_default();
                if spans.last().is_none_or(|span| span.1 < at_ms) {
                    spans.push((at_ms, i64::MAX));
                }
            }
            Said::Allowed => {
                if let Some(span) = self.declined.get_mut(unit).and_then(|spans| spans.last_mut()) {
                    span.1 = span.1.min(at_ms);
                }
            }
        }
    }

    /// Returns the latest deletion, `None` where there was none.
    pub fn latest_deletion(&self) -> Option<Deletion> {
        self.latest_deletion
    }

    /// Returns whom a unit is known as, itself where nothing is known.
    pub fn known_as<'a>(&'a self, unit: &'a str) -> &'a str {
        self.known.get(unit).map_or(unit, String::as_str)
    }

    /// Says whether what a unit did at some time is to be left out.
    pub fn leave_out(&self, unit: &str, at_ms: i64) -> bool {
        let of_one = |unit: &str| {
            let spans = self.declined.get(unit).map(Vec::as_slice).unwrap_or_default();
            spans.iter().any(|(from, to)| (*from..*to).contains(&at_ms))
        };
        self.is_deleted(unit, at_ms) || of_one(unit) || of_one(self.known_as(unit))
    }

    /// Says whether what a unit did at some time is of a history that was deleted.
    pub fn is_deleted(&self, unit: &str, at_ms: i64) -> bool {
        let of_one = |unit: &str| self.deleted.get(unit).is_some_and(|through| at_ms <= *through);
        of_one(unit) || of_one(self.known_as(unit))
    }

    /// Says whether `later`, which is a part of what was said, may have deleted more than was deleted without it.
    pub fn are_deleted_by(&self, later: &Self) -> bool {
        !later.deleted.is_empty() || later.known.values().any(|unit| self.deleted.contains_key(unit))
    }

    /// Returns what the views of deleted histories have in common, `None` where there are none.
    pub fn deleted(&self) -> Option<Expr> {
        let as_others =
            self.known.iter().filter_map(|(visitor, unit)| Some((visitor, self.deleted.get(unit)?)));
        let all = self.deleted.iter().chain(as_others).collect::<HashSet<_>>();
        let mut all: Vec<(&String, &i64)> = all.into_iter().collect();
        all.sort_unstable();
        let of = |(unit, through): (&String, &i64)| {
            col("unit").eq(lit(unit.as_str())).and(col("at_ms").lt_eq(lit(*through)))
        };
        all.into_iter().map(of).reduce(Expr::or)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_deleted_or_declined_is_left_out_for_whoever_is_the_same() {
        let mut units = Units::default();
        for (unit, at_ms, said) in [
            ("v", 5, Said::Known("u")),
            ("u", 10, Said::Deleted(9)),
            ("w", 20, Said::Declined),
            ("w", 25, Said::Declined),
            ("w", 30, Said::Allowed),
            ("w", 40, Said::Declined),
        ] {
            units.say(unit, at_ms, said);
        }
        let left_out = |unit: &str| (0..50).filter(|at| units.leave_out(unit, *at)).collect::<Vec<i64>>();
        assert_eq!(left_out("u"), (0..=9).collect::<Vec<_>>());
        assert_eq!(left_out("v"), left_out("u"));
        assert_eq!(left_out("w"), (20..30).chain(40..50).collect::<Vec<_>>());
        assert!(left_out("x").is_empty());
        assert_eq!((units.known_as("v"), units.known_as("x")), ("u", "x"));
        let deleted = |unit: &str| (0..50).filter(|at| units.is_deleted(unit, *at)).count();
        assert_eq!((deleted("u"), deleted("v"), deleted("w")), (10, 10, 0), "a no is no deletion");
    }

    #[test]
    fn what_may_have_deleted_more_is_told_from_what_has_not() {
        let said = |all: &[(&str, Said<'_>)]| {
            let mut units = Units::default();
            all.iter().for_each(|(unit, said)| units.say(unit, 5, *said));
            units
        };
        let all = said(&[("v", Said::Known("u")), ("w", Said::Known("x")), ("u", Said::Deleted(9))]);
        for (later, expected) in [
            (said(&[("u", Said::Deleted(9))]), true),
            (said(&[("v", Said::Known("u"))]), true),
            (said(&[("w", Said::Known("x")), ("x", Said::Declined)]), false),
            (said(&[]), false),
        ] {
            assert_eq!(all.are_deleted_by(&later), expected, "{later:?}");
        }
    }
}
