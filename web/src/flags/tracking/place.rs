//! Which variation is meant.

use experiments::{Status, assign, assign::drawn, json::Json};

use super::report::{Fault, FaultKind};
use crate::definitions::Definitions;

/// Finds the variation of an experiment that a unit has met: of the shop's own, which must be running and have given it by
/// hash, or of an imported one. A bandit may have given it in the epoch that is named, or else in any.
pub(super) fn variation(
    definitions: &Definitions,
    experiment: &str,
    named: &Json,
    unit: &str,
    epoch: Option<usize>,
) -> Result<u32, Fault> {
    let unknown = || {
        let shown: String = experiment.chars().take(80).collect();
        let message =
            format!("there is no experiment {shown:?}, neither of the shop nor of an imported flag");
        Fault::new(FaultKind::UnknownExperiment, message)
    };
    let own = definitions.experiment(experiment).filter(|own| own.status() != Status::Draft);
    let Some(own) = own else {
        let rules = definitions.imported_variations(experiment).ok_or_else(unknown)?;
        // The rules of several flags may share an experiment; each has all of its variations, as a rule.
        let found = rules.iter().find_map(|keys| index_of(named, keys.iter().map(String::as_str)));
        return found
            .ok_or_else(|| unknown_variation(experiment, named, rules.iter().flatten().map(String::as_str)));
    };
    if own.status() != Status::Running {
        let message =
            format!("experiment {experiment:?} is {}: only a running one counts", own.status().as_str());
        return Err(Fault::new(FaultKind::NotRunning, message));
    }
    let keys = || own.variations().iter().map(|variation| variation.key());
    let index = index_of(named, keys()).ok_or_else(|| unknown_variation(experiment, named, keys()))?;
    let is_given = match own.draws() {
        Some(_) => drawn(own, unit, index as usize, epoch).is_some(),
        None => {
            let assigned = assign(own, unit);
            assigned.in_experiment && assigned.variation == index as usize
        }
    };
    if !is_given {
        let message = format!(
            "experiment {experiment:?} does not give this unit the variation {named}: what was forced is not counted"
        );
        return Err(Fault::new(FaultKind::Forced, message));
    }
    Ok(index)
}

/// Finds a variation by its key, or by its number from 0, which may be a text: SDKs call a variation without a key so.
fn index_of<'k>(named: &Json, mut keys: impl ExactSizeIterator<Item = &'k str>) -> Option<u32> {
    let count = keys.len();
    let index = match named {
        Json::String(key) => keys.position(|known| known == key).or_else(|| key.parse().ok()),
        other => {
            other.as_f64().filter(|index| index.fract() == 0.0 && *index >= 0.0).map(|index| index as usize)
        }
    };
    index.filter(|index| *index < count).and_then(|index| u32::try_from(index).ok())
}

fn unknown_variation<'k>(experiment: &str, named: &Json, keys: impl Iterator<Item = &'k str>) -> Fault {
    let known: Vec<&str> = keys.take(10).collect();
    let shown: String = named.to_string().chars().take(80).collect();
    let message = format!(
        "experiment {experiment:?} has no variation {shown}: name one of {}, or its number from 0",
        known.join(", ")
    );
    Fault::new(FaultKind::UnknownVariation, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variation_is_found_by_key_or_number() {
        let found = |named: &str, keys: &[&str]| index_of(&Json::parse(named).unwrap(), keys.iter().copied());
        let keys = ["control", "1", "0"];
        for (named, index) in
            [("\"control\"", 0), ("0", 0), ("1.0", 1), ("\"1\"", 1), ("\"0\"", 2), ("\"2\"", 2)]
        {
            assert_eq!(found(named, &keys), Some(index), "{named}");
        }
        for named in ["3", "-1", "0.5", "\"x\"", "null", "[0]", "1e300", "\"-1\"", "\"\""] {
            assert_eq!(found(named, &keys), None, "{named}");
        }
    }
}
