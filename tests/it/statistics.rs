//! Our statistics beside PyPI's gbstats 0.8.0: for hundreds of data sets every estimate, interval and p-value agrees
//! to nine digits, and where the wheel is at fault, ours is right.

use std::path::Path;

use experiments::{
    bayes::{Better, Posterior, Prior},
    effect::{Effect, EffectError, Scale},
    interval::{Alternative, Estimate},
    sample_ratio::chi_square_p,
    sequence::Sequence,
    statistic::Statistic,
    sums::Sums,
};
use harness::program::{python_tool, repository, succeeded};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use data_set::{DataSet, KINDS, mean, proportion};

mod data_set;

const SEED: u64 = 20_260_101;
const SETS_A_KIND: u64 = 60;
/// How far two answers may lie apart, as a share of the larger.
const AGREEMENT: f64 = 1e-9;

async fn ask_wheel(questions: &[Value]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("questions.json");
    std::fs::write(&file, serde_json::to_vec(questions).unwrap()).unwrap();
    let script = repository().join(Path::new("tests/clients/wheel.py"));
    let output = python_tool("python").arg(script).arg(&file).output().await.unwrap();
    serde_json::from_str(&succeeded("tests/clients/wheel.py", &output)).unwrap()
}

/// How tests are set up.
struct Settings {
    scale: Scale,
    alpha: f64,
    test_value: f64,
    planned_units: u64,
    prior: Option<Prior>,
    prior_scale: Scale,
    better: Better,
    /// Turns differences into ones a day of all traffic, the wheel's "scaled".
    traffic: Option<(f64, f64)>,
}

impl Settings {
    fn draw(dice: &mut StdRng) -> Self {
        let scale = |dice: &mut StdRng| if dice.random() { Scale::Absolute } else { Scale::Relative };
        let mut settings = Settings {
            scale: scale(dice),
            alpha: [0.01, 0.05, 0.1, 0.2][dice.random_range(0..4_usize)],
            test_value: 0.0,
            planned_units: [500, 5000, 100_000][dice.random_range(0..3_usize)],
            prior: None,
            prior_scale: scale(dice),
            better: if dice.random() { Better::Higher } else { Better::Lower },
            traffic: None,
        };
        if dice.random() {
            let (mean, deviation) = (dice.random_range(-0.1..0.1), dice.random_range(0.05..0.6));
            settings.prior = Some(Prior { mean, deviation });
        }
        if settings.scale == Scale::Absolute && dice.random() {
            settings.traffic = Some((dice.random_range(0.1..1.0), dice.random_range(1.0..30.0)));
        } else if dice.random() {
            settings.test_value = dice.random_range(-0.02..0.02);
        }
        settings
    }

    fn question(&self, set: &DataSet) -> Value {
        let name = |scale| if scale == Scale::Absolute { "absolute" } else { "relative" };
        let prior = self.prior.unwrap_or(Prior { mean: 0.0, deviation: 1.0 });
        let (traffic, days) = self.traffic.unwrap_or((1.0, 1.0));
        json!({
            "a": set.wheel[0], "b": set.wheel[1], "alpha": self.alpha, "test_value": self.test_value,
            "scale": if self.traffic.is_some() { "scaled" } else { name(self.scale) },
            "traffic": traffic, "days": days, "planned_units": self.planned_units,
            "lower_is_better": self.better == Better::Lower,
            "prior": {
                "scale": name(self.prior_scale), "mean": prior.mean, "deviation": prior.deviation,
                "proper": self.prior.is_some(),
            },
        })
    }
}

/// Counts what was compared, and keeps the worst.
#[derive(Default)]
struct Tally {
    numbers: usize,
    worst: f64,
    worst_at: String,
}

impl Tally {
    /// Compares two numbers; below `noise` the wheel's own rounding is all there is.
    fn compare(&mut self, what: &str, ours: f64, theirs: &Value, noise: f64) {
        let theirs = number(theirs);
        self.numbers += 1;
        if ours == theirs {
            return;
        }
        let apart = ((ours - theirs).abs() - noise).max(0.0) / ours.abs().max(theirs.abs());
        assert!(apart <= AGREEMENT, "{what}: ours is {ours}, gbstats' {theirs}, {apart:e} apart");
        if apart > self.worst {
            (self.worst, self.worst_at) = (apart, what.to_owned());
        }
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().unwrap_or_else(|| panic!("{value}")).parse().unwrap())
}

#[tokio::test]
async fn every_number_that_gbstats_computes_agrees_to_nine_digits() {
    let mut dice = StdRng::seed_from_u64(SEED);
    let sets = (0..SETS_A_KIND).flat_map(|seed| KINDS.map(|kind| DataSet::draw(kind, SEED + seed)));
    let asked: Vec<(DataSet, Settings)> = sets.map(|set| (set, Settings::draw(&mut dice))).collect();
    let questions: Vec<Value> = asked.iter().map(|(set, settings)| settings.question(set)).collect();
    let answers = ask_wheel(&questions).await;
    let mut tally = Tally::default();
    for (index, ((set, settings), answer)) in asked.iter().zip(&answers).enumerate() {
        let at = format!("set {index}, {} {:?}", set.kind, settings.scale);
        compare(&mut tally, &at, set, settings, answer);
    }
    println!(
        "{} data sets, {} numbers agree with gbstats 0.8.0; the worst is {:.1e} apart ({})",
        asked.len(),
        tally.numbers,
        tally.worst,
        tally.worst_at,
    );
    assert!(tally.numbers > 8000, "{}", tally.numbers);
}

fn compare(tally: &mut Tally, at: &str, set: &DataSet, settings: &Settings, answer: &Value) {
    let mut effect = set.effect(settings.scale).unwrap_or_else(|error| panic!("{at}: {error}"));
    if let (Some(poorer), Scale::Relative) = (set.poorer_error, settings.scale) {
        // The fault has a test of its own; all else must agree given the wheel's error.
        effect.standard_error = poorer;
    }
    let times = settings.traffic.map_or(1.0, |(share, days)| set.treatment_units as f64 / share / days);
    let tested = effect.minus(settings.test_value);
    let mut interval = |what: &str, ours: Estimate, theirs: &Value| {
        let at = format!("{at}, {what}");
        // Differences of means keep the rounding of the means.
        let noise = 1e-14 * set.control_mean.abs().max(1.0) * times;
        tally.compare(&format!("{at} value"), ours.value * times, &theirs["value"], noise);
        tally.compare(&format!("{at} error"), ours.standard_error * times, &theirs["deviation"], 0.0);
        tally.compare(&format!("{at} lower"), ours.lower * times, &theirs["lower"], noise);
        if what == "less" {
            // The wheel's slip: the upper end lies as far below the estimate as it should lie above.
            let mirrored = 2.0 * ours.value - ours.upper;
            tally.compare(&format!("{at} upper"), mirrored * times, &theirs["upper"], noise);
        } else {
            tally.compare(&format!("{at} upper"), ours.upper * times, &theirs["upper"], noise);
        }
    };
    let tests = [
        ("two_sided", Alternative::TwoSided),
        ("greater", Alternative::Greater),
        ("less", Alternative::Less),
    ];
    for (name, alternative) in tests {
        interval(name, effect.t_test(settings.alpha, alternative).unwrap(), &answer[name]);
    }
    let sequence = Sequence::new(settings.alpha, settings.planned_units).unwrap();
    interval("sequential", sequence.estimate(&effect).unwrap(), &answer["sequential"]);
    for (name, alternative) in tests {
        let p = tested.t_test(settings.alpha, alternative).unwrap().p;
        // The wheel subtracts from 1.
        tally.compare(&format!("{at}, {name} p"), p, &answer[name]["p_value"], 1e-15);
    }
    tally.compare(&format!("{at}, sequential p"), sequence.p(&tested), &answer["sequential"]["p_value"], 0.0);
    let prior =
        settings.prior.map(|prior| prior.rescaled(settings.prior_scale, settings.scale, set.control_mean));
    let belief = Posterior::of(&effect, prior, settings.better, settings.alpha).unwrap();
    let noise = 1e-14 * (set.control_mean.abs().max(1.0) + belief.deviation);
    let theirs = &answer["bayesian"];
    tally.compare(&format!("{at}, belief"), belief.mean * times, &theirs["value"], noise * times);
    tally.compare(&format!("{at}, deviation"), belief.deviation * times, &theirs["deviation"], 0.0);
    tally.compare(&format!("{at}, credible lower"), belief.lower * times, &theirs["lower"], noise * times);
    tally.compare(&format!("{at}, credible upper"), belief.upper * times, &theirs["upper"], noise * times);
    tally.compare(&format!("{at}, chance to win"), belief.chance_to_win, &theirs["chance_to_win"], 1e-15);
    tally.compare(&format!("{at}, risk of control"), belief.risk_of_control, &theirs["risk"][0], noise);
    tally.compare(&format!("{at}, risk of treatment"), belief.risk_of_treatment, &theirs["risk"][1], noise);
}

#[tokio::test]
async fn splits_agree_but_for_arms_without_weight() {
    let mut dice = StdRng::seed_from_u64(SEED);
    let splits: Vec<(Vec<u64>, Vec<f64>)> = (0..200)
        .map(|_| {
            let weights: Vec<f64> =
                (0..dice.random_range(2..6)).map(|_| dice.random_range(0.1..1.0)).collect();
            let all = dice.random_range(100.0..1e6) / weights.iter().sum::<f64>();
            let users = weights.iter().map(|weight| (weight * all * dice.random_range(0.97..1.03)) as u64);
            (users.collect(), weights)
        })
        .collect();
    let unused = (vec![5100, 4900, 0], vec![0.5, 0.5, 0.0]);
    let asked: Vec<&(Vec<u64>, Vec<f64>)> = splits.iter().chain([&unused]).collect();
    let question = |(users, weights): &&(Vec<u64>, Vec<f64>)| json!({"users": users, "weights": weights});
    let answers = ask_wheel(&asked.iter().map(question).collect::<Vec<_>>()).await;
    let mut tally = Tally::default();
    for ((users, weights), theirs) in splits.iter().zip(&answers) {
        // Beyond that, both are 0 to any purpose.
        let ours = chi_square_p(users, weights).unwrap();
        tally.compare(&format!("{users:?} by {weights:?}"), ours, theirs, 1e-100);
    }
    println!("{} splits agree; the worst is {:.1e} apart", tally.numbers, tally.worst);
    // The wheel counts the arm that nobody was meant to see as a degree of freedom.
    assert!((number(&answers[200]) - 0.1353352832).abs() < 1e-10);
    assert!((chi_square_p(&unused.0, &unused.1).unwrap() - 0.0455002639).abs() < 1e-10);
}

fn settings(scale: Scale) -> Settings {
    Settings {
        scale,
        alpha: 0.05,
        test_value: 0.0,
        planned_units: 5000,
        prior: None,
        prior_scale: Scale::Relative,
        better: Better::Higher,
        traffic: None,
    }
}

fn means(sums: [Sums<1>; 2]) -> DataSet {
    DataSet::plain("mean", sums.map(|sums| (sums.statistic(0), mean(&sums, 0))))
}

/// Each fault of the wheel, and what is right.
#[tokio::test]
async fn where_gbstats_is_at_fault_ours_is_right() {
    // 10¹¹ + {0, 1, 2}, thousand times each: variance 2/3·n/(n − 1), of which the wheel's sums of squares keep
    // nothing.
    let far = |units: i128, mean: i128| {
        let (sum, squares) = (3 * units * mean, units * (3 * mean * mean + 2));
        Sums::of((3 * units) as u64, [sum], [[squares]]).unwrap()
    };
    let vast = means([far(1000, 100_000_000_000), far(1000, 100_000_000_000)]);
    // Refunds outweigh what is bought: the control loses 1.00 a unit, the treatment 0.50.
    let refunds = |sum: i128| Sums::of(1000, [sum], [[20_000]]).unwrap();
    let negative = means([refunds(-1000), refunds(-500)]);
    // The control's mean is 0; their difference is one all the same.
    let zero = means([refunds(0), refunds(500)]);
    // Clear beyond 16 standard errors.
    let clear = [1000, 1800].map(|sum| {
        let sums = Sums::of(10_000, [sum], [[sum]]).unwrap();
        (Statistic::proportion(10_000, sum as u64), proportion(&sums, 0))
    });
    let clear = DataSet::plain("proportion", clear);
    let adjusted = DataSet::draw("adjusted mean", SEED);
    let (absolute, relative) = (settings(Scale::Absolute), settings(Scale::Relative));
    let asked = [
        absolute.question(&vast),
        relative.question(&negative),
        absolute.question(&zero),
        absolute.question(&clear),
        relative.question(&adjusted),
    ];
    let answers = ask_wheel(&asked).await;

    let right = (2.0 * (2.0 / 3.0) / 2999.0_f64).sqrt();
    assert!((vast.absolute.unwrap().standard_error / right - 1.0).abs() < 1e-12);
    let theirs = &answers[0]["two_sided"];
    assert!(
        !theirs["error"].is_null() || (number(&theirs["deviation"]) / right - 1.0).abs() > 0.5,
        "{theirs}"
    );

    // A loss that is halved is no fall by half: no lift can be told of a mean below 0.
    assert_eq!(negative.relative, Err(EffectError::ControlNotPositive));
    assert!((number(&answers[1]["two_sided"]["value"]) + 0.5).abs() < 1e-12, "{}", answers[1]);
    assert!((negative.absolute.unwrap().value - 0.5).abs() < 1e-12);

    assert!((zero.absolute.unwrap().value - 0.5).abs() < 1e-12);
    assert_eq!(answers[2]["two_sided"]["error"], "ZERO_NEGATIVE_BASELINE_VARIATION", "{}", answers[2]);
    assert_eq!(answers[2]["bayesian"]["error"], "float division by zero", "{}", answers[2]);

    let effect: Effect = clear.absolute.unwrap();
    let p = effect.t_test(0.05, Alternative::TwoSided).unwrap().p;
    assert!(
        p > 1e-65 && p < 1e-55 && number(&answers[3]["two_sided"]["p_value"]) == 0.0,
        "{p:e} {}",
        answers[3]
    );
    let belief = Posterior::of(&effect, None, Better::Lower, 0.05).unwrap();
    assert!(belief.chance_to_win > 0.0 && belief.risk_of_control > 0.0, "{belief:?}");
    assert!((belief.risk_of_treatment / effect.value - 1.0).abs() < 1e-12, "{belief:?}");

    // The wheel's lift of adjusted means leaves out how the control's mean varies with its past.
    let ours = adjusted.relative.unwrap();
    let theirs = number(&answers[4]["two_sided"]["deviation"]);
    assert!((theirs / adjusted.poorer_error.unwrap() - 1.0).abs() < 1e-9);
    assert!((theirs / ours.standard_error - 1.0).abs() > 1e-4, "{theirs} {}", ours.standard_error);
    assert!((number(&answers[4]["two_sided"]["value"]) / ours.value - 1.0).abs() < 1e-9);
}
