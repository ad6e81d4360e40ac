//! An experiment that a sample is of: its definition, and what looks at a shop come to that behaves as is said.

use experiments::interaction::Interaction;
use experiments::lifecycle::Move;
use experiments::redraw::Epoch;
use experiments::sample_ratio::PartSplit;
use experiments::verdict::{Outlook, Unforeseen};
use experiments::{Analysis, ArmSums, Experiment, Look, Metric, Plan, Status, analyze};

use super::{AS_OF_MS, DAY_MS};
use crate::chart::Growth;
use crate::experiment::{Dimension, LeftOut, SegmentSplit};

/// Holds an experiment with what is known of it.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The definition.
    pub experiment: Experiment,
    /// What its looks come to.
    pub analysis: Analysis,
    /// The effect in segments.
    pub dimensions: Vec<Dimension>,
    /// Units that count nowhere.
    pub left_out: Vec<LeftOut>,
    /// How many looks there were.
    pub looks: u64,
    /// The running experiments.
    pub running: Vec<Experiment>,
    /// What it does beside them.
    pub interactions: Vec<Interaction>,
    /// What the rest of it is worth.
    pub outlook: Option<Result<Outlook, Unforeseen>>,
    /// The split in segments.
    pub splits: Vec<SegmentSplit>,
    /// How many units each variation had at the end of each day.
    pub growth: Vec<Growth>,
    /// Of a bandit, its epochs.
    pub epochs: Vec<Epoch>,
}

/// Describes what the units of an arm do: its share of units, how many of them convert, and what they spend.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arm {
    share: f64,
    conversion: f64,
    basket_minor: f64,
}

pub(super) fn arm(share: f64, conversion: f64, basket_minor: f64) -> Arm {
    Arm { share, conversion, basket_minor }
}

/// Returns the definition with these arms, in this status.
pub(super) fn definition(
    key: &str,
    name: &str,
    hypothesis: &str,
    arms: &[(&str, &str, u32)],
    status: Status,
) -> Experiment {
    let is_aa = key.starts_with("aa-");
    let variation = |(key, name, weight_bp): &(&str, &str, u32)| {
        let steps = if *key == "classic" {
            vec!["address", "shipping", "payment", "review"]
        } else {
            vec!["address", "shipping", "payment"]
        };
        let value = serde_json::json!({"name": key, "steps": steps});
        let value = if is_aa { "Goes with your cart".into() } else { value };
        serde_json::json!({"key": key, "name": name, "weight_bp": weight_bp, "value": value})
    };
    let definition = serde_json::json!({
        "schema_version": 1, "key": key, "name": name, "hypothesis": hypothesis, "flag": "checkout_workflow",
        "variations": arms.iter().map(variation).collect::<Vec<_>>(), "planned_units": 20_000,
        "owner": "mara", "planned_days": 21,
        "guardrails": [{"metric": "page_latency", "margin_bp": 500}],
    });
    let draft = Experiment::parse_value(&definition).expect("a sample's definition is right");
    let running = || draft.clone().moved(Move::Start).expect("a draft starts");
    let stopped = || running().moved(Move::Stop).expect("a running experiment stops");
    match status {
        Status::Draft => draft,
        Status::Running => running(),
        Status::Paused => running().moved(Move::Pause).expect("a running experiment pauses"),
        Status::Stopped => stopped(),
        Status::Archived => stopped().moved(Move::Archive).expect("a stopped experiment is archived"),
    }
}

/// Returns the metrics of a sample: one that decides, two more and a guardrail.
pub(super) fn metrics() -> Vec<Metric> {
    let order = serde_json::json!({"type": "order_placed"});
    let of = |value: serde_json::Value| Metric::parse(&value.to_string()).expect("a sample's metric is one");
    vec![
        of(
            serde_json::json!({"key": "conversion", "name": "Conversion", "measure": {"kind": "proportion", "event": order}}),
        ),
        of(
            serde_json::json!({"key": "page_latency", "name": "Page latency", "format": "milliseconds", "better": "lower",
            "measure": {"kind": "mean", "event": {"type": "page"}, "property": "ms"}}),
        ),
        of(serde_json::json!({"key": "revenue_per_unit", "name": "Revenue per visitor", "format": "money",
            "measure": {"kind": "mean", "event": order, "property": "total_minor"}})),
    ]
}

/// Returns the sums so far of an arm with so many units: rates as given, after a wobble that dies out.
pub(super) fn totals(arm: Arm, units: f64, wobble: f64) -> ArmSums {
    let units = (units * arm.share).round();
    let orders = (units * arm.conversion * (1.0 + wobble)).round().clamp(0.0, units);
    let row =
        |active: f64, sum: f64, squares: f64| format!("{units} {active} {sum:.0} 0 0 {squares:.0} 0 0 0 0 0");
    // Baskets spread about as much as their mean, pages by a third of it.
    let baskets = row(orders, orders * arm.basket_minor, orders * arm.basket_minor.powi(2) * 1.9);
    let pages = row(units, units * 412.0, units * 412.0_f64.powi(2) * 1.1);
    ArmSums::parse(&format!("{units};{};{pages};{baskets}", row(orders, orders, orders)))
        .expect("a sample's sums add up")
}

/// Returns a sample's weeks and devices.
fn dimensions(plan: &Plan, arms: &[Arm], units: f64) -> Vec<Dimension> {
    let segments = |name: &str, parts: &[(&str, f64, f64)]| {
        let of = |(name, share, wobble): &(&str, f64, f64)| {
            let sums = |(index, arm): (usize, &Arm)| totals(*arm, units * share, wobble * index as f64);
            ((*name).to_owned(), arms.iter().enumerate().map(sums).collect())
        };
        let parts: Vec<(String, Vec<ArmSums>)> = parts.iter().map(of).collect();
        (name.to_owned(), parts)
    };
    let (names, parts): (Vec<String>, Vec<_>) = [
        segments("week", &[("Week 1", 0.52, 0.04), ("Week 2", 0.48, -0.03)]),
        segments("device", &[("phone", 0.63, 0.05), ("desktop", 0.37, -0.09)]),
    ]
    .into_iter()
    .unzip();
    let dimension = |(name, segments)| Dimension { name, segments };
    names.into_iter().zip(experiments::verdict::segments(plan, &parts)).map(dimension).collect()
}

/// Returns what `count` looks at a growing experiment come to.
pub(super) fn observed(experiment: Experiment, arms: &[Arm], units: f64, count: u64) -> Sample {
    let look = |number: u64| {
        let share = number as f64 / count as f64;
        let totals_of = |(index, arm): (usize, &Arm)| {
            let phase = number as f64 * 0.9 + index as f64 * 2.4;
            totals(*arm, units * share, 0.05 * (1.0 - share) * phase.sin() / share.sqrt().max(0.2))
        };
        Look {
            at_ms: AS_OF_MS - 14 * DAY_MS + (14.0 * DAY_MS as f64 * share) as i64,
            arms: arms.iter().enumerate().map(totals_of).collect(),
        }
    };
    let mut looks: Vec<Look> = (1..=count).map(look).collect();
    let current =
        looks.pop().unwrap_or_else(|| Look { at_ms: AS_OF_MS, arms: vec![ArmSums::new(3); arms.len()] });
    let plan = Plan::of(&experiment, &metrics()).expect("a sample has metrics");
    let analysis = analyze(&plan, &current, &looks).expect("looks of a sample fit its plan");
    let is_ahead = experiment.status() == Status::Running && !analysis.sample_ratio.is_mismatch;
    let outlook = is_ahead.then(|| Ok(experiments::verdict::outlook(&plan, &current, 640)));
    let dimensions = dimensions(&plan, arms, if count == 0 { 0.0 } else { units });
    let left_out = |reason: &str, units, p| LeftOut { reason: reason.into(), units, p_of_split: Some(p) };
    let left_out = match count {
        0 => vec![],
        _ => vec![left_out("crossed", 31, 0.59), left_out("robot", 412, 0.92), left_out("staff", 6, 0.41)],
    };
    let splits = if count == 0 { vec![] } else { splits(&[units * 0.315, units * 0.312]) };
    Sample {
        experiment,
        analysis,
        dimensions,
        left_out,
        looks: count,
        running: vec![],
        interactions: vec![],
        outlook,
        splits,
        growth: if count == 0 { vec![] } else { growth(&current) },
        epochs: vec![],
    }
}

/// Returns two weeks in which units came, more of them at weekends, and now.
pub(super) fn growth(current: &Look) -> Vec<Growth> {
    let share = |day: i64| {
        (day as f64 + (day as f64 * 0.9).sin() * 0.3).max(0.0) / (14.0 + (14.0_f64 * 0.9).sin() * 0.3)
    };
    let day = |day: i64| Growth {
        at_ms: AS_OF_MS - (14 - day) * DAY_MS,
        units: current.arms.iter().map(|arm| (arm.units() as f64 * share(day)).round() as u64).collect(),
    };
    (0..=14).map(day).collect()
}

/// Returns the splits of phones, with so many units in two arms, and of what else is the same in all samples.
pub(super) fn splits(phones: &[f64; 2]) -> Vec<SegmentSplit> {
    let parts: [(&str, &str, Vec<u64>); 3] = [
        ("week", "Week 1", vec![3_130, 3_151]),
        ("device", "phone", phones.map(|units| units as u64).to_vec()),
        ("device", "desktop", vec![2_207, 2_211]),
    ];
    let units: Vec<Vec<u64>> = parts.iter().map(|(_, _, units)| units.clone()).collect();
    let split = |((dimension, segment, _), split): ((&str, &str, _), PartSplit)| SegmentSplit {
        dimension: dimension.into(),
        segment: segment.into(),
        split,
    };
    parts.into_iter().zip(experiments::sample_ratio::parts(&[0.5, 0.5], &units)).map(split).collect()
}
