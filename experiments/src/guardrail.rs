//! Guardrails: what must not get worse (non-inferiority) and what must stay as it is (equivalence).

use serde::Serialize;

use crate::bayes::Better;
use crate::effect::Effect;
use crate::inference::{Mode, p_against};
use crate::interval::Alternative;

/// Holds how much worse a metric may get before a treatment must not ship, on the effect's scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guardrail {
    margin: f64,
    better: Better,
}

/// Says how a guardrail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Shown to be no worse than the margin allows.
    Safe,
    /// Shown to be worse than the control at all: time to hold the ramp.
    Harmed,
    /// Worse than the control, but shown to be within the margin.
    WorseWithinMargin,
    /// Neither is shown yet.
    Unclear,
    /// Nothing can be said of it at all, so that nothing may be shipped over it.
    Unreadable,
}

/// Says why a guardrail cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unread {
    /// The look at which its method reads it has not come.
    NotYet,
    /// An arm has too few units, or too few whose days are over.
    TooFewUnits,
    /// All units of both arms did the same: mostly, nobody did anything.
    NoSpread,
    /// A ratio has nothing to divide by, or a quantile has too few events.
    NotMeasurable,
    /// The way in which the experiment is read knows no such metric.
    NotComparable,
}

impl Unread {
    /// Returns whether it only waits, as each guardrail does at the start.
    pub fn is_early(self) -> bool {
        matches!(self, Unread::NotYet | Unread::TooFewUnits)
    }

    /// Returns why, as it stands after "cannot be read: ".
    pub fn words(self) -> &'static str {
        match self {
            Unread::NotYet => "its look has not come",
            Unread::TooFewUnits => "too few visitors can be counted yet",
            Unread::NoSpread => {
                "all visitors of both variations count the same towards it; see whether it is counted at all"
            }
            Unread::NotMeasurable => "a variation has too few events for it; see whether they come at all",
            Unread::NotComparable => {
                "the way in which this experiment is read cannot tell it; watch it elsewhere"
            }
        }
    }
}

/// Holds a guardrail's standing with both p-values, each of one side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GuardrailReading {
    /// How it stands.
    pub standing: Standing,
    /// p-value of "it is worse by the margin or more"; 1 where that cannot be told.
    pub p_beyond_margin: f64,
    /// p-value of "it is not worse", corrected by Holm over all guardrails and treatments of an experiment; 1 where that
    /// cannot be told.
    pub p_not_worse: f64,
    /// Why it cannot be read, where it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<Unread>,
}

impl GuardrailReading {
    /// Makes the reading of two p-values, with the chances of error up to which each shows something.
    pub fn of([p_beyond_margin, p_not_worse]: [f64; 2], [alpha_beyond, alpha_worse]: [f64; 2]) -> Self {
        let standing = match (p_beyond_margin <= alpha_beyond, p_not_worse <= alpha_worse) {
            (true, false) => Standing::Safe,
            (true, true) => Standing::WorseWithinMargin,
            (false, true) => Standing::Harmed,
            (false, false) => Standing::Unclear,
        };
        Self { standing, p_beyond_margin, p_not_worse, unread: None }
    }

    /// Makes the reading of a guardrail that cannot be read.
    pub fn unread(why: Unread) -> Self {
        Self { standing: Standing::Unreadable, p_beyond_margin: 1.0, p_not_worse: 1.0, unread: Some(why) }
    }

    /// Makes the reading of a guardrail of which nothing is shown, though nothing keeps it from being read.
    pub fn unclear() -> Self {
        Self { standing: Standing::Unclear, p_beyond_margin: 1.0, p_not_worse: 1.0, unread: None }
    }

    /// Returns the reading with a corrected p-value of "it is not worse".
    #[must_use]
    pub fn corrected(self, p_not_worse: f64, alphas: [f64; 2]) -> Self {
        match self.unread {
            Some(_) => self,
            None => Self::of([self.p_beyond_margin, p_not_worse], alphas),
        }
    }
}

impl Guardrail {
    /// Makes a guardrail with a margin above 0 in the direction that is bad. `None` for other margins.
    pub fn new(margin: f64, better: Better) -> Option<Self> {
        (margin > 0.0 && margin.is_finite()).then_some(Self { margin, better })
    }

    /// Tests both sides at α each, by any mode; with a mode for peeking the standing may be read any time.
    ///
    /// Non-inferiority is the one-sided test of Δ > −margin (for metrics where lower is better Δ < margin). Source:
    /// Blackwelder (1982), "Proving the null hypothesis in clinical trials", Controlled Clinical Trials 3.
    ///
    /// ```
    /// use experiments::guardrail::{Guardrail, Standing};
    /// use experiments::{bayes::Better, effect::Effect, inference::Mode, statistic::Statistic};
    /// let (a, b) = (Statistic::proportion(50_000, 5000), Statistic::proportion(50_000, 4990));
    /// let lift = Effect::relative(&a, &b)?;
    /// let rail = Guardrail::new(0.05, Better::Higher).expect("above 0");
    /// assert_eq!(rail.check(&Mode::FixedHorizon, 0.05, &lift).expect("in range").standing, Standing::Safe);
    /// # Ok::<(), experiments::effect::EffectError>(())
    /// ```
    ///
    /// `None` as [`crate::inference::read`].
    pub fn check(&self, mode: &Mode, alpha: f64, effect: &Effect) -> Option<GuardrailReading> {
        self.read(alpha, |alternative, against| p_against(mode, alpha, alternative, effect, against))
    }

    /// As [`Guardrail::check`], given the p-value of each one-sided test against an effect.
    pub fn read(&self, alpha: f64, p: impl Fn(Alternative, f64) -> Option<f64>) -> Option<GuardrailReading> {
        let ([good, bad], worst) = (self.sides(), self.worst_lift());
        Some(GuardrailReading::of([p(good, worst)?, p(bad, 0.0)?], [alpha; 2]))
    }

    /// Returns the lift at which it is worse by the whole margin.
    pub fn worst_lift(&self) -> f64 {
        match self.better {
            Better::Higher => -self.margin,
            Better::Lower => self.margin,
        }
    }

    /// Returns the sides of both tests: that on which a metric is good, and that on which it is bad.
    pub fn sides(&self) -> [Alternative; 2] {
        match self.better {
            Better::Higher => [Alternative::Greater, Alternative::Less],
            Better::Lower => [Alternative::Less, Alternative::Greater],
        }
    }

    /// Returns the direction in which its metric is good.
    pub fn better(&self) -> Better {
        self.better
    }
}

/// Returns the p-value of "the effect is the margin or more, in either direction": two one-sided tests, of which the
/// larger p-value counts. At most α, the arms are equivalent within the margin.
///
/// Source: Schuirmann (1987), "A comparison of the two one-sided tests procedure", Journal of Pharmacokinetics and
/// Biopharmaceutics 15.
///
/// ```
/// use experiments::guardrail::p_of_no_equivalence;
/// use experiments::{effect::Effect, inference::Mode, statistic::Statistic};
/// let (a, b) = (Statistic::proportion(50_000, 5000), Statistic::proportion(50_000, 4990));
/// let lift = Effect::relative(&a, &b)?;
/// let p = |margin| p_of_no_equivalence(&Mode::FixedHorizon, 0.05, &lift, margin).expect("in range");
/// assert!(p(0.05) < 0.05 && p(0.01) > 0.05);
/// # Ok::<(), experiments::effect::EffectError>(())
/// ```
///
/// `None` as [`crate::inference::read`], and for a margin that is not above 0.
pub fn p_of_no_equivalence(mode: &Mode, alpha: f64, effect: &Effect, margin: f64) -> Option<f64> {
    if !(margin > 0.0 && margin.is_finite()) {
        return None;
    }
    let from_below = p_against(mode, alpha, Alternative::Greater, effect, -margin)?;
    let from_above = p_against(mode, alpha, Alternative::Less, effect, margin)?;
    Some(from_below.max(from_above))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(value: f64) -> Effect {
        Effect { value, standard_error: 0.01, units: 40_000, degrees_of_freedom: 39_998.0 }
    }

    #[test]
    fn what_cannot_be_read_stays_so_whatever_is_corrected() {
        let unread = GuardrailReading::unread(Unread::NoSpread);
        assert_eq!(unread.corrected(0.0, [0.05; 2]), unread);
        assert_eq!((unread.p_beyond_margin, unread.p_not_worse), (1.0, 1.0));
        let harmed = GuardrailReading::of([1.0, 0.04], [0.05; 2]);
        assert_eq!(harmed.standing, Standing::Harmed);
        assert_eq!(harmed.corrected(0.08, [0.05; 2]), GuardrailReading::of([1.0, 0.08], [0.05; 2]));
        assert!(Unread::TooFewUnits.is_early() && !Unread::NoSpread.is_early());
    }

    #[test]
    fn a_guardrail_stands_in_one_of_four_ways() {
        let modes = [Mode::FixedHorizon, Mode::Sequential { planned_units: 40_000 }];
        let rail = |margin, better| Guardrail::new(margin, better).unwrap();
        let cases = [(0.0, Standing::Safe), (-0.2, Standing::Harmed), (-0.05, Standing::WorseWithinMargin)];
        for mode in &modes {
            for (value, standing) in cases {
                let found = rail(0.1, Better::Higher).check(mode, 0.05, &effect(value)).unwrap();
                assert_eq!(found.standing, standing, "{value}");
                let mirrored = rail(0.1, Better::Lower).check(mode, 0.05, &effect(-value)).unwrap();
                assert_eq!(mirrored, found);
            }
            let found = rail(0.01, Better::Higher).check(mode, 0.05, &effect(-0.005)).unwrap();
            assert_eq!(found.standing, Standing::Unclear);
        }
        assert!(
            Guardrail::new(0.0, Better::Higher).is_none()
                && Guardrail::new(f64::NAN, Better::Lower).is_none()
        );
        assert_eq!(p_of_no_equivalence(&Mode::FixedHorizon, 0.05, &effect(0.0), -1.0), None);
    }

    /// z = (0.02 + 0.03)/0.01 from below and (0.03 − 0.02)/0.01 from above: the tail beyond 1 counts.
    #[test]
    fn equivalence_is_as_weak_as_its_weaker_side() {
        let p = p_of_no_equivalence(&Mode::FixedHorizon, 0.05, &effect(0.02), 0.03).unwrap();
        assert!((p - 0.1586552539).abs() < 1e-5, "{p}");
    }
}
