//! The segments of a bandit, each read epoch by epoch as the whole is.

use super::{Pair, anytime_lift, batches, planned_spread, split_of};
use crate::effect::Effect;
use crate::family::holm;
use crate::interval::Estimate;
use crate::redraw::Epoch;
use crate::sample_ratio::{PartSplit, corrected};
use crate::segments::p_of_same_effect;
use crate::verdict::{Plan, SegmentRow, Segments, UNITS_PER_ARM_MIN};

/// Compares every treatment with the control in each segment, given the segment's units in each epoch of a bandit; those with fewer
/// than [`UNITS_PER_ARM_MIN`] units in an arm, or without spread, are left out.
///
/// A segment's units were assigned with the chances of their epoch like all others, so that its scores are a martingale, too, and
/// [`anytime_lift`] holds in it at every look. Corrected as [`crate::verdict::segments`]: intervals at α over the number of segments, and
/// Holm's p-values. Whether they differ at all is asked at one look, by Cochran's Q: weights follow all segments together,
/// and so hardly what one of them shows beside the others.
pub fn segments_of_epochs(plan: &Plan, segments: &[(String, Vec<Epoch>)]) -> Vec<Segments> {
    (1..plan.arms().len()).map(|variation| of_treatment(plan, segments, variation)).collect()
}

/// Checks the split of parts of a bandit's units, each given by epoch.
///
/// A part is tested against the weights of each of its epochs, as the whole is: given what came before, a unit's arm follows the weights
/// of its epoch alone, whatever part it is of, so that the product of the epochs' Bayes factors is a martingale in each part.
/// Corrected for the number of parts as [`crate::sample_ratio::parts`].
pub fn splits_of_epochs(parts: &[&[Epoch]]) -> Vec<PartSplit> {
    let units = |epochs: &[Epoch]| -> Vec<u64> {
        let arms = epochs.first().map_or(0, |epoch| epoch.arms.len());
        (0..arms).map(|arm| epochs.iter().map(|epoch| epoch.arms[arm].units()).sum()).collect()
    };
    corrected(parts.iter().map(|epochs| (units(epochs), split_of(epochs))).collect())
}

fn of_treatment(plan: &Plan, segments: &[(String, Vec<Epoch>)], variation: usize) -> Segments {
    let pair = Pair { control: 0, treatment: variation };
    let units = |epochs: &[Epoch], arm: usize| -> u64 {
        epochs.iter().filter_map(|epoch| epoch.arms.get(arm)).map(|arm| arm.metric(0).units()).sum()
    };
    let found: Vec<_> = segments
        .iter()
        .filter(|(_, epochs)| units(epochs, 0).min(units(epochs, variation)) >= UNITS_PER_ARM_MIN)
        .filter_map(|(name, epochs)| {
            let batches = batches(plan, epochs, 0)?;
            let spread = planned_spread(plan, &batches, pair)?;
            let of_both = units(epochs, 0) + units(epochs, variation);
            Some((name, of_both, batches, spread))
        })
        .collect();
    let share = plan.alpha_per_comparison() / found.len().max(1) as f64;
    let lifts: Vec<(&String, u64, Estimate)> = found
        .iter()
        .filter_map(|(name, units, batches, spread)| {
            Some((*name, *units, anytime_lift(batches, pair, share, *spread)?))
        })
        .collect();
    let effect = |(_, units, lift): &(&String, u64, Estimate)| Effect {
        value: lift.value,
        standard_error: lift.standard_error,
        units: *units,
        degrees_of_freedom: *units as f64 - 2.0,
    };
    let effects: Vec<Effect> = lifts.iter().map(effect).collect();
    let adjusted = holm(&lifts.iter().map(|(_, _, lift)| lift.p).collect::<Vec<_>>());
    let row = |((name, units, lift), p): ((&String, u64, Estimate), f64)| SegmentRow {
        name: name.clone(),
        units,
        lift: Estimate { p, ..lift },
        is_significant: p <= plan.alpha_per_comparison(),
    };
    Segments {
        variation,
        rows: lifts.into_iter().zip(adjusted).map(row).collect(),
        p_of_same_effect: p_of_same_effect(&effects),
    }
}

#[cfg(test)]
mod tests;
