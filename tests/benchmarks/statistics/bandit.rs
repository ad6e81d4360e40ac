//! Bandits on a level that drifts: what they earn beside an even split, and whether their intervals still hold.

use experiments::{
    adaptive::{Batch, Pair, anytime_effect, batched_effect, weighted_effect},
    bandit::{Policy, over_periods, weights},
    bayes::Better,
    effect::Effect,
    interval::Alternative::TwoSided,
    statistic::Statistic,
    sums::Sums,
};

use super::{crowd::Crowd, dice::Dice};
use crate::figure::{Figure, Format, Target};

const BATCHES: usize = 20;
const UNITS_A_BATCH: u64 = 600;
const FLOOR: f64 = 0.05;
const ALPHA: f64 = 0.05;
/// Conversion of the arms at the first batch; it rises by half over the weeks, for all alike.
const ARMS: [f64; 3] = [0.10, 0.10, 0.13];
const PAIR: Pair = Pair { control: 0, treatment: 2 };
const EFFECT: f64 = 0.03;

pub fn measure(crowd: &Crowd, format: Format) {
    // Exact weights take a thousand times longer than the draws.
    let crowd = &Crowd { runs: (crowd.runs / 5).max(1), seed: crowd.seed };
    let yardstick = format!("{} runs, {BATCHES} batches of {UNITS_A_BATCH}", crowd.runs);
    for (part, policy) in [Policy::Thompson, Policy::TopTwo].into_iter().enumerate() {
        let sums = crowd.sum::<6>(70 + part as u64, |dice| run(policy, dice));
        let [batched, anytime, weighted, pooled, earned, even] = sums.map(|sum| sum / crowd.runs as f64);
        let held = |test: &str, share: f64, target| Figure {
            name: format!("{policy:?}, {test}"),
            value: 100.0 * share,
            unit: "% hold",
            target,
            yardstick: yardstick.clone(),
        };
        // Two standard errors of a simulated 95 %.
        let noise = 200.0 * (ALPHA * (1.0 - ALPHA) / crowd.runs as f64).sqrt();
        held("batched OLS", batched, Target::AtLeast(95.0 - noise)).print(format);
        held("anytime, all batches", anytime, Target::AtLeast(95.0)).print(format);
        held("weighted AIPW", weighted, Target::None).print(format);
        held("pooled t-test", pooled, Target::None).print(format);
        Figure {
            name: format!("{policy:?}, regret"),
            value: earned,
            unit: "lost orders",
            target: Target::AtMost(even),
            yardstick: format!("{even:.1} by an even split"),
        }
        .print(format);
    }
}

fn run(policy: Policy, dice: &mut Dice) -> [f64; 6] {
    let mut chances = vec![1.0 / ARMS.len() as f64; ARMS.len()];
    let (mut periods, mut batches): (Vec<Vec<Sums<1>>>, Vec<Batch>) = (vec![], vec![]);
    let (mut is_always_held, mut lost, mut lost_evenly) = (true, 0.0, 0.0);
    let best = ARMS.iter().fold(0.0_f64, |best, arm| best.max(*arm));
    // Variance of a score: about s²/e of either arm, at even chances.
    let spread = (BATCHES as u64 * UNITS_A_BATCH) as f64 * 2.0 * 0.12 * 3.0;
    for batch in 0..BATCHES {
        let drift = 0.05 * batch as f64 / BATCHES as f64;
        let mut arms = vec![Sums::<1>::default(); ARMS.len()];
        for _ in 0..UNITS_A_BATCH {
            let arm = choose(&chances, dice.roll());
            arms[arm].add([i64::from(dice.happens(ARMS[arm] + drift))]).expect("sums stay in range");
            lost += best - ARMS[arm];
            lost_evenly += best - ARMS.iter().sum::<f64>() / ARMS.len() as f64;
        }
        let statistics = arms.iter().map(|sums| sums.statistic(0).into()).collect();
        batches.push(Batch { chances: chances.clone(), arms: statistics });
        periods.push(arms);
        if let Some(estimate) = anytime_effect(&batches, PAIR, ALPHA, TwoSided, spread) {
            is_always_held &= estimate.lower <= EFFECT && EFFECT <= estimate.upper;
        }
        if let Ok(means) = over_periods(&periods)
            && let Ok(found) = weights(&means, policy, FLOOR, Better::Higher)
        {
            chances = found;
        }
    }
    let is_held = |effect: Option<Effect>| {
        let estimate = effect.and_then(|effect| effect.at_fixed_horizon(ALPHA));
        let held = estimate.is_some_and(|test| test.lower <= EFFECT && EFFECT <= test.upper);
        f64::from(u8::from(held))
    };
    let pooled = |arm: usize| {
        let mut all = Sums::<1>::default();
        periods.iter().for_each(|arms| all.merge(&arms[arm]).expect("sums stay in range"));
        all.statistic(0)
    };
    let plain: (Statistic, Statistic) = (pooled(PAIR.control), pooled(PAIR.treatment));
    [
        is_held(batched_effect(&batches, PAIR)),
        f64::from(u8::from(is_always_held)),
        is_held(weighted_effect(&batches, PAIR)),
        is_held(Effect::absolute(&plain.0, &plain.1).ok()),
        lost,
        lost_evenly,
    ]
}

fn choose(chances: &[f64], roll: f64) -> usize {
    let mut sum = 0.0;
    let reached = chances.iter().position(|chance| {
        sum += chance;
        roll < sum
    });
    reached.unwrap_or(chances.len() - 1)
}
