//! Published numbers, and what an adjustment must never do.

use proptest::prelude::*;

use super::*;

/// Example D of gbstats 0.8.0.
fn example_d() -> Adjustment {
    let a = Sums::of(1000, [5000, 4800], [[45_000, 40_000], [0, 42_000]]).unwrap();
    let b = Sums::of(1100, [5830, 5390], [[54_000, 46_000], [0, 47_000]]).unwrap();
    Adjustment::of_means(&a, &b, [Measure::Mean, Measure::Mean]).unwrap()
}

fn assert_digits(found: f64, printed: f64) {
    assert!((found - printed).abs() <= printed.abs() * 6e-10, "{found} is not {printed}");
}

#[test]
fn adjusted_arms_are_as_printed() {
    let [a, b] = example_d().arms();
    assert_digits(a.mean, 0.9409197016);
    assert_digits(b.mean, 1.156355529);
    assert_digits(a.variance, 6.504453471);
    assert_digits(b.variance, 7.588948048);
    let effect = example_d().effect(Scale::Absolute).unwrap();
    assert_digits(effect.degrees_of_freedom, 2097.301786);
}

/// The wheel prints 0.02383899964: it forgets that the control's mean in the denominator varies with its past.
#[test]
fn the_lift_has_the_whole_variance() {
    let lift = example_d().effect(Scale::Relative).unwrap();
    assert_digits(lift.value, 0.04308716542);
    assert_digits(lift.standard_error, 0.02366326041);
}

#[test]
fn ratios_over_one_a_unit_are_means() {
    let four = |n: i128, y: i128, x: i128, yy: i128, yx: i128, xx: i128| {
        let products = [[yy, y, yx, y], [0, n, x, n], [0, 0, xx, x], [0, 0, 0, n]];
        Sums::of(n as u64, [y, n, x, n], products).unwrap()
    };
    let a = four(1000, 5000, 4800, 45_000, 40_000, 42_000);
    let b = four(1100, 5830, 5390, 54_000, 46_000, 47_000);
    let ratios = Adjustment::of_ratios(&a, &b).unwrap();
    // Only the slope differs, which is not pooled over the difference of the arms.
    let means = Adjustment { theta: ratios.theta(), ..example_d() };
    assert!((ratios.theta() - 0.8456).abs() < 2e-3, "{}", ratios.theta());
    for scale in [Scale::Absolute, Scale::Relative] {
        let (one, other) = (ratios.effect(scale).unwrap(), means.effect(scale).unwrap());
        assert!((one.value - other.value).abs() < 1e-14);
        assert!((one.standard_error / other.standard_error - 1.0).abs() < 1e-12);
    }
}

#[test]
fn a_past_without_spread_adjusts_nothing() {
    let a = Sums::of(100, [50, 200], [[90, 100], [0, 400]]).unwrap();
    let b = Sums::of(100, [60, 200], [[99, 120], [0, 400]]).unwrap();
    let adjusted = Adjustment::of_means(&a, &b, [Measure::Mean, Measure::Mean]).unwrap();
    assert_eq!((adjusted.theta(), adjusted.variance_left()), (0.0, Some(1.0)));
    let plain = Effect::relative(&a.statistic(0), &b.statistic(0)).unwrap();
    assert_eq!(adjusted.effect(Scale::Relative).unwrap(), plain);
    let nobody = Sums::<2>::default();
    let adjusted = Adjustment::of_means(&nobody, &b, [Measure::Mean; 2]).unwrap();
    assert_eq!(adjusted.effect(Scale::Relative), Err(EffectError::TooFewUnits));
    assert_eq!(Adjustment::of_ratios(&Sums::default(), &Sums::default()), Err(StatisticError::NoDenominator));
}

proptest! {
    /// A perfect forecast leaves nothing (and so no verdict). There is no bound above: the slope of both arms as one sample is
    /// only right where the arms were alike before, which drawn ones need not be.
    #[test]
    fn variance_never_falls_below_zero_nor_turns_to_nan(
        units in proptest::collection::vec((-1000_i64..1000, -1000_i64..1000), 8..60), is_copy in any::<bool>(),
    ) {
        let mut arms = [Sums::<2>::default(); 2];
        for (index, &(y, x)) in units.iter().enumerate() {
            arms[index % 2].add([y, if is_copy { y } else { x }]).unwrap();
        }
        let adjusted = Adjustment::of_means(&arms[0], &arms[1], [Measure::Mean; 2]).unwrap();
        prop_assert!(adjusted.theta().is_finite());
        prop_assert!(adjusted.variance_left().is_none_or(|left| left >= 0.0));
        for scale in [Scale::Absolute, Scale::Relative] {
            if let Ok(effect) = adjusted.effect(scale) {
                prop_assert!(effect.value.is_finite() && effect.standard_error > 0.0);
            }
        }
    }
}
