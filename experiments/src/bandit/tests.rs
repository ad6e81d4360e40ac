//! Exact chances where they are known, and weights that stay weights.

use proptest::prelude::*;

use super::*;
use crate::sums::Sums;

fn belief(mean: f64, deviation: f64) -> Belief {
    Belief::new(mean, deviation).unwrap()
}

/// Of two arms the better one wins with chance Φ(Δ/√(σ₁² + σ₂²)), however different the two are known.
#[test]
fn two_arms_are_a_normal_difference() {
    for (one, other) in [
        (belief(0.0, 1.0), belief(1.0, 1.0)),
        (belief(0.0, 1.0), belief(0.3, 1e-6)),
        (belief(5.0, 1e-3), belief(4.0, 2.0)),
        (belief(1e6, 1.0), belief(1e6 + 3.0, 0.5)),
    ] {
        let z = (other.mean - one.mean) / one.deviation.hypot(other.deviation);
        let found = chances_to_be_best(&[one, other], Better::Higher);
        assert!((found[1] - normal::cdf(z)).abs() < 1e-9, "{found:?} {}", normal::cdf(z));
        let inverse = chances_to_be_best(&[one, other], Better::Lower);
        assert!((inverse[0] - found[1]).abs() < 1e-9);
        assert!(
            chances_to_be_in_two_best(&[one, other], Better::Lower).iter().all(|p| (p - 1.0).abs() < 1e-9)
        );
    }
}

#[test]
fn weights_that_cannot_be_told_are_refused() {
    let arm = Statistic::proportion(1000, 100);
    let of = |arms: &[Statistic], floor| weights(arms, Policy::TopTwo, floor, Better::Higher);
    assert_eq!(of(&[arm], 0.01), Err(BanditError::TooFewArms { found: 1 }));
    assert_eq!(of(&[arm, arm], 1.5), Err(BanditError::Floor { floor: 1.5 }));
    assert!(of(&[arm, arm], f64::NAN).is_err());
    let few = Statistic::proportion(99, 10);
    assert_eq!(of(&[arm, few], 0.01), Err(BanditError::TooFewUnits { arm: 1, units: 99 }));
    assert_eq!(of(&[Statistic::proportion(500, 0), arm], 0.01), Err(BanditError::NoSpread { arm: 0 }));
    assert_eq!(of(&[arm, Statistic::proportion(1000, 200)], 0.6), Ok(vec![0.5, 0.5]));
    assert!(Belief::new(f64::NAN, 1.0).is_none() && Belief::new(0.0, 0.0).is_none());
}

/// The level drifts while weights move: pooled means turn the order around, means over periods do not.
#[test]
fn periods_undo_simpsons_paradox() {
    let arm = |units: u64, sum: i128| Sums::of(units, [sum], [[sum]]).unwrap();
    let periods = [vec![arm(900, 90), arm(100, 8)], vec![arm(100, 40), arm(900, 342)]];
    let pooled = [130.0 / 1000.0, 350.0 / 1000.0];
    let arms = over_periods(&periods).unwrap();
    assert!(pooled[0] < pooled[1] && arms[0].mean > arms[1].mean, "{arms:?}");
    let gap = [vec![arm(10, 1), arm(1, 0)]];
    assert_eq!(over_periods(&gap), Err(PeriodError::TooFewUnits { period: 0, arm: 1, units: 1 }));
    let odd = [vec![arm(10, 1)], vec![]];
    assert_eq!(over_periods(&odd), Err(PeriodError::ArmsDiffer { period: 1, found: 0, expected: 1 }));
    assert_eq!(over_periods(&[]), Ok(vec![]));
}

#[test]
fn an_adjusted_period_is_an_adjusted_mean() {
    let a = Sums::of(1000, [5000, 4800], [[45_000, 40_000], [0, 42_000]]).unwrap();
    let b = Sums::of(1100, [5830, 5390], [[54_000, 46_000], [0, 47_000]]).unwrap();
    let arms = over_adjusted_periods(&[vec![a, b]]).unwrap();
    let theta = (a.covariance(0, 1) + b.covariance(0, 1)) / (a.covariance(1, 1) + b.covariance(1, 1));
    assert!((arms[0].mean - (5.0 - theta * 4.8)).abs() < 1e-12);
    assert!(arms[0].variance < a.covariance(0, 0) * 0.4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn weights_sum_to_one_and_keep_the_floor(
        arms in proptest::collection::vec((100_u64..1_000_000_000, 0.001..0.999_f64), 2..8), floor in 0.0..0.2_f64,
        is_top_two in any::<bool>(), is_higher in any::<bool>(),
    ) {
        let arms: Vec<Statistic> = arms
            .iter()
            .map(|&(n, share)| Statistic::proportion(n, ((n as f64 * share) as u64).clamp(1, n - 1)))
            .collect();
        let policy = if is_top_two { Policy::TopTwo } else { Policy::Thompson };
        let better = if is_higher { Better::Higher } else { Better::Lower };
        let found = weights(&arms, policy, floor, better).unwrap();
        prop_assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let least = floor.min(1.0 / arms.len() as f64);
        prop_assert!(found.iter().all(|weight| *weight >= least - 1e-12));
        let beliefs: Vec<Belief> = arms.iter().map(|arm| Belief::of(arm, ARM_PRIOR).unwrap()).collect();
        let whole: f64 = chances_to_be_best(&beliefs, better).iter().sum();
        prop_assert!((whole - 1.0).abs() < 1e-8, "{whole}");
        let whole: f64 = chances_to_be_in_two_best(&beliefs, better).iter().sum();
        prop_assert!((whole - 2.0).abs() < 1e-8, "{whole}");
    }
}
