//! The life of an experiment: draft, running, stopped, in this order and never back.

use crate::definition::{Experiment, Status};

/// Says which move is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Draft to running.
    Start,
    /// Running to stopped.
    Stop,
}

/// Says why an experiment did not move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    /// It runs already.
    #[error("experiment is running already")]
    AlreadyRunning,
    /// It has stopped; its units know their variation, so starting it again would count old habits as
    /// effects.
    #[error("experiment has stopped and cannot start again: copy it under a new key and seed")]
    Stopped,
    /// It has not started, so there is nothing to stop.
    #[error("experiment is a draft and has nothing to stop: start it or delete it")]
    NotStarted,
}

impl Status {
    /// Returns the status after the move.
    ///
    /// # Errors
    /// [`MoveError`], when the move does not lead on from this status.
    pub fn after(self, asked: Move) -> Result<Status, MoveError> {
        match (self, asked) {
            (Status::Draft, Move::Start) => Ok(Status::Running),
            (Status::Running, Move::Stop) => Ok(Status::Stopped),
            (Status::Running, Move::Start) => Err(MoveError::AlreadyRunning),
            (Status::Stopped, Move::Start | Move::Stop) => Err(MoveError::Stopped),
            (Status::Draft, Move::Stop) => Err(MoveError::NotStarted),
        }
    }
}

/// Says which change to a definition was refused. What decides the split or the statistics is fixed at the
/// start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The key names the experiment in every exposure, so it never changes.
    #[error("key cannot change from `{from}` to `{to}`: copy the experiment under the new key")]
    Key {
        /// The key it has.
        from: String,
        /// The key that was asked for.
        to: String,
    },
    /// A field that is fixed once the experiment has started.
    #[error("{field} cannot change once an experiment has started: stop it and start a copy under a new key")]
    Frozen {
        /// The field's name in JSON.
        field: &'static str,
    },
    /// Coverage was lowered on a running experiment, which would throw units out half-way.
    #[error(
        "coverage_bp cannot fall from {from} to {to} while the experiment runs: it may only rise, or stop it"
    )]
    CoverageLowered {
        /// The coverage it has.
        from: u32,
        /// The coverage that was asked for.
        to: u32,
    },
}

impl Experiment {
    /// Returns the experiment after the move.
    ///
    /// ```
    /// # use experiments::Experiment;
    /// # let draft = Experiment::parse(r#"{"schema_version": 1, "key": "e", "name": "E", "flag": "f", "variations": [
    /// #   {"key": "a", "weight_bp": 5000, "value": 0}, {"key": "b", "weight_bp": 5000, "value": 1}]}"#).unwrap();
    /// use experiments::lifecycle::{Move, MoveError};
    /// let running = draft.moved(Move::Start)?;
    /// let stopped = running.moved(Move::Stop)?;
    /// assert_eq!(stopped.moved(Move::Start), Err(MoveError::Stopped));
    /// # Ok::<(), MoveError>(())
    /// ```
    ///
    /// # Errors
    /// [`MoveError`], when the move does not lead on from its status.
    pub fn moved(self, asked: Move) -> Result<Experiment, MoveError> {
        let status = self.status().after(asked)?;
        Ok(self.with_status(status))
    }

    /// Returns whether both definitions place every unit alike: same seed, coverage, and weights in the same
    /// order.
    pub fn is_same_split(&self, other: &Experiment) -> bool {
        let weights = |of: &Experiment| of.variations().iter().map(|v| v.weight_bp()).collect::<Vec<_>>();
        self.seed() == other.seed()
            && self.coverage_bp() == other.coverage_bp()
            && weights(self) == weights(other)
    }

    /// Returns the experiment as `next` defines it, in the status it has now (only [`Experiment::moved`]
    /// changes that).
    ///
    /// A draft may change in all but its key. While it runs, names and the hypothesis may change and coverage
    /// may rise: raising it adds units and moves none. Flag, seed, variations (keys, order, weights, values),
    /// primary metric and planned units are fixed: changing weights, seed or values mixes units of different
    /// experiments in one arm, and the sequential test is valid only for the metric and planned units it
    /// began with. Once stopped, only names and the hypothesis may change.
    ///
    /// # Errors
    /// [`ChangeError`], naming the first change that is refused.
    pub fn revised(self, next: Experiment) -> Result<Experiment, ChangeError> {
        if self.key() != next.key() {
            return Err(ChangeError::Key { from: self.key().into(), to: next.key().into() });
        }
        let status = self.status();
        if status != Status::Draft {
            self.check_frozen(&next)?;
        }
        Ok(next.with_status(status))
    }

    fn check_frozen(&self, next: &Experiment) -> Result<(), ChangeError> {
        let arms = |of: &Experiment| {
            let arm = |v: &crate::Variation| (v.key().to_owned(), v.weight_bp(), v.value().clone());
            of.variations().iter().map(arm).collect::<Vec<_>>()
        };
        let (from, to) = (self.coverage_bp(), next.coverage_bp());
        let frozen = |field| Err(ChangeError::Frozen { field });
        if self.flag() != next.flag() {
            return frozen("flag");
        }
        if self.seed() != next.seed() {
            return frozen("seed");
        }
        if arms(self) != arms(next) {
            return frozen("variations");
        }
        if self.primary_metric() != next.primary_metric() {
            return frozen("primary_metric");
        }
        if self.planned_units() != next.planned_units() {
            return frozen("planned_units");
        }
        if self.status() == Status::Stopped && from != to {
            return frozen("coverage_bp");
        }
        if to < from {
            return Err(ChangeError::CoverageLowered { from, to });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn written() -> Value {
        json!({
            "schema_version": 1, "key": "e", "name": "E", "flag": "f", "coverage_bp": 5000,
            "variations": [
                {"key": "a", "weight_bp": 5000, "value": 0}, {"key": "b", "weight_bp": 5000, "value": 1},
            ],
        })
    }

    fn read(value: &Value) -> Experiment {
        Experiment::parse_value(value).unwrap()
    }

    fn changed(pointer: &str, to: Value) -> Experiment {
        let mut value = read(&written()).to_value();
        *value.pointer_mut(pointer).unwrap() = to;
        read(&value)
    }

    #[test]
    fn a_life_goes_one_way() {
        use Move::{Start, Stop};
        use Status::{Draft, Running, Stopped};
        let table = [
            (Draft, Start, Ok(Running)),
            (Draft, Stop, Err(MoveError::NotStarted)),
            (Running, Start, Err(MoveError::AlreadyRunning)),
            (Running, Stop, Ok(Stopped)),
            (Stopped, Start, Err(MoveError::Stopped)),
            (Stopped, Stop, Err(MoveError::Stopped)),
        ];
        for (from, asked, expected) in table {
            assert_eq!(from.after(asked), expected, "{from} {asked:?}");
        }
    }

    #[test]
    fn what_decides_the_split_is_fixed_once_it_runs() {
        let draft = read(&written());
        let running = draft.clone().moved(Move::Start).unwrap();
        let frozen = [
            ("/flag", json!("other"), "flag"),
            ("/seed", json!("other"), "seed"),
            ("/variations/1/value", json!(2), "variations"),
            ("/variations/1/key", json!("c"), "variations"),
            ("/primary_metric", json!("revenue_per_unit"), "primary_metric"),
            ("/planned_units", json!(20_000), "planned_units"),
        ];
        for (pointer, to, field) in frozen {
            let next = changed(pointer, to);
            assert_eq!(running.clone().revised(next.clone()), Err(ChangeError::Frozen { field }));
            assert_eq!(draft.clone().revised(next.clone()), Ok(next));
        }
        let mut weights = written();
        weights["variations"][0]["weight_bp"] = json!(4000);
        weights["variations"][1]["weight_bp"] = json!(6000);
        let next = read(&weights);
        assert!(!running.is_same_split(&next));
        assert_eq!(running.clone().revised(next), Err(ChangeError::Frozen { field: "variations" }));
        let next = changed("/key", json!("e2"));
        assert!(matches!(draft.revised(next), Err(ChangeError::Key { .. })));
    }

    #[test]
    fn words_may_change_and_coverage_may_rise() {
        let running = read(&written()).moved(Move::Start).unwrap();
        let renamed = running.clone().revised(changed("/variations/1/name", json!("New"))).unwrap();
        assert_eq!((renamed.variations()[1].name(), renamed.status()), ("New", Status::Running));
        assert!(renamed.is_same_split(&running));
        let wider = running.clone().revised(changed("/coverage_bp", json!(6000))).unwrap();
        assert_eq!(wider.coverage_bp(), 6000);
        let narrower = wider.revised(changed("/coverage_bp", json!(5999)));
        assert_eq!(narrower, Err(ChangeError::CoverageLowered { from: 6000, to: 5999 }));
        let stopped = running.moved(Move::Stop).unwrap();
        let wider = stopped.revised(changed("/coverage_bp", json!(6000)));
        assert_eq!(wider, Err(ChangeError::Frozen { field: "coverage_bp" }));
    }
}
