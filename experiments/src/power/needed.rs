//! The units that a power needs, and the effect that units can find.

use crate::distribution::normal;
use crate::group_sequential::LOOKS_MAX;
use crate::inference::Mode;
use crate::power::Study;
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
        let is_fit = power > 0.0 && power < 1.0 && effect != 0.0 && self.looks as usize <= LOOKS_MAX;
        let error = self.standard_error(effect, 1.0).filter(|_| is_fit)?;
        let target = normal::critical(1.0 - power);
        // How many deviations the power lies above the wanted one; it grows about as the root of the units.
        let surplus = |units: u64| {
            let found = self.power(&mode.planned_for(units), effect, units).unwrap_or(0.0);
            normal::critical(1.0 - found).clamp(-40.0, 40.0) - target
        };
        let fixed = ((normal::critical(self.alpha / 2.0) + target) * error / effect).powi(2);
        let mut high = (1.3 * fixed).clamp(4.0, UNITS_MAX as f64) as u64;
        let mut above = surplus(high);
        while above < 0.0 {
            high = high.checked_mul(2).filter(|&units| units <= UNITS_MAX)?;
            above = surplus(high);
        }
        let mut low = high / 2;
        let mut below = surplus(low);
        while below >= 0.0 && low > 1 {
            (high, above) = (low, below);
            low /= 2;
            below = surplus(low);
        }
        let mut is_straight = true;
        while high - low > 1 + (high as f64 * PRECISION) as u64 {
            // A straight line in the root of the units, and every other time a halving.
            let (from, to) = ((low as f64).sqrt(), (high as f64).sqrt());
            let guess = (from - below * (to - from) / (above - below)).powi(2);
            let middle = if is_straight { guess as u64 } else { low + (high - low) / 2 };
            is_straight = !is_straight;
            let middle = middle.clamp(low + 1, high - 1);
            match surplus(middle) {
                found if found >= 0.0 => (high, above) = (middle, found),
                found => (low, below) = (middle, found),
            }
        }
        Some(high)
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
