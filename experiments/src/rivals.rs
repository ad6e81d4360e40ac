//! Running experiments that decide one flag: which comes first, and what is left for the others.

use crate::definition::{Experiment, Status, WHOLE_BP};

/// Holds the other running experiments on an experiment's flag.
///
/// A unit is in one of them at most: in the first, by key, that includes it ([`crate::evaluate_flag`]). That leaves every
/// split as planned, since seeds differ; what one takes is missing to those behind it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rivals<'a> {
    /// Those that take their units first, in their order.
    pub before: Vec<&'a Experiment>,
    /// Those that get what is left.
    pub after: Vec<&'a Experiment>,
}

/// Says why an experiment cannot take units beside its rivals, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RivalError {
    /// It would run for ever without a unit.
    #[error(
        "nobody is left for it: {by} decides flag `{flag}`, too, comes first by its key and takes everybody. Stop that first"
    )]
    NobodyLeft {
        /// The name of the one that takes all.
        by: String,
        /// The flag.
        flag: String,
    },
    /// Units that count elsewhere would meet its variations from then on.
    #[error(
        "it would take visitors from {from}, which runs on flag `{flag}`, too, and would go on counting them: stop that first, or \
         copy this experiment under a key that comes after `{key}`"
    )]
    TakesUnits {
        /// The name of the one that would lose units.
        from: String,
        /// Its key.
        key: String,
        /// The flag.
        flag: String,
    },
    /// What one takes would be missing to the other unevenly.
    #[error(
        "{other} runs on flag `{flag}`, too, and splits visitors by the same seed, so what one takes would be missing to the other \
         unevenly: give this experiment another seed"
    )]
    SameSeed {
        /// The name of the other one.
        other: String,
        /// The flag.
        flag: String,
    },
}

impl Rivals<'_> {
    /// Returns whether nobody else decides the flag.
    pub fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    /// Returns the share of all units that those before leave, 0 to 1.
    pub fn left(&self) -> f64 {
        let leaves = |before: &&Experiment| {
            f64::from(WHOLE_BP.saturating_sub(before.coverage_bp())) / f64::from(WHOLE_BP)
        };
        self.before.iter().map(leaves).product()
    }
}

impl Experiment {
    /// Returns the other running experiments on its flag, as if it ran itself.
    ///
    /// ```
    /// # use experiments::Experiment;
    /// # let of = |key: &str, coverage_bp: u32| Experiment::parse(&format!(r#"{{"schema_version": 1, "key": "{key}", "name": "E",
    /// #   "flag": "f", "status": "running", "coverage_bp": {coverage_bp}, "variations": [{{"key": "a", "weight_bp": 5000, "value": 0}},
    /// #   {{"key": "b", "weight_bp": 5000, "value": 1}}]}}"#)).unwrap();
    /// let all = [of("a", 2_500), of("b", 10_000), of("c", 4_000)];
    /// let rivals = all[1].rivals(&all);
    /// assert_eq!((rivals.before, rivals.after), (vec![&all[0]], vec![&all[2]]));
    /// assert_eq!(all[2].rivals(&all[..1]).left(), 0.75);
    /// ```
    pub fn rivals<'a>(&self, all: &'a [Experiment]) -> Rivals<'a> {
        let rivals = all.iter().filter(|other| {
            other.status() == Status::Running && other.flag() == self.flag() && other.key() != self.key()
        });
        let (mut before, mut after): (Vec<_>, Vec<_>) = rivals.partition(|other| other.key() < self.key());
        before.sort_by_key(|other| other.key());
        after.sort_by_key(|other| other.key());
        Rivals { before, after }
    }

    /// Checks that it may take units, or more of them, while its rivals run.
    ///
    /// # Errors
    /// [`RivalError`], where none would be left for it, where it would take those of another, or where both split alike.
    pub fn check_rivals(&self, all: &[Experiment]) -> Result<(), RivalError> {
        let rivals = self.rivals(all);
        let flag = self.flag().to_owned();
        let mut all = rivals.before.iter().chain(&rivals.after);
        if let Some(other) = all.find(|other| other.seed() == self.seed()) {
            return Err(RivalError::SameSeed { other: other.name().to_owned(), flag });
        }
        if let Some(by) = rivals.before.iter().find(|before| before.coverage_bp() == WHOLE_BP) {
            return Err(RivalError::NobodyLeft { by: by.name().to_owned(), flag });
        }
        match rivals.after.iter().rev().find(|after| after.coverage_bp() > 0) {
            Some(after) if self.coverage_bp() > 0 => Err(RivalError::TakesUnits {
                from: after.name().to_owned(),
                key: after.key().to_owned(),
                flag,
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::assign::evaluate_flag;

    fn running(key: &str, flag: &str, coverage_bp: u32) -> Experiment {
        Experiment::parse_value(&json!({
            "schema_version": 1, "key": key, "name": key.to_uppercase(), "flag": flag, "status": "running",
            "coverage_bp": coverage_bp, "variations": [
                {"key": "old", "weight_bp": 5000, "value": 0}, {"key": "new", "weight_bp": 5000, "value": 1},
            ],
        }))
        .unwrap()
    }

    #[test]
    fn what_is_left_is_what_units_meet() {
        let all = [running("a", "f", 4_000), running("b", "f", 10_000), running("c", "other", 10_000)];
        let rivals = all[1].rivals(&all);
        assert!((rivals.left() - 0.6).abs() < 1e-12);
        let meets = |unit: u32| {
            let found = evaluate_flag(&all, "f", &unit.to_string(), &BTreeMap::new());
            found.is_some_and(|found| found.experiment.key() == "b")
        };
        let met = (0..4_000).filter(|unit| meets(*unit)).count();
        assert!((2_300..2_500).contains(&met), "{met} of 4000 meet the second experiment");
        assert!(all[2].rivals(&all).is_empty());
    }

    #[test]
    fn nobody_starts_where_nobody_is_left_or_others_would_lose_units() {
        let all = [running("b", "f", 10_000)];
        let nobody = running("c", "f", 10_000).check_rivals(&all).unwrap_err().to_string();
        assert!(nobody.contains("B decides flag `f`, too, comes first by its key"), "{nobody}");
        let takes = running("a", "f", 100).check_rivals(&all).unwrap_err().to_string();
        assert!(takes.contains("copy this experiment under a key that comes after `b`"), "{takes}");
        assert_eq!(running("a", "f", 0).check_rivals(&all), Ok(()), "who takes nobody takes nobody away");
        assert_eq!(running("a", "other", 100).check_rivals(&all), Ok(()));
        assert_eq!(running("c", "f", 100).check_rivals(&[running("b", "f", 9_999)]), Ok(()));
    }
}
