//! An interval on one line, small enough for a table.

use experiments::interval::Estimate;
use serde::Serialize;

use super::scale::Scale;

const WIDTH: f64 = 168.0;
const HEIGHT: f64 = 20.0;
const MARGIN: f64 = 6.0;

/// Holds the places of an interval, its estimate and zero on a line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IntervalBar {
    /// Width of the drawing.
    pub width: f64,
    /// Height of the drawing.
    pub height: f64,
    /// Where zero stands.
    pub zero: f64,
    /// Where the interval begins.
    pub lower: f64,
    /// Where it ends.
    pub upper: f64,
    /// Where the estimate stands.
    pub point: f64,
    /// Which colours it is drawn in.
    pub tone: &'static str,
}

/// Returns the largest distance from zero that any of the intervals reaches, for bars that can be compared by eye.
pub fn widest<'a>(estimates: impl IntoIterator<Item = &'a Estimate>) -> f64 {
    let reach = |estimate: &Estimate| estimate.lower.abs().max(estimate.upper.abs());
    estimates.into_iter().map(reach).filter(|reach| reach.is_finite()).fold(0.0, f64::max)
}

impl IntervalBar {
    /// Draws an estimate on a line from `-reach` to `reach`.
    pub fn draw(estimate: &Estimate, reach: f64, tone: &'static str) -> IntervalBar {
        let scale = Scale::new(-reach, reach, MARGIN, WIDTH - MARGIN);
        let place = |value: f64| scale.place(value).clamp(MARGIN, WIDTH - MARGIN);
        IntervalBar {
            width: WIDTH,
            height: HEIGHT,
            zero: place(0.0),
            lower: place(estimate.lower),
            upper: place(estimate.upper),
            point: place(estimate.value),
            tone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(lower: f64, value: f64, upper: f64) -> Estimate {
        Estimate { value, standard_error: 0.1, lower, upper, p: 0.5 }
    }

    #[test]
    fn bars_of_one_table_share_their_scale() {
        let (narrow, wide) = (estimate(-0.1, 0.0, 0.1), estimate(-0.2, 0.1, 0.4));
        let reach = widest([&narrow, &wide]);
        assert_eq!(reach, 0.4);
        let (narrow, wide) =
            (IntervalBar::draw(&narrow, reach, "calm"), IntervalBar::draw(&wide, reach, "calm"));
        assert_eq!((narrow.zero, wide.zero), (84.0, 84.0));
        assert_eq!(wide.upper, WIDTH - MARGIN);
        assert!(narrow.upper - narrow.lower < wide.upper - wide.lower);
    }

    #[test]
    fn a_bar_without_width_or_number_stays_on_the_drawing() {
        for (lower, value, upper) in
            [(0.0, 0.0, 0.0), (f64::NAN, f64::NAN, f64::NAN), (f64::MIN, 0.0, f64::MAX), (0.2, 0.2, 0.2)]
        {
            let estimate = estimate(lower, value, upper);
            let bar = IntervalBar::draw(&estimate, widest([&estimate]), "calm");
            for place in [bar.zero, bar.lower, bar.upper, bar.point] {
                assert!((0.0..=WIDTH).contains(&place), "{place}");
            }
        }
    }
}
