//! The segments of a bandit, each read epoch by epoch as the whole is.

use super::{Batch, Pair, anytime_lift, batches, planned_spread, split_of};
use crate::effect::Effect;
use crate::family::holm;
use crate::interval::Estimate;
use crate::redraw::Epoch;
use crate::sample_ratio::{PartSplit, corrected};
use crate::segments::p_of_same_effect;
use crate::verdict::compare::{by_dimension, same_effects};
use crate::verdict::{Division, Plan, SegmentRow, Segments, UNITS_PER_ARM_MIN};

/// Compares every treatment with the control in each segment of each dimension, given the segment's units in each epoch of a bandit;
/// those with fewer than [`UNITS_PER_ARM_MIN`] units in an arm, or without spread, are left out.
///
/// A segment's units were assigned with the chances of their epoch like all others, so that its scores are a martingale, too, and
/// [`anytime_lift`] holds in it at every look. Corrected as [`crate::verdict::segments`], over all dimensions together. Whether
/// the segments of one differ at all is asked at one look, by Cochran's Q: weights follow all segments together,
/// and so hardly what one of them shows beside the others.
pub fn segments_of_epochs(plan: &Plan, dimensions: &[Division<Epoch>]) -> Vec<Vec<Segments>> {
    let of_treatments = (1..plan.arms().len()).map(|variation| of_treatment(plan, dimensions, variation));
    by_dimension(dimensions.len(), of_treatments.collect())
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

/// A segment that can be read: its name, its units, what they did in each epoch, and where its interval is to be tightest.
type Readable<'a> = (&'a str, u64, Vec<Batch>, f64);

fn readable<'a>(plan: &Plan, segments: &'a Division<Epoch>, pair: Pair) -> Vec<Readable<'a>> {
    let units = |epochs: &[Epoch], arm: usize| -> u64 {
        epochs.iter().filter_map(|epoch| epoch.arms.get(arm)).map(|arm| arm.metric(0).units()).sum()
    };
    segments
        .iter()
        .filter(|(_, epochs)| units(epochs, 0).min(units(epochs, pair.treatment)) >= UNITS_PER_ARM_MIN)
        .filter_map(|(name, epochs)| {
            let batches = batches(plan, epochs, 0)?;
            let spread = planned_spread(plan, &batches, pair)?;
            Some((name.as_str(), units(epochs, 0) + units(epochs, pair.treatment), batches, spread))
        })
        .collect()
}

fn of_treatment(plan: &Plan, dimensions: &[Division<Epoch>], variation: usize) -> Vec<Segments> {
    type Lifts = Vec<(String, u64, Estimate)>;
    let pair = Pair { control: 0, treatment: variation };
    let found: Vec<Vec<Readable<'_>>> =
        dimensions.iter().map(|segments| readable(plan, segments, pair)).collect();
    let is_divided: Vec<bool> = dimensions.iter().map(|segments| segments.len() > 1).collect();
    let counted = found.iter().zip(&is_divided).filter(|(_, is_divided)| **is_divided);
    let count = counted.flat_map(|(rows, _)| rows).count().max(1);
    let lift = |is_divided: bool, (name, units, batches, spread): &Readable<'_>| {
        let share = plan.alpha_per_comparison() / if is_divided { count as f64 } else { 1.0 };
        Some(((*name).to_owned(), *units, anytime_lift(batches, pair, share, *spread)?))
    };
    let lifts: Vec<Lifts> = found
        .iter()
        .zip(&is_divided)
        .map(|(rows, is_divided)| rows.iter().filter_map(|row| lift(*is_divided, row)).collect())
        .collect();
    let effect = |(_, units, lift): &(String, u64, Estimate)| Effect {
        value: lift.value,
        standard_error: lift.standard_error,
        units: *units,
        degrees_of_freedom: *units as f64 - 2.0,
    };
    let same = lifts.iter().map(|rows| p_of_same_effect(&rows.iter().map(effect).collect::<Vec<_>>()));
    let same = same_effects(same.collect());
    let counted = lifts.iter().zip(&is_divided).filter(|(_, is_divided)| **is_divided);
    let p_values: Vec<f64> = counted.flat_map(|(rows, _)| rows).map(|(_, _, lift)| lift.p).collect();
    let mut adjusted = holm(&p_values).into_iter();
    let mut row = |is_divided: bool, (name, units, lift): (String, u64, Estimate)| {
        let p = if is_divided { adjusted.next().unwrap_or(1.0) } else { lift.p };
        let is_significant = p <= plan.alpha_per_comparison();
        SegmentRow { name, units, lift: Estimate { p, ..lift }, is_significant }
    };
    let with = |((rows, p_of_same_effect), is_divided): ((Lifts, Option<f64>), bool)| Segments {
        variation,
        rows: rows.into_iter().map(|one| row(is_divided, one)).collect(),
        p_of_same_effect,
    };
    lifts.into_iter().zip(same).zip(is_divided).map(with).collect()
}

#[cfg(test)]
mod tests;
