//! Student's t-distribution: tails and critical values.

use statrs::distribution::{Continuous, ContinuousCDF, Normal, StudentsT};
use statrs::function::beta::checked_beta_reg;

/// Above so many degrees of freedom Student's t is taken for the normal: its tail differs by less than one
/// part in 10⁵.
const DEGREES_OF_FREEDOM_MAX: f64 = 1e6;

/// Two-sided p-value of Student's t: the regularised incomplete beta I_x(df/2, 1/2) at x = df/(df + t²)
/// (Abramowitz and Stegun 1964, 26.7.1). NaN where it cannot be computed.
pub(super) fn t_p_two_sided(t: f64, degrees_of_freedom: f64) -> f64 {
    if degrees_of_freedom > DEGREES_OF_FREEDOM_MAX {
        return 2.0 * standard_normal().sf(t.abs());
    }
    let x = degrees_of_freedom / (degrees_of_freedom + t * t);
    checked_beta_reg(degrees_of_freedom / 2.0, 0.5, x).unwrap_or(f64::NAN)
}

/// The t beyond which the two tails hold `alpha`, to the last bits.
///
/// Newton's method on the p-value, which falls and is convex in t: from the normal's critical value, which is
/// never above, the steps only rise towards the root.
pub(super) fn t_critical(alpha: f64, degrees_of_freedom: f64) -> f64 {
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
}
