//! The gate: a model goes into service by itself where it is not plainly worse than the one that is there, and covers as much; the
//! first one, where it is not plainly worse than what sells best, and does not suggest the same few things to everybody.

use std::fmt;

use super::Kept;
use crate::model::{About, Measured, POPULARITY, Task};

/// Says how much worse a model may be and still go into service by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gate {
    /// The part of the running model's hit rate and reciprocal rank that may be lost.
    pub margin: f64,
    /// The part of the running model's orders, sessions and items that must be there.
    pub least: f64,
    /// The part of the items that the running model's answers suggest that may be lost.
    pub coverage_margin: f64,
    /// The part of the items that the first model's answers must suggest, of those that they have places for.
    pub coverage_least: f64,
}

impl Default for Gate {
    fn default() -> Self {
        Self { margin: 0.05, least: 0.5, coverage_margin: 0.25, coverage_least: 0.01 }
    }
}

/// Says why a model did not go into service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub Vec<String>);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

/// The places of an answer that is looked at.
const LIST: u64 = 20;

/// Returns how many items are in any of a model's answers.
fn suggested(about: &About, measured: &Measured) -> f64 {
    (measured.coverage * about.items as f64).round()
}

impl Gate {
    /// Lets a model pass beside the one in service, or where there is none.
    ///
    /// # Errors
    /// As [`Gate::pass`] and [`Gate::pass_first`].
    pub fn admit(&self, about: &About, running: Option<&Kept>) -> Result<(), Refused> {
        running.map_or_else(|| self.pass_first(about), |running| self.pass(about, running))
    }

    /// Lets a model pass that none is there to be compared with, or says all that speaks against it: that it was learnt from nothing,
    /// is plainly worse than what sells best at something, or suggests the same few items whatever it is asked.
    ///
    /// # Errors
    /// [`Refused`], with a reason for each shortcoming.
    pub fn pass_first(&self, about: &About) -> Result<(), Refused> {
        let mut reasons = Vec::new();
        if about.orders + about.sessions == 0 {
            reasons.push("it was learnt from no order and no session".to_owned());
        }
        for task in Task::ALL {
            let Some(own) = about.attained(task) else { continue };
            let of_popularity = |other: &&Measured| other.task == task && other.method == POPULARITY;
            if let Some(popular) = about.measured.iter().find(of_popularity) {
                self.compare(own, popular, |[_, low, _]| low, "what sells best", &mut reasons);
            }
            let places = about.items.min(own.cases.saturating_mul(LIST)) as f64;
            let suggested = suggested(about, own);
            if suggested < places * self.coverage_least {
                let (task, percent) = (task.name(), self.coverage_least * 100.0);
                reasons.push(format!(
                    "{task}: its answers suggest {suggested} items where they have places for {places}: less than {percent} %"
                ));
            }
        }
        if reasons.is_empty() { Ok(()) } else { Err(Refused(reasons)) }
    }

    /// Compares the upper ends of a model's figures with another's: with their means, or, of a first model, for which nobody waits any
    /// longer than need be, with their lower ends.
    fn compare(
        &self,
        new: &Measured,
        old: &Measured,
        end: fn([f64; 3]) -> f64,
        whose: &str,
        reasons: &mut Vec<String>,
    ) {
        for (figure, new, of_old) in
            [("HR@20", new.hit_rate_20, old.hit_rate_20), ("MRR@20", new.mrr_20, old.mrr_20)]
        {
            if new[2] < end(of_old) * (1.0 - self.margin) {
                let (task, percent) = (old.task.name(), self.margin * 100.0);
                reasons.push(format!(
                    "{task}: {figure} {:.4} [{:.4}, {:.4}] is more than {percent} % below {:.4} of {whose}",
                    new[0],
                    new[1],
                    new[2],
                    end(of_old)
                ));
            }
        }
    }

    /// Lets a model pass, or says all that speaks against it.
    ///
    /// Each model was measured on the latest part of its own data, so that a figure counts as worse only where its whole
    /// 95 % interval lies below what is asked for.
    ///
    /// # Errors
    /// [`Refused`], with a reason for each shortcoming.
    pub fn pass(&self, about: &About, running: &Kept) -> Result<(), Refused> {
        let mut reasons = Vec::new();
        let counts = [
            ("orders", about.orders, running.about.orders),
            ("sessions", about.sessions, running.about.sessions),
            ("items", about.items, running.about.items),
        ];
        for (what, new, old) in counts {
            if (new as f64) < old as f64 * self.least {
                let part = self.least * 100.0;
                reasons.push(format!(
                    "it was learnt from {new} {what} where model {} had {old}: less than {part} %",
                    running.id
                ));
            }
        }
        for task in Task::ALL {
            let Some(old) = running.about.attained(task) else { continue };
            let Some(new) = about.attained(task) else {
                reasons.push(format!(
                    "it answers nothing of {}, which model {} does",
                    task.name(),
                    running.id
                ));
                continue;
            };
            self.compare(new, old, |[mean, ..]| mean, &format!("model {}", running.id), &mut reasons);
            // Of fewer questions fewer answers are seen: what counts is how many items those would suggest that were as many.
            let (suggested, had) = (suggested(about, new), suggested(&running.about, old));
            let asked = (new.cases as f64 / old.cases.max(1) as f64).min(1.0);
            if suggested < had * asked * (1.0 - self.coverage_margin) {
                let (task, percent) = (task.name(), self.coverage_margin * 100.0);
                reasons.push(format!(
                    "{task}: its answers suggest {suggested} items, more than {percent} % fewer than the {had} of model {}",
                    running.id
                ));
            }
        }
        if reasons.is_empty() { Ok(()) } else { Err(Refused(reasons)) }
    }
}
