use super::*;
use proptest::prelude::*;

const PAIR: Pair = Pair { control: 0, treatment: 1 };

fn arm(units: u64, mean: f64, variance: f64) -> Statistic {
    Statistic { units, mean, variance }
}

/// One batch of equal arms is the t-test with pooled variance, and about the plain difference by either scores.
#[test]
fn one_batch_is_a_plain_comparison() {
    let batch = Batch { chances: vec![0.5, 0.5], arms: vec![arm(500, 1.0, 4.0), arm(500, 1.5, 4.0)] };
    let effect = batched_effect(std::slice::from_ref(&batch), PAIR).unwrap();
    assert!((effect.value - 0.5).abs() < 1e-15);
    assert!((effect.standard_error - (8.0_f64 / 500.0).sqrt()).abs() < 1e-15);
    let many = vec![batch; 50];
    let weighted = weighted_effect(&many, PAIR).unwrap();
    assert!((weighted.value - 0.5).abs() < 1e-12, "{}", weighted.value);
    let plain = (8.0_f64 / 25_000.0).sqrt();
    assert!((weighted.standard_error / plain - 1.0).abs() < 0.05, "{}", weighted.standard_error / plain);
    let anytime = anytime_effect(&many, PAIR, 0.05, Alternative::TwoSided, 50_000.0 * 16.0).unwrap();
    assert!((anytime.value - 0.5).abs() < 1e-12 && anytime.lower < 0.5 && 0.5 < anytime.upper);
    assert!((anytime.standard_error / plain - 1.0).abs() < 0.05);
}

#[test]
fn batches_that_make_no_sense_are_none() {
    let batch =
        |chances: &[f64], arms: &[Statistic]| Batch { chances: chances.to_vec(), arms: arms.to_vec() };
    let fine = [arm(50, 1.0, 4.0), arm(50, 1.0, 4.0)];
    let anytime =
        |batches: &[Batch], spread| anytime_effect(batches, PAIR, 0.05, Alternative::TwoSided, spread);
    assert!(anytime(&[batch(&[0.5, 0.5], &fine)], 100.0).is_some());
    assert!(anytime(&[batch(&[0.5, 0.5], &fine)], 0.0).is_none());
    for odd in [
        batch(&[0.0, 1.0], &fine),
        batch(&[f64::NAN, 0.5], &fine),
        batch(&[0.5], &fine),
        batch(&[0.5, 0.5], &[]),
    ] {
        assert!(weighted_effect(std::slice::from_ref(&odd), PAIR).is_none());
        assert!(anytime(&[odd], 100.0).is_none());
    }
    assert!(batched_effect(&[], PAIR).is_none() && weighted_effect(&[], PAIR).is_none());
    let empty = [arm(0, 0.0, 0.0), arm(50, 1.0, 4.0)];
    assert!(batched_effect(&[batch(&[0.5, 0.5], &empty)], PAIR).is_none());
    let still = [arm(50, 1.0, 0.0), arm(50, 1.0, 0.0)];
    assert!(batched_effect(&[batch(&[0.5, 0.5], &still)], PAIR).is_none());
}

proptest! {
    #[test]
    fn answers_are_numbers_or_none(
        batches in proptest::collection::vec(
            (0.0..=1.0_f64, 0_u64..50, -9.0..9.0_f64, 0.0..9.0_f64, 0_u64..50, -9.0..9.0_f64, 0.0..9.0_f64), 0..6,
        ),
    ) {
        let batches: Vec<Batch> = batches
            .into_iter()
            .map(|(e, n0, m0, v0, n1, m1, v1)| Batch {
                chances: vec![1.0 - e, e], arms: vec![arm(n0, m0, v0), arm(n1, m1, v1)],
            })
            .collect();
        let effects = [batched_effect(&batches, PAIR), weighted_effect(&batches, PAIR)];
        for effect in effects.into_iter().flatten() {
            prop_assert!(effect.value.is_finite() && effect.standard_error > 0.0);
        }
        if let Some(estimate) = anytime_effect(&batches, PAIR, 0.05, Alternative::TwoSided, 1000.0) {
            prop_assert!(estimate.lower.is_finite() && estimate.lower < estimate.upper);
        }
    }
}
