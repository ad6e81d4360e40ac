//! From a value to a place on a drawing, and the round numbers that label an axis.

use serde::Serialize;

/// How many lengths of the axis a place may lie beyond it: enough for a line to leave the drawing at its true slope.
const OVERSHOOT: f64 = 4.0;

/// Maps a range of values linearly onto a range of places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

/// Labels one place of an axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tick {
    /// Where it stands on the drawing.
    pub at: f64,
    /// What it says.
    pub label: String,
}

impl Scale {
    /// Makes a scale from `low..=high` onto `from..=to`; a range without width is given one around its value, and one
    /// that is not finite counts as 0 to 1.
    pub fn new(low: f64, high: f64, from: f64, to: f64) -> Scale {
        let (low, high) = if low.is_finite() && high.is_finite() && (high - low).is_finite() {
            (low.min(high), low.max(high))
        } else {
            (0.0, 1.0)
        };
        let (low, high) = if high - low > f64::EPSILON * low.abs().max(high.abs()).max(1e-300) {
            (low, high)
        } else {
            let margin = (low.abs() * 0.5).max(0.005);
            (low - margin, high + margin)
        };
        Scale { low, high, from, to }
    }

    /// Returns the place of a value, to a tenth; a value that is not finite stands where 0 would.
    pub fn place(&self, value: f64) -> f64 {
        let value = if value.is_finite() { value } else { 0.0 };
        let share = (value - self.low) / (self.high - self.low);
        let share = if share.is_nan() { 0.0 } else { share.clamp(-OVERSHOOT, OVERSHOOT) };
        ((self.from + share * (self.to - self.from)) * 10.0).round() / 10.0
    }

    /// Returns round values inside the scale, about `wanted` of them, and the decimals that tell them apart when they
    /// are written times `factor`.
    ///
    /// Steps are 1, 2, 2.5 or 5 times a power of ten.
    pub fn round_values(&self, wanted: usize, factor: f64) -> (Vec<f64>, usize) {
        let raw = (self.high - self.low) / wanted.max(1) as f64;
        let power = 10_f64.powf(raw.log10().floor());
        let step =
            [1.0, 2.0, 2.5, 5.0].map(|times| times * power).into_iter().find(|&step| step >= raw * 0.999);
        let step = step.unwrap_or(10.0 * power);
        let first = (self.low / step).ceil();
        let last = (self.high / step).floor();
        if !step.is_normal() || !first.is_finite() || last - first > 100.0 {
            return (vec![self.low, self.high], 1);
        }
        let mut values = Vec::new();
        let mut index = first;
        while index <= last {
            values.push(index * step);
            index += 1.0;
        }
        let is_told_by = |decimals: &usize| {
            let written = step * factor * 10_f64.powi(*decimals as i32);
            (written - written.round()).abs() < 1e-6 * written
        };
        (values, (0..4).find(is_told_by).unwrap_or(4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_linear_and_finite() {
        let scale = Scale::new(0.0, 10.0, 100.0, 0.0);
        assert_eq!((scale.place(0.0), scale.place(5.0), scale.place(10.0)), (100.0, 50.0, 0.0));
        assert_eq!(scale.place(f64::NAN), 100.0);
        assert_eq!(scale.place(f64::MAX), -300.0);
        for (low, high) in [(0.0, 0.0), (3.0, 3.0), (f64::NAN, 1.0), (f64::MIN, f64::MAX), (1e300, 1e300)] {
            let scale = Scale::new(low, high, 0.0, 50.0);
            for value in [0.0, 1.0, -1e308, f64::INFINITY, low] {
                assert!(scale.place(value).is_finite(), "{value} on {low}..{high}");
            }
            let (values, _) = scale.round_values(5, 1.0);
            assert!(!values.is_empty() && values.len() < 110 && values.iter().all(|v| v.is_finite()));
        }
    }

    #[test]
    fn axes_are_labelled_in_round_steps() {
        assert_eq!(
            Scale::new(0.0, 10_000.0, 0.0, 1.0).round_values(5, 1.0).0,
            [0.0, 2e3, 4e3, 6e3, 8e3, 1e4]
        );
        let (values, decimals) = Scale::new(-0.13, 0.27, 0.0, 1.0).round_values(5, 100.0);
        assert_eq!((values.len(), decimals), (4, 0));
        let (values, decimals) = Scale::new(-0.003, 0.004, 0.0, 1.0).round_values(5, 100.0);
        assert_eq!((values.len(), decimals), (4, 1));
        let (values, decimals) = Scale::new(-0.06, 0.06, 0.0, 1.0).round_values(5, 100.0);
        assert_eq!((values, decimals), (vec![-0.05, -0.025, 0.0, 0.025, 0.05], 1));
    }
}
