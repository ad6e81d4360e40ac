//! Experiments: who sees which variation, and what may be concluded from what they did.
//!
//! The crate is pure. It reads no clock, draws no random numbers and touches nothing outside its arguments,
//! so an assignment is a function of a definition and a unit, and a verdict is a function of totals. It knows
//! nothing of carts: a metric is a number a unit produced.
//!
//! Read it in this order: a [`definition`] says what is tried on whom, its [`lifecycle`] when; [`hash`] and
//! [`mod@assign`] place a unit, a [`ramp`] widens the coverage by schedule, and a [`rollout`] gives all of them the winner;
//! a [`holdout`] keeps some from both, and [`rivals`] decide the same flag at the same time.
//! [`growthbook`] is the whole evaluation model of that standard, on [`json`] and [`regexp`] as JavaScript has them; our
//! definitions can be written as its payload. Then the numbers: a [`metric`] says what is
//! counted of a unit's events; the [`sums`] of an [`arm`]'s units, exact, make a [`statistic`], its mean and variance, with a
//! [`cap`] on what one unit counts, or a [`quantile`] of a [`histogram`]; two arms make an [`effect`], better known with a
//! [`covariate`] from before exposure or within [`strata`]. An
//! [`interval`] around it is drawn by one of the modes of [`inference`]: at one look, at any by a [`sequence`] or a
//! [`mixture`], at a few by a [`group_sequential`] test, or as a belief ([`bayes`]). A [`guardrail`] asks whether
//! something got worse, a [`family`] corrects for many tests, also over [`segments`]; an
//! [`interaction`] is an effect that depends on another experiment. [`power`] says beforehand and
//! on the way what can be found, [`planner`] what looking costs. A [`bandit`] splits units by what is known so far,
//! [`redraw`] does so at a beat, epoch by epoch,
//! and [`adaptive`] concludes from such splits. [`sample_ratio`] checks the split, and [`verdict`] says in plain words
//! what to do.

pub mod definition;
pub mod lifecycle;

pub mod hash;

pub mod assign;

pub mod rollout;

pub mod holdout;

pub mod rivals;

pub mod ramp;

pub mod json;

pub mod regexp;

pub mod growthbook;

mod distribution;

#[cfg(test)]
mod dice;

pub mod sums;

pub mod statistic;

pub mod metric;

pub mod cap;

pub mod quantile;

pub mod histogram;

pub mod covariate;

pub mod strata;

pub mod arm;

pub mod effect;

pub mod interval;

pub mod sequence;

pub mod mixture;

mod crossing;

pub mod group_sequential;

pub mod bayes;

pub mod inference;

pub mod guardrail;

pub mod family;

pub mod segments;

pub mod interaction;

pub mod power;

pub mod planner;

pub mod bandit;

pub mod redraw;

pub mod fit;

pub mod adaptive;

pub mod proportion;
pub mod sample_ratio;

pub mod verdict;

pub use arm::ArmSums;
pub use assign::{Assignment, assign};
pub use definition::{DefinitionError, Experiment, Shipped, Status, Variation};
pub use metric::Metric;
pub use verdict::{Analysis, Look, Plan, Verdict, analyze};
