//! What a method charges.

use serde::{Deserialize, Serialize};

use super::Freight;
use crate::{definition::Faults, limits::CHARGE_STEPS_MAX};

/// Is what a method charges in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tariff {
    /// The charge.
    pub charge: Charge,
    /// Nothing is charged from this subtotal on, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_from_minor: Option<i64>,
}

/// Works a charge out of a parcel; all amounts are minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Charge {
    /// The same for every parcel.
    Flat(i64),
    /// By the step of the weight in grams.
    ByWeight(Vec<ChargeStep>),
    /// By the step of the subtotal in minor units.
    BySubtotal(Vec<ChargeStep>),
    /// So much for the first piece, and so much for each further one.
    PerPiece {
        /// For the first piece.
        first_minor: i64,
        /// For each further piece.
        each_minor: i64,
    },
}

/// Is a step of a charge: it counts from its bound on, until the next step's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargeStep {
    /// From this weight or subtotal on; the first step begins at 0.
    pub from: u64,
    /// The charge in minor units.
    pub minor: i64,
}

impl Tariff {
    /// Returns a charge that is the same for every parcel.
    pub fn flat(minor: i64) -> Self {
        Self { charge: Charge::Flat(minor), free_from_minor: None }
    }

    /// Returns the charge for a parcel, in minor units.
    pub fn minor(&self, parcel: &Freight<'_>) -> i64 {
        match self.free_from_minor {
            Some(free) if parcel.subtotal_minor >= free => 0,
            _ => self.charge.minor(parcel),
        }
    }

    /// Returns what the subtotal lacks for the parcel to travel without charge, where that is a matter of it.
    pub fn to_free_minor(&self, parcel: &Freight<'_>) -> Option<i64> {
        let lacking = self.free_from_minor? - parcel.subtotal_minor;
        (lacking > 0 && self.charge.minor(parcel) > 0).then_some(lacking)
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        if let Some(free) = self.free_from_minor {
            faults.need(free > 0, "free_from_minor", || {
                format!("is {free}; write a subtotal above 0, or charge a flat 0")
            });
        }
        faults.within("charge", |faults| self.charge.check(faults));
    }
}

impl Charge {
    fn minor(&self, parcel: &Freight<'_>) -> i64 {
        match self {
            Self::Flat(minor) => *minor,
            Self::ByWeight(steps) => step_at(steps, parcel.weight_g),
            Self::BySubtotal(steps) => step_at(steps, u64::try_from(parcel.subtotal_minor).unwrap_or(0)),
            Self::PerPiece { first_minor, each_minor } => {
                let further = i64::try_from(parcel.pieces.saturating_sub(1)).unwrap_or(i64::MAX);
                further.saturating_mul(*each_minor).saturating_add(*first_minor)
            }
        }
    }

    fn check(&self, faults: &mut Faults) {
        match self {
            Self::Flat(minor) => faults.amount("flat", *minor),
            Self::ByWeight(steps) => check_steps(faults, "by_weight", steps),
            Self::BySubtotal(steps) => check_steps(faults, "by_subtotal", steps),
            Self::PerPiece { first_minor, each_minor } => {
                faults.amount("per_piece.first_minor", *first_minor);
                faults.amount("per_piece.each_minor", *each_minor);
            }
        }
    }
}

/// Returns the charge of the last step that has begun.
fn step_at(steps: &[ChargeStep], value: u64) -> i64 {
    let begun = steps.partition_point(|step| step.from <= value);
    begun.checked_sub(1).map_or(0, |n| steps[n].minor)
}

fn check_steps(faults: &mut Faults, field: &str, steps: &[ChargeStep]) {
    faults.need(steps.first().is_some_and(|step| step.from == 0), field, || "must have a first step from 0");
    faults.need(
        steps.is_sorted_by(|a, b| a.from < b.from),
        field,
        || "has steps out of order; let each begin above the one before it",
    );
    faults.need(steps.len() <= CHARGE_STEPS_MAX, field, || {
        format!("has {} steps, the most allowed is {CHARGE_STEPS_MAX}", steps.len())
    });
    faults.each(field, steps, |faults, step| faults.amount("minor", step.minor));
}
