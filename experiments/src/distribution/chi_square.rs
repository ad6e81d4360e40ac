//! The chi-square distribution.

use statrs::function::gamma::checked_gamma_ur;

/// The chance of more than `value` with so many degrees of freedom: the regularised upper incomplete gamma function
/// Q(df/2, value/2) (Abramowitz and Stegun 1964, 26.4.19). `None` without degrees of freedom or for NaN.
pub(crate) fn upper_tail(value: f64, degrees_of_freedom: usize) -> Option<f64> {
    match value {
        f64::INFINITY => Some(0.0),
        value if value <= 0.0 && degrees_of_freedom > 0 => Some(1.0),
        value => checked_gamma_ur(degrees_of_freedom as f64 / 2.0, value / 2.0).ok(),
    }
    .filter(|p| p.is_finite())
}
