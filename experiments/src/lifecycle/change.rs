//! What may still change in a definition.

use crate::definition::Experiment;

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
        "coverage_bp cannot fall from {from} to {to} once the experiment has started: it may only rise, or stop it"
    )]
    CoverageLowered {
        /// The coverage it has.
        from: u32,
        /// The coverage that was asked for.
        to: u32,
    },
}

impl Experiment {
    /// Returns whether both definitions place every unit alike: same seed, coverage, and weights in the same
    /// order.
    pub fn is_same_split(&self, other: &Experiment) -> bool {
        let weights = |of: &Experiment| of.variations().iter().map(|v| v.weight_bp()).collect::<Vec<_>>();
        self.seed() == other.seed()
            && self.coverage_bp() == other.coverage_bp()
            && weights(self) == weights(other)
    }

    /// Returns the experiment as `next` defines it, in the status it has now, and what is held, was shipped, learned and
    /// measured late stays (only [`Experiment::moved`], [`Experiment::weighed`], [`Experiment::ship`], [`Experiment::teaching`]
    /// and [`Experiment::adding`] change them).
    ///
    /// A draft may change in all but its key. While it runs or is paused, names and the owner may change and coverage
    /// may rise: raising it adds units and moves none. Flag, seed, who may take part (condition, layer, prerequisites), variations (keys, order, weights, values),
    /// primary metric and planned units are fixed: changing weights, seed or values mixes units of different
    /// experiments in one arm, and the sequential test is valid only for the metric and planned units it
    /// began with. The weights of a bandit stay as they were drawn, and its rule is fixed. So are the hypothesis and the planned length, which would otherwise follow the results; where an
    /// earlier version let it start without them, they may still be said. Once it is over, only names and the owner
    /// may change.
    ///
    /// # Errors
    /// [`ChangeError`], naming the first change that is refused.
    pub fn revised(self, next: Experiment) -> Result<Experiment, ChangeError> {
        if self.key() != next.key() {
            return Err(ChangeError::Key { from: self.key().into(), to: next.key().into() });
        }
        let status = self.status();
        // The weights of a running bandit are the draws' to change, whatever a form that was opened before them says.
        let next =
            if status.has_started() && self.draws().is_some() { next.with_weights_of(&self) } else { next };
        if status.has_started() {
            self.check_frozen(&next)?;
        }
        Ok(next
            .with_status(status)
            .with_held(self.held().cloned())
            .with_shipped(self.shipped().cloned())
            .with_begun(self.begun().cloned())
            .with_learned(self.learned().to_owned())
            .with_late_metrics(self.late_metrics().to_vec()))
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
        let (targeting, wished) = (self.targeting(), next.targeting());
        if targeting.condition != wished.condition {
            return frozen("condition");
        }
        if targeting.layer != wished.layer {
            return frozen("layer");
        }
        if targeting.prerequisites != wished.prerequisites {
            return frozen("prerequisites");
        }
        if arms(self) != arms(next) {
            return frozen("variations");
        }
        if self.primary_metric() != next.primary_metric() {
            return frozen("primary_metric");
        }
        if self.metrics() != next.metrics() {
            return frozen("metrics");
        }
        if self.guardrails() != next.guardrails() {
            return frozen("guardrails");
        }
        if self.correction() != next.correction() {
            return frozen("correction");
        }
        if self.method() != next.method() {
            return frozen("method");
        }
        if self.strata() != next.strata() {
            return frozen("strata");
        }
        if self.draws() != next.draws() {
            return frozen("bandit");
        }
        if self.planned_units() != next.planned_units() {
            return frozen("planned_units");
        }
        if self.is_aa() != next.is_aa() {
            return frozen("is_aa");
        }
        if !self.hypothesis().is_empty() && self.hypothesis() != next.hypothesis() {
            return frozen("hypothesis");
        }
        if self.planned_days().is_some() && self.planned_days() != next.planned_days() {
            return frozen("planned_days");
        }
        if self.status().is_over() && from != to {
            return frozen("coverage_bp");
        }
        if to < from {
            return Err(ChangeError::CoverageLowered { from, to });
        }
        Ok(())
    }
}
