//! Where an experiment places a user: its gates in order, then the bucket.

use super::bandit::Leaf;
use super::evaluate::{Evaluator, Met};
use super::experiment::Experiment;
use super::outcome::{ExperimentResult, ExperimentView, Exposure};
use super::page::{is_targeted, matches_old_pattern};
use super::sticky::Found;
use crate::hash::{choose_variation, query_string_override};
use crate::json::{Json, NULL};

/// Says how a variation came about.
#[derive(Clone, Copy, Default)]
struct How {
    hash_used: bool,
    bucket: Option<f64>,
    sticky_bucket_used: bool,
}

impl<'a> Evaluator<'a> {
    /// Runs an experiment; the order of the gates is the JavaScript SDK's.
    pub(super) fn experiment(
        &mut self,
        experiment: &'a Experiment,
        leaf: Option<&'a Leaf>,
        feature: Option<&'a str>,
    ) -> ExperimentResult<'a> {
        let is_sticky = self.buckets.is_some() && !experiment.sticky.is_disabled;
        let fallback = experiment.fallback_attribute.as_deref().filter(|_| is_sticky);
        let unit = self.user.hash_attribute(&experiment.hash_attribute, fallback);
        let result = |variation, how| result(experiment, feature, unit, variation, how, leaf);
        let out = || result(None, How::default());

        if experiment.variations.len() < 2 || !self.user.is_enabled {
            return out();
        }
        if experiment.pages.as_ref().is_some_and(|pages| !is_targeted(self.user.url, pages)) {
            return out();
        }
        let asked = query_string_override(&experiment.key, self.user.url, experiment.variations.len());
        if let Some(variation) = asked {
            return result(Some(variation), How::default());
        }
        if let Some(variation) = self.user.forced_variation(&experiment.key) {
            return result(usize::try_from(variation).ok(), How::default());
        }
        if experiment.is_draft || !unit.1.is_truthy() {
            return out();
        }
        let found = match &self.buckets {
            Some(buckets) if is_sticky => buckets.find(experiment, &self.user),
            _ => Found::Nothing,
        };
        if !matches!(found, Found::Variation(_)) && !self.is_eligible(experiment, unit.1) {
            return out();
        }
        if let Some(pattern) = &experiment.url
            && !pattern.as_ref().is_some_and(|pattern| matches_old_pattern(pattern, self.user.url))
        {
            return out();
        }
        let Some(version) = experiment.version else { return out() };
        let place = experiment.seed.bucket(&unit.1.to_text(), version);
        let ranges = leaf.map_or(&experiment.ranges, |leaf| &leaf.ranges);
        let assigned = match found {
            Found::Variation(variation) => Some(variation),
            Found::Nothing => choose_variation(place, ranges),
            Found::Blocked => return result(None, How { sticky_bucket_used: true, ..How::default() }),
        };
        let Some(variation) = assigned else { return out() };
        if let Some(force) = experiment.force {
            return result(force, How::default());
        }
        if self.user.is_tested || experiment.is_stopped {
            return out();
        }
        let sticky_bucket_used = matches!(found, Found::Variation(_));
        let result =
            result(Some(variation), How { hash_used: true, bucket: Some(place), sticky_bucket_used });
        if let Some(buckets) = self.buckets.as_mut().filter(|_| is_sticky) {
            buckets.save(unit.0, unit.1, &experiment.sticky.key, result.key);
        }
        let view = ExperimentView { experiment, leaf, shows_bandit: result.in_experiment };
        self.note(|| Exposure::Ran(view, result));
        result
    }

    /// Returns whether the user may be placed, which is not asked of those who have a place already.
    fn is_eligible(&mut self, experiment: &'a Experiment, unit: &Json) -> bool {
        let is_let_in = match (&experiment.filters, &experiment.namespace) {
            (Some(filters), _) => !self.is_filtered_out(filters),
            (None, Some((seed, range))) => {
                range.contains(seed.bucket(&unit.to_text(), crate::hash::HashVersion::V1))
            }
            (None, None) => true,
        };
        let groups = &self.payload.groups;
        let meets = |condition: &super::Condition| condition.is_met_by(self.user.attributes, groups);
        is_let_in
            && experiment.condition.as_ref().is_none_or(meets)
            && experiment.parents.iter().all(|parent| matches!(self.parent(parent, None), Met::Yes))
            && experiment
                .groups
                .as_ref()
                .is_none_or(|groups| groups.iter().any(|group| self.user.is_in_group(group)))
    }
}

/// Makes the result; a variation that does not exist leaves the user out, with the control's value.
#[inline]
fn result<'a>(
    experiment: &'a Experiment,
    feature_id: Option<&'a str>,
    (hash_attribute, hash_value): (&'a str, &'a Json),
    variation: Option<usize>,
    how: How,
    leaf: Option<&'a Leaf>,
) -> ExperimentResult<'a> {
    let existing = variation.filter(|variation| *variation < experiment.variations.len());
    let variation = existing.unwrap_or(0);
    let in_experiment = existing.is_some();
    let name = &experiment.names[variation];
    ExperimentResult {
        key: &name.key,
        variation,
        value: experiment.variations.get(variation).unwrap_or(&NULL),
        in_experiment,
        hash_used: how.hash_used,
        hash_attribute,
        hash_value,
        feature_id,
        bucket: how.bucket,
        sticky_bucket_used: how.sticky_bucket_used,
        name: name.name.as_deref(),
        is_passed_through: name.is_passed_through,
        leaf: leaf.filter(|_| how.hash_used && in_experiment),
    }
}
