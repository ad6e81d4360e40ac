//! The units that a power needs, and the effect that units can find.

use crate::distribution::normal;
use crate::group_sequential::LOOKS_MAX;
use crate::inference::Mode;
use crate::power::{Prospect, Study};
use crate::verdict::UNITS_MAX;

/// How near a search comes: one part in so many.
const PRECISION: f64 = 1e-6;
const HALVINGS_MAX: usize = 100;
/// Largest effect that is searched for, in multiples of the control's mean or of the standard deviation.
const EFFECT_MAX: f64 = 1e6;

impl Mode {
    /// Returns the mode tuned for so many planned units of the two arms, with no looks taken yet.
    pub fn planned_for(&self, units: u64) -> Mode {
        match self {
            Mode::Sequential { .. } => Mode::Sequential { planned_units: units },
            Mode::GroupSequential { spending, .. } => {
                Mode::GroupSequential { spending: *spending, planned_units: units, earlier_looks: Vec::new() }
            }
            other => other.clone(),
        }
    }
}

impl Study {
    /// Returns the fewest units of both arms that find an effect with a power, the mode being planned for them.
    ///
    /// ```
    /// use experiments::inference::Mode;
    /// use experiments::{effect::Scale, power::{Baseline, Study}};
    /// let conversion = Study::new(Baseline::proportion(0.1).expect("fit"), Scale::Absolute);
    /// // 2 · 14,748.045: the published sum for 10 % against 11 %.
    /// assert_eq!(conversion.units_needed(&Mode::FixedHorizon, 0.01, 0.8), Some(29_497));
    /// let mean = Study::new(Baseline::mean(5.0, 9.0).expect("fit"), Scale::Absolute);
    /// assert_eq!(mean.units_needed(&Mode::FixedHorizon, 0.2, 0.8), Some(7064));
    /// ```
    ///
    /// `None` when no number up to [`UNITS_MAX`] suffices (there is no effect, or a prior outweighs it), or a setting
    /// is out of range.
    pub fn units_needed(&self, mode: &Mode, effect: f64, power: f64) -> Option<u64> {
        self.needed(mode, effect, power).map(|(units, _)| units)
    }

    /// The units needed, with what they lead to.
    pub(crate) fn needed(&self, mode: &Mode, effect: f64, power: f64) -> Option<(u64, Prospect)> {
        let is_fit = power > 0.0 && power < 1.0 && effect != 0.0 && self.looks as usize <= LOOKS_MAX;
        let error = self.standard_error(effect, 1.0).filter(|_| is_fit)?;
        let target = normal::critical(1.0 - power);
        // That of a fixed horizon.
        let drift = (normal::critical(self.alpha / 2.0) + target).copysign(effect);
        // Bounds that are tuned to the plan's length are the same for any length, and one walk tells the power of all.
        let crossings = match mode {
            Mode::Sequential { .. } | Mode::GroupSequential { .. } => {
                Some(self.crossings(&mode.planned_for(1), drift, error, 1.0)?)
            }
            _ => None,
        };
        let prospect = |units: u64| match &crossings {
            Some(crossings) => {
                let error = self.standard_error(effect, units as f64)?;
                Some(crossings.prospect(effect / error, units as f64))
            }
            None => self.prospect(mode, effect, units),
        };
        let surplus =
            |prospect: &Prospect| normal::critical(1.0 - prospect.power).clamp(-40.0, 40.0) - target;
        let mut high = (1.3 * (drift * error / effect).powi(2)).clamp(4.0, UNITS_MAX as f64) as u64;
        let mut found = prospect(high)?;
        // Without units, the line of a fixed horizon begins so far below.
        let (mut low, mut below, mut above) = (0, -drift.abs(), surplus(&found));
        while above < 0.0 {
            let next = (high < UNITS_MAX).then(|| root((low, below), (high, above)))?;
            (low, below) = (high, above);
            high = next.clamp(high + high / 8 + 1, high * 2).min(UNITS_MAX);
            found = prospect(high)?;
            above = surplus(&found);
        }
        // False position, halving the weight of an end that stays (Dowell and Jarratt 1971, "Illinois").
        let mut was_enough = None;
        while high - low > 1 + (high as f64 * PRECISION) as u64 {
            let guess = root((low, below), (high, above)).clamp(low + 1, high - 1);
            let tried = prospect(guess)?;
            let beyond = surplus(&tried);
            let is_enough = beyond >= 0.0;
            let weight = if was_enough == Some(is_enough) { 0.5 } else { 1.0 };
            if is_enough {
                (high, above, found, below) = (guess, beyond, tried, below * weight);
            } else {
                (low, below, above) = (guess, beyond, above * weight);
            }
            was_enough = Some(is_enough);
        }
        Some((high, found))
    }

    /// Returns the smallest effect above 0 that so many units find with a power.
    ///
    /// ```
    /// use experiments::inference::Mode;
    /// use experiments::{effect::Scale, power::{Baseline, Study}};
    /// let study = Study::new(Baseline::mean(0.1, 0.09).expect("fit"), Scale::Relative);
    /// let smallest = study.detectable(&Mode::FixedHorizon, 20_000, 0.8).expect("there is one");
    /// assert!((smallest - 0.12660946).abs() < 1e-6);
    /// ```
    ///
    /// `None` when no effect suffices: a lift's error grows with the lift, so that with few units none is ever found.
    pub fn detectable(&self, mode: &Mode, units: u64, power: f64) -> Option<f64> {
        if !(power > 0.0 && power < 1.0) {
            return None;
        }
        let found = |effect: f64| self.power(mode, effect, units).unwrap_or(0.0);
        let error = self.standard_error(0.0, units as f64)?;
        let mut high = error;
        // Power need not rise all the way: a proportion ends at 1, a prior's pull is lost to a lift's noise.
        while found(high) < power {
            high *= 1.25;
            if high > EFFECT_MAX * error.max(1.0) {
                return None;
            }
        }
        let mut low = 0.0;
        for _ in 0..HALVINGS_MAX {
            let middle = 0.5 * (low + high);
            if found(middle) >= power {
                high = middle
            } else {
                low = middle
            }
            if high - low <= 1e-9 * high {
                break;
            }
        }
        Some(high)
    }
}

/// Where a straight line in the root of the units crosses 0: so grows how many deviations a power lies above the wanted one.
fn root((low, below): (u64, f64), (high, above): (u64, f64)) -> u64 {
    let (from, to) = ((low as f64).sqrt(), (high as f64).sqrt());
    (from - below * (to - from) / (above - below)).powi(2) as u64
}
