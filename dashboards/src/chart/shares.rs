//! How the weights of a bandit moved: a stack of shares, in steps, over time.

use std::fmt::Write as _;

use serde::Serialize;

use super::band::Layout;
use super::scale::{Scale, Tick};
use crate::figure::percent;
use crate::moment::Moment;

/// A layer that ends thinner than this is named in the table only: letters need room.
const LABELLED_FROM: f64 = 0.06;

/// Holds the weights that stood from one moment to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// From when, Unix milliseconds UTC.
    pub from_ms: i64,
    /// Until when.
    pub until_ms: i64,
    /// The share of each variation; they sum to 1.
    pub shares: Vec<f64>,
}

/// Is the layer of one variation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Layer {
    /// Its outline as an SVG path.
    pub path: String,
    /// Where its label stands.
    pub y: f64,
    /// Its last share; empty where there is no room for it.
    pub label: String,
}

/// Holds the places and words of one drawing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SharesChart {
    id: String,
    layout: &'static str,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    bottom: f64,
    layers: Vec<Layer>,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    title: String,
    description: String,
}

impl SharesChart {
    /// Draws steps, the oldest first; `None` without any, or where no time has passed.
    pub fn draw(
        id: &str,
        steps: &[Step],
        names: &[&str],
        title: &str,
        layout: Layout,
    ) -> Option<SharesChart> {
        let (first, last) = (steps.first()?, steps.last()?);
        if last.until_ms <= first.from_ms {
            return None;
        }
        let (width, height) = layout.low_size();
        let (left, top, right, bottom) = (56.0, 12.0, width - 76.0, height - 32.0);
        let across = Scale::new(0.0, (last.until_ms - first.from_ms) as f64, left, right);
        let up = Scale::new(0.0, 1.0, bottom, top);
        let x = |at_ms: i64| across.place((at_ms - first.from_ms) as f64);
        let below = |step: &Step, layer: usize| step.shares.iter().take(layer).sum::<f64>();
        let layer = |index: usize| {
            let mut path = String::new();
            let mut letter = 'M';
            for step in steps {
                let y = up.place(below(step, index + 1));
                write!(path, "{letter}{} {y}L{} {y}", x(step.from_ms), x(step.until_ms))
                    .expect("a string takes all");
                letter = 'L';
            }
            for step in steps.iter().rev() {
                let y = up.place(below(step, index));
                write!(path, "L{} {y}L{} {y}", x(step.until_ms), x(step.from_ms))
                    .expect("a string takes all");
            }
            let share = last.shares.get(index).copied().unwrap_or(0.0);
            let label = if share < LABELLED_FROM { String::new() } else { percent(share) };
            Layer { path: path + "Z", y: up.place(below(last, index) + share / 2.0), label }
        };
        let wanted = if layout == Layout::Wide { 4 } else { 1 };
        let day = |part: i64| {
            let at_ms = first.from_ms + (last.until_ms - first.from_ms) * part / wanted;
            Tick { at: x(at_ms), label: Moment::of(at_ms).date }
        };
        Some(SharesChart {
            id: format!("{id}-{}", layout.class()),
            layout: layout.class(),
            width,
            height,
            left,
            right,
            bottom,
            layers: (0..names.len()).map(layer).collect(),
            x_ticks: (0..=wanted).map(day).collect(),
            y_ticks: [0.0, 0.5, 1.0]
                .map(|y| Tick { at: up.place(y), label: format!("{} %", y * 100.0) })
                .into(),
            title: title.to_owned(),
            description: described(first, last, names),
        })
    }
}

fn described(first: &Step, last: &Step, names: &[&str]) -> String {
    let moved = |(index, name): (usize, &&str)| {
        let at = |step: &Step| percent(step.shares.get(index).copied().unwrap_or(0.0));
        format!("{name} from {} to {}", at(first), at(last))
    };
    let moved: Vec<String> = names.iter().enumerate().map(moved).collect();
    format!("The share of visitors went, for {}.", moved.join("; for "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(from_ms: i64, until_ms: i64, shares: &[f64]) -> Step {
        Step { from_ms, until_ms, shares: shares.to_vec() }
    }

    #[test]
    fn layers_fill_the_drawing_from_the_first_day_to_the_last() {
        let steps = [step(0, 10, &[0.5, 0.5]), step(10, 40, &[0.04, 0.96])];
        let chart = SharesChart::draw("w", &steps, &["Red", "Blue"], "T", Layout::Wide).unwrap();
        let (bottom, top, left, right) = (chart.bottom, 12.0, chart.left, chart.right);
        assert!(chart.layers[0].path.starts_with(&format!("M{left} ")));
        assert!(chart.layers[0].path.contains(&format!("L{right} {bottom}")), "{}", chart.layers[0].path);
        assert!(chart.layers[1].path.contains(&format!("L{right} {top}")), "{}", chart.layers[1].path);
        assert_eq!(chart.layers[0].label, "", "there is no room for it");
        assert!(chart.layers[1].label.starts_with("96"), "{}", chart.layers[1].label);
        assert!(chart.description.contains("Red from 50"), "{}", chart.description);
        assert_eq!(SharesChart::draw("w", &[], &[], "T", Layout::Wide), None);
        assert_eq!(SharesChart::draw("w", &[step(5, 5, &[1.0])], &["a"], "T", Layout::Narrow), None);
    }
}
