//! Running experiments that decide one flag: which comes first, and what is left for the others.

use crate::definition::{Experiment, Layer, Status, WHOLE_BP};

/// Holds the other running experiments on an experiment's flag.
///
/// A unit is in one of them at most: in the first, by key, that includes it (as in [`crate::growthbook::export`]). That leaves every
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
    /// Units would be in two experiments of one layer.
    #[error(
        "its part of layer `{layer}`, from {from_bp} to {to_bp} basis points, overlaps that of {other}: choose a part that no \
         experiment has which is not over, or stop that first"
    )]
    LayerTaken {
        /// The layer.
        layer: String,
        /// Where its part begins.
        from_bp: u32,
        /// Where it ends.
        to_bp: u32,
        /// The name of the other one.
        other: String,
    },
    /// Two holdouts would keep different visitors from different things.
    #[error("{other} is a holdout that is not over, and two at once would blur each other: stop that first")]
    SecondHoldout {
        /// The name of the other one.
        other: String,
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
            let layer = before.targeting().layer.as_ref().map_or(1.0, Layer::share);
            1.0 - layer * f64::from(before.coverage_bp()) / f64::from(WHOLE_BP)
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
            let is_rival = other.status() == Status::Running && other.flag() == self.flag();
            is_rival && other.key() != self.key() && !self.is_apart(other)
        });
        let (mut before, mut after): (Vec<_>, Vec<_>) = rivals.partition(|other| other.key() < self.key());
        before.sort_by_key(|other| other.key());
        after.sort_by_key(|other| other.key());
        Rivals { before, after }
    }

    fn takes_everybody(&self) -> bool {
        self.coverage_bp() == WHOLE_BP && self.targeting().is_everybody()
    }

    /// Returns whether no unit can be in both, as they lie in different parts of one layer.
    fn is_apart(&self, other: &Experiment) -> bool {
        match (&self.targeting().layer, &other.targeting().layer) {
            (Some(mine), Some(theirs)) => mine.key == theirs.key && !mine.overlaps(theirs),
            _ => false,
        }
    }

    /// Checks that its part of a layer is free, and that it is the only holdout.
    ///
    /// # Errors
    /// [`RivalError::LayerTaken`] or [`RivalError::SecondHoldout`], where another experiment that has started and is not over
    /// has it. A paused one goes on some day.
    pub fn check_room(&self, all: &[Experiment]) -> Result<(), RivalError> {
        let mut others = all.iter().filter(|other| {
            matches!(other.status(), Status::Running | Status::Paused) && other.key() != self.key()
        });
        if self.is_holdout() {
            return match others.find(|other| other.is_holdout()) {
                Some(other) => Err(RivalError::SecondHoldout { other: other.name().to_owned() }),
                None => Ok(()),
            };
        }
        let Some(layer) = &self.targeting().layer else { return Ok(()) };
        match others.find(|other| other.targeting().layer.as_ref().is_some_and(|taken| taken.overlaps(layer)))
        {
            Some(other) => Err(RivalError::LayerTaken {
                layer: layer.key.clone(),
                from_bp: layer.from_bp,
                to_bp: layer.to_bp,
                other: other.name().to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// Checks that it may take units, or more of them, while its rivals run.
    ///
    /// # Errors
    /// [`RivalError`], where none would be left for it, where it would take those of another, or where both split alike.
    pub fn check_rivals(&self, all: &[Experiment]) -> Result<(), RivalError> {
        self.check_room(all)?;
        let rivals = self.rivals(all);
        let flag = self.flag().to_owned();
        let mut all = rivals.before.iter().chain(&rivals.after);
        if let Some(other) = all.find(|other| other.seed() == self.seed()) {
            return Err(RivalError::SameSeed { other: other.name().to_owned(), flag });
        }
        if let Some(by) = rivals.before.iter().find(|before| before.takes_everybody()) {
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
    use serde_json::json;

    use super::*;
    use crate::assign::tests::answered;

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
            let found = answered(&all, "f", &unit.to_string());
            found.is_some_and(|(_, counted)| counted.is_some_and(|(key, _)| key == "b"))
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
    #[test]
    fn parts_of_a_layer_are_nobody_elses() {
        let placed = |key: &str, flag: &str, from_bp: u32, to_bp: u32| {
            let mut value = running(key, flag, 10_000).to_value();
            value["targeting"] = json!({"layer": {"key": "l", "from_bp": from_bp, "to_bp": to_bp}});
            Experiment::parse_value(&value).unwrap()
        };
        let all = [placed("b", "f", 0, 4_000)];
        assert_eq!(placed("a", "f", 4_000, 10_000).check_rivals(&all), Ok(()), "they lie apart");
        assert!(placed("a", "f", 4_000, 10_000).rivals(&all).is_empty());
        let taken = placed("a", "g", 3_990, 10_000).check_rivals(&all).unwrap_err().to_string();
        assert!(
            taken.starts_with("its part of layer `l`, from 3990 to 10000 basis points, overlaps that of B"),
            "{taken}"
        );
        assert!(placed("c", "f", 4_000, 5_000).rivals(&[running("b", "f", 5_000)]).left() < 0.51);
        assert!((running("c", "f", 100).rivals(&all).left() - 0.6).abs() < 1e-12, "a part leaves the rest");
    }

    #[test]
    fn there_is_one_holdout_at_a_time() {
        let all = [running("h", crate::holdout::FLAG, 1_000)];
        let second = running("i", crate::holdout::FLAG, 1_000).check_rivals(&all).unwrap_err().to_string();
        assert!(second.starts_with("H is a holdout that is not over"), "{second}");
    }
}
