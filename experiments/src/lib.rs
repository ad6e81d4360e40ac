//! Experiments: who sees which variation, and what may be concluded from what they did.
//!
//! The crate is pure. It reads no clock, draws no random numbers and touches nothing outside its arguments,
//! so an assignment is a function of a definition and a unit, and a verdict is a function of totals. It knows
//! nothing of carts: a metric is a number a unit produced.
//!
//! Read it in this order: a [`definition`] says what is tried on whom, its [`lifecycle`] when; [`hash`] and
//! [`mod@assign`] place a unit; [`metric`] turns totals into means, [`interval`] into intervals that stay
//! valid however often they are looked at, [`sample_ratio`] checks the split, and [`verdict`] says in plain
//! words what to do.

pub mod definition;
pub mod lifecycle;

pub mod hash;

pub mod assign;

pub mod metric;

pub mod interval;

pub mod sample_ratio;

pub mod verdict;

pub use assign::{Assignment, FlagValue, assign, evaluate_flag};
pub use definition::{DefinitionError, Experiment, Status, Variation};
pub use metric::{ArmTotals, Metric};
pub use verdict::{Analysis, Look, Plan, Verdict, analyze};
