//! Published numbers, and that no arms make an interval without its estimate.

use super::*;
use crate::effect::EffectError;
use crate::sequence::Sequence;
use crate::statistic::Statistic;
use proptest::prelude::*;

/// Example A of gbstats 0.8.0: 100 of 1000 against 120 of 1000.
fn example_a() -> (Statistic, Statistic) {
    (Statistic::proportion(1000, 100), Statistic::proportion(1000, 120))
}

/// Example B: Σy 5000, Σy² 45,000 of 1000 against 5830, 54,000 of 1100.
fn example_b() -> (Statistic, Statistic) {
    (Statistic::mean(1000, 5000, 45_000), Statistic::mean(1100, 5830, 54_000))
}

/// Holds what the published package printed, 10 significant digits.
struct Printed {
    value: f64,
    standard_error: f64,
    degrees_of_freedom: f64,
    t_interval: (f64, f64),
    t_p: f64,
    interval: (f64, f64),
    p: f64,
}

fn assert_digits(found: f64, printed: f64) {
    let tolerance = printed.abs().max(1e-3) * 6e-10;
    assert!((found - printed).abs() <= tolerance, "{found} is not {printed}");
}

fn check(effect: Effect, printed: Printed) {
    assert_digits(effect.value, printed.value);
    assert_digits(effect.standard_error, printed.standard_error);
    assert_digits(effect.degrees_of_freedom, printed.degrees_of_freedom);
    let test = effect.at_fixed_horizon(0.05).unwrap();
    assert_digits(test.lower, printed.t_interval.0);
    assert_digits(test.upper, printed.t_interval.1);
    assert_digits(test.p, printed.t_p);
    let estimate = Sequence::new(0.05, 5000).unwrap().estimate(&effect).unwrap();
    assert_digits(estimate.lower, printed.interval.0);
    assert_digits(estimate.upper, printed.interval.1);
    assert_digits(estimate.p, printed.p);
}

#[test]
fn absolute_difference_of_proportions_matches_gbstats() {
    let (a, b) = example_a();
    let printed = Printed {
        value: 0.02,
        standard_error: 0.01398570699,
        degrees_of_freedom: 1985.371456,
        t_interval: (-0.007428203192, 0.04742820319),
        t_p: 0.1528653561,
        interval: (-0.02368825908, 0.06368825908),
        p: 0.938885604,
    };
    check(Effect::absolute(&a, &b).unwrap(), printed);
}

#[test]
fn relative_lift_of_proportions_matches_gbstats() {
    let (a, b) = example_a();
    let printed = Printed {
        value: 0.2,
        standard_error: 0.1533623161,
        degrees_of_freedom: 1985.371456,
        t_interval: (-0.1007679748, 0.5007679748),
        t_p: 0.192350207,
        interval: (-0.2790699965, 0.6790699965),
        p: 1.0,
    };
    check(Effect::relative(&a, &b).unwrap(), printed);
}

#[test]
fn absolute_difference_of_means_matches_gbstats() {
    let (a, b) = example_b();
    let printed = Printed {
        value: 0.3,
        standard_error: 0.1978108376,
        degrees_of_freedom: 2087.469706,
        t_interval: (-0.08792704457, 0.6879270446),
        t_p: 0.1295190105,
        interval: (-0.3159258127, 0.9159258127),
        p: 0.8594312552,
    };
    check(Effect::absolute(&a, &b).unwrap(), printed);
}

#[test]
fn relative_lift_of_means_matches_gbstats() {
    let (a, b) = example_b();
    let printed = Printed {
        value: 0.06,
        standard_error: 0.04079392207,
        degrees_of_freedom: 2087.469706,
        t_interval: (-0.02000100408, 0.1400010041),
        t_p: 0.1414939428,
        interval: (-0.06702049043, 0.1870204904),
        p: 0.9058617387,
    };
    check(Effect::relative(&a, &b).unwrap(), printed);
}

/// GrowthBook's documented price of looking whenever one likes: u(N)/1.96 at shares of N*.
#[test]
fn the_price_of_peeking_is_as_published() {
    let sequence = Sequence::new(0.05, 5000).unwrap();
    let published =
        [(500, 1.967), (1000, 1.716), (2000, 1.594), (5000, 1.549), (10_000, 1.562), (50_000, 1.654)];
    for (units, ratio) in published {
        let found = sequence.half_width_in_errors(units) / 1.959963985;
        assert!((found - ratio).abs() < 5e-4, "{units}: {found}");
    }
}

/// The mixture sequential ratio test of Johari et al. (2017) with τ² = ρ²·N·V is the same p-value by another
/// road.
#[test]
fn p_equals_the_mixture_likelihood_ratio() {
    let (a, b) = example_a();
    let effect = Effect::absolute(&a, &b).unwrap();
    let sequence = Sequence::new(0.05, 5000).unwrap();
    let v = effect.standard_error.powi(2);
    let tau2 = sequence.rho_squared() * 2000.0 * v;
    let ratio = (v / (v + tau2)).sqrt() * (tau2 * effect.value.powi(2) / (2.0 * v * (v + tau2))).exp();
    assert!((1.0 / ratio - sequence.p(&effect)).abs() < 1e-12);
}

#[test]
fn arms_that_cannot_be_compared_are_refused() {
    let fine = Statistic::proportion(1000, 100);
    let cases = [
        (Statistic::proportion(0, 0), EffectError::TooFewUnits),
        (Statistic::proportion(1, 1), EffectError::TooFewUnits),
        (Statistic::proportion(1000, 0), EffectError::NoSpread),
        (Statistic::proportion(1000, 1000), EffectError::NoSpread),
    ];
    for (other, error) in cases {
        assert_eq!(Effect::absolute(&fine, &other), Err(error));
        assert_eq!(Effect::relative(&other, &fine), Err(error));
    }
    let refunded = Statistic::mean(3, -10, 200);
    assert_eq!(Effect::relative(&refunded, &fine), Err(EffectError::ControlNotPositive));
    assert!(Sequence::new(0.0, 10).is_none() && Sequence::new(1.0, 10).is_none());
    assert!(Sequence::new(f64::NAN, 10).is_none() && Sequence::new(0.05, 0).is_none());
}

proptest! {
    #[test]
    fn intervals_are_finite_and_hold_their_estimate(
        n_a in 2_u64..10_000_000, share_a in 0.0..1.0_f64, n_b in 2_u64..10_000_000, share_b in 0.0..1.0_f64,
        planned in 100_u64..10_000_000_000, alpha in 0.0001..0.5_f64,
    ) {
        let arm = |n: u64, share: f64| Statistic::proportion(n, ((n as f64 * share) as u64).clamp(1, n - 1));
        let (a, b) = (arm(n_a, share_a), arm(n_b, share_b));
        for effect in [Effect::absolute(&a, &b).unwrap(), Effect::relative(&a, &b).unwrap()] {
            let sequence = Sequence::new(alpha, planned).unwrap();
            let always = sequence.estimate(&effect).unwrap();
            let once = effect.at_fixed_horizon(alpha).unwrap();
            for estimate in [always, once] {
                prop_assert!(estimate.lower.is_finite() && estimate.upper.is_finite());
                prop_assert!(estimate.lower < estimate.value && estimate.value < estimate.upper);
                prop_assert!((0.0..=1.0).contains(&estimate.p));
            }
            let clear = (always.p / alpha - 1.0).abs() > 1e-9;
            prop_assert!(!clear || always.excludes_zero() == (always.p <= alpha));
            // Looking whenever one likes has its price. With very few degrees of freedom t is the wider.
            prop_assert!(effect.degrees_of_freedom < 100.0 || always.upper > once.upper);
        }
    }
}
