use super::*;
use crate::dice::Dice;
use crate::{ArmSums, Experiment, Metric};
use serde_json::json;

fn metric() -> Metric {
    Metric::parse(r#"{"key": "orders", "measure": {"kind": "proportion", "event": {"type": "orders"}}}"#)
        .unwrap()
}

fn bandit(arms: u32, floor_bp: u32, planned_units: u64) -> Experiment {
    let share = |arm: u32| 10_000 / arms + u32::from(arm < 10_000 % arms);
    let variation = |arm: u32| json!({"key": format!("v{arm}"), "weight_bp": share(arm), "value": arm});
    Experiment::parse_value(&json!({
        "schema_version": 1, "key": "e", "name": "E", "flag": "f", "status": "running", "hypothesis": "More.",
        "owner": "ann", "planned_days": 14, "planned_units": planned_units, "primary_metric": "orders",
        "bandit": {"every_hours": 24, "floor_bp": floor_bp},
        "variations": (0..arms).map(variation).collect::<Vec<_>>(),
    }))
    .unwrap()
}

fn epoch(weights_bp: &[u32], arms: &[[u64; 2]]) -> Epoch {
    let arm = |&[units, orders]: &[u64; 2]| {
        ArmSums::parse(&format!("{units};{units} {orders} {orders} 0 0 {orders} 0 0 0 0 0")).unwrap()
    };
    Epoch { until_ms: None, weights_bp: weights_bp.to_vec(), arms: arms.iter().map(arm).collect() }
}

fn plan(experiment: &Experiment) -> Plan {
    Plan::of(experiment, &[metric()]).unwrap()
}

/// By hand, with u(Ŝ) of ρ² = (−2 ln 0.05 + ln(1 − 2 ln 0.05))/7,207.2: Ŝ = 12·90/0.5² + 2,000·0.2² (the first epoch guesses nothing) =
/// 4,400 of 12,000 units, v = 4·0.09009, planned are √7,207.2/20,000·3.0352 = 0.0128837; 8,207 units more make √7,357.5/20,207·3.0351.
#[test]
fn days_are_those_of_the_formula() {
    let experiment = bandit(2, 500, 20_000);
    let mut epochs = vec![epoch(&[5_000, 5_000], &[[1_000, 100], [1_000, 100]]); 6];
    let told = |epochs: &[Epoch], rate: u64| outlook_epochs(&plan(&experiment), epochs, rate);
    let found = told(&epochs, 1_000).unwrap();
    assert_eq!((found.units, found.planned_units, found.treatment), (12_000, 20_000, Some(1)));
    assert_eq!(found.days_left, Some(9));
    // √7,357.5/20,207·(3.0351 + 0.8416) over the control's mean of 0.1.
    assert!((found.detectable.unwrap() - 0.1645626).abs() < 1e-6, "{:?}", found.detectable);
    assert_eq!(told(&epochs, 0).unwrap().days_left, None, "nobody comes");
    assert_eq!(told(&epochs[..5], 1_000), Err(Unforeseen::FarAhead), "10,209 units more than 10,000");
    // At one in ten a unit adds 0.09009·(1/0.1 + 1/0.9) = 1.001, and 40,033 units more are needed.
    epochs.extend(vec![epoch(&[1_000, 9_000], &[[0, 0], [0, 0]]); 5]);
    assert_eq!(told(&epochs, 1_000), Err(Unforeseen::FarAhead));
}

#[test]
fn nothing_is_said_while_weights_move_or_little_is_known() {
    let plan = plan(&bandit(2, 500, 20_000));
    let even = epoch(&[5_000, 5_000], &[[1_000, 100], [1_000, 100]]);
    let told = |epochs: &[Epoch]| outlook_epochs(&plan, epochs, 1_000).map(|_| ());
    assert_eq!(told(&vec![even.clone(); 4]), Err(Unforeseen::WeightsMove), "four epochs are too few");
    let moved = epoch(&[3_000, 7_000], &[[600, 60], [1_400, 140]]);
    // 1/0.3 + 1/0.7 is 1.19 of 1/0.5 + 1/0.5, and 1/0.15 + 1/0.85 is 1.96 of it.
    assert_eq!(told(&[vec![even.clone(); 6], vec![moved]].concat()), Ok(()));
    let far = epoch(&[1_500, 8_500], &[[300, 30], [1_700, 170]]);
    assert_eq!(told(&[vec![even.clone(); 4], vec![far]].concat()), Err(Unforeseen::WeightsMove));
    let still = epoch(&[5_000, 5_000], &[[1_000, 0], [1_000, 0]]);
    assert_eq!(told(&vec![still; 5]), Err(Unforeseen::TooFewUnits));
    let small = epoch(&[5_000, 5_000], &[[39, 4], [39, 4]]);
    assert_eq!(told(&vec![small; 5]), Err(Unforeseen::TooFewUnits));
    assert_eq!(told(&[]), Err(Unforeseen::TooFewUnits));
}

#[test]
fn the_treatment_that_gets_most_is_spoken_of() {
    assert_eq!(
        [leading(&[8_000, 500, 1_500]), leading(&[500, 9_000, 500]), leading(&[2_000, 4_000, 4_000])],
        [2, 1, 1]
    );
}

const UNITS_A_DAY: u64 = 1_000;

/// Runs a bandit day by day until its interval is as narrow as planned, on a level that follows the day, and
/// returns the ratios of the days that were told to those that it took: what was told first, and what was told three days ahead or
/// more.
fn run(seed: u64, rates: &[f64], level: fn(f64) -> f64) -> (Option<f64>, Vec<f64>) {
    let mut dice = Dice::new(seed);
    let mut experiment = bandit(rates.len() as u32, 500, 20_000);
    let plan = plan(&experiment);
    let (mut epochs, mut told): (Vec<Epoch>, Vec<[f64; 2]>) = (vec![], vec![]);
    for day in 0..198_usize {
        let weights_bp = experiment.weights_bp(day);
        let mut arms = vec![[0, 0]; rates.len()];
        for _ in 0..UNITS_A_DAY {
            let mut roll = dice.roll() * 10_000.0;
            let arm = weights_bp.iter().position(|weight| {
                roll -= f64::from(*weight);
                roll < 0.0
            });
            let arm = arm.unwrap();
            arms[arm][0] += 1;
            arms[arm][1] += u64::from(dice.roll() < rates[arm] * level(day as f64));
        }
        epochs.push(epoch(&weights_bp, &arms));
        if let Ok(next) = experiment.redrawn(&metric(), &epochs, 0) {
            experiment = next;
        }
        let begun = epoch(&experiment.weights_bp(day + 1), &vec![[0, 0]; rates.len()]);
        match outlook_epochs(&plan, &[&epochs[..], &[begun]].concat(), UNITS_A_DAY) {
            Ok(Outlook { days_left: Some(0), .. }) => {
                let took = |told_on: f64| day as f64 - told_on;
                let ratio = |[on, days]: &[f64; 2]| days / took(*on);
                let ahead = told.iter().filter(|[on, _]| took(*on) >= 3.0).map(ratio).collect();
                return (told.first().map(ratio), ahead);
            }
            Ok(found) => told.push([day as f64, found.days_left.unwrap() as f64]),
            Err(_) => {}
        }
    }
    (None, vec![])
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

#[test]
fn the_days_that_are_told_are_about_those_that_it_takes() {
    let levels: [fn(f64) -> f64; 3] =
        [|_| 1.0, |day| 1.0 + 0.5 * (day / 40.0).min(1.0), |day| 1.0 - (day / 40.0).min(1.0) / 3.0];
    for rates in [&[0.1, 0.13][..], &[0.1, 0.1], &[0.1, 0.1, 0.13]] {
        for (at, level) in levels.into_iter().enumerate() {
            let runs: Vec<(Option<f64>, Vec<f64>)> = (1..=24).map(|seed| run(seed, rates, level)).collect();
            let first: Vec<f64> = runs.iter().filter_map(|(first, _)| *first).collect();
            assert!(first.len() >= 20, "told in {} of 24 runs", first.len());
            let found = [median(first), median(runs.into_iter().flat_map(|(_, ahead)| ahead).collect())];
            let is_near = found.iter().all(|ratio| (0.85..=1.15).contains(ratio));
            assert!(is_near, "{rates:?} on level {at}: {found:?}");
        }
    }
}
