//! Published bounds and drifts, and looks that were not planned.

use proptest::prelude::*;

use super::*;
use crate::crossing::Crossings;

fn two_sided(spending: Spending, fractions: &[f64]) -> GroupSequential {
    GroupSequential::new(spending, 0.05, Alternative::TwoSided, fractions).unwrap()
}

const FIVE: [f64; 5] = [0.2, 0.4, 0.6, 0.8, 1.0];

/// The drifts with which five looks find an effect in 80 % of runs (Jennison and Turnbull 2000, chapter 7).
#[test]
fn drifts_for_power_are_as_published() {
    for (spending, drift) in [(Spending::OBrienFleming, 2.836001276), (Spending::Pocock, 3.085085932)] {
        let bounds: Vec<[f64; 2]> = two_sided(spending, &FIVE).bounds().iter().map(|b| [-b, *b]).collect();
        let above = |drift: f64| -> f64 {
            Crossings::new(&FIVE, &bounds, drift).with(drift).map(|(_, crossed)| crossed.above).sum()
        };
        assert!((above(drift) - 0.8).abs() < 1e-8, "{spending:?}: {}", above(drift));
        assert!((above(0.0) - 0.025).abs() < 1e-12);
    }
}

#[test]
fn one_look_is_the_usual_test() {
    let test = two_sided(Spending::Pocock, &[1.0]);
    assert!((test.bound() - 1.959963984540054).abs() < 1e-12);
    let effect = Effect { value: 2.5, standard_error: 1.0, units: 1000, degrees_of_freedom: 998.0 };
    let estimate = test.estimate(&effect).unwrap();
    assert!((estimate.p / 0.012419330651552318 - 1.0).abs() < 2e-6, "{}", estimate.p);
    let above = GroupSequential::new(Spending::Pocock, 0.025, Alternative::Greater, &[1.0]).unwrap();
    assert!((above.estimate(&effect).unwrap().p / 0.006209665325776159 - 1.0).abs() < 2e-6);
    let below = GroupSequential::new(Spending::Pocock, 0.025, Alternative::Less, &[1.0]).unwrap();
    assert!(below.estimate(&effect).unwrap().p > 0.9);
}

#[test]
fn looks_beyond_the_plan_spend_what_is_left_once() {
    let test = two_sided(Spending::OBrienFleming, &[0.5, 1.2, 1.3]);
    let bounds = test.bounds();
    assert!(bounds[1] > 1.959 && bounds[1] < 2.1 && bounds[2] == f64::INFINITY, "{bounds:?}");
    // The look after them says nothing new.
    let effect = Effect { value: 9.0, standard_error: 1.0, units: 1000, degrees_of_freedom: 998.0 };
    let estimate = test.estimate(&effect).unwrap();
    assert_eq!((estimate.p, estimate.upper), (1.0, f64::INFINITY));
    let doubled = two_sided(Spending::Pocock, &[0.5, 0.5, 1.0]);
    assert_eq!(doubled.bounds()[1], f64::INFINITY);
    assert_eq!(doubled.bounds()[2], two_sided(Spending::Pocock, &[0.5, 1.0]).bounds()[1]);
}

#[test]
fn plans_that_make_no_sense_are_refused() {
    let of = |alpha, looks: &[f64]| {
        GroupSequential::new(Spending::Pocock, alpha, Alternative::TwoSided, looks).is_some()
    };
    assert!(of(0.05, &[0.1]) && !of(0.05, &[]) && !of(0.05, &[0.5, 0.4]) && !of(0.05, &[0.0]));
    assert!(!of(0.0, &[0.1]) && !of(1.0, &[0.1]) && !of(f64::NAN, &[0.1]) && !of(0.05, &[f64::NAN]));
    assert!(!of(0.05, &[0.5; LOOKS_MAX + 1]) && !of(0.05, &[f64::INFINITY]));
}

/// Returns how often all looks together cross by chance.
fn crossed_by_chance(test: &GroupSequential, alternative: Alternative, looks: &[f64]) -> f64 {
    let lower = |bound: f64| if alternative == Alternative::TwoSided { -bound } else { f64::NEG_INFINITY };
    let bounds: Vec<[f64; 2]> = test.bounds().iter().map(|&bound| [lower(bound), bound]).collect();
    Crossings::new(looks, &bounds, 0.0).with(0.0).map(|(_, crossed)| crossed.above + crossed.below).sum()
}

#[test]
fn a_look_that_is_too_close_to_be_taken_costs_nothing() {
    let looks = [0.886_515_2, 0.886_56, 1.0];
    let sum = crossed_by_chance(&two_sided(Spending::OBrienFleming, &looks), Alternative::TwoSided, &looks);
    assert!((sum / 0.05 - 1.0).abs() < 1e-9, "{sum}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whenever the looks come, all together cross by chance as often as they may.
    #[test]
    fn all_looks_spend_alpha(
        mut looks in proptest::collection::vec(0.01..1.0_f64, 0..6), alpha in 0.001..0.2_f64, is_pocock in any::<bool>(),
        is_nearly_over in any::<bool>(),
    ) {
        looks.push(1.0);
        if is_nearly_over {
            looks.push(0.999_995);
        }
        looks.sort_by(f64::total_cmp);
        let spending = if is_pocock { Spending::Pocock } else { Spending::OBrienFleming };
        for alternative in [Alternative::TwoSided, Alternative::Greater] {
            let test = GroupSequential::new(spending, alpha, alternative, &looks).unwrap();
            let sum = crossed_by_chance(&test, alternative, &looks);
            prop_assert!((sum / alpha - 1.0).abs() < 1e-6, "{sum} {alpha}");
        }
    }
}
