//! GrowthBook's evaluation model: what a feature is worth to a unit, and which experiments decided that.
//!
//! Any SDK of GrowthBook gives a unit the value that this gives, because both follow the JavaScript SDK (1.8.0,
//! specification 0.8.0), down to how JavaScript compares values. Where that throws, nothing here matches; where
//! it would run without end (patterns, groups and prerequisites that lead back to each other), there is a limit.
//!
//! Read it in this order. A [`Payload`] is compiled once, by rooms that each know one part: [`Condition`]s,
//! features with their rules, [`Experiment`]s with their bucket ranges, page patterns, bandits. What makes no
//! sense in it is a [`Problem`] with its path. A [`User`] has attributes, an address and what was forced on them;
//! the [`Evaluator`] answers for one user with a [`FeatureResult`] or an [`ExperimentResult`], which borrow from
//! both. [`sticky`] keeps units in their variation, [`remote`] answers for clients that may not see the
//! targeting, [`encryption`] hides payloads from those without a key, and [`export`] writes our own experiments
//! as a payload.

mod bandit;
mod condition;
pub mod encryption;
mod evaluate;
mod experiment;
pub mod export;
mod feature;
mod index;
mod outcome;
mod page;
mod payload;
mod problem;
mod read;
pub mod redirect;
pub mod remote;
mod run;
pub mod sticky;
mod user;

pub use bandit::Leaf;
pub use condition::{Condition, GROUP_DEPTH_MAX, GROUPS_OPENED_MAX, Groups};
pub use evaluate::{Evaluator, PREREQUISITE_DEPTH_MAX, PREREQUISITES_MAX};
pub use experiment::Experiment;
pub use outcome::{ExperimentResult, ExperimentView, Exposure, FeatureResult, Source};
pub use payload::{FEATURES_MAX, PAYLOAD_BYTES_MAX, Payload, PayloadError};
pub use problem::{PROBLEMS_MAX, Problem, Severity};
pub use user::User;

#[cfg(test)]
mod tests;
