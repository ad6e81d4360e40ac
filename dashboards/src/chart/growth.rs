//! How many units met each variation, day by day.

use std::fmt::Write as _;

use serde::Serialize;

use super::band::Layout;
use super::scale::{Scale, Tick};
use crate::figure::count;
use crate::moment::Moment;

/// Holds how many units each variation had at the end of a day, or now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Growth {
    /// When, Unix milliseconds UTC.
    pub at_ms: i64,
    /// Units so far, of each variation in their order.
    pub units: Vec<u64>,
}

/// Holds the places and words of one drawing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GrowthChart {
    id: String,
    layout: &'static str,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    bottom: f64,
    /// A line for each variation, as SVG paths.
    lines: Vec<String>,
    /// Where the planned number of units stands.
    planned: f64,
    planned_label: String,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    title: String,
    description: String,
}

impl GrowthChart {
    /// Draws how units came, the oldest day first, with the number that each variation is planned to have; `None` before units
    /// came on two days, which make no line.
    pub fn draw(
        id: &str,
        days: &[Growth],
        names: &[&str],
        planned: u64,
        title: &str,
        layout: Layout,
    ) -> Option<GrowthChart> {
        let (first, last) = (days.first()?, days.last()?);
        if last.at_ms <= first.at_ms {
            return None;
        }
        let (width, height) = layout.low_size();
        let (left, top, right, bottom) = (56.0, 20.0, width - 24.0, height - 32.0);
        let most = last.units.iter().copied().chain([planned]).max().unwrap_or(0).max(1);
        let across = Scale::new(0.0, (last.at_ms - first.at_ms) as f64, left, right);
        let up = Scale::new(0.0, most as f64 * 1.06, bottom, top);
        let x = |at_ms: i64| across.place((at_ms - first.at_ms) as f64);
        let line = |variation: usize| {
            let mut path = String::new();
            for (index, day) in days.iter().enumerate() {
                let letter = if index == 0 { 'M' } else { 'L' };
                let units = day.units.get(variation).copied().unwrap_or(0);
                write!(path, "{letter}{} {}", x(day.at_ms), up.place(units as f64))
                    .expect("a string takes all that is written to it");
            }
            path
        };
        let wanted = if layout == Layout::Wide { 4 } else { 1 };
        let day = |part: i64| {
            let at_ms = first.at_ms + (last.at_ms - first.at_ms) * part / wanted;
            Tick { at: x(at_ms), label: Moment::of(at_ms).date }
        };
        let (values, _) = up.round_values(4, 1.0);
        let whole = values.into_iter().filter(|value| value.fract() == 0.0 && *value >= 0.0);
        Some(GrowthChart {
            id: format!("{id}-{}", layout.class()),
            layout: layout.class(),
            width,
            height,
            left,
            right,
            bottom,
            lines: (0..names.len()).map(line).collect(),
            planned: up.place(planned as f64),
            planned_label: format!("{} planned", count(planned)),
            x_ticks: (0..=wanted).map(day).collect(),
            y_ticks: whole.map(|value| Tick { at: up.place(value), label: count(value as u64) }).collect(),
            title: title.to_owned(),
            description: described(first, last, names, planned),
        })
    }
}

fn described(first: &Growth, last: &Growth, names: &[&str], planned: u64) -> String {
    let came = |(index, name): (usize, &&str)| {
        let at = |day: &Growth| count(day.units.get(index).copied().unwrap_or(0));
        format!("{name} from {} to {} units", at(first), at(last))
    };
    let came: Vec<String> = names.iter().enumerate().map(came).collect();
    format!("From day to day grew {}. Planned are {} each.", came.join("; "), count(planned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(at_ms: i64, units: [u64; 2]) -> Growth {
        Growth { at_ms, units: units.to_vec() }
    }

    fn draw(days: &[Growth], planned: u64) -> Option<GrowthChart> {
        GrowthChart::draw("g", days, &["Red", "Blue"], planned, "Units", Layout::Wide)
    }

    #[test]
    fn a_line_of_each_variation_rises_to_its_units_below_the_plan() {
        let chart = draw(&[day(0, [0, 0]), day(10, [400, 410]), day(20, [900, 1_000])], 2_000).unwrap();
        assert_eq!(chart.lines.len(), 2);
        let last_y = |line: &str| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap();
        let [red, blue] = [0, 1].map(|at| last_y(&chart.lines[at]));
        assert!(chart.planned < blue && blue < red && red < chart.bottom, "{chart:?}");
        assert!(chart.lines[0].starts_with(&format!("M{} {}", chart.left, chart.bottom)), "{chart:?}");
        assert!(chart.lines[1].contains(&format!("L{} ", chart.right)));
        assert_eq!(chart.planned_label, "2,000 planned");
        assert_eq!(
            chart.description,
            "From day to day grew Red from 0 to 900 units; Blue from 0 to 1,000 units. Planned are 2,000 each."
        );
    }

    #[test]
    fn one_day_is_no_line_and_more_than_planned_stays_inside() {
        assert_eq!(draw(&[], 10), None);
        assert_eq!(draw(&[day(5, [1, 1])], 10), None);
        let chart = draw(&[day(0, [0, 0]), day(1, [u64::MAX, 3])], 10).unwrap();
        let numbers =
            chart.lines.iter().flat_map(|line| line.split(['M', 'L', ' ']).filter(|word| !word.is_empty()));
        assert!(
            numbers.map(|word| word.parse::<f64>().unwrap()).all(|y| (0.0..=1_000.0).contains(&y)),
            "{chart:?}"
        );
        assert!(chart.planned <= chart.bottom);
    }
}
