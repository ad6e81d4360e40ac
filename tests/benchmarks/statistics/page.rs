//! A/A experiments of several arms, metrics and guardrails, of which all that a page says is looked at, again and again.

use experiments::{
    Experiment, Look, Plan, Verdict,
    arm::{ArmSums, UnitTallies},
    guardrail::Standing,
    metric::{Metric, Tally},
    verdict::{ALPHA, Comparison, analyze},
};
use serde_json::json;

use super::{crowd::Crowd, dice::Dice};
use crate::figure::{Figure, Format, Target};

const ARMS: usize = 3;
const LOOKS: usize = 100;
const UNITS_A_LOOK: usize = 300;
/// The shares of visitors who order, return and see an error; the first is what decides, the others are guarded.
const RATES: [f64; 4] = [0.1, 0.3, 0.05, 0.01];

pub fn measure(crowd: &Crowd, format: Format) {
    let page = Page::new();
    let [verdicts, harms, others, all] = crowd.percent::<4>(200, |dice| page.alarms(dice));
    let promised = Target::AtMost(100.0 * ALPHA + super::false_alarms::noise(crowd.runs));
    let figures = [
        ("page A/A, better or worse", verdicts, promised),
        ("page A/A, a guardrail harmed", harms, promised),
        ("page A/A, another metric", others, promised),
        ("page A/A, any of these", all, Target::None),
    ];
    for (name, value, target) in figures {
        let yardstick = format!(
            "{} A/A runs of {ARMS} arms, {} guardrails and 2 more metrics, {LOOKS} looks to {} units",
            crowd.runs,
            RATES.len() - 1,
            LOOKS * UNITS_A_LOOK
        );
        Figure { name: name.into(), value, unit: "%", target, yardstick }.print(format);
    }
}

struct Page {
    metrics: Vec<Metric>,
    plan: Plan,
}

impl Page {
    fn new() -> Self {
        let of_event = |kind: &str, event: &str| json!({"kind": kind, "event": {"type": event}});
        let mut measures: Vec<_> = (0..RATES.len())
            .map(|n| (format!("share{n}"), of_event("proportion", &format!("event{n}"))))
            .collect();
        measures.push((
            "revenue".into(),
            json!({"kind": "mean", "event": {"type": "order"}, "property": "total"}),
        ));
        measures.push(("pages".into(), of_event("count", "page")));
        let metric = |(key, measure): &(String, serde_json::Value)| {
            Metric::parse(&json!({"key": key, "measure": measure}).to_string()).expect("a good metric")
        };
        let metrics: Vec<Metric> = measures.iter().map(metric).collect();
        let guardrail = |n: usize| json!({"metric": format!("share{n}"), "margin_bp": 500});
        let weights_bp = [3_334, 3_333, 3_333];
        let variation = |n: usize| json!({"key": format!("v{n}"), "weight_bp": weights_bp[n], "value": n});
        let experiment = Experiment::parse_value(&json!({
            "schema_version": 1, "key": "e", "name": "E", "flag": "f", "status": "running", "planned_units": 10_000,
            "primary_metric": "share0", "guardrails": (1..RATES.len()).map(guardrail).collect::<Vec<_>>(),
            "variations": (0..ARMS).map(variation).collect::<Vec<_>>(),
        }));
        let plan = Plan::of(&experiment.expect("a good definition"), &metrics).expect("a good plan");
        Self { metrics, plan }
    }

    /// Whether any look calls a treatment better or worse, a guardrail harmed, another metric changed; or any of these.
    fn alarms(&self, dice: &mut Dice) -> [bool; 4] {
        let mut current = Look { at_ms: 0, arms: vec![ArmSums::new(self.metrics.len()); ARMS] };
        let mut alarms = [false; 4];
        for _ in 0..LOOKS {
            for _ in 0..UNITS_A_LOOK {
                let arm = (dice.roll() * ARMS as f64) as usize;
                current.arms[arm].add(&self.metrics, &unit(dice));
            }
            let analysis = analyze(&self.plan, &current, &[]).expect("looks fit the plan");
            let is_other = |one: &&Comparison| !one.is_primary && one.guardrail.is_none();
            let is_harmed =
                |one: &Comparison| one.guardrail.is_some_and(|reading| reading.standing == Standing::Harmed);
            alarms[0] |= matches!(analysis.verdict, Verdict::Better { .. } | Verdict::Worse { .. });
            alarms[1] |= analysis.comparisons.iter().any(is_harmed);
            alarms[2] |= analysis.comparisons.iter().filter(is_other).any(|one| one.is_significant);
        }
        alarms[3] = alarms[..3].contains(&true);
        alarms
    }
}

fn unit(dice: &mut Dice) -> UnitTallies {
    let shares = RATES.map(|rate| i64::from(dice.happens(rate)));
    let revenue = if shares[0] == 1 { (2000.0 * dice.normal().exp()) as i64 } else { 0 };
    let pages = 1 + (dice.roll() * dice.roll() * 20.0) as i64;
    let numbers = shares.into_iter().chain([revenue, pages]);
    UnitTallies { tallies: numbers.map(|number| Tally::Number([number, 0])).collect(), pasts: vec![] }
}
