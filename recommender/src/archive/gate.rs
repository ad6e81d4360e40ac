//! The gate: a model goes into service by itself where it is not plainly worse than the one that is there.

use std::fmt;

use super::Kept;
use crate::model::{About, Task};

/// Says how much worse a model may be and still go into service by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gate {
    /// The part of the running model's hit rate and reciprocal rank that may be lost.
    pub margin: f64,
    /// The part of the running model's orders, sessions and items that must be there.
    pub least: f64,
}

impl Default for Gate {
    fn default() -> Self {
        Self { margin: 0.05, least: 0.5 }
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

impl Gate {
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
            for (figure, new, old) in
                [("HR@20", new.hit_rate_20, old.hit_rate_20), ("MRR@20", new.mrr_20, old.mrr_20)]
            {
                if new[2] < old[0] * (1.0 - self.margin) {
                    let (task, percent) = (task.name(), self.margin * 100.0);
                    reasons.push(format!(
                        "{task}: {figure} {:.4} [{:.4}, {:.4}] is more than {percent} % below {:.4} of model {}",
                        new[0], new[1], new[2], old[0], running.id
                    ));
                }
            }
        }
        if reasons.is_empty() { Ok(()) } else { Err(Refused(reasons)) }
    }
}
