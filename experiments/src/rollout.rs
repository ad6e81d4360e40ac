//! The winner of an experiment that is over, given to everybody, or to more and more.

use crate::definition::{DefinitionError, Experiment, Shipped, Status, WHOLE_BP};
use crate::hash::BucketRange;
use crate::lifecycle::{Move, MoveError};

impl Experiment {
    /// Returns the experiment stopped, with a variation of it shipped to everybody at `at_ms` (Unix milliseconds UTC).
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
    /// [`MoveError`], when it is a draft or archived, a holdout, or has no such variation.
    pub fn ship(self, variation: &str, at_ms: i64) -> Result<Experiment, MoveError> {
        self.ship_to(variation, WHOLE_BP, at_ms)
    }

    /// As [`Experiment::ship`], to a share of all units, in basis points. The share may rise and fall afterwards: who got it
    /// at a smaller share gets it at a greater one, and those who met the variation in the experiment get it first. A change of
    /// the share alone leaves the time as it was.
    ///
    /// # Errors
    /// As [`Experiment::ship`]; [`DefinitionError::ShareAboveWhole`].
    pub fn ship_to(self, variation: &str, share_bp: u32, at_ms: i64) -> Result<Experiment, MoveError> {
        if self.is_holdout() {
            return Err(MoveError::Holdout);
        }
        if self.variations().iter().all(|one| one.key() != variation) {
            return Err(DefinitionError::UnknownShipped { key: variation.to_owned() }.into());
        }
        if share_bp > WHOLE_BP {
            return Err(DefinitionError::ShareAboveWhole { found: share_bp }.into());
        }
        let stopped = match self.status() {
            Status::Stopped => self,
            _ => self.moved(Move::Stop)?,
        };
        let before = stopped.shipped().filter(|shipped| shipped.variation == variation);
        let at_ms = before.map_or(at_ms, |shipped| shipped.at_ms);
        Ok(stopped.with_shipped(Some(Shipped { variation: variation.to_owned(), at_ms, share_bp })))
    }

    /// Returns the buckets, under its own seed, whose units get what it shipped; `None` where everybody does.
    pub fn rollout_ranges(&self) -> Option<Vec<BucketRange>> {
        let shipped = self.shipped().filter(|shipped| shipped.share_bp < WHOLE_BP)?;
        let earlier = self.variations().iter().take_while(|one| one.key() != shipped.variation);
        let start_bp: u32 = earlier.map(|one| one.weight_bp()).sum();
        let share = |bp: u32| f64::from(bp) / f64::from(WHOLE_BP);
        let range = |from_bp, to_bp| BucketRange { start: share(from_bp), end: share(to_bp) };
        let end_bp = start_bp + shipped.share_bp;
        let ranges = [range(start_bp, end_bp.min(WHOLE_BP)), range(0, end_bp.saturating_sub(WHOLE_BP))];
        Some(ranges.into_iter().filter(|range| range.start < range.end).collect())
    }

    /// Returns the index of the variation that is shipped, until the experiment is archived.
    pub fn rollout(&self) -> Option<usize> {
        let shipped = self.shipped().filter(|_| self.status() == Status::Stopped)?;
        self.variations().iter().position(|variation| variation.key() == shipped.variation)
    }
}

/// Returns the experiment on the flag whose shipped variation comes first, and the variation's index: the one shipped
/// last, and of two shipped at once the one whose key comes last.
pub fn on_flag<'a>(experiments: &'a [Experiment], flag: &str) -> Option<(&'a Experiment, usize)> {
    all_on_flag(experiments, flag).into_iter().next()
}

/// Returns what is shipped on a flag, the latest first: behind one that reaches a share only, what was shipped before it
/// holds for the rest.
pub fn all_on_flag<'a>(experiments: &'a [Experiment], flag: &str) -> Vec<(&'a Experiment, usize)> {
    let on_flag = experiments.iter().filter(|experiment| experiment.flag() == flag);
    let shipped = on_flag.filter_map(|experiment| Some((experiment, experiment.rollout()?)));
    let reach = |experiment: &Experiment| experiment.shipped().map_or(0, |shipped| shipped.share_bp);
    let mut shipped: Vec<_> = shipped.filter(|(experiment, _)| reach(experiment) > 0).collect();
    shipped.sort_by_key(|(experiment, _)| {
        std::cmp::Reverse((experiment.shipped().map(|shipped| shipped.at_ms), experiment.key()))
    });
    let whole = shipped.iter().position(|(experiment, _)| reach(experiment) == WHOLE_BP);
    shipped.truncate(whole.map_or(usize::MAX, |place| place + 1));
    shipped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::assign::tests::answered;

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
        let (value, counted) = answered(experiments, "f", unit)?;
        Some((value.as_str().unwrap().to_owned(), counted.is_some()))
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
    #[test]
    fn a_share_rises_and_falls_and_begins_with_those_who_know_it() {
        let before = running("before", 10_000).ship("old", 5).unwrap();
        let experiment = running("e", 10_000);
        let units: Vec<String> = (0..2_000).map(|n| format!("u{n}")).collect();
        let met: Vec<bool> =
            units.iter().map(|unit| crate::assign(&experiment, unit).variation == 1).collect();
        let mut earlier: Vec<usize> = vec![];
        let mut shipped = experiment;
        for share_bp in [0, 2_000, 5_000, 8_000, 10_000] {
            shipped = shipped.ship_to("new", share_bp, 6 + i64::from(share_bp)).unwrap();
            let both = [before.clone(), shipped.clone()];
            let gets = |unit: &String| answer(&both, unit) == Some(("e:new".into(), false));
            let now: Vec<usize> = (0..units.len()).filter(|n| gets(&units[*n])).collect();
            let expected = units.len() * share_bp as usize / 10_000;
            assert!(now.len().abs_diff(expected) < 90, "{} of {expected} at {share_bp}", now.len());
            assert!(earlier.iter().all(|n| now.contains(n)), "nobody loses it at {share_bp}");
            assert!(share_bp > 5_000 || now.iter().all(|n| met[*n]), "who met it comes first");
            let rest = units.iter().find(|unit| !gets(unit)).map(|unit| answer(&both, unit));
            assert!(rest.is_none_or(|rest| rest == Some(("before:old".into(), false))));
            earlier = now;
        }
        assert_eq!(
            shipped.shipped().map(|shipped| shipped.at_ms),
            Some(6),
            "the time is that of the first share"
        );
        let back = shipped.ship_to("new", 2_000, 99).unwrap();
        let still = units.iter().filter(|unit| answer(std::slice::from_ref(&back), unit).is_some()).count();
        assert!(still.abs_diff(400) < 90, "{still} of 2000 at a fifth");
        let error = back.ship_to("new", 10_001, 99).unwrap_err().to_string();
        assert_eq!(error, "share_bp is 10001, the most is 10000 (everybody): lower it");
    }
}
