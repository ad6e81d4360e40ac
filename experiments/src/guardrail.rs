//! Guardrails: what must not get worse (non-inferiority) and what must stay as it is (equivalence).

use serde::{Deserialize, Serialize};

use crate::bayes::Better;
use crate::effect::Effect;
use crate::inference::{Mode, p_against};
use crate::interval::Alternative;

/// Says what a guardrail is to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// That the metric is not worse by the margin: non-inferiority, of one side.
    #[default]
    NotWorse,
    /// That it differs by less than the margin in either direction: equivalence, of both sides.
    Equivalent,
}

impl Ask {
    /// Returns whether it is the usual one, which is not written.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// Holds how much worse a metric may get before a treatment must not ship, on the effect's scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Guardrail {
    margin: f64,
    better: Better,
    asks: Ask,
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
    /// Shown to differ by less than the margin in either direction, where that was asked.
    Equivalent,
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
    /// p-value of "it is worse by the margin or more", of one that is to show equivalence of "it differs by the margin or more
    /// in some direction"; 1 where that cannot be told.
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
    pub fn of(
        asks: Ask,
        [p_beyond_margin, p_not_worse]: [f64; 2],
        [alpha_beyond, alpha_worse]: [f64; 2],
    ) -> Self {
        let standing = match (asks, p_beyond_margin <= alpha_beyond, p_not_worse <= alpha_worse) {
            (Ask::Equivalent, true, _) => Standing::Equivalent,
            (Ask::NotWorse, true, false) => Standing::Safe,
            (Ask::NotWorse, true, true) => Standing::WorseWithinMargin,
            (_, false, true) => Standing::Harmed,
            (_, false, false) => Standing::Unclear,
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
    pub fn corrected(self, asks: Ask, p_not_worse: f64, alphas: [f64; 2]) -> Self {
        match self.unread {
            Some(_) => self,
            None => Self::of(asks, [self.p_beyond_margin, p_not_worse], alphas),
        }
    }
}

impl Guardrail {
    /// Makes a guardrail with a margin above 0 in the direction that is bad. `None` for other margins.
    pub fn new(margin: f64, better: Better) -> Option<Self> {
        (margin > 0.0 && margin.is_finite()).then_some(Self { margin, better, asks: Ask::NotWorse })
    }

    /// Returns the guardrail that is to show something else.
    #[must_use]
    pub fn asking(self, asks: Ask) -> Self {
        Self { asks, ..self }
    }

    /// Returns what it is to show.
    pub fn asks(&self) -> Ask {
        self.asks
    }

    /// Returns by how much its metric may differ, as a share of the control's: above 0.
    pub fn margin(&self) -> f64 {
        self.margin
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
        let [_, bad] = self.sides();
        Some(GuardrailReading::of(self.asks, [self.p_beyond(&p)?, p(bad, 0.0)?], [alpha; 2]))
    }

    /// Returns the p-value of what it is to refute, given that of each one-sided test against a lift: that it is worse by the margin
    /// or more, and, where equivalence is to be shown, that it is so in some direction: two one-sided tests, of which the
    /// larger p-value counts.
    ///
    /// Source: Schuirmann (1987), "A comparison of the two one-sided tests procedure", Journal of Pharmacokinetics and
    /// Biopharmaceutics 15.
    ///
    /// ```
    /// use experiments::guardrail::{Ask, Guardrail};
    /// use experiments::inference::{Mode, p_against};
    /// use experiments::{bayes::Better, effect::Effect, statistic::Statistic};
    /// let (a, b) = (Statistic::proportion(50_000, 5000), Statistic::proportion(50_000, 4990));
    /// let lift = Effect::relative(&a, &b)?;
    /// let p = |margin| {
    ///     let rail = Guardrail::new(margin, Better::Higher).expect("above 0").asking(Ask::Equivalent);
    ///     rail.p_beyond(|side, against| p_against(&Mode::FixedHorizon, 0.05, side, &lift, against)).expect("in range")
    /// };
    /// assert!(p(0.05) < 0.05 && p(0.01) > 0.05);
    /// # Ok::<(), experiments::effect::EffectError>(())
    /// ```
    ///
    /// `None` where one of the tests cannot be made.
    pub fn p_beyond(&self, p: impl Fn(Alternative, f64) -> Option<f64>) -> Option<f64> {
        let ([good, bad], worst) = (self.sides(), self.worst_lift());
        let worse = p(good, worst)?;
        match self.asks {
            Ask::NotWorse => Some(worse),
            Ask::Equivalent => Some(worse.max(p(bad, -worst)?)),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(value: f64) -> Effect {
        Effect { value, standard_error: 0.01, units: 40_000, degrees_of_freedom: 39_998.0 }
    }

    #[test]
    fn what_cannot_be_read_stays_so_whatever_is_corrected() {
        let unread = GuardrailReading::unread(Unread::NoSpread);
        assert_eq!(unread.corrected(Ask::NotWorse, 0.0, [0.05; 2]), unread);
        assert_eq!((unread.p_beyond_margin, unread.p_not_worse), (1.0, 1.0));
        let harmed = GuardrailReading::of(Ask::NotWorse, [1.0, 0.04], [0.05; 2]);
        assert_eq!(harmed.standing, Standing::Harmed);
        let corrected = harmed.corrected(Ask::NotWorse, 0.08, [0.05; 2]);
        assert_eq!(corrected, GuardrailReading::of(Ask::NotWorse, [1.0, 0.08], [0.05; 2]));
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
    }

    /// z = (0.02 + 0.03)/0.01 from below and (0.03 − 0.02)/0.01 from above: the tail beyond 1 counts.
    #[test]
    fn equivalence_is_as_weak_as_its_weaker_side() {
        for better in [Better::Higher, Better::Lower] {
            let rail = Guardrail::new(0.03, better).unwrap();
            let p = |rail: Guardrail| {
                rail.check(&Mode::FixedHorizon, 0.05, &effect(0.02)).unwrap().p_beyond_margin
            };
            let both = p(rail.asking(Ask::Equivalent));
            assert!((both - 0.1586552539).abs() < 1e-5, "{both}");
            assert_eq!(p(rail) < 0.001, better == Better::Higher, "one side is enough to be no worse");
        }
    }

    #[test]
    fn a_guardrail_that_gains_much_is_safe_and_not_equivalent() {
        for mode in [Mode::FixedHorizon, Mode::Sequential { planned_units: 40_000 }] {
            let rail = |asks| Guardrail::new(0.05, Better::Higher).unwrap().asking(asks);
            let standing = |asks, value| rail(asks).check(&mode, 0.05, &effect(value)).unwrap().standing;
            assert_eq!(standing(Ask::NotWorse, 0.2), Standing::Safe);
            assert_eq!(standing(Ask::Equivalent, 0.2), Standing::Unclear);
            assert_eq!(standing(Ask::Equivalent, 0.0), Standing::Equivalent);
            assert_eq!(standing(Ask::Equivalent, -0.2), Standing::Harmed);
        }
    }
}
