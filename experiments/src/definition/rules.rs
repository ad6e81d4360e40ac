//! What an experiment is judged by: metrics, guardrails and the method, all fixed before the start.

use serde::{Deserialize, Serialize};

use super::check::check_key;
use super::{DefinitionError, LateMetric};
use crate::bayes::{Better, Prior};
use crate::family::{benjamini_hochberg, e_benjamini_hochberg, holm};
use crate::group_sequential::Spending;
use crate::guardrail::Ask;
use crate::inference::Mode;

/// Most metrics of an experiment: each is folded for every event that it listens to, and corrected for all the others.
pub const METRICS_MAX: usize = 20;
/// Most scheduled looks of a group-sequential experiment.
pub const LOOKS_MAX: u32 = 20;
/// The metric that decides where a definition names none.
pub const PRIMARY_METRIC_DEFAULT: &str = "conversion";

/// Says how results are read, and so when a difference may be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Method {
    /// At any time, as often as one likes: the asymptotic confidence sequence.
    #[default]
    Sequential,
    /// Once, at the planned units.
    FixedHorizon,
    /// At so many looks, evenly spaced up to the planned units.
    GroupSequential {
        /// How many.
        looks: u32,
    },
    /// At any time, by the mixture sequential ratio test.
    Mixture {
        /// The lift that is expected, in basis points: 500 for 5 %.
        expected_lift_bp: u32,
    },
    /// As a belief, which does not bound how often a team that looks again and again is wrong.
    Bayesian {
        /// The standard deviation of lifts that are thought likely beforehand, in basis points; none for a flat prior.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prior_deviation_bp: Option<u32>,
    },
}

/// Names a metric that must not get worse, or must stay as it is, and by how much it may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardrailRule {
    /// The metric's key.
    pub metric: String,
    /// How much worse it may be, relative to the control, in basis points; where it must stay as it is, how much it may differ.
    pub margin_bp: u32,
    /// What is to be shown of it.
    #[serde(default, skip_serializing_if = "Ask::is_usual")]
    pub asks: Ask,
}

/// Says how the p-values of all that does not decide are corrected for their number, over metrics and variations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Correction {
    /// The chance that any of them is wrongly shown is at most alpha ([`crate::family::holm`]).
    #[default]
    Holm,
    /// Of those that are shown, a share of alpha at most is expected to be wrong: more is found, and some of it is chance
    /// ([`crate::family::benjamini_hochberg`], of methods that hold at any time [`crate::family::e_benjamini_hochberg`]).
    BenjaminiHochberg,
}

impl Correction {
    /// Returns whether it is the usual one, which is not written.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the corrected p-values, in the order given.
    ///
    /// p-values of methods that hold at any time are inverses of e-values, of whatever dependence; those of planned looks must
    /// be independent or depend positively, as metrics of the same units mostly do.
    ///
    /// ```
    /// use experiments::definition::{Correction, Method};
    /// let p_values = [0.01, 0.04, 0.03, 0.005];
    /// let by = |correction: Correction| correction.of(Method::Sequential, &p_values);
    /// let known = |found: &[f64], known: [f64; 4]| found.iter().zip(known).all(|(one, other)| (one - other).abs() < 1e-12);
    /// assert!(known(&by(Correction::Holm), [0.03, 0.06, 0.06, 0.02]));
    /// assert!(known(&by(Correction::BenjaminiHochberg), [0.02, 0.04, 0.04, 0.02]));
    /// ```
    pub fn of(self, method: Method, p_values: &[f64]) -> Vec<f64> {
        match self {
            Self::Holm => holm(p_values),
            Self::BenjaminiHochberg if method.is_anytime() => {
                let e_values: Vec<f64> = p_values.iter().map(|p| p.recip()).collect();
                e_benjamini_hochberg(&e_values)
            }
            Self::BenjaminiHochberg => benjamini_hochberg(p_values),
        }
    }
}

impl Method {
    /// Returns the rule of inference for effects told as lifts, after looks at so many units.
    pub fn mode(self, planned_units: u64, earlier_looks: Vec<u64>, better: Better) -> Mode {
        match self {
            Method::Sequential => Mode::Sequential { planned_units },
            Method::FixedHorizon => Mode::FixedHorizon,
            Method::GroupSequential { .. } => {
                Mode::GroupSequential { spending: Spending::default(), planned_units, earlier_looks }
            }
            Method::Mixture { expected_lift_bp } => {
                Mode::Mixture { tau: f64::from(expected_lift_bp) / 10_000.0 }
            }
            Method::Bayesian { prior_deviation_bp } => Mode::Bayesian {
                prior: prior_deviation_bp.map(|bp| Prior { mean: 0.0, deviation: f64::from(bp) / 10_000.0 }),
                better,
            },
        }
    }

    /// Returns whether its intervals hold at every look at once.
    pub fn is_anytime(self) -> bool {
        matches!(self, Method::Sequential | Method::Mixture { .. })
    }

    /// Returns whether results are read at planned sizes only.
    pub fn is_scheduled(self) -> bool {
        matches!(self, Method::FixedHorizon | Method::GroupSequential { .. })
    }

    /// Returns at how many units results are read: `None` for whenever one likes.
    pub fn scheduled(self, planned_units: u64) -> Option<Vec<u64>> {
        match self {
            Method::FixedHorizon => Some(vec![planned_units]),
            Method::GroupSequential { looks } => {
                let looks = u64::from(looks.max(1));
                Some(
                    (1..=looks)
                        .map(|look| (planned_units as u128 * u128::from(look)).div_ceil(looks.into()) as u64)
                        .collect(),
                )
            }
            Method::Sequential | Method::Mixture { .. } | Method::Bayesian { .. } => None,
        }
    }
}

pub(super) fn check_method(method: Method) -> Result<(), DefinitionError> {
    let wrong = |problem: String| Err(DefinitionError::Method { problem });
    match method {
        Method::GroupSequential { looks } if !(2..=LOOKS_MAX).contains(&looks) => {
            wrong(format!("has {looks} looks: choose from 2 to {LOOKS_MAX}"))
        }
        Method::Mixture { expected_lift_bp: 0 } | Method::Bayesian { prior_deviation_bp: Some(0) } => {
            wrong("expects a lift of nothing: choose one above 0, such as 500 for 5 %".into())
        }
        _ => Ok(()),
    }
}

/// Checks the attribute that strata are made of.
pub(super) fn check_strata(strata: Option<&str>, is_bandit: bool) -> Result<(), DefinitionError> {
    match strata {
        None => Ok(()),
        Some(_) if is_bandit => Err(DefinitionError::Strata {
            problem: "do not go with a bandit, which compares within epochs: leave them out",
        }),
        Some("day") => Err(DefinitionError::Strata {
            problem: "are no days: name what is known of a visitor, such as `device`",
        }),
        Some(name) => check_key("strata", name),
    }
}

/// Checks the keys of all metrics; each stands once.
pub(super) fn check_metrics(
    primary: &str,
    metrics: &[String],
    late: &[LateMetric],
    guardrails: &[GuardrailRule],
) -> Result<(), DefinitionError> {
    let guards = guardrails.iter().map(|rule| ("guardrails", rule.metric.as_str()));
    let others = metrics.iter().map(|key| ("metrics", key.as_str()));
    let late = late.iter().map(|late| ("late_metrics", late.metric.as_str()));
    let all: Vec<(&str, &str)> =
        std::iter::once(("primary_metric", primary)).chain(guards).chain(others).chain(late).collect();
    if all.len() > METRICS_MAX {
        return Err(DefinitionError::TooManyMetrics { found: all.len() });
    }
    for (index, (field, key)) in all.iter().enumerate() {
        check_key(field, key)?;
        if all[..index].iter().any(|(_, earlier)| earlier == key) {
            return Err(DefinitionError::DuplicateMetric { key: (*key).to_owned() });
        }
    }
    match guardrails.iter().find(|rule| rule.margin_bp == 0) {
        Some(rule) => Err(DefinitionError::NoMargin { metric: rule.metric.clone() }),
        None => Ok(()),
    }
}
