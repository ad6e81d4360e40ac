//! Holdouts: visitors who meet no experiment and nothing that was shipped since, so that all of it together can be judged.
//!
//! A holdout is an experiment on a flag of its own, [`FLAG`]: its control are those who are held out, its treatment those with
//! whom they are compared. Units are exposed to it where they meet anything that it governs, which is where both may
//! differ; everything that is read of an experiment is read of it.

use crate::definition::{DefinitionError, Experiment, Status};

/// The flag that says whether a unit is held out.
pub const FLAG: &str = "holdout";
/// What it says to those who are.
pub const HELD: &str = "held";
/// What it says to those with whom they are compared.
pub const FREE: &str = "free";

impl Experiment {
    /// Returns whether it is a holdout.
    pub fn is_holdout(&self) -> bool {
        self.flag() == FLAG
    }

    /// Checks what a holdout may not be, beyond what no experiment may.
    ///
    /// # Errors
    /// [`DefinitionError::Holdout`], in words that say how to mend it.
    pub fn check_holdout(&self) -> Result<(), DefinitionError> {
        let wrong = |problem: &'static str| Err(DefinitionError::Holdout { problem });
        if !self.is_holdout() {
            return Ok(());
        }
        let values: Vec<_> = self.variations().iter().map(|variation| variation.value().as_str()).collect();
        if values != [Some(HELD), Some(FREE)] {
            return wrong(
                "compares two variations: give the first the value \"held\" and the second \"free\"",
            );
        }
        if !self.targeting().is_everybody() {
            return wrong("is a share of all visitors: take its condition, layer and prerequisites out");
        }
        if self.draws().is_some() {
            return wrong("keeps its shares, so it is no bandit: let the weights stay as they are");
        }
        if self.shipped().is_some() {
            return wrong("cannot be shipped: stop it, and everybody meets what the others do");
        }
        Ok(())
    }
}

/// Returns the holdout that runs.
pub fn running(experiments: &[Experiment]) -> Option<&Experiment> {
    experiments.iter().find(|experiment| experiment.is_holdout() && experiment.status() == Status::Running)
}

/// Returns whether a holdout keeps its units from what an experiment shipped: from what came after its start.
pub fn governs_rollout(holdout: &Experiment, shipped_at_ms: i64) -> bool {
    holdout.begun().is_none_or(|begun| shipped_at_ms >= begun.at_ms)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn holdout(change: impl Fn(&mut Value)) -> String {
        let mut definition = json!({
            "schema_version": 1, "key": "h", "name": "H", "flag": "holdout", "status": "running", "coverage_bp": 2000,
            "variations": [{"key": "held", "weight_bp": 5000, "value": "held"}, {"key": "free", "weight_bp": 5000, "value": "free"}],
        });
        change(&mut definition);
        match Experiment::parse_value(&definition).unwrap().check_holdout() {
            Ok(()) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_holdout_is_a_share_of_all_and_nothing_else() {
        assert_eq!(holdout(|_| ()), "");
        assert!(holdout(|h| h["variations"][0]["value"] = json!("free")).contains("the value \"held\""));
        assert!(
            holdout(|h| h["targeting"] = json!({"condition": {"device": "phone"}}))
                .contains("of all visitors")
        );
        assert!(
            holdout(|h| h["bandit"] = json!({"policy": "thompson", "every_hours": 24, "floor_bp": 500}))
                .contains("no bandit")
        );
        assert!(
            holdout(|h| h["shipped"] = json!({"variation": "free", "at_ms": 1}))
                .contains("cannot be shipped")
        );
        assert_eq!(holdout(|h| (h["flag"], h["variations"][0]["value"]) = (json!("f"), json!(1))), "");
    }

    #[test]
    fn what_was_shipped_before_is_everybodys() {
        let running = Experiment::parse_value(&json!({
            "schema_version": 1, "key": "h", "name": "H", "flag": "holdout", "status": "running", "begun": {"at_ms": 5},
            "variations": [{"key": "held", "weight_bp": 5000, "value": "held"}, {"key": "free", "weight_bp": 5000, "value": "free"}],
        }))
        .unwrap();
        assert_eq!([4, 5, 6].map(|at_ms| governs_rollout(&running, at_ms)), [false, true, true]);
        assert_eq!(super::running(std::slice::from_ref(&running)), Some(&running));
    }
}
