//! Experiments that share visitors, in words.

use std::collections::BTreeSet;

use experiments::interaction::Interaction;
use experiments::{Experiment, Variation};

use crate::figure::signed_percent;

/// The names that an interaction speaks of: the experiment's and its treatment's; the other one's, its control's and its
/// treatment's.
pub(crate) struct Names<'a> {
    pub experiment: &'a str,
    pub treatment: &'a str,
    pub other: &'a str,
    pub other_control: &'a str,
    pub other_treatment: &'a str,
}

impl<'a> Names<'a> {
    pub(crate) fn of(
        interaction: &Interaction,
        all: impl Fn(&str) -> Option<&'a Experiment>,
    ) -> Option<Self> {
        let (experiment, other) = (all(&interaction.experiment)?, all(&interaction.other)?);
        let name = |experiment: &'a Experiment, place: usize| {
            experiment.variations().get(place).map(Variation::name)
        };
        Some(Names {
            experiment: experiment.name(),
            treatment: name(experiment, interaction.variation)?,
            other: other.name(),
            other_control: name(other, 0)?,
            other_treatment: name(other, interaction.other_variation)?,
        })
    }

    /// Says what was found, and what to do about it.
    pub(crate) fn told(&self, interaction: &Interaction) -> String {
        let [beside_control, beside_treatment] = interaction.lifts.map(signed_percent);
        format!(
            "{} and {} act on each other: {} changes what decides by {beside_control} beside {} and by {beside_treatment} beside {}. \
             Neither says by itself what both do together: end one of them, then judge the other anew.",
            self.experiment, self.other, self.treatment, self.other_control, self.other_treatment
        )
    }
}

/// Says of each pair of running experiments that act on each other what was found clearest.
pub(crate) fn listed(interactions: &[Interaction], running: &[Experiment]) -> Vec<String> {
    let mut clearest: Vec<&Interaction> = interactions.iter().filter(|found| found.is_significant).collect();
    clearest.sort_by(|one, other| one.adjusted_p.total_cmp(&other.adjusted_p));
    let mut pairs = BTreeSet::new();
    clearest.retain(|found| pairs.insert(BTreeSet::from([&found.experiment, &found.other])));
    let named = |key: &str| running.iter().find(|experiment| experiment.key() == key);
    clearest.into_iter().filter_map(|found| Some(Names::of(found, named)?.told(found))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn running(key: &str) -> Experiment {
        Experiment::parse_value(&json!({
            "schema_version": 1, "key": key, "name": key.to_uppercase(), "flag": key, "status": "running", "variations": [
                {"key": "old", "name": format!("Old {key}"), "weight_bp": 5000, "value": 0},
                {"key": "new", "name": format!("New {key}"), "weight_bp": 5000, "value": 1},
            ],
        }))
        .unwrap()
    }

    fn found(experiment: &str, other: &str, adjusted_p: f64) -> Interaction {
        Interaction {
            experiment: experiment.into(),
            variation: 1,
            other: other.into(),
            other_variation: 1,
            units: 9_000,
            lifts: [0.12, -0.034],
            adjusted_p,
            is_significant: adjusted_p <= 0.05,
        }
    }

    #[test]
    fn each_pair_is_told_once_by_what_is_clearest() {
        let all = [running("a"), running("b"), running("c")];
        let told = listed(&[found("a", "b", 0.04), found("b", "a", 0.001), found("a", "c", 0.3)], &all);
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with(
            "B and A act on each other: New b changes what decides by +12.0\u{a0}% beside Old a and by −3.4\u{a0}% beside New a."
        ), "{told:?}");
    }
}
