//! Every mode keeps the same promises about any effect.

use proptest::prelude::*;

use super::*;

fn modes(planned_units: u64, tau: f64) -> Vec<Mode> {
    let group = |spending| Mode::GroupSequential { spending, planned_units, earlier_looks: vec![] };
    vec![
        Mode::FixedHorizon,
        Mode::Sequential { planned_units },
        group(Spending::OBrienFleming),
        group(Spending::Pocock),
        Mode::Mixture { tau },
        Mode::Bayesian { prior: None, better: Better::Higher },
        Mode::Bayesian { prior: Some(Prior { mean: 0.0, deviation: tau }), better: Better::Lower },
    ]
}

#[test]
fn settings_out_of_range_give_nothing() {
    let effect = Effect { value: 0.1, standard_error: 0.1, units: 1000, degrees_of_freedom: 998.0 };
    for mode in modes(1000, 0.1) {
        for alpha in [0.0, 1.0, -0.1, f64::NAN] {
            assert_eq!(read(&mode, alpha, Alternative::TwoSided, &effect), None, "{mode:?} {alpha}");
        }
    }
    for mode in modes(0, 0.0)
        .into_iter()
        .filter(|mode| !mode.holds_for(Looks::Once) || mode.holds_for(Looks::Anytime))
    {
        assert_eq!(read(&mode, 0.05, Alternative::TwoSided, &effect), None, "{mode:?}");
    }
    let earlier_looks = vec![2000];
    let back = Mode::GroupSequential { spending: Spending::Pocock, planned_units: 4000, earlier_looks };
    assert_eq!(read(&back, 0.05, Alternative::TwoSided, &effect), None);
}

#[test]
fn early_obrien_fleming_looks_know_nothing_yet() {
    let effect = Effect { value: 0.1, standard_error: 0.1, units: 10, degrees_of_freedom: 8.0 };
    let mode = Mode::GroupSequential {
        spending: Spending::OBrienFleming,
        planned_units: 100_000,
        earlier_looks: vec![],
    };
    let reading = read(&mode, 0.05, Alternative::TwoSided, &effect).unwrap();
    assert_eq!(reading.interval(), [f64::NEG_INFINITY, f64::INFINITY]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn intervals_and_p_values_agree(
        z in -12.0..12.0_f64, standard_error in 1e-6..1e6_f64, units in 4_u64..1_000_000_000,
        planned in 100_u64..1_000_000_000, alpha in 0.001..0.3_f64,
    ) {
        let degrees_of_freedom = (units - 2) as f64;
        let effect = Effect { value: z * standard_error, standard_error, units, degrees_of_freedom };
        for mode in modes(planned.max(units), standard_error) {
            for alternative in [Alternative::TwoSided, Alternative::Greater, Alternative::Less] {
                let Some(reading) = read(&mode, alpha, alternative, &effect) else {
                    prop_assert!(false, "{mode:?} {alternative:?}");
                    continue;
                };
                let [lower, upper] = reading.interval();
                prop_assert!(lower <= upper && !lower.is_nan() && !upper.is_nan());
                let p = p_against(&mode, alpha, alternative, &effect, 0.0).unwrap();
                prop_assert!((0.0..=1.0).contains(&p), "{p}");
                // Shrunk intervals need not hold the raw effect; otherwise p ≤ α just when the interval leaves out 0.
                let is_clear = (p / alpha - 1.0).abs() > 1e-5;
                prop_assert!(!is_clear || reading.excludes_zero() == (p <= alpha), "{mode:?} {alternative:?} {p}");
            }
        }
    }
}
