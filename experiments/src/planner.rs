//! The price of peeking: what each mode needs, and which is the cheapest that holds for how a team looks.

use crate::group_sequential::Spending;
use crate::inference::{Looks, Mode};
use crate::power::Study;

/// How many looks stand for looking whenever one likes: more find hardly more.
const ANYTIME_LOOKS: u32 = 100;

/// Holds what one mode needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The mode, planned for `units_max`.
    pub mode: Mode,
    /// Units of both arms at most.
    pub units_max: u64,
    /// Units of both arms that are expected if the effect is there, stopping when it is found.
    pub units_expected: u64,
    /// Whether its chance of error holds for how the team looks.
    pub is_valid: bool,
}

/// Returns what every mode needs to find an effect with a power, the cheapest valid one first.
///
/// Cheapest is which needs the fewest units on the average when the effect is as large as planned; the most it may
/// need decides among equals. Modes that do not hold for how the team looks come last, for contrast: a fixed horizon
/// is cheap for who can keep from looking. The mixture test is tuned to the effect itself.
///
/// ```
/// use experiments::inference::{Looks, Mode};
/// use experiments::{effect::Scale, planner::offers, power::{Baseline, Study}};
/// let study = Study::new(Baseline::proportion(0.1).expect("fit"), Scale::Relative);
/// let best = |looks| offers(&study, 0.1, 0.8, looks).swap_remove(0).mode;
/// assert_eq!(best(Looks::Once), Mode::FixedHorizon);
/// assert!(matches!(best(Looks::Scheduled(5)), Mode::GroupSequential { .. }));
/// assert!(matches!(best(Looks::Anytime), Mode::Sequential { .. } | Mode::Mixture { .. }));
/// ```
///
/// Empty when the effect cannot be found, as [`Study::units_needed`].
pub fn offers(study: &Study, effect: f64, power: f64, looks: Looks) -> Vec<Offer> {
    let count = match looks {
        Looks::Once => 1,
        Looks::Scheduled(count) => count.max(1),
        Looks::Anytime => ANYTIME_LOOKS,
    };
    let study = Study { looks: count, ..*study };
    let group = |spending| Mode::GroupSequential { spending, planned_units: 1, earlier_looks: Vec::new() };
    let modes = [
        Mode::FixedHorizon,
        group(Spending::OBrienFleming),
        group(Spending::Pocock),
        Mode::Sequential { planned_units: 1 },
        Mode::Mixture { tau: effect.abs() },
    ];
    let mut offers: Vec<Offer> = modes
        .iter()
        .filter_map(|mode| {
            let (units_max, prospect) = study.needed(mode, effect, power)?;
            let mode = mode.planned_for(units_max);
            let units_expected = prospect.units_expected.ceil() as u64;
            let is_valid = mode.holds_for(looks);
            Some(Offer { mode, units_max, units_expected, is_valid })
        })
        .collect();
    offers.sort_by_key(|offer| (!offer.is_valid, offer.units_expected, offer.units_max));
    offers
}

#[cfg(test)]
mod tests;
