//! Student's t-distribution: tails and critical values, for one to a thousand million degrees of freedom.

use std::f64::consts::PI;

use statrs::function::gamma::ln_gamma;

use crate::distribution::normal;

/// Above so many degrees of freedom a tail is taken from the normal by Hill's expansion, whose error is then below
/// one part in 10¹²; below, from the incomplete beta function, whose fraction then takes at most some hundred terms.
const EXACT_MAX: f64 = 1e4;
/// Terms of the continued fraction, at most.
const TERMS_MAX: usize = 10_000;
/// Heavy tails (one degree of freedom) take some thirty of Newton's steps, common cases four.
const NEWTON_STEPS_MAX: usize = 100;

/// The chance of |T| above |t|: the regularised incomplete beta I_x(df/2, 1/2) at x = df/(df + t²) (Abramowitz and
/// Stegun 1964, 26.7.1). NaN where the arguments are.
pub(crate) fn two_tails(t: f64, degrees_of_freedom: f64) -> f64 {
    if degrees_of_freedom > EXACT_MAX {
        return 2.0 * normal::upper_tail(normal_equivalent(t, degrees_of_freedom));
    }
    let (a, t_squared) = (degrees_of_freedom / 2.0, t * t);
    let y = t_squared / (degrees_of_freedom + t_squared);
    if y == 0.0 {
        return 1.0;
    }
    let x = degrees_of_freedom / (degrees_of_freedom + t_squared);
    let ln_front = -a * (t_squared / degrees_of_freedom).ln_1p() + 0.5 * y.ln() - ln_beta(a);
    if x < (a + 1.0) / (a + 2.5) {
        ln_front.exp() * fraction(a, 0.5, x) / a
    } else {
        1.0 - ln_front.exp() * fraction(0.5, a, y) / 0.5
    }
}

/// The chance of T above t.
pub(crate) fn upper_tail(t: f64, degrees_of_freedom: f64) -> f64 {
    let half = 0.5 * two_tails(t, degrees_of_freedom);
    if t >= 0.0 { half } else { 1.0 - half }
}

/// The t beyond which the two tails together hold `alpha`, to the last bits.
///
/// Newton's method on the tails, which fall and are convex in t: from the normal's critical value, which is never
/// above, the steps only rise towards the root.
pub(crate) fn critical(alpha: f64, degrees_of_freedom: f64) -> f64 {
    let mut t = normal::critical(alpha / 2.0);
    for _ in 0..NEWTON_STEPS_MAX {
        let step = (two_tails(t, degrees_of_freedom) - alpha) / (2.0 * density(t, degrees_of_freedom));
        if step.is_nan() || step.abs() <= 1e-14 * t.abs() {
            break;
        }
        t += step;
    }
    t
}

/// The t above which `alpha` lies.
pub(crate) fn critical_above(alpha: f64, degrees_of_freedom: f64) -> f64 {
    if alpha <= 0.5 {
        critical(2.0 * alpha, degrees_of_freedom)
    } else {
        -critical(2.0 * (1.0 - alpha), degrees_of_freedom)
    }
}

fn density(t: f64, degrees_of_freedom: f64) -> f64 {
    let ln_kernel = -0.5 * (degrees_of_freedom + 1.0) * (t * t / degrees_of_freedom).ln_1p();
    (ln_kernel - 0.5 * degrees_of_freedom.ln() - ln_beta(degrees_of_freedom / 2.0)).exp()
}

/// ln B(a, 1/2). For large a by the series of lnΓ(a + 1/2) − lnΓ(a), of which the gammas themselves, being huge,
/// would leave few digits.
fn ln_beta(a: f64) -> f64 {
    let difference = if a < 20.0 {
        ln_gamma(a + 0.5) - ln_gamma(a)
    } else {
        let square = a * a;
        let series =
            (-1.0 / 8.0 + (1.0 / 192.0 + (-1.0 / 640.0 + 17.0 / (14_336.0 * square)) / square) / square) / a;
        0.5 * a.ln() + series
    };
    0.5 * PI.ln() - difference
}

/// The continued fraction of the incomplete beta function (Abramowitz and Stegun 1964, 26.5.8), by Lentz's method.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let tiny = f64::MIN_POSITIVE / f64::EPSILON;
    let away = |value: f64| if value.abs() < tiny { tiny } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for m in 1..TERMS_MAX {
        let m = m as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away(1.0 + even * d);
        c = away(1.0 + even / c);
        value *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away(1.0 + odd * d);
        c = away(1.0 + odd / c);
        let change = d * c;
        value *= change;
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    value
}

/// The normal deviate with the same tail (Hill 1970, "Algorithm 395: Student's t-distribution", CACM 13).
fn normal_equivalent(t: f64, degrees_of_freedom: f64) -> f64 {
    let a = degrees_of_freedom - 0.5;
    let b = 48.0 * a * a;
    let z = if degrees_of_freedom.is_finite() {
        (a * (t * t / degrees_of_freedom).ln_1p()).sqrt()
    } else {
        t.abs()
    };
    let square = z * z;
    let second = z * (855.0 + square * (240.0 + square * (33.0 + 4.0 * square)));
    let correction = (square + 3.0) * z / b - second / (10.0 * b * (b + 0.8 * square * square + 100.0));
    z + if b.is_finite() { correction } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two-sided critical values of Student's t, from the usual printed tables.
    #[test]
    fn critical_values_match_the_tables() {
        let table = [(1.0, 12.706), (2.0, 4.303), (10.0, 2.228), (30.0, 2.042), (1e5, 1.960), (1e7, 1.960)];
        for (degrees_of_freedom, expected) in table {
            assert!((critical(0.05, degrees_of_freedom) - expected).abs() < 5e-4, "{degrees_of_freedom}");
        }
        // With one degree of freedom the two tails are 1 − 2 arctan(t)/π (Cauchy).
        let exact = (std::f64::consts::FRAC_PI_2 * (1.0 - 1e-6)).tan();
        assert!((critical(1e-6, 1.0) / exact - 1.0).abs() < 1e-9);
        assert!((critical(0.05, 1e300) - 1.959_963_984_540_054).abs() < 1e-12);
        assert!((critical(0.05, f64::INFINITY) - 1.959_963_984_540_054).abs() < 1e-12);
    }

    /// With two degrees of freedom the upper tail is (1 − t/√(2 + t²))/2, with one it is 1/2 − arctan(t)/π.
    #[test]
    fn closed_forms_hold() {
        for t in [-3.0_f64, -0.1, 0.0, 0.7, 2.0, 30.0] {
            let two = 0.5 * (1.0 - t / (2.0 + t * t).sqrt());
            assert!((upper_tail(t, 2.0) - two).abs() < 1e-15, "{t}: {} {two}", upper_tail(t, 2.0));
            let one = 0.5 - t.atan() / PI;
            assert!((upper_tail(t, 1.0) - one).abs() < 1e-15, "{t}");
        }
    }

    /// The two ways to a tail meet, however far out.
    #[test]
    fn the_change_to_the_expansion_is_seamless() {
        for t in [0.1_f64, 0.5, 2.0, 4.0, 6.0, 12.0, 30.0] {
            let df = EXACT_MAX;
            let (exact, expanded) = (two_tails(t, df), 2.0 * normal::upper_tail(normal_equivalent(t, df)));
            assert!((exact / expanded - 1.0).abs() < 2e-11, "{t}: {exact} {expanded}");
        }
    }
}
