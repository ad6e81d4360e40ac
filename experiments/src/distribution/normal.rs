//! The standard normal distribution.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

use libm::erfc;
use statrs::function::erf::erfc_inv;

/// The density φ(z).
pub(crate) fn density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / TAU.sqrt()
}

/// The chance 1 − Φ(z) of more than z. By erfc, so that it keeps all its digits where 1 − Φ keeps none (z > 8).
pub(crate) fn upper_tail(z: f64) -> f64 {
    0.5 * erfc(z * FRAC_1_SQRT_2)
}

/// The chance Φ(z) of at most z.
pub(crate) fn cdf(z: f64) -> f64 {
    upper_tail(-z)
}

/// The z beyond which `tail` lies: Φ⁻¹(1 − tail), without the subtraction. Infinite at 0 and 1.
///
/// statrs' inverse is right to ten digits (as is its erfc: both keep constants of single precision); Halley's
/// method mends it to the last.
pub(crate) fn critical(tail: f64) -> f64 {
    if tail <= 0.0 {
        return f64::INFINITY;
    }
    if tail >= 1.0 {
        return f64::NEG_INFINITY;
    }
    let mut z = std::f64::consts::SQRT_2 * erfc_inv(2.0 * tail);
    for _ in 0..2 {
        let newton = (upper_tail(z) - tail) / density(z);
        if newton.is_finite() {
            z += newton / (1.0 - 0.5 * z * newton);
        }
    }
    z
}

/// E[max(Z + shift, 0)] of a standard normal Z: shift·Φ(shift) + φ(shift), never below 0.
pub(crate) fn expected_excess(shift: f64) -> f64 {
    if shift == f64::INFINITY {
        return shift;
    }
    // Both terms vanish together far below 0, where their difference is only rounding.
    if shift < -38.0 { 0.0 } else { (shift * cdf(shift) + density(shift)).max(0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-13, "{found} is not {expected}");
    }

    /// Tails as printed by Abramowitz and Stegun (1964), table 26.2, and by 50-digit arithmetic.
    #[test]
    fn tails_keep_their_digits() {
        assert_close(upper_tail(1.0), 0.158_655_253_931_457_05);
        assert_close(upper_tail(8.0), 6.220_960_574_271_74e-16);
        assert_close(upper_tail(20.0), 2.753_624_118_606_155_6e-89);
        assert_close(upper_tail(37.0), 5.725_571_222_523_926_6e-300);
        assert_close(critical(0.025), 1.959_963_984_540_054);
        assert_close(critical(1e-20), 9.262_340_089_798_408);
        assert_eq!(upper_tail(40.0), 0.0);
        assert_eq!((critical(0.0), critical(1.0)), (f64::INFINITY, f64::NEG_INFINITY));
        for tail in [1e-300, 1e-30, 1e-9, 0.2, 0.5, 0.9] {
            assert!((upper_tail(critical(tail)) / tail - 1.0).abs() < 1e-11, "{tail}");
        }
    }

    #[test]
    fn an_expected_excess_is_never_negative() {
        assert_close(expected_excess(0.0), 1.0 / TAU.sqrt());
        assert_close(expected_excess(50.0), 50.0);
        // φ(z)·(1/z² − 3/z⁴ + 15/z⁶ − 105/z⁸ + 945/z¹⁰ …)
        let series = 1.0 / 400.0 - 3.0 / 160_000.0 + 15.0 / 64e6 - 105.0 / 25.6e9 + 945.0 / 1.024e13;
        assert!((expected_excess(-20.0) / (density(20.0) * series) - 1.0).abs() < 1e-8);
        for shift in [-1e9, -38.5, -37.9, -30.0, f64::NEG_INFINITY] {
            assert!(expected_excess(shift) >= 0.0 && expected_excess(shift) < 1e-100);
        }
        assert_eq!(expected_excess(f64::INFINITY), f64::INFINITY);
    }
}
