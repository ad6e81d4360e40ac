//! What the rest of a running experiment is worth: the days until its planned units, and the lift that they find.

use serde::Serialize;

use crate::effect::Scale;
use crate::power::{Baseline, Progress, Study, days_for};
use crate::verdict::compare::effect_of;
use crate::verdict::{Look, Plan};

mod epochs;

pub use epochs::{Unforeseen, outlook_epochs};

/// The power that plans are told with.
const POWER: f64 = 0.8;

/// Holds how far an experiment is on its way, whatever it has found: an outlook that leaned on the lift so far would be
/// cheerful after each lucky day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Outlook {
    /// Units of two variations together, on the average.
    pub units: u64,
    /// How many were planned.
    pub planned_units: u64,
    /// Units a day over all variations.
    pub units_a_day: u64,
    /// Days until the planned units have come, of a bandit until its interval is as narrow as they were to make it; 0 once that is
    /// so, `None` while nobody comes.
    pub days_left: Option<u64>,
    /// The smallest lift that is found with a chance of 80 % once they have come, or now, where they have; `None` while too
    /// little is known of the noise.
    pub detectable: Option<f64>,
    /// Of a bandit, the treatment that is spoken of: the one that gets most units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treatment: Option<usize>,
}

/// Looks ahead from how things stand, at so many units a day over all variations.
///
/// ```
/// use experiments::arm::ArmSums;
/// use experiments::metric::Metric;
/// use experiments::verdict::{PlannedArm, outlook};
/// use experiments::{Look, Plan};
/// let arm = |key: &str| PlannedArm { key: key.into(), name: key.into(), weight: 1.0 };
/// let metric = r#"{"key": "c", "measure": {"kind": "proportion", "event": {"type": "order_placed"}}}"#;
/// let plan = Plan::new(vec![arm("a"), arm("b")], vec![Metric::parse(metric)?], 0.05, 20_000)?;
/// let sums = || ArmSums::parse("4000;4000 400 400 0 0 400 0 0 0 0 0").expect("sums");
/// let found = outlook(&plan, &Look { at_ms: 0, arms: vec![sums(), sums()] }, 1_000);
/// assert_eq!((found.units, found.days_left), (8_000, Some(12)));
/// // At 20,000 units the error is 0.06708·√(8/20) = 0.04243; the interval is ±3.035 errors wide there, and 80 % are another 0.842.
/// assert!((found.detectable.expect("known") - 0.04243 * (3.035 + 0.842)).abs() < 1e-3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn outlook(plan: &Plan, look: &Look, units_a_day: u64) -> Outlook {
    let of_two = |units: u64| units.saturating_mul(2) / look.arms.len().max(1) as u64;
    let units = of_two(look.arms.iter().map(|arm| arm.units()).sum());
    let planned_units = plan.planned_units();
    let left = planned_units.saturating_sub(units);
    let better = plan.primary_metric().better();
    let mode = plan.method().mode(planned_units, vec![], better);
    let detectable = |variation: usize| {
        let effect = effect_of(plan, look, variation, 0, Scale::Relative).ok()?.effect;
        let study = Study {
            alpha: plan.alpha_per_comparison(),
            ..Study::new(Baseline::mean(1.0, 1.0)?, Scale::Relative)
        };
        Progress::of(&effect).detectable(&study, &mode, POWER, units.max(planned_units))
    };
    // The treatment that is known least: what it needs suffices for all.
    let all: Option<Vec<f64>> = (1..look.arms.len()).map(detectable).collect();
    Outlook {
        units,
        planned_units,
        units_a_day,
        days_left: if left == 0 { Some(0) } else { days_for(left, of_two(units_a_day)) },
        detectable: all.and_then(|all| all.into_iter().reduce(f64::max)),
        treatment: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::ArmSums;
    use crate::metric::Metric;
    use crate::verdict::PlannedArm;

    fn at(units: u64, orders: u64, arms: usize, units_a_day: u64) -> Outlook {
        let arm = |n: usize| PlannedArm { key: n.to_string(), name: n.to_string(), weight: 1.0 };
        let metric = r#"{"key": "c", "measure": {"kind": "proportion", "event": {"type": "order_placed"}}}"#;
        let metrics = vec![Metric::parse(metric).unwrap()];
        let plan = Plan::new((0..arms).map(arm).collect(), metrics, 0.05, 10_000).unwrap();
        let sums = format!("{units};{units} {orders} {orders} 0 0 {orders} 0 0 0 0 0");
        let arms = vec![ArmSums::parse(&sums).unwrap(); arms];
        outlook(&plan, &Look { at_ms: 0, arms }, units_a_day)
    }

    #[test]
    fn days_are_counted_to_the_planned_units_of_two_variations() {
        assert_eq!(at(1_000, 100, 2, 1_000).days_left, Some(8));
        assert_eq!(at(1_000, 100, 4, 1_000).days_left, Some(16), "four variations share the visitors");
        assert_eq!(at(5_000, 500, 2, 0).days_left, Some(0));
        assert_eq!(at(1_000, 100, 2, 0).days_left, None);
    }

    #[test]
    fn what_is_found_depends_on_the_noise_and_not_on_the_lift() {
        let (early, late) = (at(1_000, 100, 2, 100), at(4_000, 400, 2, 100));
        let (early, late) = (early.detectable.unwrap(), late.detectable.unwrap());
        assert!((early / late - 1.0).abs() < 1e-6, "{early} {late}");
        assert_eq!(at(0, 0, 2, 100).detectable, None);
        assert!(at(20_000, 2_000, 2, 100).detectable.unwrap() < late, "more than planned finds less still");
    }
}
