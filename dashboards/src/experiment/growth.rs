//! How many visitors came, beside the check of the split: units of each variation, day by day.

use serde::Serialize;

use super::ExperimentPage;
use crate::chart::{Growth, GrowthChart, Layout};
use crate::figure::count;
use crate::moment::Moment;

#[derive(Serialize)]
pub(super) struct View<'a> {
    names: Vec<&'a str>,
    charts: Vec<GrowthChart>,
    caption: String,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    at: Moment,
    units: Vec<String>,
}

/// Draws the days on which units came; `None` before there are two.
pub(super) fn view<'a>(page: &'a ExperimentPage<'_>) -> Option<View<'a>> {
    let analysis = page.analysis;
    let names: Vec<&str> = analysis.arms.iter().map(|arm| arm.name.as_str()).collect();
    // The plan counts two variations together.
    let planned = analysis.planned_units.div_ceil(2);
    let title = "Units of each variation over time";
    let draw = |layout| GrowthChart::draw("growth", page.growth, &names, planned, title, layout);
    let charts: Vec<GrowthChart> = [Layout::Wide, Layout::Narrow].into_iter().filter_map(draw).collect();
    let row = |day: &Growth| Row {
        at: Moment::of(day.at_ms),
        units: day.units.iter().map(|units| count(*units)).collect(),
    };
    let caption = format!(
        "Units so far at the end of each day, in UTC. The dashed line is half of the {} units that are planned for two variations.",
        count(analysis.planned_units)
    );
    (!charts.is_empty()).then(|| View { names, charts, caption, rows: page.growth.iter().map(row).collect() })
}
