use super::*;
use crate::dice::Dice;
use crate::{ArmSums, Experiment, Metric};
use serde_json::json;

fn metric() -> Metric {
    Metric::parse(r#"{"key": "orders", "measure": {"kind": "proportion", "event": {"type": "orders"}}}"#)
        .unwrap()
}

fn bandit() -> Experiment {
    Experiment::parse_value(&json!({
        "schema_version": 1, "key": "e", "name": "E", "flag": "f", "status": "running", "hypothesis": "More.",
        "owner": "ann", "planned_days": 14, "planned_units": 10_000, "primary_metric": "orders",
        "bandit": {"every_hours": 24, "floor_bp": 500},
        "variations": [
            {"key": "a", "weight_bp": 5_000, "value": 0}, {"key": "b", "weight_bp": 5_000, "value": 1},
        ],
    }))
    .unwrap()
}

fn plan() -> Plan {
    Plan::of(&bandit(), &[metric()]).unwrap()
}

/// Of each arm: units, and how many of them ordered.
fn epoch(weights_bp: &[u32], arms: [[u64; 2]; 2]) -> Epoch {
    let arm = |[units, orders]: [u64; 2]| {
        ArmSums::parse(&format!("{units};{units} {orders} {orders} 0 0 {orders} 0 0 0 0 0")).unwrap()
    };
    Epoch { until_ms: None, weights_bp: weights_bp.to_vec(), arms: arms.map(arm).to_vec() }
}

fn named(segments: [Vec<Epoch>; 2]) -> Vec<(String, Vec<Epoch>)> {
    ["phone", "desktop"].map(str::to_owned).into_iter().zip(segments).collect()
}

/// On phones nothing differs, but the second epoch is a better one, in which nearly all see the treatment.
#[test]
fn weights_that_moved_make_no_difference_in_a_segment() {
    let weights = [[5_000, 5_000], [1_000, 9_000]];
    let phone =
        vec![epoch(&weights[0], [[2_000, 200], [2_000, 200]]), epoch(&weights[1], [[400, 80], [3_600, 720]])];
    let desktop = vec![
        epoch(&weights[0], [[2_000, 200], [2_000, 320]]),
        epoch(&weights[1], [[400, 80], [3_600, 1_152]]),
    ];
    let parts = named([phone, desktop]);
    let found = &segments_of_epochs(&plan(), std::slice::from_ref(&parts))[0][0];
    let [on_phone, on_desktop] = [0, 1].map(|at| &found.rows[at]);
    assert!(on_phone.lift.value.abs() < 0.02 && !on_phone.is_significant, "{on_phone:?}");
    assert!((on_desktop.lift.value - 0.6).abs() < 0.05 && on_desktop.is_significant, "{on_desktop:?}");
    assert_eq!((on_phone.units, on_desktop.name.as_str()), (8_000, "desktop"));
    assert!(found.p_of_same_effect.unwrap() < 0.001);
    // Corrected for two: half of α for each interval, and Holm's p-values.
    let alone = &segments_of_epochs(&plan(), &[parts[1..].to_vec()])[0][0];
    let width = |row: &SegmentRow| row.lift.upper - row.lift.lower;
    assert!(width(&alone.rows[0]) < width(on_desktop) && alone.p_of_same_effect.is_none());
    let beside = segments_of_epochs(&plan(), &[parts.clone(), parts[1..].to_vec()]);
    assert_eq!(
        (&beside[0][0], &beside[1][0]),
        (found, alone),
        "one part repeats the whole, and costs nothing"
    );
    let twice = segments_of_epochs(&plan(), &[parts.clone(), parts]);
    assert!(width(&twice[0][0].rows[1]) > width(on_desktop), "corrected for all dimensions together");
}

#[test]
fn a_small_segment_is_left_out() {
    let small = vec![epoch(&[5_000, 5_000], [[199, 20], [300, 40]])];
    let large = vec![epoch(&[5_000, 5_000], [[300, 30], [300, 40]])];
    let rows = &segments_of_epochs(&plan(), &[named([small, large])])[0][0].rows;
    assert_eq!(rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["desktop"]);
}

/// Lets a bandit run that follows phones and desktops together, on a level that rises, where one treatment lifts both by a tenth; returns
/// whether both intervals hold at every epoch, and the p-value of the same effect in the end.
fn run(seed: u64) -> (bool, f64) {
    let (mut dice, mut experiment, plan) = (Dice::new(seed), bandit(), plan());
    let (mut whole, mut parts) = (vec![], [vec![], vec![]]);
    let (mut holds, mut p) = (true, 1.0);
    for day in 0..16 {
        let weights_bp = experiment.weights_bp(day);
        let mut counts = [[[0_u64; 2]; 2]; 2];
        for _ in 0..1_000 {
            let (part, arm) = (
                usize::from(dice.roll() < 0.4),
                usize::from(dice.roll() * 10_000.0 >= f64::from(weights_bp[0])),
            );
            let rate = [0.1, 0.2][part] * (1.0 + 0.5 * day as f64 / 16.0) * [1.0, 1.1][arm];
            counts[part][arm][0] += 1;
            counts[part][arm][1] += u64::from(dice.roll() < rate);
        }
        let of_both = [0, 1].map(|arm| [0, 1].map(|of| counts[0][arm][of] + counts[1][arm][of]));
        whole.push(epoch(&weights_bp, of_both));
        parts.iter_mut().zip(counts).for_each(|(part, arms)| part.push(epoch(&weights_bp, arms)));
        let found = &segments_of_epochs(&plan, &[named(parts.clone())])[0][0];
        holds &= found.rows.iter().all(|row| row.lift.lower <= 0.1 && 0.1 <= row.lift.upper);
        p = found.p_of_same_effect.unwrap_or(1.0);
        if let Ok(next) = experiment.redrawn(&metric(), &whole, 0) {
            experiment = next;
        }
    }
    (holds, p)
}

#[test]
fn intervals_hold_in_all_segments_at_every_look() {
    let runs = 400;
    let found: Vec<(bool, f64)> = (1..=runs).map(run).collect();
    let share = |is_so: &dyn Fn(&(bool, f64)) -> bool| {
        found.iter().filter(|one| is_so(one)).count() as f64 / runs as f64
    };
    let (held, differs) = (share(&|(holds, _)| *holds), share(&|(_, p)| *p <= 0.05));
    assert!(held >= 0.95, "{held} of runs hold");
    assert!(differs <= 0.075, "{differs} of runs say that equal effects differ");
}

#[test]
fn a_split_of_a_part_is_held_against_the_weights_of_its_own_epochs() {
    let weights = [[5_000, 5_000], [1_000, 9_000]];
    let whole = |first: [u64; 2], then: [u64; 2]| -> Vec<Epoch> {
        let epochs = weights.iter().zip([first, then]);
        epochs.map(|(weights, units)| epoch(weights, units.map(|units| [units, 0]))).collect()
    };
    // As many of both arms in all, which fits neither draw: phones lose the treatment once it is favoured.
    let (phone, desktop) = (whole([1_000, 1_000], [250, 1_800]), whole([1_000, 1_000], [210, 1_790]));
    let found = splits_of_epochs(&[&phone, &desktop]);
    assert!(!found[0].is_mismatch && !found[1].is_mismatch, "{found:?}");
    let phone = whole([1_000, 1_000], [300, 1_700]);
    let found = splits_of_epochs(&[&phone, &desktop]);
    assert_eq!([found[0].is_mismatch, found[1].is_mismatch], [true, false], "{found:?}");
    assert_eq!((&found[0].units, &found[0].expected), (&vec![1_300, 2_700], &vec![1_200.0, 2_800.0]));
    // Corrected for how many parts there are.
    let alone = splits_of_epochs(&[&phone]);
    assert!((found[0].adjusted_p / alone[0].adjusted_p - 2.0).abs() < 1e-9);
    assert_eq!(splits_of_epochs(&[]), []);
}

/// Lets a fair bandit run that follows its results, and returns whether any of twelve parts ever seems to be split otherwise.
fn alarms(seed: u64) -> bool {
    let (mut dice, mut experiment) = (Dice::new(seed), bandit());
    let (mut whole, mut parts) = (vec![], vec![vec![]; 12]);
    for day in 0..12 {
        let weights_bp = experiment.weights_bp(day);
        let mut counts = [[[0_u64; 2]; 2]; 12];
        for unit in 0..1_200 {
            // The first of the twelve is half of all.
            let part = if unit % 2 == 0 { 0 } else { unit / 2 % 12 };
            let arm = usize::from(dice.roll() * 10_000.0 >= f64::from(weights_bp[0]));
            counts[part][arm][0] += 1;
            counts[part][arm][1] += u64::from(dice.roll() < [0.1, 0.12][arm]);
        }
        let sum = |arm: usize, of: usize| counts.iter().map(|part| part[arm][of]).sum();
        whole.push(epoch(&weights_bp, [0, 1].map(|arm| [0, 1].map(|of| sum(arm, of)))));
        parts.iter_mut().zip(counts).for_each(|(part, arms)| part.push(epoch(&weights_bp, arms)));
        let parts: Vec<&[Epoch]> = parts.iter().map(Vec::as_slice).collect();
        if splits_of_epochs(&parts).iter().any(|part| part.is_mismatch) {
            return true;
        }
        if let Ok(next) = experiment.redrawn(&metric(), &whole, 0) {
            experiment = next;
        }
    }
    false
}

#[test]
fn fair_splits_of_a_bandit_raise_hardly_an_alarm_in_any_part() {
    let runs = 1_000;
    let found = (1..=runs).filter(|seed| alarms(*seed)).count();
    assert!(found <= 1, "{found} of {runs} fair bandits are told to be split otherwise in some part");
}
