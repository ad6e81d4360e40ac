//! Two experiments on the same units: whether what one does depends on what the other shows.

use serde::Serialize;

use crate::arm::{self, ArmSums};
use crate::effect::{Effect, Scale};
use crate::family::holm;
use crate::inference::{Mode, p_against};
use crate::interval::Alternative;
use crate::verdict::{ACTIVE_PER_ARM_MIN, ALPHA, Plan, UNITS_PER_ARM_MIN};

/// Holds the units that an experiment has in common with another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// The other one's key.
    pub other: String,
    /// Sums of the metric that decides the first one, for each variation of the other one, and in it for each of its own.
    pub arms: Vec<Vec<ArmSums>>,
}

/// Compares what a treatment does among units that met the other experiment's control and among those that met one of its
/// treatments.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Interaction {
    /// The experiment's key.
    pub experiment: String,
    /// The treatment, by its place.
    pub variation: usize,
    /// The other experiment's key.
    pub other: String,
    /// The other one's treatment, by its place.
    pub other_variation: usize,
    /// Units of the four groups.
    pub units: u64,
    /// The lift beside the other one's control and beside its treatment.
    pub lifts: [f64; 2],
    /// p-value of "both lifts are the same", valid however often it is read, corrected by Holm over all that were compared.
    pub adjusted_p: f64,
    /// Whether they differ: the p-value is at most [`ALPHA`].
    pub is_significant: bool,
}

/// Compares all pairs of running experiments, each given with its key, its plan and the units it has in common with others.
///
/// The difference of the two lifts is an effect as any other, read by the asymptotic confidence sequence. Both are relative,
/// so that an experiment which doubles orders does not seem to interact with all others. Who meets the second experiment may
/// depend on the first; that bends both lifts alike, since the second splits at random whom it meets. Pairs with a group of
/// fewer than [`UNITS_PER_ARM_MIN`] units, or of too few that count towards the metric, are left out. Source: Kohavi, Tang
/// and Xu (2020), "Trustworthy Online Controlled Experiments", chapter 4; Gupta et al. (2019), "Top Challenges from the first
/// Practical Online Controlled Experiments Summit", section 8.
pub fn interactions<'a>(
    pairs: impl IntoIterator<Item = (&'a str, &'a Plan, &'a [Shared])>,
) -> Vec<Interaction> {
    let (mut found, mut p_values) = (vec![], vec![]);
    for (experiment, plan, shared) in pairs {
        for Shared { other, arms } in shared {
            for other_variation in 1..arms.len() {
                for variation in 1..plan.arms().len() {
                    let cells = [&arms[0], &arms[other_variation]];
                    let Some((effects, difference)) = difference(plan, cells, variation) else { continue };
                    let mode = Mode::Sequential { planned_units: plan.planned_units() };
                    p_values.extend(
                        p_against(&mode, ALPHA, Alternative::TwoSided, &difference, 0.0).or(Some(1.0)),
                    );
                    found.push(Interaction {
                        experiment: experiment.to_owned(),
                        variation,
                        other: other.clone(),
                        other_variation,
                        units: difference.units,
                        lifts: effects.map(|effect| effect.value),
                        adjusted_p: 1.0,
                        is_significant: false,
                    });
                }
            }
        }
    }
    for (interaction, p) in found.iter_mut().zip(holm(&p_values)) {
        interaction.adjusted_p = p;
        interaction.is_significant = p <= ALPHA;
    }
    found
}

/// The lifts beside the other one's control and treatment, and their difference.
fn difference(plan: &Plan, cells: [&Vec<ArmSums>; 2], variation: usize) -> Option<([Effect; 2], Effect)> {
    let arms: Vec<&ArmSums> =
        cells.iter().flat_map(|arms| [arms.first(), arms.get(variation)]).collect::<Option<_>>()?;
    let units: u64 = arms.iter().map(|arm| arm.units()).sum();
    let active: u64 = arms.iter().map(|arm| arm.metric(0).active()).sum();
    let smallest = arms.iter().map(|arm| arm.units()).min()?;
    // As of whole arms: what a group is expected to have does not depend on what it happens to have.
    if smallest < UNITS_PER_ARM_MIN
        || active.saturating_mul(smallest) < ACTIVE_PER_ARM_MIN.saturating_mul(units)
    {
        return None;
    }
    let lift = |control: &ArmSums, treatment: &ArmSums| {
        arm::compare(plan.primary_metric(), control.metric(0), treatment.metric(0), Scale::Relative)
            .ok()
            .map(|compared| compared.effect)
    };
    let effects = [lift(arms[0], arms[1])?, lift(arms[2], arms[3])?];
    let [one, other] = effects;
    let variance = one.variance() + other.variance();
    let freedom = |effect: &Effect| effect.variance().powi(2) / effect.degrees_of_freedom;
    let difference = Effect {
        value: other.value - one.value,
        standard_error: variance.sqrt(),
        units,
        degrees_of_freedom: variance.powi(2) / (freedom(&one) + freedom(&other)),
    };
    Some((effects, difference))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Metric;
    use crate::verdict::PlannedArm;

    fn plan() -> Plan {
        let metric =
            r#"{"key": "orders", "measure": {"kind": "proportion", "event": {"type": "order_placed"}}}"#;
        let arm = |key: &str| PlannedArm { key: key.into(), name: key.into(), weight: 1.0 };
        Plan::new(vec![arm("a"), arm("b")], vec![Metric::parse(metric).unwrap()], ALPHA, 20_000).unwrap()
    }

    fn shared(other: &str, cells: [[(u64, u64); 2]; 2]) -> Shared {
        let sums = |(units, orders): (u64, u64)| {
            ArmSums::parse(&format!("{units};{units} {orders} {orders} 0 0 {orders} 0 0 0 0 0")).unwrap()
        };
        Shared { other: other.into(), arms: cells.map(|arms| arms.map(sums).into()).into() }
    }

    fn found(shared: &[Shared]) -> Vec<Interaction> {
        interactions([("e", &plan(), shared)])
    }

    #[test]
    fn what_turns_round_beside_another_experiment_is_found() {
        let turns = shared("f", [[(5_000, 500), (5_000, 700)], [(5_000, 500), (5_000, 350)]]);
        let interaction = &found(std::slice::from_ref(&turns))[0];
        assert!(interaction.is_significant && interaction.adjusted_p < 1e-9, "{interaction:?}");
        assert!((interaction.lifts[0] - 0.4).abs() < 1e-12 && (interaction.lifts[1] + 0.3).abs() < 1e-12);
        assert_eq!((interaction.units, interaction.other.as_str()), (20_000, "f"));
    }

    #[test]
    fn what_another_experiment_does_by_itself_is_no_interaction() {
        // The other one doubles orders; this one adds a fifth either way.
        let both = shared("f", [[(5_000, 250), (5_000, 300)], [(5_000, 500), (5_000, 600)]]);
        let interaction = &found(&[both])[0];
        assert!(!interaction.is_significant && interaction.adjusted_p > 0.9, "{interaction:?}");
    }

    #[test]
    fn many_pairs_are_corrected_together_and_small_groups_are_left_out() {
        let pair =
            |n: usize| shared(&format!("f{n}"), [[(5_000, 500), (5_000, 530)], [(5_000, 500), (5_000, 410)]]);
        let alone = found(&[pair(0)])[0].adjusted_p;
        let many = found(&(0..10).map(pair).collect::<Vec<_>>());
        assert_eq!(many.len(), 10);
        assert!((many[0].adjusted_p - (alone * 10.0).min(1.0)).abs() < 1e-12);
        let few = shared("f", [[(5_000, 500), (199, 30)], [(5_000, 500), (5_000, 500)]]);
        let rare = shared("f", [[(5_000, 2), (5_000, 2)], [(5_000, 3), (5_000, 2)]]);
        assert_eq!(found(&[few, rare]), []);
        assert_eq!(found(&[Shared { other: "f".into(), arms: vec![] }]), []);
    }
}
