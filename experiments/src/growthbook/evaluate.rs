//! The value of a feature: its rules in order, then its default.

use super::experiment::Experiment;
use super::feature::{Effect, Force, Rollout, Rule};
use super::outcome::{ExperimentResult, ExperimentView, Exposure, FeatureResult, Source};
use super::read::{Filter, Parent};
use super::sticky::{Buckets, Documents};
use super::{Payload, User};
use crate::json::{Json, NULL};

/// Most features that may wait for each other in a chain: longer ones are taken for a circle. People nest two or
/// three; the stack has room for all of these.
pub const PREREQUISITE_DEPTH_MAX: usize = 50;
/// Most prerequisites that one evaluation may look at, so that features which ask twice for each other cannot
/// make work that doubles at each level; further ones are taken for a circle.
pub const PREREQUISITES_MAX: u32 = 10_000;

/// Answers for one user.
///
/// It remembers what changed: assignments of sticky buckets, so that a later answer follows an earlier one, and,
/// where [`Evaluator::noting_exposures`] was asked for, whom to report as exposed.
#[derive(Debug)]
pub struct Evaluator<'a> {
    pub(super) payload: &'a Payload,
    pub(super) user: User<'a>,
    pub(super) buckets: Option<Buckets<'a>>,
    exposures: Option<Vec<Exposure<'a>>>,
    prerequisites_left: u32,
}

/// The features that wait for the one at hand.
pub(super) struct Waiting<'w> {
    key: &'w str,
    before: Option<&'w Waiting<'w>>,
    depth: usize,
}

impl Waiting<'_> {
    fn has(&self, key: &str) -> bool {
        self.key == key || self.before.is_some_and(|before| before.has(key))
    }
}

/// What became of a prerequisite.
pub(super) enum Met {
    Yes,
    No,
    Circle,
}

impl<'a> Evaluator<'a> {
    /// Prepares answers for a user.
    pub fn new(payload: &'a Payload, user: User<'a>) -> Evaluator<'a> {
        Evaluator { payload, user, buckets: None, exposures: None, prerequisites_left: PREREQUISITES_MAX }
    }

    /// Keeps users in the variation that these documents name.
    #[must_use]
    pub fn with_sticky_buckets(self, documents: &'a Documents) -> Evaluator<'a> {
        Evaluator { buckets: Some(Buckets::new(documents)), ..self }
    }

    /// Notes exposures, to be taken by [`Evaluator::take_exposures`].
    #[must_use]
    pub fn noting_exposures(self) -> Evaluator<'a> {
        Evaluator { exposures: Some(Vec::new()), ..self }
    }

    /// Returns the exposures since the last time, each once.
    pub fn take_exposures(&mut self) -> Vec<Exposure<'a>> {
        let noted = self.exposures.as_mut().map(std::mem::take).unwrap_or_default();
        let mut seen = std::collections::BTreeSet::new();
        noted.into_iter().filter(|exposure| seen.insert(exposure.key())).collect()
    }

    /// Returns the documents of sticky buckets that changed, to be stored.
    pub fn into_changed_documents(self) -> Documents {
        self.buckets.map(Buckets::into_changed).unwrap_or_default()
    }

    /// Returns the value of a feature.
    pub fn evaluate(&mut self, key: &str) -> FeatureResult<'a> {
        self.prerequisites_left = PREREQUISITES_MAX;
        self.feature(key, None)
    }

    /// Runs an experiment that is no rule's.
    pub fn run(&mut self, experiment: &'a Experiment) -> ExperimentResult<'a> {
        self.prerequisites_left = PREREQUISITES_MAX;
        self.experiment(experiment, None, None)
    }

    fn feature(&mut self, key: &str, before: Option<&Waiting<'_>>) -> FeatureResult<'a> {
        let depth = before.map_or(0, |before| before.depth + 1);
        if depth > PREREQUISITE_DEPTH_MAX || before.is_some_and(|before| before.has(key)) {
            return plain(&NULL, Source::CyclicPrerequisite);
        }
        if let Some(value) = self.user.forced_feature(key) {
            return plain(value, Source::Override);
        }
        let Some(feature) = self.payload.feature(key) else { return plain(&NULL, Source::UnknownFeature) };
        let waiting = Waiting { key, before, depth };
        for rule in &feature.rules {
            if let Some(result) = self.rule(&feature.key, rule, &waiting) {
                return result;
            }
        }
        plain(&feature.default, Source::DefaultValue)
    }

    /// Returns what a rule decides, or `None` where the next one is to be asked.
    #[inline]
    fn rule(&mut self, feature: &'a str, rule: &'a Rule, waiting: &Waiting<'_>) -> Option<FeatureResult<'a>> {
        for parent in &rule.parents {
            match self.parent(parent, Some(waiting)) {
                Met::Yes => {}
                Met::Circle => return Some(plain(&NULL, Source::CyclicPrerequisite)),
                Met::No if parent.is_gate => return Some(plain(&NULL, Source::Prerequisite)),
                Met::No => return None,
            }
        }
        if rule.filters.as_ref().is_some_and(|filters| self.is_filtered_out(filters)) {
            return None;
        }
        match &rule.effect {
            Effect::Nothing => None,
            Effect::Force(force) => self.force(force).map(|value| FeatureResult {
                value,
                source: Source::Force,
                rule_id: &rule.id,
                experiment: None,
            }),
            Effect::Experiment(found) => {
                let experiment = &found.experiment;
                let leaf = found
                    .bandit
                    .as_ref()
                    .map(|bandit| bandit.leaf(self.user.attributes, &self.payload.groups));
                let result = self.experiment(experiment, leaf, Some(feature));
                let shows_bandit = result.hash_used && result.in_experiment;
                let view = ExperimentView { experiment, leaf, shows_bandit };
                (result.in_experiment && !result.is_passed_through).then_some(FeatureResult {
                    value: result.value,
                    source: Source::Experiment,
                    rule_id: &rule.id,
                    experiment: Some((view, result)),
                })
            }
        }
    }

    /// Evaluates a prerequisite and asks its value.
    pub(super) fn parent(&mut self, parent: &Parent, waiting: Option<&Waiting<'_>>) -> Met {
        let Some(left) = self.prerequisites_left.checked_sub(1) else { return Met::Circle };
        self.prerequisites_left = left;
        let result = self.feature(&parent.feature, waiting);
        if result.source == Source::CyclicPrerequisite {
            return Met::Circle;
        }
        if parent.condition.is_met_by_value(result.value, &self.payload.groups) { Met::Yes } else { Met::No }
    }

    /// Returns whether any filter keeps the user out.
    pub(super) fn is_filtered_out(&self, filters: &[Filter]) -> bool {
        let lets_in = |filter: &Filter| {
            let value = self.user.named_by(&filter.attribute)?;
            let place = filter.seed.bucket(&value.to_text(), filter.version?);
            filter.ranges.iter().any(|range| range.contains(place)).then_some(())
        };
        !filters.iter().all(|filter| lets_in(filter).is_some())
    }

    /// Returns the value that a rule forces on the user, if it reaches them.
    fn force(&mut self, force: &'a Force) -> Option<&'a Json> {
        if let Some(condition) = &force.condition
            && !condition.is_met_by(self.user.attributes, &self.payload.groups)
        {
            return None;
        }
        if !self.is_rolled_out(force) {
            return None;
        }
        for track in &force.tracks {
            self.note(|| Exposure::Told(track));
        }
        Some(&force.value)
    }

    fn is_rolled_out(&self, force: &Force) -> bool {
        match force.rollout {
            Rollout::All => return true,
            Rollout::Nobody => return false,
            Rollout::Range(_) | Rollout::Coverage(_) => {}
        }
        let fallback = force.fallback_attribute.as_deref().filter(|_| self.buckets.is_some());
        let (_, value) = self.user.hash_attribute(&force.hash_attribute, fallback);
        let Some(version) = force.version.filter(|_| value.is_truthy()) else { return false };
        let place = force.seed.bucket(&value.to_text(), version);
        match force.rollout {
            Rollout::Range(range) => range.contains(place),
            // Here, and only here, the end is included.
            Rollout::Coverage(coverage) => place <= coverage,
            Rollout::All | Rollout::Nobody => false,
        }
    }

    pub(super) fn note(&mut self, exposure: impl FnOnce() -> Exposure<'a>) {
        if let Some(noted) = &mut self.exposures {
            noted.push(exposure());
        }
    }
}

#[inline]
fn plain(value: &Json, source: Source) -> FeatureResult<'_> {
    FeatureResult { value, source, rule_id: "", experiment: None }
}
