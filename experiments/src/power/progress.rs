//! Power while an experiment runs: what the rest of it can still find.

use crate::effect::Effect;
use crate::inference::Mode;
use crate::power::{Study, days_for};
use crate::verdict::UNITS_MAX;

/// How near a search for an effect comes, as a share of it.
const PRECISION: f64 = 1e-9;
/// Largest effect that is searched for.
const EFFECT_MAX: f64 = 1e6;

/// Holds how well an effect is known so far, from which it follows how well it will be known later.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The standard error so far.
    pub standard_error: f64,
    /// Units of both arms so far.
    pub units: u64,
}

impl Progress {
    /// Returns the progress of an effect.
    pub fn of(effect: &Effect) -> Self {
        Progress { standard_error: effect.standard_error, units: effect.units }
    }

    /// Returns the power for a true effect once there are `units` of both arms, at one look then.
    ///
    /// The error falls by the square root of the units. It says what a plan is worth, not what the results so far make
    /// likely. Source: growthbook, `gbstats/power/midexperimentpower.py`.
    ///
    /// ```
    /// use experiments::{effect::{Effect, Scale}, inference::Mode, statistic::Statistic};
    /// use experiments::power::{Baseline, Progress, Study};
    /// let lift = Effect::relative(&Statistic::proportion(1000, 100), &Statistic::proportion(1000, 120))?;
    /// let study = Study::new(Baseline::proportion(0.1).expect("fit"), Scale::Relative);
    /// let power = |mode: &Mode, units| Progress::of(&lift).power(&study, mode, 0.2, units).expect("in range");
    /// assert!((power(&Mode::FixedHorizon, 2000) - 0.2565053778).abs() < 1e-10);
    /// assert!((power(&Mode::FixedHorizon, 10_000) - 0.8304884798).abs() < 1e-10);
    /// let sequential = Mode::Sequential { planned_units: 5000 };
    /// assert!((power(&sequential, 10_000) - 0.4421904275).abs() < 1e-10);
    /// # Ok::<(), experiments::effect::EffectError>(())
    /// ```
    ///
    /// `None` without units so far or for a setting out of range.
    pub fn power(&self, study: &Study, mode: &Mode, effect: f64, units: u64) -> Option<f64> {
        let is_fit = self.units > 0 && units > 0 && self.standard_error > 0.0;
        let error = self.standard_error * (self.units as f64 / units as f64).sqrt();
        let last_look = Study { looks: 1, ..*study };
        let prospect = is_fit.then(|| last_look.prospect_at(mode, effect / error, error, units as f64));
        prospect.flatten().map(|prospect| prospect.power)
    }

    /// Returns the smallest effect above 0 that is found with a power once there are `units` of both arms, at one look then.
    ///
    /// ```
    /// use experiments::{effect::Scale, inference::Mode, power::{Baseline, Progress, Study}};
    /// let study = Study::new(Baseline::proportion(0.1).expect("fit"), Scale::Relative);
    /// let progress = Progress { standard_error: 0.05, units: 8000 };
    /// // 2.8016 errors of 0.05·√(8/32).
    /// let found = progress.detectable(&study, &Mode::FixedHorizon, 0.8, 32_000).expect("in range");
    /// assert!((found - 0.07004).abs() < 1e-5);
    /// ```
    ///
    /// `None` as [`Progress::power`], and where no effect suffices.
    pub fn detectable(&self, study: &Study, mode: &Mode, power: f64, units: u64) -> Option<f64> {
        let found = |effect: f64| self.power(study, mode, effect, units);
        let (mut low, mut high) = (0.0, self.standard_error);
        while found(high)? < power {
            (low, high) = (high, high * 2.0);
            if high > EFFECT_MAX {
                return None;
            }
        }
        while high - low > high * PRECISION {
            let middle = 0.5 * (low + high);
            if found(middle)? >= power { high = middle } else { low = middle }
        }
        Some(high)
    }

    /// Returns the days until a look finds a true effect with a power, at so many units of both arms a day; 0 when the
    /// units so far suffice.
    ///
    /// ```
    /// use experiments::{effect::Scale, inference::Mode, power::{Baseline, Progress, Study}};
    /// let study = Study::new(Baseline::proportion(0.1).expect("fit"), Scale::Relative);
    /// let progress = Progress { standard_error: 0.05, units: 8000 };
    /// // 80 % need Δ/SE = 2.8016, so 8000·(2.8016·0.05/0.1)² = 15,698 units.
    /// assert_eq!(progress.days_left(&study, &Mode::FixedHorizon, 0.1, 0.8, 1000), Some(8));
    /// ```
    ///
    /// `None` when it will never do, nobody comes, or a setting is out of range.
    pub fn days_left(
        &self,
        study: &Study,
        mode: &Mode,
        effect: f64,
        power: f64,
        units_a_day: u64,
    ) -> Option<u64> {
        let suffices = |units: u64| {
            self.power(study, mode, effect, units).is_some_and(|found| found >= power && power > 0.0)
        };
        if suffices(self.units) {
            return Some(0);
        }
        let (mut low, mut high) = (self.units, self.units.max(1));
        while !suffices(high) {
            low = high;
            high = high.checked_mul(2).filter(|&units| units <= UNITS_MAX)?;
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if suffices(middle) { high = middle } else { low = middle }
        }
        days_for(high - self.units, units_a_day)
    }
}
