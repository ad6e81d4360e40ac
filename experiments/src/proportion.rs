//! A share of what was counted, with its interval.

/// Returns the Wilson score interval for conversions out of units, as fractions; all of 0 to 1 where there are no units.
///
/// For the standard normal quantile `z` of the level, as 1.959964 for 95 %. Source: E. B. Wilson, "Probable inference, the law of
/// succession, and statistical inference", JASA 22 (1927); the numbers of R. G. Newcombe, Statistics in Medicine 17 (1998), table I:
///
/// ```
/// use experiments::proportion::wilson;
/// let [low, high] = wilson(81, 263, 1.959964);
/// assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5);
/// let [low, high] = wilson(0, 20, 1.959964);
/// assert!(low == 0.0 && (high - 0.1611).abs() < 5e-5);
/// assert_eq!(wilson(0, 0, 1.959964), [0.0, 1.0]);
/// ```
pub fn wilson(conversions: u64, units: u64, z: f64) -> [f64; 2] {
    if units == 0 {
        return [0.0, 1.0];
    }
    let (x, n, z2) = (conversions.min(units) as f64, units as f64, z * z);
    let middle = x + z2 / 2.0;
    let half = z * (x * (n - x) / n + z2 / 4.0).sqrt();
    let bound = |side: f64| ((middle + side * half) / (n + z2)).clamp(0.0, 1.0);
    [if x == 0.0 { 0.0 } else { bound(-1.0) }, if x == n { 1.0 } else { bound(1.0) }]
}
