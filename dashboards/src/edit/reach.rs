//! Whom an experiment reaches, in words.

use experiments::Experiment;
use experiments::definition::WHOLE_BP;

use crate::figure::short_percent;

/// Says which share of all visitors takes part, as far as definitions tell it: how many meet a condition, only visitors do.
pub(super) fn told(experiment: &Experiment, running: &[Experiment]) -> String {
    let targeting = experiment.targeting();
    let coverage = f64::from(experiment.coverage_bp()) / f64::from(WHOLE_BP);
    let layer = targeting.layer.as_ref().map_or(1.0, |layer| layer.share());
    let is_governed = !experiment.is_holdout();
    let held = running.iter().find(|other| other.is_holdout() && is_governed).map_or(0.0, |holdout| {
        let share = |bp: u32| f64::from(bp) / f64::from(WHOLE_BP);
        share(holdout.coverage_bp()) * share(holdout.variations()[0].weight_bp())
    });
    let share = coverage * layer * experiment.rivals(running).left() * (1.0 - held);
    let mut parts = vec![format!("coverage {}", short_percent(coverage))];
    if let Some(layer) = &targeting.layer {
        parts.push(format!("{} of layer “{}”", short_percent(layer.share()), layer.key));
    }
    if held > 0.0 {
        parts.push(format!("less {} that a holdout keeps out", short_percent(held)));
    }
    let asked = match (targeting.condition.is_some(), targeting.prerequisites.is_empty()) {
        (false, true) => "all visitors",
        (true, true) => "the visitors who meet the condition",
        (false, false) => "the visitors to whom the other flags are worth that",
        (true, false) => "the visitors who meet the condition and to whom the other flags are worth that",
    };
    format!("It reaches about {} of {asked} ({}).", short_percent(share), parts.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn running(key: &str, flag: &str, coverage_bp: u32, targeting: Value) -> Experiment {
        Experiment::parse_value(&json!({
            "schema_version": 1, "key": key, "name": key, "flag": flag, "status": "running", "coverage_bp": coverage_bp,
            "targeting": targeting, "variations": [
                {"key": "a", "weight_bp": 5000, "value": "held"}, {"key": "b", "weight_bp": 5000, "value": "free"}],
        }))
        .unwrap()
    }

    #[test]
    fn shares_multiply_and_conditions_are_only_named() {
        let layer =
            json!({"layer": {"key": "l", "from_bp": 0, "to_bp": 5000}, "condition": {"device": "phone"}});
        let told_of = told(&running("e", "f", 5_000, layer), &[running("h", "holdout", 2_000, json!({}))]);
        assert_eq!(
            told_of,
            "It reaches about 22.5\u{a0}% of the visitors who meet the condition (coverage 50\u{a0}%, 50\u{a0}% of layer “l”, less 10\u{a0}% that a \
             holdout keeps out)."
        );
        assert_eq!(
            told(&running("e", "f", 10_000, json!({})), &[]),
            "It reaches about 100\u{a0}% of all visitors (coverage 100\u{a0}%)."
        );
    }
}
