//! Coverage that rises by schedule after the start, and holds where the numbers say so.

use serde::{Deserialize, Serialize};

use crate::definition::{DefinitionError, Experiment, Status};
use crate::guardrail::{GuardrailReading, Standing};
use crate::verdict::{Analysis, Verdict};

/// Most steps: each is to be watched for a while.
pub const STEPS_MAX: usize = 10;
/// Latest step, in hours after the start: a year, as the longest planned length.
pub const AFTER_HOURS_MAX: u32 = 366 * 24;
const HOUR_MS: i64 = 3_600_000;
/// How long a ramp is held at least, in milliseconds: numbers near a bound go to and fro, and a history that tells each
/// time would tell nothing.
pub const HELD_MS_MIN: i64 = HOUR_MS;

/// Describes one step of a ramp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RampStep {
    /// How long after the start it is taken, in hours, 1 to [`AFTER_HOURS_MAX`].
    pub after_hours: u32,
    /// The share of all units that take part from then on, in basis points.
    pub coverage_bp: u32,
}

/// Says that a ramp is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Why, as [`Hold`] said it when it began.
    pub why: String,
    /// Since when, Unix milliseconds UTC.
    pub since_ms: i64,
}

/// Says why a ramp does not go on by itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Hold {
    /// More units would be lost the same way.
    #[error("the split is not as planned")]
    WrongSplit,
    /// More units would meet what does harm.
    #[error("{name} is worse than the control on the metric that decides")]
    Worse {
        /// The variation's name.
        name: String,
    },
    /// More units would meet what harms a guardrail.
    #[error("{name} harms {metric}, which was not to get worse")]
    Harms {
        /// The variation's name.
        name: String,
        /// The guardrail's metric, as it stands in sentences.
        metric: String,
    },
    /// More units would meet what nobody could see the harm of.
    #[error("{metric} of {name}, which was not to get worse, cannot be read: {why}")]
    Unread {
        /// The variation's name.
        name: String,
        /// The guardrail's metric, as it stands in sentences.
        metric: String,
        /// Why it cannot.
        why: &'static str,
    },
    /// More units would leave another experiment, which would go on counting them.
    #[error("{name} runs behind it on the same flag and would lose visitors to it")]
    TakesUnits {
        /// The other experiment's name.
        name: String,
    },
}

/// Returns why an experiment may take no step beside all others, if it may not.
///
/// The coverage is no part of it: widening it moves no unit and changes no ratio between the arms, so the check of
/// the split stays valid over a whole ramp.
pub fn hold(experiment: &Experiment, analysis: &Analysis, all: &[Experiment]) -> Option<Hold> {
    if let Some(behind) = experiment.rivals(all).after.first() {
        return Some(Hold::TakesUnits { name: behind.name().to_owned() });
    }
    if analysis.sample_ratio.is_mismatch {
        return Some(Hold::WrongSplit);
    }
    let name =
        |variation: usize| analysis.arms.get(variation).map(|arm| arm.name.clone()).unwrap_or_default();
    if let Verdict::Worse { variation } = analysis.verdict {
        return Some(Hold::Worse { name: name(variation) });
    }
    // Also where the verdict is a good one, or where there is too little for any.
    let metric =
        |place: usize| analysis.metrics.get(place).map(|metric| metric.phrase.clone()).unwrap_or_default();
    let guarded = || analysis.comparisons.iter().filter_map(|one| Some((one, one.guardrail?)));
    if let Some((harmed, _)) = guarded().find(|(_, reading)| reading.standing == Standing::Harmed) {
        return Some(Hold::Harms { name: name(harmed.variation), metric: metric(harmed.metric) });
    }
    // What only waits, as everything does at the start, is no reason.
    let blind = |reading: GuardrailReading| reading.unread.filter(|why| !why.is_early());
    let (unread, why) = guarded().find_map(|(one, reading)| Some((one, blind(reading)?)))?;
    Some(Hold::Unread { name: name(unread.variation), metric: metric(unread.metric), why: why.words() })
}

impl Experiment {
    /// Returns the step that is taken next: the first that covers more than now. None once it is over.
    pub fn next_step(&self) -> Option<RampStep> {
        let is_alive = !self.status().is_over();
        self.ramp().iter().copied().find(|step| is_alive && step.coverage_bp > self.coverage_bp())
    }

    /// Returns when the next step is due, of an experiment that started at one moment and is as it is `since` another
    /// (its coverage, and that it runs), all Unix milliseconds UTC. None while it does not run.
    ///
    /// A step that comes late, after a hold, a pause or an outage, puts off those after it: each coverage is watched
    /// for as long as was planned.
    ///
    /// ```
    /// # use experiments::Experiment;
    /// let running = Experiment::parse(r#"{"schema_version": 1, "key": "e", "name": "E", "flag": "f", "status": "running",
    ///   "coverage_bp": 5000, "ramp": [{"after_hours": 24, "coverage_bp": 5000}, {"after_hours": 48, "coverage_bp": 10000}],
    ///   "variations": [{"key": "a", "weight_bp": 5000, "value": 0}, {"key": "b", "weight_bp": 5000, "value": 1}]}"#)?;
    /// let hour = 3_600_000;
    /// assert_eq!(running.due_at_ms(0, 24 * hour), Some(48 * hour));
    /// assert_eq!(running.due_at_ms(0, 30 * hour), Some(54 * hour)); // The step before came 6 hours late.
    /// # Ok::<(), experiments::DefinitionError>(())
    /// ```
    pub fn due_at_ms(&self, started_at_ms: i64, since_ms: i64) -> Option<i64> {
        let next = self.next_step().filter(|_| self.status() == Status::Running)?;
        let before = self.ramp().iter().rev().find(|step| step.coverage_bp < next.coverage_bp);
        let watched_hours = next.after_hours - before.map_or(0, |step| step.after_hours);
        let after = |ms: i64, hours: u32| ms.saturating_add(i64::from(hours) * HOUR_MS);
        Some(after(started_at_ms, next.after_hours).max(after(since_ms, watched_hours)))
    }

    /// Returns the experiment with a hold on its ramp that begins, or without one that ends, by its numbers beside all
    /// others at `now_ms` (Unix milliseconds UTC); `None` where a hold goes on, or none begins.
    ///
    /// A hold ends once nothing is wrong any more, though not before [`HELD_MS_MIN`], or once no step is left to take.
    pub fn weighed(&self, analysis: &Analysis, all: &[Experiment], now_ms: i64) -> Option<Experiment> {
        let hold = self.next_step().and_then(|_| hold(self, analysis, all));
        let held = match (self.held(), hold) {
            (None, Some(hold)) => Some(Held { why: hold.to_string(), since_ms: now_ms }),
            (Some(held), None)
                if self.next_step().is_none() || now_ms >= held.since_ms.saturating_add(HELD_MS_MIN) =>
            {
                None
            }
            _ => return None,
        };
        Some(self.clone().with_held(held))
    }

    /// Returns the experiment with its next step taken; itself where there is none.
    pub fn raised(self) -> Experiment {
        match self.next_step() {
            Some(step) => self.with_coverage_bp(step.coverage_bp),
            None => self,
        }
    }

    /// Returns the experiment without its next step, so that the one after it is next.
    pub fn skipping(self) -> Experiment {
        let next = self.next_step();
        let ramp = self.ramp().iter().copied().filter(|step| Some(*step) != next).collect();
        self.with_ramp(ramp)
    }

    pub(crate) fn check_first_step(&self) -> Result<(), DefinitionError> {
        match self.ramp().first() {
            Some(step) if step.coverage_bp <= self.coverage_bp() => Err(DefinitionError::RampNotAbove {
                step_bp: step.coverage_bp,
                coverage_bp: self.coverage_bp(),
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::lifecycle::{Move, MoveError};
    use crate::{ArmSums, Look, Metric, Plan, analyze};

    fn written() -> Value {
        json!({
            "schema_version": 1, "key": "e", "name": "E", "flag": "f", "coverage_bp": 1000, "hypothesis": "More.",
            "owner": "ann", "planned_days": 14, "guardrails": [{"metric": "pages", "margin_bp": 500}],
            "ramp": [
                {"after_hours": 2, "coverage_bp": 2000},
                {"after_hours": 24, "coverage_bp": 5000},
                {"after_hours": 72, "coverage_bp": 10_000},
            ],
            "variations": [
                {"key": "a", "weight_bp": 5000, "value": 0}, {"key": "b", "name": "Blue", "weight_bp": 5000, "value": 1},
            ],
        })
    }

    fn running() -> Experiment {
        Experiment::parse_value(&written()).unwrap().moved(Move::Start).unwrap()
    }

    #[test]
    fn steps_are_taken_in_order_each_watched_as_long_as_planned() {
        let first = running();
        assert_eq!(first.due_at_ms(0, 0), Some(2 * HOUR_MS));
        let second = first.clone().raised();
        assert_eq!((second.coverage_bp(), second.due_at_ms(0, 2 * HOUR_MS)), (2_000, Some(24 * HOUR_MS)));
        // Two hours late, so that the next step is, too.
        assert_eq!(second.due_at_ms(0, 4 * HOUR_MS), Some(26 * HOUR_MS));
        let paused = second.clone().moved(Move::Pause).unwrap();
        assert_eq!(paused.due_at_ms(0, 0), None, "nothing rises while it is paused");
        let last = second.clone().skipping();
        assert_eq!(last.next_step().map(|step| step.coverage_bp), Some(10_000));
        assert_eq!(last.due_at_ms(0, 2 * HOUR_MS), Some(72 * HOUR_MS));
        let whole = last.raised();
        assert_eq!((whole.coverage_bp(), whole.next_step()), (10_000, None));
        assert_eq!((whole.clone().raised(), whole.clone().skipping()), (whole.clone(), whole));
        assert_eq!(first.moved(Move::Stop).unwrap().next_step(), None);
    }

    #[test]
    fn a_ramp_only_rises() {
        let error = |pointer: &str, to: Value| {
            let mut value = written();
            *value.pointer_mut(pointer).unwrap() = to;
            Experiment::parse_value(&value).unwrap_err().to_string()
        };
        for (pointer, to, position) in [
            ("/ramp/0/after_hours", json!(0), 1),
            ("/ramp/1/after_hours", json!(2), 2),
            ("/ramp/1/coverage_bp", json!(2_000), 2),
            ("/ramp/2/coverage_bp", json!(10_001), 3),
            ("/ramp/2/after_hours", json!(9_000), 3),
        ] {
            assert!(error(pointer, to).starts_with(&format!("step {position} of the ramp must come later")));
        }
        let many: Vec<Value> = (1..=11).map(|n| json!({"after_hours": n, "coverage_bp": n})).collect();
        assert_eq!(error("/ramp", json!(many)), "ramp has 11 steps, the most allowed is 10: leave some out");
        let mut value = written();
        value["coverage_bp"] = json!(2_000);
        let refused = Experiment::parse_value(&value).unwrap().moved(Move::Start);
        let error = DefinitionError::RampNotAbove { step_bp: 2_000, coverage_bp: 2_000 };
        assert_eq!(refused, Err(MoveError::Values(error)));
    }

    #[test]
    fn it_holds_while_another_experiment_would_lose_units() {
        let mut behind = running().to_value();
        behind["key"] = json!("z");
        let behind = Experiment::parse_value(&behind).unwrap();
        let metric = r#"{"key": "orders", "measure": {"kind": "proportion", "event": {"type": "orders"}}}"#;
        let plan = Plan::of(&running(), &[Metric::parse(metric).unwrap()]).unwrap();
        let analysis =
            analyze(&plan, &Look { at_ms: 0, arms: vec![ArmSums::new(1), ArmSums::new(1)] }, &[]).unwrap();
        let held = hold(&running(), &analysis, std::slice::from_ref(&behind));
        assert_eq!(held, Some(Hold::TakesUnits { name: behind.name().into() }));
        assert_eq!(
            hold(&behind, &analysis, &[running(), behind.clone()]),
            None,
            "the last one takes from nobody"
        );
    }

    #[test]
    fn it_holds_while_the_split_is_wrong_or_something_is_worse() {
        let metric = |key: &str, kind: &str| {
            let text = json!({"key": key, "measure": {"kind": kind, "event": {"type": key}}}).to_string();
            Metric::parse(&text).unwrap()
        };
        let plan =
            Plan::of(&running(), &[metric("orders", "proportion"), metric("pages", "proportion")]).unwrap();
        let analyzed = |units: [u64; 2], conversions: [u64; 2], pages: [u64; 2]| {
            let arm = |arm: usize| {
                let of = |count: u64| format!("{} {count} {count} 0 0 {count} 0 0 0 0 0", units[arm]);
                ArmSums::parse(&format!("{};{};{}", units[arm], of(conversions[arm]), of(pages[arm])))
                    .unwrap()
            };
            analyze(&plan, &Look { at_ms: 0, arms: vec![arm(0), arm(1)] }, &[]).unwrap()
        };
        let held_by = |units, conversions, pages| {
            hold(&running(), &analyzed(units, conversions, pages), &[]).map(|hold| hold.to_string())
        };
        let held = |units: [u64; 2], conversions: [u64; 2]| held_by(units, conversions, units.map(|n| n / 5));
        assert_eq!(held([0, 0], [0, 0]), None);
        assert_eq!(held([5_000, 5_000], [500, 505]), None);
        assert_eq!(held([5_000, 5_000], [500, 900]), None, "what is better may go on");
        let worse = "Blue is worse than the control on the metric that decides";
        assert_eq!(held([5_000, 5_000], [900, 500]).as_deref(), Some(worse));
        let harmed = held_by([5_000, 5_000], [500, 900], [2_000, 1_500]);
        assert_eq!(harmed.as_deref(), Some("Blue harms pages, which was not to get worse"));
        assert_eq!(held([5_000, 4_000], [500, 400]).as_deref(), Some("the split is not as planned"));
        let dead = held_by([5_000, 5_000], [500, 900], [2_000, 0]);
        assert_eq!(dead.as_deref(), Some("Blue harms pages, which was not to get worse"));
        let blind = held_by([5_000, 5_000], [500, 505], [0, 0]);
        assert!(
            blind.is_some_and(|why| why.starts_with("pages of Blue, which was not to get worse, cannot"))
        );
        assert_eq!(held_by([100, 100], [10, 10], [0, 0]), None, "at the start there is nothing to read yet");

        let [well, bad] =
            [[500, 505], [900, 500]].map(|conversions| analyzed([5_000, 5_000], conversions, [1_000, 1_000]));
        assert_eq!(running().weighed(&well, &[], 0), None, "nothing begins");
        let began = running().weighed(&bad, &[], 7).unwrap();
        assert_eq!(began.held(), Some(&Held { why: worse.into(), since_ms: 7 }));
        assert_eq!(Experiment::parse_value(&began.to_value()).as_ref(), Ok(&began));
        assert_eq!(began.weighed(&bad, &[], 2 * HOUR_MS), None, "it is said once");
        assert_eq!(began.weighed(&well, &[], HOUR_MS), None, "it may begin again in a moment");
        assert_eq!(began.weighed(&well, &[], HOUR_MS + 7), Some(running()));
        let whole = began.raised().raised().raised();
        assert_eq!(whole.weighed(&bad, &[], 8).unwrap().held(), None, "there is nothing left to hold");
    }
}
