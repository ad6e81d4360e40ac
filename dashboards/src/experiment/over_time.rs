//! The charts: each treatment's lift and its always-valid interval over the looks.

use experiments::verdict::{BandPoint, Comparison, UNITS_PER_ARM_MIN};
use experiments::{Analysis, Verdict, definition::Method};
use serde::Serialize;

use super::level;
use crate::chart::{BandChart, Layout};
use crate::figure::{count, signed_percent};
use crate::moment::Moment;

/// Most looks in the table under a chart: more than a person reads; they are then taken at even distances.
const ROWS_MAX: usize = 60;

#[derive(Serialize)]
pub(super) struct Figure {
    id: String,
    heading: String,
    subheading: String,
    level: String,
    wide: Option<BandChart>,
    narrow: Option<BandChart>,
    caption: &'static str,
    empty: String,
    rows_note: String,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    at: Moment,
    units: String,
    lift: String,
    lower: String,
    upper: String,
}

/// Charts the deciding metric of every treatment, the one the verdict speaks of first.
pub(super) fn figures(analysis: &Analysis, is_bandit: bool) -> Vec<Figure> {
    let leading = analysis.leading().map_or(1, |comparison| comparison.variation);
    let mut charted: Vec<&Comparison> = analysis.comparisons.iter().filter(|c| c.is_primary).collect();
    charted.sort_by_key(|c| (c.variation != leading, c.variation));
    charted.into_iter().map(|comparison| figure(analysis, comparison, is_bandit)).collect()
}

fn figure(analysis: &Analysis, comparison: &Comparison, is_bandit: bool) -> Figure {
    let name = |index: usize| analysis.arms.get(index).map_or("", |arm| &arm.name);
    let metric = &analysis.primary().phrase;
    let id = format!("chart-{}", comparison.variation);
    let heading = match analysis.arms.len() {
        ..3 => format!("Lift in {metric} over time"),
        _ => format!("{}: lift in {metric} over time", name(comparison.variation)),
    };
    let title = format!("Lift in {metric} over time: {} against {}", name(comparison.variation), name(0));
    let stood =
        if is_bandit { "as it stands up to the end of each epoch." } else { "as it stood at each look." };
    let is_hidden = matches!(analysis.verdict, Verdict::NotRead { .. });
    // Whoever sees the band before the planned look reads it.
    let band = if is_hidden { &[][..] } else { &comparison.band };
    let draw = |layout| BandChart::draw(&id, band, metric, &title, layout);
    let rows = thinned(band);
    Figure {
        heading,
        subheading: format!("{} against {}, {}", name(comparison.variation), name(0), stood),
        level: level(analysis),
        wide: draw(Layout::Wide),
        narrow: draw(Layout::Narrow),
        caption: caption(analysis),
        empty: match is_hidden {
            true => "Not drawn before the planned look: who follows a line stops where it looks good.".into(),
            false => format!(
                "Nothing to draw yet: the intervals hold from {UNITS_PER_ARM_MIN} units in each variation on."
            ),
        },
        rows_note: if rows.len() < band.len() {
            format!("{} of {} looks, at even distances", rows.len(), count(band.len() as u64))
        } else {
            "Every look, oldest first".into()
        },
        rows: rows.into_iter().map(row).collect(),
        id,
    }
}

fn caption(analysis: &Analysis) -> &'static str {
    if let Verdict::TooFew { .. } = analysis.verdict {
        return "Preliminary: with so little data the interval does not hold yet.";
    }
    match analysis.method {
        Method::Mixture { .. } => {
            "For orientation: the verdict stands by its own interval, which is tuned to the lift that was expected. The band holds at \
             every look, too; while it holds the dashed line, the variations may be alike."
        }
        Method::Sequential => {
            "While the band holds the dashed line, the variations may be alike. Once it leaves it, a difference is shown, \
             whenever you happened to look."
        }
        Method::FixedHorizon | Method::GroupSequential { .. } => {
            "For orientation: the verdict stands by the planned looks alone. The band is wider, since it holds at every look; \
             while it holds the dashed line, the variations may be alike."
        }
        Method::Bayesian { .. } => {
            "For orientation: the band is no belief, but an interval that holds at every look. While it holds the dashed line, \
             the variations may be alike, whatever is believed."
        }
    }
}

fn thinned(band: &[BandPoint]) -> Vec<&BandPoint> {
    if band.len() <= ROWS_MAX {
        return band.iter().collect();
    }
    let last = band.len() - 1;
    (0..ROWS_MAX).map(|row| &band[row * last / (ROWS_MAX - 1)]).collect()
}

fn row(look: &BandPoint) -> Row {
    Row {
        at: Moment::of(look.at_ms),
        units: count(look.units),
        lift: signed_percent(look.lift),
        lower: signed_percent(look.lower),
        upper: signed_percent(look.upper),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_table_keeps_its_first_and_last_look() {
        let look = |units| BandPoint { at_ms: 0, units, lift: 0.0, lower: -0.1, upper: 0.1 };
        let band: Vec<BandPoint> = (0..1000).map(look).collect();
        let rows = thinned(&band);
        assert_eq!((rows.len(), rows[0].units, rows[ROWS_MAX - 1].units), (ROWS_MAX, 0, 999));
        assert_eq!(thinned(&band[..3]).len(), 3);
    }
}
