//! How likely an experiment is to find an effect, before it starts and while it runs.

use crate::bayes::Prior;
use crate::crossing::Crossings;
use crate::distribution::normal;
use crate::effect::Scale;
use crate::group_sequential::{GroupSequential, LOOKS_MAX};
use crate::inference::Mode;
use crate::interval::Alternative;
use crate::mixture::Mixture;
use crate::sequence::Sequence;
use crate::statistic::Statistic;

mod needed;
mod progress;

pub use progress::Progress;

/// Holds what is known of a metric before an experiment: the control's mean and the variance from unit to unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baseline {
    mean: f64,
    variance: f64,
    spread: Spread,
    /// The share of the variance that an adjustment leaves, of both arms.
    left: f64,
}

/// How the treatment's variance follows from its mean.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Spread {
    /// m(1 − m).
    Proportion,
    /// The control's.
    Alike,
    /// The control's, times the square of the ratio of the means.
    Proportional,
}

impl Baseline {
    /// Returns the baseline of a proportion; the treatment's variance is that of its own proportion. `None` unless it
    /// lies between 0 and 1.
    pub fn proportion(mean: f64) -> Option<Self> {
        let is_fit = mean > 0.0 && mean < 1.0;
        is_fit.then_some(Self { mean, variance: mean * (1.0 - mean), spread: Spread::Proportion, left: 1.0 })
    }

    /// Returns the baseline of a mean or a ratio with the variance s² of its statistic (of a capped metric: of what
    /// was capped); both arms are taken to have it. `None` unless the variance is above 0 and both are finite.
    pub fn mean(mean: f64, variance: f64) -> Option<Self> {
        let is_fit = mean.is_finite() && variance > 0.0 && variance.is_finite();
        is_fit.then_some(Self { mean, variance, spread: Spread::Alike, left: 1.0 })
    }

    /// Returns the baseline that a past statistic gives: a ratio, a quantile, a clustered quantile. `None` as
    /// [`Baseline::mean`].
    pub fn of(statistic: &Statistic) -> Option<Self> {
        Self::mean(statistic.mean, statistic.variance)
    }

    /// Returns the baseline of a quantile at `level` with the density of values there: s² = ν(1 − ν)/f², times the
    /// design effect of clustered events (1 where events are independent). `None` for numbers out of range.
    ///
    /// ```
    /// use experiments::power::Baseline;
    /// // The median of a standard normal: variance π/2.
    /// let median = Baseline::quantile(0.5, 0.0, 0.3989422804, 1.0);
    /// assert_eq!(median.map(|baseline| (baseline.variance() * 1e6).round()), Some(1_570_796.0));
    /// ```
    pub fn quantile(level: f64, value: f64, density: f64, design_effect: f64) -> Option<Self> {
        if !(level > 0.0 && level < 1.0 && density > 0.0) {
            return None;
        }
        Self::mean(value, level * (1.0 - level) / (density * density) * design_effect)
    }

    /// Returns the baseline as it is once adjusted by a past that correlates so with the outcome: s²(1 − ρ²). `None`
    /// unless −1 < ρ < 1.
    pub fn adjusted(self, correlation: f64) -> Option<Self> {
        let left = 1.0 - correlation * correlation;
        (left > 0.0 && left <= 1.0).then_some(Self {
            variance: self.variance * left,
            left: self.left * left,
            ..self
        })
    }

    /// Returns the baseline with a treatment whose standard deviation grows with its mean, as of revenue or latency
    /// that change by a factor. GrowthBook's calculator takes both arms to vary alike.
    ///
    /// ```
    /// use experiments::{effect::Scale, inference::Mode, power::{Baseline, Study}};
    /// let needed = |baseline| Study::new(baseline, Scale::Relative).units_needed(&Mode::FixedHorizon, 0.1, 0.8);
    /// let revenue = Baseline::mean(5.0, 25.0).expect("fit");
    /// assert_eq!((needed(revenue), needed(revenue.proportional())), (Some(3470), Some(3799)));
    /// ```
    pub fn proportional(self) -> Self {
        let spread = if self.spread == Spread::Alike { Spread::Proportional } else { self.spread };
        Self { spread, ..self }
    }

    /// Returns the control's mean.
    pub fn control_mean(&self) -> f64 {
        self.mean
    }

    /// Returns the variance from unit to unit in the control.
    pub fn variance(&self) -> f64 {
        self.variance
    }
}

/// Holds an experiment that is planned: one treatment against the control.
///
/// With several treatments each pair is a study of its own, at α/(k − 1) or by Holm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Study {
    /// What is known of the metric.
    pub baseline: Baseline,
    /// The scale on which effects are told.
    pub scale: Scale,
    /// The chance of error, 0 to 1.
    pub alpha: f64,
    /// Which effects are looked for.
    pub alternative: Alternative,
    /// The treatment's share of the units of the two arms, 0 to 1; a half is the most powerful.
    pub treatment_share: f64,
    /// How often the team looks, at equal distances, the last time at the end.
    pub looks: u32,
}

/// Holds what a plan of so many units leads to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prospect {
    /// The chance to find the effect by the end, 0 to 1.
    pub power: f64,
    /// The units of both arms that are expected when the experiment stops as soon as it finds something.
    pub units_expected: f64,
}

impl Crossings {
    /// What a plan of so many units leads to with a drift of so many standard errors at its end.
    fn prospect(&self, drift: f64, units: f64) -> Prospect {
        let (mut power, mut stopped) = (0.0, 0.0);
        for (time, crossed) in self.with(drift) {
            let found = crossed.above + crossed.below;
            power += found;
            stopped += time * found;
        }
        Prospect { power: power.min(1.0), units_expected: units * (stopped + 1.0 - power) }
    }
}

impl Study {
    /// Makes a two-sided study of two equal arms at α = 5 % that is looked at once.
    pub fn new(baseline: Baseline, scale: Scale) -> Self {
        let alternative = Alternative::TwoSided;
        Study { baseline, scale, alpha: 0.05, alternative, treatment_share: 0.5, looks: 1 }
    }

    /// Returns the standard error that an effect will have after so many units of both arms.
    ///
    /// √(s_b²/n_b + s_a²/n_a), for lifts √(s_b²/n_b + s_a²(1 + δ)²/n_a)/m_a; a lift's error grows with the lift.
    /// `None` when it is not a number above 0: no units, a share of 0, a lift over a mean that is not above 0, a
    /// proportion that would leave 0 to 1.
    pub fn standard_error(&self, effect: f64, units: f64) -> Option<f64> {
        let Baseline { mean, variance, spread, left } = self.baseline;
        let (treatment_mean, ratio, unit) = match self.scale {
            Scale::Absolute => (mean + effect, 1.0, 1.0),
            Scale::Relative if mean > 0.0 => (mean * (1.0 + effect), 1.0 + effect, mean),
            Scale::Relative => return None,
        };
        let treatment_variance = match spread {
            Spread::Proportion => treatment_mean * (1.0 - treatment_mean) * left,
            Spread::Alike => variance,
            Spread::Proportional => variance * (treatment_mean / mean).powi(2),
        };
        let (n_b, n_a) = (units * self.treatment_share, units * (1.0 - self.treatment_share));
        let is_fit = n_a > 0.0 && n_b > 0.0 && treatment_variance >= 0.0;
        let error = (treatment_variance / n_b + variance * ratio * ratio / n_a).sqrt() / unit;
        (is_fit && error > 0.0 && error.is_finite()).then_some(error)
    }

    /// Returns the chance to find an effect with so many units of both arms.
    ///
    /// At one look: Φ(Δ/SE − c) + Φ(−Δ/SE − c) with the mode's bound c. (GrowthBook's calculator instead blows the
    /// noise up by c/z, which gives too high a power below 50 % and too low a one above.) Over several looks: the
    /// chance to cross at any of them, by integration. Bayesian: the chance that the posterior interval will leave
    /// out zero at the last look.
    ///
    /// ```
    /// use experiments::inference::Mode;
    /// use experiments::{effect::Scale, power::{Baseline, Study}};
    /// let study = Study::new(Baseline::mean(0.1, 0.09).expect("fit"), Scale::Relative);
    /// let power = |mode: Mode, units| study.power(&mode, 0.1, units).expect("in range");
    /// assert!((power(Mode::FixedHorizon, 20_000) - 0.6111482934).abs() < 1e-10);
    /// assert!((power(Mode::FixedHorizon, 40_000) - 0.8870612519).abs() < 1e-10);
    /// let sequential = Mode::Sequential { planned_units: 5000 };
    /// assert!((power(sequential.clone(), 20_000) - 0.1881130107).abs() < 1e-9);
    /// assert!((power(sequential, 40_000) - 0.4835890066).abs() < 1e-9);
    /// ```
    ///
    /// `None` for settings out of range, as [`Study::standard_error`] and [`crate::inference::read`].
    pub fn power(&self, mode: &Mode, effect: f64, units: u64) -> Option<f64> {
        self.prospect(mode, effect, units).map(|prospect| prospect.power)
    }

    /// Returns the power and the units that are expected, stopping when an effect is found.
    ///
    /// `None` as [`Study::power`].
    pub fn prospect(&self, mode: &Mode, effect: f64, units: u64) -> Option<Prospect> {
        let units = units as f64;
        let error = self.standard_error(effect, units)?;
        self.prospect_at(mode, effect / error, error, units)
    }

    /// What a drift of so many standard errors at the end leads to.
    pub(crate) fn prospect_at(&self, mode: &Mode, drift: f64, error: f64, units: f64) -> Option<Prospect> {
        let is_fit = self.alpha > 0.0 && self.alpha < 1.0 && (1..=LOOKS_MAX as u32).contains(&self.looks);
        if !is_fit || !drift.is_finite() {
            return None;
        }
        if let Mode::Bayesian { prior, .. } = mode {
            let power = self.bayesian(*prior, drift, error);
            return Some(Prospect { power, units_expected: units });
        }
        Some(self.crossings(mode, drift, error, units)?.prospect(drift, units))
    }

    /// When a mode looks, as shares of the plan, and what then crosses its bounds.
    fn crossings(&self, mode: &Mode, drift: f64, error: f64, units: f64) -> Option<Crossings> {
        let looks = f64::from(self.looks);
        // A test for one look takes one, however often the team would like to.
        let times: Vec<f64> = match mode {
            Mode::FixedHorizon => vec![1.0],
            _ => (1..=self.looks).map(|look| f64::from(look) / looks).collect(),
        };
        let widths = self.widths(mode, &times, error, units)?;
        let bounds: Vec<[f64; 2]> = widths.into_iter().map(|width| self.bounds(width)).collect();
        Some(Crossings::new(&times, &bounds, drift))
    }

    fn widths(&self, mode: &Mode, times: &[f64], error: f64, units: f64) -> Option<Vec<f64>> {
        let tail = if self.alternative == Alternative::TwoSided { self.alpha / 2.0 } else { self.alpha };
        match mode {
            Mode::FixedHorizon => Some(vec![normal::critical(tail)]),
            Mode::Sequential { planned_units } => {
                let sequence = Sequence::of(self.alpha, self.alternative, *planned_units)?;
                Some(times.iter().map(|time| sequence.half_width_at(time * units)).collect())
            }
            Mode::GroupSequential { spending, planned_units, .. } => {
                let planned = *planned_units as f64;
                let fractions: Vec<f64> = times.iter().map(|time| time * units / planned).collect();
                let test = GroupSequential::new(*spending, self.alpha, self.alternative, &fractions)?;
                Some(test.bounds().to_vec())
            }
            Mode::Mixture { tau } => {
                let mixture = Mixture::new(self.alpha, self.alternative, *tau)?;
                Some(times.iter().map(|time| mixture.half_width_at(error * error / time)).collect())
            }
            Mode::Bayesian { .. } => None,
        }
    }

    fn bounds(&self, width: f64) -> [f64; 2] {
        match self.alternative {
            Alternative::TwoSided => [-width, width],
            Alternative::Greater => [f64::NEG_INFINITY, width],
            Alternative::Less => [-width, f64::INFINITY],
        }
    }

    /// The chance that the posterior interval will leave out zero: the posterior's mean over its deviation is normal
    /// with mean √w(z + μ₀V/(σ₀²·SE)) and variance w, w the weight of the data.
    fn bayesian(&self, prior: Option<Prior>, drift: f64, error: f64) -> f64 {
        let (weight, pull) = prior.map_or((1.0, 0.0), |prior| {
            let odds = (error / prior.deviation).powi(2);
            (1.0 / (1.0 + odds), odds * prior.mean / error)
        });
        let bound = |tail: f64| normal::critical(tail) / weight.sqrt();
        let middle = drift + pull;
        match self.alternative {
            Alternative::TwoSided => {
                let bound = bound(self.alpha / 2.0);
                normal::upper_tail(bound - middle) + normal::upper_tail(bound + middle)
            }
            Alternative::Greater => normal::upper_tail(bound(self.alpha) - middle),
            Alternative::Less => normal::upper_tail(bound(self.alpha) + middle),
        }
    }
}

/// Returns the days until so many units have come, at so many a day; at least 1. `None` without units a day.
///
/// ```
/// use experiments::power::days_for;
/// assert_eq!((days_for(10_001, 1000), days_for(0, 1000), days_for(5, 0)), (Some(11), Some(1), None));
/// ```
pub fn days_for(units: u64, units_a_day: u64) -> Option<u64> {
    (units_a_day > 0).then(|| units.div_ceil(units_a_day.max(1)).max(1))
}

#[cfg(test)]
mod tests;
