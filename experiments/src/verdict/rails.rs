//! Guardrails: read wherever that can be done, and never silent where it cannot.

use crate::arm::{Compared, MetricSums};
use crate::bayes::{Better, Prior};
use crate::effect::{Effect, EffectError};
use crate::family::holm;
use crate::guardrail::{Guardrail, GuardrailReading, Unread};
use crate::inference::{Mode, p_against};
use crate::statistic::Statistic;
use crate::verdict::{Comparison, Plan, Role, UNITS_PER_ARM_MIN};

/// Reads a guardrail of two arms from the lift and the difference where they can be made.
///
/// That it is worse is tested by the absolute difference, which a control near zero does not blur as it does a lift; that it
/// is not worse by the margin, which is a part of the control's value, by the lift. Where an arm has no spread (no
/// error in the control, no order in the treatment) both are tested with the variance of all units together
/// ([`Effect::pooled`]), the margin by m_b − (1 + margin)·m_a, which is the same question without a division. Of a control
/// that is not above zero no part can be told: any worsening that is shown is harm, and nothing shows that there is none.
pub(super) fn read(
    guardrail: Guardrail,
    mode: &Mode,
    alpha: f64,
    arms: [(&MetricSums, Result<Statistic, crate::statistic::StatisticError>); 2],
    [relative, absolute]: [Option<Compared>; 2],
) -> GuardrailReading {
    let has_few = arms.iter().any(|(sums, _)| sums.units() < UNITS_PER_ARM_MIN);
    let unread = |why| GuardrailReading::unread(if has_few { Unread::TooFewUnits } else { why });
    let [(_, Ok(control)), (_, Ok(treatment))] = arms else { return unread(Unread::NotMeasurable) };
    let difference = match absolute {
        Some(compared) => Ok(compared.effect),
        None if has_few => Err(EffectError::TooFewUnits),
        None => Effect::pooled(&control, &treatment, 1.0),
    };
    let difference = match difference {
        Ok(difference) => difference,
        Err(EffectError::TooFewUnits) => return GuardrailReading::unread(Unread::TooFewUnits),
        Err(_) if has_few => return GuardrailReading::unread(Unread::TooFewUnits),
        Err(_) => return of_no_spread(guardrail.better(), control.mean == 0.0 && treatment.mean == 0.0),
    };
    let in_its_unit = scaled(mode, level_of(&control, &treatment));
    let [_, bad] = guardrail.sides();
    let p_not_worse = p_against(&in_its_unit, alpha, bad, &difference, 0.0);
    let p_beyond = match relative {
        Some(compared) => {
            guardrail.p_beyond(|side, lift| p_against(mode, alpha, side, &compared.effect, lift))
        }
        None if control.mean > 0.0 => guardrail.p_beyond(|side, lift| {
            let effect = Effect::pooled(&control, &treatment, 1.0 + lift).ok()?;
            p_against(&in_its_unit, alpha, side, &effect, 0.0)
        }),
        None => Some(1.0),
    };
    match (p_beyond, p_not_worse) {
        (Some(p_beyond), Some(p_not_worse)) => {
            GuardrailReading::of(guardrail.asks(), [p_beyond, p_not_worse], [alpha; 2])
        }
        _ => unread(Unread::NotComparable),
    }
}

/// The reading where all units of both arms did the same. Where less is better and nobody did anything, nothing bad has
/// happened, which proves nothing and is no fault; otherwise something is not counted, or broken in both.
pub(super) fn of_no_spread(better: Better, is_nothing: bool) -> GuardrailReading {
    match better {
        Better::Lower if is_nothing => GuardrailReading::unclear(),
        Better::Lower | Better::Higher => GuardrailReading::unread(Unread::NoSpread),
    }
}

/// The size of the mean of both arms, of which an expected lift is a part. The control's own would not do: near zero it expects
/// next to nothing, and would take any rise for chance.
fn level_of(control: &Statistic, treatment: &Statistic) -> f64 {
    let (n_a, n_b) = (control.units as f64, treatment.units as f64);
    ((control.mean * n_a + treatment.mean * n_b) / (n_a + n_b)).abs()
}

/// Priors and mixtures are set on lifts; for differences the same size is told in the metric's own unit. Without any size
/// there is nothing to expect.
pub(super) fn scaled(mode: &Mode, scale: f64) -> Mode {
    let is_scale = scale > 0.0 && scale.is_finite();
    match mode {
        Mode::Mixture { tau } if is_scale => Mode::Mixture { tau: tau * scale },
        Mode::Bayesian { prior: Some(prior), better } => {
            let prior = Prior { mean: prior.mean * scale, deviation: prior.deviation * scale };
            Mode::Bayesian { prior: Some(prior).filter(|_| is_scale), better: *better }
        }
        other => other.clone(),
    }
}

/// Corrects that guardrails are worse, by Holm over all of them and all treatments, so that a page of many guardrails raises no
/// more false alarms than one of a single one; that they are safe needs no correction over them, since all of them must be.
pub(super) fn corrected(plan: &Plan, comparisons: &mut [Comparison]) {
    let p_values: Vec<f64> =
        comparisons.iter().filter_map(|comparison| Some(comparison.guardrail?.p_not_worse)).collect();
    let readings = comparisons.iter_mut().filter_map(|comparison| {
        let Role::Guardrail(guardrail) = plan.metrics()[comparison.metric].role else { return None };
        Some((guardrail.asks(), comparison.guardrail.as_mut()?))
    });
    for ((asks, reading), p) in readings.zip(holm(&p_values)) {
        *reading = reading.corrected(asks, p, [plan.alpha_per_comparison(), plan.alpha()]);
    }
}

#[cfg(test)]
mod tests;
