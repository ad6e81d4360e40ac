//! The experiments of the samples, each in another state.

use experiments::interaction::Interaction;
use experiments::redraw::Epoch;
use experiments::{ArmSums, Experiment, Look, Plan, Status};

use super::sample::{Sample, arm, definition, metrics, observed, splits, totals};
use super::{AS_OF_MS, DAY_MS, HOSTILE};
use crate::experiment::{Dimension, SegmentSplit};

const ARMS: [(&str, &str, u32); 2] =
    [("classic", "Classic checkout", 5000), ("express", "Express checkout", 5000)];
const HYPOTHESIS: &str =
    "One checkout page instead of four steps lets more visitors finish, above all on phones.";

pub(super) fn express(status: Status) -> Experiment {
    definition("checkout-express", "Express checkout", HYPOTHESIS, &ARMS, status)
}

/// Returns an experiment whose treatment is better.
pub fn better() -> Sample {
    observed(express(Status::Running), &[arm(0.5, 0.061, 4_130.0), arm(0.5, 0.0745, 4_080.0)], 24_310.0, 48)
}

/// Returns one to which metrics were added after the start: one is counted, one not yet.
pub fn late() -> Sample {
    let added = |experiment: Experiment, metric: &str| {
        experiment.adding(metric, AS_OF_MS - DAY_MS).expect("a running experiment takes one metric more")
    };
    let experiment = added(added(express(Status::Running), "revenue_per_unit"), "refunded");
    observed(experiment, &[arm(0.5, 0.061, 3_130.0), arm(0.5, 0.0745, 4_080.0)], 24_310.0, 48)
}

/// Returns one whose treatment is worse, stopped.
pub fn worse() -> Sample {
    let experiment = definition("basket-drawer", "Basket in a drawer", HYPOTHESIS, &ARMS, Status::Stopped)
        .teaching(
            "The drawer hides the sum, and who does not see it goes on looking for it.\nShow the sum first.",
        )
        .expect("a stopped experiment teaches");
    observed(experiment, &[arm(0.5, 0.0745, 4_130.0), arm(0.5, 0.061, 4_080.0)], 24_310.0, 48)
}

/// Returns an A/A experiment: nothing differs.
pub fn undecided() -> Sample {
    let arms = [("a", "Heading as it is", 5000), ("b", "The same again", 5000)];
    let experiment = definition(
        "aa-shelf-heading",
        "A/A: shelf heading",
        "Nothing changes, so nothing may be found.",
        &arms,
        Status::Running,
    );
    observed(experiment, &[arm(0.501, 0.0652, 4_100.0), arm(0.499, 0.0655, 4_115.0)], 18_022.0, 36)
}

/// Returns one that has just begun.
pub fn early() -> Sample {
    let experiment = definition("free-shipping-bar", "Free-shipping bar", HYPOTHESIS, &ARMS, Status::Running);
    observed(experiment, &[arm(0.5, 0.06, 4_000.0), arm(0.5, 0.07, 4_000.0)], 214.0, 1)
}

/// Returns one with a single drawable look.
pub fn first_look() -> Sample {
    observed(express(Status::Running), &[arm(0.5, 0.06, 4_000.0), arm(0.5, 0.07, 4_000.0)], 900.0, 1)
}

/// Returns one whose split is wrong.
pub fn mismatched() -> Sample {
    let experiment =
        definition("image-zoom", "Zoom on product images", "Seeing more sells more.", &ARMS, Status::Running);
    observed(experiment, &[arm(0.56, 0.06, 4_000.0), arm(0.44, 0.07, 4_000.0)], 9_000.0, 20)
}

/// Returns one with three arms of which nobody converts in one.
pub fn three_arms() -> Sample {
    let arms = [
        ("classic", "Classic checkout", 3334),
        ("express", "Express checkout", 3333),
        ("one-step", "One-step checkout", 3333),
    ];
    let experiment = definition("checkout-three", "Three checkouts", HYPOTHESIS, &arms, Status::Running);
    observed(
        experiment,
        &[arm(0.3334, 0.061, 4_130.0), arm(0.3333, 0.079, 4_080.0), arm(0.3333, 0.064, 4_500.0)],
        30_000.0,
        40,
    )
}

/// Returns a draft that nobody has seen.
pub fn draft() -> Sample {
    observed(express(Status::Draft), &[arm(0.5, 0.0, 0.0), arm(0.5, 0.0, 0.0)], 0.0, 0)
}

/// Returns a draft that says too little to start.
pub fn incomplete() -> Sample {
    let mut definition = express(Status::Draft).to_value();
    for (field, value) in
        [("hypothesis", "".into()), ("owner", "".into()), ("planned_days", serde_json::Value::Null)]
    {
        definition[field] = value;
    }
    let experiment = Experiment::parse_value(&definition).expect("a draft may say little");
    observed(experiment, &[arm(0.5, 0.0, 0.0), arm(0.5, 0.0, 0.0)], 0.0, 0)
}

/// Returns one whose every text is hostile.
pub fn hostile() -> Sample {
    let arms = [("classic", HOSTILE, 5000), ("express", HOSTILE, 5000)];
    let experiment = definition("hostile", HOSTILE, HOSTILE, &arms, Status::Running);
    observed(experiment, &[arm(0.5, 0.06, 4_000.0), arm(0.5, 0.07, 4_000.0)], 20_000.0, 10)
}

/// Returns one whose coverage rises by schedule.
pub fn ramping() -> Sample {
    ramp_of(early())
}

/// Returns one whose coverage would rise, were the split not wrong.
pub fn ramp_held() -> Sample {
    ramp_of(mismatched())
}

fn ramp_of(sample: Sample) -> Sample {
    let mut definition = sample.experiment.to_value();
    definition["coverage_bp"] = 2_000.into();
    let step =
        |(hours, coverage): (u32, u32)| serde_json::json!({"after_hours": hours, "coverage_bp": coverage});
    let steps = [(24, 2_000), (72, 5_000), (168, 10_000)].map(step);
    definition["ramp"] = steps.to_vec().into();
    let experiment = Experiment::parse_value(&definition).expect("the sample's ramp rises");
    Sample { experiment, ..sample }
}

/// Returns one whose variations are compared within devices.
pub fn within() -> Sample {
    let mut definition = express(Status::Running).to_value();
    definition["strata"] = "device".into();
    let experiment = Experiment::parse_value(&definition).expect("the sample's strata are an attribute");
    let of = |units: f64, conversions: [f64; 2]| -> Vec<ArmSums> {
        conversions.iter().map(|conversion| totals(arm(0.5, *conversion, 4_100.0), units, 0.0)).collect()
    };
    let strata = [of(15_300.0, [0.031, 0.040]), of(9_010.0, [0.118, 0.131])];
    let mut whole = strata[0].clone();
    whole.iter_mut().zip(&strata[1]).for_each(|(sum, arm)| sum.merge(arm));
    let plan = Plan::of(&experiment, &metrics()).expect("a sample has metrics");
    let current = Look { at_ms: AS_OF_MS, arms: whole };
    let analysis = experiments::verdict::analyze_within(&plan, &current, &[], &strata);
    Sample { experiment, analysis: analysis.expect("strata of a sample fit its plan"), ..better() }
}

/// Returns a bandit that has drawn its weights again every day for two weeks.
pub fn bandit() -> Sample {
    bandit_of(&[
        [3_334, 3_333, 3_333],
        [2_211, 3_120, 4_669],
        [1_480, 2_905, 5_615],
        [640, 2_113, 7_247],
        [560, 1_402, 8_038],
        [500, 1_718, 7_782],
        [500, 960, 8_540],
        [500, 611, 8_889],
    ])
}

/// Returns one that has just begun.
pub fn bandit_young() -> Sample {
    bandit_of(&[[3_334, 3_333, 3_333]])
}

/// Epochs of two days with these weights; the shop converts better from day to day.
fn bandit_of(weights_bp: &[[u32; 3]]) -> Sample {
    let three = three_arms().experiment;
    let mut definition = three.to_value();
    let past: Vec<serde_json::Value> = (0_i64..)
        .zip(weights_bp)
        .take(weights_bp.len() - 1)
        .map(|(at, weights)| {
            let until_ms = AS_OF_MS - 14 * DAY_MS + (at + 1) * 2 * DAY_MS - DAY_MS / 2;
            serde_json::json!({"until_ms": until_ms, "weights_bp": weights})
        })
        .collect();
    for (variation, weight) in
        definition["variations"].as_array_mut().into_iter().flatten().zip(weights_bp[weights_bp.len() - 1])
    {
        variation["weight_bp"] = weight.into();
    }
    definition["planned_units"] = 12_000.into();
    definition["bandit"] =
        serde_json::json!({"policy": "thompson", "every_hours": 48, "floor_bp": 500, "past": past});
    let experiment = Experiment::parse_value(&definition).expect("the sample's bandit is one");
    let epoch = |(at, weights): (usize, &[u32; 3])| {
        let level = 1.0 + 0.04 * at as f64;
        let arms = [0.058, 0.061, 0.074].iter().zip(weights).map(|(conversion, weight)| {
            with_earlier_orders(&totals(
                arm(f64::from(*weight) / 10_000.0, conversion * level, 4_100.0),
                5_200.0,
                0.0,
            ))
        });
        Epoch {
            until_ms: experiment.draws().and_then(|draws| Some(draws.past.get(at)?.until_ms)),
            weights_bp: weights.to_vec(),
            arms: arms.collect(),
        }
    };
    let epochs: Vec<Epoch> = weights_bp.iter().enumerate().map(epoch).collect();
    let mut whole = vec![ArmSums::new(3); 3];
    for epoch in &epochs {
        whole.iter_mut().zip(&epoch.arms).for_each(|(sum, arm)| sum.merge(arm));
    }
    let plan = Plan::of(&experiment, &metrics()).expect("a sample has metrics");
    let analysis =
        experiments::verdict::analyze_epochs(&plan, &Look { at_ms: AS_OF_MS, arms: whole }, &epochs);
    let analysis = analysis.expect("epochs of a sample fit its plan");
    let looks = epochs.len() as u64;
    // Phones are 0.63 of every epoch, and convert less; the last treatment wins on desktops above all.
    let part = |name: &str, share: f64, level: f64, of_last: f64| {
        let arms = |epoch: &Epoch| {
            let arm = |(index, sums): (usize, &ArmSums)| {
                let units = (sums.units() as f64 * share).round();
                let rate = sums.metric(0).total() as f64 / sums.units().max(1) as f64 * level;
                let orders = (units * rate * if index == 2 { of_last } else { 1.0 }).round();
                ArmSums::parse(&format!("{units};{units} {orders} {orders} 0 0 {orders} 0 0 0 0 0"))
                    .expect("a sample's sums add up")
            };
            epoch.arms.iter().enumerate().map(arm).collect()
        };
        let of_epoch = |epoch: &Epoch| Epoch { arms: arms(epoch), ..epoch.clone() };
        (name.to_owned(), epochs.iter().map(of_epoch).collect())
    };
    let devices = vec![part("phone", 0.63, 0.7, 0.96), part("desktop", 0.37, 1.51, 1.03)];
    let segments =
        experiments::verdict::segments_of_epochs(&plan, std::slice::from_ref(&devices)).swap_remove(0);
    let dimensions = vec![Dimension { name: "device".into(), segments }];
    let parts = experiments::verdict::splits_of_epochs(
        &devices.iter().map(|(_, epochs)| &epochs[..]).collect::<Vec<_>>(),
    );
    let split = |((segment, _), split): (&(String, Vec<Epoch>), _)| SegmentSplit {
        dimension: "device".into(),
        segment: segment.clone(),
        split,
    };
    let splits = devices.iter().zip(parts).map(split).collect();
    Sample {
        experiment,
        analysis,
        dimensions,
        splits,
        growth: vec![],
        outlook: Some(experiments::verdict::outlook_epochs(&plan, &epochs, 2_600)),
        looks,
        epochs,
        ..better()
    }
}

/// The sums of an arm whose visitors had spent as much before, and spend by that in part.
fn with_earlier_orders(sums: &ArmSums) -> ArmSums {
    let text = sums.to_text();
    let (others, revenue) = text.rsplit_once(';').expect("a sample's last metric is revenue");
    let numbers: Vec<i128> = revenue.split(' ').filter_map(|number| number.parse().ok()).collect();
    let [units, active, sum, _, _, squares, ..] = numbers[..] else { panic!("{revenue}") };
    let paired = format!("{units} {active} {sum} 0 {sum} {squares} 0 {} 0 0 {squares}", squares * 6 / 10);
    ArmSums::parse(&format!("{others};{paired}")).expect("a sample's sums add up")
}

/// Returns one whose winner everybody gets.
pub fn shipped() -> Sample {
    let experiment =
        express(Status::Running).ship("express", AS_OF_MS - DAY_MS).expect("a running experiment ships");
    observed(experiment, &[arm(0.5, 0.061, 4_130.0), arm(0.5, 0.0745, 4_080.0)], 24_310.0, 48)
}

/// Returns one that is held for a while.
pub fn paused() -> Sample {
    let experiment = definition("gift-wrap", "Gift wrap in the cart", HYPOTHESIS, &ARMS, Status::Paused);
    observed(experiment, &[arm(0.5, 0.061, 4_130.0), arm(0.5, 0.062, 4_080.0)], 6_020.0, 20)
}

/// Two running experiments on one flag, of which one takes a third.
pub(super) fn rivals() -> Vec<Experiment> {
    let first = definition("checkout-bar", "Free-shipping bar", HYPOTHESIS, &ARMS, Status::Running);
    let mut first = first.to_value();
    first["coverage_bp"] = 3_333.into();
    vec![Experiment::parse_value(&first).expect("a sample's definition is right"), express(Status::Running)]
}

/// What one of them does beside the other.
pub(super) fn interaction() -> Interaction {
    Interaction {
        experiment: "checkout-express".into(),
        variation: 1,
        other: "checkout-bar".into(),
        other_variation: 1,
        units: 16_207,
        lifts: [0.214, -0.031],
        adjusted_p: 0.0004,
        is_significant: true,
    }
}

/// Returns one that acts on another, and one beside which it does the same.
pub fn beside() -> Sample {
    let third = definition("badges", "Badges on products", HYPOTHESIS, &ARMS, Status::Running);
    let calm = Interaction {
        other: "badges".into(),
        lifts: [0.181, 0.204],
        adjusted_p: 1.0,
        is_significant: false,
        ..interaction()
    };
    let running = rivals().into_iter().chain([third]).collect();
    Sample { running, interactions: vec![interaction(), calm], ..better() }
}

/// Returns one that loses visitors of one variation on phones, as many as it gains elsewhere.
pub fn off_on_phones() -> Sample {
    Sample { splits: splits(&[3_420.0, 2_911.0]), ..better() }
}

/// Returns one that gets what another one on its flag leaves.
pub fn behind() -> Sample {
    Sample { running: rivals(), ..better() }
}

/// Returns a draft that would take units from a running experiment.
pub fn refused() -> Sample {
    let before = definition("a-first", "Another checkout", HYPOTHESIS, &ARMS, Status::Draft);
    Sample { experiment: before, running: rivals(), ..draft() }
}

/// An experiment that is read by another method; looks are planned at 20,000 units.
fn by(method: serde_json::Value, units: f64) -> Sample {
    let mut definition = express(Status::Running).to_value();
    definition["method"] = method;
    let experiment = Experiment::parse_value(&definition).expect("the sample's method is one");
    observed(experiment, &[arm(0.5, 0.061, 4_130.0), arm(0.5, 0.0745, 4_080.0)], units, 48)
}

/// Returns samples that are read by each method but the usual one, before and after their looks.
fn by_each_method() -> Vec<(&'static str, Sample)> {
    let fixed = || serde_json::json!({"kind": "fixed_horizon"});
    let groups = || serde_json::json!({"kind": "group_sequential", "looks": 5});
    vec![
        ("fixed-unread", by(fixed(), 14_000.0)),
        ("fixed", by(fixed(), 24_310.0)),
        ("groups-unread", by(groups(), 3_000.0)),
        ("groups", by(groups(), 14_000.0)),
        ("mixture", by(serde_json::json!({"kind": "mixture", "expected_lift_bp": 1_000}), 24_310.0)),
        ("bayesian", by(serde_json::json!({"kind": "bayesian", "prior_deviation_bp": 3_000}), 24_310.0)),
    ]
}

/// Returns one whose treatment wins while its guardrail comes to so much an order in each variation.
fn guarded(basket_minor: [f64; 2]) -> Sample {
    let mut definition = express(Status::Running).to_value();
    definition["guardrails"] = serde_json::json!([{"metric": "page_latency", "margin_bp": 500},
        {"metric": "revenue_per_unit", "margin_bp": 500}]);
    let experiment = Experiment::parse_value(&definition).expect("the sample's guardrails are metrics");
    let [classic, express] = basket_minor;
    observed(experiment, &[arm(0.5, 0.061, classic), arm(0.5, 0.0745, express)], 24_310.0, 48)
}

/// Returns a bandit that draws no weights, since its split is wrong.
pub fn bandit_halted() -> Sample {
    let sample = bandit();
    let mut epochs = sample.epochs.clone();
    // Another half of the control's visitors is lost on the way.
    for epoch in &mut epochs {
        let text = epoch.arms[0].to_text();
        let half =
            |word: &str| word.parse::<i128>().map_or(word.to_owned(), |number| (number / 2).to_string());
        let metric = |part: &str| part.split(' ').map(half).collect::<Vec<_>>().join(" ");
        let halved = text.split(';').map(metric).collect::<Vec<_>>().join(";");
        epoch.arms[0] = ArmSums::parse(&halved).expect("half of a sample adds up");
    }
    let mut whole = vec![ArmSums::new(3); 3];
    for epoch in &epochs {
        whole.iter_mut().zip(&epoch.arms).for_each(|(sum, arm)| sum.merge(arm));
    }
    let plan = Plan::of(&sample.experiment, &metrics()).expect("a sample has metrics");
    let analysis =
        experiments::verdict::analyze_epochs(&plan, &Look { at_ms: AS_OF_MS, arms: whole }, &epochs);
    Sample { analysis: analysis.expect("epochs of a sample fit its plan"), epochs, ..sample }
}

/// Returns every sample by name.
pub fn experiments() -> Vec<(&'static str, Sample)> {
    let mut all = vec![
        ("better", better()),
        ("worse", worse()),
        ("undecided", undecided()),
        ("early", early()),
        ("first-look", first_look()),
        ("mismatched", mismatched()),
        ("three-arms", three_arms()),
        ("ramping", ramping()),
        ("ramp-held", ramp_held()),
        ("late", late()),
        ("within", within()),
        ("bandit", bandit()),
        ("bandit-young", bandit_young()),
        ("shipped", shipped()),
        ("paused", paused()),
        ("draft", draft()),
        ("incomplete", incomplete()),
        ("hostile", hostile()),
        ("behind", behind()),
        ("off-on-phones", off_on_phones()),
        ("beside", beside()),
        ("refused", refused()),
        ("guardrail-blind", guarded([0.0, 0.0])),
        ("guardrail-dead", guarded([4_130.0, 0.0])),
        ("bandit-halted", bandit_halted()),
    ];
    all.extend(by_each_method());
    all
}
