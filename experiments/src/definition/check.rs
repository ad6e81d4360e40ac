//! The rules of a definition's parts.

use super::{
    DEFINITION_BYTES_MAX, DefinitionError, KEY_BYTES_MAX, NAME_BYTES_MAX, Shipped, VARIATIONS_MAX, Variation,
    WHOLE_BP,
};
use crate::ramp::{AFTER_HOURS_MAX, RampStep, STEPS_MAX};

pub(super) fn check_size(bytes: usize) -> Result<(), DefinitionError> {
    if bytes > DEFINITION_BYTES_MAX { Err(DefinitionError::TooLarge { bytes }) } else { Ok(()) }
}

pub(super) fn check_variations(mut variations: Vec<Variation>) -> Result<Vec<Variation>, DefinitionError> {
    if variations.len() < 2 {
        return Err(DefinitionError::TooFewVariations { found: variations.len() });
    }
    if variations.len() > VARIATIONS_MAX {
        return Err(DefinitionError::TooManyVariations { found: variations.len() });
    }
    for (index, variation) in variations.iter_mut().enumerate() {
        check_key(&format!("key of variation {}", index + 1), &variation.key)?;
        if variation.name.is_empty() {
            variation.name.clone_from(&variation.key);
        }
        check_text(&format!("name of variation {}", index + 1), &variation.name, NAME_BYTES_MAX)?;
        if variation.weight_bp == 0 {
            return Err(DefinitionError::ZeroWeight { key: variation.key.clone() });
        }
    }
    for (index, variation) in variations.iter().enumerate() {
        if variations[..index].iter().any(|earlier| earlier.key == variation.key) {
            return Err(DefinitionError::DuplicateVariation { key: variation.key.clone() });
        }
    }
    let sum: u64 = variations.iter().map(|variation| u64::from(variation.weight_bp)).sum();
    if sum != u64::from(WHOLE_BP) {
        return Err(DefinitionError::WeightsDoNotSum { sum });
    }
    Ok(variations)
}

/// Whether every variation has the value of the first.
pub(super) fn are_alike(variations: &[Variation]) -> bool {
    variations.iter().all(|variation| variation.value == variations[0].value)
}

pub(super) fn check_values(is_aa: bool, variations: &[Variation]) -> Result<(), DefinitionError> {
    for (index, variation) in variations.iter().enumerate() {
        let alike = variations[..index].iter().find(|earlier| earlier.value == variation.value);
        match alike {
            Some(earlier) if !is_aa => {
                let keys = [earlier.key.clone(), variation.key.clone()];
                return Err(DefinitionError::SameValue { keys });
            }
            None if is_aa && index > 0 => {
                return Err(DefinitionError::OtherValue { key: variation.key.clone() });
            }
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn check_ramp(ramp: &[RampStep]) -> Result<(), DefinitionError> {
    if ramp.len() > STEPS_MAX {
        return Err(DefinitionError::TooManySteps { found: ramp.len() });
    }
    let mut before = RampStep { after_hours: 0, coverage_bp: 0 };
    for (index, step) in ramp.iter().enumerate() {
        let rises = step.after_hours > before.after_hours && step.coverage_bp > before.coverage_bp;
        if !rises || step.after_hours > AFTER_HOURS_MAX || step.coverage_bp > WHOLE_BP {
            return Err(DefinitionError::StepOutOfOrder { position: index + 1 });
        }
        before = *step;
    }
    Ok(())
}

pub(super) fn check_shipped(
    shipped: Option<&Shipped>,
    variations: &[Variation],
) -> Result<(), DefinitionError> {
    match shipped {
        Some(shipped) if variations.iter().all(|variation| variation.key != shipped.variation) => {
            Err(DefinitionError::UnknownShipped { key: shipped.variation.clone() })
        }
        Some(Shipped { share_bp, .. }) if *share_bp > WHOLE_BP => {
            Err(DefinitionError::ShareAboveWhole { found: *share_bp })
        }
        _ => Ok(()),
    }
}

pub(crate) fn check_key(field: &str, key: &str) -> Result<(), DefinitionError> {
    check_text(field, key, KEY_BYTES_MAX)?;
    let starts_well = key.starts_with(|first: char| first.is_ascii_alphanumeric());
    let goes_on_well = key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if starts_well && goes_on_well {
        Ok(())
    } else {
        Err(DefinitionError::InvalidKey { field: field.into(), found: key.into() })
    }
}

pub(super) fn check_text(field: &str, text: &str, limit: usize) -> Result<(), DefinitionError> {
    if text.trim().is_empty() {
        return Err(DefinitionError::Empty { field: field.into() });
    }
    check_line(field, text, limit)
}

pub(super) fn check_line(field: &str, text: &str, limit: usize) -> Result<(), DefinitionError> {
    if text.chars().any(char::is_control) {
        return Err(DefinitionError::ControlCharacter { field: field.into() });
    }
    check_length(field, text, limit)
}

pub(super) fn check_length(field: &str, text: &str, limit: usize) -> Result<(), DefinitionError> {
    if text.len() > limit {
        Err(DefinitionError::TooLong { field: field.into(), bytes: text.len(), limit })
    } else {
        Ok(())
    }
}
