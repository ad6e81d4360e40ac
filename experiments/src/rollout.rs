//! The winner of an experiment that is over, given to everybody.

use crate::definition::{DefinitionError, Experiment, Shipped, Status};
use crate::lifecycle::{Move, MoveError};

impl Experiment {
    /// Returns the experiment stopped, with a variation of it shipped at `at_ms` (Unix milliseconds UTC).
    ///
    /// It may run, be paused or have stopped; shipping another variation later replaces the first.
    ///
    /// ```
    /// # use experiments::{Experiment, Status};
    /// # let running = Experiment::parse(r#"{"schema_version": 1, "key": "e", "name": "E", "flag": "f", "status": "running",
    /// #   "variations": [
    /// #   {"key": "a", "weight_bp": 5000, "value": 0}, {"key": "b", "weight_bp": 5000, "value": 1}]}"#).unwrap();
    /// let shipped = running.ship("b", 0)?;
    /// assert_eq!((shipped.status(), shipped.rollout()), (Status::Stopped, Some(1)));
    /// # Ok::<(), experiments::lifecycle::MoveError>(())
    /// ```
    ///
    /// # Errors
    /// [`MoveError`], when it is a draft or archived, or has no such variation.
    pub fn ship(self, variation: &str, at_ms: i64) -> Result<Experiment, MoveError> {
        if self.variations().iter().all(|one| one.key() != variation) {
            return Err(DefinitionError::UnknownShipped { key: variation.to_owned() }.into());
        }
        let stopped = match self.status() {
            Status::Stopped => self,
            _ => self.moved(Move::Stop)?,
        };
        Ok(stopped.with_shipped(Some(Shipped { variation: variation.to_owned(), at_ms })))
    }

    /// Returns the index of the variation that is shipped, until the experiment is archived.
    pub fn rollout(&self) -> Option<usize> {
        let shipped = self.shipped().filter(|_| self.status() == Status::Stopped)?;
        self.variations().iter().position(|variation| variation.key() == shipped.variation)
    }
}

/// Returns the experiment on the flag whose shipped variation holds, and the variation's index: the one shipped
/// last, and of two shipped at once the one whose key comes last.
pub fn on_flag<'a>(experiments: &'a [Experiment], flag: &str) -> Option<(&'a Experiment, usize)> {
    let on_flag = experiments.iter().filter(|experiment| experiment.flag() == flag);
    let shipped = on_flag.filter_map(|experiment| Some((experiment, experiment.rollout()?)));
    shipped
        .max_by_key(|(experiment, _)| (experiment.shipped().map(|shipped| shipped.at_ms), experiment.key()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::assign::evaluate_flag;

    fn running(key: &str, coverage_bp: u32) -> Experiment {
        Experiment::parse_value(&json!({
            "schema_version": 1, "key": key, "name": key, "flag": "f", "status": "running", "coverage_bp": coverage_bp,
            "variations": [
                {"key": "old", "weight_bp": 5000, "value": format!("{key}:old")},
                {"key": "new", "weight_bp": 5000, "value": format!("{key}:new")},
            ],
        }))
        .unwrap()
    }

    fn answer(experiments: &[Experiment], unit: &str) -> Option<(String, bool)> {
        let answer = evaluate_flag(experiments, "f", unit, &BTreeMap::new())?;
        Some((answer.value.as_str().unwrap().to_owned(), answer.counted))
    }

    #[test]
    fn everybody_gets_what_was_shipped_and_nobody_is_counted() {
        let shipped = running("e", 100).ship("new", 5).unwrap();
        for unit in ["u1", "u2", ""] {
            assert_eq!(answer(std::slice::from_ref(&shipped), unit), Some(("e:new".into(), false)));
        }
        let archived = shipped.clone().moved(Move::Archive).unwrap();
        assert_eq!(answer(&[archived], "u1"), None, "an archived experiment takes its rollout back");
        let other = shipped.ship("old", 6).unwrap();
        assert_eq!(answer(&[other], "u1"), Some(("e:old".into(), false)));
    }

    #[test]
    fn a_running_experiment_comes_before_a_rollout_and_a_later_rollout_before_an_earlier() {
        let early = running("z", 10_000).ship("new", 5).unwrap();
        let late = running("a", 10_000).ship("old", 6).unwrap();
        let both = [late.clone(), early.clone()];
        assert_eq!(answer(&both, "u"), Some(("a:old".into(), false)));
        assert_eq!(on_flag(&both, "f").map(|(experiment, _)| experiment.key()), Some("a"));
        assert_eq!(on_flag(&both, "other"), None);
        let next = [late, running("next", 5_000), early];
        let answers: Vec<_> = (0..200).map(|n| answer(&next, &format!("u{n}")).unwrap()).collect();
        assert!(answers.iter().all(|(value, counted)| *counted == value.starts_with("next:")));
        let counted = answers.iter().filter(|(_, counted)| *counted).count();
        assert!((60..140).contains(&counted), "{counted} of 200 are in the experiment on top of the rollout");
    }

    #[test]
    fn what_cannot_be_shipped_says_why() {
        let mut draft = running("e", 100).to_value();
        draft["status"] = json!("draft");
        let draft = Experiment::parse_value(&draft).unwrap();
        assert_eq!(draft.ship("new", 0), Err(MoveError::NotStarted));
        let error = running("e", 100).ship("blue", 0).unwrap_err().to_string();
        assert_eq!(error, "variation `blue` cannot be shipped: the experiment has none of that key");
        let archived = running("e", 100).ship("new", 0).unwrap().moved(Move::Archive).unwrap();
        assert_eq!(archived.ship("new", 0), Err(MoveError::Archived));
        let mut value = running("e", 100).ship("new", 0).unwrap().to_value();
        value["shipped"]["variation"] = json!("blue");
        assert!(matches!(Experiment::parse_value(&value), Err(DefinitionError::UnknownShipped { .. })));
    }
}
