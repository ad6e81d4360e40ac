//! The always-valid interval of a lift over the looks of an experiment.

use std::fmt::Write as _;

use experiments::verdict::BandPoint;
use serde::Serialize;

use super::scale::{Scale, Tick};
use crate::figure::{count, signed_percent, signed_percent_to};

/// Of the looks, those with fewer than this share of the last one's units do not stretch the vertical axis: the first
/// intervals are so wide that they would flatten all later ones.
const SETTLED_SHARE: f64 = 0.2;
/// The vertical axis reaches at most so many half-widths of the last interval beyond it.
const REACH_MAX: f64 = 4.0;

/// Says how much room a drawing has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// A desk.
    Wide,
    /// A phone.
    Narrow,
}

impl Layout {
    pub(super) fn class(self) -> &'static str {
        match self {
            Layout::Wide => "wide",
            Layout::Narrow => "narrow",
        }
    }

    /// Width and height, so that text of 12 px is drawn at about its size.
    fn size(self) -> (f64, f64) {
        match self {
            Layout::Wide => (1000.0, 340.0),
            Layout::Narrow => (340.0, 280.0),
        }
    }

    /// As its size, of a chart that is low since it stands beside others.
    pub(super) fn low_size(self) -> (f64, f64) {
        match self {
            Layout::Wide => (1000.0, 240.0),
            Layout::Narrow => (340.0, 220.0),
        }
    }
}

/// Holds the last look's places.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LastLook {
    /// Across.
    pub x: f64,
    /// The lift.
    pub y: f64,
    /// The lower end of its interval.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
    /// The lift in words.
    pub label: String,
}

/// Holds the places and words of one drawing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BandChart {
    /// Makes the ids of its parts unique on the page.
    pub id: String,
    /// The class that says at which width of the window it is shown.
    pub layout: &'static str,
    /// Width of the drawing.
    pub width: f64,
    /// Height of the drawing.
    pub height: f64,
    /// Left edge of the plot.
    pub left: f64,
    /// Right edge of the plot.
    pub right: f64,
    /// Top edge of the plot.
    pub top: f64,
    /// Bottom edge of the plot.
    pub bottom: f64,
    /// Width of the plot.
    pub plot_width: f64,
    /// Height of the plot.
    pub plot_height: f64,
    /// Where no difference stands.
    pub zero: f64,
    /// The outline of the band as an SVG path; empty for a single look.
    pub band: String,
    /// The band's upper edge.
    pub upper: String,
    /// The band's lower edge.
    pub lower: String,
    /// The estimates.
    pub line: String,
    /// The last look.
    pub last: LastLook,
    /// The horizontal axis: units.
    pub x_ticks: Vec<Tick>,
    /// The vertical axis: lift.
    pub y_ticks: Vec<Tick>,
    /// What the horizontal axis counts.
    pub x_name: &'static str,
    /// What the vertical axis measures.
    pub y_name: String,
    /// The drawing's name, for those who do not see it.
    pub title: String,
    /// What it shows, in words.
    pub description: String,
}

impl BandChart {
    /// Draws a band, oldest look first; `None` when there is no look that can be drawn.
    ///
    /// `metric` is the phrase of what is measured. Looks that are not finite are left out.
    pub fn draw(
        id: &str,
        band: &[BandPoint],
        metric: &str,
        title: &str,
        layout: Layout,
    ) -> Option<BandChart> {
        let is_drawable = |p: &&BandPoint| p.lift.is_finite() && p.lower.is_finite() && p.upper.is_finite();
        let looks: Vec<BandPoint> = band.iter().filter(is_drawable).copied().collect();
        let last = looks.last()?;
        let (width, height) = layout.size();
        let (left, top, right, bottom) = (56.0, 28.0, width - 76.0, height - 52.0);
        let most = looks.iter().map(|look| look.units).max().unwrap_or(0).max(1);
        let across = Scale::new(0.0, most as f64, left, right);
        let (low, high) = reach(&looks, last);
        let up = Scale::new(low, high, bottom, top);
        let edge = |of: fn(&BandPoint) -> f64| -> Vec<(f64, f64)> {
            looks.iter().map(|look| (across.place(look.units as f64), up.place(of(look)))).collect()
        };
        let (upper, lower) = (edge(|look| look.upper), edge(|look| look.lower));
        let line = edge(|look| look.lift);
        let outline: Vec<(f64, f64)> = upper.iter().copied().chain(lower.iter().rev().copied()).collect();
        let is_band = looks.len() > 1;
        let path_of = |points: &[(f64, f64)]| if is_band { path(points) } else { String::new() };
        let (wanted_x, wanted_y) = if layout == Layout::Wide { (8, 6) } else { (3, 5) };
        Some(BandChart {
            id: format!("{id}-{}", layout.class()),
            layout: layout.class(),
            width,
            height,
            left,
            right,
            top,
            bottom,
            plot_width: right - left,
            plot_height: bottom - top,
            zero: up.place(0.0),
            band: if is_band { path(&outline) + "Z" } else { String::new() },
            upper: path_of(&upper),
            lower: path_of(&lower),
            line: path_of(&line),
            last: LastLook {
                x: across.place(last.units as f64),
                y: up.place(last.lift),
                lower: up.place(last.lower),
                upper: up.place(last.upper),
                label: signed_percent(last.lift),
            },
            x_ticks: unit_ticks(&across, wanted_x),
            y_ticks: lift_ticks(&up, wanted_y),
            x_name: "Units of both variations",
            y_name: format!("Lift in {metric}"),
            title: title.to_owned(),
            description: describe(&looks, last),
        })
    }
}

/// Which lifts the vertical axis must reach: zero, the last interval, and the settled looks as far as reasonable.
fn reach(looks: &[BandPoint], last: &BandPoint) -> (f64, f64) {
    let settled = looks.iter().filter(|look| look.units as f64 >= SETTLED_SHARE * last.units as f64);
    let (low, high) =
        settled.fold((0.0_f64, 0.0_f64), |(low, high), look| (low.min(look.lower), high.max(look.upper)));
    let room = REACH_MAX * ((last.upper - last.lower) / 2.0).max(0.005);
    let (low, high) = (low.max(last.lower.min(0.0) - room), high.min(last.upper.max(0.0) + room));
    let margin = 0.04 * (high - low);
    (low - margin, high + margin)
}

fn path(points: &[(f64, f64)]) -> String {
    let mut text = String::with_capacity(points.len() * 12);
    for (index, (x, y)) in points.iter().enumerate() {
        let letter = if index == 0 { 'M' } else { 'L' };
        write!(text, "{letter}{x} {y}").expect("a string takes all that is written to it");
    }
    text
}

fn unit_ticks(scale: &Scale, wanted: usize) -> Vec<Tick> {
    let (values, _) = scale.round_values(wanted, 1.0);
    // Units are whole: a step below one would label the same number twice.
    let whole = values.into_iter().filter(|value| value.fract() == 0.0 && *value >= 0.0);
    whole.map(|value| Tick { at: scale.place(value), label: count(value as u64) }).collect()
}

fn lift_ticks(scale: &Scale, wanted: usize) -> Vec<Tick> {
    let (values, decimals) = scale.round_values(wanted, 100.0);
    values
        .into_iter()
        .map(|value| Tick { at: scale.place(value), label: signed_percent_to(value, decimals) })
        .collect()
}

fn describe(looks: &[BandPoint], last: &BandPoint) -> String {
    let state = |look: &BandPoint| {
        format!(
            "{} with an interval from {} to {} at {} units",
            signed_percent(look.lift),
            signed_percent(look.lower),
            signed_percent(look.upper),
            count(look.units)
        )
    };
    let side = if last.lower > 0.0 {
        "The last interval lies above zero."
    } else if last.upper < 0.0 {
        "The last interval lies below zero."
    } else {
        "The last interval holds zero."
    };
    match looks {
        [first, .., _] => {
            format!(
                "Over {} looks the lift went from {} to {}. {side}",
                looks.len(),
                state(first),
                state(last)
            )
        }
        _ => format!("One look so far: {}. {side}", state(last)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(units: u64, lower: f64, lift: f64, upper: f64) -> BandPoint {
        BandPoint { at_ms: 0, units, lift, lower, upper }
    }

    fn draw(band: &[BandPoint]) -> Option<BandChart> {
        BandChart::draw("c", band, "conversion", "Lift", Layout::Wide)
    }

    /// Every number that ends in an attribute of the drawing.
    fn coordinates(chart: &BandChart) -> Vec<f64> {
        let value = serde_json::to_value(chart).unwrap();
        let mut numbers = Vec::new();
        let mut open = vec![&value];
        while let Some(value) = open.pop() {
            match value {
                serde_json::Value::Number(number) => numbers.push(number.as_f64().unwrap()),
                serde_json::Value::Null => numbers.push(f64::NAN),
                serde_json::Value::Array(items) => open.extend(items),
                serde_json::Value::Object(fields) => open.extend(fields.values()),
                _ => {}
            }
        }
        for path in [&chart.band, &chart.upper, &chart.lower, &chart.line] {
            let words = path.split(['M', 'L', 'Z', ' ']).filter(|word| !word.is_empty());
            numbers.extend(words.map(|word| word.parse::<f64>().unwrap()));
        }
        numbers
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(draw(&[]), None);
        assert_eq!(
            draw(&[look(500, f64::NEG_INFINITY, 0.1, f64::INFINITY), look(600, 0.0, f64::NAN, 0.0)]),
            None
        );
    }

    #[test]
    fn a_single_look_is_a_whisker_without_a_band() {
        let chart = draw(&[look(500, -0.1, 0.05, 0.2)]).unwrap();
        assert_eq!((chart.band.as_str(), chart.line.as_str()), ("", ""));
        assert!(chart.last.upper < chart.last.y && chart.last.y < chart.last.lower);
        assert!(chart.description.starts_with("One look so far: +5.0"), "{}", chart.description);
    }

    #[test]
    fn every_coordinate_is_finite() {
        let bands = [
            vec![look(0, 0.0, 0.0, 0.0)],
            vec![look(500, 0.1, 0.1, 0.1); 3],
            vec![look(500, -1e12, 0.0, 1e12), look(501, -1e-12, 0.0, 1e-12)],
            vec![look(u64::MAX, f64::MIN, 0.0, f64::MAX); 2],
            vec![look(700, -0.5, -0.4, -0.3), look(300, -0.2, -0.1, 0.0)],
        ];
        for band in bands {
            for layout in [Layout::Wide, Layout::Narrow] {
                let chart = BandChart::draw("c", &band, "conversion", "Lift", layout).unwrap();
                assert!(coordinates(&chart).iter().all(|number| number.is_finite()), "{chart:?}");
                assert!((chart.left..=chart.right).contains(&chart.last.x), "{chart:?}");
                assert!((chart.top..=chart.bottom).contains(&chart.zero), "{chart:?}");
            }
        }
    }

    #[test]
    fn early_wide_intervals_do_not_flatten_the_late_ones() {
        let band = [look(400, -3.0, 0.1, 3.2), look(9_000, 0.01, 0.1, 0.19), look(10_000, 0.02, 0.1, 0.18)];
        let chart = draw(&band).unwrap();
        assert!(chart.last.lower - chart.last.upper > 0.5 * chart.plot_height, "{chart:?}");
        assert!(chart.last.lower < chart.zero);
        assert!(chart.description.ends_with("The last interval lies above zero."));
    }
}
