//! An experiment whose weights follow its results: a bandit.

use serde::{Deserialize, Serialize};

use super::{DefinitionError, Method, Variation, WHOLE_BP};
use crate::bandit::Policy;

/// Most epochs of a bandit: each stands in the definition with its weights, and narrows intervals no more than longer ones.
pub const EPOCHS_MAX: usize = 200;
/// Most hours of an epoch: a week, so that each holds every weekday.
pub const EPOCH_HOURS_MAX: u32 = 168;
/// The least share of an arm that a bandit may be told to keep, in basis points: units that had a chance of a hundredth count a
/// hundredfold.
pub const FLOOR_BP_MIN: u32 = 100;

/// Says that weights are drawn again from the results, by which rule and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draws {
    /// The rule by which an arm earns its share.
    #[serde(default)]
    pub policy: Policy,
    /// How many hours weights hold, 1 to [`EPOCH_HOURS_MAX`].
    pub every_hours: u32,
    /// The least share of each arm, in basis points, [`FLOOR_BP_MIN`] to an even share.
    pub floor_bp: u32,
    /// The epochs that are over, the oldest first; the present one has the variations' own weights.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past: Vec<PastEpoch>,
}

/// Holds the weights that were in force until others were drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PastEpoch {
    /// When it ended, Unix milliseconds UTC.
    pub until_ms: i64,
    /// The weight of each variation, in basis points.
    pub weights_bp: Vec<u32>,
}

impl Draws {
    /// Returns the number of the present epoch, from 0.
    pub fn epoch(&self) -> usize {
        self.past.len()
    }
}

/// Checks a bandit beside the rest of its definition.
pub(super) fn check_draws(
    draws: Option<&Draws>,
    variations: &[Variation],
    method: Method,
) -> Result<(), DefinitionError> {
    let Some(Draws { every_hours, floor_bp, past, .. }) = draws else { return Ok(()) };
    let wrong = |problem: String| Err(DefinitionError::Draws { problem });
    let even_bp = WHOLE_BP / u32::try_from(variations.len()).unwrap_or(u32::MAX);
    if method != Method::Sequential {
        return wrong(
            "is read at any time: choose the method `sequential`, the only one that holds while weights move"
                .into(),
        );
    }
    if !(1..=EPOCH_HOURS_MAX).contains(every_hours) {
        return wrong(format!(
            "draws weights again every {every_hours} hours: choose from 1 to {EPOCH_HOURS_MAX}"
        ));
    }
    if !(FLOOR_BP_MIN..=even_bp).contains(floor_bp) {
        return wrong(format!(
            "keeps {floor_bp} basis points for each variation: choose from {FLOOR_BP_MIN} to {even_bp}, an even share"
        ));
    }
    if let Some(poor) = variations.iter().find(|variation| variation.weight_bp < *floor_bp) {
        let (key, weight_bp) = (&poor.key, poor.weight_bp);
        return wrong(format!(
            "keeps {floor_bp} basis points for each variation, and `{key}` begins with {weight_bp}: raise that weight"
        ));
    }
    if past.len() >= EPOCHS_MAX {
        return wrong(format!("has {} epochs behind it, the most is {}", past.len(), EPOCHS_MAX - 1));
    }
    let is_whole = |epoch: &PastEpoch| {
        let sum: u64 = epoch.weights_bp.iter().map(|weight_bp| u64::from(*weight_bp)).sum();
        epoch.weights_bp.len() == variations.len()
            && !epoch.weights_bp.contains(&0)
            && sum == u64::from(WHOLE_BP)
    };
    match past.iter().position(|epoch| !is_whole(epoch)) {
        Some(epoch) => wrong(format!(
            "has in epoch {epoch} weights that are not one above 0 for each variation, summing to {WHOLE_BP}"
        )),
        None => Ok(()),
    }
}
