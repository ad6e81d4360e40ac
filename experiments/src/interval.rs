//! The effect of a treatment, and two intervals around it: one that stays valid however often it is looked at, and
//! the t-test's as a reference.

use serde::Serialize;
use statrs::distribution::{Continuous, ContinuousCDF, Normal, StudentsT};
use statrs::function::beta::checked_beta_reg;

use crate::metric::Statistic;

/// Holds an estimated effect with an interval and a p-value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The estimated effect.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// Two-sided p-value of no effect.
    pub p: f64,
}

impl Estimate {
    /// Returns whether the interval leaves out zero.
    pub fn excludes_zero(&self) -> bool {
        self.lower > 0.0 || self.upper < 0.0
    }

    fn around(effect: &Effect, half_width: f64, p: f64) -> Option<Estimate> {
        let estimate = Estimate {
            value: effect.value,
            standard_error: effect.standard_error,
            lower: effect.value - half_width,
            upper: effect.value + half_width,
            p: p.clamp(0.0, 1.0),
        };
        (estimate.lower.is_finite() && estimate.upper.is_finite() && !p.is_nan()).then_some(estimate)
    }
}

/// Holds a difference between two arms, before any interval is drawn around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// The estimated effect; the treatment's minus the control's.
    pub value: f64,
    /// Its standard error, above zero.
    pub standard_error: f64,
    /// Units of both arms together.
    pub units: u64,
    /// Welch's degrees of freedom, always of the absolute difference.
    pub degrees_of_freedom: f64,
}

/// Says why two arms cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EffectError {
    /// An arm has fewer than two units.
    #[error("an arm has fewer than two units")]
    TooFewUnits,
    /// An arm's units are all alike.
    #[error("an arm has no spread: all its units did the same")]
    NoSpread,
    /// The control's mean is not above zero, so no relative change can be told.
    #[error("the control's mean is not above zero")]
    ControlNotPositive,
}

impl Effect {
    /// Returns the absolute difference: Δ = m_b − m_a, variance s_b²/n_b + s_a²/n_a.
    ///
    /// Degrees of freedom are Welch's (1947). Source: gbstats 0.8.0, `frequentist/tests.py`.
    ///
    /// ```
    /// use experiments::{interval::Effect, metric::Statistic};
    /// let (a, b) = (Statistic::proportion(1000, 100), Statistic::proportion(1000, 120));
    /// let effect = Effect::absolute(&a, &b)?;
    /// assert!((effect.value - 0.02).abs() < 1e-15);
    /// assert!((effect.standard_error - 0.01398570699).abs() < 1e-11);
    /// assert!((effect.degrees_of_freedom - 1985.371456).abs() < 1e-6);
    /// # Ok::<(), experiments::interval::EffectError>(())
    /// ```
    ///
    /// # Errors
    /// [`EffectError::TooFewUnits`] and [`EffectError::NoSpread`].
    pub fn absolute(control: &Statistic, treatment: &Statistic) -> Result<Effect, EffectError> {
        let (a, b) = (control.variance_of_mean(), treatment.variance_of_mean());
        check_spread(control, treatment)?;
        let degrees_of_freedom =
            (a + b).powi(2) / (b * b / (treatment.units - 1) as f64 + a * a / (control.units - 1) as f64);
        Ok(Effect {
            value: treatment.mean - control.mean,
            standard_error: (a + b).sqrt(),
            units: control.units.saturating_add(treatment.units),
            degrees_of_freedom,
        })
    }

    /// Returns the relative lift: δ = (m_b − m_a)/m_a, variance s_b²/(m_a²n_b) + s_a²m_b²/(m_a⁴n_a) by the delta method.
    ///
    /// A good approximation only where the control's mean is known well. Sources: Deng, Knoblich and Lu (2018),
    /// "Applying the Delta Method in Metric Analytics"; gbstats 0.8.0, `frequentist/tests.py`.
    ///
    /// ```
    /// use experiments::{interval::Effect, metric::Statistic};
    /// let (a, b) = (Statistic::proportion(1000, 100), Statistic::proportion(1000, 120));
    /// let lift = Effect::relative(&a, &b)?;
    /// assert!((lift.value - 0.2).abs() < 1e-14);
    /// assert!((lift.standard_error - 0.1533623161).abs() < 1e-10);
    /// # Ok::<(), experiments::interval::EffectError>(())
    /// ```
    ///
    /// # Errors
    /// [`EffectError`]: as [`Effect::absolute`], and when the control's mean is zero or below.
    pub fn relative(control: &Statistic, treatment: &Statistic) -> Result<Effect, EffectError> {
        let absolute = Effect::absolute(control, treatment)?;
        if control.mean <= 0.0 {
            return Err(EffectError::ControlNotPositive);
        }
        let ratio = treatment.mean / control.mean;
        let variance = (treatment.variance_of_mean() + control.variance_of_mean() * ratio * ratio)
            / (control.mean * control.mean);
        Ok(Effect { value: absolute.value / control.mean, standard_error: variance.sqrt(), ..absolute })
    }

    /// Returns the t-test's interval and p-value, valid for one look that was planned beforehand.
    ///
    /// t = Δ/SE, p = 2(1 − F(|t|)), Δ ± t(1 − α/2)·SE with Welch's degrees of freedom (Welch 1947). `None` when numbers leave
    /// the range of floating point.
    ///
    /// ```
    /// use experiments::{interval::Effect, metric::Statistic};
    /// let (a, b) = (Statistic::proportion(1000, 100), Statistic::proportion(1000, 120));
    /// let test = Effect::absolute(&a, &b)?.at_fixed_horizon(0.05).expect("finite");
    /// assert!((test.lower + 0.007428203192).abs() < 1e-12 && (test.upper - 0.04742820319).abs() < 1e-11);
    /// assert!((test.p - 0.1528653561).abs() < 1e-10);
    /// # Ok::<(), experiments::interval::EffectError>(())
    /// ```
    pub fn at_fixed_horizon(&self, alpha: f64) -> Option<Estimate> {
        let p = t_p_two_sided(self.value / self.standard_error, self.degrees_of_freedom);
        let half_width = t_critical(alpha, self.degrees_of_freedom) * self.standard_error;
        Estimate::around(self, half_width, p)
    }
}

fn check_spread(control: &Statistic, treatment: &Statistic) -> Result<(), EffectError> {
    if control.units < 2 || treatment.units < 2 {
        return Err(EffectError::TooFewUnits);
    }
    let has_spread = |arm: &Statistic| arm.variance > 0.0 && arm.variance.is_finite();
    if has_spread(control) && has_spread(treatment) { Ok(()) } else { Err(EffectError::NoSpread) }
}

/// Holds an asymptotic confidence sequence: intervals that, all together, hold the truth with chance 1 − α however many
/// looks are taken and whenever one stops.
///
/// Both settings are fixed before the start; changing them on the way breaks the promise. Source:
/// Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2021/2024), "Time-uniform central limit theory and asymptotic
/// confidence sequences", <https://arxiv.org/abs/2103.06476>; as gbstats 0.8.0, `SequentialTwoSidedTTest`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sequence {
    alpha: f64,
    rho_squared: f64,
}

impl Sequence {
    /// Makes the sequence that errs with chance `alpha` and is tightest at `planned_units` (N*, of both arms together).
    ///
    /// ρ² = (−2 ln α + ln(1 − 2 ln α))/N*. `None` unless 0 < alpha < 1 and `planned_units` > 0.
    ///
    /// ```
    /// let sequence = experiments::interval::Sequence::new(0.05, 5000).expect("in range");
    /// assert!((sequence.rho_squared().sqrt() - 0.03984006677).abs() < 1e-11);
    /// ```
    pub fn new(alpha: f64, planned_units: u64) -> Option<Sequence> {
        if !(alpha > 0.0 && alpha < 1.0) || planned_units == 0 {
            return None;
        }
        let twice_log = -2.0 * alpha.ln();
        let rho_squared = (twice_log + (1.0 + twice_log).ln()) / planned_units as f64;
        Some(Sequence { alpha, rho_squared })
    }

    /// Returns ρ², the variance of the mixing distribution.
    pub fn rho_squared(&self) -> f64 {
        self.rho_squared
    }

    /// Returns u(N), the interval's half-width in standard errors after `units` of both arms.
    ///
    /// u(N) = √[2(Nρ² + 1)/(Nρ²) · ln(√(Nρ² + 1)/α)]; infinite without units.
    ///
    /// ```
    /// let sequence = experiments::interval::Sequence::new(0.05, 5000).expect("in range");
    /// assert!((sequence.half_width_in_errors(2000) - 3.123779092).abs() < 1e-9);
    /// assert!((sequence.half_width_in_errors(5000) - 3.03520899).abs() < 1e-8);
    /// assert!((sequence.half_width_in_errors(20_000) - 3.127114144).abs() < 1e-9);
    /// ```
    pub fn half_width_in_errors(&self, units: u64) -> f64 {
        let information = units as f64 * self.rho_squared;
        let log = 0.5 * information.ln_1p() - self.alpha.ln();
        (2.0 * (information + 1.0) / information * log).sqrt()
    }

    /// Returns the p-value min(1, √(Nρ² + 1)·exp(−ρ²Nt²/(2(Nρ² + 1)))); it is at most α just when the interval leaves out
    /// zero.
    pub fn p(&self, effect: &Effect) -> f64 {
        let information = effect.units as f64 * self.rho_squared;
        let t = effect.value / effect.standard_error;
        let exponent = 0.5 * information.ln_1p() - information * t * t / (2.0 * (information + 1.0));
        exponent.exp().min(1.0)
    }

    /// Returns the interval and p-value after the effect's units. `None` when numbers leave the range of floating point.
    ///
    /// ```
    /// use experiments::{interval::{Effect, Sequence}, metric::Statistic};
    /// let (a, b) = (Statistic::proportion(1000, 100), Statistic::proportion(1000, 120));
    /// let sequence = Sequence::new(0.05, 5000).expect("in range");
    /// let estimate = sequence.estimate(&Effect::absolute(&a, &b)?).expect("finite");
    /// assert!((estimate.lower + 0.02368825908).abs() < 1e-11 && (estimate.upper - 0.06368825908).abs() < 1e-11);
    /// assert!((estimate.p - 0.938885604).abs() < 1e-9);
    /// # Ok::<(), experiments::interval::EffectError>(())
    /// ```
    pub fn estimate(&self, effect: &Effect) -> Option<Estimate> {
        let half_width = self.half_width_in_errors(effect.units) * effect.standard_error;
        Estimate::around(effect, half_width, self.p(effect))
    }
}

/// Above so many degrees of freedom Student's t is taken for the normal: its tail differs by less than one part in 10⁵.
const DEGREES_OF_FREEDOM_MAX: f64 = 1e6;

/// Two-sided p-value of Student's t: the regularised incomplete beta I_x(df/2, 1/2) at x = df/(df + t²)
/// (Abramowitz and Stegun 1964, 26.7.1). NaN where it cannot be computed.
fn t_p_two_sided(t: f64, degrees_of_freedom: f64) -> f64 {
    if degrees_of_freedom > DEGREES_OF_FREEDOM_MAX {
        return 2.0 * standard_normal().sf(t.abs());
    }
    let x = degrees_of_freedom / (degrees_of_freedom + t * t);
    checked_beta_reg(degrees_of_freedom / 2.0, 0.5, x).unwrap_or(f64::NAN)
}

/// The t beyond which the two tails hold `alpha`, to the last bits.
///
/// Newton's method on the p-value, which falls and is convex in t: from the normal's critical value, which is never
/// above, the steps only rise towards the root.
fn t_critical(alpha: f64, degrees_of_freedom: f64) -> f64 {
    let mut t = standard_normal().inverse_cdf(1.0 - alpha / 2.0);
    if degrees_of_freedom > DEGREES_OF_FREEDOM_MAX {
        return t;
    }
    let Ok(student) = StudentsT::new(0.0, 1.0, degrees_of_freedom) else {
        return f64::NAN;
    };
    for _ in 0..NEWTON_STEPS_MAX {
        let step = (t_p_two_sided(t, degrees_of_freedom) - alpha) / (2.0 * student.pdf(t));
        if step.is_nan() || step <= 1e-13 * t {
            break;
        }
        t += step;
    }
    t
}

/// Heavy tails (one degree of freedom) take some thirty steps, common cases four.
const NEWTON_STEPS_MAX: usize = 100;

fn standard_normal() -> Normal {
    Normal::standard()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Example A of gbstats 0.8.0: 100 of 1000 against 120 of 1000.
    fn example_a() -> (Statistic, Statistic) {
        (Statistic::proportion(1000, 100), Statistic::proportion(1000, 120))
    }

    /// Example B: Σy 5000, Σy² 45,000 of 1000 against 5830, 54,000 of 1100.
    fn example_b() -> (Statistic, Statistic) {
        (Statistic::mean(1000, 5000, 45_000), Statistic::mean(1100, 5830, 54_000))
    }

    /// Holds what the published package printed, 10 significant digits.
    struct Printed {
        value: f64,
        standard_error: f64,
        degrees_of_freedom: f64,
        t_interval: (f64, f64),
        t_p: f64,
        interval: (f64, f64),
        p: f64,
    }

    fn assert_digits(found: f64, printed: f64) {
        let tolerance = printed.abs().max(1e-3) * 6e-10;
        assert!((found - printed).abs() <= tolerance, "{found} is not {printed}");
    }

    fn check(effect: Effect, printed: Printed) {
        assert_digits(effect.value, printed.value);
        assert_digits(effect.standard_error, printed.standard_error);
        assert_digits(effect.degrees_of_freedom, printed.degrees_of_freedom);
        let test = effect.at_fixed_horizon(0.05).unwrap();
        assert_digits(test.lower, printed.t_interval.0);
        assert_digits(test.upper, printed.t_interval.1);
        assert_digits(test.p, printed.t_p);
        let estimate = Sequence::new(0.05, 5000).unwrap().estimate(&effect).unwrap();
        assert_digits(estimate.lower, printed.interval.0);
        assert_digits(estimate.upper, printed.interval.1);
        assert_digits(estimate.p, printed.p);
    }

    #[test]
    fn absolute_difference_of_proportions_matches_gbstats() {
        let (a, b) = example_a();
        let printed = Printed {
            value: 0.02,
            standard_error: 0.01398570699,
            degrees_of_freedom: 1985.371456,
            t_interval: (-0.007428203192, 0.04742820319),
            t_p: 0.1528653561,
            interval: (-0.02368825908, 0.06368825908),
            p: 0.938885604,
        };
        check(Effect::absolute(&a, &b).unwrap(), printed);
    }

    #[test]
    fn relative_lift_of_proportions_matches_gbstats() {
        let (a, b) = example_a();
        let printed = Printed {
            value: 0.2,
            standard_error: 0.1533623161,
            degrees_of_freedom: 1985.371456,
            t_interval: (-0.1007679748, 0.5007679748),
            t_p: 0.192350207,
            interval: (-0.2790699965, 0.6790699965),
            p: 1.0,
        };
        check(Effect::relative(&a, &b).unwrap(), printed);
    }

    #[test]
    fn absolute_difference_of_means_matches_gbstats() {
        let (a, b) = example_b();
        let printed = Printed {
            value: 0.3,
            standard_error: 0.1978108376,
            degrees_of_freedom: 2087.469706,
            t_interval: (-0.08792704457, 0.6879270446),
            t_p: 0.1295190105,
            interval: (-0.3159258127, 0.9159258127),
            p: 0.8594312552,
        };
        check(Effect::absolute(&a, &b).unwrap(), printed);
    }

    #[test]
    fn relative_lift_of_means_matches_gbstats() {
        let (a, b) = example_b();
        let printed = Printed {
            value: 0.06,
            standard_error: 0.04079392207,
            degrees_of_freedom: 2087.469706,
            t_interval: (-0.02000100408, 0.1400010041),
            t_p: 0.1414939428,
            interval: (-0.06702049043, 0.1870204904),
            p: 0.9058617387,
        };
        check(Effect::relative(&a, &b).unwrap(), printed);
    }

    /// GrowthBook's documented price of looking whenever one likes: u(N)/1.96 at shares of N*.
    #[test]
    fn the_price_of_peeking_is_as_published() {
        let sequence = Sequence::new(0.05, 5000).unwrap();
        let published =
            [(500, 1.967), (1000, 1.716), (2000, 1.594), (5000, 1.549), (10_000, 1.562), (50_000, 1.654)];
        for (units, ratio) in published {
            let found = sequence.half_width_in_errors(units) / 1.959963985;
            assert!((found - ratio).abs() < 5e-4, "{units}: {found}");
        }
    }

    /// The mixture sequential ratio test of Johari et al. (2017) with τ² = ρ²·N·V is the same p-value by another road.
    #[test]
    fn p_equals_the_mixture_likelihood_ratio() {
        let (a, b) = example_a();
        let effect = Effect::absolute(&a, &b).unwrap();
        let sequence = Sequence::new(0.05, 5000).unwrap();
        let v = effect.standard_error.powi(2);
        let tau2 = sequence.rho_squared() * 2000.0 * v;
        let ratio = (v / (v + tau2)).sqrt() * (tau2 * effect.value.powi(2) / (2.0 * v * (v + tau2))).exp();
        assert!((1.0 / ratio - sequence.p(&effect)).abs() < 1e-12);
    }

    /// Two-sided critical values of Student's t, from the usual printed tables.
    #[test]
    fn critical_values_match_the_tables() {
        let table = [(1.0, 12.706), (2.0, 4.303), (10.0, 2.228), (30.0, 2.042), (1e5, 1.960), (1e7, 1.960)];
        for (degrees_of_freedom, expected) in table {
            assert!((t_critical(0.05, degrees_of_freedom) - expected).abs() < 5e-4, "{degrees_of_freedom}");
        }
        // With one degree of freedom the two tails are 1 − 2 arctan(t)/π (Cauchy).
        let exact = (std::f64::consts::FRAC_PI_2 * (1.0 - 1e-6)).tan();
        assert!((t_critical(1e-6, 1.0) / exact - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_change_to_the_normal_is_seamless() {
        for t in [0.0, 0.5, 2.0, 4.0, 6.0] {
            let (below, above) = (t_p_two_sided(t, 0.99e6), t_p_two_sided(t, 1.01e6));
            assert!((below / above - 1.0).abs() < 2e-3, "{t}: {below} {above}");
        }
        assert!((t_critical(0.05, 0.99e6) - t_critical(0.05, 1.01e6)).abs() < 1e-5);
    }

    #[test]
    fn arms_that_cannot_be_compared_are_refused() {
        let fine = Statistic::proportion(1000, 100);
        let cases = [
            (Statistic::proportion(0, 0), EffectError::TooFewUnits),
            (Statistic::proportion(1, 1), EffectError::TooFewUnits),
            (Statistic::proportion(1000, 0), EffectError::NoSpread),
            (Statistic::proportion(1000, 1000), EffectError::NoSpread),
        ];
        for (other, error) in cases {
            assert_eq!(Effect::absolute(&fine, &other), Err(error));
            assert_eq!(Effect::relative(&other, &fine), Err(error));
        }
        let refunded = Statistic::mean(3, -10, 200);
        assert_eq!(Effect::relative(&refunded, &fine), Err(EffectError::ControlNotPositive));
        assert!(Sequence::new(0.0, 10).is_none() && Sequence::new(1.0, 10).is_none());
        assert!(Sequence::new(f64::NAN, 10).is_none() && Sequence::new(0.05, 0).is_none());
    }

    proptest! {
        #[test]
        fn intervals_are_finite_and_hold_their_estimate(
            n_a in 2_u64..10_000_000, share_a in 0.0..1.0_f64, n_b in 2_u64..10_000_000, share_b in 0.0..1.0_f64,
            planned in 100_u64..10_000_000_000, alpha in 0.0001..0.5_f64,
        ) {
            let arm = |n: u64, share: f64| Statistic::proportion(n, ((n as f64 * share) as u64).clamp(1, n - 1));
            let (a, b) = (arm(n_a, share_a), arm(n_b, share_b));
            for effect in [Effect::absolute(&a, &b).unwrap(), Effect::relative(&a, &b).unwrap()] {
                let sequence = Sequence::new(alpha, planned).unwrap();
                let always = sequence.estimate(&effect).unwrap();
                let once = effect.at_fixed_horizon(alpha).unwrap();
                for estimate in [always, once] {
                    prop_assert!(estimate.lower.is_finite() && estimate.upper.is_finite());
                    prop_assert!(estimate.lower < estimate.value && estimate.value < estimate.upper);
                    prop_assert!((0.0..=1.0).contains(&estimate.p));
                }
                let clear = (always.p / alpha - 1.0).abs() > 1e-9;
                prop_assert!(!clear || always.excludes_zero() == (always.p <= alpha));
                // Looking whenever one likes has its price. With very few degrees of freedom t is the wider.
                prop_assert!(effect.degrees_of_freedom < 100.0 || always.upper > once.upper);
            }
        }
    }
}
