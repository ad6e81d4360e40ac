//! The table of variations: who met each, and what they did on the metric that decides.

use experiments::verdict::ArmSummary;
use serde::Serialize;

use super::ExperimentPage;
use crate::figure::{NONE, count, short_percent};

#[derive(Serialize)]
pub(super) struct ArmView<'a> {
    name: &'a str,
    key: &'a str,
    is_control: bool,
    units: String,
    share: String,
    active: String,
    value: String,
}

pub(super) fn arms<'a>(page: &'a ExperimentPage<'_>) -> Vec<ArmView<'a>> {
    let analysis = page.analysis;
    let units: u64 = analysis.arms.iter().map(|arm| arm.units).sum();
    let arm = |(index, arm): (usize, &'a ArmSummary)| {
        let deciding = arm.values.first();
        let value = deciding.and_then(|value| value.value);
        ArmView {
            name: &arm.name,
            key: &arm.key,
            is_control: index == 0,
            units: count(arm.units),
            share: if units == 0 {
                format!("{} planned", short_percent(arm.weight))
            } else {
                format!(
                    "{} of all",
                    short_percent((arm.units as f64 / units as f64 * 10_000.0).round() / 10_000.0)
                )
            },
            active: count(deciding.map_or(0, |value| value.active)),
            value: value
                .map_or_else(|| NONE.into(), |value| page.currency.measured_in(analysis.primary(), value)),
        }
    };
    analysis.arms.iter().enumerate().map(arm).collect()
}
